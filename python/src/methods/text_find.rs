//! Methods of `str`: finding, counting, replacing, beginnings and ends.

use super::{Fun::Old, Fun::One, Fun::Pos, Method, own, row, text};
use crate::error::{PyErr, R};
use crate::limit;
use crate::obj::Obj;
use crate::seq;

pub(super) const METHODS: &[Method] = &[
    row("count", Old(1, 3, count)),
    row("endswith", Old(1, 3, |me, args| ends(me, args, "endswith", |text, part| text.ends_with(part)))),
    row("find", Old(1, 3, |me, args| Ok(find(me, args, false)?.map_or(-1, |at| at as i64).into()))),
    row("index", Old(1, 3, |me, args| find(me, args, false)?.map(Obj::from).ok_or_else(not_found))),
    row(
        "removeprefix",
        One(|me, part| {
            let part = text(part, "removeprefix() argument")?;
            Ok(own(me).strip_prefix(part).unwrap_or(own(me)).into())
        }),
    ),
    row(
        "removesuffix",
        One(|me, part| {
            let part = text(part, "removesuffix() argument")?;
            Ok(own(me).strip_suffix(part).unwrap_or(own(me)).into())
        }),
    ),
    row("replace", Pos(2, 3, replace)),
    row("rfind", Old(1, 3, |me, args| Ok(find(me, args, true)?.map_or(-1, |at| at as i64).into()))),
    row("rindex", Old(1, 3, |me, args| find(me, args, true)?.map(Obj::from).ok_or_else(not_found))),
    row(
        "startswith",
        Old(1, 3, |me, args| ends(me, args, "startswith", |text, part| text.starts_with(part))),
    ),
];

fn not_found() -> PyErr {
    PyErr::value("substring not found")
}

/// The part that start and end leave, and the place of its first character; `None` when start is behind the end.
fn part<'a>(text: &'a str, args: &[Obj]) -> R<Option<(&'a str, usize)>> {
    let place = |at: usize| args.get(at).map_or(Ok(None), seq::bound);
    let (start, stop) = (place(1)?, place(2)?);
    if start.is_none() && stop.is_none() {
        return Ok(Some((text, 0)));
    }
    let (start, stop) = seq::bounds(seq::chars(text), start, stop);
    if start > stop {
        return Ok(None);
    }
    Ok(Some((seq::substring(text, start, stop - start), start)))
}

fn find(me: &Obj, args: &[Obj], last: bool) -> R<Option<usize>> {
    let part = part(own(me), args)?;
    let sub = args[0].as_str().ok_or_else(|| must(&args[0]))?;
    let Some((text, first)) = part else { return Ok(None) };
    let at = if last { text.rfind(sub) } else { text.find(sub) };
    Ok(at.map(|at| first + seq::chars(&text[..at])))
}

fn must(arg: &Obj) -> PyErr {
    PyErr::ty(format!("must be str, not {}", arg.type_name()))
}

fn count(me: &Obj, args: &[Obj]) -> R {
    let part = part(own(me), args)?;
    let sub = args[0].as_str().ok_or_else(|| must(&args[0]))?;
    let Some((text, _)) = part else { return Ok(0.into()) };
    let n = if sub.is_empty() { seq::chars(text) + 1 } else { text.matches(sub).count() };
    Ok(n.into())
}

fn ends(me: &Obj, args: &[Obj], name: &str, holds: fn(&str, &str) -> bool) -> R {
    let within = part(own(me), args)?;
    let test = |sub: &str| within.is_some_and(|(text, _)| holds(text, sub));
    if let Some(sub) = args[0].as_str() {
        return Ok(test(sub).into());
    }
    let Obj::Tuple(subs) = &args[0] else {
        return Err(PyErr::ty(format!(
            "{name} first arg must be str or a tuple of str, not {}",
            args[0].type_name()
        )));
    };
    for sub in subs.iter() {
        let sub = sub.as_str().ok_or_else(|| {
            PyErr::ty(format!("tuple for {name} must only contain str, not {}", sub.type_name()))
        })?;
        if test(sub) {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn replace(me: &Obj, args: &[Obj]) -> R {
    let from = text(&args[0], "replace() argument 1")?;
    let to = text(&args[1], "replace() argument 2")?;
    let most = args.get(2).map_or(Ok(-1), seq::index)?;
    let whole = own(me);
    let found = if from.is_empty() { seq::chars(whole) + 1 } else { whole.matches(from).count() };
    let times = usize::try_from(most).map_or(found, |most| most.min(found));
    if times == 0 {
        return Ok(whole.into());
    }
    // What is taken out is not counted back.
    limit::bytes(whole.len().saturating_add(times.saturating_mul(to.len())))?;
    Ok(whole.replacen(from, to, times).into())
}
