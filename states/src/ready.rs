//! High data on its way to a run: where they come from, what is excluded, and the chunks of low data that they are.

use crate::highstate::{Highstate, names_of};
use crate::names::{after_dot, before_dot, list_at, starts};
use crate::sls::Walk;
use crate::{Top, high, low};
use brine_core::call::Result;
use brine_core::{Map, Value, map};
use brine_python::{Dict, Kind, Obj, PyErr, R, str};
use brine_render::renderer::{Request, Template, compile_template};
use brine_render::template::call_error;
use std::path::Path;
use std::rc::Rc;

/// High data that are to be run, and what is wrong with them, in stock's words. Of one thread.
pub struct High {
    dict: Rc<Dict>,
    /// What was wrong with the files.
    pub errors: Vec<String>,
    /// The SLS files that were rendered.
    pub sls: Vec<String>,
}

impl High {
    /// Whether they say nothing.
    pub fn is_empty(&self) -> bool {
        self.dict.len() == 0
    }

    /// As data.
    ///
    /// # Errors
    /// What is no data, such as functions.
    pub fn value(&self) -> Result {
        brine_python::to_value(&Obj::Dict(self.dict.clone())).map_err(call_error)
    }

    /// Excludes more.
    ///
    /// # Errors
    /// Where `exclude` of the files is no list.
    pub fn exclude(&self, more: &[Value]) -> Result<()> {
        let add = || -> R<()> {
            let list = list_at(&self.dict, &Obj::str("__exclude__"))?;
            list.borrow_mut().extend(more.iter().map(Obj::from));
            Ok(())
        };
        if more.is_empty() { Ok(()) } else { add().map_err(call_error) }
    }
}

/// SLS names by environment.
pub type Matches = Vec<(String, Vec<String>)>;

impl Highstate {
    /// What SLS files of an environment say.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn high_of(&self, saltenv: &str, mods: &[String]) -> Result<High> {
        self.high(&[(saltenv.to_owned(), mods.to_vec())])
    }

    /// What the SLS files that top files give say: all, or those in a list.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn high_of_top(&self, mut matches: Matches, whitelist: Option<&[String]>) -> Result<High> {
        if let Some(allowed) = whitelist.filter(|allowed| !allowed.is_empty()) {
            for (_, names) in &mut matches {
                names.retain(|name| allowed.contains(name));
            }
            matches.retain(|(_, names)| !names.is_empty());
        }
        self.high(&matches)
    }

    /// The SLS names that top files give, by environment; `None` where there are none. To be asked once: a match takes out of
    /// the top files what it reads, as in stock, and asks the master.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn sls_of(&self, top: &Top) -> Result<Option<Matches>> {
        let matches = self.session.enter(|| names_of(&*self.matched(&top.0)?)).map_err(call_error)?;
        Ok((!matches.is_empty()).then_some(matches))
    }

    /// Which SLS files of each environment top files use, as stock counts them.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn usage(&self, top: &Top) -> Result<Map> {
        let matches = self.sls_of(top)?.unwrap_or_default();
        let mut usage = Map::new();
        for saltenv in self.session.enter(|| self.envs()).map_err(call_error)?.iter() {
            let names = matches.iter().find(|(env, _)| env == saltenv).map_or(&[][..], |(_, names)| names);
            let (mut used, mut unused): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
            for sls in self.session.enter(|| self.available(saltenv, "*")).map_err(call_error)? {
                let list = if names.contains(&sls) { &mut used } else { &mut unused };
                list.push(sls.into());
            }
            let (count_used, count_unused) = (used.len() as i64, unused.len() as i64);
            let env = map! {
                "used" => used, "unused" => unused, "count_all" => count_used + count_unused,
                "count_used" => count_used, "count_unused" => count_unused,
            };
            usage.insert(saltenv.as_str(), env);
        }
        Ok(usage)
    }

    fn high(&self, matches: &[(String, Vec<String>)]) -> Result<High> {
        let work = || {
            let (dict, errors, done) = self.rendered(matches)?;
            let sls = done
                .into_iter()
                .map(|name| name.split_once(':').map_or(name.clone(), |(_, sls)| sls.to_owned()));
            Ok(High { dict, errors, sls: sls.collect() })
        };
        self.session.enter(work).map_err(call_error)
    }

    /// What a file of this machine says, which is an SLS file.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn high_of_file(&self, path: &Path, saltenv: &str) -> Result<High> {
        let shown = path.display().to_string();
        let work = || {
            let mut walk = Walk::new(vec![saltenv.to_owned()]);
            if !path.is_file() {
                walk.errors.push(format!("Specified SLS {shown} on local filesystem cannot be found."));
            }
            let state = self.render_file(path, None, &shown, saltenv, &mut walk, 0)?;
            let dict = match state {
                Obj::Dict(dict) => dict,
                _ => Rc::new(Dict::new()),
            };
            Ok(High { dict, errors: walk.errors, sls: vec![shown.clone()] })
        };
        self.session.enter(work).map_err(call_error)
    }

    /// What the text of a template says; includes, excludes and extensions have no place in it.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn high_of_text(&self, text: &str) -> Result<High> {
        let work = || {
            let default = self.cx().opts.str("renderer");
            let state = compile_template(&self.session, &Request::new(Template::Text(text), default))?;
            let mut errors = Vec::new();
            let dict = match state.data.into_value() {
                Obj::Dict(dict) => {
                    single(&dict, "<template-str>", &mut errors)?;
                    dict
                }
                other => {
                    if brine_python::truth(&other)? {
                        errors.push("Template <template-str> does not render to a dictionary".into());
                    }
                    Rc::new(Dict::new())
                }
            };
            Ok(High { dict, errors, sls: Vec::new() })
        };
        self.session.enter(work).map_err(call_error)
    }

    /// High data that are there already.
    ///
    /// # Errors
    /// They are no dict.
    pub fn given_high(&self, data: &Value) -> Result<High> {
        match Obj::from(data) {
            Obj::Dict(dict) => Ok(High { dict, errors: Vec::new(), sls: Vec::new() }),
            other => {
                let text = format!("'{}' object has no attribute 'items'", other.type_name());
                Err(call_error(PyErr::new(Kind::AttributeError, text)))
            }
        }
    }

    /// The chunks in their order, or what is wrong with the data.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn low(&self, high: &High) -> Result<std::result::Result<Vec<Map>, Vec<String>>> {
        let data = &high.dict;
        let work = || {
            let mut errors = high::reconcile(data, false)?;
            errors.extend(high::verify(data, self.semantics)?);
            if errors.is_empty() {
                errors.extend(high::requisite_in(data, &self.disabled, self.semantics)?);
                high::apply_exclude(data)?;
            }
            self.chunks(data, errors)
        };
        self.session.enter(work).map_err(call_error)
    }

    /// The same for `state.sls_id`, which extends and excludes nothing.
    ///
    /// # Errors
    /// What stock does not catch either.
    pub fn low_of_id(&self, high: &High) -> Result<std::result::Result<Vec<Map>, Vec<String>>> {
        let work = || {
            let mut errors = high.errors.clone();
            errors.extend(high::verify(&high.dict, self.semantics)?);
            errors.extend(high::requisite_in(&high.dict, &self.disabled, self.semantics)?);
            self.chunks(&high.dict, errors)
        };
        self.session.enter(work).map_err(call_error)
    }

    fn chunks(&self, high: &Dict, errors: Vec<String>) -> R<std::result::Result<Vec<Map>, Vec<String>>> {
        if !errors.is_empty() {
            self.place_faults(&errors);
            return Ok(Err(errors));
        }
        let (chunks, errors) = low::compile(self.cx(), high, self.semantics, &self.disabled, &self.left_out)?;
        if !errors.is_empty() {
            self.place_faults(&errors);
            return Ok(Err(errors));
        }
        let chunk = |chunk: &Obj| match brine_python::to_value(chunk)? {
            Value::Map(map) => Ok(map),
            _ => Ok(Map::new()),
        };
        chunks.iter().map(chunk).collect::<R<Vec<Map>>>().map(Ok)
    }
}

/// Brings a single template into the form of high data.
fn single(high: &Dict, template: &str, errors: &mut Vec<String>) -> R<()> {
    for item in ["include", "exclude", "extends"] {
        if high.get_str(item).is_some() {
            errors.push(format!(
                "The '{item}' declaration found on '{template}' is invalid when rendering single templates"
            ));
            return Ok(());
        }
    }
    for (name, body) in high.pairs() {
        let Obj::Dict(body) = &body else {
            match body.as_str() {
                Some(text) if text.contains('.') => {
                    let short = Dict::new();
                    short.set_str(before_dot(text), Obj::list(vec![Obj::str(after_dot(text))]));
                    high.set(name, short.into())?;
                }
                Some(_) => {
                    errors.push(format!("ID {} in template {template} is not a dictionary", str(&name)?))
                }
                None => return Err(crate::names::no_list(&body, "items")),
            }
            continue;
        };
        let mut keys: Vec<String> = Vec::new();
        for (key, _) in body.pairs() {
            if !starts(&key, "_")? {
                keys.push(str(&key)?);
            }
        }
        keys.sort();
        let mut known: Vec<String> = Vec::new();
        for key in keys {
            match body.get_str(&key) {
                Some(Obj::None) => errors.push(format!(
                    "ID '{}' in template {template} contains a short declaration ({key}) with a trailing colon. When not \
                     passing any arguments to a state, the colon must be omitted.",
                    str(&name)?
                )),
                Some(Obj::List(run)) if key.contains('.') => {
                    let module = before_dot(&key).to_owned();
                    if known.contains(&module) {
                        errors.push(format!(
                            "ID '{}' in template '{template}' contains multiple state declarations of the same type",
                            str(&name)?
                        ));
                        continue;
                    }
                    body.remove(&Obj::str(&key))?;
                    body.set_str(&module, Obj::List(run.clone()));
                    run.borrow_mut().push(Obj::str(after_dot(&key)));
                    known.push(module);
                }
                Some(Obj::List(_)) => known.push(key),
                _ => {}
            }
        }
    }
    Ok(())
}
