//! Silences: set, ended and shown, with or without a running master, which takes them in when it is told. Brine's own.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use brine_alerts::conf::duration;
use brine_alerts::silence::{Kind, Silence, SilenceId, check, file};
use brine_alerts::core::tags;
use brine_core::call::{CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

use crate::alerting::{config, kept, labels, matchers, shown, silences, silences_dir, user, why as reason};
use crate::host::master;

module! { "silence": by_author, create, expire, "list" => list_, why }

/// The silences that stand or wait; with `over=True` those too that are over and still kept. Each with what it holds back:
/// how many alerts would have paged.
///
/// CLI Example: salt-run silence.list
#[exec]
fn list_(cx: &Cx, #[default(false)] over: bool) -> Result<Map> {
    let (kept, now) = (kept(cx)?, SystemTime::now());
    let wanted = silences(cx)?.into_iter().filter(|silence| over || !silence.is_over(now));
    Ok(wanted.map(|silence| (Value::from(silence.id.as_str()), Value::from(shown(&silence, &kept, now)))).collect())
}

/// Which words of a command line are about the silence itself, and not matchers.
const OWN: [&str; 6] = ["kind", "author", "comment", "change_id", "job", "starts_in"];

/// Set a silence for a time such as `30m` or `1h30m`, on the alerts that all the matchers hold of: `label=value`, `label!=value`,
/// `label=~expression`, `label!~expression`; or on `all`.
///
/// `kind` is `place` for one on labels of a place, where alerts that are new to the place are told all the same; otherwise `manual`. `comment`
/// says why, `change_id` for which change, `author` on whose behalf, `starts_in` how long from now it begins.
///
/// CLI Example: salt-run silence.create 30m site=akl comment='new switches'
///
/// CLI Example: salt-run silence.create 10m all comment='the pager rings for nothing'
#[exec]
fn create(cx: &Cx, duration: String, words: VarArgs, named: KwArgs) -> Result<Map> {
    let terms = config(cx)?.terms;
    let time = |text: &str| {
        self::duration(text).ok_or_else(|| {
            CallError::invocation(format!("'{text}' is no time such as 30m, 1h30m or 2d"))
        })
    };
    let ttl = time(&duration)?;
    let text = |key: &str| named.0.get(key).filter(|value| value.truthy()).map(python_str);
    let of_all = words.0.iter().any(|word| word.as_str() == Some("all"));
    let own = |key: &Value| key.as_str().is_some_and(|key| OWN.contains(&key) || key.starts_with("__"));
    let matchers = matchers(
        words.0.iter().filter(|word| word.as_str() != Some("all")),
        named.0.iter().filter(|(key, _)| !own(key)),
    )?;
    if of_all != matchers.is_empty() {
        return Err(CallError::invocation("A silence has matchers such as site=akl, or is of 'all'"));
    }
    let kind = match text("kind").as_deref() {
        _ if of_all => Kind::All,
        None | Some("manual") => Kind::Manual,
        Some("place") => Kind::Place,
        Some(other) => return Err(CallError::invocation(format!("There is no kind '{other}': place or manual"))),
    };
    let author = text("author").unwrap_or_else(|| user(cx).to_owned());
    let mut silence = Silence::new(kind, matchers, ttl, &author)?;
    if let Some(wait) = text("starts_in") {
        let wait = time(&wait)?;
        silence.starts_at += wait;
        silence.ends_at += wait;
    }
    silence.comment = text("comment").unwrap_or_default();
    silence.change_id = text("change_id");
    silence.job = text("job");
    check(&silence, &terms, SystemTime::now()).map_err(|e| CallError::invocation(e.to_string()))?;
    put(cx, &silence)?;
    let mut said = shown(&silence, &kept(cx)?, SystemTime::now());
    said.insert("id", silence.id.as_str());
    Ok(said)
}

/// Writes a silence, and tells the master, if one runs.
fn put(cx: &Cx, silence: &Silence) -> Result<()> {
    file::write(&silences_dir(cx), silence)?;
    if let Err(e) = master(cx)?.side.fire(tags::LOOK, map! {"id" => silence.id.as_str()}) {
        tracing::warn!("no master was told; one that starts will find the silence: {e}");
    }
    Ok(())
}

/// End silences now, by their ids. Alerts that they held back and that still fire are told.
///
/// CLI Example: salt-run silence.expire 5f0c8d1e2a3b4c5d
#[exec]
fn expire(cx: &Cx, ids: VarArgs) -> Result<Map> {
    config(cx)?;
    let mut said = Map::new();
    for id in &ids.0 {
        let text = python_str(id);
        let unknown = || CallError::execution(format!("There is no silence '{text}'"));
        let id = SilenceId::parse(&text).ok_or_else(unknown)?;
        let mut silence = file::read(&silences_dir(cx), &id)?.ok_or_else(unknown)?;
        let now = SystemTime::now();
        if silence.is_over(now) {
            said.insert(text, "was over already");
            continue;
        }
        silence.end(now);
        put(cx, &silence)?;
        said.insert(text, "over");
    }
    if said.is_empty() {
        return Err(CallError::invocation("Which silence? Its id is needed"));
    }
    Ok(said)
}

/// What holds back alerts: of those that fire now and are suppressed, each that all the matchers hold of, with the silences and alerts
/// that do it. Without matchers, all.
///
/// CLI Example: salt-run silence.why site=akl
#[exec]
fn why(cx: &Cx, words: VarArgs, named: KwArgs) -> Result<Map> {
    let matchers = matchers(&words.0, named.clean().iter())?;
    let (kept, all) = (kept(cx)?, silences(cx)?);
    let hushed = kept.alerts.iter().filter(|(_, alert)| !alert.hush.is_empty());
    let wanted = hushed.filter(|(_, alert)| matchers.iter().all(|matcher| matcher.holds(&alert.labels)));
    let shown = |alert: &brine_alerts::state::Alert| {
        let by: Value = alert.hush.iter().map(|why| reason(why, &all, &kept)).collect();
        map! {"labels" => labels(&alert.labels), "by" => by}
    };
    Ok(wanted.map(|(key, alert)| (Value::from(key.as_str()), Value::from(shown(alert)))).collect())
}

/// Who has set how many silences, for how many hours, and how many alerts they held back: of those that are kept.
///
/// CLI Example: salt-run silence.by_author
#[exec]
fn by_author(cx: &Cx) -> Result<Map> {
    #[derive(Default)]
    struct Sum {
        silences: i64,
        active: i64,
        time: Duration,
        hushed: u64,
    }
    let (kept, now) = (kept(cx)?, SystemTime::now());
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for silence in silences(cx)? {
        let sum = sums.entry(silence.author.clone()).or_default();
        sum.silences += 1;
        sum.active += i64::from(silence.stands(now));
        sum.time += silence.ends_at.duration_since(silence.starts_at).unwrap_or_default();
        sum.hushed += kept.hushed.get(&silence.id).map_or(0, |hushed| hushed.count);
    }
    let mut rows: Vec<(String, Sum)> = sums.into_iter().collect();
    rows.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.silences));
    let row = |sum: &Sum| {
        let hours = (sum.time.as_secs_f64() / 360.0).round() / 10.0;
        map! {
            "silences" => sum.silences, "active" => sum.active, "hours" => hours,
            "would_have_paged" => sum.hushed,
        }
    };
    Ok(rows.iter().map(|(author, sum)| (Value::from(author.as_str()), Value::from(row(sum)))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind as RunKind;
    use brine_core::call::Args;

    #[test]
    fn a_silence_is_written_told_shown_and_ended() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cx = fake.cx(RunKind::Runner, tmp.path(), map! {"alerts" => true});
        let args = Args::positional(["30m", "role!=db"]).with("site", "akl").with("alertname", "~Disk.*");
        let made = call(&cx, "silence.create", args.with("comment", "why").with("kind", "place")).unwrap();
        let id = made.get("id").and_then(Value::as_str).unwrap().to_owned();
        assert_eq!(made.get("scope"), Some(&"role!=db site=akl alertname=~Disk.*".into()));
        assert_eq!(made.get("author"), Some(&"root".into()));
        let listed = call(&cx, "silence.list", Args::none()).unwrap();
        assert_eq!(listed.get(&id).unwrap().get("state"), Some(&"active".into()));
        assert_eq!(listed.get(&id).unwrap().get("kind"), Some(&"place".into()));
        call(&cx, "silence.expire", Args::positional([id.as_str()])).unwrap();
        assert_eq!(call(&cx, "silence.list", Args::none()).unwrap(), Map::new().into());
        let over = call(&cx, "silence.list", Args::none().with("over", true)).unwrap();
        assert_eq!(over.get(&id).unwrap().get("state"), Some(&"over".into()));
        let authors = call(&cx, "silence.by_author", Args::none()).unwrap();
        assert_eq!(authors.get("root").unwrap().get("silences"), Some(&1.into()));
        let fired = &fake.record.lock().fired;
        assert_eq!(fired.len(), 2);
        assert_eq!(fired[1], (tags::LOOK.to_owned(), map! {"id" => id.as_str()}));
    }

    #[test]
    fn what_is_no_silence_is_refused() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cx = fake.cx(RunKind::Runner, tmp.path(), map! {"alerts" => map! {"silences" => map! {"longest" => "1h"}}});
        for args in [
            Args::positional(["30m"]),
            Args::positional(["soon", "all"]),
            Args::positional(["30m", "all"]).with("site", "akl"),
            Args::positional(["2h"]).with("site", "akl"),
            Args::positional(["5h", "all"]),
            Args::positional(["30m"]).with("site", "~("),
            Args::positional(["30m"]).with("site", "akl").with("kind", "expected"),
        ] {
            assert!(call(&cx, "silence.create", args.clone()).is_err(), "{args:?}");
        }
        assert!(call(&cx, "silence.expire", Args::positional(["../x"])).is_err());
        assert!(fake.record.lock().fired.is_empty());
        let none = fake.cx(RunKind::Runner, tmp.path(), Map::new());
        let e = call(&none, "silence.create", Args::positional(["30m", "all"])).unwrap_err();
        assert!(e.to_string().contains("'alerts' is not set"), "{e}");
    }
}
