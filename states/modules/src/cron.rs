//! States of crontabs: `cron.present`, `absent`, `file`, `env_present` and `env_absent`.

mod file;

use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::cron::{is_match, needs_change};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use file::exec_file;

state_module! { "cron": absent, env_absent, env_present, file, present }

#[derive(PartialEq)]
enum Status {
    Absent,
    Present,
    Update,
}

fn tab(cx: &Cx, user: &Value) -> Result<Map> {
    Ok(cx.call("cron.list_tab", Args::positional([user.clone()]))?.as_map().cloned().unwrap_or_default())
}

/// How a job is now; `wanted`: its parts as they are to be.
fn status(cx: &Cx, user: &Value, cmd: &str, identifier: &Value, special: bool, wanted: &Map) -> Result<Status> {
    let identifier = if identifier.is_nil() { Value::Nil } else { python_str(identifier).into() };
    let cmd = Value::from(cmd);
    let tab = tab(cx, user)?;
    let jobs = tab.get(if special { "special" } else { "crons" }).and_then(Value::as_list).unwrap_or_default();
    let job = jobs.iter().filter_map(Value::as_map).find(|job| is_match(job, &cmd, &identifier));
    let Some(job) = job else { return Ok(Status::Absent) };
    let differs = |now: Option<&Value>, wanted: &Value| needs_change(now.unwrap_or(&Value::Nil), wanted);
    let same = !wanted.iter().any(|(key, value)| differs(job.get_key(key), value))
        && !differs(job.get("identifier"), &identifier)
        && !differs(job.get("cmd"), &cmd);
    Ok(if same { Status::Present } else { Status::Update })
}

/// The command, and what it is known by: itself, where nothing else is given.
fn named(name: &Value, identifier: Value) -> (String, Value) {
    let cmd = python_str(name).trim().to_owned();
    let identifier = if identifier == Value::Bool(false) { cmd.as_str().into() } else { identifier };
    (cmd, identifier)
}

/// What came of a change: what it says where it is one of these words.
fn done(name: &str, user: &Value, data: &Value, words: &[(&str, String)], failed: &str) -> Outcome {
    let said = words.iter().find(|(word, _)| data.as_str() == Some(word));
    match said {
        Some((word, comment)) if ["present", "absent"].contains(word) => Outcome::ok(name, comment.as_str()),
        Some((_, comment)) => Outcome::ok(name, comment.as_str()).with_changes(map! { user.clone() => name }),
        None => Outcome::failed(name, format!("{failed}{}", python_str(data))),
    }
}

/// See that a job is in a crontab.
///
/// name: the command. user: whose. minute, hour, daymonth, month, dayweek: when, each also `random`. special: or when in words
/// (`@daily`). comment: stands before it. commented: switch it off. identifier: what it is known by (default: the command).
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn present(
    cx: &Cx,
    name: Value,
    #[default("root")] user: Value,
    #[default("*")] minute: Value,
    #[default("*")] hour: Value,
    #[default("*")] daymonth: Value,
    #[default("*")] month: Value,
    #[default("*")] dayweek: Value,
    comment: Option<Value>,
    #[default(false)] commented: Value,
    #[default(false)] identifier: Value,
    special: Option<Value>,
) -> Result<Outcome> {
    let (cmd, identifier) = named(&name, identifier);
    let comment = Value::from(comment);
    let times = map! {"minute" => minute, "hour" => hour, "daymonth" => daymonth, "month" => month, "dayweek" => dayweek};
    if cx.test {
        let is_true = |value: &Value| -> Value { (value == &Value::Bool(true)).into() };
        let commented = if commented.is_nil() { Value::Nil } else { is_true(&commented) };
        let mut wanted = map! { "comment" => comment, "commented" => commented };
        match &special {
            Some(special) => drop(wanted.insert("spec", special.clone())),
            None => wanted.extend(times.iter().filter(|(_, time)| !time.is_nil()).map(|(key, time)| {
                (key.clone(), python_str(time).to_lowercase())
            })),
        }
        return Ok(match status(cx, &user, &cmd, &identifier, special.is_some(), &wanted)? {
            Status::Absent => Outcome::would(cmd.as_str(), format!("Cron {cmd} is set to be added")),
            Status::Present => Outcome::ok(cmd.as_str(), format!("Cron {cmd} already present")),
            Status::Update => Outcome::would(cmd.as_str(), format!("Cron {cmd} is set to be updated")),
        });
    }
    let mut args = Args::none().with("user", user.clone());
    let function = match special {
        Some(special) => {
            args = args.with("special", special);
            "cron.set_special"
        }
        None => {
            args.keyword.update(times);
            "cron.set_job"
        }
    };
    let args = args
        .with("cmd", cmd.as_str())
        .with("comment", comment)
        .with("commented", commented)
        .with("identifier", identifier);
    let data = cx.call(function, args)?;
    let whose = python_str(&user);
    let words = [
        ("present", format!("Cron {cmd} already present")),
        ("new", format!("Cron {cmd} added to {whose}'s crontab")),
        ("updated", format!("Cron {cmd} updated")),
    ];
    let failed = format!("Cron {cmd} for user {whose} failed to commit with error \n");
    Ok(done(&cmd, &user, &data, &words, &failed))
}

/// See that a job is in no crontab. Arguments as for `cron.present`; further ones are not looked at.
#[exec]
fn absent(
    cx: &Cx,
    name: Value,
    #[default("root")] user: Value,
    #[default(false)] identifier: Value,
    special: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _ = kwargs;
    let (cmd, identifier) = named(&name, identifier);
    if cx.test {
        return Ok(match status(cx, &user, &cmd, &identifier, false, &Map::new())? {
            Status::Absent => Outcome::ok(cmd.as_str(), format!("Cron {cmd} is absent")),
            _ => Outcome::would(cmd.as_str(), format!("Cron {cmd} is set to be removed")),
        });
    }
    let args = Args::positional([user.clone(), cmd.as_str().into()]).with("identifier", identifier);
    let data = match special {
        None => cx.call("cron.rm_job", args)?,
        Some(special) => cx.call("cron.rm_special", args.with("special", special))?,
    };
    let whose = python_str(&user);
    let words = [
        ("absent", format!("Cron {cmd} already absent")),
        ("removed", format!("Cron {cmd} removed from {whose}'s crontab")),
    ];
    Ok(done(&cmd, &user, &data, &words, &format!("Cron {cmd} for user {whose} failed to commit with error ")))
}

fn variable(cx: &Cx, user: &Value, name: &Value, value: Value) -> Result<Status> {
    let value = if value.is_nil() { "".into() } else { value };
    let tab = tab(cx, user)?;
    let all = tab.get("env").and_then(Value::as_list).unwrap_or_default();
    Ok(match all.iter().find(|env| env.get("name") == Some(name)) {
        None => Status::Absent,
        Some(env) if env.get("value") == Some(&value) => Status::Present,
        Some(_) => Status::Update,
    })
}

/// See that a variable is set in a crontab.
#[exec]
fn env_present(cx: &Cx, name: Value, value: Option<Value>, #[default("root")] user: Value) -> Result<Outcome> {
    let (value, shown) = (Value::from(value), python_str(&name));
    if cx.test {
        return Ok(match variable(cx, &user, &name, value)? {
            Status::Absent => Outcome::would(name, format!("Cron env {shown} is set to be added")),
            Status::Present => Outcome::ok(name, format!("Cron env {shown} already present")),
            Status::Update => Outcome::would(name, format!("Cron env {shown} is set to be updated")),
        });
    }
    let data = cx.call("cron.set_env", Args::positional([user.clone(), name]).with("value", value))?;
    let whose = python_str(&user);
    let words = [
        ("present", format!("Cron env {shown} already present")),
        ("new", format!("Cron env {shown} added to {whose}'s crontab")),
        ("updated", format!("Cron env {shown} updated")),
    ];
    let failed = format!("Cron env {shown} for user {whose} failed to commit with error \n");
    Ok(done(&shown, &user, &data, &words, &failed))
}

/// See that a variable is not set in a crontab.
#[exec]
fn env_absent(cx: &Cx, name: Value, #[default("root")] user: Value) -> Result<Outcome> {
    let shown = python_str(&name).trim().to_owned();
    if cx.test {
        return Ok(match variable(cx, &user, &shown.as_str().into(), Value::Nil)? {
            Status::Absent => Outcome::ok(shown.as_str(), format!("Cron env {shown} is absent")),
            _ => Outcome::would(shown.as_str(), format!("Cron env {shown} is set to be removed")),
        });
    }
    let data = cx.call("cron.rm_env", Args::positional([user.clone(), shown.as_str().into()]))?;
    let whose = python_str(&user);
    let words = [
        ("absent", format!("Cron env {shown} already absent")),
        ("removed", format!("Cron env {shown} removed from {whose}'s crontab")),
    ];
    Ok(done(&shown, &user, &data, &words, &format!("Cron env {shown} for user {whose} failed to commit with error ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_by_its_command_unless_told_otherwise() {
        assert_eq!(named(&" a ".into(), false.into()), ("a".into(), "a".into()));
        assert_eq!(named(&"a".into(), Value::Nil), ("a".into(), Value::Nil));
    }
}
