//! The minion's own small store, `datastore` in its cache directory: stock's file, stock's format.

use brine_core::call::{Cx, Result};
use brine_core::{Map, Value};
use brine_protocol::msgpack::{Dialect, decode, encode_map};
use std::io::Write;
use std::path::PathBuf;

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

/// Sets one key. The file is replaced as a whole, so that a reader never sees half of it.
pub(crate) fn set(cx: &Cx, key: &str, value: impl Into<Value>) -> Result<()> {
    let mut all = load(cx);
    all.insert(key, value);
    let path = path(cx);
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    std::fs::create_dir_all(&folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&encode_map(&all, Dialect::New))?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}
