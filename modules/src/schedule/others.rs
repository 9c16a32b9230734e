//! Giving a job to other minions, as far as the master's `peer` rules allow.

use super::switch::say;
use super::{change, is_set, list};
use brine_core::call::{Args, Cx, KwArgs, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

fn give(cx: &Cx, name: &str, target: Value, kwargs: &KwArgs, move_it: bool) -> Result<Map> {
    let mut ret = map! { "comment" => Vec::<Value>::new(), "result" => true };
    if name.is_empty() {
        ret = say(ret, false, "Job name is required.");
    }
    if is_set(kwargs, "test") {
        let done = if move_it { "moved" } else { "copied" };
        ret.insert("comment", format!("Job: {name} would be {done} from schedule."));
        return Ok(ret);
    }
    let mut found = None;
    for place in ["opts", "pillar"] {
        found = found.or(list::jobs(cx, Some(place))?.remove(name));
    }
    let Some(Value::Map(job)) = found else {
        return Ok(say(ret, false, format!("Job {name} does not exist.")));
    };
    let words: Vec<Value> =
        job.iter().map(|(key, value)| format!("{}={}", python_str(key), python_str(value)).into()).collect();
    let args = Args { positional: vec![target, "schedule.add".into(), words.into()], keyword: Map::new() };
    let answers = match cx.call("publish.publish", args)? {
        Value::Map(answers) => answers,
        _ => Map::new(),
    };
    if answers.is_empty() {
        ret.insert("comment", "no servers answered the published schedule.add command");
        return Ok(ret);
    }
    let failed: Vec<Value> = answers.iter().filter(|(_, a)| !a.truthy()).map(|(id, _)| id.clone()).collect();
    if !failed.is_empty() {
        ret.insert("comment", "the following minions return False");
        ret.insert("minions", failed);
        return Ok(ret);
    }
    let comment = if move_it {
        change::remove(cx, name, &KwArgs(Map::new()))?;
        format!("Moved Job {name} from schedule.")
    } else {
        format!("Copied Job {name} from schedule to minion(s).")
    };
    ret = say(ret, true, comment);
    ret.insert("minions", answers.keys().cloned().collect::<Vec<Value>>());
    Ok(ret)
}

/// Add a job to the minions of a target, and remove it here.
///
/// CLI Example: salt '*' schedule.move jobname target
#[exec]
pub(super) fn r#move(cx: &Cx, name: String, target: Value, kwargs: KwArgs) -> Result<Map> {
    give(cx, &name, target, &kwargs, true)
}

/// Add a job to the minions of a target.
///
/// CLI Example: salt '*' schedule.copy jobname target
#[exec]
pub(super) fn copy(cx: &Cx, name: String, target: Value, kwargs: KwArgs) -> Result<Map> {
    give(cx, &name, target, &kwargs, false)
}
