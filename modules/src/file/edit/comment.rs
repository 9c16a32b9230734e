//! `file.comment`, `file.uncomment` and `file.comment_line`: lines that match get a sign in front, or lose it.

use super::put::{Inode, keep, write};
use super::{diff, text_contents};
use crate::python::path::{expanduser, realpath};
use crate::python::re::{compile, failed};
use crate::python::text::utf8;
use brine_core::Value;
use brine_core::call::{CallError, Result, exec};
use brine_core::target::Anchor;
use brine_core::text::python_str;
use std::path::Path;

/// Take the comment sign from lines that match. Returns what was changed, or `False`.
///
/// CLI Example: salt '*' file.uncomment /etc/hosts.deny 'ALL: PARANOID'
#[exec]
pub(in super::super) fn uncomment(
    path: String,
    regex: String,
    #[default("#")] char: String,
    #[default(".bak")] backup: Value,
) -> Result {
    comment_line(path, regex, char, false, backup)
}

/// Put a comment sign in front of lines that match. Returns what was changed, or `False`.
///
/// CLI Example: salt '*' file.comment /etc/modules pcspkr
#[exec]
pub(in super::super) fn comment(
    path: String,
    regex: String,
    #[default("#")] char: String,
    #[default(".bak")] backup: Value,
) -> Result {
    comment_line(path, regex, char, true, backup)
}

/// Put a comment sign in front of lines that match, or take it away. Returns what was changed, or `False`.
///
/// CLI Example: salt '*' file.comment_line /etc/modules '^pcspkr' '#' True
#[exec]
pub(in super::super) fn comment_line(
    path: String,
    regex: String,
    #[default("#")] char: String,
    #[default(true)] cmnt: bool,
    #[default(".bak")] backup: Value,
) -> Result {
    let middle = regex.trim_start_matches('^').trim_end_matches('$');
    let end = if regex.ends_with('$') { "$" } else { "" };
    let pattern = if cmnt {
        format!("{}({middle}){end}", if regex.starts_with('^') { "^" } else { "" })
    } else {
        format!(r"^{char}\s*({middle}){end}")
    };
    let path = realpath(&expanduser(&path));
    if !Path::new(&path).is_file() {
        return Err(CallError::invocation(format!("File not found: {path}")));
    }
    let text = utf8(text_contents(&path)?)?;
    if text.is_empty() {
        return Ok(false.into());
    }
    let regex = compile(&pattern, Anchor::Match, 0)?;
    let (mut before, mut after, mut whole) = (Vec::new(), Vec::new(), String::with_capacity(text.len()));
    for line in text.split_inclusive('\n') {
        if !regex.is_match(line).map_err(failed)? {
            whole.push_str(line);
            continue;
        }
        let new =
            if cmnt { format!("{char}{line}") } else { line.trim_start_matches(|c| char.contains(c)).to_owned() };
        whole.push_str(&new);
        before.push(line);
        after.push(new);
    }
    if before.is_empty() {
        return Ok(false.into());
    }
    if backup.truthy() {
        keep(&path, &format!("{path}{}", python_str(&backup)), Inode::New, false)?;
    }
    write(&path, whole.as_bytes(), Inode::New)?;
    Ok(diff(&before, &after).into())
}
