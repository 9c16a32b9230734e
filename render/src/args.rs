//! Words of a command line as call arguments: `salt.utils.args`.
//!
//! Runs on the side that types the command; a minion applies only [`split_text_kwarg`] to what it receives.

use crate::out::is_decimal;
use crate::yaml;
use brine_core::call::Args;
use brine_protocol::{Map, Value, map};

/// The key that marks a map in `arg` as keyword arguments.
pub const KWARG: &str = "__kwarg__";

/// Salt's `parse_input(words)`: typed positional values, and last a marked map of the `k=v` words if there are any.
///
/// `no_parse` names keyword arguments whose value stays text.
pub fn parse_input(words: &[String], no_parse: &[String]) -> Vec<Value> {
    let mut positional = Vec::new();
    let mut keyword = Map::new();
    for word in words {
        match parse_kwarg(word) {
            Some((name, value)) if no_parse.iter().any(|n| n == name) => {
                keyword.insert(name, value);
            }
            Some((name, value)) => {
                keyword.insert(name, yamlify_arg(value));
            }
            None => positional.push(yamlify_arg(word)),
        }
    }
    condition_input(positional, keyword)
}

/// Salt's `condition_input`: one list for the publisher. Integers that look like a jid, which to stock is any of twenty
/// characters, become text again.
pub fn condition_input(positional: Vec<Value>, keyword: Map) -> Vec<Value> {
    let mut out: Vec<Value> = positional
        .into_iter()
        .map(|value| match value {
            Value::Int(i) if i.to_string().len() == 20 => Value::Str(i.to_string()),
            other => other,
        })
        .collect();
    if !keyword.is_empty() {
        let mut marked = map! {KWARG => true};
        marked.update(keyword);
        out.push(marked.into());
    }
    out
}

/// Splits `name=value`. The name begins with a letter or `_` and goes on with letters, digits, `_`, `.` and `-`;
/// the value must not begin with `=` nor hold a line end (but may end in one).
pub fn parse_kwarg(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let first = name.chars().next()?;
    let name_fits = ((first.is_alphanumeric() && !is_decimal(first)) || first == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let value = value.strip_suffix('\n').unwrap_or(value);
    (name_fits && !value.starts_with('=') && !value.contains('\n')).then_some((name, value))
}

/// Salt's `yamlify_arg`: a word as YAML reads it, or as it stands where that would lose or surprise.
pub fn yamlify_arg(word: &str) -> Value {
    let as_is = || Value::from(word);
    let trimmed = word.trim();
    if matches!(trimmed, "" | "---" | "...")
        || (word.contains('_') && trimmed.bytes().all(|b| b.is_ascii_digit() || b == b'_'))
        || word.contains(['\t', '\r', '\n'])
    {
        return as_is();
    }
    if word == "None" {
        return Value::Nil;
    }
    let Ok(value) = yaml::load(word) else { return as_is() };
    if word.contains('#') {
        // A comment must not swallow text.
        return if matches!(value, Value::Str(_) | Value::Nil) { as_is() } else { value };
    }
    match value {
        Value::Map(_) if !word.starts_with('{') => as_is(),
        Value::List(_) if !word.starts_with('[') => as_is(),
        Value::Str(s) if s.is_empty() && matches!(word, "|" | "!") => as_is(),
        Value::Nil if word == "!" => as_is(),
        Value::Bytes(_) | Value::DateTime(_) => as_is(),
        value => value,
    }
}

/// What a minion does with one positional text: `name=value` is a keyword argument, its value YAML.
pub fn split_text_kwarg(text: &str) -> Option<(String, Value)> {
    parse_kwarg(text).map(|(name, value)| (name.to_owned(), yamlify_arg(value)))
}

/// Salt's `load_args_and_kwargs`: the `arg` of a publish as arguments of a call. Marked maps, wherever they stand,
/// and texts `name=value` are keyword arguments; other values are positional and not parsed again. Whether the
/// function takes the keywords is the binder's question.
pub fn load_args_and_kwargs(arg: &[Value]) -> Args {
    let mut args = Args::none();
    for value in arg {
        match value {
            Value::Map(map) if map.get(KWARG) == Some(&Value::Bool(true)) => {
                for (key, value) in map.iter().filter(|(key, _)| key.as_str() != Some(KWARG)) {
                    args.keyword.insert(key.clone(), value.clone());
                }
            }
            Value::Str(text) => match split_text_kwarg(text) {
                Some((name, value)) => {
                    args.keyword.insert(name, value);
                }
                None => args.positional.push(value.clone()),
            },
            other => args.positional.push(other.clone()),
        }
    }
    args
}
