//! `yaml`: PyYAML's safe dump in block style, keys sorted.

use super::{CannotPrint, Style};
use crate::yaml::{DumpOptions, Flow, dump};
use brine_core::Opts;
use brine_protocol::Value;

pub(super) fn output(data: &Value, _: &Opts, style: &Style) -> Result<String, CannotPrint> {
    let (flow, indent) = match &style.indent {
        None => (Flow::Block, None),
        Some(Value::Bool(b)) => (Flow::Block, Some(usize::from(*b))),
        Some(Value::Int(n)) => match usize::try_from(*n) {
            Ok(n) => (Flow::Block, Some(n)),
            Err(_) => (Flow::Inline, Some(0)),
        },
        Some(Value::Float(x)) if *x < 0.0 => (Flow::Inline, Some(0)),
        // PyYAML fails at such an indent, and nothing is printed.
        Some(Value::Float(_)) => return Ok(String::new()),
        // Python cannot compare these with a number.
        Some(_) => return Err(CannotPrint::Data),
    };
    Ok(dump(data, DumpOptions { flow, indent, sort_keys: true, unicode: true }))
}
