//! State runs that are stopped, or ended before a state, by a file of the job's name in `cachedir/state_pause`.

use super::cached;
use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::path::PathBuf;

fn file(cx: &Cx, jid: &str) -> Result<PathBuf> {
    let plain = cached::place(cx, jid)?;
    let name = plain.file_name().map(ToOwned::to_owned).unwrap_or_default();
    Ok(plain.with_file_name("state_pause").join(name))
}

fn read(cx: &Cx, jid: &str) -> Result<Map> {
    match cached::read(&file(cx, jid)?)? {
        Some(Value::Map(stops)) => Ok(stops),
        _ => Ok(Map::new()),
    }
}

fn write(cx: &Cx, jid: &str, stops: Map) -> Result<()> {
    let file = file(cx, jid)?;
    let written = cached::write(&file, &stops.into());
    written.map_err(|e| CallError::execution(format!("{} cannot be written: {e}", file.display())))
}

/// Changes what is said of one state of a run, of all without a name.
fn change(cx: &Cx, jid: &Value, id: Option<Value>, change: impl FnOnce(&mut Map)) -> Result<()> {
    let jid = python_str(jid);
    let id = id.filter(|id| !id.is_nil()).map_or_else(|| "__all__".to_owned(), |id| python_str(&id));
    let mut stops = read(cx, &jid)?;
    let mut of = stops.get(&id).and_then(Value::as_map).cloned().unwrap_or_default();
    change(&mut of);
    stops.insert(id, of);
    write(cx, &jid, stops)
}

/// Return the runs that are stopped, and where. Files of jobs that are over are removed.
///
/// CLI Example: salt '*' state.get_pauses
#[exec]
pub(super) fn get_pauses(cx: &Cx, jid: Option<Value>) -> Result<Map> {
    let mut ret = Map::new();
    let dir = PathBuf::from(cx.opts.str("cachedir")).join("state_pause");
    if !dir.is_dir() {
        return Ok(ret);
    }
    let active = cx.call("saltutil.is_running", Args::positional(["state.*"]))?;
    let active: Vec<String> = active.as_list().unwrap_or_default().iter().filter_map(Value::as_map).map(|job| {
        job.get("jid").map(python_str).unwrap_or_default()
    }).collect();
    let jids: Vec<String> = match jid.filter(|jid| !jid.is_nil()) {
        None => {
            let found = std::fs::read_dir(&dir).into_iter().flatten().flatten();
            found.filter_map(|entry| entry.file_name().into_string().ok()).collect()
        }
        Some(Value::List(jids)) => jids.iter().map(python_str).collect(),
        Some(one) => vec![python_str(&one)],
    };
    for jid in jids {
        if active.contains(&jid) {
            let stops = read(cx, &jid)?;
            ret.insert(jid, stops);
        } else if let Err(e) = std::fs::remove_file(file(cx, &jid)?) {
            tracing::debug!("the pause of {jid} is gone: {e}");
        }
    }
    Ok(ret)
}

/// End a state run before a state, or before its next one.
///
/// CLI Example: salt '*' state.soft_kill 20171130110407769519 vim
#[exec]
pub(super) fn soft_kill(cx: &Cx, jid: Value, state_id: Option<Value>) -> Result<()> {
    change(cx, &jid, state_id, |of| drop(of.insert("kill", true)))
}

/// Stop a state run before a state, or before its next one, for some seconds or until it is resumed.
///
/// CLI Example: salt '*' state.pause 20171130110407769519 vim 20
#[exec]
pub(super) fn pause(cx: &Cx, jid: Value, state_id: Option<Value>, duration: Option<Value>) -> Result<()> {
    let length = match duration.filter(Value::truthy) {
        None => None,
        Some(given) => Some(python_str(&given).trim().parse::<i64>().or_else(|_| given.as_float().map(|x| x as i64).ok_or_else(
            || CallError::exception("ValueError", format!("invalid literal for int() with base 10: '{}'", python_str(&given))),
        ))?),
    };
    change(cx, &jid, state_id, |of| {
        if let Some(length) = length {
            of.insert("duration", length);
        }
    })
}

/// Let a run go on that was stopped.
///
/// CLI Example: salt '*' state.resume 20171130110407769519 vim
#[exec]
pub(super) fn resume(cx: &Cx, jid: Value, state_id: Option<Value>) -> Result<()> {
    let jid = python_str(&jid);
    let stops = match state_id.filter(|id| !id.is_nil()).map(|id| python_str(&id)) {
        None => Map::new(),
        Some(all) if all == "__all__" => Map::new(),
        Some(id) => {
            let mut stops = read(cx, &jid)?;
            stops.remove(&id);
            stops
        }
    };
    write(cx, &jid, stops)
}
