//! Python's `str.format` for templates that operators write (`state_tabular`).
//!
//! Not all of it: attributes are refused, and so are the types `c` and `n`.

mod spec;

use super::CannotPrint;
use brine_core::text::{python_repr, python_str};
use brine_protocol::{Map, Value};

type Result<T> = std::result::Result<T, CannotPrint>;

/// What a field may name.
#[derive(Clone, Copy)]
pub(super) enum Arg<'a> {
    /// Text.
    Text(&'a str),
    /// A map, whose members can be named.
    Map(&'a Map),
}

/// Fields are numbered by themselves or by hand, not both.
enum Numbering {
    Open,
    Counted(usize),
    ByHand,
}

impl Numbering {
    fn index(&mut self, name: &str) -> Result<usize> {
        let (index, next) = match (&self, name) {
            (Self::Open, "") => (0, Self::Counted(1)),
            (Self::Counted(n), "") => (*n, Self::Counted(n + 1)),
            (Self::Open | Self::ByHand, number) => {
                (number.parse().map_err(|_| CannotPrint::Data)?, Self::ByHand)
            }
            (Self::Counted(_), _) => return Err(CannotPrint::Data),
        };
        *self = next;
        Ok(index)
    }
}

/// `template.format(*args)`.
pub(super) fn format(template: &str, args: &[Arg<'_>]) -> Result<String> {
    let mut auto = Numbering::Open;
    expand(template, args, &mut auto, 2)
}

fn expand(template: &str, args: &[Arg<'_>], auto: &mut Numbering, depth: usize) -> Result<String> {
    if depth == 0 {
        return Err(CannotPrint::Data);
    }
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(CannotPrint::Data);
        }
        let end = field_end(rest).ok_or(CannotPrint::Data)?;
        out.push_str(&field(&rest[..end], args, auto, depth)?);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Where the brace stands that closes a field.
fn field_end(text: &str) -> Option<usize> {
    let mut open = 1usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

fn field(field: &str, args: &[Arg<'_>], auto: &mut Numbering, depth: usize) -> Result<String> {
    let (head, spec) = field.split_once(':').unwrap_or((field, ""));
    let (name, conversion) = match head.split_once('!') {
        Some((name, conversion)) => (name, Some(conversion)),
        None => (head, None),
    };
    let first = name.find(['[', '.']).unwrap_or(name.len());
    let (index, mut path) = name.split_at(first);
    let index = auto.index(index)?;
    let mut value = match args.get(index).ok_or(CannotPrint::Data)? {
        Arg::Text(text) => Value::from(*text),
        Arg::Map(map) if path.is_empty() => Value::Map((*map).clone()),
        Arg::Map(map) => {
            let (key, after) = key(path)?;
            path = after;
            map.get_key(&key).cloned().ok_or(CannotPrint::Data)?
        }
    };
    while !path.is_empty() {
        let (key, after) = key(path)?;
        path = after;
        value = member(&value, &key).ok_or(CannotPrint::Data)?;
    }
    let value = match conversion {
        None => value,
        Some("s") => python_str(&value).into(),
        Some("r") => python_repr(&value).into(),
        Some(_) => return Err(CannotPrint::Data),
    };
    let spec = if spec.contains('{') { expand(spec, args, auto, depth - 1)? } else { spec.to_owned() };
    spec::apply(&value, &spec).ok_or(CannotPrint::Data)
}

/// `[key]` and what follows: digits alone are an integer.
fn key(path: &str) -> Result<(Value, &str)> {
    let (key, rest) = path.strip_prefix('[').and_then(|p| p.split_once(']')).ok_or(CannotPrint::Data)?;
    let number: Option<i128> = key.parse().ok().filter(|_| key.bytes().all(|b| b.is_ascii_digit()));
    Ok((number.map_or_else(|| key.into(), Value::Int), rest))
}

fn member(value: &Value, key: &Value) -> Option<Value> {
    let index = || key.as_int().and_then(|n| usize::try_from(n).ok());
    match value {
        Value::Map(map) => map.get_key(key).cloned(),
        Value::List(items) => items.get(index()?).cloned(),
        Value::Str(text) => text.chars().nth(index()?).map(|c| c.to_string().into()),
        _ => None,
    }
}
