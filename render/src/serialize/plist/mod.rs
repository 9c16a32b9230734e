//! `plist`: property lists, as XML or binary.

mod binary;
mod read;
mod xml;

use super::options::Options;
use crate::json::sort_pairs;
use brine_python::{Obj, PyErr, R};

/// How deep values may nest.
const DEEP: usize = 200;

pub(super) fn serialize(value: &Obj, options: &mut Options) -> R {
    let is_binary = options.take("fmt").as_ref().and_then(Obj::as_str) == Some("FMT_BINARY");
    let pairs = Pairs { sort: options.truth("sort_keys", true)?, skip: options.truth("skipkeys", false)? };
    options.done("dump")?;
    let bytes = if is_binary { binary::write(value, &pairs)? } else { xml::write(value, &pairs)? };
    Ok(Obj::bytes(bytes))
}

pub(super) fn deserialize(value: &Obj, options: &mut Options) -> R {
    options.done("loads")?;
    match (value, value.as_str()) {
        (_, Some(text)) => read::read(text.as_bytes()),
        (Obj::Bytes(bytes), _) => read::read(bytes),
        _ => Err(PyErr::attribute(value, "read")),
    }
}

/// How dicts are written.
struct Pairs {
    sort: bool,
    skip: bool,
}

impl Pairs {
    /// Those to write, in order.
    fn of(&self, mut pairs: Vec<(Obj, Obj)>) -> R<Vec<(Obj, Obj)>> {
        if self.sort {
            sort_pairs(&mut pairs)?;
        }
        if self.skip {
            pairs.retain(|(key, _)| key.as_str().is_some());
        }
        Ok(pairs)
    }
}

/// A key's text.
fn key(key: &Obj) -> R<&str> {
    key.as_str().ok_or_else(|| PyErr::ty("keys must be strings"))
}
