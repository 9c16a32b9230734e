//! `stateconf`: states that are ordered by requisites, ids and references relative to their SLS, and values that one SLS sets
//! for the text that follows and for those that include it.
//!
//! It runs a template and a data renderer itself: `#!stateconf [-Gosp] yaml . jinja`. What the SLS files of one run have set is
//! kept in the [`Session`](crate::template::Session).

mod extract;
mod high;
mod order;
mod rename;
mod usage;
mod walk;

use super::{Call, Data, Renderer, find, render_error};
use crate::live::dictupdate::deepcopy;
use brine_core::target::{Anchor, Regex};
use brine_python::{Dict, Kind, Obj, PyErr, R};
use extract::Kept;
use std::rc::Rc;
use tracing::{debug, error};

pub(super) const RENDERER: Renderer = Renderer { name: "stateconf", run };

/// What `stateconf_end_marker` is by default.
const END_MARKER: &str = r"#\s*-+\s*end of state config\s*-+";

/// How one SLS is worked on.
struct Work<'a> {
    call: &'a Call<'a>,
    sls: &'a str,
    /// No goal state (`-G`).
    no_goal: bool,
    /// States require those before them (`-o`).
    implicit: bool,
    /// A start state (`-s`).
    start: bool,
    /// The name and function of the state that sets values.
    func: String,
    kept: Rc<Kept>,
}

impl Work<'_> {
    fn opt(&self, key: &str, default: &str) -> String {
        self.call.session.cx.opts.get(key).and_then(|v| v.as_str()).unwrap_or(default).to_owned()
    }
}

/// A renderer and what stands after its name.
struct Part {
    renderer: &'static Renderer,
    argline: String,
}

fn run(call: &Call<'_>, data: Data) -> R<Data> {
    let (options, rest) = usage::options(call.argline)?;
    let work = Work {
        call,
        sls: call.request.sls,
        no_goal: options.contains('G'),
        implicit: options.contains('o'),
        start: options.contains('s'),
        func: String::new(),
        kept: call.session.kept(),
    };
    let work = Work { func: work.opt("stateconf_state_func", "stateconf.set"), ..work };
    let value = if options.contains('p') {
        match data {
            // What has been read is no high data.
            Data::Stream(_) => {
                let text = "'_io.StringIO' object has no attribute 'items'";
                return Err(PyErr::new(Kind::AttributeError, text));
            }
            Data::Value(high) => process(&work, &high, false)?,
        }
    } else {
        let (data_part, template_part) = usage::parts(&rest, work.implicit)?;
        let text = data.read()?;
        let marker = work.opt("stateconf_end_marker", END_MARKER);
        let marker = Regex::new(&marker, Anchor::Search).map_err(|e| render_error(e.to_string()))?;
        if let Some(end) =
            marker.find(text, 0).map_err(|e| render_error(e.to_string()))?.and_then(|spans| spans[0])
        {
            render_and_process(&work, &text[..end.0], &data_part, &template_part, None, true)?;
        }
        let context = work.kept.context(work.sls);
        render_and_process(&work, text, &data_part, &template_part, Some(&context), false)?
    };
    if !call.is_secret() && tracing::enabled!(tracing::Level::DEBUG) {
        debug!("Rendered sls: {}", brine_python::repr(&value)?);
    }
    Ok(Data::Value(value))
}

/// Template, then data, then what this renderer does.
fn render_and_process(
    work: &Work<'_>,
    text: &str,
    data: &Part,
    template: &Part,
    context: Option<&Dict>,
    extract: bool,
) -> R {
    let variables = Dict::new();
    if let Some(own) = &work.call.context {
        variables.update(&Obj::Dict(own.clone()))?;
    }
    let dir = match work.sls.rsplit_once('.') {
        Some((dir, _)) => dir.replace('.', "/"),
        None => work.sls.to_owned(),
    };
    variables.set_str("sls_dir", if dir.is_empty() { "." } else { &dir });
    for (key, value) in context.map(Dict::pairs).unwrap_or_default() {
        variables.set(key, value)?;
    }
    let call = |part: &Part, context: Option<Rc<Dict>>, data: Data| {
        let call = Call { argline: part.argline.trim(), context, ..*work.call };
        let was_secret = call.is_secret();
        let hide = |e| if was_secret { super::error::hide(&e, part.renderer.name) } else { e };
        (part.renderer.run)(&call, data).map_err(hide)
    };
    let rendered = call(template, Some(Rc::new(variables)), Data::stream(text))?;
    let high = call(data, None, rendered)?;
    process(work, &high.into_value(), extract)
}

/// The data with everything in it that this renderer adds, as a copy.
fn process(work: &Work<'_>, high: &Obj, extract: bool) -> R {
    let attempt = || {
        let data = deepcopy(high)?;
        rename::shorthands(&data)?;
        rename::includes(&data, work.sls, work.call.request.saltenv)?;
        if !extract && work.implicit {
            if let Some(id) = order::names_declared(&data)? {
                return Err(render_error(format!(
                    "'names' declaration(found in state id: {id}) is not supported with implicitly ordered states! You \
                     should generate the states in a template for-loop instead."
                )));
            }
            order::require_in_order(&data, &work.kept)?;
        }
        if work.start {
            order::start(work, &data)?;
        }
        if !extract && !work.no_goal {
            order::goal(work, &data)?;
        }
        rename::ids(work, &data, false)?;
        extract::states(work, &data, false)?;
        Ok(data)
    };
    attempt().map_err(|e| {
        if e.kind() == crate::template::RENDER_ERROR {
            return e;
        }
        let shown = if work.call.is_secret() { "text that was decrypted".into() } else { e.to_string() };
        error!("Error found while pre-processing the salt file {}:\n{shown}", work.sls);
        high::explain(high)
    })
}

/// A renderer by name, as one that others use.
fn part(words: &str) -> R<Part> {
    let (name, argline) = words.split_once(' ').unwrap_or((words, ""));
    let renderer =
        find(name).ok_or_else(|| render_error(format!("Renderer: '{name}.render' is not available!")))?;
    Ok(Part { renderer, argline: argline.to_owned() })
}
