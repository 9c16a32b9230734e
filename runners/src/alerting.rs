//! What runners for alerts and silences share: where the master keeps them, what its configuration says of them, and words for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use brine_alerts::conf::Keys;
use brine_alerts::config::Config;
use brine_alerts::silence::{Silence, file};
use brine_alerts::state::{Kept, Why, read};
use brine_alerts::{Labels, Matcher, MatcherError, Op};
use brine_core::call::{CallError, Cx, Result};
use brine_core::clock::Clock;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_store::fs::Dir;

/// Where the master keeps them.
pub(crate) fn dir(cx: &Cx) -> Dir {
    Dir::at(cx.opts.path("cachedir").join("alerts"))
}

/// Where the master keeps silences.
pub(crate) fn silences_dir(cx: &Cx) -> Dir {
    Dir::at(dir(cx).path().join("silences"))
}

/// What the master's configuration says.
///
/// # Errors
/// When there are no alerts, or they are not configured as they have to be.
pub(crate) fn config(cx: &Cx) -> Result<Config> {
    let nothing = Value::Nil;
    let value = match cx.opts.get("alerts") {
        None | Some(Value::Nil | Value::Bool(false)) => {
            return Err(CallError::execution("This master has no alerts: its option 'alerts' is not set"));
        }
        Some(Value::Bool(true)) => &nothing,
        Some(value) => value,
    };
    let read = Keys::of(value, "alerts").and_then(|mut keys| Config::read(&mut keys));
    read.map_err(|e| CallError::execution(e.to_string()))
}

/// What is kept of alerts.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn kept(cx: &Cx) -> Result<Kept> {
    Ok(read(&dir(cx))?)
}

/// All silences that are kept.
///
/// # Errors
/// When they cannot be read.
pub(crate) fn silences(cx: &Cx) -> Result<Vec<Silence>> {
    Ok(file::read_all(&silences_dir(cx))?)
}

/// A time on this machine's clock.
pub(crate) fn when(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    Clock::local(i64::try_from(seconds).unwrap_or(0)).strftime("%Y-%m-%d %H:%M:%S")
}

/// A length of time in one or two words.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h{}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// Matchers as words of a command line: `site=akl`, `alertname=~Disk.*` arrive as keyword arguments, `site!=akl` and `site!~a.*` as
/// positional ones.
///
/// # Errors
/// When one is none.
pub(crate) fn matchers<'a>(
    words: impl IntoIterator<Item = &'a Value>,
    named: impl IntoIterator<Item = (&'a Value, &'a Value)>,
) -> Result<Vec<Matcher>> {
    let failed = |e: MatcherError| CallError::invocation(e.to_string());
    let mut all = Vec::new();
    for word in words {
        all.push(Matcher::parse(&python_str(word)).map_err(failed)?);
    }
    for (name, value) in named {
        let (name, value) = (python_str(name), python_str(value));
        let one = match value.strip_prefix('~') {
            Some(expression) => Matcher::new(&name, Op::Fits, expression),
            None => Matcher::new(&name, Op::Is, &value),
        };
        all.push(one.map_err(failed)?);
    }
    Ok(all)
}

/// Labels for people.
pub(crate) fn labels(labels: &Labels) -> Map {
    labels.iter().map(|(name, value)| (Value::from(name.as_str()), Value::from(value.as_str()))).collect()
}

/// What holds an alert back, in words.
pub(crate) fn why(why: &Why, silences: &[Silence], kept: &Kept) -> String {
    match why {
        Why::Silence(id) => match silences.iter().find(|silence| silence.id == *id) {
            Some(silence) => {
                let (until, comment) = (when(silence.ends_at), &silence.comment);
                let comment = if comment.is_empty() { String::new() } else { format!(": {comment}") };
                format!("silence {id} ({}) by {} until {until}{comment}", silence.scope(), silence.author)
            }
            None => format!("silence {id}"),
        },
        Why::Inhibited(by) => match kept.alerts.get(by) {
            Some(alert) => format!("alert {} ({by})", alert.name()),
            None => format!("alert {by}"),
        },
    }
}

/// On whose behalf this runs.
pub(crate) fn user(cx: &Cx) -> &str {
    cx.job.publish.get_str("user").unwrap_or("root")
}

/// A silence for people.
pub(crate) fn shown(silence: &Silence, kept: &Kept, now: SystemTime) -> Map {
    let hushed = kept.hushed.get(&silence.id);
    let state = match (silence.is_over(now), silence.stands(now)) {
        (true, _) => "over",
        (_, true) => "active",
        _ => "waiting",
    };
    let mut shown = map! {
        "state" => state, "kind" => silence.kind.text(), "scope" => silence.scope(), "author" => silence.author.as_str(),
        "comment" => silence.comment.as_str(), "starts" => when(silence.starts_at), "ends" => when(silence.ends_at),
        "would_have_paged" => hushed.map_or(0, |hushed| hushed.count),
    };
    if let Some(left) = silence.ends_at.duration_since(now).ok().filter(|_| state == "active") {
        shown.insert("left", span(left));
    }
    for (key, value) in [("job", &silence.job), ("change_id", &silence.change_id)] {
        if let Some(value) = value {
            shown.insert(key, value.as_str());
        }
    }
    shown
}
