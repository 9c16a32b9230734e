//! What the functions that edit files have in common: whether the file is there, sources of text, lines before and after.

use super::common::error;
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
    let http = |text: &str| ["http:", "https:", "ftp:"].iter().any(|start| text.to_lowercase().starts_with(start));
    if given.truthy("source_hash") && !source.is_nil() && !list(&source).iter().any(|s| http(&python_str(s))) {
        tracing::warn!("source_hash is only used with 'http', 'https' or 'ftp'");
    }
    Ok(if source.truthy() { vec![source] } else { list(&sources) })
}

/// The texts of sources, rendered.
pub(super) fn rendered(
    cx: &Cx,
    given: &Given,
    sources: &[Value],
) -> Result<std::result::Result<Vec<String>, Outcome>> {
    let saltenv = cx.step.as_ref().map_or("base", |step| step.saltenv());
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

/// Stock's heuristic: whether the beginning of a file is text.
pub(super) fn is_text(name: &str) -> bool {
    use std::io::Read;
    let mut block = Vec::new();
    let read = std::fs::File::open(name).and_then(|file| file.take(512).read_to_end(&mut block));
    if read.is_err() || block.contains(&0) {
        return false;
    }
    let odd = block.iter().filter(|b| !matches!(b, 32..=126 | b'\n' | b'\r' | b'\t' | 0x0c | 0x08)).count();
    std::str::from_utf8(&block).is_ok() || odd * 10 <= block.len() * 3
}

/// What is shown of a change from one text to another, whose lines keep their ends.
pub(super) fn diff_of(name: &str, before: &str, after: &str) -> Option<String> {
    if before == after {
        return None;
    }
    if !is_text(name) {
        return Some("Replace binary file".into());
    }
    let (before, after) = (splitlines(before, true), splitlines(after, true));
    Some(unified_diff(&before, &after, ("", ""), 3).concat())
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
