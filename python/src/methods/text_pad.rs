//! Methods of `str`: filling up to a width.

use super::{Fun::Named, Fun::One, Fun::Pos, Method, c_int, own, row};
use crate::error::{PyErr, R};
use crate::limit;
use crate::obj::Obj;
use crate::seq;

pub(super) const METHODS: &[Method] = &[
    row("center", Pos(1, 2, |me, args| pad(me, args, |missing, width| missing / 2 + (missing & width & 1)))),
    row("expandtabs", Named(&["tabsize"], 0, expandtabs)),
    row("ljust", Pos(1, 2, |me, args| pad(me, args, |_, _| 0))),
    row("rjust", Pos(1, 2, |me, args| pad(me, args, |missing, _| missing))),
    row("zfill", One(zfill)),
];

fn pad(me: &Obj, args: &[Obj], left: fn(usize, usize) -> usize) -> R {
    let width = seq::index(&args[0])?;
    let fill = match args.get(1) {
        None => ' ',
        Some(fill) => {
            let text = fill.as_str().ok_or_else(|| {
                let name = fill.type_name();
                PyErr::ty(format!("The fill character must be a unicode character, not {name}"))
            })?;
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => c,
                _ => return Err(PyErr::ty("The fill character must be exactly one character long")),
            }
        }
    };
    let text = own(me);
    let width = usize::try_from(width).unwrap_or(0);
    let missing = width.saturating_sub(seq::chars(text));
    limit::bytes(missing.saturating_mul(fill.len_utf8()).saturating_add(text.len()))?;
    let left = left(missing, width);
    let mut out = String::new();
    out.extend(std::iter::repeat_n(fill, left));
    out.push_str(text);
    out.extend(std::iter::repeat_n(fill, missing - left));
    Ok(out.into())
}

fn zfill(me: &Obj, width: &Obj) -> R {
    let text = own(me);
    let width = usize::try_from(seq::index(width)?).unwrap_or(0);
    let missing = width.saturating_sub(seq::chars(text));
    limit::bytes(missing.saturating_add(text.len()))?;
    let sign = if text.starts_with(['+', '-']) { 1 } else { 0 };
    Ok([&text[..sign], &"0".repeat(missing), &text[sign..]].concat().into())
}

fn expandtabs(me: &Obj, args: &[Option<Obj>]) -> R {
    let size = args[0].as_ref().map_or(Ok(8), c_int)?;
    let size = usize::try_from(size).unwrap_or(0);
    let mut out = String::new();
    let mut column = 0;
    for c in own(me).chars() {
        match c {
            '\t' if size > 0 => {
                let n = size - column % size;
                limit::grown(out.len(), out.len().saturating_add(n))?;
                out.extend(std::iter::repeat_n(' ', n));
                column += n;
            }
            '\t' => {}
            c => {
                out.push(c);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    limit::bytes(out.len())?;
    Ok(out.into())
}
