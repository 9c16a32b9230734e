//! `yaml`: PyYAML's safe dump in block style, keys sorted.

use super::{CannotPrint, Style};
use crate::yaml::{DumpOptions, Flow, dump};
use brine_core::Opts;
use brine_protocol::Value;

pub(super) fn output(data: &Value, _: &Opts, style: &Style) -> Result<String, CannotPrint> {
    let (flow, indent) = match &style.indent {
        None => (Flow::Block, None),
        Some(Value::Bool(b)) => (Flow::Block, Some(i64::from(*b))),
        Some(Value::Int(n)) => match i32::try_from(*n) {
            Ok(n) if n >= 0 => (Flow::Block, Some(n.into())),
            _ if *n > 0 => (Flow::Block, None),
            _ => (Flow::Inline, Some(0)),
        },
        Some(Value::Float(x)) if *x < 0.0 => (Flow::Inline, Some(0)),
        // PyYAML fails at such an indent, and nothing is printed.
        Some(Value::Float(_)) => return Ok(String::new()),
        // Python cannot compare these with a number.
        Some(_) => return Err(CannotPrint::Data),
    };
    Ok(dump(data, DumpOptions { flow, indent, ..DumpOptions::default() }))
}
