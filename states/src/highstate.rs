//! One run over a state tree, and what it knows of the tree.

use crate::place::{Place, named};
use crate::run::disabled_requisites;
use crate::semantics::Semantics;
use crate::sls::Walk;
use crate::{high, low};
use brine_core::Map;
use brine_core::Value;
use brine_core::call::{Cx, Result};
use brine_core::files::Listing;
use brine_core::target::{Subject, fnmatch};
use brine_python::{Dict, Obj, R};
use brine_render::renderer::{Request, Template, compile_template};
use brine_render::sls;
use brine_render::template::{Session, call_error, py_error};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::rc::Rc;

/// The number that automatic order begins with.
const FIRST: i64 = 10_000;

/// Matches as text.
pub(crate) fn names_of(matches: &Dict) -> R<Vec<(String, Vec<String>)>> {
    let mut out = Vec::new();
    for (env, names) in matches.pairs() {
        let names = names.items()?.iter().map(brine_python::str).collect::<R<Vec<_>>>()?;
        out.push((brine_python::str(&env)?, names));
    }
    Ok(out)
}

/// Merged top files: targets by environment, SLS names and options by target.
pub struct Top(pub(crate) Rc<Dict>);

/// High data, what is wrong with them, and `environment:sls` of each file they are from.
type Rendered = (Rc<Dict>, Vec<String>, HashSet<String>);

/// SLS files by `environment:sls`.
pub type Sources = BTreeMap<String, Place>;

/// A run over a state tree. Of one thread.
pub struct Highstate {
    pub(crate) session: Rc<Session>,
    envs: RefCell<Option<Rc<[String]>>>,
    available: RefCell<BTreeMap<String, Rc<[String]>>>,
    /// The number of the next state that has none of its own.
    order: Cell<i64>,
    /// Whose semantics the tree has.
    pub(crate) semantics: Semantics,
    /// `disabled_requisites`
    pub(crate) disabled: Vec<String>,
    /// How many chunks low data lack since their functions are disabled.
    pub(crate) left_out: Cell<i64>,
    /// Where the SLS files lie that were rendered.
    pub(crate) sources: RefCell<Sources>,
}

/// The result of a compilation: data, and what is wrong, in stock's words.
pub struct Compiled {
    /// High data as a dict, or low data as a list.
    pub data: Value,
    /// Faults.
    pub errors: Vec<String>,
}

impl Highstate {
    /// With the options of [`crate::settings`] and the pillar of the run in the context.
    pub fn new(cx: &Cx) -> Self {
        Self {
            session: Session::new(cx, cx.host.files()),
            envs: RefCell::default(),
            available: RefCell::default(),
            order: Cell::new(FIRST),
            semantics: Semantics::of(&cx.opts),
            disabled: disabled_requisites(cx),
            left_out: Cell::new(0),
            sources: RefCell::default(),
        }
    }

    pub(crate) fn next_order(&self) -> i64 {
        let order = self.order.get();
        self.order.set(order + 1);
        order
    }

    /// How many chunks the low data lack that were compiled, since their functions are disabled and 3008's semantics leave them
    /// out: the results of a run are numbered from there.
    pub fn left_out(&self) -> i64 {
        self.left_out.get()
    }

    /// Where the SLS files lie that were rendered so far.
    pub fn sources(&self) -> Sources {
        self.sources.borrow().clone()
    }

    /// Says in the log where what faults name is declared.
    pub(crate) fn place_faults(&self, faults: &[String]) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let sources = self.sources.borrow();
        for (id, sls) in faults.iter().filter_map(|fault| named(fault)) {
            let of_sls = |name: &&String| name.split_once(':').is_some_and(|(_, own)| own == sls);
            if let Some(place) = sources.keys().find(of_sls).and_then(|name| sources.get(name)) {
                tracing::debug!("ID '{id}' in SLS '{sls}' is declared in {}", place.of(id));
            }
        }
    }

    /// The high data of SLS files in an environment, as they say it, and checked.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn show_sls(&self, saltenv: &str, mods: &[String]) -> Result<Compiled> {
        let matches = [(saltenv.to_owned(), mods.to_vec())];
        self.run(|| {
            let (high, mut errors) = self.render(&matches)?;
            errors.extend(high::verify(&high, self.semantics)?);
            Ok((Obj::Dict(high), errors))
        })
    }

    /// Their low data, without what they extend or require at the other end, as stock shows it.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn show_low_sls(&self, saltenv: &str, mods: &[String]) -> Result<Compiled> {
        let matches = [(saltenv.to_owned(), mods.to_vec())];
        self.run(|| {
            let (high, mut errors) = self.render(&matches)?;
            errors.extend(high::verify(&high, self.semantics)?);
            if !errors.is_empty() {
                return Ok((Obj::None, errors));
            }
            self.low_data(&high)
        })
    }

    /// The high data of what top files give this minion.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn show_highstate(&self) -> Result<Compiled> {
        self.run(|| {
            let top = self.merged()?;
            let mut errors = crate::verify::verify(&top)?;
            let matched = self.matched(&top)?;
            let matches = names_of(&matched)?;
            let (high, more) = self.render(&matches)?;
            errors.extend(more);
            Ok((Obj::Dict(high), errors))
        })
    }

    /// The low data of what top files give this minion.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn show_lowstate(&self) -> Result<Compiled> {
        self.run(|| {
            let top = self.merged()?;
            let matched = self.matched(&top)?;
            self.compiled(&names_of(&matched)?)
        })
    }

    /// The low data of SLS files by environment, with all they extend, require at the other end and exclude.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn low_of(&self, matches: &[(String, Vec<String>)]) -> Result<Compiled> {
        self.run(|| self.compiled(matches))
    }

    fn compiled(&self, matches: &[(String, Vec<String>)]) -> R<(Obj, Vec<String>)> {
        let (high, mut errors) = self.render(matches)?;
        errors.extend(high::reconcile(&high, false)?);
        errors.extend(high::verify(&high, self.semantics)?);
        errors.extend(high::requisite_in(&high, &self.disabled, self.semantics)?);
        high::apply_exclude(&high)?;
        if !errors.is_empty() {
            return Ok((Obj::None, errors));
        }
        self.low_data(&high)
    }

    fn low_data(&self, high: &Dict) -> R<(Obj, Vec<String>)> {
        let (chunks, errors) = low::compile(self.cx(), high, self.semantics, &self.disabled, &self.left_out)?;
        Ok((Obj::list(chunks), errors))
    }

    fn run(&self, work: impl FnOnce() -> R<(Obj, Vec<String>)>) -> Result<Compiled> {
        let (data, errors) = self.session.enter(work).map_err(call_error)?;
        self.place_faults(&errors);
        Ok(Compiled { data: brine_python::to_value(&data).map_err(call_error)?, errors })
    }

    /// Renders the SLS files that are named, with all they include, to high data.
    fn render(&self, matches: &[(String, Vec<String>)]) -> R<(Rc<Dict>, Vec<String>)> {
        self.rendered(matches).map(|(high, errors, _)| (high, errors))
    }

    /// The same, and which files were rendered, as `environment:sls`.
    pub(crate) fn rendered(&self, matches: &[(String, Vec<String>)]) -> R<Rendered> {
        let high = Rc::new(Dict::ordered());
        let mut all = Vec::new();
        let envs: Vec<String> = matches.iter().map(|(env, _)| env.clone()).collect();
        let mut walk = Walk::new(envs);
        // As in stock, an environment that does not exist goes on with the files of the one before.
        let mut files: Vec<String> = Vec::new();
        for (saltenv, names) in matches {
            for name in names {
                if self.has_env(saltenv)? {
                    files = self.available(saltenv, name)?;
                } else if self.has_env("__env__")? {
                    files = self.available("__env__", name)?;
                } else {
                    all.push(format!("No matching salt environment for environment '{saltenv}' found"));
                }
                if files.is_empty() {
                    files = vec![name.clone()];
                }
                for sls in &files {
                    if walk.done.contains(&format!("{saltenv}:{sls}")) {
                        continue;
                    }
                    let state = self.render_state(sls, saltenv, &mut walk, 0)?;
                    let mut errors = std::mem::take(&mut walk.errors);
                    if brine_python::truth(&state)? {
                        high::merge::merge_included(&high, &state, &mut errors)?;
                    }
                    let missing = format!("SLS {name} in saltenv");
                    for error in &mut errors {
                        if error.contains("is not available") && error.contains(&missing) {
                            *error = format!("No matching sls found for '{name}' in env '{saltenv}'");
                        }
                    }
                    all.extend(errors);
                }
            }
        }
        high::merge::clean_extends(&high)?;
        Ok((high, all, walk.done))
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
