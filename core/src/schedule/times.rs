//! The next time of a job, by each of the keys that name times. What is wrong with one is noted in the job's data.

use super::eval::{Turn, World};
use super::job::{self, ISO};
use super::moment::Moment;
use super::{Cron, strptime};
use crate::text::python_str;
use brine_protocol::{Map, Value};

/// `run_explicit`: single times beside all others, as of runs that were put off.
pub(super) fn run_explicit(data: &mut Map, turn: &mut Turn<'_>) {
    let (now, li) = (turn.now, turn.loop_interval);
    let mut times = job::explicits(data, "run_explicit");
    // The last one stays, past or not.
    while times.len() > 1
        && let Some(at) = times.iter().position(|t| *t < now.plus(-li))
    {
        times.remove(at);
    }
    // A look may come twice within the time in which it counts as now.
    let last = job::moment(data, "_last_run");
    turn.run = times
        .first()
        .is_some_and(|first| *first <= now && now < first.plus(li) && last.is_none_or(|last| last < *first));
    data.insert("run", turn.run);
    if turn.run {
        job::set_moment(data, "_next_fire_time", times.first().copied());
    }
}

/// `seconds` to `days`: how often.
pub(super) fn time_elements(data: &mut Map, name: &str, now: Moment) {
    if data.contains("_seconds") {
        return;
    }
    let Some(seconds) = job::interval(data) else {
        return job::fail(data, format!("Invalid interval. Ignoring job {name}."));
    };
    data.insert("_seconds", seconds);
    let next = now.plus(job::micros(seconds));
    if job::moment(data, "_next_fire_time").is_none() {
        job::set_moment(data, "_next_fire_time", Some(next));
    }
    job::set_moment(data, "_next_scheduled_fire_time", Some(next));
}

/// `once`: one time, in the format `once_fmt`.
pub(super) fn once(data: &mut Map, name: &str, turn: &Turn<'_>) {
    let (now, li) = (turn.now, turn.loop_interval);
    let splayed = job::moment(data, "_splay").is_some();
    if let Some(next) = job::moment(data, "_next_fire_time") {
        if next < now.plus(-li) || (next > now && !splayed) {
            data.insert("_continue", true);
        }
        return;
    }
    if splayed {
        return;
    }
    let value = data.get("once").cloned().unwrap_or_default();
    let format = data.get_str("once_fmt").unwrap_or(ISO).to_owned();
    let at = match &value {
        Value::DateTime(d) => Some(Moment::from(*d)),
        Value::Str(text) => strptime::strptime(text, &format),
        _ => None,
    };
    let Some(at) = at else {
        let text = python_str(&value);
        return job::fail(
            data,
            format!("Date string could not be parsed: {text}, {format}. Ignoring job {name}."),
        );
    };
    job::set_moment(data, "_next_fire_time", Some(at));
    job::set_moment(data, "_next_scheduled_fire_time", Some(at));
    if at < now.plus(-li) {
        data.insert("_continue", true);
    }
}

/// Every time that `when` names, or why it names none.
pub(super) fn whens(
    data: &Map,
    name: &str,
    now: Moment,
    named: &[Option<&Value>; 2],
) -> Result<Vec<Moment>, String> {
    let texts = match data.get("when") {
        Some(Value::List(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let mut times = Vec::new();
    for text in texts {
        let mut time = &text;
        for (place, what) in named.iter().zip(["Pillar item", "Grain"]) {
            let Some(place) = place else { continue };
            match place {
                Value::Map(map) => {
                    if let Some(found) = map.get_key(&text) {
                        time = found;
                        break;
                    }
                }
                Value::Str(all) if text.as_str().is_some_and(|t| all.contains(t)) => {
                    return Err(format!("{what} \"whens\" must be a dict. Ignoring job {name}."));
                }
                Value::List(list) if list.contains(&text) => {
                    return Err(format!("{what} \"whens\" must be a dict. Ignoring job {name}."));
                }
                _ => {}
            }
        }
        let Some(time) = job::date(time, now) else {
            return Err(format!("Invalid date string {}. Ignoring job {name}.", python_str(&text)));
        };
        times.push(time);
    }
    Ok(times)
}

/// `when`: one time or several; those without a date are of every day.
pub(super) fn when(data: &mut Map, name: &str, turn: &Turn<'_>, world: &World<'_>) {
    let (now, li) = (turn.now, turn.loop_interval);
    let mut times = match whens(data, name, now, &world.whens) {
        Ok(times) => times,
        Err(text) => return job::fail(data, text),
    };
    let splayed = job::moment(data, "_splay");
    times.extend(splayed);
    times.sort_unstable();
    // Of those that are over, the last one is kept: it tells whether it was noticed.
    while times.len() > 1 && times.first().is_some_and(|t| *t < now.plus(-li)) {
        times.remove(0);
    }
    let Some(&first) = times.first() else {
        if !job::flag(data, "_run") {
            data.insert("_next_fire_time", Value::Nil);
            data.insert("_continue", true);
        }
        return;
    };
    if first < now.plus(-li) && !job::flag(data, "_run") && !turn.run && splayed.is_none() {
        data.insert("_next_fire_time", Value::Nil);
        data.insert("_continue", true);
        return;
    }
    data.entry_or("_run", || (first >= now.plus(-li)).into());
    let next = job::moment(data, "_next_fire_time").unwrap_or(first);
    job::set_moment(data, "_next_fire_time", Some(next));
    job::set_moment(data, "_next_scheduled_fire_time", Some(first));
    if next < first && !turn.run && !job::flag(data, "_run") {
        job::set_moment(data, "_next_fire_time", Some(first));
        data.insert("_run", true);
    }
}

/// `cron`: the next time after the last.
pub(super) fn cron(data: &mut Map, name: &str, now: Moment) {
    if job::moment(data, "_next_fire_time").is_some() {
        return;
    }
    let next = data.get_str("cron").and_then(Cron::parse).and_then(|c| c.after(now));
    if next.is_none() {
        return job::fail(data, format!("Invalid cron string. Ignoring job {name}."));
    }
    job::set_moment(data, "_next_fire_time", next);
    job::set_moment(data, "_next_scheduled_fire_time", next);
}
