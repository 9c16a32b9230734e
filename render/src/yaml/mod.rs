//! YAML as Salt reads it: PyYAML's safe loader with Salt's changes, on libyaml's event stream.
//!
//! No tag makes an object; an unknown tag is an error with PyYAML's words. Dates stay text, integers with leading
//! zeros are decimal, a repeated key is an error. In a value of templates an alias is the same object; in plain data it is a copy,
//! so what a document may expand to is bounded there.

mod binary;
mod compose;
mod construct;
mod direct;
mod dump;
mod error;
mod flatten;
mod input;
mod loader;
mod node;
mod plain;
mod scalars;
mod shown;
mod sls;

pub use dump::{DumpOptions, Dumper, Flow, Style, dump, dump_obj, safe_dump};
pub use error::{Class, Mark, YamlError};
pub use loader::{Encrypted, Loader};
pub use node::KeyLine;

use brine_protocol::Value;
use brine_python::Obj;

/// How PyYAML names text that has no file.
pub const TEXT: &str = "<unicode string>";

/// Loads one document from text. Empty text is nil.
///
/// # Errors
/// PyYAML's and Salt's, and a bound on what aliases expand to.
pub fn load(text: &str) -> Result<Value, YamlError> {
    load_named(text, TEXT)
}

/// Loads one document; `name` is what error texts call the input, a file's path usually.
///
/// # Errors
/// As [`load`].
pub fn load_named(text: &str, name: &str) -> Result<Value, YamlError> {
    let value = load_obj(text, name)?;
    plain::value(&value, text.len(), name, Mark::default())
}

/// As [`load_named`], and the lines on which the keys of a top-level map stand.
///
/// # Errors
/// As [`load`].
pub fn load_with_lines(text: &str, name: &str) -> Result<(Value, Vec<KeyLine>), YamlError> {
    let Some(document) = compose::compose(text, name)? else { return Ok((Value::Nil, Vec::new())) };
    let start = document.nodes[document.root].start;
    let (value, lines) = construct::construct(document, name, Loader::Salt)?;
    Ok((plain::value(&value, text.len(), name, start)?, lines))
}

/// Loads one document as a value of templates, with Salt's loader: `salt.utils.yaml.safe_load`.
///
/// # Errors
/// PyYAML's and Salt's.
pub fn load_obj(text: &str, name: &str) -> Result<Obj, YamlError> {
    load_with(text, name, Loader::Salt)
}

/// What Salt's loader makes of a plain scalar that stands alone; what it would refuse as a value (`=`, `<<`) is text.
///
/// # Errors
/// Python's, where text has the form of a number and is none.
pub fn plain_scalar(text: &str) -> brine_python::R {
    scalars::salt(text)
}

/// As [`load_obj`], with any of stock's loaders.
///
/// # Errors
/// PyYAML's and the loader's.
pub fn load_with(text: &str, name: &str, loader: Loader) -> Result<Obj, YamlError> {
    let input = input::Input::new(text, name, &[])?;
    // Over a backslash at the very end the parser panics.
    if !text.ends_with('\\')
        && loader != Loader::Yamlex
        && let Some(value) = direct::load(&input, loader)
    {
        return Ok(value);
    }
    drop(input);
    match compose::compose(text, name)? {
        Some(document) => construct::construct(document, name, loader).map(|(value, _)| value),
        None => Ok(Obj::None),
    }
}

/// Bytes of base64 text as Python's lenient decoder reads them.
///
/// # Errors
/// The text of Python's `binascii.Error`.
pub(crate) fn decode_base64(text: &str) -> Result<Obj, String> {
    let prefix = "failed to decode base64 data: ";
    scalars::bytes(text).map_err(|e| e.strip_prefix(prefix).map_or(e.clone(), str::to_owned))
}
