//! What a job's load says about the job, as `jobs.*` show it: stock's `format_job_instance` and its kin.

use brine_core::{Map, Value, jid, map};

/// Function, arguments, target, user and metadata of a job.
pub fn describe(load: &Map) -> Map {
    let or = |key: &str, default: &str| load.get(key).cloned().unwrap_or_else(|| default.into());
    let arg = match load.get("arg") {
        Some(Value::List(arg)) => arg.clone(),
        None | Some(Value::Nil) => Vec::new(),
        Some(one) => vec![one.clone()],
    };
    // Given on the command line it is among the keyword arguments.
    let marked = |arg: &Value| arg.get("__kwarg__") == Some(&true.into());
    let metadata = load
        .get("metadata")
        .or_else(|| load.get("kwargs")?.get("metadata"))
        .or_else(|| arg.iter().filter(|arg| marked(arg)).find_map(|arg| arg.get("metadata")))
        .cloned();
    let mut out = map! {
        "Function" => or("fun", "unknown-function"), "Arguments" => arg, "Target" => or("tgt", "unknown-target"),
        "Target-type" => or("tgt_type", "list"), "User" => or("user", "root"),
    };
    if let Some(metadata) = metadata {
        out.insert("Metadata", metadata);
    }
    out
}

/// The same with the time it began: an entry of `get_jids`.
pub fn describe_jid(jid: &str, load: &Map) -> Map {
    let mut out = describe(load);
    out.insert("StartTime", jid::jid_to_time(jid));
    out
}

/// The same with its id too: an entry of `get_jids_filter`.
pub fn describe_jid_ext(jid: &str, load: &Map) -> Map {
    let mut out = describe(load);
    out.insert("JID", jid);
    out.insert("StartTime", jid::jid_to_time(jid));
    out
}
