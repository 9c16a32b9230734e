//! Names of files, taken apart and put together, and whether there is something of a name.

use crate::python::path;
use brine_core::call::{CallError, Result, VarArgs, exec};
use brine_core::text::python_str;
use brine_render::config::glob;
use std::path::Path;

/// The name of a file without its directories.
///
/// CLI Example: salt '*' file.basename 'test/test.config'
#[exec]
pub(super) fn basename(path: String) -> Result<String> {
    Ok(path::basename(&path).to_owned())
}

/// The directory of a file.
///
/// CLI Example: salt '*' file.dirname 'test/path/filename.config'
#[exec]
pub(super) fn dirname(path: String) -> Result<String> {
    Ok(path::dirname(&path).to_owned())
}

/// A path of several parts.
///
/// CLI Example: salt '*' file.join '/' 'usr' 'local' 'bin'
#[exec]
pub(super) fn join(args: VarArgs) -> Result<String> {
    let parts: Vec<String> = args.0.iter().map(python_str).collect();
    match parts.split_first() {
        Some((first, rest)) => Ok(path::join(first, rest)),
        None => {
            Err(CallError::Arguments("join() missing 1 required positional argument: 'a'".into()))
        }
    }
}

/// A path without `.`, `..` and doubled slashes.
///
/// CLI Example: salt '*' file.normpath 'a/../c'
#[exec]
pub(super) fn normpath(path: String) -> Result<String> {
    Ok(path::normpath(&path))
}

/// The name of a parent directory: `..`.
///
/// CLI Example: salt '*' file.pardir
#[exec]
pub(super) fn pardir() -> Result<&'static str> {
    Ok("..")
}

/// Whether there is a directory of this name.
///
/// CLI Example: salt '*' file.directory_exists /etc
#[exec]
pub(super) fn directory_exists(path: String) -> Result<bool> {
    Ok(Path::new(&path::expanduser(&path)).is_dir())
}

/// Whether there is a file of this name.
///
/// CLI Example: salt '*' file.file_exists /etc/passwd
#[exec]
pub(super) fn file_exists(path: String) -> Result<bool> {
    Ok(Path::new(&path::expanduser(&path)).is_file())
}

/// Whether there is anything that a shell pattern names.
///
/// CLI Example: salt '*' file.path_exists_glob '/etc/pam*/pass*'
#[exec]
pub(super) fn path_exists_glob(path: String) -> Result<bool> {
    Ok(!glob(Path::new(&path::expanduser(&path))).is_empty())
}
