//! Methods of `str`: case, and what kind of characters there are.

use super::{Fun::Nil, Method, own, row};
use crate::error::R;
use crate::limit;
use crate::obj::Obj;
use crate::uni;

pub(super) const METHODS: &[Method] = &[
    row("capitalize", Nil(capitalize)),
    row("casefold", Nil(|me| each(me, uni::push_fold))),
    row("lower", Nil(|me| made(own(me).to_lowercase()))),
    row("swapcase", Nil(swapcase)),
    row("title", Nil(title)),
    row("upper", Nil(|me| made(own(me).to_uppercase()))),
    row("isalnum", Nil(|me| all(me, uni::is_alnum))),
    row("isalpha", Nil(|me| all(me, uni::is_alpha))),
    row("isascii", Nil(|me| Ok(own(me).is_ascii().into()))),
    row("isdecimal", Nil(|me| all(me, uni::is_decimal))),
    row("isdigit", Nil(|me| all(me, uni::is_digit))),
    row("isidentifier", Nil(isidentifier)),
    row(
        "islower",
        Nil(|me| Ok(one_case(own(me), char::is_lowercase, |c| c.is_uppercase() || uni::is_title(c)).into())),
    ),
    row("isnumeric", Nil(|me| all(me, uni::is_numeric))),
    row("isprintable", Nil(|me| Ok(own(me).chars().all(uni::is_printable).into()))),
    row("isspace", Nil(|me| all(me, uni::is_space))),
    row("istitle", Nil(istitle)),
    row(
        "isupper",
        Nil(|me| Ok(one_case(own(me), char::is_uppercase, |c| c.is_lowercase() || uni::is_title(c)).into())),
    ),
];

fn made(text: String) -> R {
    limit::bytes(text.len())?;
    Ok(text.into())
}

fn each(me: &Obj, push: fn(&mut String, char)) -> R {
    let mut out = String::new();
    own(me).chars().for_each(|c| push(&mut out, c));
    made(out)
}

fn all(me: &Obj, holds: fn(char) -> bool) -> R {
    let text = own(me);
    Ok((!text.is_empty() && text.chars().all(holds)).into())
}

fn one_case(text: &str, is: fn(char) -> bool, is_not: impl Fn(char) -> bool) -> bool {
    text.chars().any(is) && !text.chars().any(is_not)
}

/// Everything in small letters, the small sigma at the ends of words included, from a place on.
fn lower_from(text: &str, at: usize) -> String {
    // The whole text is looked at, as the sigma depends on what is before it.
    let before = text[..at].to_lowercase().len();
    text.to_lowercase().get(before..).map_or_else(|| text[at..].to_lowercase(), str::to_owned)
}

fn capitalize(me: &Obj) -> R {
    let text = own(me);
    let mut out = String::new();
    if let Some(first) = text.chars().next() {
        uni::push_title(&mut out, first);
        out.push_str(&lower_from(text, first.len_utf8()));
    }
    made(out)
}

/// The small letter at a place: of a sigma, it depends on its neighbours.
fn push_lower(out: &mut String, text: &str, at: usize, c: char) {
    if c == 'Σ' {
        let lower = lower_from(text, at);
        out.extend(lower.chars().next());
    } else {
        out.extend(c.to_lowercase());
    }
}

fn swapcase(me: &Obj) -> R {
    let text = own(me);
    let mut out = String::new();
    for (at, c) in text.char_indices() {
        if c.is_uppercase() {
            push_lower(&mut out, text, at, c);
        } else if c.is_lowercase() {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
    }
    made(out)
}

fn title(me: &Obj) -> R {
    let text = own(me);
    let mut out = String::new();
    let mut inside = false;
    for (at, c) in text.char_indices() {
        if inside {
            push_lower(&mut out, text, at, c);
        } else {
            uni::push_title(&mut out, c);
        }
        inside = uni::is_cased(c);
    }
    made(out)
}

fn istitle(me: &Obj) -> R {
    let (mut found, mut inside) = (false, false);
    for c in own(me).chars() {
        if c.is_uppercase() || uni::is_title(c) {
            if inside {
                return Ok(false.into());
            }
            (found, inside) = (true, true);
        } else if c.is_lowercase() {
            if !inside {
                return Ok(false.into());
            }
            found = true;
        } else {
            inside = false;
        }
    }
    Ok(found.into())
}

fn isidentifier(me: &Obj) -> R {
    let mut chars = own(me).chars();
    let first = chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c));
    Ok((first && chars.all(unicode_ident::is_xid_continue)).into())
}
