//! `file.append`, `file.prepend` and `file.write`: text at the end of a file, at its beginning, or all there is.

use super::contents;
use super::put::{Inode, write as put};
use crate::hashutil::file_error;
use crate::python::path::expanduser;
use crate::python::text::utf8;
use brine_core::Value;
use brine_core::call::{KwArgs, Result, VarArgs, exec};
use brine_core::text::python_str;
use std::fs::OpenOptions;

/// The lines that are given: the arguments, or `args` among the named ones.
fn lines(args: VarArgs, mut kwargs: KwArgs) -> Vec<String> {
    let given = match kwargs.0.remove("args") {
        Some(Value::List(list)) => list,
        Some(one) => vec![one],
        None => args.0,
    };
    given.iter().map(python_str).collect()
}

/// Each with a line end after it.
fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Append lines to a file.
///
/// CLI Example: salt '*' file.append /etc/motd "With all thine offerings thou shalt offer salt."
#[exec]
pub(in super::super) fn append(path: String, args: VarArgs, kwargs: KwArgs) -> Result<String> {
    let path = expanduser(&path);
    let lines = lines(args, kwargs);
    let failed = |e: std::io::Error| file_error(&e, &path);
    // A file that is not there is not made.
    OpenOptions::new().append(true).open(&path).map_err(failed)?;
    let mut whole = contents(&path)?;
    if whole.last().is_some_and(|last| *last != b'\n') {
        whole.push(b'\n');
    }
    whole.extend(joined(&lines).into_bytes());
    put(&path, &whole, Inode::Same)?;
    Ok(format!("Wrote {} lines to \"{path}\"", lines.len()))
}

/// Put lines at the beginning of a file.
///
/// CLI Example: salt '*' file.prepend /etc/motd "With all thine offerings thou shalt offer salt."
#[exec]
pub(in super::super) fn prepend(path: String, args: VarArgs, kwargs: KwArgs) -> Result<String> {
    let path = expanduser(&path);
    let lines = lines(args, kwargs);
    let old = match contents(&path) {
        Ok(bytes) => utf8(bytes)?,
        Err(_) => String::new(),
    };
    put(&path, (joined(&lines) + &old).as_bytes(), Inode::Same)?;
    Ok(format!("Prepended {} lines to \"{path}\"", lines.len()))
}

/// Write lines to a file. What was in it goes.
///
/// CLI Example: salt '*' file.write /etc/motd "With all thine offerings thou shalt offer salt."
#[exec]
pub(in super::super) fn write(path: String, args: VarArgs, kwargs: KwArgs) -> Result<String> {
    let path = expanduser(&path);
    let lines = lines(args, kwargs);
    put(&path, joined(&lines).as_bytes(), Inode::Same)?;
    Ok(format!("Wrote {} lines to \"{path}\"", lines.len()))
}
