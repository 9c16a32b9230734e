//! `file.patch`: what the program `patch` does to a file or a folder.

use crate::grains_core::read::which;
use crate::python::shlex;
use crate::tools;
use brine_core::Value;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::text::python_str;
use std::path::Path;

/// Apply a patch to a file or a folder.
///
/// CLI Example: salt '*' file.patch /opt/file.txt /tmp/file.txt.patch
#[exec]
pub(in super::super) fn patch(
    cx: &Cx,
    originalfile: String,
    patchfile: String,
    #[default("")] options: Value,
    #[default(false)] dry_run: bool,
) -> Result {
    let Some(program) = which("patch") else {
        let text = "patch executable not found. Is the distribution's patch package installed?";
        return Err(CallError::execution(text));
    };
    let mut words = vec![program.to_string_lossy().into_owned()];
    match &options {
        Value::List(list) => words.extend(list.iter().map(python_str)),
        other => words.extend(shlex::split(&python_str(other))?),
    }
    if dry_run {
        words.push("--dry-run".into());
    }
    if !words.iter().any(|word| word == "-N" || word == "--forward") {
        words.push("--forward".into());
    }
    if !words.iter().any(|w| w == "-r" || w.starts_with("-r ") || w.starts_with("--reject-file")) {
        words.push("--reject-file=-".into());
    }
    words.extend(["-i".into(), patchfile]);
    if Path::new(&originalfile).is_dir() {
        words.extend(["-d".into(), originalfile]);
        if !words.iter().any(|word| word.starts_with("-p") || word.starts_with("--strip=")) {
            words.push("--strip=0".into());
        }
    } else {
        words.push(originalfile);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    tools::run_all(cx, &words).map(Value::Map)
}
