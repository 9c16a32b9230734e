//! The minion's own small store, `datastore` in its cache directory: stock's file, stock's format.

use brine_core::call::{Cx, Result};
use brine_core::{Map, Value};
use brine_protocol::msgpack::{Dialect, decode, encode_map};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

fn path(cx: &Cx) -> PathBuf {
    cx.opts.path("cachedir").join("datastore")
}

/// All of it; empty where there is none, or none that can be read.
pub(crate) fn load(cx: &Cx) -> Map {
    match std::fs::read(path(cx)).ok().and_then(|bytes| decode(&bytes).ok()) {
        Some(Value::Map(map)) => map,
        _ => Map::new(),
    }
}

/// Jobs run side by side, and each change reads the whole file first.
static CHANGE: Mutex<()> = Mutex::new(());

/// Changes one map under a key, empty if it is not there yet.
pub(crate) fn change(cx: &Cx, key: &str, change: impl FnOnce(&mut Map)) -> Result<()> {
    whole(cx, |all| {
        let mut map = all.get(key).and_then(Value::as_map).cloned().unwrap_or_default();
        change(&mut map);
        all.insert(key, map);
        Ok(())
    })
}

/// Changes the store. The file is replaced as a whole, so that a reader never sees half of it.
pub(crate) fn whole<T>(cx: &Cx, change: impl FnOnce(&mut Map) -> Result<T>) -> Result<T> {
    let _only_one = CHANGE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut all = load(cx);
    let result = change(&mut all)?;
    let path = path(cx);
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    std::fs::create_dir_all(&folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&encode_map(&all, Dialect::New))?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(result)
}

/// Throws it away.
pub(crate) fn clear(cx: &Cx) {
    let _only_one = CHANGE.lock().unwrap_or_else(PoisonError::into_inner);
    // Whether there was one does not matter.
    let _ = std::fs::remove_file(path(cx));
}
