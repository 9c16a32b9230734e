//! `file.sed`, `file.sed_contains` and `file.psed`: what the program `sed` does to lines, and something like it without the program.

use super::contents;
use super::put::{Inode, keep, write};
use crate::python::path::expanduser;
use crate::python::re::{compile, failed, template};
use crate::python::shlex;
use crate::python::text::utf8;
use crate::tools;
use brine_core::Value;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::target::Anchor;
use brine_core::text::python_str;
use std::path::Path;

/// A text between the slashes of a command of `sed`.
fn escaped(text: &str, all: bool) -> String {
    let text = text.replace('\'', "'\"'\"'").replace('/', "\\/");
    if !all {
        return text;
    }
    text.chars()
        .map(|c| if "^.[$()|*+?{".contains(c) { format!("\\{c}") } else { c.to_string() })
        .collect()
}

/// Change lines of a file with the program `sed`. Use `file.replace` instead.
///
/// CLI Example: salt '*' file.sed /etc/httpd/httpd.conf 'LogLevel warn' 'LogLevel info'
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
#[exec]
pub(in super::super) fn sed(
    cx: &Cx,
    path: String,
    before: Value,
    after: Value,
    #[default("")] limit: String,
    #[default(".bak")] backup: Value,
    #[default("-r -e")] options: String,
    #[default("g")] flags: String,
    #[default(false)] escape_all: bool,
    #[default(false)] negate_match: bool,
) -> Result {
    let path = expanduser(&path);
    if !Path::new(&path).exists() {
        return Ok(false.into());
    }
    let before = escaped(&python_str(&before), escape_all);
    let after = escaped(&python_str(&after), escape_all);
    let limit = escaped(&limit, escape_all);
    let mut words = vec!["sed".to_owned()];
    words.push(if backup.truthy() { format!("-i{}", python_str(&backup)) } else { "-i".into() });
    words.extend(shlex::split(&options)?);
    let limit = if limit.is_empty() { limit } else { format!("/{limit}/ ") };
    let negated = if negate_match { "!" } else { "" };
    words.push(format!("{limit}{negated}s/{before}/{after}/{flags}"));
    words.push(path);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    tools::run_all(cx, &words).map(Value::Map)
}

/// Whether `sed` finds a text in a file. Use `file.search` instead.
///
/// CLI Example: salt '*' file.sed_contains /etc/crontab 'mymaintenance.sh'
#[exec]
pub(in super::super) fn sed_contains(
    cx: &Cx,
    path: String,
    text: Value,
    #[default("")] limit: Value,
    #[default("g")] flags: String,
) -> Result<bool> {
    let path = expanduser(&path);
    if !Path::new(&path).exists() {
        return Ok(false);
    }
    let before = escaped(&python_str(&text), false);
    let limit = escaped(&python_str(&limit), false);
    let limit = if limit.is_empty() { limit } else { format!("/{limit}/ ") };
    let command = format!("{limit}s/{before}/$/p{flags}");
    Ok(!tools::run(cx, &["sed", "-n", "-r", "-e", &command, &path])?.is_empty())
}

/// Change a file as `sed` would, without it. Use `file.replace` instead.
///
/// CLI Example: salt '*' file.psed /etc/httpd/httpd.conf 'LogLevel warn' 'LogLevel info'
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
#[exec]
pub(in super::super) fn psed(
    path: String,
    before: Value,
    after: Value,
    #[default("")] limit: String,
    #[default(".bak")] backup: Value,
    #[default("gMS")] flags: String,
    #[default(false)] escape_all: bool,
    #[default(false)] multi: bool,
) -> Result {
    let path = expanduser(&path);
    let pattern = escaped(&python_str(&before), escape_all);
    let was = utf8(contents(&path)?)?;
    if !limit.is_empty() {
        return Err(CallError::exception("TypeError", "must be str or None, not re.Pattern"));
    }
    let mut bits = 0;
    for flag in flags.chars().filter(|flag| *flag != 'g') {
        bits |= match flag {
            'I' => 2,
            'L' => 4,
            'M' => 8,
            'S' => 16,
            'U' => 32,
            'X' => 64,
            other => return Err(CallError::exception("KeyError", format!("'{other}'"))),
        };
    }
    if bits & 4 != 0 {
        return Err(CallError::exception("ValueError", "cannot use LOCALE flag with a str pattern"));
    }
    let regex = compile(&pattern, Anchor::Search, bits)?;
    let template = template(&python_str(&after), &regex)?;
    let most = usize::from(!flags.contains('g'));
    let sub = |text: &str| regex.replace(text, &template, most).map(|(text, _)| text).map_err(failed);
    let now = if multi {
        // Stock takes the first line only, and each character of it for a line.
        let first = was.split_inclusive('\n').next().unwrap_or_default();
        first.chars().map(|c| sub(&c.to_string())).collect::<Result<String>>()?
    } else {
        sub(&was)?
    };
    let backup = format!("{path}{}", python_str(&backup));
    if backup == path {
        return Err(CallError::exception("SameFileError", format!("'{path}' and '{path}' are the same file")));
    }
    keep(&path, &backup, Inode::Same, false)?;
    write(&path, now.as_bytes(), Inode::Same)?;
    Ok(Value::Nil)
}
