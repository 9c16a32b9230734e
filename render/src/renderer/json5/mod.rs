//! `json5`: JSON with comments, trailing commas, bare keys and more, as Python's library `json5` reads it.
//!
//! Stock has this renderer where that library is installed.

mod parse;

use super::{Call, Data, Renderer};
use brine_python::{Dict, Obj, R};

pub(super) const RENDERER: Renderer = Renderer { name: "json5", run };

fn run(_: &Call<'_>, data: Data) -> R<Data> {
    Ok(Data::Value(match data.read_without_shebang()? {
        None => Obj::dict(Dict::new()),
        Some(text) => parse::loads(text)?,
    }))
}
