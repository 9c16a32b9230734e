//! `json`: with the keyword arguments of `json.dumps`.

use super::options::Options;
use super::text_of;
use crate::json::{self, Options as Dump};
use brine_python::{Args, Obj, PyErr, R};

pub(super) fn serialize(value: &Obj, options: &mut Options) -> R {
    let default = options.some("default");
    let call = |value: &Obj| match &default {
        Some(default) => brine_python::call(default, &Args::of([value.clone()])),
        None => Ok(Obj::None),
    };
    let separators = match options.some("separators") {
        None => None,
        Some(pair) => match pair.sequence().as_deref() {
            Some([items, keys]) => {
                let text = |obj: &Obj| obj.as_str().map(str::to_owned);
                let both = text(items).zip(text(keys));
                Some(both.ok_or_else(|| PyErr::ty("make_encoder() argument 5 must be str, not int"))?)
            }
            _ => return Err(PyErr::value("not enough values to unpack (expected 2, got 1)")),
        },
    };
    // What Python does not notice with a text.
    let mut class = None;
    let indent = match options.some("indent") {
        None => None,
        Some(Obj::Bool(b)) => Some(" ".repeat(usize::from(b))),
        Some(Obj::Int(n)) => {
            let n = usize::try_from(n).unwrap_or(0);
            brine_python::need_bytes(n)?;
            Some(" ".repeat(n))
        }
        Some(other) => match other.as_str() {
            Some(text) => Some(text.to_owned()),
            None => {
                class = Some(super::class(&other).to_owned());
                Some(String::new())
            }
        },
    };
    // What holds itself is an error here in either case.
    let _circular = options.take("check_circular");
    if let Some(cls) = options.some("cls") {
        return Err(PyErr::ty(format!("'{}' object is not callable", cls.type_name())));
    }
    let dump = Dump {
        ensure_ascii: options.truth("ensure_ascii", false)?,
        indent,
        sort_keys: options.truth("sort_keys", false)?,
        separators,
        skipkeys: options.truth("skipkeys", false)?,
        allow_nan: options.truth("allow_nan", true)?,
        default: default.is_some().then_some(&call as json::Default<'_>),
    };
    options.done("JSONEncoder.__init__")?;
    match class {
        Some(class) if value.as_str().is_none() => {
            Err(PyErr::ty(format!("can't multiply sequence by non-int of type '{class}'")))
        }
        _ => json::dumps(value, &dump).map(Obj::from),
    }
}

/// Options are for streams only, in stock too.
pub(super) fn deserialize(value: &Obj, _: &mut Options) -> R {
    match text_of(value)? {
        Some(text) => json::loads(text.as_str().unwrap_or_default()),
        None => Err(PyErr::attribute(value, "read")),
    }
}
