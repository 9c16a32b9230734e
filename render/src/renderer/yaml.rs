//! `yaml`: YAML with Salt's loader. What is false becomes an empty dict.

use super::{Call, Data, Renderer, render_error};
use crate::template::{MARKER, get_context};
use crate::yaml::{Class, Loader, YamlError};
use brine_python::{Dict, Kind, Obj, PyErr, R};
use tracing::warn;

pub(super) const RENDERER: Renderer = Renderer { name: "yaml", run };

fn run(call: &Call<'_>, data: Data) -> R<Data> {
    if call.session.cx.opts.flag("use_yamlloader_old") {
        warn!(
            "Using the old YAML Loader for rendering, consider disabling this and using the tojson filter."
        );
    }
    let text = data.read()?;
    let value =
        crate::yaml::load_with(text, crate::yaml::TEXT, Loader::SaltOrdered).map_err(|e| located(text, e))?;
    Ok(Data::Value(if brine_python::truth(&value)? { value } else { Obj::dict(Dict::new()) }))
}

/// Stock's words, and below them the lines around the place: stock means to show them, but its loader does not give them to it.
fn located(text: &str, e: YamlError) -> PyErr {
    let line = e.problem_mark.map(|mark| usize::try_from(mark.line).unwrap_or(usize::MAX).saturating_add(1));
    let said = error(e);
    match line {
        Some(line) => {
            let shown = get_context(text, line, MARKER);
            PyErr::new(said.kind(), format!("{said}\n\nline {line}:\n{shown}"))
        }
        None => said,
    }
}

/// The exception that stock raises: for what the scanner finds, its words alone.
fn error(e: YamlError) -> PyErr {
    match e.class {
        Class::Scanner => render_error(match &*e.problem {
            "found character '\\t' that cannot start any token" => "Illegal tab character",
            problem => problem,
        }),
        Class::Parser | Class::Constructor => render_error(e.to_string()),
        Class::Python(kind) => PyErr::new(kind, e.to_string()),
        Class::Reader | Class::Composer => PyErr::new(Kind::Other(e.class.name()), e.to_string()),
    }
}
