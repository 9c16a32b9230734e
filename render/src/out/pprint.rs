//! `pprint`: Python's `pprint.pformat`, 80 columns wide.

use super::{CannotPrint, Style};
use brine_core::Opts;
use brine_protocol::Value;
use brine_python::{Obj, pformat_within};

/// Python's own width.
const WIDTH: isize = 80;

pub(super) fn output(data: &Value, _: &Opts, style: &Style) -> Result<String, CannotPrint> {
    let indent = match &style.indent {
        None => 1,
        Some(Value::Int(n)) => usize::try_from(*n).unwrap_or(1),
        Some(Value::Bool(b)) => usize::from(*b),
        Some(Value::Float(x)) if *x >= 0.0 => *x as usize,
        Some(Value::Float(_)) => 1,
        // Python cannot compare these with a number.
        Some(_) => return Err(CannotPrint::Data),
    };
    pformat(data, indent)
}

/// `pprint.pformat(data, indent=indent)`.
pub(super) fn pformat(data: &Value, indent: usize) -> Result<String, CannotPrint> {
    pformat_within(&Obj::from(data), indent, WIDTH).map_err(|_| CannotPrint::Data)
}
