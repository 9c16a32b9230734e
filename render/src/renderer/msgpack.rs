//! `msgpack`: reads text in stock, which is never msgpack; so only empty text can be read.

use super::{Call, Data, Renderer};
use brine_python::{Dict, Obj, PyErr, R};

pub(super) const RENDERER: Renderer = Renderer { name: "msgpack", run };

fn run(_: &Call<'_>, data: Data) -> R<Data> {
    match data.read_without_shebang()? {
        None => Ok(Data::Value(Obj::dict(Dict::new()))),
        Some(_) => Err(PyErr::ty("a bytes-like object is required, not 'str'")),
    }
}
