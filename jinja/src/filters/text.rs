//! Filters of text.

use super::args::filter_error;
use crate::env::State;
use crate::markup::{Markup, escape, has_html, html, is_markup, soft_str, striptags};
use brine_python::{
    Args, Cmp, Kind, Obj, Op, PyErr, R, Signature, binary, call_method, compare, is_alnum, is_space,
    need_bytes,
};

/// A filter whose only argument is the value, by the method of `str` that it runs.
fn method(args: &Args, signature: &Signature, name: &str) -> R {
    let text = soft_str(signature.bind(args)?.at(0))?;
    call_method(&text, name, &Args::default())
}

pub(super) fn upper(_: &State, args: &Args) -> R {
    method(args, &Signature::new("do_upper", 0, &["s"], 1), "upper")
}

pub(super) fn lower(_: &State, args: &Args) -> R {
    method(args, &Signature::new("do_lower", 0, &["s"], 1), "lower")
}

pub(super) fn capitalize(_: &State, args: &Args) -> R {
    method(args, &Signature::new("do_capitalize", 0, &["s"], 1), "capitalize")
}

pub(super) fn title(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_title", 0, &["s"], 1);
    let text = soft_str(S.bind(args)?.at(0))?;
    let text = text.as_str().unwrap_or_default();
    let between = |c: char| is_space(c) || matches!(c, '-' | '(' | '{' | '[' | '<');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // Words and what stands between them are treated alike.
        let kind = between(first);
        let end = rest.find(|c| between(c) != kind).unwrap_or(rest.len());
        let (head, tail) = rest[..end].split_at(first.len_utf8());
        for (part, name) in [(head, "upper"), (tail, "lower")] {
            let part = call_method(&part.into(), name, &Args::default())?;
            out.push_str(part.as_str().unwrap_or_default());
        }
        rest = &rest[end..];
    }
    need_bytes(out.len())?;
    Ok(out.into())
}

pub(super) fn trim(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_trim", 0, &["value", "chars"], 1);
    let args = S.bind(args)?;
    call_method(&soft_str(args.at(0))?, "strip", &Args::of([args.at(1).clone()]))
}

pub(super) fn center(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_center", 0, &["value", "width"], 1);
    let args = S.bind(args)?;
    let width = args.get(1).cloned().unwrap_or(Obj::Int(80));
    call_method(&soft_str(args.at(0))?, "center", &Args::of([width]))
}

pub(super) fn string(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("soft_str", 0, &["s"], 1).only(1);
    soft_str(S.bind(args)?.at(0))
}

pub(super) fn format(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_format", 0, &["value"], 1).rest().named();
    let args = S.bind(args)?;
    if !args.rest.is_empty() && !args.named.is_empty() {
        return Err(filter_error("can't handle positional and keyword arguments at the same time"));
    }
    let text = soft_str(args.at(0))?;
    if args.named.is_empty() {
        return binary(Op::Mod, &text, &Obj::tuple(args.rest));
    }
    let values = brine_python::Dict::new();
    for (name, value) in args.named {
        values.set(Obj::Str(name), value)?;
    }
    binary(Op::Mod, &text, &Obj::dict(values))
}

pub(super) fn replace(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_replace", 1, &["eval_ctx", "s", "old", "new", "count"], 4);
    let args = S.bind(args)?;
    let (s, old, new) = (args.at(0), args.at(1), args.at(2));
    let count = args.some(3).cloned().unwrap_or(Obj::Int(-1));
    let (s, old, new) = if !state.autoescape {
        (brine_python::to_str(s)?, brine_python::to_str(old)?, brine_python::to_str(new)?)
    } else {
        let safe = has_html(old)? || has_html(new)? && !has_html(s)?;
        (if safe { escape(s)? } else { soft_str(s)? }, soft_str(old)?, soft_str(new)?)
    };
    call_method(&s, "replace", &Args::of([old, new, count]))
}

pub(super) fn strip_tags(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_striptags", 0, &["value"], 1);
    let args = S.bind(args)?;
    let value = html(args.at(0))?.unwrap_or_else(|| args.at(0).clone());
    Ok(striptags(&brine_python::str(&value)?).into())
}

pub(super) fn wordcount(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_wordcount", 0, &["s"], 1);
    let text = soft_str(S.bind(args)?.at(0))?;
    let text = text.as_str().unwrap_or_default();
    let words = text.split(|c: char| !is_alnum(c) && c != '_').filter(|word| !word.is_empty());
    Ok(words.count().into())
}

/// `s += text`, which changes a list.
fn add_in_place(s: &Obj, text: Obj) -> R {
    if let Obj::List(_) = s {
        call_method(s, "extend", &Args::of([text]))?;
        return Ok(s.clone());
    }
    binary(Op::Add, s, &text).map_err(|e| {
        let text = e.to_string();
        match text.strip_prefix("unsupported operand type(s) for +:") {
            Some(rest) if e.kind() == Kind::TypeError => {
                PyErr::ty(format!("unsupported operand type(s) for +=:{rest}"))
            }
            _ => e,
        }
    })
}

pub(super) fn indent(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_indent", 0, &["s", "width", "first", "blank"], 1);
    let args = S.bind(args)?;
    let s = args.at(0);
    let width = match args.get(1) {
        Some(width) if width.as_str().is_some() => width.clone(),
        width => binary(Op::Mul, &" ".into(), width.unwrap_or(&Obj::Int(4)))?,
    };
    let (safe, safe_width) = (is_markup(s), is_markup(&width));
    let s = add_in_place(s, if safe { Markup::new("\n") } else { "\n".into() })?;
    let blank = args.truth(3, false)?;
    let first = |args: &brine_python::Bound| args.truth(2, false);
    if s.as_str().is_none() || safe_width && !safe {
        return indent_mixed(&s, &width, blank, || first(&args));
    }
    let lines = call_method(&s, "splitlines", &Args::default())?.items()?;
    let indention = width.as_str().unwrap_or_default();
    let size = s.as_str().map_or(0, str::len);
    need_bytes(size.saturating_add(lines.len().saturating_mul(indention.len() + 1)))?;
    let mut out = String::with_capacity(size);
    for (at, line) in lines.iter().filter_map(Obj::as_str).enumerate() {
        if at > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(indention);
            }
        }
        out.push_str(line);
    }
    if first(&args)? {
        out.insert_str(0, indention);
    }
    Ok(if safe { Markup::new(out) } else { out.into() })
}

/// Indents plain text by markup, which escapes what it is added to.
fn indent_mixed(s: &Obj, width: &Obj, blank: bool, first: impl Fn() -> R<bool>) -> R {
    let newline = Obj::from("\n");
    let lines = call_method(s, "splitlines", &Args::default())?;
    let mut out = if blank {
        let between = binary(Op::Add, &newline, width)?;
        call_method(&between, "join", &Args::of([lines]))?
    } else {
        let lines = lines.items()?;
        let (head, rest) =
            lines.split_first().ok_or_else(|| PyErr::new(Kind::IndexError, "pop from empty list"))?;
        let mut out = head.clone();
        if !rest.is_empty() {
            let mut indented = Vec::with_capacity(rest.len());
            for line in rest {
                indented.push(if brine_python::truth(line)? {
                    binary(Op::Add, width, line)?
                } else {
                    line.clone()
                });
            }
            let rest = call_method(&newline, "join", &Args::of([Obj::list(indented)]))?;
            out = binary(Op::Add, &out, &binary(Op::Add, &newline, &rest)?)?;
        }
        out
    };
    if first()? {
        out = binary(Op::Add, width, &out)?;
    }
    Ok(out)
}

pub(super) fn truncate(_: &State, args: &Args) -> R {
    const S: Signature =
        Signature::new("do_truncate", 1, &["env", "s", "length", "killwords", "end", "leeway"], 2);
    const LEEWAY: i64 = 5;
    let args = S.bind(args)?;
    let s = args.at(0);
    let length = args.get(1).cloned().unwrap_or(Obj::Int(255));
    let end = args.get(3).cloned().unwrap_or_else(|| "...".into());
    let leeway = args.some(4).cloned().unwrap_or(Obj::Int(LEEWAY));
    let asserted = |value: &Obj, least: Obj, what: &str| -> R<()> {
        if compare(Cmp::Ge, value, &least)? {
            return Ok(());
        }
        let (least, got) = (brine_python::str(&least)?, brine_python::format(value, "")?);
        Err(PyErr::new(Kind::Other("AssertionError"), format!("expected {what} >= {least}, got {got}")))
    };
    asserted(&length, brine_python::len(&end)?.into(), "length")?;
    asserted(&leeway, Obj::Int(0), "leeway")?;
    let most = binary(Op::Add, &length, &leeway)?;
    if compare(Cmp::Le, &brine_python::len(s)?.into(), &most)? {
        return Ok(s.clone());
    }
    let kept = binary(Op::Sub, &length, &brine_python::len(&end)?.into())?;
    let cut = || brine_python::slice(s, &Obj::None, &kept, &Obj::None);
    if args.truth(2, false)? {
        return binary(Op::Add, &cut()?, &end);
    }
    let words = call_method(&cut()?, "rsplit", &Args::of([" ".into(), Obj::Int(1)]))?;
    binary(Op::Add, &brine_python::getitem(&words, &Obj::Int(0))?, &end)
}
