//! Methods of `bytes` that treat them as text of ASCII: cases, widths, parts, tables.

use super::{Fun::Any, Fun::Named, Fun::Nil, Fun::One, Fun::Pos, Method, c_int, row};
use crate::error::{PyErr, R};
use crate::limit;
use crate::obj::Obj;
use crate::seq;

pub(super) const METHODS: &[Method] = &[
    row(
        "capitalize",
        Nil(|me| {
            Ok(cased(own(me), |at, b| if at == 0 { b.to_ascii_uppercase() } else { b.to_ascii_lowercase() }))
        }),
    ),
    row("center", Pos(1, 2, |me, args| pad(me, args, "center"))),
    row("expandtabs", Named(&["tabsize"], 0, expandtabs)),
    row("fromhex", One(|_, text| fromhex(text))),
    row("islower", Nil(|me| Ok(is_case(own(me), u8::is_ascii_lowercase, u8::is_ascii_uppercase).into()))),
    row("istitle", Nil(|me| Ok(is_title(own(me)).into()))),
    row("isupper", Nil(|me| Ok(is_case(own(me), u8::is_ascii_uppercase, u8::is_ascii_lowercase).into()))),
    row("ljust", Pos(1, 2, |me, args| pad(me, args, "ljust"))),
    row("maketrans", Pos(2, 2, maketrans)),
    row("partition", One(|me, sep| partition(me, sep, false))),
    row("removeprefix", One(|me, part| Ok(Obj::bytes(own(me).strip_prefix(like(part)?).unwrap_or(own(me)))))),
    row("removesuffix", One(|me, part| Ok(Obj::bytes(own(me).strip_suffix(like(part)?).unwrap_or(own(me)))))),
    row("rjust", Pos(1, 2, |me, args| pad(me, args, "rjust"))),
    row("rpartition", One(|me, sep| partition(me, sep, true))),
    row("rsplit", Named(&["sep", "maxsplit"], 0, rsplit)),
    row(
        "swapcase",
        Nil(|me| {
            Ok(cased(own(me), |_, b| {
                if b.is_ascii_lowercase() { b.to_ascii_uppercase() } else { b.to_ascii_lowercase() }
            }))
        }),
    ),
    row(
        "title",
        Nil(|me| {
            let text = own(me);
            Ok(cased(text, |at, b| match at.checked_sub(1).map(|at| text[at].is_ascii_alphabetic()) {
                Some(true) => b.to_ascii_lowercase(),
                _ => b.to_ascii_uppercase(),
            }))
        }),
    ),
    row(
        "translate",
        Any(|me, args| {
            if args.pos.is_empty() {
                return Err(PyErr::ty("translate() takes at least 1 positional argument (0 given)"));
            }
            translate(me, &args.bind("translate", &["", "delete"], 1)?)
        }),
    ),
    row("zfill", One(zfill)),
];

fn own(me: &Obj) -> &[u8] {
    if let Obj::Bytes(bytes) = me { bytes } else { &[] }
}

fn like(arg: &Obj) -> R<&[u8]> {
    match arg {
        Obj::Bytes(bytes) => Ok(bytes),
        _ => Err(PyErr::ty(format!("a bytes-like object is required, not '{}'", arg.type_name()))),
    }
}

fn cased(bytes: &[u8], to: impl Fn(usize, u8) -> u8) -> Obj {
    bytes.iter().enumerate().map(|(at, b)| to(at, *b)).collect::<Vec<u8>>().into()
}

/// Whether some are of one case and none of the other.
fn is_case(bytes: &[u8], one: fn(&u8) -> bool, other: fn(&u8) -> bool) -> bool {
    bytes.iter().any(one) && !bytes.iter().any(other)
}

fn is_title(bytes: &[u8]) -> bool {
    let (mut inside, mut any) = (false, false);
    for b in bytes {
        if b.is_ascii_uppercase() == inside && b.is_ascii_alphabetic() {
            return false;
        }
        inside = b.is_ascii_alphabetic();
        any |= inside;
    }
    any
}

fn pad(me: &Obj, args: &[Obj], name: &str) -> R {
    let bytes = own(me);
    let width = seq::index(&args[0])?;
    let fill = match args.get(1) {
        None => b' ',
        Some(Obj::Bytes(fill)) if fill.len() == 1 => fill[0],
        Some(other) => {
            let given = super::given(other);
            return Err(PyErr::ty(format!(
                "{name}() argument 2 must be a byte string of length 1, not {given}"
            )));
        }
    };
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(bytes.len());
    limit::bytes(bytes.len().saturating_add(missing))?;
    let left = match name {
        "ljust" => 0,
        "rjust" => missing,
        // The odd one goes to the left when the width is odd.
        _ => missing / 2 + (missing & width as usize & 1),
    };
    Ok([vec![fill; left], bytes.to_vec(), vec![fill; missing - left]].concat().into())
}

fn expandtabs(me: &Obj, args: &[Option<Obj>]) -> R {
    let size = usize::try_from(args[0].as_ref().map_or(Ok(8), c_int)?).unwrap_or(0);
    let (mut out, mut column) = (Vec::new(), 0);
    for b in own(me) {
        match b {
            b'\t' if size > 0 => {
                let spaces = size - column % size;
                limit::bytes(spaces)?;
                out.extend(std::iter::repeat_n(b' ', spaces));
                column += spaces;
            }
            b'\t' => {}
            b => {
                out.push(*b);
                column = if matches!(b, b'\n' | b'\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(out.into())
}

fn fromhex(text: &Obj) -> R {
    let Some(text) = text.as_str() else {
        return Err(PyErr::ty(format!("fromhex() argument must be str, not {}", super::given(text))));
    };
    let chars: Vec<char> = text.chars().collect();
    let digit = |at: usize| -> R<u8> {
        let value = chars.get(at).and_then(|c| c.to_digit(16)).and_then(|d| u8::try_from(d).ok());
        value.ok_or_else(|| {
            PyErr::value(format!("non-hexadecimal number found in fromhex() arg at position {at}"))
        })
    };
    let (mut out, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        if matches!(chars[at], ' ' | '\t'..='\r') {
            at += 1;
            continue;
        }
        out.push(digit(at)? * 16 + digit(at + 1)?);
        at += 2;
    }
    Ok(out.into())
}

fn maketrans(_: &Obj, args: &[Obj]) -> R {
    let (from, to) = (like(&args[0])?, like(&args[1])?);
    if from.len() != to.len() {
        return Err(PyErr::value("maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (from, to) in from.iter().zip(to) {
        table[usize::from(*from)] = *to;
    }
    Ok(table.into())
}

fn translate(me: &Obj, args: &[Option<Obj>]) -> R {
    let table = match &args[0] {
        None | Some(Obj::None) => None,
        Some(table) => Some(like(table)?),
    };
    if table.is_some_and(|table| table.len() != 256) {
        return Err(PyErr::value("translation table must be 256 characters long"));
    }
    let delete = args[1].as_ref().map_or(Ok(&[][..]), like)?;
    let kept = own(me).iter().filter(|b| !delete.contains(b));
    let out: Vec<u8> = kept.map(|b| table.map_or(*b, |table| table[usize::from(*b)])).collect();
    Ok(out.into())
}

fn position(bytes: &[u8], sub: &[u8], last: bool) -> Option<usize> {
    let most = bytes.len().checked_sub(sub.len())?;
    let at = |at: &usize| bytes[*at..].starts_with(sub);
    if last { (0..=most).rev().find(at) } else { (0..=most).find(at) }
}

fn partition(me: &Obj, sep: &Obj, last: bool) -> R {
    let (bytes, sep) = (own(me), like(sep)?);
    if sep.is_empty() {
        return Err(PyErr::value("empty separator"));
    }
    let parts: [&[u8]; 3] = match position(bytes, sep, last) {
        Some(at) => [&bytes[..at], sep, &bytes[at + sep.len()..]],
        None if last => [&[], &[], bytes],
        None => [bytes, &[], &[]],
    };
    Ok(Obj::tuple(parts.map(Obj::bytes).into()))
}

fn is_space(b: &u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

fn rsplit(me: &Obj, args: &[Option<Obj>]) -> R {
    let most = match &args[1] {
        None => usize::MAX,
        Some(most) => usize::try_from(seq::index(most)?).unwrap_or(usize::MAX),
    };
    let trim = |bytes: &[u8]| bytes.len() - bytes.iter().rev().take_while(|b| is_space(b)).count();
    let mut parts: Vec<Obj> = Vec::new();
    let mut rest = own(me);
    let mut add = |part: &[u8]| -> R<usize> {
        limit::bytes(part.len() + size_of::<Obj>())?;
        parts.push(Obj::bytes(part));
        Ok(parts.len())
    };
    let mut done = 0;
    match &args[0] {
        None | Some(Obj::None) => {
            rest = &rest[..trim(rest)];
            while !rest.is_empty() {
                match rest.iter().rposition(is_space).filter(|_| done < most) {
                    Some(at) => {
                        done = add(&rest[at + 1..])?;
                        rest = &rest[..trim(&rest[..at])];
                    }
                    None => {
                        add(rest)?;
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
            while let Some(at) = position(rest, sep, true).filter(|_| done < most) {
                done = add(&rest[at + sep.len()..])?;
                rest = &rest[..at];
            }
            add(rest)?;
        }
    }
    parts.reverse();
    Ok(Obj::list(parts))
}

fn zfill(me: &Obj, width: &Obj) -> R {
    let bytes = own(me);
    let missing = usize::try_from(seq::index(width)?).unwrap_or(0).saturating_sub(bytes.len());
    limit::bytes(bytes.len().saturating_add(missing))?;
    let sign = usize::from(missing > 0 && matches!(bytes.first(), Some(b'+' | b'-')));
    Ok([&bytes[..sign], &vec![b'0'; missing], &bytes[sign..]].concat().into())
}
