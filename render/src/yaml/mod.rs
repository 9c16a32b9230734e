//! YAML as Salt reads it: PyYAML's safe loader with Salt's changes, on libyaml's event stream.
//!
//! No tag makes an object; an unknown tag is an error with PyYAML's words. Dates stay text, integers with leading
//! zeros are decimal, a repeated key is an error. Aliases are copied, so what a document may expand to is bounded.

mod binary;
mod compose;
mod construct;
mod dump;
mod error;
mod node;

pub use dump::{DumpOptions, Flow, dump, safe_dump};
pub use error::{Mark, YamlError};
pub use node::{Document, KeyLine};

use brine_protocol::Value;

/// How PyYAML names text that has no file.
pub const TEXT: &str = "<unicode string>";

/// Loads one document from text. Empty text is nil.
pub fn load(text: &str) -> Result<Value, YamlError> {
    load_named(text, TEXT)
}

/// Loads one document; `name` is what error texts call the input, a file's path usually.
pub fn load_named(text: &str, name: &str) -> Result<Value, YamlError> {
    match compose::compose(text, name)? {
        Some(document) => construct::construct(document, name).map(|(value, _)| value),
        None => Ok(Value::Nil),
    }
}

/// As [`load_named`], and the lines on which the keys of a top-level map stand.
pub fn load_with_lines(text: &str, name: &str) -> Result<(Value, Vec<KeyLine>), YamlError> {
    match compose::compose(text, name)? {
        Some(document) => construct::construct(document, name),
        None => Ok((Value::Nil, Vec::new())),
    }
}
