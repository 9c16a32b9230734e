//! Salt's `subdict_match`: does `a:b:pattern` match somewhere in nested grains or pillar?
//!
//! Deeper splits are tried first, and the pattern may itself hold the delimiter. Both sides are compared in lower
//! case, the regular expression's text included, as stock does.

use super::{Anchor, DEFAULT_TARGET_DELIM, Regex, fnmatch};
use crate::scalar;
use crate::text::python_str;
use brine_protocol::{Map, Value};
use std::collections::HashMap;

/// How a value is compared with the pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Shell pattern.
    Glob,
    /// Regular expression, anchored at the start.
    Regex,
    /// Equality.
    Exact,
}

/// How many comparisons one search may make; far above what real data needs.
const STEPS: usize = 100_000;

/// One search; holds the expressions it compiled and the work left.
pub struct Search {
    compare: Compare,
    steps: usize,
    compiled: HashMap<String, Option<Regex>>,
}

impl Search {
    /// A search that compares so.
    pub fn new(compare: Compare) -> Self {
        Self { compare, steps: STEPS, compiled: HashMap::new() }
    }

    /// Whether `expr` matches within `data`. An expression without delimiter never does.
    pub fn subdict_match(&mut self, data: &Map, expr: &str, delimiter: &str) -> bool {
        if delimiter.is_empty() {
            return false;
        }
        let splits: Vec<&str> = expr.split(delimiter).collect();
        (1..splits.len()).rev().any(|at| self.split_match(data, expr, &splits, at, delimiter))
    }

    fn split_match(&mut self, data: &Map, expr: &str, splits: &[&str], at: usize, delimiter: &str) -> bool {
        if !self.step() {
            return false;
        }
        if at == 1 && splits[0] == "*" {
            // Everything below the top level: the whole expression against the whole data.
            return !data.is_empty() && self.map_match(data, expr);
        }
        match in_map(data, splits[0]).and_then(|first| traverse_parts(first, &splits[1..at])) {
            Some(found) => self.found_match(found, &splits[at..].join(delimiter)),
            None => false,
        }
    }

    fn map_match(&mut self, map: &Map, pattern: &str) -> bool {
        if !self.step() {
            return false;
        }
        let (wildcard, pattern) = match pattern.strip_prefix("*:") {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        if pattern == "*" || map.contains(pattern) {
            return true;
        }
        if map.keys().any(|key| self.value_match(key, pattern)) {
            return true;
        }
        // The custom delimiter is not handed down; stock does not either.
        let splits: Vec<&str> = pattern.split(DEFAULT_TARGET_DELIM).collect();
        if (1..splits.len()).rev().any(|at| self.split_in_map(map, pattern, &splits, at)) {
            return true;
        }
        wildcard
            && map.values().any(|value| match value {
                Value::Map(inner) => self.map_match(inner, pattern),
                Value::List(items) => items.iter().any(|item| self.value_match(item, pattern)),
                other => self.value_match(other, pattern),
            })
    }

    /// As [`Self::split_match`], for data that is known to be a map.
    fn split_in_map(&mut self, map: &Map, expr: &str, splits: &[&str], at: usize) -> bool {
        if at == 1 && splits[0] == "*" {
            return self.step() && !map.is_empty() && self.map_match(map, expr);
        }
        let Some(first) = in_map(map, splits[0]) else { return false };
        if at == 1 {
            let pattern = splits[1..].join(DEFAULT_TARGET_DELIM);
            return self.found_match(first, &pattern);
        }
        match traverse_parts(first, &splits[1..at]) {
            Some(found) => self.found_match(found, &splits[at..].join(DEFAULT_TARGET_DELIM)),
            None => false,
        }
    }

    fn found_match(&mut self, found: &Value, pattern: &str) -> bool {
        match found {
            Value::Map(map) => !map.is_empty() && self.map_match(map, pattern),
            Value::List(list) => list.iter().any(|member| {
                member.as_map().is_some_and(|map| self.map_match(map, pattern))
                    || self.value_match(member, pattern)
            }),
            value => self.value_match(value, pattern),
        }
    }

    fn value_match(&mut self, value: &Value, pattern: &str) -> bool {
        if !self.step() {
            return false;
        }
        let text = python_str(value).to_lowercase();
        let pattern = pattern.to_lowercase();
        match self.compare {
            Compare::Glob => fnmatch(&text, &pattern),
            Compare::Exact => text == pattern,
            Compare::Regex => {
                let regex =
                    self.compiled.entry(pattern).or_insert_with_key(|p| Regex::new(p, Anchor::Match).ok());
                match regex.as_ref().map(|re| re.is_match(&text)) {
                    Some(Ok(hit)) => hit,
                    Some(Err(_)) => {
                        // One match used up what all may use.
                        self.steps = 0;
                        false
                    }
                    None => false,
                }
            }
        }
    }

    fn step(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }
}

/// Salt's `traverse_dict_and_list`: the value under `a:b:0`, through maps and lists. A part that is no key of a
/// map is tried again as YAML reads it, so that `1` finds the number.
pub fn traverse<'v>(data: &'v Value, key: &str, delimiter: &str) -> Option<&'v Value> {
    if delimiter.is_empty() {
        return None;
    }
    traverse_parts(data, &key.split(delimiter).collect::<Vec<_>>())
}

fn traverse_parts<'v>(data: &'v Value, parts: &[&str]) -> Option<&'v Value> {
    parts.iter().try_fold(data, |at, part| match at {
        Value::List(list) => in_list(list, part),
        Value::Map(map) => in_map(map, part),
        _ => None,
    })
}

fn in_map<'v>(map: &'v Map, part: &str) -> Option<&'v Value> {
    map.get(part).or_else(|| {
        let loaded = scalar::plain(part.trim_matches(' '));
        match &loaded {
            Value::Str(same) if same == part => None,
            // Python holds `True` and 1 for the same key.
            Value::Bool(b) => map.get_key(&loaded).or_else(|| map.get_key(&Value::Int((*b).into()))),
            _ => map.get_key(&loaded),
        }
    })
}

fn in_list<'v>(list: &'v [Value], part: &str) -> Option<&'v Value> {
    let embedded = list.iter().filter_map(Value::as_map);
    match python_int(part) {
        None => {
            let mut embedded = embedded;
            embedded.find_map(|map| map.get(part))
        }
        Some(index) => {
            let mut embedded = embedded;
            embedded.find_map(|map| map.get_key(&Value::Int(index))).or_else(|| {
                let len = i128::try_from(list.len()).ok()?;
                let at = if index < 0 { index + len } else { index };
                list.get(usize::try_from(at).ok()?)
            })
        }
    }
}

/// Python's `int(text)`.
fn python_int(text: &str) -> Option<i128> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let well_formed = digits.split('_').all(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()));
    if !well_formed {
        return None;
    }
    text.replace('_', "").parse().ok()
}
