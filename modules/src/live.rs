//! Functions that work on templates' own objects, called with plain data: what the command line has of them.

use brine_core::call::{CallError, Cx, Result};
use brine_core::{Map, Value};
use brine_python::{Args, Obj, to_value};
use brine_render::live::find;
use brine_render::template::{Session, call_error};
use std::rc::Rc;

/// Calls one by its full name, with copies.
pub(crate) fn call(cx: &Cx, name: &str, positional: &[Value], keyword: &Map) -> Result {
    let live = find(name).ok_or_else(|| CallError::NotAvailable(format!("'{name}' is not available.")))?;
    let kw = keyword.iter().filter_map(|(key, value)| Some((Rc::from(key.as_str()?), Obj::from(value))));
    let args = Args { pos: positional.iter().map(Obj::from).collect(), kw: kw.collect() };
    let session = Session::of(cx);
    let result = session.clone().enter(|| live(&session, &args).and_then(|obj| to_value(&obj)));
    result.map_err(call_error)
}
