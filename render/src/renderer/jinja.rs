//! `jinja`: templates. Its input is text wherever it comes from; stock takes a `str` without `-s` for the name of a file.

use super::{Call, Data, Renderer, render_error};
use crate::template::{JinjaRequest, render_jinja};
use brine_python::{Obj, PyErr, R};
use std::rc::Rc;

pub(super) const RENDERER: Renderer = Renderer { name: "jinja", run };

fn run(call: &Call<'_>, data: Data) -> R<Data> {
    if !matches!(call.argline, "" | "-s") {
        return Err(render_error(format!("Unknown renderer option: {}", call.argline)));
    }
    let text = match &data {
        Data::Stream(text) => text,
        Data::Value(value) => value.as_str().ok_or_else(|| PyErr::attribute(value, "read"))?,
    };
    let mut vars: Vec<(Rc<str>, Obj)> = Vec::new();
    for (key, value) in call.context.as_ref().map(|context| context.pairs()).unwrap_or_default() {
        let name = key.as_str().ok_or_else(|| PyErr::ty("keywords must be strings"))?;
        vars.push((name.into(), value));
    }
    // Arguments of the compilation go over the context.
    vars.extend(call.request.kwargs.iter().cloned());
    let path = call.request.template.name();
    let request = JinjaRequest {
        saltenv: call.request.saltenv,
        sls: Some(call.request.sls),
        tmplpath: Some(&path),
        vars,
    };
    render_jinja(call.session, text, &request).map(Data::stream)
}
