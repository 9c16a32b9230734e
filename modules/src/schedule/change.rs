//! Adding, changing and removing jobs.

use super::item::{self, Conflict, TWO_TIMES};
use super::{Told, about, after, in_order, is_set, key_error, list, persist, tell, write_offline};
use brine_core::call::{Cx, KwArgs, Result, exec};
use brine_core::{Map, Value, map};

/// Add a job: `function`, how often or when, and what else it needs. `job_args` and `job_kwargs` are the function's
/// arguments. `persist=False` forgets it when the minion ends, `offline=True` adds it for the next start.
///
/// CLI Example: salt '*' schedule.add job1 function='test.ping' seconds=3600
#[exec]
pub(super) fn add(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    let offline = is_set(&kwargs, "offline");
    let mut ret = map! { "comment" => format!("Failed to add job {name} to schedule."), "result" => false,
        "changes" => Map::new() };
    let mut schedule = list::jobs_or_saved(cx, offline)?;
    if schedule.contains(&name) {
        ret.insert("comment", format!("Job {name} already exists in schedule."));
        return Ok(ret);
    }
    let given = kwargs.clean();
    match item::conflict(&given) {
        Some(Conflict::Interval) => {
            ret.insert(
                "comment",
                "Error: Unable to use \"seconds\", \"minutes\", \"hours\", or \"days\" with \"when\" or \"cron\" options.",
            );
            return Ok(ret);
        }
        Some(Conflict::Times) => {
            ret.insert("comment", TWO_TIMES);
            return Ok(ret);
        }
        None => {}
    }
    let job = item::build(&name, &given)?;
    if item::is_refused(&job) {
        return Ok(job);
    }
    if is_set(&kwargs, "test") {
        ret.insert("comment", format!("Job: {name} would be added to schedule."));
        ret.insert("result", true);
        return Ok(ret);
    }
    let added = if offline {
        schedule = in_order(&schedule);
        schedule.insert(name.as_str(), job);
        schedule.sort_by_key_text();
        write_offline(cx, &schedule);
        true
    } else {
        let request =
            map! { "name" => name.as_str(), "schedule" => map! { name.as_str() => job }, "persist" => persist(&kwargs) };
        after(cx, "add", request)?.is_some_and(|schedule| schedule.contains(&name))
    };
    if added {
        ret.insert("result", true);
        ret.insert("comment", format!("Added job: {name} to schedule."));
        ret.insert("changes", map! { name => "added" });
    }
    Ok(ret)
}

/// Change a job. What is not given is lost, but for its function.
///
/// CLI Example: salt '*' schedule.modify job1 function='test.ping' seconds=3600
#[exec]
pub(super) fn modify(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    let mut ret = map! { "comment" => "", "changes" => Map::new(), "result" => true };
    let failed = |mut ret: Map, comment: String| {
        ret.insert("result", false);
        ret.insert("comment", comment);
        Ok(ret)
    };
    let mut given = kwargs.clean();
    match item::conflict(&given) {
        Some(Conflict::Interval) => {
            let text = "Error: Unable to use \"seconds\", \"minutes\", \"hours\", or \"days\" with \"when\" option.";
            return failed(ret, text.into());
        }
        Some(Conflict::Times) => return failed(ret, TWO_TIMES.into()),
        None => {}
    }
    let offline = is_set(&kwargs, "offline");
    let mut schedule = list::jobs_or_saved(cx, offline)?;
    let Some(current) = schedule.get(&name).and_then(Value::as_map).cloned() else {
        return failed(ret, format!("Job {name} does not exist in schedule."));
    };
    given.entry_or("function", || current.get("function").cloned().unwrap_or_default());
    let new = item::build(&name, &given)?;
    if item::is_refused(&new) {
        return Ok(new);
    }
    if new == current {
        ret.insert("comment", format!("Job {name} in correct state"));
        return Ok(ret);
    }
    ret.insert("changes", map! { name.as_str() => map! { "old" => current.clone(), "new" => new.clone() } });
    if is_set(&kwargs, "test") {
        ret.insert("comment", format!("Job: {name} would be modified in schedule."));
        return Ok(ret);
    }
    if offline {
        let mut merged = current;
        merged.update(new);
        schedule.insert(name.as_str(), merged);
        write_offline(cx, &in_order(&schedule));
    } else {
        let mut request = about(cx, &name, persist(&kwargs))?.unwrap_or_default();
        request.insert("schedule", new);
        if matches!(tell(cx, "modify", request)?, Told::Nobody) {
            return failed(ret, format!("Failed to modify job {name} in schedule."));
        }
    }
    ret.insert("comment", format!("Modified job: {name} in schedule."));
    Ok(ret)
}

/// Remove a job.
///
/// CLI Example: salt '*' schedule.delete job1
#[exec]
pub(super) fn delete(cx: &Cx, name: String, kwargs: KwArgs) -> Result<Map> {
    remove(cx, &name, &kwargs)
}

pub(super) fn remove(cx: &Cx, name: &str, kwargs: &KwArgs) -> Result<Map> {
    let failed = format!("Failed to delete job {name} from schedule.");
    let mut ret = map! { "comment" => failed.as_str(), "result" => false, "changes" => Map::new() };
    if name.is_empty() {
        ret.insert("comment", "Job name is required.");
    }
    if is_set(kwargs, "test") {
        ret.insert("comment", format!("Job: {name} would be deleted from schedule."));
        ret.insert("result", true);
        return Ok(ret);
    }
    let left = if is_set(kwargs, "offline") {
        let mut schedule = list::jobs_or_saved(cx, true)?;
        schedule.remove(name).ok_or_else(|| key_error(name))?;
        write_offline(cx, &in_order(&schedule));
        Some(schedule)
    } else {
        let Some(request) = about(cx, name, persist(kwargs))? else {
            ret.insert("comment", format!("Job {name} does not exist."));
            return Ok(ret);
        };
        after(cx, "delete", request)?
    };
    match left {
        Some(left) if !left.contains(name) => {
            ret.insert("result", true);
            ret.insert("comment", format!("Deleted Job {name} from schedule."));
            ret.insert("changes", map! { name => "removed" });
        }
        Some(_) => drop(ret.insert("comment", failed)),
        None => {}
    }
    Ok(ret)
}

/// Remove every job but those of the minion itself.
///
/// CLI Example: salt '*' schedule.purge
#[exec]
pub(super) fn purge(cx: &Cx, kwargs: KwArgs) -> Result<Map> {
    let offline = is_set(&kwargs, "offline");
    let mut schedule = list::jobs_or_saved(cx, offline)?;
    let (mut comment, mut changes) = (Vec::<Value>::new(), Map::new());
    let names: Vec<String> = schedule.keys().filter_map(Value::as_str).map(str::to_owned).collect();
    for name in names.iter().filter(|n| *n != "enabled" && !n.starts_with("__")) {
        if is_set(&kwargs, "test") {
            comment.push(format!("Job: {name} would be deleted from schedule.").into());
            continue;
        }
        let left = if offline {
            schedule.remove(name);
            Some(Map::new())
        } else {
            after(cx, "delete", map! { "name" => name, "persist" => persist(&kwargs) })?
        };
        match left {
            Some(left) if left.contains(name) => {
                comment.push(format!("Failed to delete job {name} from schedule.").into());
            }
            Some(_) => {
                changes.insert(name.as_str(), "removed");
                comment.push(format!("Deleted job: {name} from schedule.").into());
            }
            None => {}
        }
    }
    if offline {
        write_offline(cx, &in_order(&schedule));
    }
    Ok(map! { "comment" => comment, "changes" => changes, "result" => true })
}
