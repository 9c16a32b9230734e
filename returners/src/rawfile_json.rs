//! `rawfile_json`: a file with a line of JSON for each return or event.

use crate::{Returner, Spec, json, options};
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use nix::fcntl::{Flock, FlockArg};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

pub(crate) static RETURNER: Returner = Returner {
    name: "rawfile_json",
    doc: "Writes returns or events to a file, each as a line of JSON.\n\nOption: rawfile_json.filename \
          (/var/log/salt/events). A job's `return_kwargs` cannot name the file.\n\nTo keep all events of a master: \
          event_return: rawfile_json",
    returner: Some(returner),
    event_return: Some(event_return),
    ..Returner::NOTHING
};

fn file_name(cx: &Cx, ret: Option<&Map>) -> Result<String> {
    let spec = Spec {
        name: RETURNER.name,
        attrs: &[("filename", "filename")],
        defaults: map! {"filename" => "/var/log/salt/events"},
        profile: None,
    };
    Ok(options(cx, ret, &spec)?.get("filename").map(python_str).unwrap_or_default())
}

fn returner(cx: &Cx, ret: &Map) -> Result<()> {
    let name = file_name(cx, Some(ret))?;
    append(&name, std::slice::from_ref(&Value::Map(ret.clone())))
}

fn event_return(cx: &Cx, events: &[Value]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    append(&file_name(cx, None)?, events)
}

/// Lines are written whole: the file is locked, as stock does.
fn append(name: &str, values: &[Value]) -> Result<()> {
    let write = || {
        let mut lines = String::new();
        for value in values {
            lines.push_str(&json(value)?);
            lines.push('\n');
        }
        let file = OpenOptions::new().append(true).create(true).mode(0o640).open(name)?;
        let mut file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| std::io::Error::from(e))?;
        Ok(file.write_all(lines.as_bytes())?)
    };
    write().inspect_err(|_: &CallError| tracing::error!("Could not write to rawdata_json file {name}"))
}
