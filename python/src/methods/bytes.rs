//! Methods of `bytes`: those that have a use for what a program printed or a file held.

use super::{Fun::Named, Fun::Nil, Fun::Old, Fun::One, Fun::Pos, Method, c_int, decode, row};
use crate::error::{PyErr, R};
use crate::limit;
use crate::num::{Num, num};
use crate::obj::Obj;
use crate::seq;

pub(super) const METHODS: &[Method] = &[
    row(
        "count",
        Old(1, 3, |me, args| {
            let (part, _) = part(me, args)?;
            let sub = needle(&args[0])?;
            if sub.is_empty() {
                return Ok(part.map_or(0, |p| p.len() + 1).into());
            }
            let (mut n, mut rest) = (0usize, part.unwrap_or_default());
            while let Some(at) = position(rest, &sub, false) {
                n += 1;
                rest = &rest[at + sub.len()..];
            }
            Ok(n.into())
        }),
    ),
    row("decode", Named(&["encoding", "errors"], 0, |me, args| decode(own(me), args))),
    row("endswith", Old(1, 3, |me, args| ends(me, args, "endswith", |b, sub| b.ends_with(sub)))),
    row("find", Old(1, 3, |me, args| Ok(find(me, args, false)?.map_or(-1, |at| at as i64).into()))),
    row("hex", Named(&["sep", "bytes_per_sep"], 0, hex)),
    row("index", Old(1, 3, |me, args| find(me, args, false)?.map(Obj::from).ok_or_else(not_found))),
    row("isalnum", Nil(|me| all(me, u8::is_ascii_alphanumeric))),
    row("isalpha", Nil(|me| all(me, u8::is_ascii_alphabetic))),
    row("isascii", Nil(|me| Ok(own(me).is_ascii().into()))),
    row("isdigit", Nil(|me| all(me, u8::is_ascii_digit))),
    row("isspace", Nil(|me| all(me, is_space))),
    row("join", One(join)),
    row("lower", Nil(|me| Ok(own(me).to_ascii_lowercase().into()))),
    row("lstrip", Pos(0, 1, |me, args| strip(me, args, true, false))),
    row("replace", Pos(2, 3, replace)),
    row("rfind", Old(1, 3, |me, args| Ok(find(me, args, true)?.map_or(-1, |at| at as i64).into()))),
    row("rindex", Old(1, 3, |me, args| find(me, args, true)?.map(Obj::from).ok_or_else(not_found))),
    row("rstrip", Pos(0, 1, |me, args| strip(me, args, false, true))),
    row("split", Named(&["sep", "maxsplit"], 0, split)),
    row("splitlines", Named(&["keepends"], 0, splitlines)),
    row("startswith", Old(1, 3, |me, args| ends(me, args, "startswith", |b, sub| b.starts_with(sub)))),
    row("strip", Pos(0, 1, |me, args| strip(me, args, true, true))),
    row("upper", Nil(|me| Ok(own(me).to_ascii_uppercase().into()))),
];

fn own(me: &Obj) -> &[u8] {
    if let Obj::Bytes(bytes) = me { bytes } else { &[] }
}

fn is_space(b: &u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

fn all(me: &Obj, holds: fn(&u8) -> bool) -> R {
    Ok((!own(me).is_empty() && own(me).iter().all(holds)).into())
}

fn not_found() -> PyErr {
    PyErr::value("subsection not found")
}

/// Bytes, where only bytes will do.
fn like(arg: &Obj) -> R<&[u8]> {
    match arg {
        Obj::Bytes(bytes) => Ok(bytes),
        _ => Err(PyErr::ty(format!("a bytes-like object is required, not '{}'", arg.type_name()))),
    }
}

/// What is searched for: bytes or one byte.
fn needle(arg: &Obj) -> R<Vec<u8>> {
    match (arg, num(arg)) {
        (Obj::Bytes(bytes), _) => Ok(bytes.to_vec()),
        (_, Some(Num::Int(n @ 0..=255))) => Ok(vec![n as u8]),
        (_, Some(Num::Int(_) | Num::Big(_))) => Err(PyErr::value("byte must be in range(0, 256)")),
        _ => Err(PyErr::ty(format!(
            "argument should be integer or bytes-like object, not '{}'",
            arg.type_name()
        ))),
    }
}

fn part<'a>(me: &'a Obj, args: &[Obj]) -> R<(Option<&'a [u8]>, usize)> {
    let place = |at: usize| args.get(at).map_or(Ok(None), seq::bound);
    let (start, stop) = seq::bounds(own(me).len(), place(1)?, place(2)?);
    Ok((own(me).get(start..stop), start))
}

fn position(bytes: &[u8], sub: &[u8], last: bool) -> Option<usize> {
    let most = bytes.len().checked_sub(sub.len())?;
    let at = |at: &usize| bytes[*at..].starts_with(sub);
    if last { (0..=most).rev().find(at) } else { (0..=most).find(at) }
}

fn find(me: &Obj, args: &[Obj], last: bool) -> R<Option<usize>> {
    let (part, first) = part(me, args)?;
    let sub = needle(&args[0])?;
    Ok(part.and_then(|part| position(part, &sub, last)).map(|at| at + first))
}

fn ends(me: &Obj, args: &[Obj], name: &str, holds: fn(&[u8], &[u8]) -> bool) -> R {
    let (part, _) = part(me, args)?;
    let test = |sub: &[u8]| part.is_some_and(|part| holds(part, sub));
    match &args[0] {
        Obj::Bytes(sub) => Ok(test(sub).into()),
        Obj::Tuple(subs) => {
            for sub in subs.iter() {
                if test(like(sub)?) {
                    return Ok(true.into());
                }
            }
            Ok(false.into())
        }
        other => Err(PyErr::ty(format!(
            "{name} first arg must be bytes or a tuple of bytes, not {}",
            other.type_name()
        ))),
    }
}

fn join(me: &Obj, items: &Obj) -> R {
    let items = match items.items() {
        Ok(items) => items,
        Err(_) if items.iter().is_err() => return Err(PyErr::ty("can only join an iterable")),
        Err(e) => return Err(e),
    };
    let mut len = own(me).len().saturating_mul(items.len());
    let mut parts = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let Obj::Bytes(part) = item else {
            let found = item.type_name();
            return Err(PyErr::ty(format!("sequence item {i}: expected a bytes-like object, {found} found")));
        };
        len = len.saturating_add(part.len());
        parts.push(&**part);
    }
    limit::bytes(len)?;
    Ok(parts.join(own(me)).into())
}

fn strip(me: &Obj, args: &[Obj], left: bool, right: bool) -> R {
    let chars = match args.first() {
        None | Some(Obj::None) => None,
        Some(chars) => Some(like(chars)?),
    };
    let strips = |b: &u8| chars.map_or_else(|| is_space(b), |set| set.contains(b));
    let mut rest = own(me);
    while let (true, Some((first, after))) = (left, rest.split_first()) {
        if !strips(first) {
            break;
        }
        rest = after;
    }
    while let (true, Some((last, before))) = (right, rest.split_last()) {
        if !strips(last) {
            break;
        }
        rest = before;
    }
    Ok(Obj::bytes(rest))
}

fn replace(me: &Obj, args: &[Obj]) -> R {
    let (from, to) = (like(&args[0])?, like(&args[1])?);
    let most = usize::try_from(args.get(2).map_or(Ok(-1), seq::index)?).unwrap_or(usize::MAX);
    let mut out = Vec::new();
    let mut rest = own(me);
    let mut done = 0;
    while done < most {
        limit::bytes(to.len())?;
        if from.is_empty() {
            out.extend_from_slice(to);
            done += 1;
            let Some((first, after)) = rest.split_first() else { break };
            out.push(*first);
            rest = after;
            continue;
        }
        let Some(at) = position(rest, from, false) else { break };
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
        done += 1;
    }
    out.extend_from_slice(rest);
    limit::bytes(out.len())?;
    Ok(out.into())
}

fn list(parts: Vec<&[u8]>) -> R {
    limit::items(parts.len(), size_of::<Obj>())?;
    Ok(Obj::list(parts.into_iter().map(Obj::bytes).collect()))
}

fn split(me: &Obj, args: &[Option<Obj>]) -> R {
    let most = match &args[1] {
        None => usize::MAX,
        Some(most) => usize::try_from(seq::index(most)?).unwrap_or(usize::MAX),
    };
    let mut parts = Vec::new();
    let mut rest = own(me);
    let skip = |rest: &[u8]| rest.iter().take_while(|b| is_space(b)).count();
    match &args[0] {
        None | Some(Obj::None) => {
            rest = &rest[skip(rest)..];
            while !rest.is_empty() {
                let end = rest.iter().position(is_space).filter(|_| parts.len() < most);
                match end {
                    Some(at) => {
                        parts.push(&rest[..at]);
                        rest = &rest[at..];
                        rest = &rest[skip(rest)..];
                    }
                    None => {
                        parts.push(rest);
                        break;
                    }
                }
            }
        }
        Some(sep) => {
            let sep = like(sep)?;
            if sep.is_empty() {
                return Err(PyErr::value("empty separator"));
            }
            while let Some(at) = position(rest, sep, false).filter(|_| parts.len() < most) {
                parts.push(&rest[..at]);
                rest = &rest[at + sep.len()..];
            }
            parts.push(rest);
        }
    }
    list(parts)
}

fn hex(me: &Obj, args: &[Option<Obj>]) -> R {
    let every = args[1].as_ref().map_or(Ok(1), c_int)?;
    let sep = match &args[0] {
        None => None,
        Some(sep) if crate::ops::len(sep)? != 1 => return Err(PyErr::value("sep must be length 1.")),
        Some(Obj::Bytes(sep)) => Some(String::from_utf8_lossy(sep).into_owned()),
        Some(sep) => {
            let text = sep.as_str().ok_or_else(|| PyErr::ty("sep must be str or bytes."))?;
            Some(text.to_owned())
        }
    };
    if sep.as_ref().is_some_and(|sep| !sep.is_ascii()) {
        return Err(PyErr::value("sep must be ASCII."));
    }
    limit::bytes(own(me).len() * 3)?;
    let len = own(me).len();
    let size = every.unsigned_abs() as usize;
    let mut out = String::new();
    for (at, b) in own(me).iter().enumerate() {
        // Groups are counted from the end, or with a negative size from the beginning.
        let from = if every > 0 { len - at } else { at };
        if let Some(sep) = sep.as_ref().filter(|_| size > 0 && at > 0 && from % size == 0) {
            out.push_str(sep);
        }
        out.push_str(&format!("{b:02x}"));
    }
    Ok(out.into())
}

fn splitlines(me: &Obj, args: &[Option<Obj>]) -> R {
    let keep = args[0].as_ref().map_or(Ok(0), c_int)? != 0;
    let mut parts = Vec::new();
    let mut rest = own(me);
    while !rest.is_empty() {
        let Some(at) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
            parts.push(rest);
            break;
        };
        let end = if rest[at..].starts_with(b"\r\n") { at + 2 } else { at + 1 };
        parts.push(&rest[..if keep { end } else { at }]);
        rest = &rest[end..];
    }
    list(parts)
}
