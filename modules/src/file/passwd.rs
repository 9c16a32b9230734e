//! Lines of `passwd` and `group`: by `getent`, which asks all that the machine is set up to ask, or of another system's files.

use crate::hashutil::file_error;
use crate::tools;
use brine_core::Value;
use brine_core::call::{Cx, Result};
use std::path::Path;

fn lines(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && line.contains(':'));
    lines.map(|line| line.split(':').map(str::to_owned).collect()).collect()
}

fn own(database: &str) -> Result<Vec<Vec<String>>> {
    file("/", database)
}

/// The lines of a file in `etc` of a system.
pub(crate) fn file(root: &str, name: &str) -> Result<Vec<Vec<String>>> {
    let path = Path::new(root).join("etc").join(name);
    let bytes = std::fs::read(&path).map_err(|e| file_error(&e, &path.to_string_lossy()))?;
    Ok(lines(&String::from_utf8_lossy(&bytes)))
}

fn ask(cx: &Cx, words: &[&str]) -> Result<Option<Vec<Vec<String>>>> {
    if tools::require("getent").is_err() {
        return Ok(None);
    }
    let out = tools::run_quietly(cx, words)?;
    Ok(Some(lines(out.get("stdout").and_then(Value::as_str).unwrap_or_default())))
}

/// The line of one name, among others perhaps.
pub(crate) fn entry(cx: &Cx, database: &str, name: &str) -> Result<Vec<Vec<String>>> {
    let known = own(database)?;
    let plain = !name.is_empty() && !name.starts_with('-') && !name.contains(['\0', '\n', ':']);
    if !plain || known.iter().any(|fields| fields[0] == name) {
        return Ok(known);
    }
    Ok(ask(cx, &["getent", database, name])?.unwrap_or(known))
}

/// All lines.
pub(crate) fn all(cx: &Cx, database: &str) -> Result<Vec<Vec<String>>> {
    match ask(cx, &["getent", database])? {
        Some(lines) => Ok(lines),
        None => own(database),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_and_comments_left_out() {
        assert_eq!(lines("# a:b\nroot:x:0\n\nplain\n"), [["root", "x", "0"]]);
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/passwd"), "a:x:1:1::/:/bin/sh\n").unwrap();
        let root = dir.path().to_string_lossy();
        assert_eq!(file(&root, "passwd").unwrap()[0][0], "a");
        assert!(file(&root, "group").unwrap_err().to_string().starts_with("FileNotFoundError: [Errno 2]"));
    }
}
