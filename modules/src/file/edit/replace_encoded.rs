//! `file.replace` with an `encoding`: the file is decoded, and searched character by character.

use super::diff;
use super::replace::{Target, Wish};
use crate::python::re::{compile, failed, template};
use brine_core::Value;
use brine_core::call::{CallError, Result};
use brine_core::target::Anchor;
use brine_core::text::splitlines;
use brine_python::{Args, Obj, call_method, to_value};
use brine_render::template::call_error;

/// Bytes to text, or text to bytes, by a codec of Python.
fn codec(value: &Obj, way: &str, encoding: &str) -> Result {
    call_method(value, way, &Args::of([encoding.into()])).and_then(|out| to_value(&out)).map_err(call_error)
}

/// The text of a file in an encoding.
pub(crate) fn decode(bytes: &[u8], encoding: &str) -> Result<String> {
    let plain: String = encoding.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let marked: &[&[u8]] = match plain.as_str() {
        "utf16" | "u16" => &[b"\xff\xfe", b"\xfe\xff"],
        "utf32" | "u32" => &[b"\xff\xfe\0\0", b"\0\0\xfe\xff"],
        _ => &[],
    };
    let text = match codec(&Obj::from(bytes.to_vec()), "decode", encoding)? {
        Value::Str(text) => text,
        _ => String::new(),
    };
    // Files, unlike bytes, must say which byte comes first.
    if marked.first().is_some_and(|mark| bytes.len() >= mark.len())
        && !marked.iter().any(|mark| bytes.starts_with(mark))
    {
        let text = format!("UTF-{} stream does not start with BOM", &plain[plain.len() - 2..]);
        return Err(CallError::exception("UnicodeError", text));
    }
    Ok(text)
}

/// The bytes of a text in an encoding.
pub(crate) fn encode(text: &str, encoding: &str) -> Result<Vec<u8>> {
    Ok(codec(&Obj::str(text), "encode", encoding)?.into_bytes().unwrap_or_default())
}

pub(super) fn encoded(target: &Target, bytes: &[u8], wish: &Wish, encoding: &str) -> Result {
    let regex = compile(&wish.pattern, Anchor::Search, wish.flags)?;
    let was = decode(bytes, encoding)?;
    if wish.search_only {
        return regex.is_match(&was).map(Value::from).map_err(failed);
    }
    let template = template(&wish.template(), &regex)?;
    let (now, replaced) = match wish.count {
        usize::MAX => (was.clone(), 0),
        count => regex.replace(&was, &template, count).map_err(failed)?,
    };
    let mut found = replaced > 0;
    if wish.append || wish.prepend {
        let added = compile(&wish.added_pattern(), Anchor::Search, wish.flags)?;
        found |= added.is_match(&was).map_err(failed)?;
    }
    let before = splitlines(&was, true);
    let mut after: Vec<String> = splitlines(&now, true).into_iter().map(str::to_owned).collect();
    let mut changed = now != was;
    if changed && !wish.dry_run {
        target.write(&encode(&now, encoding)?, wish)?;
    }
    if !found && (wish.append || wish.prepend) {
        wish.add(&mut after);
        changed = true;
        if !wish.dry_run {
            target.write(&encode(&after.concat(), encoding)?, wish)?;
        }
    }
    let shown = diff(&before, &after);
    Ok(if wish.show_changes { shown.into() } else { (changed && !shown.is_empty()).into() })
}
