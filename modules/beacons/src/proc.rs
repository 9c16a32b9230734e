//! Numbers of the kernel that several beacons read.

use brine_core::call::{CallError, Result};
use brine_core::text::python_os_error;
use std::collections::HashMap;
use std::path::Path;

/// A file of the kernel's; its error as Python's `open` has it.
pub(crate) fn read(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|e| os_error(path, &e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `[Errno 2] No such file or directory: '/x'`
pub(crate) fn os_error(path: &Path, e: &std::io::Error) -> CallError {
    let kind = match e.kind() {
        std::io::ErrorKind::NotFound => "FileNotFoundError",
        std::io::ErrorKind::PermissionDenied => "PermissionError",
        _ => "OSError",
    };
    CallError::exception(kind, python_os_error(e, &path.to_string_lossy()))
}

/// `/proc/meminfo`, in bytes.
pub(crate) fn memory() -> Result<HashMap<String, f64>> {
    Ok(read("/proc/meminfo")?
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(':')?;
            let number: f64 = rest.split_whitespace().next()?.parse().ok()?;
            Some((name.to_owned(), number * 1024.0))
        })
        .collect())
}
