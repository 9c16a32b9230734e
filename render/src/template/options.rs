//! What `jinja_env`, `jinja_sls_env` and a template's own `#jinja2:` line change about how templates are read.

use brine_core::{Map, Opts, Value};
use brine_jinja::{Newline, Syntax};
use std::borrow::Cow;

/// The syntax that is in force.
pub(super) struct EnvOptions {
    pub(super) syntax: Syntax,
}

impl EnvOptions {
    /// As the options say, for an SLS or for another template.
    pub(super) fn new(opts: &Opts, is_sls: bool) -> Self {
        let mut own = Self { syntax: Syntax::default() };
        let key = if is_sls { "jinja_sls_env" } else { "jinja_env" };
        if let Some(Value::Map(given)) = opts.get(key) {
            own.apply(given, key);
        }
        own.syntax.trim_blocks |= opts.flag("jinja_trim_blocks");
        own.syntax.lstrip_blocks |= opts.flag("jinja_lstrip_blocks");
        own
    }

    /// Applies options of a Jinja2 environment; what is not one of its lexer's is told, as by stock.
    pub(super) fn apply(&mut self, given: &Map, source: &str) {
        for (key, value) in given {
            let Some(key) = key.as_str().map(str::to_lowercase) else { continue };
            if self.set(&key, value) {
                tracing::debug!("Jinja2 environment {key} was set to {value:?} by {source}");
            } else {
                tracing::warn!("Jinja2 environment {key} is not recognized");
            }
        }
    }

    fn set(&mut self, key: &str, value: &Value) -> bool {
        let s = &mut self.syntax;
        let text = match key {
            "block_start_string" => &mut s.block_start,
            "block_end_string" => &mut s.block_end,
            "variable_start_string" => &mut s.variable_start,
            "variable_end_string" => &mut s.variable_end,
            "comment_start_string" => &mut s.comment_start,
            "comment_end_string" => &mut s.comment_end,
            "line_statement_prefix" => {
                s.line_statement_prefix = value.as_str().map(str::to_owned);
                return true;
            }
            "line_comment_prefix" => {
                s.line_comment_prefix = value.as_str().map(str::to_owned);
                return true;
            }
            "trim_blocks" => {
                s.trim_blocks = value.truthy();
                return true;
            }
            "lstrip_blocks" => {
                s.lstrip_blocks = value.truthy();
                return true;
            }
            "keep_trailing_newline" => {
                s.keep_trailing_newline = value.truthy();
                return true;
            }
            "newline_sequence" => {
                s.newline_sequence = match value.as_str() {
                    Some("\r\n") => Newline::CrLf,
                    Some("\r") => Newline::Cr,
                    _ => Newline::Lf,
                };
                return true;
            }
            _ => return false,
        };
        if let Some(given) = value.as_str() {
            given.clone_into(text);
        }
        true
    }
}

const HEADER: &str = "#jinja2:";

/// The text without its `#jinja2: {...}` line, which is the first or stands right after a pipeline's `#!` line, and what it says.
pub(super) fn header(text: &str) -> (Cow<'_, str>, Option<Map>) {
    let end = |from: usize| text[from..].find('\n').map_or(text.len(), |n| from + n + 1);
    let start = if text.starts_with("#!") && !text.starts_with("#!/") { end(0) } else { 0 };
    let Some(payload) = text[start..end(start)].strip_prefix(HEADER) else { return (text.into(), None) };
    if payload.trim().is_empty() {
        return (text.into(), None);
    }
    let shown = text[start..end(start)].trim_end_matches(['\r', '\n']);
    let value = crate::json::loads(payload).and_then(|v| brine_python::to_value(&v));
    match value {
        Ok(Value::Map(map)) => (format!("{}{}", &text[..start], &text[end(start)..]).into(), Some(map)),
        Ok(_) => {
            tracing::warn!("Ignoring '#jinja2:' header that is not a JSON object: {shown}");
            (text.into(), None)
        }
        Err(_) => {
            tracing::warn!("Ignoring malformed '#jinja2:' header in template: {shown}");
            (text.into(), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_and_taken_away() {
        let (text, given) = header("#!jinja|yaml\n#jinja2: {\"trim_blocks\": true}\na: b\n");
        assert_eq!(text, "#!jinja|yaml\na: b\n");
        assert!(given.is_some_and(|m| m.get("trim_blocks").is_some_and(Value::truthy)));
        for kept in [
            "a\n#jinja2: {}\n",
            "#jinja2:\na",
            "#jinja2: [1]\na",
            "#jinja2: {\na",
            "#!/bin/sh\n#jinja2: {}\n",
        ] {
            assert_eq!(header(kept), (kept.into(), None));
        }
    }
}
