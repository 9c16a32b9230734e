//! What state and pillar trees have in common: the files of SLS names, and the targets of top files.

use crate::template::py_error;
use brine_core::files::Files;
use brine_core::target::{self, DEFAULT_TARGET_DELIM, Subject};
use brine_python::{Obj, PyErr, R, to_value};
use std::path::PathBuf;

/// The file of an SLS name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it lies on this machine.
    pub path: PathBuf,
    /// Its place in the tree.
    pub name: String,
    /// Whether it is the `init.sls` of its folder.
    pub init: bool,
}

/// The file of an SLS name; `None` if there is none.
///
/// # Errors
/// It is there, but cannot be had.
pub fn find(files: &dyn Files, sls: &str, saltenv: &str) -> R<Option<Source>> {
    let base = sls.replace(['.', '\\'], "/");
    for (name, init) in [(format!("{base}.sls"), false), (format!("{base}/init.sls"), true)] {
        if let Some(path) = files.cache_file(&name, saltenv).map_err(py_error)? {
            return Ok(Some(Source { path, name, init }));
        }
    }
    Ok(None)
}

/// The SLS names of files, sorted.
pub fn names(files: &[String]) -> Vec<String> {
    let mut names: Vec<String> = files
        .iter()
        .filter_map(|path| path.strip_suffix("/init.sls").or_else(|| path.strip_suffix(".sls")))
        .map(|name| name.replace('/', "."))
        .collect();
    names.sort();
    names.dedup();
    names
}

const MATCHERS: &[&str] = &[
    "compound",
    "glob",
    "pcre",
    "list",
    "grain",
    "grain_pcre",
    "pillar",
    "pillar_pcre",
    "pillar_exact",
    "ipcidr",
    "range",
    "nodegroup",
];

/// Whether a target of a top file means this minion. `data` holds the SLS names and, as dicts, the target's options.
///
/// # Errors
/// `KeyError` for a matcher that does not exist, as in stock.
pub fn confirm_top(subject: Subject<'_>, target: &Obj, data: &[Obj]) -> R<bool> {
    let mut matcher = Obj::str("compound");
    for item in data {
        if let Obj::Dict(options) = item
            && let Some(given) = options.get_str("match")
        {
            matcher = given;
        }
    }
    let Some(matcher) = matcher.as_str().map(str::to_owned) else {
        let text = format!("unsupported operand type(s) for +: '{}' and 'str'", matcher.type_name());
        return Err(PyErr::ty(text));
    };
    if !MATCHERS.contains(&matcher.as_str()) {
        return Err(PyErr::key(&Obj::str(format!("{matcher}_match.match"))));
    }
    if target.as_str().is_none() {
        // What Python says of a pattern that is no text.
        match matcher.as_str() {
            "pcre" => return Err(PyErr::ty("first argument must be string or compiled pattern")),
            "grain" | "grain_pcre" | "pillar" | "pillar_pcre" | "pillar_exact" => {
                return Err(PyErr::ty(format!("argument of type '{}' is not iterable", target.type_name())));
            }
            _ => {}
        }
    }
    let target = to_value(target)?;
    Ok(match matcher.as_str() {
        "nodegroup" => target.as_str().is_some_and(|name| target::nodegroup_match(name, subject)),
        matcher => target::matches(&target, matcher, DEFAULT_TARGET_DELIM, subject),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_files() {
        let files = ["a.sls", "b/init.sls", "b/c.sls", "init.sls", "d.txt", "b.sls"].map(str::to_owned);
        assert_eq!(names(&files), ["a", "b", "b.c", "init"]);
    }
}
