//! Functions that change what is in a file: lines, matches of patterns, blocks between markers, text at either end. What they
//! have in common is here and in `put`.

mod append;
mod blockreplace;
mod comment;
mod line;
mod patch;
pub(crate) mod put;
mod replace;
pub(crate) mod replace_encoded;
mod sed;

pub(super) use append::*;
pub(super) use blockreplace::*;
pub(super) use comment::*;
pub(super) use line::*;
pub(super) use patch::*;
pub(super) use replace::*;
pub(super) use sed::*;

use crate::hashutil::file_error;
use brine_core::call::{CallError, Result};
use brine_core::difflib::unified_diff;
use brine_core::text::is_text;
use std::fs::File;
use std::io::Read;

/// The contents of a file, or Python's error for one that cannot be read.
fn contents(path: &str) -> Result<Vec<u8>> {
    let failed = |e: std::io::Error| file_error(&e, path);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The contents of a file that must be text.
fn text_contents(path: &str) -> Result<Vec<u8>> {
    let binary = || CallError::invocation(format!("Cannot perform string replacements on a binary file: {path}"));
    let bytes = contents(path).map_err(|_| binary())?;
    if is_text(&bytes) { Ok(bytes) } else { Err(binary()) }
}

/// What the functions show of a change.
fn diff(from: &[impl AsRef<str>], to: &[impl AsRef<str>]) -> String {
    unified_diff(from, to, ("", ""), 3).concat()
}
