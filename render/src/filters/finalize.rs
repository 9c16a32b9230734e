//! What `{{ }}` prints: dicts in a form that YAML reads, as Salt's `PrintableDict` writes them.

use super::yamltext::double;
use brine_python::{Obj, PyErr, R, need_bytes, repr, str};
use std::fmt::Write;

/// `SerializerExtension.finalizer`, up to the text: what holds a dict becomes the text that is printed, all else is left.
///
/// # Errors
/// `RecursionError` for what holds itself; what values' own code raises.
pub fn finalize(data: &Obj) -> R<Obj> {
    match data {
        Obj::Dict(_) | Obj::List(_) | Obj::Tuple(_) if holds_dict(data, 0)? => {
            let mut out = String::new();
            write(&mut out, data, 0, true)?;
            Ok(out.into())
        }
        _ => Ok(data.clone()),
    }
}

/// Whether there is a dict in it that Salt would write in its own way.
fn holds_dict(data: &Obj, depth: usize) -> R<bool> {
    if depth > 250 {
        return Err(PyErr::recursion(""));
    }
    match data {
        Obj::Dict(_) => return Ok(true),
        Obj::List(list) => {
            for item in list.borrow().iter() {
                if holds_dict(item, depth + 1)? {
                    return Ok(true);
                }
            }
        }
        Obj::Tuple(tuple) => {
            for item in tuple.iter() {
                if holds_dict(item, depth + 1)? {
                    return Ok(true);
                }
            }
        }
        _ => {}
    }
    Ok(false)
}

/// Text in the quotes of Python, or in those of YAML where Python's would not survive.
fn quoted(value: &Obj, text: &str) -> R<String> {
    if text.contains(['\n', '\r', '\t']) { Ok(double(text, true)) } else { repr(value) }
}

/// `shown`: `str()` of it, otherwise `repr()`.
fn write(out: &mut String, data: &Obj, depth: usize, shown: bool) -> R<()> {
    if depth > 250 {
        return Err(PyErr::recursion(""));
    }
    let before = out.len();
    let many = |out: &mut String, items: &[Obj]| -> R<()> {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            write(out, item, depth + 1, false)?;
        }
        Ok(())
    };
    match data {
        Obj::Dict(dict) => {
            out.push('{');
            for (at, (key, value)) in dict.pairs().iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                let _infallible = write!(out, "{}: ", repr(key)?);
                match value.as_str() {
                    Some(text) => out.push_str(&quoted(value, text)?),
                    None => write(out, value, depth + 1, shown)?,
                }
            }
            out.push('}');
        }
        Obj::List(list) => {
            let items = list.borrow().clone();
            out.push('[');
            many(out, &items)?;
            out.push(']');
        }
        Obj::Tuple(tuple) => {
            out.push('(');
            many(out, tuple)?;
            out.push_str(if tuple.len() == 1 { ",)" } else { ")" });
        }
        _ if shown => out.push_str(&str(data)?),
        _ => out.push_str(&repr(data)?),
    }
    need_bytes(out.len() - before)
}
