//! `%(name)s` in values.

use super::{Pairs, error, shown};
use brine_python::{PyErr, R, need_bytes};

/// How often a value may refer to another.
const MOST: usize = 10;

/// `%(name)s` at the start of a text: the name, and what follows.
fn reference(text: &str) -> Option<(&str, &str)> {
    let body = text.strip_prefix("%(")?;
    let (name, rest) = body.split_once(')')?;
    if name.is_empty() { None } else { rest.strip_prefix('s').map(|rest| (name, rest)) }
}

/// Whether a value may be set.
pub(super) fn check(value: &str) -> R<()> {
    let text = value.replace("%%", "");
    let mut left = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        match reference(rest) {
            Some((_, after)) => rest = after,
            None => {
                left.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    match left.chars().position(|c| c == '%') {
        None => Ok(()),
        Some(at) => {
            Err(PyErr::value(format!("invalid interpolation syntax in {} at position {at}", shown(value))))
        }
    }
}

/// A value with what it refers to.
pub(super) fn value(option: &str, section: &str, text: &str, all: &Pairs) -> R<String> {
    let mut out = String::new();
    some(&mut out, option, section, text, text, all, 1)?;
    Ok(out)
}

fn some(
    out: &mut String,
    option: &str,
    section: &str,
    raw: &str,
    text: &str,
    all: &Pairs,
    depth: usize,
) -> R<()> {
    if depth > MOST {
        return Err(error(
            "InterpolationDepthError",
            format!(
                "Recursion limit exceeded in value substitution: option {} in section {} contains an interpolation \
                 key which cannot be substituted in {MOST} steps. Raw value: {}",
                shown(option),
                shown(section),
                shown(raw)
            ),
        ));
    }
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        need_bytes(at)?;
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("%%") {
            out.push('%');
            rest = after;
        } else if rest.starts_with("%(") {
            let Some((name, after)) = reference(rest) else {
                let e = format!("bad interpolation variable reference {}", shown(rest));
                return Err(error("InterpolationSyntaxError", e));
            };
            rest = after;
            let name = name.to_lowercase();
            match all.iter().find(|(key, _)| *key == name) {
                Some((_, Some(value))) => some(out, option, section, raw, value, all, depth + 1)?,
                Some((_, None)) => return Err(PyErr::ty("argument of type 'NoneType' is not iterable")),
                None => {
                    return Err(error(
                        "InterpolationMissingOptionError",
                        format!(
                            "Bad value substitution: option {} in section {} contains an interpolation key {} which is \
                             not a valid option name. Raw value: {}",
                            shown(option),
                            shown(section),
                            shown(&name),
                            shown(raw)
                        ),
                    ));
                }
            }
        } else {
            let e = format!("'%' must be followed by '%' or '(', found: {}", shown(rest));
            return Err(error("InterpolationSyntaxError", e));
        }
    }
    need_bytes(rest.len())?;
    out.push_str(rest);
    Ok(())
}
