//! The grains file: read, changed, written whole and put in place at once; then the minion is told.

use super::{CHANGED, current};
use crate::grains_core::{grains_path, read_grains_file};
use brine_core::call::{Args, Cx, Result};
use brine_core::{Map, Value};
use brine_render::yaml;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Sets grains in the file and for the rest of this job; returns what was set, or stock's text if the file that is
/// there cannot be read.
pub(super) fn set(cx: &Cx, new: Map, destructive: bool, refresh_pillar: Value) -> Result {
    let path = grains_path(&cx.opts);
    let mut stored = match path.as_deref().map(read_grains_file) {
        Some(Ok(Some(Value::Map(stored)))) => stored,
        Some(Err(e)) => return Ok(format!("Unable to read existing grains file: {e}").into()),
        _ => Map::new(),
    };
    let mut own = current(cx);
    for (key, value) in &new {
        if value.is_nil() && destructive {
            stored.remove_key(key);
            own.remove_key(key);
        } else {
            stored.insert(key.clone(), value.clone());
            own.insert(key.clone(), value.clone());
        }
    }
    if let Some(path) = &path
        && let Err(e) = write(path, &yaml::safe_dump(&sorted(Value::Map(stored))))
    {
        tracing::error!("unable to write to grains file at {}: {e}", path.display());
    }
    cx.job.set_context(CHANGED, own);
    let flag = cx.opts.path("cachedir").join("module_refresh");
    if let Err(e) = std::fs::File::create(&flag) {
        tracing::error!("unable to write to cache file {}: {e}", flag.display());
    }
    if !cx.opts.flag("local") {
        cx.call("saltutil.refresh_grains", Args::none().with("refresh_pillar", refresh_pillar))?;
    }
    Ok(new.into())
}

/// Replaces the file so that a reader sees the old or the new one. Mode and owner stay; a link stays a link.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let dir = target.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut file = tempfile::Builder::new().prefix(".grains").tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    let mode = match target.metadata() {
        Ok(old) => {
            std::os::unix::fs::fchown(file.as_file(), Some(old.uid()), Some(old.gid()))?;
            old.mode() & 0o7777
        }
        Err(_) => 0o644,
    };
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|e| e.error)?;
    Ok(())
}

/// Maps in the order PyYAML writes them: by key, where all keys are text or all are integers.
fn sorted(value: Value) -> Value {
    match value {
        Value::Map(map) => {
            let mut entries: Vec<(Value, Value)> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            if entries.iter().all(|(k, _)| k.as_str().is_some()) {
                entries.sort_by(|a, b| a.0.as_str().cmp(&b.0.as_str()));
            } else if entries.iter().all(|(k, _)| k.as_int().is_some()) {
                entries.sort_by_key(|(k, _)| k.as_int());
            }
            Value::Map(entries.into_iter().collect())
        }
        Value::List(list) => Value::List(list.into_iter().map(sorted).collect()),
        other => other,
    }
}
