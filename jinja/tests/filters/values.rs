//! Values that stock makes from source text and we from calls.

use brine_jinja::{Behaviour, Markup, Undefined};
use brine_python::time::{Date, DateTime, Delta};
use brine_python::{Dict, Iter, Obj, Part, Range, Set, View};
use std::fmt::Write;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub(crate) enum V {
    None,
    Bool(bool),
    Int(i64),
    /// Decimal text.
    Big(&'static str),
    Float(f64),
    Str(String),
    Bytes(&'static [u8]),
    Markup(String),
    Undefined(&'static str),
    List(Vec<V>),
    Tuple(Vec<V>),
    Dict(Vec<(V, V)>),
    Ordered(Vec<(V, V)>),
    Set(Vec<V>),
    Range(i64, i64),
    Generator(Vec<V>),
    Items(Vec<(V, V)>),
    Date,
    DateTime,
    Delta,
}

pub(crate) fn s(text: &str) -> V {
    V::Str(text.to_owned())
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            ' ' | '!' | '#'..='[' | ']'..='~' => out.push(c),
            c => write!(out, "\\U{:08x}", u32::from(c)).unwrap(),
        }
    }
    out + "\""
}

fn joined(items: &[V]) -> String {
    items.iter().map(V::py).collect::<Vec<_>>().join(", ")
}

fn pairs(pairs: &[(V, V)]) -> String {
    let all: Vec<_> = pairs.iter().map(|(k, v)| format!("{}: {}", k.py(), v.py())).collect();
    format!("{{{}}}", all.join(", "))
}

impl V {
    /// Python's source.
    pub(crate) fn py(&self) -> String {
        match self {
            V::None => "None".into(),
            V::Bool(b) => if *b { "True" } else { "False" }.into(),
            V::Int(n) => format!("({n})"),
            V::Big(n) => format!("({n})"),
            V::Float(x) if x.is_finite() => format!("({x:e})"),
            V::Float(x) => format!("float('{x}')"),
            V::Str(text) => quoted(text),
            V::Bytes(bytes) => {
                let hex: String = bytes.iter().map(|b| format!("\\x{b:02x}")).collect();
                format!("b\"{hex}\"")
            }
            V::Markup(text) => format!("Markup({})", quoted(text)),
            V::Undefined(name) => format!("U('{name}')"),
            V::List(items) => format!("[{}]", joined(items)),
            V::Tuple(items) if items.len() == 1 => format!("({},)", items[0].py()),
            V::Tuple(items) => format!("({})", joined(items)),
            V::Dict(p) => pairs(p),
            V::Ordered(p) => format!("OrderedDict({})", pairs(p)),
            V::Set(items) => format!("set([{}])", joined(items)),
            V::Range(a, b) => format!("range({a}, {b})"),
            V::Generator(items) => format!("(lambda a: (x for x in a))([{}])", joined(items)),
            V::Items(p) => format!("{}.items()", pairs(p)),
            V::Date => "D(2020, 2, 29)".into(),
            V::DateTime => "DT(2020, 2, 29, 1, 2, 3)".into(),
            V::Delta => "TD(1, 2)".into(),
        }
    }

    /// Ours.
    pub(crate) fn obj(&self, behaviour: Behaviour) -> Obj {
        let list = |items: &[V]| items.iter().map(|v| v.obj(behaviour)).collect::<Vec<_>>();
        let fill = |dict: Dict, pairs: &[(V, V)]| {
            for (key, value) in pairs {
                dict.set(key.obj(behaviour), value.obj(behaviour)).unwrap();
            }
            Rc::new(dict)
        };
        match self {
            V::None => Obj::None,
            V::Bool(b) => Obj::Bool(*b),
            V::Int(n) => Obj::Int(*n),
            V::Big(n) => brine_python::int(&Obj::str(n), None).unwrap(),
            V::Float(x) => Obj::Float(*x),
            V::Str(text) => Obj::str(text),
            V::Bytes(bytes) => Obj::bytes(bytes),
            V::Markup(text) => Markup::new(text.as_str()),
            V::Undefined(name) => Undefined::name(behaviour, name),
            V::List(items) => Obj::list(list(items)),
            V::Tuple(items) => Obj::tuple(list(items)),
            V::Dict(p) => Obj::Dict(fill(Dict::new(), p)),
            V::Ordered(p) => Obj::Dict(fill(Dict::ordered(), p)),
            V::Set(items) => Obj::Set(Rc::new(Set::of(&Obj::list(list(items)), false).unwrap())),
            V::Range(a, b) => Range::of(&[Obj::Int(*a), Obj::Int(*b)]).unwrap(),
            V::Generator(items) => {
                let mut items = list(items).into_iter();
                Obj::Iter(Iter::generator("<lambda>.<locals>.<genexpr>", move || Ok(items.next())))
            }
            V::Items(p) => Obj::View(Rc::new(View { dict: fill(Dict::new(), p), part: Part::Items })),
            V::Date => Obj::Date(Date::new(2020, 2, 29).unwrap()),
            V::DateTime => Obj::DateTime(Rc::new(DateTime {
                date: Date::new(2020, 2, 29).unwrap(),
                time: brine_python::time::Time::new(1, 2, 3, 0).unwrap(),
                zone: None,
            })),
            V::Delta => Obj::Delta(Delta::of((86_400 + 2) * 1_000_000).unwrap()),
        }
    }

    /// Whether two equal values may or may not be one object in Python.
    pub(crate) fn has_no_identity(&self) -> bool {
        !matches!(self, V::None | V::Bool(_) | V::List(_) | V::Dict(_) | V::Set(_))
    }
}
