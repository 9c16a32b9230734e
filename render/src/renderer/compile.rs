//! One file or text through its pipeline: stock's `compile_template`.

use super::data::{blank, space};
use super::{Call, Data, check_render_pipe_str, error, shebang};
use crate::template::Session;
use brine_python::{Dict, Obj, PyErr, R};
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;
use tracing::{debug, error as log_error};

/// Where the text comes from.
#[derive(Clone, Copy, Debug)]
pub enum Template<'a> {
    /// A file.
    File(&'a Path),
    /// The text itself; its first word names the pipeline if it begins with `#!`.
    Text(&'a str),
}

impl Template<'_> {
    /// As stock names it.
    pub fn name(&self) -> String {
        match self {
            Template::File(path) => path.display().to_string(),
            Template::Text(_) => ":string:".into(),
        }
    }
}

/// What is to be rendered, and what with.
pub struct Request<'a> {
    /// The text.
    pub template: Template<'a>,
    /// The pipeline, unless the text names one.
    pub default: &'a str,
    /// The environment.
    pub saltenv: &'a str,
    /// The SLS, or empty text.
    pub sls: &'a str,
    /// Variables of templates.
    pub context: Option<Rc<Dict>>,
    /// Further keyword arguments of renderers; templates see them as variables.
    pub kwargs: Vec<(Rc<str>, Obj)>,
}

impl<'a> Request<'a> {
    /// A request for environment `base` and no SLS, with nothing besides.
    pub fn new(template: Template<'a>, default: &'a str) -> Self {
        Self { template, default, saltenv: "base", sls: "", context: None, kwargs: Vec::new() }
    }
}

/// What came out of a pipeline.
#[derive(Debug)]
pub struct Rendered {
    /// Text or value. An empty dict where there was nothing to render.
    pub data: Data,
    /// Whether something in it was encrypted: it must not be logged, nor kept on disk.
    pub secret: bool,
}

/// Renders a file or text.
///
/// # Errors
/// What a renderer raises. Of text that was decrypted on the way, nothing is in the error.
pub fn compile_template(session: &Rc<Session>, request: &Request<'_>) -> R<Rendered> {
    let name = request.template.name();
    debug!("compile template: {name}");
    let nothing = || Rendered { data: Data::Value(Obj::dict(Dict::new())), secret: false };
    let text: Rc<str> = match request.template {
        Template::Text(text) => Rc::from(text),
        Template::File(path) => match read(path, &name)? {
            Some(text) => text,
            None => return Ok(nothing()),
        },
    };
    let line = match request.template {
        Template::Text(_) => text
            .split(space)
            .find(|word| !word.is_empty())
            .ok_or_else(|| PyErr::new(brine_python::Kind::IndexError, "list index out of range"))?,
        Template::File(_) => text.split(['\n', '\r']).next().unwrap_or(""),
    };
    let stages = check_render_pipe_str(shebang::named(line).unwrap_or(request.default), &session.cx.opts);
    let windows = text.contains("\r\n");
    let secret = Cell::new(false);
    let mut data = Data::Stream(text);
    for stage in &stages {
        let call = Call {
            session,
            request,
            argline: &stage.argline,
            context: request.context.clone(),
            secret: &secret,
        };
        let was_secret = secret.get();
        let again = matches!(data, Data::Stream(_));
        let start = Instant::now();
        let out = (stage.renderer.run)(&call, data)
            .map_err(|e| if was_secret { error::hide(&e, stage.renderer.name) } else { e })?;
        debug!(
            "Time (in seconds) to render '{name}' using '{}' renderer: {}",
            stage.renderer.name,
            start.elapsed().as_secs_f64()
        );
        // Stock renders what gave None once more, when what could be read has been read: empty text.
        data = match out {
            Data::Value(Obj::None) if again => Data::Value(Obj::dict(Dict::new())),
            out => out,
        };
    }
    if stages.is_empty() {
        return Ok(nothing());
    }
    Ok(Rendered { data: if windows { windows_newlines(data) } else { data }, secret: secret.get() })
}

/// Runs one renderer by name on data that is there already, as `decrypt` functions do.
///
/// # Errors
/// `KeyError` for one that does not exist, and what it raises.
pub fn run_one(session: &Rc<Session>, name: &str, data: Data, kwargs: Vec<(Rc<str>, Obj)>) -> R<Rendered> {
    let renderer = super::find(name).ok_or_else(|| PyErr::key(&Obj::str(name)))?;
    let secret = Cell::new(false);
    let request = Request { kwargs, ..Request::new(Template::Text(""), name) };
    let call = Call { session, request: &request, argline: "", context: None, secret: &secret };
    let data = (renderer.run)(&call, data)?;
    Ok(Rendered { data, secret: secret.get() })
}

/// The text of a file; `None`, with a log line, where there is nothing to render.
fn read(path: &Path, name: &str) -> R<Option<Rc<str>>> {
    let os_error =
        |e: std::io::Error| PyErr::new(brine_python::Kind::Other("OSError"), format!("{e}: '{name}'"));
    match std::fs::metadata(path) {
        Ok(m) if m.is_file() && m.len() == 0 => {
            debug!("Template is an empty file: {name}");
            return Ok(None);
        }
        Ok(m) if m.is_file() => {}
        _ => {
            log_error!("Template does not exist: {name}");
            return Ok(None);
        }
    }
    let bytes = std::fs::read(path).map_err(os_error)?;
    let text: Rc<str> = brine_python::decode_utf8(bytes)?.into();
    if blank(&text) {
        log_error!("Template is nothing but whitespace: {name}");
        return Ok(None);
    }
    Ok(Some(text))
}

/// Text gets the line ends that the template had.
fn windows_newlines(data: Data) -> Data {
    match data.text().filter(|text| !text.contains("\r\n")).map(|text| text.replace('\n', "\r\n")) {
        None => data,
        Some(text) if matches!(data, Data::Stream(_)) => Data::stream(text),
        Some(text) => Data::Value(text.into()),
    }
}
