//! The methods of each type, by name, and how Python's built-in functions complain about their arguments.

mod bytes;
mod bytes_more;
mod charmap;
mod codec;
mod dict;
mod list;
mod moment;
mod number;
mod set;
mod special;
mod text_case;
mod text_find;
mod text_map;
mod text_pad;
mod text_split;
mod time;

use crate::args::Args;
use crate::error::{PyErr, R};
use crate::obj::Obj;

pub use codec::decode_utf8;
pub(crate) use codec::{decode, encode};
pub(crate) use list::sort_by;
pub use special::has_special;

/// What a method does, by how it takes its arguments.
pub(crate) enum Fun {
    /// None at all.
    Nil(fn(&Obj) -> R),
    /// Exactly one.
    One(fn(&Obj, &Obj) -> R),
    /// From so many to so many, by position: `replace expected at least 2 arguments, got 1`.
    Pos(usize, usize, fn(&Obj, &[Obj]) -> R),
    /// The same in older words: `find() takes at least 1 argument (0 given)`.
    Old(usize, usize, fn(&Obj, &[Obj]) -> R),
    /// By position or name; so many are required.
    Named(&'static [&'static str], usize, fn(&Obj, &[Option<Obj>]) -> R),
    /// Whatever comes.
    Any(fn(&Obj, &Args) -> R),
}

/// One method of a built-in type.
pub struct Method {
    pub(crate) name: &'static str,
    fun: Fun,
}

/// A table row.
const fn row(name: &'static str, fun: Fun) -> Method {
    Method { name, fun }
}

/// The name of a value's type without its module.
fn owner(me: &Obj) -> &str {
    let name = me.type_name();
    name.rsplit('.').next().unwrap_or(name)
}

fn s(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

impl Method {
    /// Calls it.
    ///
    /// # Errors
    /// `TypeError` for arguments that do not fit, and what the method raises.
    pub fn call(&self, me: &Obj, args: &Args) -> R {
        let name = self.name;
        if !matches!(self.fun, Fun::Named(..) | Fun::Any(_)) && !args.kw.is_empty() {
            let of = match self.fun {
                Fun::Old(..) => String::new(),
                _ => format!("{}.", owner(me)),
            };
            return Err(PyErr::ty(format!("{of}{name}() takes no keyword arguments")));
        }
        let given = args.pos.len();
        match &self.fun {
            Fun::Nil(run) if given == 0 => run(me),
            Fun::Nil(_) => {
                Err(PyErr::ty(format!("{}.{name}() takes no arguments ({given} given)", owner(me))))
            }
            Fun::One(run) if given == 1 => run(me, &args.pos[0]),
            Fun::One(_) => {
                Err(PyErr::ty(format!("{}.{name}() takes exactly one argument ({given} given)", owner(me))))
            }
            Fun::Pos(least, most, run) => {
                if given < *least || given > *most {
                    let (word, n) = match () {
                        () if least == most => ("", *least),
                        () if given < *least => ("at least ", *least),
                        () => ("at most ", *most),
                    };
                    let s = s(n);
                    return Err(PyErr::ty(format!("{name} expected {word}{n} argument{s}, got {given}")));
                }
                run(me, &args.pos)
            }
            Fun::Old(least, most, run) => {
                if given < *least || given > *most {
                    let (word, n) = if given < *least { ("least", *least) } else { ("most", *most) };
                    let s = s(n);
                    return Err(PyErr::ty(format!(
                        "{name}() takes at {word} {n} argument{s} ({given} given)"
                    )));
                }
                run(me, &args.pos)
            }
            Fun::Named(names, required, run) => run(me, &args.bind(name, names, *required)?),
            Fun::Any(run) => run(me, args),
        }
    }
}

/// The tables of a value's type.
fn tables(me: &Obj) -> &'static [&'static [Method]] {
    match me {
        Obj::Bool(_) | Obj::Int(_) | Obj::Big(_) => &[number::INT],
        Obj::Float(_) => &[number::FLOAT],
        Obj::Bytes(_) => &[bytes::METHODS, bytes_more::METHODS],
        Obj::List(_) => &[list::LIST],
        Obj::Tuple(_) => &[list::TUPLE],
        Obj::Range(_) => &[list::RANGE],
        Obj::Dict(d) if d.is_ordered() => &[dict::ORDERED, dict::DICT],
        Obj::Dict(_) => &[dict::DICT],
        Obj::View(v) if !v.is_values() => &[dict::VIEW],
        Obj::Set(s) if s.frozen() => &[set::FROZEN],
        Obj::Set(_) => &[set::FROZEN, set::SET],
        Obj::Date(_) => &[time::DATE, moment::DATE],
        Obj::Time(_) => &[time::TIME, moment::TIME],
        Obj::DateTime(_) => &[time::DATETIME, moment::DATETIME, time::DATE, moment::DATE],
        Obj::Zone(_) => &[moment::ZONE],
        Obj::Delta(_) => &[time::DELTA],
        _ if me.as_str().is_some() => &[
            text_find::METHODS,
            text_split::METHODS,
            text_case::METHODS,
            text_pad::METHODS,
            text_map::METHODS,
        ],
        _ => &[],
    }
}

/// The method of a value's type.
pub(crate) fn find(me: &Obj, name: &str) -> Option<&'static Method> {
    tables(me).iter().flat_map(|table| table.iter()).find(|method| method.name == name)
}

/// The names of all methods of a value's type, for `dir` and for tests.
pub fn names(me: &Obj) -> Vec<&'static str> {
    tables(me).iter().flat_map(|table| table.iter()).map(|method| method.name).collect()
}

/// A plain attribute.
pub(crate) fn property(me: &Obj, name: &str) -> Option<Obj> {
    match (me, name) {
        (Obj::Bool(_) | Obj::Int(_) | Obj::Big(_), _) => number::property(me, name),
        (Obj::Float(_), "real") => Some(me.clone()),
        (Obj::Float(_), "imag") => Some(Obj::Float(0.0)),
        (Obj::Tuple(t), _) if t.field(name).is_some() => t.field(name).cloned(),
        (Obj::Range(r), "start") => Some(r.start.into()),
        (Obj::Range(r), "stop") => Some(r.stop.into()),
        (Obj::Range(r), "step") => Some(r.step.into()),
        _ => time::property(me, name).or_else(|| moment::property(me, name)),
    }
}

/// An argument that must be text: `must be str, not int`.
fn text<'a>(arg: &'a Obj, what: &str) -> R<&'a str> {
    arg.as_str().ok_or_else(|| PyErr::ty(format!("{what} must be str, not {}", given(arg))))
}

/// The type of an argument in the words of generated parsers, to which `None` is no type.
fn given(arg: &Obj) -> &str {
    if matches!(arg, Obj::None) { "None" } else { arg.type_name() }
}

/// A number that C has as `int`.
fn c_int(arg: &Obj) -> R<i32> {
    let too_large = || PyErr::overflow("Python int too large to convert to C int");
    match arg {
        Obj::Big(_) => Err(too_large()),
        _ => i32::try_from(crate::seq::index(arg)?).map_err(|_| too_large()),
    }
}

/// The text of a `str` method's own value.
fn own(me: &Obj) -> &str {
    me.as_str().unwrap_or_default()
}
