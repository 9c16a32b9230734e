//! Filters on text: conversions, names, quoting.

use super::kinds::class;
use brine_jinja::{State, Table};
use brine_python::{
    Args, Kind, Obj, Op, PyErr, R, Signature, binary, call_method, float, getitem, int, len, need_bytes,
    slice, str, truth,
};
use num_bigint::BigInt;
use sha1::{Digest, Sha1};

pub(super) fn add(table: &mut Table) {
    table.insert("to_bytes", to_bytes);
    table.insert("to_num", to_num);
    table.insert("str_to_num", to_num);
    table.insert("is_hex", is_hex);
    table.insert("contains_whitespace", contains_whitespace);
    table.insert("human_to_bytes", human_to_bytes);
    table.insert("to_snake_case", to_snake_case);
    table.insert("to_camelcase", to_camelcase);
    table.insert("quote", quote);
    table.insert("skip", skip);
    table.insert("sequence", sequence);
    table.insert("to_bool", to_bool);
    table.insert("uuid", uuid);
}

/// `salt.utils.stringutils.to_bytes`.
pub(crate) fn bytes_of(obj: &Obj, encoding: Option<&Obj>, errors: Option<&Obj>) -> R {
    let encodings = encodings(encoding)?;
    match obj {
        Obj::Bytes(_) => Ok(obj.clone()),
        _ if obj.as_str().is_some() => coded(obj, "encode", &encodings, errors, Kind::UnicodeEncodeError),
        _ => Err(PyErr::ty(format!("expected str, bytes, or bytearray not {}", class(obj)))),
    }
}

/// The same as plain bytes.
pub(crate) fn raw_bytes(obj: &Obj) -> R<std::rc::Rc<[u8]>> {
    match bytes_of(obj, None, None)? {
        Obj::Bytes(bytes) => Ok(bytes),
        _ => Ok([].into()),
    }
}

/// `salt.utils.stringutils.to_str` without options.
pub(crate) fn text_of(obj: &Obj) -> R {
    match obj {
        Obj::Bytes(_) => {
            coded(obj, "decode", &[Obj::str("utf-8"), Obj::str("utf-8")], None, Kind::UnicodeDecodeError)
        }
        _ if obj.as_str().is_some() => Ok(obj.clone()),
        _ => Err(PyErr::ty(format!("expected str, bytes, or bytearray not {}", class(obj)))),
    }
}

fn encodings(encoding: Option<&Obj>) -> R<Vec<Obj>> {
    let all = match encoding {
        None | Some(Obj::None) => vec![Obj::str("utf-8")],
        Some(list @ (Obj::List(_) | Obj::Tuple(_))) => list.sequence().unwrap_or_default(),
        Some(one) => vec![one.clone()],
    };
    if all.is_empty() { Err(PyErr::value("encoding cannot be empty")) } else { Ok(all) }
}

/// The first encoding that does it; otherwise the error of the last.
fn coded(obj: &Obj, method: &str, encodings: &[Obj], errors: Option<&Obj>, failure: Kind) -> R {
    let mut failed = None;
    for encoding in encodings {
        let errors = errors.cloned().unwrap_or_else(|| Obj::str("strict"));
        match call_method(obj, method, &Args::of([encoding.clone(), errors])) {
            Err(e) if e.kind() == failure => failed = Some(e),
            done => return done,
        }
    }
    Err(failed.unwrap_or_else(|| PyErr::value("encoding cannot be empty")))
}

fn to_bytes(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("to_bytes", 0, &["s", "encoding", "errors"], 1);
    let a = SIG.bind(args)?;
    bytes_of(a.at(0), a.get(1), a.get(2))
}

/// `salt.utils.stringutils.to_num`.
pub(crate) fn number(obj: &Obj) -> R {
    let no_number = |e: &PyErr| matches!(e.kind(), Kind::ValueError);
    match int(obj, None) {
        Err(e) if no_number(&e) => {}
        done => return done,
    }
    match float(obj) {
        Ok(x) => Ok(Obj::Float(x)),
        Err(e) if no_number(&e) => Ok(obj.clone()),
        Err(e) => Err(e),
    }
}

fn to_num(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("to_num", 0, &["text"], 1);
    number(SIG.bind(args)?.at(0))
}

fn is_hex(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("is_hex", 0, &["value"], 1);
    match int(SIG.bind(args)?.at(0), Some(&Obj::Int(16))) {
        Ok(_) => Ok(true.into()),
        Err(e) if matches!(e.kind(), Kind::TypeError | Kind::ValueError) => Ok(false.into()),
        Err(e) => Err(e),
    }
}

fn contains_whitespace(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("contains_whitespace", 0, &["text"], 1);
    let iter = SIG.bind(args)?.at(0).iter()?;
    while let Some(item) = iter.next()? {
        if truth(&call_method(&item, "isspace", &Args::default())?)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn human_to_bytes(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("human_to_bytes", 0, &["size", "default_unit", "handle_metric"], 1);
    let a = SIG.bind(args)?;
    let size = call_method(&Obj::from(str(a.at(0))?), "strip", &Args::default())?;
    let size = size.as_str().unwrap_or_default();
    let end = size.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(size.len());
    let (value, rest) = size.split_at(end);
    let unit = call_method(&Obj::str(rest), "lstrip", &Args::default())?;
    if unit.as_str().is_some_and(|unit| unit.contains('\n')) {
        return Err(PyErr::new(Kind::AttributeError, "'NoneType' object has no attribute 'group'"));
    }
    let lower = |obj: &Obj| call_method(obj, "lower", &Args::default());
    let unit = match truth(&unit)? {
        true => lower(&unit)?,
        false => lower(&a.get(1).cloned().unwrap_or_else(|| Obj::str("B")))?,
    };
    let value = match number(&Obj::str(value))? {
        Obj::Str(_) => return Ok(Obj::Int(0)),
        value => value,
    };
    let Some(unit) = unit.as_str() else {
        let given = super::regex::not_text(&unit);
        return Err(given);
    };
    let unit = unit.strip_suffix('\n').unwrap_or(unit);
    let mut letters = unit.chars();
    let power = letters.next().and_then(|c| "bkmgtpezy".find(c)).map(|p| p as u32);
    let (decimal, power) = match (power, letters.as_str()) {
        (Some(p @ 1..), "b") => (a.truth(2, false)?, p),
        (Some(p @ 1..), "" | "ib") => (false, p),
        (Some(0), "") => (false, 0),
        _ => return Ok(Obj::Int(0)),
    };
    let factor = if decimal { BigInt::from(10).pow(power * 3) } else { BigInt::from(2).pow(power * 10) };
    int(&binary(Op::Mul, &value, &Obj::big(factor))?, None)
}

fn to_snake_case(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("camel_to_snake_case", 0, &["camel_input"], 1);
    let a = SIG.bind(args)?;
    let input = a.at(0);
    let method = |obj: &Obj, name: &str| call_method(obj, name, &Args::default());
    let asks = |obj: &Obj, name: &str| truth(&method(obj, name)?);
    let mut out = method(&getitem(input, &Obj::Int(0))?, "lower")?;
    let rest = slice(input, &Obj::Int(1), &Obj::None, &Obj::None)?.iter()?;
    let chars: Vec<Obj> = input.iter()?.collect()?;
    let mut at: usize = 0;
    while let Some(letter) = rest.next()? {
        at += 1;
        if asks(&letter, "isupper")? {
            let before = chars.get(at - 1).cloned().unwrap_or_default();
            let parts = asks(&before, "islower")?
                || (at + 1 != len(input)?
                    && asks(&chars.get(at + 1).cloned().unwrap_or_default(), "islower")?);
            if parts {
                out = binary(Op::Add, &out, &Obj::str("_"))?;
            }
        }
        out = binary(Op::Add, &out, &method(&letter, "lower")?)?;
    }
    Ok(out)
}

fn to_camelcase(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("snake_to_camel_case", 0, &["snake_input", "uppercamel"], 1);
    let a = SIG.bind(args)?;
    let capitalize = |obj: &Obj| call_method(obj, "capitalize", &Args::default());
    let words = call_method(a.at(0), "split", &Args::of([Obj::str("_")]))?.items()?;
    let mut first = words.first().cloned().unwrap_or_default();
    if a.truth(1, false)? {
        first = capitalize(&first)?;
    }
    let rest = words.iter().skip(1).map(capitalize).collect::<R<Vec<_>>>()?;
    let rest = call_method(&Obj::str(""), "join", &Args::of([Obj::list(rest)]))?;
    binary(Op::Add, &first, &rest)
}

fn quote(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("quote", 0, &["txt"], 1);
    let a = SIG.bind(args)?;
    let text = a.at(0);
    if !truth(text)? {
        return Ok(Obj::str("''"));
    }
    let Some(plain) = text.as_str() else { return Err(super::regex::not_text(text)) };
    if plain.bytes().all(|b| b.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&b)) {
        return Ok(text.clone());
    }
    let inside = call_method(text, "replace", &Args::of([Obj::str("'"), Obj::str("'\"'\"'")]))?;
    binary(Op::Add, &binary(Op::Add, &Obj::str("'"), &inside)?, &Obj::str("'"))
}

fn skip(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("skip_filter", 0, &["data"], 1);
    SIG.bind(args).map(|_| Obj::str(""))
}

fn sequence(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("ensure_sequence_filter", 0, &["data"], 1);
    let a = SIG.bind(args)?;
    Ok(match a.at(0) {
        data @ (Obj::List(_) | Obj::Tuple(_) | Obj::Dict(_)) => data.clone(),
        data @ Obj::Set(set) if !set.frozen() => data.clone(),
        data => Obj::list(vec![data.clone()]),
    })
}

fn to_bool(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("to_bool", 0, &["val"], 1);
    let a = SIG.bind(args)?;
    let value = a.at(0);
    Ok(match value {
        Obj::Bool(b) => *b,
        Obj::Int(n) => *n > 0,
        Obj::Big(n) => n.sign() == num_bigint::Sign::Plus,
        _ if value.as_str().is_some() => {
            let lower = call_method(value, "lower", &Args::default())?;
            matches!(lower.as_str(), Some("yes" | "1" | "true"))
        }
        _ if !super::kinds::hashable(value) => len(value)? > 0,
        _ => false,
    }
    .into())
}

/// Salt's own name space of UUIDs.
const SPACE: [u8; 16] =
    [0x91, 0x63, 0x3e, 0xbf, 0x1c, 0x86, 0x5e, 0x33, 0x93, 0x5a, 0x28, 0x06, 0x1f, 0x4b, 0x48, 0x0e];

fn uuid(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("uuid_", 0, &["val"], 1);
    let name = text_of(SIG.bind(args)?.at(0))?;
    let mut hash = Sha1::new();
    hash.update(SPACE);
    hash.update(name.as_str().unwrap_or_default());
    let mut id: [u8; 16] = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    id[6] = id[6] & 0x0f | 0x50;
    id[8] = id[8] & 0x3f | 0x80;
    let hex = super::hash::hex(&id);
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]).into())
}

/// Room for text that is about to be made.
pub(super) fn room(bytes: usize) -> R<()> {
    need_bytes(bytes)
}
