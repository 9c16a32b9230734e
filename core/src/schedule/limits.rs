//! When a job that is due may run: `range`, `skip_during_range`, `skip_explicit`, `until`, `after`.
//!
//! Each decides anew, the last one has the word, as in stock.

use super::eval::Turn;
use super::job::{self, ISO};
use super::moment::Moment;
use brine_protocol::{Map, Value, map};

/// A job has an entry that cannot be read; what is wrong stands in its data.
pub(super) struct Broken;

/// Asks every limit that a job has, in turn.
pub(super) fn ask(data: &mut Map, name: &str, turn: &mut Turn<'_>) -> Result<(), Broken> {
    if data.contains("range") {
        range(data, name, turn)?;
    }
    if !data.contains("skip_during_range") && turn.settings.skip_during_range.truthy() {
        data.insert("skip_during_range", turn.settings.skip_during_range.clone());
    }
    if job::flag(data, "skip_during_range") {
        skip_during_range(data, name, turn)?;
    }
    if data.contains("skip_explicit") {
        skip_explicit(data, turn);
    }
    for (key, passed, reason) in [("until", true, "until_passed"), ("after", false, "after_not_passed")] {
        let Some(value) = data.get(key) else { continue };
        let Some(at) = job::date(value, turn.now) else {
            return broken(data, format!("Invalid date string for {key}. Ignoring job {name}."));
        };
        turn.run = if passed { at > turn.now } else { at < turn.now };
        if !turn.run {
            job::skip(data, reason, turn.now);
        }
        data.insert("run", turn.run);
    }
    Ok(())
}

fn broken(data: &mut Map, text: String) -> Result<(), Broken> {
    job::fail(data, text);
    Err(Broken)
}

/// Instead of a job that is skipped, the schedule's `skip_function` runs, if it has one.
fn skip_or_replace(data: &mut Map, turn: &mut Turn<'_>) -> bool {
    turn.run = turn.settings.skip_function.truthy();
    if turn.run {
        turn.function = Some(crate::text::python_str(&turn.settings.skip_function));
    }
    data.insert("run", turn.run);
    !turn.run
}

fn range(data: &mut Map, name: &str, turn: &mut Turn<'_>) -> Result<(), Broken> {
    let Some(range) = data.get("range").and_then(Value::as_map).cloned() else {
        return broken(
            data,
            format!(
                "schedule.handle_func: Invalid, range must be specified as a dictionary.Ignoring job {name}."
            ),
        );
    };
    let (start, end) = match bounds(&range, turn.now) {
        Ok(bounds) => bounds,
        Err(which) => {
            return broken(data, format!("Invalid date string for {which}. Ignoring job {name}."));
        }
    };
    if end <= start {
        return broken(
            data,
            format!(
                "schedule.handle_func: Invalid range, end must be larger than start. Ignoring job {name}."
            ),
        );
    }
    let now = turn.now;
    let inverted = job::flag(&range, "invert");
    turn.run = if inverted { now <= start || now >= end } else { start <= now && now <= end };
    data.insert("run", turn.run);
    if !turn.run && inverted {
        data.insert("_skip_reason", "in_skip_range");
    } else if !turn.run && skip_or_replace(data, turn) {
        data.insert("_skip_reason", "not_in_range");
    }
    Ok(())
}

/// Start and end of a range, or the name of the one that is no date.
fn bounds(range: &Map, now: Moment) -> Result<(Moment, Moment), &'static str> {
    let date = |key| range.get(key).and_then(|v| job::date(v, now)).ok_or(key);
    Ok((date("start")?, date("end")?))
}

fn skip_during_range(data: &mut Map, name: &str, turn: &mut Turn<'_>) -> Result<(), Broken> {
    let Some(range) = data.get("skip_during_range").and_then(Value::as_map).cloned() else {
        return broken(
            data,
            format!(
                "schedule.handle_func: Invalid, range must be specified as a dictionary. Ignoring job {name}."
            ),
        );
    };
    let (start, end) = match bounds(&range, turn.now) {
        Ok(bounds) => bounds,
        Err(which) => {
            return broken(
                data,
                format!("Invalid date string for {which} in skip_during_range. Ignoring job {name}."),
            );
        }
    };
    if job::flag(data, "run_after_skip_range") {
        // The run comes when the range is over.
        let entry: Value =
            map! { "time" => end.plus(turn.loop_interval).strftime(ISO), "time_fmt" => ISO }.into();
        let list = data.entry_or("run_explicit", || Value::List(Vec::new()));
        if let Value::List(list) = list
            && !list.contains(&entry)
        {
            list.push(entry);
        }
    }
    if end <= start {
        return broken(
            data,
            format!(
                "schedule.handle_func: Invalid range, end must be larger than start. Ignoring job {name}."
            ),
        );
    }
    if turn.now < start || turn.now > end {
        turn.run = true;
        data.insert("run", true);
    } else if skip_or_replace(data, turn) {
        job::skip(data, "in_skip_range", turn.now);
    }
    Ok(())
}

fn skip_explicit(data: &mut Map, turn: &mut Turn<'_>) {
    let li = turn.loop_interval;
    let now = turn.now;
    let first = job::explicits(data, "skip_explicit").into_iter().find(|t| *t >= now.plus(-li));
    match first {
        None => {
            turn.run = true;
            data.insert("run", true);
        }
        Some(first) if first <= now && now <= first.plus(li) => {
            if skip_or_replace(data, turn) {
                job::skip(data, "skip_explicit", now);
            }
        }
        // One that is yet to come holds the job back, as in stock.
        Some(_) => {
            turn.run = false;
            data.insert("run", false);
        }
    }
}
