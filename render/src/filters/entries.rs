//! `to_entries` and `from_entries`, which Salt has from 3007 on.

use super::kinds::pairs;
use crate::live::dictupdate::SALT_EXCEPTION;
use brine_jinja::{State, Table};
use brine_python::{Args, Dict, Obj, PyErr, R, Signature, truth};

pub(super) fn add(table: &mut Table) {
    table.insert("to_entries", to_entries);
    table.insert("from_entries", from_entries);
}

fn to_entries(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("to_entries", 0, &["data"], 1);
    let a = SIG.bind(args)?;
    let entries = match a.at(0) {
        Obj::Dict(dict) => dict.pairs(),
        Obj::List(list) => {
            let items = list.borrow().clone();
            items.into_iter().enumerate().map(|(at, value)| (Obj::from(at), value)).collect()
        }
        _ => return Err(PyErr::new(SALT_EXCEPTION, "Input data must be a dict or list")),
    };
    let entry = |(key, value): (Obj, Obj)| {
        let entry = Dict::new();
        entry.set_str("key", key);
        entry.set_str("value", value);
        entry.into()
    };
    Ok(Obj::list(entries.into_iter().map(entry).collect()))
}

fn from_entries(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("from_entries", 0, &["entries"], 1);
    let a = SIG.bind(args)?;
    let out = Dict::new();
    for entry in a.at(0).items()? {
        let fields = match pairs(&entry)? {
            Some(fields) => fields,
            None => {
                let dict = Dict::new();
                dict.update(&entry)?;
                dict.pairs()
            }
        };
        // Names are the same in any case; the last one counts.
        let field = |name: &str| {
            let named = |(key, _): &&(Obj, Obj)| key.as_str().is_some_and(|k| k.to_lowercase() == name);
            fields.iter().rev().find(named).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        for name in ["key", "name"] {
            let key = field(name);
            if truth(&key)? {
                out.set(key, field("value"))?;
                break;
            }
        }
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_jinja::{Context, Environment, Syntax};
    use brine_python::repr;
    use std::rc::Rc;

    #[test]
    fn there_and_back() {
        let env = Environment::new(Syntax::default());
        let context = Rc::new(Context::new(env.globals.clone(), None, false));
        let state = State { env: Rc::new(env), context, autoescape: false };
        let dict = Dict::new();
        dict.set_str("a", Obj::Int(1));
        dict.set_str("b", Obj::None);
        let dict = Obj::dict(dict);
        let entries = to_entries(&state, &Args::of([dict.clone()])).unwrap();
        assert_eq!(repr(&entries).unwrap(), "[{'key': 'a', 'value': 1}, {'key': 'b', 'value': None}]");
        let back = from_entries(&state, &Args::of([entries])).unwrap();
        assert_eq!(repr(&back).unwrap(), "{'a': 1, 'b': None}");
        let named = Dict::new();
        named.set_str("Name", "x");
        named.set_str("VALUE", Obj::Int(2));
        let back = from_entries(&state, &Args::of([Obj::list(vec![named.into()])])).unwrap();
        assert_eq!(repr(&back).unwrap(), "{'x': 2}");
        assert!(to_entries(&state, &Args::of([Obj::Int(1)])).is_err());
    }
}
