//! Filters of any value.

use crate::env::State;
use crate::undefined::is_undefined;
use brine_python::{Args, Kind, PyErr, R, Signature, find_attr, truth};

pub(super) fn default(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_default", 0, &["value", "default_value", "boolean"], 1);
    let args = S.bind(args)?;
    let value = args.at(0);
    if is_undefined(value) || args.truth(2, false)? && !truth(value)? {
        return Ok(args.get(1).cloned().unwrap_or_else(|| "".into()));
    }
    Ok(value.clone())
}

pub(super) fn attr(state: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_attr", 1, &["environment", "obj", "name"], 3);
    let args = S.bind(args)?;
    let (obj, name) = (args.at(0), args.at(1));
    brine_python::hash(name)?;
    let Some(text) = name.as_str() else {
        return Err(PyErr::ty(format!("attribute name must be string, not '{}'", name.type_name())));
    };
    match find_attr(obj, text) {
        Ok(Some(_)) => state.getattr(obj, text),
        _ if brine_python::has_special(obj, text) => state.getattr(obj, text),
        Ok(None) => Ok(state.undefined_of(obj, name.clone())),
        Err(e) if e.kind() == Kind::AttributeError => Ok(state.undefined_of(obj, name.clone())),
        Err(e) => Err(e),
    }
}

pub(super) fn pprint(_: &State, args: &Args) -> R {
    const S: Signature = Signature::new("do_pprint", 0, &["value"], 1);
    Ok(brine_python::pformat(S.bind(args)?.at(0))?.into())
}
