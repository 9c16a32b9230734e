//! `yamlex`: YAML with tags that say how values of several files are merged.

use super::{Call, Data, Renderer};
use brine_python::{Dict, Obj, R};

pub(super) const RENDERER: Renderer = Renderer { name: "yamlex", run };

fn run(_: &Call<'_>, data: Data) -> R<Data> {
    let text = data.into_value();
    let value = crate::serialize::deserialize("yamlex", &text, &Obj::dict(Dict::new()))?;
    Ok(Data::Value(if brine_python::truth(&value)? { value } else { Obj::dict(Dict::new()) }))
}
