//! Jinja2's own tests, by name.

use crate::env::{Callee, State, Table};
use crate::filters::only;
use crate::markup::has_html;
use crate::undefined::is_undefined;
use brine_python::{
    Args, Cmp, Kind, Obj, Op, PyErr, R, Signature, binary, call_method, compare, contains, eq, hash, len,
};
use std::rc::Rc;

/// Every test, in the order of their names.
const ALL: &[(&str, Callee)] = &[
    ("!=", ne),
    ("<", lt),
    ("<=", le),
    ("==", equal),
    (">", gt),
    (">=", ge),
    ("boolean", |_, args| about("test_boolean", args, |v| Ok(matches!(v, Obj::Bool(_))))),
    ("callable", |_, args| Ok(brine_python::callable(only("callable", args)?).into())),
    ("defined", |_, args| about("test_defined", args, |v| Ok(!is_undefined(v)))),
    ("divisibleby", divisibleby),
    ("eq", equal),
    ("equalto", equal),
    ("escaped", |_, args| about("test_escaped", args, has_html)),
    ("even", |_, args| about("test_even", args, |v| rest_is(v, &Obj::Int(2), 0))),
    ("false", |_, args| about("test_false", args, |v| Ok(matches!(v, Obj::Bool(false))))),
    ("filter", filter),
    ("float", |_, args| about("test_float", args, |v| Ok(matches!(v, Obj::Float(_))))),
    ("ge", ge),
    ("greaterthan", gt),
    ("gt", gt),
    ("in", within),
    ("integer", |_, args| about("test_integer", args, |v| Ok(matches!(v, Obj::Int(_) | Obj::Big(_))))),
    ("iterable", |_, args| about("test_iterable", args, is_iterable)),
    ("le", le),
    ("lessthan", lt),
    ("lower", |_, args| about("test_lower", args, |v| text_is(v, "islower"))),
    ("lt", lt),
    ("mapping", |_, args| about("test_mapping", args, is_mapping)),
    ("ne", ne),
    ("none", |_, args| about("test_none", args, |v| Ok(matches!(v, Obj::None)))),
    ("number", |_, args| about("test_number", args, is_number)),
    ("odd", |_, args| about("test_odd", args, |v| rest_is(v, &Obj::Int(2), 1))),
    ("sameas", sameas),
    ("sequence", |_, args| about("test_sequence", args, is_sequence)),
    ("string", |_, args| about("test_string", args, |v| Ok(v.as_str().is_some()))),
    ("test", test),
    ("true", |_, args| about("test_true", args, |v| Ok(matches!(v, Obj::Bool(true))))),
    ("undefined", |_, args| about("test_undefined", args, |v| Ok(is_undefined(v)))),
    ("upper", |_, args| about("test_upper", args, |v| text_is(v, "isupper"))),
];

/// All of them, made once in each thread.
pub(crate) fn table() -> Rc<Table> {
    thread_local! {
        static TABLE: Rc<Table> = Rc::new(ALL.iter().copied().collect());
    }
    TABLE.with(Rc::clone)
}

/// A test of the value alone.
fn about(name: &'static str, args: &Args, holds: impl Fn(&Obj) -> R<bool>) -> R {
    let args = Signature::new(name, 0, &["value"], 1).bind(args)?;
    holds(args.at(0)).map(Obj::Bool)
}

/// Whether a division leaves so much.
fn rest_is(value: &Obj, by: &Obj, rest: i64) -> R<bool> {
    eq(&binary(Op::Mod, value, by)?, &Obj::Int(rest))
}

fn text_is(value: &Obj, method: &str) -> R<bool> {
    let text = Obj::from(brine_python::str(value)?);
    Ok(matches!(call_method(&text, method, &Args::default())?, Obj::Bool(true)))
}

fn is_number(value: &Obj) -> R<bool> {
    Ok(matches!(value, Obj::Bool(_) | Obj::Int(_) | Obj::Big(_) | Obj::Float(_)))
}

fn is_iterable(value: &Obj) -> R<bool> {
    match value.iter() {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == Kind::TypeError => Ok(false),
        Err(e) => Err(e),
    }
}

/// `isinstance(x, abc.Mapping)`.
pub(crate) fn is_mapping(value: &Obj) -> R<bool> {
    match value {
        Obj::Dict(_) => Ok(true),
        Obj::Other(o) => Ok(o.pairs()?.is_some()),
        _ => Ok(false),
    }
}

/// Whether it has a length and items.
fn is_sequence(value: &Obj) -> R<bool> {
    Ok(match value {
        Obj::Str(_) | Obj::Bytes(_) | Obj::List(_) | Obj::Tuple(_) | Obj::Dict(_) => true,
        // A length beyond what Python can say is none.
        Obj::Range(range) => i64::try_from(range.len()).is_ok(),
        Obj::Other(o) => o.as_str().is_some() || o.subscriptable() && len(value).is_ok(),
        _ => false,
    })
}

/// The two arguments of an operator.
fn two<'a>(name: &str, args: &'a Args) -> R<(&'a Obj, &'a Obj)> {
    if !args.kw.is_empty() {
        return Err(PyErr::ty(format!("_operator.{name}() takes no keyword arguments")));
    }
    match args.pos.as_slice() {
        [a, b] => Ok((a, b)),
        all => Err(PyErr::ty(format!("{name} expected 2 arguments, got {}", all.len()))),
    }
}

fn equal(_: &State, args: &Args) -> R {
    let (a, b) = two("eq", args)?;
    eq(a, b).map(Obj::Bool)
}

fn ne(_: &State, args: &Args) -> R {
    let (a, b) = two("ne", args)?;
    eq(a, b).map(|equal| Obj::Bool(!equal))
}

fn order(name: &str, op: Cmp, args: &Args) -> R {
    let (a, b) = two(name, args)?;
    compare(op, a, b).map(Obj::Bool)
}

fn lt(_: &State, args: &Args) -> R {
    order("lt", Cmp::Lt, args)
}

fn le(_: &State, args: &Args) -> R {
    order("le", Cmp::Le, args)
}

fn gt(_: &State, args: &Args) -> R {
    order("gt", Cmp::Gt, args)
}

fn ge(_: &State, args: &Args) -> R {
    order("ge", Cmp::Ge, args)
}

fn divisibleby(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("test_divisibleby", 0, &["value", "num"], 2);
    let args = S.bind(args)?;
    rest_is(args.at(0), args.at(1), 0).map(Obj::Bool)
}

fn sameas(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("test_sameas", 0, &["value", "other"], 2);
    let args = S.bind(args)?;
    Ok(args.at(0).is(args.at(1)).into())
}

fn within(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("test_in", 0, &["value", "seq"], 2);
    let args = S.bind(args)?;
    contains(args.at(1), args.at(0)).map(Obj::Bool)
}

/// Whether a table has a name.
fn named(table: &Table, name: &Obj) -> R {
    hash(name)?;
    Ok(name.as_str().is_some_and(|name| table.contains_key(name)).into())
}

fn filter(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("test_filter", 1, &["env", "value"], 2);
    named(&state.env.filters, S.bind(args)?.at(0))
}

fn test(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("test_test", 1, &["env", "value"], 2);
    named(&state.env.tests, S.bind(args)?.at(0))
}
