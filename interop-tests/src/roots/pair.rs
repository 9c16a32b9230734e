//! Two equal roots, in which stock's 3006.28 and ours apply the same states.

use serde_json::{Map, Value, json};

use super::{Init, Root};
use crate::failure::{Failure, Result};
use crate::side::Side;

/// The two roots, and where our program is.
pub struct Pair {
    /// Where stock applies.
    pub stock: Root,
    /// Where ours does.
    pub ours: Root,
    program: String,
}

impl Pair {
    /// Makes both; see [`Root::new`].
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn new(init: Init, before: &str) -> Result<Self> {
        let program = Side::Ours.program("salt-call")?.display().to_string();
        // At once: most of it is to wait for the network.
        let (stock, ours) = std::thread::scope(|scope| {
            let stock = scope.spawn(|| Root::new(init, before));
            let ours = Root::new(init, before);
            (stock.join(), ours)
        });
        let stock = stock.map_err(|_| "the thread of stock's root panicked")??;
        Ok(Self { stock, ours: ours?, program })
    }

    /// Runs a function in both with these arguments and options; the returns must be equal, but for the keys in `ignore`, and for
    /// the order of what is under the keys in `any_order`. Gives that of stock.
    ///
    /// # Errors
    /// With where they differ.
    pub fn call(
        &mut self,
        step: &str,
        function: &[&str],
        kwargs: &Map<String, Value>,
        opts: &Value,
        ignore: &[String],
        any_order: &[String],
    ) -> Result<Value> {
        let (fun, args) = function.split_first().ok_or("no function")?;
        let mut question = json!({"do": "stock", "fun": fun, "args": args, "kwargs": kwargs, "opts": opts});
        let want = self.stock.ask(&question)?;
        question["do"] = "ours".into();
        question["program"] = self.program.as_str().into();
        let got = self.ours.ask(&question)?;
        let (want, got) = (steady(want, ignore, any_order), steady(got, ignore, any_order));
        equal(&format!("{step}: returned"), &got, &want)?;
        Ok(want)
    }

    /// What a function of ours returns.
    ///
    /// # Errors
    /// When it fails.
    pub fn of_ours(&mut self, fun: &str) -> Result<Value> {
        let mut answer = self.ours.ask(&json!({"do": "ours", "fun": fun, "program": self.program}))?;
        match answer.get("error") {
            Some(error) => Err(Failure(format!("{fun}: {error}"))),
            None => Ok(answer["ret"].take()),
        }
    }

    /// Everything below these paths must be equal: kind, mode, owner, content; but for paths in which one of `skip` is found.
    /// Gives how many there are.
    ///
    /// # Errors
    /// With where they differ.
    pub fn trees(&mut self, step: &str, paths: &[String], skip: &[&str]) -> Result<usize> {
        let look = json!({"do": "tree", "paths": paths});
        let (mut want, mut got) = (self.stock.ask(&look)?, self.ours.ask(&look)?);
        for tree in [&mut want, &mut got] {
            if let Some(tree) = tree.as_object_mut() {
                tree.retain(|path, _| !skip.iter().any(|word| path.contains(word)));
            }
        }
        equal(&format!("{step}: files"), &got, &want)?;
        Ok(want.as_object().map_or(0, Map::len))
    }

    /// A script must print the same in both.
    ///
    /// # Errors
    /// With what it printed, or when it fails.
    pub fn same_output(&mut self, step: &str, dir: &str, script: &str) -> Result {
        let (want, got) = (self.stock.sh(dir, script)?, self.ours.sh(dir, script)?);
        equal(
            &format!("{step}: printed by {}", script.lines().next().unwrap_or_default()),
            &got.into(),
            &want.into(),
        )
    }
}

const TRACEBACK: &str = "Traceback (most recent call last):";

/// The texts of a list.
pub fn list(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Without times, without the inner lines of tracebacks (those show Python's own source) and those that led to the last one,
/// and without what the case leaves out.
fn steady(value: Value, ignore: &[String], any_order: &[String]) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(key, _)| !["duration", "start_time"].contains(&key.as_str()) && !ignore.contains(key))
            .map(|(key, value)| {
                let value = steady(value, ignore, any_order);
                let value = if any_order.contains(&key) { sorted(value) } else { value };
                (key, value)
            })
            .collect(),
        Value::Array(list) => list.into_iter().map(|value| steady(value, ignore, any_order)).collect(),
        Value::String(text) => match (text.find(TRACEBACK), text.rfind(TRACEBACK)) {
            (Some(first), Some(last)) => {
                let lines = text[..first].lines().chain(text[last..].lines());
                Value::String(lines.filter(|line| !line.starts_with("  ")).collect::<Vec<_>>().join("\n"))
            }
            _ => Value::String(nameless(&text)),
        },
        other => other,
    }
}

/// What stock makes of a set: the items of a list, or the parts of a text that have headings, in an order of their own.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(mut list) => {
            list.sort_by_key(ToString::to_string);
            Value::Array(list)
        }
        Value::String(text) => {
            let text = format!("\n{text}");
            let mut parts: Vec<&str> = text.split("\n#### ").map(str::trim).collect();
            parts.sort_unstable();
            Value::String(parts.join("\n"))
        }
        other => other,
    }
}

/// With temporary files by one name.
fn nameless(text: &str) -> String {
    let mut parts = text.split("/__salt.tmp.");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("/__salt.tmp.");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    }
    out
}

fn equal(what: &str, got: &Value, want: &Value) -> Result {
    if got == want {
        return Ok(());
    }
    let mut lines = format!("{what}\n");
    differences("", got, want, &mut lines);
    Err(Failure(lines))
}

/// Says where two values differ.
fn differences(path: &str, got: &Value, want: &Value, lines: &mut String) {
    match (got, want) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let (got, want) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                if a.contains_key(key) != b.contains_key(key) || got != want {
                    differences(&format!("{path}/{key}"), got, want, lines);
                }
            }
        }
        (Value::String(a), Value::String(b)) if a.lines().count() > 20 && b.lines().count() > 20 => {
            let only = |of: &str, not: &str| {
                let not: std::collections::HashSet<&str> = not.lines().collect();
                of.lines().filter(|line| !not.contains(line)).collect::<Vec<_>>().join("\n      ")
            };
            lines.push_str(&format!(
                "  {path}\n    only in ours:\n      {}\n    only in stock's:\n      {}\n",
                only(a, b),
                only(b, a)
            ));
        }
        _ => lines.push_str(&format!("  {path}\n    ours:  {got}\n    stock: {want}\n")),
    }
}
