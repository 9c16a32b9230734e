//! Renderers: what turns the text of an SLS file into data, one file each, and the pipelines that they are put into.
//!
//! A renderer is a file with a `pub(super) const` of [`Renderer`] and a line in [`TABLE`]. What reads templates of Python's
//! own kinds is named there, too, with one clear error.

mod compile;
mod data;
mod error;
mod gpg;
mod hjson;
mod jinja;
mod json;
mod json5;
mod msgpack;
mod nacl;
mod python;
mod shebang;
mod stateconf;
mod toml;
mod yaml;
mod yamlex;

pub use compile::{Rendered, Request, Template, compile_template, run_one};
pub use data::Data;
use error::render_error;
pub use shebang::{Stage, check, check_render_pipe_str, default_pipe};

use crate::template::Session;
use brine_python::Dict;
use brine_python::{Obj, R};
use std::cell::Cell;
use std::rc::Rc;

/// One renderer.
pub struct Renderer {
    /// Its name in pipelines.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&Call<'_>, Data) -> R<Data>,
}

/// All renderers.
const TABLE: &[&Renderer] = &[
    &jinja::RENDERER,
    &yaml::RENDERER,
    &json::RENDERER,
    &json5::RENDERER,
    &toml::RENDERER,
    &yamlex::RENDERER,
    &msgpack::RENDERER,
    &gpg::RENDERER,
    &nacl::RENDERER,
    &stateconf::RENDERER,
    &hjson::RENDERER,
    &python::AWS_KMS,
    &python::CHEETAH,
    &python::GENSHI,
    &python::MAKO,
    &python::PASS,
    &python::PY,
    &python::PYDSL,
    &python::PYOBJECTS,
    &python::WEMPY,
];

/// The renderer of a name.
pub fn find(name: &str) -> Option<&'static Renderer> {
    TABLE.iter().copied().find(|r| r.name == name)
}

/// The names of all that render, sorted: those that are refused are left out.
pub fn names() -> Vec<&'static str> {
    let mut all: Vec<_> =
        TABLE.iter().map(|r| r.name).filter(|name| !python::REFUSED.contains(name)).collect();
    all.sort_unstable();
    all
}

/// What a renderer is told beside its input.
pub struct Call<'a> {
    /// The run it belongs to.
    pub session: &'a Rc<Session>,
    /// What is rendered.
    pub request: &'a Request<'a>,
    /// What stands after its name in the pipeline.
    pub argline: &'a str,
    /// Variables for templates, over the request's own.
    pub context: Option<Rc<Dict>>,
    secret: &'a Cell<bool>,
}

impl Call<'_> {
    /// What comes out holds what was encrypted: from now on it is not shown in errors or logs.
    pub fn decrypted(&self) {
        self.secret.set(true);
    }

    /// Whether something was decrypted before or by this renderer.
    pub fn is_secret(&self) -> bool {
        self.secret.get()
    }

    /// A keyword argument of the compilation.
    pub(crate) fn kwarg(&self, name: &str) -> Option<&Obj> {
        self.request.kwargs.iter().find(|(n, _)| &**n == name).map(|(_, v)| v)
    }
}
