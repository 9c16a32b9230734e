//! What the functions that edit files have in common: whether the file is there, sources of text, lines before and after.

use super::common::{error, warn_of_hash};
use brine_core::call::{Args, CallError, Cx, Given, Result};
use brine_core::difflib::unified_diff;
use brine_core::state::Outcome;
use brine_core::text::{python_str, splitlines};
use brine_core::{Map, Value, map};
use brine_python::{Args as PyArgs, Obj, call_method, to_value};
use brine_render::template::call_error;
use std::path::Path;

/// Why a file cannot be edited, if it cannot.
pub(super) fn unfit(name: &str) -> Option<String> {
    if !name.starts_with('/') {
        return Some(format!("Specified file {name} is not an absolute path"));
    }
    (!Path::new(name).exists()).then(|| format!("{name}: file not found"))
}

/// The outcome of a change that an execution function made, or would make: a diff, or that there was something.
pub(super) fn changed(cx: &Cx, name: &str, diff: Value, would: &str) -> Outcome {
    if !diff.truthy() {
        return Outcome::ok(name, "No changes needed to be made");
    }
    let outcome = if cx.test { Outcome::would(name, would) } else { Outcome::ok(name, "Changes were made") };
    outcome.with_changes(map! {"diff" => diff})
}

/// A list, also of what is none.
fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::List(list) => list.clone(),
        Value::Nil => Vec::new(),
        other => vec![other.clone()],
    }
}

/// The sources that a state names, in one way or the other.
pub(super) fn sources(given: &Given) -> std::result::Result<Vec<Value>, String> {
    let (source, sources) = (given.value("source"), given.value("sources"));
    if source.truthy() && sources.truthy() {
        return Err("source and sources are mutually exclusive".into());
    }
    if given.truthy("source_hash") && given.truthy("source_hashes") {
        return Err("source_hash and source_hashes are mutually exclusive".into());
    }
    warn_of_hash(&source, &given.value("source_hash"));
    Ok(if source.truthy() { vec![source] } else { list(&sources) })
}

/// The texts of sources, rendered.
pub(super) fn rendered(
    cx: &Cx,
    given: &Given,
    sources: &[Value],
) -> Result<std::result::Result<Vec<String>, Outcome>> {
    let saltenv = cx.saltenv();
    let mut context = match given.value("defaults") {
        Value::Map(defaults) => defaults,
        _ => Map::new(),
    };
    if let Value::Map(more) = given.value("context") {
        context.update(more);
    }
    let mut texts = Vec::new();
    for source in sources {
        let shown = python_str(source);
        let failed = |text: String| {
            let mut failed = error(&shown, text);
            failed.more.insert("data", Vec::<Value>::from_iter(texts.iter().cloned().map(Value::Str)));
            failed
        };
        let args = Args::positional([source.clone(), "".into()])
            .with("template", given.value("template"))
            .with("saltenv", saltenv)
            .with("context", context.clone());
        let path = cx.call("cp.get_template", args)?;
        let Some(path) = path.as_str().filter(|path| !path.is_empty()) else {
            return Ok(Err(failed(format!("Failed to load template file {shown}"))));
        };
        let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
        if text.is_empty() {
            return Ok(Err(failed(format!("Failed to read rendered template file {path} ({shown})"))));
        }
        texts.push(text);
    }
    Ok(Ok(texts))
}

/// A text or several, as a list of texts.
pub(super) fn chunks(text: &Value) -> Vec<String> {
    match text {
        Value::List(list) => list.iter().map(python_str).collect(),
        Value::Bytes(bytes) => vec![String::from_utf8_lossy(bytes).into_owned()],
        other => vec![python_str(other)],
    }
}

/// How the text of a file is encoded.
pub(super) struct Coding {
    encoding: String,
    errors: String,
}

impl Coding {
    /// As a state says.
    pub(super) fn of(given: &Given) -> Self {
        let encoding = given.set_to("encoding").map_or_else(|| "utf-8".into(), python_str);
        Self { encoding, errors: given.text("encoding_errors").unwrap_or_else(|| "strict".into()) }
    }

    /// The text of a file.
    pub(super) fn read(&self, name: &str) -> Result<String> {
        let bytes = std::fs::read(name)
            .map_err(|e| CallError::exception("OSError", brine_core::text::python_os_error(&e, name)))?;
        let args = PyArgs::of([self.encoding.as_str().into(), self.errors.as_str().into()]);
        let text = call_method(&Obj::from(bytes), "decode", &args).and_then(|text| to_value(&text));
        Ok(python_str(&text.map_err(call_error)?))
    }
}

/// Whether a file looks like text; not if it cannot be read.
pub(super) fn is_text(name: &str) -> bool {
    use std::io::Read;
    let mut block = Vec::new();
    let read = std::fs::File::open(name).and_then(|file| file.take(512).read_to_end(&mut block));
    read.is_ok() && brine_core::text::is_text(&block)
}

/// Whether a regular expression matches somewhere in a file.
pub(super) fn search(cx: &Cx, name: &str, pattern: &str) -> Result<bool> {
    let args = Args::positional([name, pattern]).with("multiline", true);
    Ok(cx.call("file.search", args)?.truthy())
}

/// The changes from one text to another, whose lines keep their ends.
pub(super) fn diff_of(name: &str, before: &str, after: &str) -> Map {
    if before == after {
        return Map::new();
    }
    if !is_text(name) {
        return map! {"diff" => "Replace binary file"};
    }
    let (before, after) = (splitlines(before, true), splitlines(after, true));
    map! {"diff" => unified_diff(&before, &after, ("", ""), 3).concat()}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_given_in_one_way() {
        let given = |named: Map| Given { named, extra: Map::new() };
        assert_eq!(sources(&given(map! {"source" => "salt://a"})).unwrap(), ["salt://a".into()]);
        assert_eq!(sources(&given(map! {"sources" => vec!["a", "b"]})).unwrap().len(), 2);
        let both = map! {"source" => "a", "sources" => vec!["b"]};
        assert_eq!(sources(&given(both)).unwrap_err(), "source and sources are mutually exclusive");
        assert_eq!(unfit("x").unwrap(), "Specified file x is not an absolute path");
        assert_eq!(unfit("/nosuch").unwrap(), "/nosuch: file not found");
    }
}
