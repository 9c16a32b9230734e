//! `json`: JSON after an optional `#!` line.

use super::{Call, Data, Renderer};
use brine_python::{Dict, Obj, R};

pub(super) const RENDERER: Renderer = Renderer { name: "json", run };

fn run(_: &Call<'_>, data: Data) -> R<Data> {
    Ok(Data::Value(match data.read_without_shebang()? {
        None => Obj::dict(Dict::new()),
        Some(text) => crate::json::loads(text)?,
    }))
}
