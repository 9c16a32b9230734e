//! Filters on data: comparing, walking, encoding, and calling methods.

use super::kinds::{pairs, short};
use super::text::{bytes_of, number};
use super::traverse::traverse;
use brine_jinja::{State, Table};
use brine_python::{
    Args, Bound, Dict, Kind, Obj, PyErr, R, Set, Signature, call, call_method, contains, eq, find_attr,
    getitem, repr, truth,
};
use std::rc::Rc;

pub(super) fn add(table: &mut Table) {
    table.insert("compare_dicts", compare_dicts);
    table.insert("traverse", |_, args| {
        let a = TRAVERSE.bind(args)?;
        traverse(a.at(0), a.at(1), a.at(2), a.get(3))
    });
    table.insert("mysql_to_dict", mysql_to_dict);
    table.insert("json_encode_dict", |_, args| encode_dict(args));
    table.insert("json_decode_dict", |_, args| encode_dict(args));
    table.insert("json_encode_list", |_, args| encode_list(args));
    table.insert("json_decode_list", |_, args| encode_list(args));
    table.insert("method_call", method_call);
}

const TRAVERSE: Signature =
    Signature::new("traverse_dict_and_list", 0, &["data", "key", "default", "delimiter"], 2);

fn or_empty(obj: &Obj) -> R {
    Ok(if truth(obj)? { obj.clone() } else { Dict::new().into() })
}

fn compare_dicts(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("compare_dicts", 0, &["old", "new"], 0);
    let a = SIG.bind(args)?;
    let (old, new) = (a.at(0), a.at(1));
    let keys = Obj::Set(Rc::new(Set::of(&or_empty(new)?, false)?));
    let keys = call_method(&keys, "union", &Args::of([or_empty(old)?]))?;
    let out = Dict::new();
    for key in keys.items()? {
        let change = Dict::new();
        if !contains(old, &key)? {
            change.set_str("old", "");
            change.set_str("new", getitem(new, &key)?);
        } else if !contains(new, &key)? {
            change.set_str("new", "");
            change.set_str("old", getitem(old, &key)?);
        } else {
            let (before, after) = (getitem(old, &key)?, getitem(new, &key)?);
            if eq(&after, &before)? {
                continue;
            }
            change.set_str("old", before);
            change.set_str("new", after);
        }
        out.set(key, change.into())?;
    }
    Ok(out.into())
}

fn mysql_to_dict(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("mysql_to_dict", 0, &["data", "key"], 2);
    let a = SIG.bind(args)?;
    let out = Dict::new();
    let mut headers = vec![Obj::str("")];
    let iter = a.at(0).iter()?;
    while let Some(line) = iter.next()? {
        if !truth(&line)? || truth(&call_method(&line, "startswith", &Args::of([Obj::str("+")]))?)? {
            continue;
        }
        let mut cells = Vec::new();
        for cell in call_method(&line, "split", &Args::of([Obj::str("|")]))?.items()? {
            cells.push(call_method(&cell, "strip", &Args::default())?);
        }
        if headers.len() < 2 {
            headers = cells;
            continue;
        }
        let row = Dict::new();
        for (field, header) in headers.iter().enumerate().take(headers.len() - 1).skip(1) {
            let Some(cell) = cells.get(field) else {
                return Err(PyErr::new(Kind::IndexError, "list index out of range"));
            };
            row.set(header.clone(), number(cell)?)?;
        }
        let Some(name) = row.get(a.at(1))? else { return Err(PyErr::key(a.at(1))) };
        out.set(name, row.into())?;
    }
    Ok(out.into())
}

/// The options of `encode_dict` and `encode_list`.
struct Encode {
    encoding: Option<Obj>,
    errors: Option<Obj>,
    keep: bool,
    keep_class: bool,
    keep_tuples: bool,
}

fn encode(name: &'static str, args: &Args) -> R<(Bound, Encode)> {
    const PARAMS: &[&str] = &["data", "encoding", "errors", "keep", "preserve_dict_class", "preserve_tuples"];
    let a = Signature::new(name, 0, PARAMS, 1).bind(args)?;
    let how = Encode {
        encoding: a.get(1).cloned(),
        errors: a.get(2).cloned(),
        keep: a.truth(3, false)?,
        keep_class: a.truth(4, false)?,
        keep_tuples: a.truth(5, false)?,
    };
    Ok((a, how))
}

fn encode_dict(args: &Args) -> R {
    let (a, how) = encode("encode_dict", args)?;
    how.dict(a.at(0), 0)
}

fn encode_list(args: &Args) -> R {
    let (a, how) = encode("encode_list", args)?;
    how.list(a.at(0), 0)
}

impl Encode {
    fn dict(&self, data: &Obj, depth: usize) -> R {
        let out = match data {
            Obj::Dict(dict) if self.keep_class && dict.is_ordered() => Dict::ordered(),
            _ => Dict::new(),
        };
        for pair in call_method(data, "items", &Args::default())?.items()? {
            let pair = pair.items()?;
            let key = match &pair[0] {
                Obj::Tuple(_) if self.keep_tuples => self.value(&pair[0], depth)?,
                key @ Obj::Tuple(_) => self.list(key, depth)?,
                key => self.scalar(key)?,
            };
            out.set(key, self.value(&pair[1], depth)?)?;
        }
        Ok(out.into())
    }

    fn list(&self, data: &Obj, depth: usize) -> R {
        let mut out = Vec::new();
        let iter = data.iter()?;
        while let Some(item) = iter.next()? {
            out.push(self.value(&item, depth)?);
        }
        Ok(Obj::list(out))
    }

    fn value(&self, value: &Obj, depth: usize) -> R {
        if depth > 250 {
            return Err(PyErr::recursion(""));
        }
        match value {
            Obj::List(_) => self.list(value, depth + 1),
            Obj::Tuple(_) => {
                let items = self.list(value, depth + 1)?;
                Ok(if self.keep_tuples { Obj::tuple(items.items()?) } else { items })
            }
            _ if super::kinds::is_mapping(value) => self.dict(value, depth + 1),
            _ => self.scalar(value),
        }
    }

    fn scalar(&self, value: &Obj) -> R {
        match bytes_of(value, self.encoding.as_ref(), self.errors.as_ref()) {
            Err(e) if e.kind() == Kind::TypeError => Ok(value.clone()),
            Err(e) if e.kind() == Kind::UnicodeEncodeError && self.keep => Ok(value.clone()),
            done => done,
        }
    }
}

fn method_call(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("method_call", 0, &["obj", "f_name"], 2).rest().named();
    let a = SIG.bind(args)?;
    let Some(name) = a.at(1).as_str() else { return Err(super::hash::attribute_name(a.at(1))) };
    let found = match find_attr(a.at(0), name) {
        Err(e) if e.kind() == Kind::AttributeError => None,
        found => found?,
    };
    match found {
        Some(method) => call(&method, &Args { pos: a.rest, kw: a.named }),
        None => Ok(Obj::None),
    }
}

/// `salt.utils.data.simple_types_filter`: anything that is no plain data becomes its `repr`.
pub(super) fn simple(data: &Obj, depth: usize) -> R {
    if depth > 250 {
        return Err(PyErr::recursion(""));
    }
    let plain = |obj: &Obj| {
        matches!(
            obj,
            Obj::None
                | Obj::Bool(_)
                | Obj::Int(_)
                | Obj::Big(_)
                | Obj::Float(_)
                | Obj::List(_)
                | Obj::Tuple(_)
        ) || obj.as_str().is_some()
    };
    let shown = |obj: &Obj| -> R { Ok(if plain(obj) { obj.clone() } else { repr(obj)?.into() }) };
    if let Some(items) = data.sequence() {
        let each = |item: &Obj| match item {
            Obj::Dict(_) | Obj::List(_) => simple(item, depth + 1),
            item => shown(item),
        };
        return Ok(Obj::list(items.iter().map(each).collect::<R<Vec<_>>>()?));
    }
    let (Obj::Dict(_), Some(all)) = (data, pairs(data)?) else { return Ok(data.clone()) };
    let out = Dict::new();
    for (key, value) in all {
        let key = match &key {
            Obj::Tuple(_) => repr(&key)?.into(),
            key => shown(key)?,
        };
        let value = match &value {
            Obj::Dict(_) | Obj::List(_) | Obj::Tuple(_) => simple(&value, depth + 1)?,
            value => shown(value)?,
        };
        out.set(key, value)?;
    }
    Ok(out.into())
}

/// `type(x).__name__` for messages.
pub(super) fn kind_name(obj: &Obj) -> &str {
    short(obj)
}
