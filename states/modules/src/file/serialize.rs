//! States of files made from data: `serialize`, `decode`.

use super::common::{error, name_of};
use super::managed::outcome;
use brine_core::call::{Args, CallError, Cx, Given, Result, exec, given};
use brine_core::state::Outcome;
use brine_core::dictlist::repacked;
use brine_core::text::{python_eq, python_str};
use brine_core::{Map, Value, map};
use brine_python::{Obj, to_value};
use brine_render::live::dictupdate::merge_recurse;
use brine_render::serialize::find;
use brine_render::template::call_error;
use std::path::Path;

given! {
    /// Write data to a file, by a serializer.
    ///
    /// name: the file. dataset, dataset_pillar: the data, or where they are in the pillar. serializer (or formatter): yaml, json,
    /// python, configparser, plist, msgpack, keyvalue, yamlex. serializer_opts: its options. merge_if_exists: data that are there
    /// stay, read with deserializer_opts. create: make the file if it is not there. user, group, mode, backup, makedirs, encoding,
    /// encoding_errors: as for `file.managed`. show_changes: show a diff.
    pub(super) fn serialize(
        name, dataset = (), dataset_pillar = (), user = (), group = (), mode = (), backup = "", makedirs = false,
        show_changes = true, create = true, merge_if_exists = false, encoding = (), encoding_errors = "strict",
        serializer = (), serializer_opts = (), deserializer_opts = (); kwargs
    ) => manage
}

fn options(given: &Given, serializer: &str) -> (Map, Map) {
    let encoding = given.truthy("encoding");
    let mut writing = match serializer {
        "yaml" => map! {"default_flow_style" => false},
        "json" => map! {"indent" => 2, "separators" => vec![",", ": "], "sort_keys" => true},
        _ => Map::new(),
    };
    match serializer {
        "yaml" if encoding => drop(writing.insert("allow_unicode", true)),
        "json" if encoding => drop(writing.insert("ensure_ascii", false)),
        _ => {}
    }
    let mut reading = Map::new();
    for (key, map) in [("serializer_opts", &mut writing), ("deserializer_opts", &mut reading)] {
        if let Some(given) = given.set_to(key) {
            map.update(repacked(given));
        }
    }
    (writing, reading)
}

/// Which keys have other values than before, and which are new: `dictdiffer.recursive_diff`.
fn recursive_diff(past: &Map, now: &Map) -> Map {
    let mut all = Map::new();
    for (key, new) in now {
        match past.get_key(key) {
            None => drop(all.insert(key.clone(), map! {"new" => new.clone(), "old" => "<_null_>"})),
            Some(old) if python_eq(old, new) => {}
            Some(old) => match (old, new) {
                (Value::Map(old), Value::Map(new)) => {
                    let below = recursive_diff(old, new);
                    if !below.is_empty() {
                        all.insert(key.clone(), below);
                    }
                }
                _ => drop(all.insert(key.clone(), map! {"new" => new.clone(), "old" => old.clone()})),
            },
        }
    }
    all
}

fn manage(cx: &Cx, mut given: Given) -> Result<Outcome> {
    given.extra.remove("env");
    let name = name_of(&given);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.serialize"));
    }
    if !given.truthy("create") && !Path::new(&name).is_file() {
        return Ok(Outcome::ok(
            name.clone(),
            format!("File {name} is not present and is not set for creation"),
        ));
    }
    let formatter = given.extra.remove("formatter").filter(Value::truthy);
    let serializer = given.set_to("serializer").cloned();
    if serializer.is_some() && formatter.is_some() {
        return Ok(error(&name, "Only one of serializer and formatter are allowed"));
    }
    let serializer =
        serializer.or(formatter).map_or_else(|| "yaml".to_owned(), |name| python_str(&name).to_lowercase());
    if given.truthy("dataset") && given.truthy("dataset_pillar") {
        return Ok(error(&name, "Only one of 'dataset' and 'dataset_pillar' is permitted"));
    }
    let mut dataset = match given.set_to("dataset_pillar") {
        Some(key) => cx.call("pillar.get", Args::positional([key.clone()]))?,
        None => given.value("dataset"),
    };
    if dataset.is_nil() {
        return Ok(error(&name, "Neither 'dataset' nor 'dataset_pillar' was defined"));
    }
    let Some(codec) = find(&serializer) else {
        return Ok(error(
            &name,
            format!(
                "The {serializer} serializer could not be found. It either does not exist or its prerequisites are not installed."
            ),
        ));
    };
    let (writing, reading) = options(&given, &serializer);
    let mut ret = map! {"changes" => Map::new(), "comment" => "", "name" => name.clone(), "result" => true};
    let mut existing = Value::Nil;
    if given.truthy("merge_if_exists") {
        if Path::new(&name).is_file() {
            if !codec.reads() {
                let text = format!("merge_if_exists is not supported for the {serializer} serializer");
                return Ok(error(&name, text));
            }
            let bytes = std::fs::read(&name)?;
            let text = match serializer.as_str() {
                "plist" => Obj::from(bytes),
                _ => Obj::str(String::from_utf8_lossy(&bytes)),
            };
            existing = match codec.deserialize(&text, &Obj::from(&Value::Map(reading))) {
                Ok(data) => to_value(&data).map_err(call_error)?,
                Err(e) => return Ok(error(&name, format!("Failed to deserialize existing data: {e}"))),
            };
        }
        if !existing.is_nil() {
            let merged = merge_recurse(&Obj::from(&existing), &Obj::from(&dataset), false)
                .and_then(|merged| to_value(&merged))
                .map_err(call_error)?;
            if python_eq(&existing, &merged) {
                return Ok(Outcome::ok(name.clone(), format!("The file {name} is in the correct state")));
            }
            dataset = merged;
        }
    } else if given.truthy("deserializer_opts") {
        let text = "The 'deserializer_opts' option is ignored unless merge_if_exists is set to True.";
        ret.insert("warnings", vec![text]);
    }
    let contents = codec
        .serialize(&Obj::from(&dataset), &Obj::from(&Value::Map(writing)))
        .and_then(|contents| to_value(&contents))
        .map_err(call_error)?;
    let contents = match contents {
        // What is no text has no line ends.
        Value::Bytes(_) => contents,
        text => format!("{}\n", python_str(&text)).into(),
    };
    let mut result = write(cx, &given, &name, contents, ret)?;
    if let (Value::Map(old), Value::Map(new)) = (&existing, &dataset) {
        result.changes.insert("diff", recursive_diff(old, new));
    }
    Ok(result)
}

/// Puts the contents in place, or says what would be.
fn write(cx: &Cx, given: &Given, name: &str, contents: Value, ret: Map) -> Result<Outcome> {
    let saltenv = cx.saltenv();
    let mode = match given.value("mode") {
        Value::Nil => Value::Nil,
        mode => {
            let text = python_str(&mode).replace("0o", "0");
            format!("{:0>4}", text.trim_matches(['"', '\'']).trim_start_matches('0')).into()
        }
    };
    let mut args = Args::none()
        .with("name", name)
        .with("source", ())
        .with("user", given.value("user"))
        .with("group", given.value("group"))
        .with("mode", mode)
        .with("attrs", ())
        .with("template", ())
        .with("saltenv", saltenv)
        .with("contents", contents);
    if !cx.test {
        args = args
            .with("sfn", "")
            .with("ret", ret)
            .with("source_sum", Map::new())
            .with("backup", given.value("backup"))
            .with("makedirs", given.value("makedirs"))
            .with("show_changes", given.value("show_changes"))
            .with("encoding", given.value("encoding"))
            .with("encoding_errors", given.value("encoding_errors"));
        return Ok(outcome(cx.call("file.manage_file", args)?, name));
    }
    args = args
        .with("source_hash", Map::new())
        .with("source_hash_name", ())
        .with("context", ())
        .with("defaults", ())
        .with("skip_verify", false);
    for (key, value) in &given.extra {
        args.keyword.insert(key.clone(), value.clone());
    }
    let mut result = outcome(ret.into(), name);
    if let Value::Map(changes) = cx.call("file.check_managed_changes", args)? {
        result.changes = changes;
    }
    if result.changes.is_empty() {
        result.comment = format!("The file {name} is in the correct state").into();
        return Ok(result);
    }
    result.result = None;
    result.comment = format!("Dataset will be serialized and stored into {name}").into();
    if !given.truthy("show_changes") {
        result.changes.insert("diff", "<show_changes=False>");
    }
    Ok(result)
}

/// Write what base64 stands for to a file.
///
/// name: the file. encoded_data, contents_pillar: the base64, or where it is in the pillar. encoding_type: base64. checksum: how
/// contents are compared.
#[exec]
pub(super) fn decode(
    cx: &Cx,
    name: Value,
    #[default(())] encoded_data: Value,
    #[default(())] contents_pillar: Value,
    #[default("base64")] encoding_type: Value,
    #[default("md5")] checksum: Value,
) -> Result<Outcome> {
    // There is no other.
    let _base64 = encoding_type;
    let content = match (encoded_data.truthy(), contents_pillar.truthy()) {
        (false, false) => {
            let text = "Specify either the 'encoded_data' or 'contents_pillar' argument.";
            return Err(CallError::execution(text));
        }
        (true, true) => {
            let text = "Specify only one 'encoded_data' or 'contents_pillar' argument.";
            return Err(CallError::execution(text));
        }
        (true, false) => encoded_data,
        (false, true) => match cx.call("pillar.get", Args::positional([contents_pillar, false.into()]))? {
            Value::Bool(false) => return Err(CallError::execution("Pillar data not found.")),
            content => content,
        },
    };
    let sum_of = || cx.call("hashutil.digest_file", Args::positional([name.clone(), checksum.clone()]));
    let mut changes = Map::new();
    if cx.call("file.file_exists", Args::positional([name.clone()]))?.truthy() {
        let wanted = cx.call("hashutil.base64_decodestring", Args::positional([content.clone()]))?;
        let new = cx.call("hashutil.digest", Args::positional([wanted, checksum.clone()]))?;
        let old = sum_of()?;
        if new == old {
            return Ok(Outcome::ok(name, "File is in the correct state."));
        }
        changes = map! {"old" => old, "new" => new};
    }
    if cx.test {
        return Ok(Outcome::would(name, "File is set to be updated.").with_changes(changes));
    }
    let done = cx.call("hashutil.base64_decodefile", Args::positional([content, name.clone()]))?;
    if changes.is_empty() {
        changes = map! {"old" => (), "new" => sum_of()?};
    }
    let outcome = Outcome { result: Some(done.truthy()), ..Outcome::ok(name, "File was updated.") };
    Ok(outcome.with_changes(changes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_found_below() {
        let past = map! {"a" => 1, "b" => map! {"c" => 1, "d" => 2}, "gone" => 1};
        let now = map! {"a" => 1, "b" => map! {"c" => 3, "d" => 2}, "new" => vec![1]};
        let wanted = map! {
            "b" => map! {"c" => map! {"new" => 3, "old" => 1}},
            "new" => map! {"new" => vec![1], "old" => "<_null_>"},
        };
        assert_eq!(recursive_diff(&past, &now), wanted);
        assert_eq!(repacked(&Value::List(vec![map! {"indent" => 4}.into()])), map! {"indent" => 4});
        assert!(repacked(&"x".into()).is_empty());
    }
}
