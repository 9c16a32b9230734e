//! `keyvalue`: `KEY=value`, a line each.

use super::options::Options;
use super::text_of;
use brine_python::{Args, Dict, Obj, PyErr, R, call_method, truth};

pub(super) fn serialize(value: &Obj, options: &mut Options) -> R {
    let items = match value {
        Obj::Dict(dict) => {
            dict.pairs().into_iter().map(|(key, value)| Obj::tuple(vec![key, value])).collect()
        }
        Obj::Set(set) if !set.frozen() => set.to_vec(),
        Obj::List(_) | Obj::Tuple(_) => value.items()?,
        _ => return Err(not_iterable()),
    };
    let end = options.text("line_ending", "\n")?;
    let separator = options.text("separator", "=")?;
    let quoting = options.truth("quoting", false)?;
    let mut lines = Vec::new();
    for item in &items {
        let (key, value) = unpack(item)?;
        let value = if quoting { quote(&value)? } else { brine_python::str(&value)? };
        lines.push(format!("{}{separator}{value}", brine_python::str(&key)?));
    }
    Ok(lines.join(&end).into())
}

fn not_iterable() -> PyErr {
    PyErr::value("Input validation failed. Iterable required.")
}

/// `key, value = item`.
fn unpack(item: &Obj) -> R<(Obj, Obj)> {
    let members = item
        .items()
        .map_err(|_| PyErr::ty(format!("cannot unpack non-iterable {} object", item.type_name())))?;
    match &members[..] {
        [key, value] => Ok((key.clone(), value.clone())),
        [] | [_] => {
            Err(PyErr::value(format!("not enough values to unpack (expected 2, got {})", members.len())))
        }
        _ => Err(PyErr::value("too many values to unpack (expected 2)")),
    }
}

/// As a shell's word.
fn quote(value: &Obj) -> R<String> {
    if !truth(value)? {
        return Ok("''".into());
    }
    if matches!(value, Obj::Bytes(_)) {
        return Err(PyErr::ty("cannot use a string pattern on a bytes-like object"));
    }
    let Some(text) = value.as_str() else {
        return Err(PyErr::ty(format!("expected string or bytes-like object, got '{}'", value.type_name())));
    };
    let safe = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if text.chars().all(safe) {
        return Ok(text.to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', "'\"'\"'")))
}

pub(super) fn deserialize(value: &Obj, options: &mut Options) -> R {
    let Some(text) = text_of(value)? else { return Err(PyErr::attribute(value, "read")) };
    let separator = options.text("separator", "=")?;
    let dequoting = matches!(options.take("quoting"), Some(Obj::Bool(false)));
    let dict = Dict::new();
    for line in call_method(&text, "splitlines", &Args::default())?.items()? {
        let line = line.as_str().unwrap_or_default().to_owned();
        if separator.is_empty() {
            return Err(PyErr::value("empty separator"));
        }
        let Some((key, value)) = line.split_once(&separator) else {
            return Err(PyErr::value("not enough values to unpack (expected 2, got 1)"));
        };
        let value = if dequoting { dequote(value)? } else { value };
        dict.set_str(key, value);
    }
    Ok(Obj::dict(dict))
}

/// Without the quotes around it.
fn dequote(text: &str) -> R<&str> {
    let (Some(first), Some(last)) = (text.chars().next(), text.chars().next_back()) else {
        return Err(PyErr::new(brine_python::Kind::IndexError, "string index out of range"));
    };
    if first == last && matches!(first, '\'' | '"') {
        return Ok(text.get(1..text.len() - 1).unwrap_or(""));
    }
    Ok(text)
}
