//! Renders Salt's templates: stock's `render_jinja_tmpl`.

use super::error::failed;
use super::loader::{FolderLoader, TreeLoader};
use super::options::{EnvOptions, header};
use super::salt::Salt;
use super::{Session, sls_context};
use brine_jinja::{Behaviour, Environment, Loader};
use brine_python::{Dict, Limits, Obj, R};
use std::rc::Rc;

/// What one rendering may use: enough for the largest real trees, and an end to what would take all memory or all day.
pub(super) const LIMITS: Limits = Limits { bytes: 512 << 20, steps: 10_000_000 };

/// What a template is told.
pub struct JinjaRequest<'a> {
    /// The environment; empty for a template that belongs to none.
    pub saltenv: &'a str,
    /// The SLS, empty text where there is none, `None` where the caller does not know of SLS at all.
    pub sls: Option<&'a str>,
    /// Where the template lies, if it is a file.
    pub tmplpath: Option<&'a str>,
    /// Variables, over those that every template has.
    pub vars: Vec<(Rc<str>, Obj)>,
}

/// Renders a text.
///
/// # Errors
/// `SaltRenderError` with stock's text.
pub fn render_jinja(session: &Rc<Session>, text: &str, request: &JinjaRequest<'_>) -> R<String> {
    session.enter(|| render(session, text, request))
}

fn render(session: &Rc<Session>, text: &str, request: &JinjaRequest<'_>) -> R<String> {
    let vars = Dict::new();
    vars.set_str("salt", Salt::of(session));
    vars.set_str("grains", session.grains().clone());
    vars.set_str("opts", session.opts().clone());
    vars.set_str("pillar", session.pillar().clone());
    vars.set_str("proxy", Obj::dict(Dict::new()));
    vars.set_str("saltenv", Obj::str(request.saltenv));
    if let Some(sls) = request.sls {
        vars.set_str("sls", Obj::str(sls));
    }
    for (name, value) in &request.vars {
        vars.set_str(name, value.clone());
    }
    // What a caller gives as `sls` counts, as for stock.
    let sls = vars.get_str("sls").and_then(|s| s.as_str().map(str::to_owned));
    if let Some(sls) = &sls {
        for (name, value) in sls_context(request.tmplpath, sls) {
            if vars.get_str(name).is_none() {
                vars.set_str(name, Obj::from(value));
            }
        }
    }
    let opts = &session.cx.opts;
    let mut options = EnvOptions::new(opts, sls.as_deref().is_some_and(|s| !s.is_empty()));
    let (text, given) = header(text);
    if let Some(given) = &given {
        options.apply(given, "jinja_fileopts");
    }
    let mut env = Environment::new(options.syntax);
    (env.filters, env.tests) = crate::filters::tables();
    for (name, value) in crate::filters::globals() {
        env.globals.set_str(name, value);
    }
    for (key, value) in vars.borrow().iter() {
        env.globals.borrow_mut().insert(key.clone(), value.clone());
    }
    env.undefined = if opts.flag("allow_undefined") { Behaviour::Lenient } else { Behaviour::Strict };
    env.finalize = Some(crate::filters::finalize);
    env.profiled = Some(profiled);
    env.sandboxed = true;
    env.extra = session.clone();
    env.loader = if !request.saltenv.is_empty() {
        Some(Rc::new(TreeLoader::new(session, request.saltenv)) as Rc<dyn Loader>)
    } else {
        request.tmplpath.map(|path| {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
            Rc::new(FolderLoader { folder }) as Rc<dyn Loader>
        })
    };
    let env = Rc::new(env);
    match env.render(&text, &vars, LIMITS) {
        Ok(mut out) => {
            // Jinja2 takes the last line end away, Salt puts it back.
            if text.ends_with('\n') {
                out.push('\n');
            }
            Ok(out)
        }
        Err(failure) => Err(failed(&failure, &text, sls.as_deref())),
    }
}

fn profiled(source: &str, label: &Obj, seconds: f64) {
    let label = brine_python::str(label).unwrap_or_default();
    tracing::debug!("Time (in seconds) to render {source} '{label}': {seconds}");
}
