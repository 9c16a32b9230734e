//! Values that are made in Python by source text and here by calls.

use brine_python::time::{Date, DateTime, Delta, Time, Zone};
use brine_python::{Dict, Obj, Part, Range, Set, View};
use std::fmt::Write;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub(crate) enum V {
    None,
    Bool(bool),
    /// Decimal text.
    Int(&'static str),
    Small(i64),
    Float(f64),
    Str(String),
    Bytes(&'static [u8]),
    List(Vec<V>),
    Tuple(Vec<V>),
    Dict(Vec<(V, V)>),
    Ordered(Vec<(V, V)>),
    Set(Vec<V>, bool),
    Range(i64, i64, i64),
    View(Part, Vec<(V, V)>),
    Iter(Vec<V>),
    Date(i64, i64, i64),
    Time(i64, i64, i64, i64),
    /// Microseconds since the epoch of the calendar, and seconds east of UTC.
    DateTime([i64; 7], Option<i32>),
    Delta(i64, i64, i64),
    /// Seconds east of UTC.
    Zone(i32),
}

pub(crate) fn s(text: &str) -> V {
    V::Str(text.to_owned())
}

/// Python's source of a text.
pub(crate) fn quoted(text: &str) -> String {
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

impl V {
    /// Python's source.
    pub(crate) fn py(&self) -> String {
        let pairs = |pairs: &[(V, V)]| {
            let all: Vec<_> = pairs.iter().map(|(k, v)| format!("{}: {}", k.py(), v.py())).collect();
            format!("{{{}}}", all.join(", "))
        };
        match self {
            V::None => "None".into(),
            V::Bool(b) => if *b { "True" } else { "False" }.into(),
            V::Int(n) => format!("({n})"),
            V::Small(n) => format!("({n})"),
            V::Float(x) if x.is_finite() => format!("({x:e})"),
            V::Float(x) => format!("float('{x}')"),
            V::Str(text) => quoted(text),
            V::Bytes(bytes) => {
                let hex: String = bytes.iter().map(|b| format!("\\x{b:02x}")).collect();
                format!("b\"{hex}\"")
            }
            V::List(items) => format!("[{}]", joined(items)),
            V::Tuple(items) if items.len() == 1 => format!("({},)", items[0].py()),
            V::Tuple(items) => format!("({})", joined(items)),
            V::Dict(p) => pairs(p),
            V::Ordered(p) => format!("OrderedDict({})", pairs(p)),
            V::Set(items, frozen) => {
                format!("{}([{}])", if *frozen { "frozenset" } else { "set" }, joined(items))
            }
            V::Range(a, b, c) => format!("range({a}, {b}, {c})"),
            V::View(part, p) => {
                let name = match part {
                    Part::Keys => "keys",
                    Part::Values => "values",
                    Part::Items => "items",
                };
                format!("{}.{name}()", pairs(p))
            }
            V::Iter(items) => format!("iter([{}])", joined(items)),
            V::Date(y, m, d) => format!("D({y}, {m}, {d})"),
            V::Time(h, m, s, u) => format!("T({h}, {m}, {s}, {u})"),
            V::DateTime([y, mo, d, h, m, s, u], zone) => {
                let zone = zone.map_or(String::new(), |z| format!(", TZ(TD(0, {z}))"));
                format!("DT({y}, {mo}, {d}, {h}, {m}, {s}, {u}{zone})")
            }
            V::Delta(d, s, u) => format!("TD({d}, {s}, {u})"),
            V::Zone(seconds) => format!("TZ(TD(0, {seconds}))"),
        }
    }

    /// Ours.
    pub(crate) fn obj(&self) -> Obj {
        let list = |items: &[V]| items.iter().map(V::obj).collect::<Vec<_>>();
        let fill = |dict: Dict, pairs: &[(V, V)]| {
            for (key, value) in pairs {
                dict.set(key.obj(), value.obj()).unwrap();
            }
            Rc::new(dict)
        };
        match self {
            V::None => Obj::None,
            V::Bool(b) => Obj::Bool(*b),
            V::Int(n) => brine_python::int(&Obj::str(n), None).unwrap(),
            V::Small(n) => Obj::Int(*n),
            V::Float(x) => Obj::Float(*x),
            V::Str(text) => Obj::str(text),
            V::Bytes(bytes) => Obj::bytes(bytes),
            V::List(items) => Obj::list(list(items)),
            V::Tuple(items) => Obj::tuple(list(items)),
            V::Dict(p) => Obj::Dict(fill(Dict::new(), p)),
            V::Ordered(p) => Obj::Dict(fill(Dict::ordered(), p)),
            V::Set(items, frozen) => Obj::Set(Rc::new(Set::of(&Obj::list(list(items)), *frozen).unwrap())),
            V::Range(a, b, c) => Range::of(&[Obj::Int(*a), Obj::Int(*b), Obj::Int(*c)]).unwrap(),
            V::View(part, p) => Obj::View(Rc::new(View { dict: fill(Dict::new(), p), part: *part })),
            V::Iter(items) => Obj::Iter(Obj::list(list(items)).iter().unwrap()),
            V::Date(y, m, d) => Obj::Date(Date::new(*y, *m, *d).unwrap()),
            V::Time(h, m, s, u) => Obj::Time(Time::new(*h, *m, *s, *u).unwrap()),
            V::DateTime([y, mo, d, h, m, s, u], zone) => Obj::DateTime(Rc::new(DateTime {
                date: Date::new(*y, *mo, *d).unwrap(),
                time: Time::new(*h, *m, *s, *u).unwrap(),
                zone: zone.and_then(Zone::new).map(Rc::new),
            })),
            V::Zone(seconds) => Obj::Zone(Rc::new(Zone::new(*seconds).unwrap())),
            V::Delta(d, s, u) => {
                let micros = (i128::from(*d) * 86_400 + i128::from(*s)) * 1_000_000 + i128::from(*u);
                Obj::Delta(Delta::of(micros).unwrap())
            }
        }
    }

    /// Whether it is a number beyond what may be asked for in characters or digits.
    pub(crate) fn is_large(&self) -> bool {
        match self {
            V::Int(_) => true,
            V::Small(n) => n.abs() > 500,
            _ => false,
        }
    }
}
