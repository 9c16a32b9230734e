//! `python`: the value as Python would write it, several lines if need be.

use super::options::Options;
use crate::json::{self, Options as Dump};
use brine_python::{Obj, PyErr, R, pformat_within};

pub(super) fn serialize(value: &Obj, options: &mut Options) -> R {
    // Through JSON, as in stock: keys become text, tuples lists.
    let plain = json::loads(&json::dumps(value, &Dump::salt())?)?;
    let indent = options.int("indent")?.unwrap_or(1);
    let width = options.int("width")?.unwrap_or(80);
    options.done("pformat")?;
    if indent < 0 {
        return Err(PyErr::value("indent must be >= 0"));
    }
    if width == 0 {
        return Err(PyErr::value("width must be != 0"));
    }
    brine_python::need_bytes(indent as usize)?;
    Ok(pformat_within(&plain, indent as usize, width as isize)?.into())
}
