//! One SLS file with all it includes, rendered and merged.

use crate::high::merge::merge_included;
use crate::highstate::Highstate;
use crate::place::Place;
use crate::tops::is_render_error;
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, call_method, contains, getitem, setitem, truth};
use brine_render::renderer::{Request, Template, compile_template};
use brine_render::sls::{self, Source};
use std::collections::HashSet;

/// How deep SLS files may include each other.
const DEPTH: usize = 100;

/// What a run over SLS files knows: what has been rendered, and which environments were asked for.
pub(crate) struct Walk {
    /// `environment:sls` of all that was rendered.
    pub(crate) done: HashSet<String>,
    /// The environments that matched.
    pub(crate) envs: Vec<String>,
    /// Faults, in stock's words.
    pub(crate) errors: Vec<String>,
}

impl Walk {
    /// One over these environments.
    pub(crate) fn new(envs: Vec<String>) -> Self {
        Self { done: HashSet::new(), envs, errors: Vec::new() }
    }
}

/// Where an include stands.
struct At<'a> {
    sls: &'a str,
    saltenv: &'a str,
    source: Option<&'a Source>,
    depth: usize,
}

/// Notes which SLS included what another says.
fn included_from(below: &Obj, sls: &str) -> R<()> {
    let key = Obj::str("__sls_included_from__");
    for id in below.items()? {
        if crate::names::starts(&id, "__")? {
            continue;
        }
        let body = getitem(below, &id)?;
        if !contains(&body, &key)? {
            setitem(&body, &key, Obj::list(Vec::new()))?;
        }
        call_method(&getitem(&body, &key)?, "append", &Args::of([Obj::str(sls)]))?;
    }
    Ok(())
}

impl Highstate {
    /// Renders an SLS file and what it includes. What is wrong with them is in the walk.
    pub(crate) fn render_state(&self, sls: &str, saltenv: &str, walk: &mut Walk, depth: usize) -> R {
        if depth > DEPTH {
            return Err(PyErr::recursion(""));
        }
        let source = sls::find(&*self.session.files, sls, saltenv)?;
        let Some(source) = source else {
            walk.errors.push(format!(
                "Specified SLS {sls} in saltenv {saltenv} is not available on the salt master or through a configured fileserver"
            ));
            return Ok(Dict::new().into());
        };
        self.render_file(&source.path, Some(&source), sls, saltenv, walk, depth)
    }

    /// Renders the file of an SLS.
    pub(crate) fn render_file(
        &self,
        path: &std::path::Path,
        source: Option<&Source>,
        sls: &str,
        saltenv: &str,
        walk: &mut Walk,
        depth: usize,
    ) -> R {
        let nothing = || Obj::from(Dict::new());
        brine_core::progress::now(|| format!("rendering {sls}"));
        let default = self.cx().opts.str("renderer");
        let request = Request { saltenv, sls, ..Request::new(Template::File(path), default) };
        let rendered = compile_template(&self.session, &request).map(|rendered| rendered.data.into_value());
        let name = format!("{saltenv}:{sls}");
        let shown = match source {
            Some(source) if saltenv == "base" => format!("salt://{}", source.name),
            Some(source) => format!("salt://{}?saltenv={saltenv}", source.name),
            None => path.display().to_string(),
        };
        self.sources.borrow_mut().insert(name.clone(), Place { path: path.to_owned(), name: shown });
        walk.done.insert(name);
        let state = match rendered {
            Ok(state) => state,
            Err(e) => {
                let text = if is_render_error(&e) {
                    format!("Rendering SLS '{saltenv}:{sls}' failed: {e}")
                } else {
                    let text = format!("Rendering SLS {sls} failed, render error: {e}");
                    format!("{text}\n{}", brine_render::template::call_error(e).traceback())
                };
                tracing::error!("{text}");
                walk.errors.push(text);
                return Ok(nothing());
            }
        };
        if !truth(&state)? {
            return Ok(nothing());
        }
        let Obj::Dict(dict) = &state else {
            walk.errors.push(format!("SLS {sls} does not render to a dictionary"));
            return Ok(state);
        };
        let mut includes = Vec::new();
        match dict.get_str("include") {
            None => {}
            Some(Obj::List(list)) => {
                dict.remove(&Obj::str("include"))?;
                includes = list.borrow().clone();
            }
            Some(_) => walk.errors.push(format!("Include Declaration in SLS {sls} is not formed as a list")),
        }
        crate::decls::extend(dict, sls, saltenv, &mut walk.errors)?;
        crate::decls::exclude(dict, sls, &mut walk.errors)?;
        crate::decls::states(dict, sls, saltenv, &mut walk.errors)?;
        let at = At { sls, saltenv, source, depth };
        for include in includes {
            self.include(&at, &include, dict, walk)?;
        }
        match self.order(dict) {
            Err(e) if e.kind() == Kind::TypeError => {
                tracing::error!("Could not render SLS {sls}. Syntax error detected.");
            }
            other => other?,
        }
        Ok(state)
    }

    fn include(&self, at: &At<'_>, include: &Obj, state: &Dict, walk: &mut Walk) -> R<()> {
        let (sls, saltenv) = (at.sls, at.saltenv);
        let (env, name) = match include {
            Obj::Dict(_) => {
                let pair = call_method(include, "popitem", &Args::default())?;
                (getitem(&pair, &Obj::Int(0))?, getitem(&pair, &Obj::Int(1))?)
            }
            name => (Obj::str(saltenv), name.clone()),
        };
        let shown = brine_python::str(&env)?;
        if !self.has_env(&shown)? && !self.has_env("__env__")? {
            walk.errors.push(format!(
                "Nonexistent saltenv '{shown}' found in include of '{}' within SLS '{saltenv}:{sls}'",
                brine_python::str(&name)?
            ));
            return Ok(());
        }
        let relative = crate::names::starts(&name, ".")?;
        let mut name = name.as_str().unwrap_or_default().to_owned();
        if relative {
            let rest = name.trim_start_matches('.');
            let levels = name.len() - rest.len();
            let mut parts: Vec<&str> = sls.split('.').collect();
            if at.source.is_some_and(|source| source.init) {
                parts.push("init");
            }
            if levels > parts.len() {
                walk.errors.push(format!(
                    "Attempted relative include of '{name}' within SLS '{saltenv}:{sls}' goes beyond top level package "
                ));
                return Ok(());
            }
            parts.truncate(parts.len() - levels);
            parts.push(rest);
            name = parts.join(".");
        }
        let any = shown == "_xenv";
        let mut resolved: Vec<String> = Vec::new();
        if any {
            for env in &walk.envs {
                if !self.available(env, &name)?.is_empty() {
                    resolved.push(env.clone());
                }
            }
        } else if walk.envs.contains(&shown) || !self.available(&shown, &name)?.is_empty() {
            resolved.push(shown.clone());
        }
        if resolved.len() == 1 || resolved.iter().any(|env| env == saltenv) {
            let mut targets = self.available(saltenv, &name)?;
            if targets.is_empty() {
                targets.push(name);
            }
            let env = if resolved.len() == 1 { resolved.swap_remove(0) } else { saltenv.to_owned() };
            for target in targets {
                if walk.done.contains(&format!("{env}:{target}")) {
                    continue;
                }
                let before = walk.errors.len();
                let below = self.render_state(&target, &env, walk, at.depth + 1)?;
                // What is wrong within it is said after what is wrong with merging it.
                let within = walk.errors.split_off(before);
                if truth(&below)? {
                    if self.semantics.is_3008() {
                        included_from(&below, sls)?;
                    }
                    merge_included(state, &below, &mut walk.errors)?;
                    state.update(&below)?;
                }
                walk.errors.extend(within);
            }
            return Ok(());
        }
        let text = if resolved.is_empty() {
            let envs = if any { walk.envs.join(", ") } else { shown.clone() };
            format!(
                "Unknown include: Specified SLS {shown}: {name} is not available on the salt master in saltenv(s): {envs} "
            )
        } else {
            format!(
                "Ambiguous include: Specified SLS {shown}: {name} is available on the salt master in multiple available \
                 saltenvs: {}",
                resolved.join(", ")
            )
        };
        tracing::error!("{text}");
        walk.errors.push(text);
        Ok(())
    }

    /// Numbers states in the order of the files, where they say none of their own.
    fn order(&self, state: &Dict) -> R<()> {
        if !self.cx().opts.get("state_auto_order").is_none_or(brine_core::Value::truthy) {
            return Ok(());
        }
        let key = Obj::str("order");
        for (_, body) in state.pairs() {
            let Obj::Dict(body) = body else {
                // Lists and texts hold nothing to number, but must hold something.
                body.items()?;
                continue;
            };
            for (dec, run) in body.pairs() {
                let Obj::List(run) = run else { continue };
                if dec.as_str().is_none_or(|dec| dec.starts_with('_')) {
                    continue;
                }
                let mut found = false;
                for arg in run.borrow().iter() {
                    if let Obj::Dict(arg) = arg
                        && let Some((first, _)) = arg.pairs().first()
                    {
                        found |= first.as_str() == key.as_str();
                    }
                }
                if !found {
                    let order = self.next_order();
                    run.borrow_mut().push(crate::names::pair(key.clone(), Obj::Int(order))?);
                }
            }
        }
        Ok(())
    }
}
