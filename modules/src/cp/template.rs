//! Names and files that are templates.

use brine_core::call::{CallError, Cx, Result};
use brine_core::{Map, Value};
use brine_python::Obj;
use brine_render::template::{JinjaRequest, Session, call_error, render_jinja};
use std::rc::Rc;
use std::sync::Arc;

/// The engines that stock has and that run Python.
const PYTHON: &[&str] = &["cheetah", "genshi", "mako", "py", "wempy"];

/// How an engine is known.
pub(crate) enum Engine {
    Jinja,
    /// Stock has it, and it runs Python.
    Python,
    Unknown,
}

pub(crate) fn engine(name: &str) -> Engine {
    match name {
        "jinja" => Engine::Jinja,
        name if PYTHON.contains(&name) => Engine::Python,
        _ => Engine::Unknown,
    }
}

/// Renders a text as a template of this call. What `context` holds goes over the other variables.
pub(crate) fn render(cx: &Cx, text: &str, saltenv: &str, path: Option<&str>, vars: &Map) -> Result<String> {
    let mut vars = vars.clone();
    if let Some(Value::Map(context)) = vars.remove("context") {
        vars.update(context);
    }
    let vars = vars
        .iter()
        .filter_map(|(name, value)| Some((Rc::from(name.as_str()?), Obj::from(value))))
        .collect();
    let request = JinjaRequest { saltenv, sls: None, tmplpath: path, vars };
    render_jinja(&Session::of(cx), text, &request).map_err(call_error)
}

/// Whether this is a `SaltRenderError`, which stock lets through.
pub(crate) fn is_render_error(e: &CallError) -> bool {
    matches!(e, CallError::Exception { kind, .. } if kind.ends_with("SaltRenderError"))
}

/// The names of source and destination, rendered if `template` names an engine. `pillar` and `pillarenv` decide which pillar they
/// see.
pub(crate) fn names(
    cx: &Cx,
    names: (String, String),
    saltenv: &str,
    template: Option<&str>,
    kwargs: &Map,
) -> Result<(String, String)> {
    let Some(name) = template.filter(|engine| !engine.is_empty()) else { return Ok(names) };
    match engine(name) {
        Engine::Jinja => {}
        Engine::Python => {
            let text = format!("Attempted to render file paths with engine {name}, which needs Python");
            return Err(CallError::execution(text));
        }
        Engine::Unknown => {
            let text = format!("Attempted to render file paths with unavailable engine {name}");
            return Err(CallError::execution(text));
        }
    }
    let mut cx = cx.clone();
    if kwargs.contains("pillarenv") || kwargs.contains("pillar") {
        let option = || cx.opts.get("pillarenv").and_then(Value::as_str);
        let pillarenv = kwargs.get_str("pillarenv").or_else(option).map(str::to_owned);
        let over = kwargs.get("pillar").and_then(Value::as_map).cloned();
        let saltenv = cx.opts.get("saltenv").and_then(Value::as_str).map(str::to_owned);
        let mut pillar = cx.host.compile_pillar(saltenv.as_deref(), pillarenv.as_deref(), over.clone())?;
        if let Some(over) = over {
            pillar.update(over);
        }
        cx.pillar = Arc::new(pillar);
    }
    let one = |text: &str| {
        render(&cx, text, saltenv, None, &Map::new()).map_err(|e| match e {
            e if is_render_error(&e) => e,
            e => CallError::execution(format!("Failed to render file path with error: {e}")),
        })
    };
    Ok((one(&names.0)?, one(&names.1)?))
}
