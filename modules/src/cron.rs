//! The `cron` execution module: jobs and variables in users' crontabs. The text of a crontab is read and written in
//! `cron/tab.rs`; it reaches the machine through `crontab`, in `cron/program.rs`.

mod program;
mod tab;

use crate::python::random::Random;
use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::cron::{NO_IDENTIFIER, id, is_match, needs_change};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value, map};
use program::{raw, write};
use tab::Tab;

module! {
    "cron": get_entry, list_tab, "ls" => list_tab, raw_cron, rm_env, rm_job, "rm" => rm_job, rm_special, set_env, set_job,
    set_special, write_cron_file, write_cron_file_verbose
}

/// The fields of a time, in order.
const TIMES: [&str; 5] = ["minute", "hour", "daymonth", "month", "dayweek"];

/// How often setting a job may start over: each time the old one was to be gone.
const AGAIN: u8 = 8;

fn load(cx: &Cx, user: &Value) -> Result<Tab> {
    Ok(Tab::parse(&raw(cx, user)?))
}

/// Puts it in place; `Some`: what went wrong.
fn store(cx: &Cx, user: &Value, tab: &Tab) -> Result<Option<Value>> {
    let out = write(cx, user, &tab.render())?;
    let failed = out.get("retcode").is_some_and(Value::truthy);
    Ok(failed.then(|| out.get("stderr").cloned().unwrap_or_default()))
}

/// The crontab of a user as it is.
///
/// CLI Example: salt '*' cron.raw_cron root
#[exec]
fn raw_cron(cx: &Cx, user: Value) -> Result<String> {
    raw(cx, &user)
}

/// The crontab of a user: what stands before the part that is managed here (`pre`), jobs (`crons`, `special`), variables.
///
/// CLI Example: salt '*' cron.list_tab root
#[exec]
fn list_tab(cx: &Cx, user: Value) -> Result<Map> {
    Ok(load(cx, &user)?.into())
}

/// The job with this identifier, or this command.
///
/// CLI Example: salt '*' cron.get_entry root identifier=task1
#[exec]
fn get_entry(cx: &Cx, user: Value, identifier: Option<Value>, cmd: Option<Value>) -> Result {
    let given = |value: Option<Value>| value.filter(Value::truthy);
    let (identifier, cmd) = (given(identifier), given(cmd));
    if identifier.is_some() && cmd.is_some() {
        tracing::warn!("Both identifier and cmd are specified. Only using identifier.");
    }
    let tab = load(cx, &user)?;
    let found = tab.crons.iter().chain(&tab.special).find(|job| match (&identifier, &cmd) {
        (Some(identifier), _) => job.get("identifier") == Some(identifier),
        (None, cmd) => cmd.is_some() && job.get("cmd") == cmd.as_ref(),
    });
    Ok(found.cloned().map_or(false.into(), Value::Map))
}

/// Gives `crontab` a file for a user, and says whether it took it.
///
/// CLI Example: salt '*' cron.write_cron_file root /tmp/new_cron
#[exec]
fn write_cron_file(cx: &Cx, user: Value, path: String) -> Result<bool> {
    Ok(program::install(cx, "cmd.retcode", &user, &path)?.as_int() == Some(0))
}

/// Gives `crontab` a file for a user, and says what it said.
///
/// CLI Example: salt '*' cron.write_cron_file_verbose root /tmp/new_cron
#[exec]
fn write_cron_file_verbose(cx: &Cx, user: Value, path: String) -> Result {
    program::install(cx, "cmd.run_all", &user, &path)
}

/// A job as it is wished: a time in words, or its five fields.
#[derive(Clone)]
struct Wish {
    /// `spec`, or the five times; a key that a wish of this kind has not is `None`.
    times: Map,
    special: bool,
    cmd: Value,
    commented: Value,
    comment: Value,
    identifier: Value,
}

impl Wish {
    fn keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        TIMES.into_iter().chain(["spec"])
    }

    fn time(&self, key: &str) -> Value {
        self.times.get(key).cloned().unwrap_or_default()
    }

    /// Whether the job that is there is another than this one.
    fn differs(&self, job: &Map) -> bool {
        let now = |key: &str| job.get(key).cloned().unwrap_or_default();
        let set = match now("identifier") {
            Value::Nil => NO_IDENTIFIER.into(),
            // Without one, Python's `or` goes on to what it is.
            other => other,
        };
        needs_change(&now("comment"), &self.comment)
            || needs_change(&now("commented"), &self.commented)
            || needs_change(&self.identifier, &set)
            || self.keys().any(|key| needs_change(&now(key), &self.time(key)))
            || needs_change(&now("cmd"), &self.cmd)
    }

    /// This one, with what the job that is there has and the wish leaves as it is.
    fn over(mut self, job: &Map) -> Self {
        let now = |key: &str| job.get(key).cloned().unwrap_or_default();
        let keys: &[&str] = if self.special { &["spec"] } else { &TIMES };
        for key in keys {
            if !needs_change(&now(key), &self.time(key)) {
                self.times.insert(*key, now(key));
            }
        }
        for (key, mine) in [("commented", &mut self.commented), ("comment", &mut self.comment)] {
            if !needs_change(&now(key), mine) {
                *mine = now(key);
            }
        }
        let mut id = Value::from(id(job));
        if !needs_change(&now("cmd"), &self.cmd) {
            self.cmd = now("cmd");
            if id.as_str() == Some(NO_IDENTIFIER) {
                if self.identifier.truthy() {
                    id = self.identifier.clone();
                }
                if id.as_str() == Some(NO_IDENTIFIER) && now("identifier").is_nil() {
                    id = Value::Nil;
                }
            }
        }
        if !id.truthy() || !needs_change(&id, &self.identifier) {
            self.identifier = id;
        }
        self
    }

    /// The job as it is written.
    fn job(&self) -> Result<Map> {
        if self.comment.truthy() && self.comment.as_str().is_none() {
            let (kind, used) = (python_type(&self.comment), if self.special { "rstrip" } else { "replace" });
            let text = format!("'{kind}' object has no attribute '{used}'");
            return Err(CallError::exception("AttributeError", text));
        }
        let mut job = Map::new();
        if self.special {
            job.insert("spec", self.time("spec"));
        }
        job.extend([
            ("cmd", self.cmd.clone()),
            ("identifier", self.identifier.clone()),
            ("comment", self.comment.clone()),
            ("commented", self.commented.clone()),
        ]);
        if !self.special {
            job.update(drawn(&self.times)?);
        }
        Ok(job)
    }
}

fn draw(from: i64, to: i64) -> Result<String> {
    let width = u128::try_from(to - from + 1).ok().filter(|width| *width > 0);
    let width = width.ok_or_else(|| {
        let text = format!("empty range for randrange() ({from}, {}, {})", to + 1, to + 1 - from);
        CallError::exception("ValueError", text)
    })?;
    let mut random = Random::from_system().map_err(|e| CallError::exception("OSError", e.to_string()))?;
    Ok((from + random.below(width) as i64).to_string())
}

/// The times with `random` and `from:to` drawn by lot.
fn drawn(times: &Map) -> Result<Map> {
    let text = |key: &str| times.get(key).map_or_else(|| "1".into(), |time| python_str(time).to_lowercase());
    let mut found = Map::new();
    for (key, first, last) in [("minute", 0, 59), ("hour", 0, 23), ("month", 1, 12), ("dayweek", 0, 6)] {
        let value = text(key);
        let parts: Vec<&str> = value.split(':').collect();
        let number = |text: &str| {
            let shown = brine_core::text::python_repr(&text.into());
            text.trim().parse::<i64>().map_err(|_| {
                CallError::exception("ValueError", format!("invalid literal for int() with base 10: {shown}"))
            })
        };
        let value = match parts[..] {
            _ if value == "random" => draw(first, last)?,
            // Stock puts them in the order of texts.
            [a, b] => draw(number(a.min(b))?, number(a.max(b))?)?,
            _ => value,
        };
        found.insert(key, value);
    }
    let days = match found.get_str("month").unwrap_or_default() {
        "1" | "3" | "5" | "7" | "8" | "10" | "12" => 31,
        "4" | "6" | "9" | "11" => 30,
        _ => 28,
    };
    let day = text("daymonth");
    found.insert("daymonth", if day == "random" { draw(1, days)? } else { day });
    Ok(found)
}

fn set(cx: &Cx, user: &Value, wish: Wish, again: u8) -> Result {
    let mut tab = load(cx, user)?;
    let known = tab.crons.iter().chain(&tab.special).find(|job| is_match(job, &wish.cmd, &wish.identifier));
    if let Some(job) = known.cloned() {
        if !wish.differs(&job) {
            return Ok("present".into());
        }
        if again == 0 {
            return Err(CallError::exception("RecursionError", "maximum recursion depth exceeded"));
        }
        let id = Value::from(id(&job));
        match job.contains("spec") {
            true => remove_special(cx, user, &wish.cmd, &Value::Nil, &id)?,
            false => remove_job(cx, user, &wish.cmd, &Map::new(), &id)?,
        };
        let done = set(cx, user, wish.over(&job), again - 1)?;
        return Ok(if done.as_str() == Some("new") { "updated".into() } else { done });
    }
    let job = wish.job()?;
    if wish.special { &mut tab.special } else { &mut tab.crons }.push(job);
    Ok(store(cx, user, &tab)?.unwrap_or_else(|| "new".into()))
}

/// Set a job with a time in words.
///
/// CLI Example: salt '*' cron.set_special root @hourly 'echo foobar'
#[exec]
fn set_special(
    cx: &Cx,
    user: Value,
    special: Value,
    cmd: Value,
    #[default(false)] commented: Value,
    comment: Option<Value>,
    identifier: Option<Value>,
) -> Result {
    let times = map! { "spec" => special };
    let wish = Wish { times, special: true, cmd, commented, comment: comment.into(), identifier: identifier.into() };
    set(cx, &user, wish, AGAIN)
}

/// Set a job. Each field of the time may be `random`; a job is known by its identifier, or else by its command.
///
/// CLI Example: salt '*' cron.set_job root '*' '*' '*' '*' 1 /usr/local/weekly
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn set_job(
    cx: &Cx,
    user: Value,
    minute: Value,
    hour: Value,
    daymonth: Value,
    month: Value,
    dayweek: Value,
    cmd: Value,
    #[default(false)] commented: Value,
    comment: Option<Value>,
    identifier: Option<Value>,
) -> Result {
    let values = [minute, hour, daymonth, month, dayweek];
    let times = TIMES.iter().zip(values).map(|(key, value)| (*key, python_str(&value).to_lowercase())).collect();
    let wish = Wish { times, special: false, cmd, commented, comment: comment.into(), identifier: identifier.into() };
    set(cx, &user, wish, AGAIN)
}

fn remove_special(cx: &Cx, user: &Value, cmd: &Value, special: &Value, identifier: &Value) -> Result {
    let mut tab = load(cx, user)?;
    let fits = |job: &Map| {
        is_match(job, cmd, identifier) && (special.is_nil() || job.get("spec") == Some(special))
    };
    let found = tab.special.iter().position(fits);
    if let Some(at) = found {
        tab.special.remove(at);
    }
    let done = if found.is_some() { "removed" } else { "absent" };
    Ok(store(cx, user, &tab)?.unwrap_or_else(|| done.into()))
}

fn remove_job(cx: &Cx, user: &Value, cmd: &Value, times: &Map, identifier: &Value) -> Result {
    let mut tab = load(cx, user)?;
    let same = |job: &Map, key: &Value, value: &Value| {
        let (now, text) = (job.get_key(key).map(python_str).unwrap_or_default(), python_str(value));
        now == text || (text.to_lowercase() == "random" && now != "*")
    };
    let fits = |job: &Map| is_match(job, cmd, identifier) && times.iter().all(|(key, value)| same(job, key, value));
    match tab.crons.iter().position(fits) {
        None => Ok("absent".into()),
        Some(at) => {
            tab.crons.remove(at);
            Ok(store(cx, user, &tab)?.unwrap_or_else(|| "removed".into()))
        }
    }
}

/// Remove a job with a time in words.
///
/// CLI Example: salt '*' cron.rm_special root /usr/bin/foo
#[exec]
fn rm_special(cx: &Cx, user: Value, cmd: Value, special: Option<Value>, identifier: Option<Value>) -> Result {
    remove_special(cx, &user, &cmd, &special.into(), &identifier.into())
}

/// Remove a job; where fields of a time are given, only if they are its.
///
/// CLI Example: salt '*' cron.rm_job root /usr/local/weekly dayweek=1
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn rm_job(
    cx: &Cx,
    user: Value,
    cmd: Value,
    minute: Option<Value>,
    hour: Option<Value>,
    daymonth: Option<Value>,
    month: Option<Value>,
    dayweek: Option<Value>,
    identifier: Option<Value>,
) -> Result {
    let given = [minute, hour, daymonth, month, dayweek];
    let times = TIMES.iter().zip(given).filter_map(|(key, value)| Some((*key, value?))).collect();
    remove_job(cx, &user, &cmd, &times, &identifier.into())
}

/// Set a variable.
///
/// CLI Example: salt '*' cron.set_env root MAILTO user@example.com
#[exec]
fn set_env(cx: &Cx, user: Value, name: Value, value: Option<Value>) -> Result {
    let value = Value::from(value);
    let mut tab = load(cx, &user)?;
    let mut done = "new";
    if let Some(at) = tab.env.iter().position(|(known, _)| *known == name) {
        if tab.env[at].1 == value {
            return Ok("present".into());
        }
        // The last of that name goes, and so on while there is one.
        tab.env.retain(|(known, _)| *known != name);
        done = "updated";
    }
    tab.env.push((name, value));
    Ok(store(cx, &user, &tab)?.unwrap_or_else(|| done.into()))
}

/// Remove a variable.
///
/// CLI Example: salt '*' cron.rm_env root MAILTO
#[exec]
fn rm_env(cx: &Cx, user: Value, name: Value) -> Result {
    let mut tab = load(cx, &user)?;
    let found = tab.env.iter().rposition(|(known, _)| *known == name);
    if let Some(at) = found {
        tab.env.remove(at);
    }
    let done = if found.is_some() { "removed" } else { "absent" };
    Ok(store(cx, &user, &tab)?.unwrap_or_else(|| done.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_drawn_within_their_bounds() {
        for _ in 0..50 {
            let got = drawn(&map! {"minute" => "random", "hour" => "2:5", "month" => "2", "daymonth" => "random"}).unwrap();
            let number = |key: &str| got.get_str(key).unwrap().parse::<i64>().unwrap();
            assert!((0..60).contains(&number("minute")) && (2..=5).contains(&number("hour")));
            assert!((1..=28).contains(&number("daymonth")));
            assert_eq!(got.get_str("dayweek"), Some("1"));
        }
        assert!(drawn(&map! {"hour" => "9:10"}).is_err());
    }
}
