//! One run over a state tree, and what it knows of the tree.

use brine_core::Map;
use brine_core::Value;
use brine_core::call::{Cx, Result};
use brine_core::files::Listing;
use brine_core::target::{Subject, fnmatch};
use brine_python::{Dict, Obj, R};
use brine_render::renderer::{Request, Template, compile_template};
use brine_render::sls;
use brine_render::template::{Session, call_error, py_error};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

/// Merged top files: targets by environment, SLS names and options by target.
pub struct Top(pub(crate) Rc<Dict>);

/// A run over a state tree. Of one thread.
pub struct Highstate {
    pub(crate) session: Rc<Session>,
    envs: RefCell<Option<Rc<[String]>>>,
    available: RefCell<BTreeMap<String, Rc<[String]>>>,
}

impl Highstate {
    /// With the options of [`crate::settings`] and the pillar of the run in the context.
    pub fn new(cx: &Cx) -> Self {
        Self {
            session: Session::new(cx, cx.host.files()),
            envs: RefCell::default(),
            available: RefCell::default(),
        }
    }

    pub(crate) fn cx(&self) -> &Cx {
        &self.session.cx
    }

    /// An option as text; none where it is not set.
    pub(crate) fn option(&self, key: &str) -> Option<String> {
        self.cx().opts.get(key).filter(|value| value.truthy()).map(brine_core::text::python_str)
    }

    /// The merged top files, which are empty if one cannot be rendered.
    ///
    /// # Errors
    /// They say nothing that can be merged.
    pub fn top(&self) -> Result<Top> {
        self.session.enter(|| self.merged()).map(Top).map_err(call_error)
    }

    /// What is wrong with them, in stock's words.
    ///
    /// # Errors
    /// Where stock's check fails itself.
    pub fn verify(&self, top: &Top) -> Result<Vec<String>> {
        crate::verify::verify(&top.0).map_err(call_error)
    }

    /// The SLS names they give this minion, by environment.
    ///
    /// # Errors
    /// A matcher that does not exist, or names that are none.
    pub fn matches(&self, top: &Top) -> Result<Map> {
        let matches = self.session.enter(|| self.matched(&top.0)).map_err(call_error)?;
        match brine_python::to_value(&Obj::Dict(matches)).map_err(call_error)? {
            Value::Map(map) => Ok(map),
            _ => Ok(Map::new()),
        }
    }

    /// Renders one file.
    pub(crate) fn template(&self, path: &Path, saltenv: &str) -> R {
        let default = self.cx().opts.str("renderer");
        let request = Request { saltenv, ..Request::new(Template::File(path), default) };
        Ok(compile_template(&self.session, &request)?.data.into_value())
    }

    /// The environments in which top files are looked for.
    pub(crate) fn envs(&self) -> R<Rc<[String]>> {
        if let Some(envs) = &*self.envs.borrow() {
            return Ok(envs.clone());
        }
        let opts = &self.cx().opts;
        let mut order: Vec<String> = Vec::new();
        for env in opts.get("env_order").and_then(Value::as_list).unwrap_or_default() {
            let env = brine_core::text::python_str(env);
            if !order.contains(&env) {
                order.push(env);
            }
        }
        let served = self.session.files.envs().map_err(py_error)?;
        let all = if order.is_empty() {
            let roots = opts.get("file_roots").and_then(Value::as_map).cloned().unwrap_or_default();
            let mut all = vec!["base".to_owned()];
            for env in roots.keys().map(brine_core::text::python_str).chain(served) {
                if !all.contains(&env) {
                    all.push(env);
                }
            }
            all
        } else {
            order.retain(|env| served.is_empty() || served.contains(env));
            order
        };
        let all: Rc<[String]> = all.into();
        *self.envs.borrow_mut() = Some(all.clone());
        Ok(all)
    }

    /// Whether an environment has SLS files that may be named.
    pub(crate) fn has_env(&self, saltenv: &str) -> R<bool> {
        Ok(saltenv == "base" || self.envs()?.iter().any(|env| env == saltenv))
    }

    /// The SLS names in an environment that match a pattern, sorted.
    pub(crate) fn available(&self, saltenv: &str, pattern: &str) -> R<Vec<String>> {
        let known = self.available.borrow().get(saltenv).cloned();
        let all = match known {
            Some(all) => all,
            None => {
                let files = self.session.files.list(saltenv, Listing::Files).map_err(py_error)?;
                let all: Rc<[String]> = sls::names(&files).into();
                self.available.borrow_mut().insert(saltenv.to_owned(), all.clone());
                all
            }
        };
        Ok(all.iter().filter(|name| fnmatch(name, pattern)).cloned().collect())
    }

    /// Whether a target of a top file means this minion.
    pub(crate) fn confirms(&self, target: &Obj, data: &[Obj]) -> R<bool> {
        let none = Map::new();
        let Cx { opts, grains, pillar, .. } = self.cx();
        let nodegroups = opts.get("nodegroups").and_then(Value::as_map).unwrap_or(&none);
        sls::confirm_top(Subject { id: opts.str("id"), grains, pillar, nodegroups }, target, data)
    }
}
