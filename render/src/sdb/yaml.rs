//! `yaml`: files of YAML, merged; with `gpg` in the profile, decrypted.

use super::Driver;
use crate::live::dictupdate;
use crate::renderer::{self, Data};
use crate::template::{Session, call_error};
use crate::yaml::Loader;
use brine_core::call::{CallError, Result};
use brine_core::files::NoFiles;
use brine_core::target::traverse;
use brine_core::{Cx, Map, Value};
use brine_python::{Dict, Obj, to_value};
use std::sync::Arc;
use tracing::error;

pub(super) const DRIVER: Driver = Driver { name: "yaml", get, set };

fn get(cx: &Cx, key: &str, profile: &Map) -> Result {
    let mut data = values(profile)?;
    if profile.get("gpg").is_some_and(Value::truthy) {
        let session = Session::new(cx, Arc::new(NoFiles));
        data = renderer::run_one(&session, "gpg", Data::Value(data), Vec::new())
            .map_err(call_error)?
            .data
            .into_value();
    }
    Ok(traverse(&to_value(&data).map_err(call_error)?, key, ":").cloned().unwrap_or_default())
}

/// As in stock: the files are edited.
fn set(_: &Cx, _: &str, _: Value, _: &Map) -> Result {
    Err(CallError::exception("NotImplemented", ""))
}

/// What is in the files together.
fn values(profile: &Map) -> Result<Obj> {
    let mut all = Obj::dict(Dict::new());
    let option = |name: &str| profile.get("merge").and_then(Value::as_map).and_then(|merge| merge.get(name));
    let obj = |name: &str, default: &str| option(name).map_or_else(|| Obj::str(default), Obj::from);
    let (strategy, renderer) = (obj("strategy", "smart"), obj("renderer", "yaml"));
    let merge_lists = option("merge_lists").is_some_and(Value::truthy);
    let files: &[Value] = match profile.get("files") {
        Some(Value::List(files)) => files,
        _ => &[],
    };
    for file in files.iter().filter_map(Value::as_str) {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(_) => {
                error!("File '{file}' not found ");
                continue;
            }
        };
        let loaded = crate::yaml::load_with(&text, file, Loader::Serializer)
            .map_err(|e| CallError::exception("DeserializationError", e.to_string()))?;
        match dictupdate::merge(&all, &loaded, &strategy, &renderer, merge_lists) {
            Ok(merged) => all = merged,
            Err(e) if e.kind() == brine_python::Kind::TypeError => {
                error!("Error deserializing sdb file '{file}': {e}");
            }
            Err(e) => return Err(call_error(e)),
        }
    }
    Ok(all)
}
