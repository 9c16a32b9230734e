//! Filters for HTML and URLs.

use super::args::unpack2;
use crate::env::State;
use crate::markup::{Markup, escape, html, mark};
use crate::undefined::is_undefined;
use brine_python::{Args, Obj, PyErr, R, Signature, call_method, need_bytes, take_steps};

pub(super) fn escape_filter(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("escape", 0, &["s"], 1).only(1);
    escape(S.bind(args)?.at(0))
}

pub(super) fn force_escape(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_forceescape", 0, &["value"], 1);
    let args = S.bind(args)?;
    let value = html(args.at(0))?.unwrap_or_else(|| args.at(0).clone());
    escape(&brine_python::to_str(&value).map(|text| Obj::str(text.as_str().unwrap_or_default()))?)
}

pub(super) fn safe(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_mark_safe", 0, &["value"], 1);
    mark(S.bind(args)?.at(0))
}

/// Whether the type can be iterated, as `abc.Iterable` asks; the value need not be.
fn is_iterable(obj: &Obj) -> bool {
    match obj {
        Obj::Other(o) => is_undefined(obj) || o.as_str().is_some() || o.iter(obj).is_ok_and(|i| i.is_some()),
        _ => obj.iter().is_ok(),
    }
}

pub(super) fn urlencode(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_urlencode", 0, &["value"], 1);
    let args = S.bind(args)?;
    let value = args.at(0);
    let mut out = String::new();
    if value.as_str().is_some() || !is_iterable(value) {
        quote(&mut out, value, false)?;
        return Ok(out.into());
    }
    let items = match value {
        Obj::Dict(_) => call_method(value, "items", &Args::default())?,
        _ => value.clone(),
    };
    let items = items.iter()?;
    while let Some(item) = items.next()? {
        let (key, value) = unpack2(&item)?;
        if !out.is_empty() {
            out.push('&');
        }
        quote(&mut out, &key, true)?;
        out.push('=');
        quote(&mut out, &value, true)?;
    }
    Ok(out.into())
}

/// `url_quote`: text or bytes; with `query` also `/`, and spaces as `+`.
fn quote(out: &mut String, value: &Obj, query: bool) -> R<()> {
    let text;
    let bytes: &[u8] = match value {
        Obj::Bytes(bytes) => bytes,
        _ => {
            text = brine_python::str(value)?;
            text.as_bytes()
        }
    };
    need_bytes(bytes.len().saturating_mul(3))?;
    for b in bytes {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(char::from(*b)),
            b'/' if !query => out.push('/'),
            b' ' if query => out.push('+'),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    Ok(())
}

/// What a pattern of text says of a value that is none.
pub(super) fn not_text(value: &Obj) -> PyErr {
    match value {
        Obj::Bytes(_) => PyErr::ty("cannot use a string pattern on a bytes-like object"),
        _ => PyErr::ty(format!("expected string or bytes-like object, got '{}'", value.type_name())),
    }
}

pub(super) fn xmlattr(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_xmlattr", 1, &["eval_ctx", "d", "autospace"], 2);
    let args = S.bind(args)?;
    let items = call_method(args.at(0), "items", &Args::default())?.iter()?;
    let mut out = String::new();
    while let Some(item) = items.next()? {
        take_steps(1)?;
        let (key, value) = unpack2(&item)?;
        if matches!(value, Obj::None) || is_undefined(&value) {
            continue;
        }
        let name = key.as_str().ok_or_else(|| not_text(&key))?;
        let ends = |c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' | '/' | '>' | '=');
        if name.contains(ends) {
            let key = brine_python::repr(&key)?;
            return Err(PyErr::value(format!("Invalid character in attribute name: {key}")));
        }
        if !out.is_empty() {
            out.push(' ');
        }
        let (key, value) = (escape(&key)?, escape(&value)?);
        for part in [key.as_str().unwrap_or_default(), "=\"", value.as_str().unwrap_or_default(), "\""] {
            out.push_str(part);
        }
    }
    if args.truth(1, true)? && !out.is_empty() {
        out.insert(0, ' ');
    }
    Ok(if state.autoescape { Markup::new(out) } else { out.into() })
}
