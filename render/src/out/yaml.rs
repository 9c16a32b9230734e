//! `yaml`: PyYAML's safe dump in block style, keys sorted.

use super::{CannotPrint, Style};
use crate::yaml::{DumpOptions, Flow, dump};
use brine_protocol::Value;

pub(super) fn output(data: &Value, style: &Style) -> Result<String, CannotPrint> {
    let (flow, indent) = match &style.indent {
        None => (Flow::Block, None),
        Some(Value::Int(n)) => match usize::try_from(*n) {
            Ok(n) => (Flow::Block, Some(n)),
            Err(_) => (Flow::Inline, Some(0)),
        },
        // Python cannot compare these with a number.
        Some(_) => return Err(CannotPrint),
    };
    Ok(dump(data, DumpOptions { flow, indent, sort_keys: true, unicode: true }))
}
