//! `hjson`: stock ships without the library, and fails when it is used.

use super::{Call, Data, Renderer};
use brine_python::{Dict, Kind, Obj, PyErr, R};

pub(super) const RENDERER: Renderer = Renderer { name: "hjson", run };

fn run(_: &Call<'_>, data: Data) -> R<Data> {
    match data.read_without_shebang()? {
        None => Ok(Data::Value(Obj::dict(Dict::new()))),
        Some(_) => Err(PyErr::new(Kind::Other("NameError"), "name 'hjson' is not defined")),
    }
}
