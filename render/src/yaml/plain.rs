//! Values of templates to plain data, in which aliases are copies: how much that may become is bounded.

use super::error::{Class, Mark, YamlError};
use brine_protocol::Value;
use brine_python::{Kind, Limits, Obj, to_value};

/// What aliases may add to a document: bytes of memory, roughly.
const BUDGET: u64 = 64 << 20;
/// What one byte of a document may need.
const COST: u64 = 128;

/// The plain data of a document of so many bytes that begins at a place.
pub(super) fn value(obj: &Obj, size: usize, name: &str, start: Mark) -> Result<Value, YamlError> {
    let limits = Limits { bytes: BUDGET + COST * size as u64, steps: u64::MAX };
    limits.enter(|| to_value(obj)).map_err(|e| {
        let problem = match e.kind() {
            Kind::Limit => "aliases expand to too much data",
            Kind::RecursionError => "nested too deeply",
            _ => return YamlError::python(&e, name, start),
        };
        YamlError::at(Class::Constructor, name, problem, start)
    })
}
