//! The outputters of a few lines each: `txt`, `newline_values_only`, `no_return`.

use super::pprint::pformat;
use super::python::{sorted, splitlines};
use super::{CannotPrint, Style};
use brine_core::text::{python_repr, python_str};
use brine_protocol::Value;
use std::fmt::Write as _;

/// `key: line` for each line of each value.
pub(super) fn txt(data: &Value, _: &Style) -> Result<String, CannotPrint> {
    let mut out = String::new();
    match data {
        Value::Map(map) => {
            for (key, value) in map {
                let key = python_str(key);
                let lines: Vec<String> = match value {
                    Value::Str(text) => splitlines(text, false).into_iter().map(str::to_owned).collect(),
                    Value::Bytes(bytes) => byte_lines(bytes),
                    other => vec![python_str(other)],
                };
                for line in lines {
                    let _infallible = writeln!(out, "{key}: {line}");
                }
            }
        }
        Value::Str(text) => {
            out.push_str(text);
            out.push('\n');
        }
        other => {
            out.push_str(&pformat(other, 1));
            out.push('\n');
        }
    }
    Ok(out)
}

/// `bytes.splitlines()`, each as Python shows it.
fn byte_lines(bytes: &[u8]) -> Vec<String> {
    let mut lines: Vec<&[u8]> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(at) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
            lines.push(rest);
            break;
        };
        lines.push(&rest[..at]);
        rest = if rest[at..].starts_with(b"\r\n") { &rest[at + 2..] } else { &rest[at + 1..] };
    }
    lines.into_iter().map(|line| python_repr(&line.into())).collect()
}

/// The values of all minions, one a line.
pub(super) fn newline_values_only(data: &Value, _: &Style) -> Result<String, CannotPrint> {
    let map = data.as_map().ok_or(CannotPrint)?;
    let mut lines = Vec::new();
    for value in map.values() {
        match value {
            Value::List(items) => lines.extend(items.iter().map(python_str)),
            other => lines.push(python_str(other)),
        }
    }
    Ok(lines.join("\n"))
}

/// Minions that did not return.
pub(super) fn no_return(data: &Value, style: &Style) -> Result<String, CannotPrint> {
    let mut out = String::new();
    missing(&mut out, data, 0, style)?;
    Ok(out)
}

fn missing(out: &mut String, value: &Value, indent: usize, style: &Style) -> Result<(), CannotPrint> {
    let colors = &style.colors;
    match value {
        Value::Str(text) => {
            for line in text.split('\n') {
                let _infallible = writeln!(out, "{}{:indent$}{line}{}", colors.red, "", colors.endc);
            }
        }
        Value::Map(map) => {
            for (key, value) in sorted(map).ok_or(CannotPrint)? {
                let key = python_str(key);
                let _infallible = writeln!(out, "{}{:indent$}{key}{}:", colors.cyan, "", colors.endc);
                missing(out, value, indent + 4, style)?;
            }
        }
        _ => {}
    }
    Ok(())
}
