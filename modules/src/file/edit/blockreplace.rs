//! `file.blockreplace`: what stands between two markers.

use super::put::{Inode, keep, write};
use super::replace_encoded::{decode, encode};
use super::{contents, diff};
use crate::python::path::expanduser;
use crate::python::re::{compile, failed};
use crate::python::text::utf8;
use brine_core::Value;
use brine_core::call::{CallError, Result, exec};
use brine_core::target::Anchor;
use brine_core::text::{file_lines, python_str};
use std::path::Path;

/// How a file begins that says how it is encoded.
const MARKS: &[(&str, &[u8])] = &[
    ("UTF-32-BE", b"\0\0\xfe\xff"),
    ("UTF-32-LE", b"\xff\xfe\0\0"),
    ("UTF-16-BE", b"\xfe\xff"),
    ("UTF-16-LE", b"\xff\xfe"),
    ("UTF-8", b"\xef\xbb\xbf"),
    ("UTF-7", b"+/v8"),
    ("UTF-7", b"+/v9"),
    ("UTF-7", b"+/v+"),
    ("UTF-7", b"+/v/"),
];

/// How much of a file is looked at to find its encoding.
const FIRST: usize = 2048;

/// The encoding of a file, where it can be told.
fn encoding(bytes: &[u8]) -> Option<&'static str> {
    let first = &bytes[..bytes.len().min(FIRST)];
    match MARKS.iter().find(|(_, mark)| first.starts_with(mark)) {
        Some((name, _)) => Some(name),
        None => std::str::from_utf8(first).is_ok().then_some("UTF-8"),
    }
}

/// Stock's other idea of what is no text.
fn is_binary(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(&bytes[..bytes.len().min(FIRST)]) else { return true };
    if text.is_empty() {
        return false;
    }
    if text.contains('\0') {
        return true;
    }
    let odd = text.chars().filter(|c| !matches!(c, ' '..='~' | '\n' | '\r' | '\t' | '\x0c' | '\x08')).count();
    odd * 10 > text.chars().count() * 3
}

/// The block that is wished for.
struct Block<'a> {
    start: &'a str,
    end: &'a str,
    lines: Vec<&'a str>,
    append_newline: bool,
}

impl Block<'_> {
    /// The block, with the line that begins it unless that is there, and one that ends it.
    fn lines(&self, linesep: &str, with_start: bool, end: &str) -> Vec<String> {
        let end = format!("{}{linesep}", end.trim_end_matches(['\r', '\n']));
        let mut out = Vec::with_capacity(self.lines.len() + 2);
        if with_start {
            out.push(format!("{}{linesep}", self.start));
        }
        if let Some((last, before)) = self.lines.split_last() {
            out.extend(before.iter().map(|line| format!("{line}{linesep}")));
            if self.append_newline {
                out.push(format!("{last}{linesep}"));
                out.push(end);
            } else {
                out.push(format!("{last}{end}"));
            }
        }
        out
    }
}

/// Replace what is between two markers in a file. Returns what was changed, or whether anything was.
///
/// CLI Example: salt '*' file.blockreplace /etc/hosts '#-- start managed zone foobar : DO NOT EDIT --' '#-- end managed zone foobar --' $'10.0.1.1 foo.foobar\n10.0.1.2 bar.foobar' True
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
#[exec]
pub(in super::super) fn blockreplace(
    path: String,
    #[default("#-- start managed zone --")] marker_start: String,
    #[default("#-- end managed zone --")] marker_end: String,
    #[default("")] content: String,
    #[default(false)] append_if_not_found: bool,
    #[default(false)] prepend_if_not_found: bool,
    #[default(".bak")] backup: Value,
    #[default(false)] dry_run: bool,
    #[default(true)] show_changes: bool,
    #[default(false)] append_newline: Option<bool>,
    insert_before_match: Option<Value>,
    insert_after_match: Option<Value>,
) -> Result {
    let before_match = insert_before_match.filter(Value::truthy);
    let after_match = insert_after_match.filter(Value::truthy);
    let ways = [append_if_not_found, prepend_if_not_found, before_match.is_some(), after_match.is_some()];
    if ways.iter().filter(|way| **way).count() > 1 {
        return Err(CallError::invocation(
            "Only one of append_if_not_found, prepend_if_not_found, insert_before_match, and insert_after_match is permitted",
        ));
    }
    let path = expanduser(&path);
    if !Path::new(&path).exists() {
        return Err(CallError::invocation(format!("File not found: {path}")));
    }
    let bytes = contents(&path)
        .map_err(|e| CallError::execution(format!("Failed to read from {path}: {}", e.text())))?;
    let coding = encoding(&bytes);
    if coding.is_none() && is_binary(&bytes) {
        return Err(CallError::invocation(format!(
            "Cannot perform string replacements on a binary file: {path}"
        )));
    }
    for (given, name) in [(&before_match, "insert_before_match"), (&after_match, "insert_after_match")] {
        if given.as_ref().is_some_and(|regex| regex.as_str().is_none()) {
            return Err(CallError::execution(format!("RegEx expected in {name} parameter.")));
        }
    }
    let text = match coding {
        Some(name) if name != "UTF-8" => decode(&bytes, name)?,
        _ => utf8(bytes)?,
    };
    let block = Block {
        start: &marker_start,
        end: &marker_end,
        lines: content.split("\r\n").flat_map(|part| part.split('\n')).collect(),
        append_newline: append_newline.unwrap_or_else(|| !content.ends_with('\n')),
    };
    let before = file_lines(&text, true);
    let linesep = match before.first() {
        Some(line) if line.ends_with("\r\n") => "\r\n",
        _ => "\n",
    };
    let (mut after, found) = exchanged(&before, &block, linesep)?;
    if !found {
        let missing = || CallError::execution("Cannot edit marked block. Markers were not found in file.");
        let new = block.lines(linesep, true, block.end);
        if prepend_if_not_found {
            after.splice(0..0, new);
        } else if append_if_not_found {
            if let Some(last) = after.last_mut().filter(|last| !last.ends_with(linesep)) {
                last.push_str(linesep);
            }
            after.extend(new);
        } else {
            let wanted = before_match.as_ref().or(after_match.as_ref()).map(python_str).ok_or_else(missing)?;
            if before.is_empty() {
                return Err(missing());
            }
            let regex = compile(&wanted, Anchor::Search, 0)?;
            let mut at = None;
            for (n, line) in before.iter().enumerate() {
                if regex.is_match(line).map_err(failed)? {
                    at = Some(n + usize::from(after_match.is_some()));
                    break;
                }
            }
            let at = at.ok_or_else(missing)?.min(after.len());
            after.splice(at..at, new);
        }
    }
    let shown = diff(&before, &after);
    if !shown.is_empty() && !dry_run {
        if backup != Value::Bool(false) {
            keep(&path, &format!("{path}{}", python_str(&backup)), Inode::Same, true)?;
        }
        let whole = after.concat();
        let bytes = match coding {
            Some(name) if name != "UTF-8" => encode(&whole, name)?,
            _ => whole.into_bytes(),
        };
        write(&path, &bytes, Inode::New)?;
    }
    Ok(if show_changes { shown.into() } else { (!shown.is_empty()).into() })
}

/// The lines with another block between the markers, and whether there was one.
fn exchanged(lines: &[&str], block: &Block, linesep: &str) -> Result<(Vec<String>, bool)> {
    let (mut out, mut inside, mut found) = (Vec::new(), false, false);
    for line in lines {
        if line.contains(block.start) {
            inside = true;
        } else if inside {
            if let Some(at) = line.find(block.end) {
                (inside, found) = (false, true);
                out.extend(block.lines(linesep, false, &line[at..]));
            }
            continue;
        }
        out.push((*line).to_owned());
    }
    if inside {
        return Err(CallError::execution("Unterminated marked block. End of file reached before marker_end."));
    }
    Ok((out, found))
}
