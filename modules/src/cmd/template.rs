//! `template=`: a command and its directory that are templates.

use super::given::Given;
use brine_core::Cx;
use brine_core::call::{CallError, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use brine_render::template::{JinjaRequest, Session, call_error, render_jinja};
use std::path::PathBuf;
use std::sync::Arc;

/// The engines that stock has and that run Python.
const PYTHON: &[&str] = &["cheetah", "genshi", "mako", "py", "wempy"];

/// The command and its directory as the template engine makes them; both as they are without `template=`.
///
/// # Errors
/// No such engine, and what a template raises.
pub(super) fn render(cx: &Cx, given: &Given, cmd: Value, cwd: PathBuf) -> Result<(Value, PathBuf)> {
    let Some(engine) = given.text("template").filter(|engine| !engine.is_empty()) else {
        return Ok((cmd, cwd));
    };
    if engine != "jinja" {
        return Err(CallError::execution(if PYTHON.contains(&engine.as_str()) {
            format!("Attempted to render file paths with engine {engine}, which needs Python")
        } else {
            format!("Attempted to render file paths with unavailable engine {engine}")
        }));
    }
    let saltenv = match given.text("saltenv") {
        Some(env) => env,
        None => match cx.opts.str("saltenv") {
            "" => "base".to_owned(),
            env => env.to_owned(),
        },
    };
    let mut cx = cx.clone();
    let pillarenv = given.text("pillarenv");
    let over = given.get("pillar").and_then(|p| if let Value::Map(m) = p { Some(m.clone()) } else { None });
    if pillarenv.is_some() || over.is_some() {
        let pillar: Map = cx.host.compile_pillar(None, pillarenv.as_deref(), over)?;
        cx.pillar = Arc::new(pillar);
    }
    let session = Session::of(&cx);
    let rendered = |text: &str| {
        let request = JinjaRequest { saltenv: &saltenv, sls: None, tmplpath: None, vars: Vec::new() };
        render_jinja(&session, text, &request).map_err(call_error)
    };
    let cmd = rendered(&python_str(&cmd))?;
    let cwd = rendered(&cwd.to_string_lossy())?;
    Ok((cmd.into(), cwd.into()))
}
