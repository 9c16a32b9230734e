//! What is kept in `cachedir` for later runs: msgpack, for this user alone, never half written.

use brine_core::Value;
use brine_core::call::{CallError, Cx, Result};
use brine_protocol::msgpack::{self, Dialect};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// What a file of ours may be.
const LARGEST: u64 = 256 << 20;

/// A file in `cachedir`. A name that leads elsewhere is refused.
pub(super) fn place(cx: &Cx, name: &str) -> Result<PathBuf> {
    if name.is_empty() || name.contains(['/', '\0']) || name == "." || name == ".." {
        return Err(CallError::invocation(format!("'{name}' is no name of a file in the cache")));
    }
    Ok(PathBuf::from(cx.opts.str("cachedir")).join(name))
}

/// What stands in it, if it is there.
pub(super) fn read(path: &Path) -> Result<Option<Value>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(CallError::execution(format!("{} cannot be read: {e}", path.display()))),
    };
    let mut bytes = Vec::new();
    let read = file.take(LARGEST).read_to_end(&mut bytes);
    read.map_err(|e| CallError::execution(format!("{} cannot be read: {e}", path.display())))?;
    match msgpack::decode(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(e) => Err(CallError::execution(format!("{} holds no data: {e}", path.display()))),
    }
}

/// Puts data there.
pub(super) fn write(path: &Path, value: &Value) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(&msgpack::encode(value, Dialect::Old))?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

/// The same, where it is enough to say that it did not work.
pub(super) fn keep(path: &Path, value: &Value) {
    if let Err(e) = write(path, value) {
        tracing::error!("Unable to write cache file {}: {e}", path.display());
    }
}
