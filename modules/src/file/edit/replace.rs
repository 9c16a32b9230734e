//! `file.replace` and `file.search`: what matches a regular expression in a file, byte by byte.

use super::put::{Inode, keep, write};
use super::replace_encoded::encoded;
use super::{contents, diff, text_contents};
use crate::python::path::{expanduser, realpath};
use crate::python::re::{Bytes, MULTILINE, flags_of};
use crate::python::text::{lenient, utf8};
use brine_core::Value;
use brine_core::call::{CallError, Result, exec};
use brine_core::text::{python_str, re_escape};
use std::fs;
use std::path::Path;

/// What `replace` is asked to do.
pub(super) struct Wish {
    pub(super) pattern: String,
    pub(super) repl: String,
    pub(super) count: usize,
    pub(super) flags: i128,
    pub(super) append: bool,
    pub(super) prepend: bool,
    pub(super) not_found: Option<String>,
    pub(super) backup: Value,
    pub(super) dry_run: bool,
    pub(super) search_only: bool,
    pub(super) show_changes: bool,
    pub(super) preserve_inode: bool,
    pub(super) backslash_literal: bool,
}

impl Wish {
    /// What is searched for to see that it has been added before.
    pub(super) fn added(&self) -> &str {
        match &self.not_found {
            Some(text) if !text.is_empty() && (self.append || self.prepend) => text,
            _ => &self.repl,
        }
    }

    /// A pattern for what was added before.
    pub(super) fn added_pattern(&self) -> String {
        format!("^{}($|(?=\r\n))", re_escape(self.added()))
    }

    pub(super) fn template(&self) -> String {
        if self.backslash_literal { self.repl.replace('\\', "\\\\") } else { self.repl.clone() }
    }

    /// The lines with those that are added where nothing was found.
    pub(super) fn add(&self, lines: &mut Vec<String>) {
        let new = format!("{}\n", self.not_found.as_ref().unwrap_or(&self.repl));
        if self.prepend {
            lines.insert(0, new);
            return;
        }
        if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push('\n');
        }
        lines.push(new);
    }
}

/// The file that is meant, and where a link to it is.
pub(super) struct Target {
    pub(super) path: String,
    link: Option<(String, String)>,
}

impl Target {
    fn of(given: &str) -> Self {
        let given = expanduser(given);
        let link = fs::read_link(&given).ok().map(|end| (given.clone(), end.to_string_lossy().into_owned()));
        Self { path: realpath(&given), link }
    }

    /// Puts the new text in place, and keeps the old as a backup.
    pub(super) fn write(&self, bytes: &[u8], wish: &Wish) -> Result<()> {
        let inode = if wish.preserve_inode { Inode::Same } else { Inode::New };
        if wish.backup.truthy() {
            let backup = python_str(&wish.backup);
            keep(&self.path, &format!("{}{backup}", self.path), inode, false)?;
            if let Some((link, end)) = &self.link {
                let (link, end) = (format!("{link}{backup}"), format!("{end}{backup}"));
                if std::os::unix::fs::symlink(&end, &link).is_err() {
                    fs::remove_file(&link)?;
                    std::os::unix::fs::symlink(&end, &link)?;
                }
            }
        }
        write(&self.path, bytes, inode)
    }
}

/// Replace what matches a regular expression in a file. Returns what was changed, or whether anything was.
///
/// CLI Example: salt '*' file.replace /etc/httpd/httpd.conf pattern='LogLevel warn' repl='LogLevel info'
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
#[exec]
pub(in super::super) fn replace(
    path: String,
    pattern: Value,
    repl: Value,
    #[default(0)] count: i64,
    #[default(8)] flags: Value,
    #[default(1)] bufsize: Value,
    #[default(false)] append_if_not_found: bool,
    #[default(false)] prepend_if_not_found: bool,
    not_found_content: Option<String>,
    #[default(".bak")] backup: Value,
    #[default(false)] dry_run: bool,
    #[default(false)] search_only: bool,
    #[default(true)] show_changes: bool,
    #[default(false)] ignore_if_missing: bool,
    #[default(true)] preserve_inode: bool,
    #[default(false)] backslash_literal: bool,
    encoding: Option<String>,
) -> Result {
    // Files are read whole, whatever is said.
    let _bufsize = bufsize;
    let target = Target::of(&path);
    if !Path::new(&target.path).exists() {
        if ignore_if_missing {
            return Ok(false.into());
        }
        return Err(CallError::invocation(format!("File not found: {}", target.path)));
    }
    let bytes = if encoding.is_some() { contents(&target.path)? } else { text_contents(&target.path)? };
    if search_only && (append_if_not_found || prepend_if_not_found) {
        return Err(CallError::invocation("search_only cannot be used with append/prepend_if_not_found"));
    }
    if append_if_not_found && prepend_if_not_found {
        return Err(CallError::invocation("Only one of append and prepend_if_not_found is permitted"));
    }
    let wish = Wish {
        pattern: python_str(&pattern),
        repl: python_str(&repl),
        // Python takes what is below zero for nothing to do.
        count: usize::try_from(count).unwrap_or(usize::MAX),
        flags: flags_of(&flags)?,
        append: append_if_not_found,
        prepend: prepend_if_not_found,
        not_found: not_found_content,
        backup,
        dry_run,
        search_only,
        show_changes,
        preserve_inode,
        backslash_literal,
    };
    match encoding {
        Some(encoding) => encoded(&target, &bytes, &wish, &encoding),
        None => by_bytes(&target, &bytes, &wish),
    }
}

/// Lines of bytes, as text that is shown.
fn lines(bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = match rest.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            Some(at) if rest[at..].starts_with(b"\r\n") => at + 2,
            Some(at) => at + 1,
            None => rest.len(),
        };
        lines.push(lenient(&rest[..end]));
        rest = &rest[end..];
    }
    lines
}

fn by_bytes(target: &Target, bytes: &[u8], wish: &Wish) -> Result {
    let search = Bytes::new(wish.pattern.as_bytes(), wish.flags, bytes)?;
    if wish.search_only {
        return search.found().map(Value::from);
    }
    let (result, replaced) = match wish.count {
        usize::MAX => (bytes.to_vec(), 0),
        count => search.replace(wish.template().as_bytes(), count)?,
    };
    let mut found = replaced > 0;
    if wish.append || wish.prepend {
        found |= Bytes::new(wish.added_pattern().as_bytes(), wish.flags, bytes)?.found()?;
    }
    let before = lines(bytes);
    let mut after = lines(&result);
    let mut changed = result != bytes;
    if changed && !wish.dry_run {
        if bytes.is_empty() {
            return Err(CallError::exception("ValueError", "cannot mmap an empty file"));
        }
        // What cannot be written as text is not written at all.
        utf8(result.clone())?;
        target.write(&result, wish)?;
    }
    if !found && (wish.append || wish.prepend) {
        wish.add(&mut after);
        changed = true;
        if !wish.dry_run {
            target.write(&added(bytes, wish), wish)?;
        }
    }
    let shown = diff(&before, &after);
    Ok(if wish.show_changes { shown.into() } else { (changed && !shown.is_empty()).into() })
}

/// The bytes with what is added.
fn added(bytes: &[u8], wish: &Wish) -> Vec<u8> {
    let mut one = Vec::new();
    wish.add(&mut one);
    let new = one.concat().into_bytes();
    if wish.prepend {
        return [&new, bytes].concat();
    }
    let end: &[u8] = if bytes.is_empty() || bytes.ends_with(b"\n") { b"" } else { b"\n" };
    [bytes, end, &new].concat()
}

/// Whether a regular expression matches somewhere in a file.
///
/// CLI Example: salt '*' file.search /etc/crontab 'mymaintenance.sh'
#[exec]
pub(in super::super) fn search(
    path: String,
    pattern: Value,
    #[default(8)] flags: Value,
    #[default(1)] bufsize: Value,
    #[default(false)] ignore_if_missing: bool,
    #[default(false)] multiline: bool,
) -> Result {
    let flags = flags_of(&flags)? | if multiline { MULTILINE } else { 0 };
    replace(
        path,
        pattern,
        "".into(),
        0,
        i64::try_from(flags).unwrap_or_default().into(),
        bufsize,
        false,
        false,
        None,
        ".bak".into(),
        true,
        true,
        false,
        ignore_if_missing,
        true,
        false,
        None,
    )
}
