//! The functions of JMESPath.

use super::Expression;
use crate::filters::kinds::short;
use crate::json;
use brine_python::{
    Args, Cmp, Dict, Kind, Obj, Op, PyErr, R, abs, binary, call_method, compare, contains, float, int, len,
    max, min, reversed, slice, sorted, str, sum,
};

/// What each parameter may be, in the words of errors; the last may come more than once if `more`.
struct Function {
    name: &'static str,
    params: &'static [&'static [&'static str]],
    more: bool,
}

const fn f(name: &'static str, params: &'static [&'static [&'static str]]) -> Function {
    Function { name, params, more: false }
}

const NUMBERS_OR_TEXTS: &[&str] = &["array-number", "array-string"];

const FUNCTIONS: &[Function] = &[
    f("abs", &[&["number"]]),
    f("avg", &[&["array-number"]]),
    Function { name: "not_null", params: &[&[]], more: true },
    f("to_array", &[&[]]),
    f("to_string", &[&[]]),
    f("to_number", &[&[]]),
    f("contains", &[&["array", "string"], &[]]),
    f("length", &[&["string", "array", "object"]]),
    f("ends_with", &[&["string"], &["string"]]),
    f("starts_with", &[&["string"], &["string"]]),
    f("reverse", &[&["array", "string"]]),
    f("ceil", &[&["number"]]),
    f("floor", &[&["number"]]),
    f("join", &[&["string"], &["array-string"]]),
    f("map", &[&["expref"], &["array"]]),
    f("max", &[NUMBERS_OR_TEXTS]),
    Function { name: "merge", params: &[&["object"]], more: true },
    f("min", &[NUMBERS_OR_TEXTS]),
    f("sort", &[&["array-string", "array-number"]]),
    f("sum", &[&["array-number"]]),
    f("keys", &[&["object"]]),
    f("values", &[&["object"]]),
    f("type", &[&[]]),
    f("sort_by", &[&["array"], &["expref"]]),
    f("min_by", &[&["array"], &["expref"]]),
    f("max_by", &[&["array"], &["expref"]]),
];

/// Python's types of one of JMESPath's.
fn types(name: &str) -> &'static [&'static str] {
    match name {
        "boolean" => &["bool"],
        "array" => &["list", "_Projection"],
        "object" => &["dict", "OrderedDict"],
        "null" => &["NoneType"],
        "string" => &["unicode", "str"],
        "number" => &["float", "int", "long"],
        _ => &["_Expression"],
    }
}

fn type_of(obj: &Obj) -> &'static str {
    match short(obj) {
        "bool" => "boolean",
        "list" => "array",
        "dict" | "OrderedDict" => "object",
        "NoneType" => "null",
        "str" => "string",
        "float" | "int" => "number",
        "_Expression" => "expref",
        _ => "unknown",
    }
}

fn wrong(name: &str, value: &Obj, actual: &str, expected: &[&str]) -> PyErr {
    let shown = str(value).unwrap_or_default();
    let expected: Vec<String> = expected.iter().map(|t| format!("'{t}'")).collect();
    PyErr::new(
        Kind::Other("JMESPathTypeError"),
        format!(
            "In function {name}(), invalid type for value: {shown}, expected one of: [{}], received: \"{actual}\"",
            expected.join(", ")
        ),
    )
}

fn check(name: &str, value: &Obj, expected: &[&str]) -> R<()> {
    let mut allowed = Vec::new();
    let mut inner = Vec::new();
    for kind in expected {
        let (outer, sub) = kind.split_once('-').unwrap_or((kind, ""));
        allowed.extend(types(outer));
        if !sub.is_empty() {
            inner.push(types(sub));
        }
    }
    if !allowed.contains(&short(value)) {
        return Err(wrong(name, value, type_of(value), expected));
    }
    let (Obj::List(list), false) = (value, inner.is_empty()) else { return Ok(()) };
    let items = list.borrow().clone();
    let of = match inner.as_slice() {
        [one] => *one,
        several => {
            let Some(first) = items.first() else { return Ok(()) };
            match several.iter().find(|types| types.contains(&short(first))) {
                Some(of) => of,
                None => return Err(wrong(name, first, short(first), expected)),
            }
        }
    };
    match items.iter().find(|item| !of.contains(&short(item))) {
        Some(item) => Err(wrong(name, item, short(item), expected)),
        None => Ok(()),
    }
}

/// Calls a function by name.
///
/// # Errors
/// `UnknownFunctionError`, `ArityError`, `JMESPathTypeError`, and what Python's own operations raise.
pub(super) fn call(name: &str, args: &[Obj]) -> R {
    let Some(function) = FUNCTIONS.iter().find(|f| f.name == name) else {
        return Err(PyErr::new(Kind::Other("UnknownFunctionError"), format!("Unknown function: {name}()")));
    };
    let (wanted, given) = (function.params.len(), args.len());
    if given < wanted || (given > wanted && !function.more) {
        let least = if function.more { "at least " } else { "" };
        let s = if wanted == 1 { "" } else { "s" };
        let kind = if function.more { "VariadictArityError" } else { "ArityError" };
        return Err(PyErr::new(
            Kind::Other(kind),
            format!("Expected {least}{wanted} argument{s} for function {name}(), received {given}"),
        ));
    }
    for (arg, expected) in args.iter().zip(function.params) {
        if !expected.is_empty() {
            check(name, arg, expected)?;
        }
    }
    run(name, args)
}

fn is_empty(list: &Obj) -> bool {
    matches!(list, Obj::List(list) if list.is_empty())
}

fn run(name: &str, args: &[Obj]) -> R {
    let a = &args[0];
    let method = |obj: &Obj, name: &str, arg: &Obj| call_method(obj, name, &Args::of([arg.clone()]));
    Ok(match name {
        "abs" => abs(a)?,
        "avg" if is_empty(a) => Obj::None,
        "avg" => binary(Op::Div, &sum(a, None)?, &Obj::from(len(a)?))?,
        "not_null" => args.iter().find(|arg| !matches!(arg, Obj::None)).cloned().unwrap_or_default(),
        "to_array" => match a {
            Obj::List(_) => a.clone(),
            _ => Obj::list(vec![a.clone()]),
        },
        "to_string" if a.as_str().is_some() => a.clone(),
        "to_string" => {
            let options = json::Options {
                separators: Some((",".into(), ":".into())),
                default: Some(&|obj: &Obj| brine_python::to_str(obj)),
                ..json::Options::default()
            };
            json::dumps(a, &options)?.into()
        }
        "to_number" => to_number(a)?,
        "contains" => contains(a, &args[1])?.into(),
        "length" => len(a)?.into(),
        "ends_with" => method(a, "endswith", &args[1])?,
        "starts_with" => method(a, "startswith", &args[1])?,
        "reverse" if a.as_str().is_some() => slice(a, &Obj::None, &Obj::None, &Obj::Int(-1))?,
        "reverse" => Obj::list(reversed(a)?.collect()?),
        "ceil" | "floor" => match a {
            Obj::Float(x) => int(&Obj::Float(if name == "ceil" { x.ceil() } else { x.floor() }), None)?,
            whole => whole.clone(),
        },
        "join" => method(a, "join", &args[1])?,
        "map" => {
            let Some(expression) = Expression::find(a) else { return Ok(Obj::None) };
            let items = args[1].items()?;
            Obj::list(items.iter().map(|item| expression.apply(item)).collect::<R<Vec<_>>>()?)
        }
        "max" | "min" if is_empty(a) => Obj::None,
        "max" => max(a)?,
        "min" => min(a)?,
        "merge" => {
            let merged = Dict::new();
            for arg in args {
                merged.update(arg)?;
            }
            merged.into()
        }
        "sort" => Obj::list(sorted(a, None, false)?),
        "sum" => sum(a, None)?,
        "keys" => Obj::list(a.items()?),
        "values" => Obj::list(call_method(a, "values", &Args::default())?.items()?),
        "type" => match a {
            _ if a.as_str().is_some() => Obj::str("string"),
            _ if matches!(type_of(a), "unknown" | "expref") => Obj::None,
            _ => Obj::str(type_of(a)),
        },
        _ => return by(name, a, &args[1]),
    })
}

fn to_number(arg: &Obj) -> R {
    match arg {
        Obj::List(_) | Obj::Dict(_) | Obj::Bool(_) | Obj::None => return Ok(Obj::None),
        Obj::Int(_) | Obj::Big(_) | Obj::Float(_) => return Ok(arg.clone()),
        _ => {}
    }
    match int(arg, None) {
        Err(e) if e.kind() == Kind::ValueError => {}
        done => return done,
    }
    match float(arg) {
        Ok(x) => Ok(Obj::Float(x)),
        Err(e) if e.kind() == Kind::ValueError => Ok(Obj::None),
        Err(e) => Err(e),
    }
}

/// `sort_by`, `min_by`, `max_by`.
fn by(name: &str, array: &Obj, expression: &Obj) -> R {
    let (Obj::List(list), Some(expression)) = (array, Expression::find(expression)) else {
        return Ok(Obj::None);
    };
    let items = list.borrow().clone();
    if items.is_empty() {
        return Ok(if name == "sort_by" { array.clone() } else { Obj::None });
    }
    let allowed: &[&str] = match name {
        "sort_by" => match type_of(&expression.apply(&items[0])?) {
            "number" => &["number"],
            "string" => &["string"],
            other => return Err(wrong(name, &items[0], other, &["string", "number"])),
        },
        _ => &["number", "string"],
    };
    let mut keyed = Vec::new();
    for item in items {
        let key = expression.apply(&item)?;
        if !allowed.contains(&type_of(&key)) {
            return Err(wrong(name, &key, type_of(&key), allowed));
        }
        keyed.push((key, item));
    }
    if name == "sort_by" {
        brine_python::sort(&mut keyed, |(key, _)| key, false)?;
        return Ok(Obj::list(keyed.into_iter().map(|(_, item)| item).collect()));
    }
    let op = if name == "min_by" { Cmp::Lt } else { Cmp::Gt };
    let mut best = 0;
    for at in 1..keyed.len() {
        if compare(op, &keyed[at].0, &keyed[best].0)? {
            best = at;
        }
    }
    Ok(keyed[best].1.clone())
}
