//! Methods of `str`: splitting, joining, stripping.

use super::{Fun::Named, Fun::One, Fun::Pos, Method, c_int, own, row};
use crate::error::{PyErr, R};
use crate::limit;
use crate::obj::Obj;
use crate::seq;
use crate::uni;

pub(super) const METHODS: &[Method] = &[
    row("join", One(join)),
    row("lstrip", Pos(0, 1, |me, args| strip(me, args, "lstrip", true, false))),
    row("partition", One(|me, sep| partition(me, sep, false))),
    row("rpartition", One(|me, sep| partition(me, sep, true))),
    row("rsplit", Named(&["sep", "maxsplit"], 0, |me, args| split(me, args, true))),
    row("rstrip", Pos(0, 1, |me, args| strip(me, args, "rstrip", false, true))),
    row("split", Named(&["sep", "maxsplit"], 0, |me, args| split(me, args, false))),
    row("splitlines", Named(&["keepends"], 0, splitlines)),
    row("strip", Pos(0, 1, |me, args| strip(me, args, "strip", true, true))),
];

/// `sep.join(items)`.
fn join(me: &Obj, items: &Obj) -> R {
    let sep = own(me);
    let items = match items.items() {
        Ok(items) => items,
        Err(_) if items.iter().is_err() => return Err(PyErr::ty("can only join an iterable")),
        Err(e) => return Err(e),
    };
    let mut len = sep.len().saturating_mul(items.len().saturating_sub(1));
    for (i, item) in items.iter().enumerate() {
        let Some(text) = item.as_str() else {
            let found = item.type_name();
            return Err(PyErr::ty(format!("sequence item {i}: expected str instance, {found} found")));
        };
        len = len.saturating_add(text.len());
    }
    limit::bytes(len)?;
    let parts: Vec<&str> = items.iter().filter_map(Obj::as_str).collect();
    Ok(parts.join(sep).into())
}

fn strip(me: &Obj, args: &[Obj], name: &str, left: bool, right: bool) -> R {
    let mut text = own(me);
    let chars = match args.first() {
        None | Some(Obj::None) => None,
        Some(chars) => {
            let chars = chars.as_str();
            Some(chars.ok_or_else(|| PyErr::ty(format!("{name} arg must be None or str")))?)
        }
    };
    let strips = |c: char| chars.map_or_else(|| uni::is_space(c), |set| set.contains(c));
    if left {
        text = text.trim_start_matches(strips);
    }
    if right {
        text = text.trim_end_matches(strips);
    }
    Ok(if text.len() == own(me).len() { me.as_str().map_or(Obj::None, Obj::from) } else { text.into() })
}

fn separator(sep: &Obj) -> R<&str> {
    match sep.as_str() {
        Some("") => Err(PyErr::value("empty separator")),
        Some(sep) => Ok(sep),
        None => Err(PyErr::ty(format!("must be str, not {}", sep.type_name()))),
    }
}

fn partition(me: &Obj, sep: &Obj, last: bool) -> R {
    let (text, sep) = (own(me), separator(sep)?);
    let found = if last { text.rsplit_once(sep) } else { text.split_once(sep) };
    let parts: [Obj; 3] = match found {
        Some((before, after)) => [before.into(), sep.into(), after.into()],
        None if last => ["".into(), "".into(), text.into()],
        None => [text.into(), "".into(), "".into()],
    };
    Ok(Obj::tuple(parts.into()))
}

fn list(parts: Vec<&str>) -> R {
    let len: usize = parts.iter().map(|p| p.len()).sum();
    limit::bytes(len.saturating_add(parts.len().saturating_mul(size_of::<Obj>())))?;
    Ok(Obj::list(parts.into_iter().map(Obj::from).collect()))
}

fn split(me: &Obj, args: &[Option<Obj>], from_right: bool) -> R {
    let text = own(me);
    let most = match &args[1] {
        None => usize::MAX,
        Some(most) => usize::try_from(seq::index(most)?).unwrap_or(usize::MAX),
    };
    let sep = match &args[0] {
        None | Some(Obj::None) => return list(split_spaces(text, most, from_right)),
        Some(sep) if sep.as_str().is_none() => {
            return Err(PyErr::ty(format!("must be str or None, not {}", sep.type_name())));
        }
        Some(sep) => separator(sep)?,
    };
    let parts = most.saturating_add(1);
    if from_right {
        let mut parts: Vec<&str> = text.rsplitn(parts, sep).collect();
        parts.reverse();
        return list(parts);
    }
    list(text.splitn(parts, sep).collect())
}

fn split_spaces(text: &str, most: usize, from_right: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    if from_right {
        rest = rest.trim_end_matches(uni::is_space);
        while !rest.is_empty() {
            if parts.len() == most {
                parts.push(rest);
                break;
            }
            let at = rest.char_indices().rev().find(|(_, c)| uni::is_space(*c));
            let at = at.map_or(0, |(at, c)| at + c.len_utf8());
            parts.push(&rest[at..]);
            rest = rest[..at].trim_end_matches(uni::is_space);
        }
        parts.reverse();
        return parts;
    }
    rest = rest.trim_start_matches(uni::is_space);
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest);
            break;
        }
        let at = rest.find(uni::is_space).unwrap_or(rest.len());
        parts.push(&rest[..at]);
        rest = rest[at..].trim_start_matches(uni::is_space);
    }
    parts
}

fn splitlines(me: &Obj, args: &[Option<Obj>]) -> R {
    let keep = args[0].as_ref().map_or(Ok(0), c_int)? != 0;
    let mut parts = Vec::new();
    let mut rest = own(me);
    while !rest.is_empty() {
        let Some((at, c)) = rest.char_indices().find(|(_, c)| uni::is_line_end(*c)) else {
            parts.push(rest);
            break;
        };
        let mut end = at + c.len_utf8();
        if c == '\r' && rest[end..].starts_with('\n') {
            end += 1;
        }
        parts.push(&rest[..if keep { end } else { at }]);
        rest = &rest[end..];
    }
    list(parts)
}
