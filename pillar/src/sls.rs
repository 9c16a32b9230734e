//! The SLS files of a minion, rendered and merged environment by environment.

use crate::compile::Compiler;
use brine_core::Value;
use brine_python::{Dict, Obj, R};
use std::collections::HashMap;

/// What SLS files rendered to, without what they include, in one environment.
pub(crate) type Mods = HashMap<String, Obj>;

/// How deep SLS files may include each other.
const DEPTH: usize = 100;

impl Compiler {
    /// Renders what matched and merges it over what is given on the command line.
    pub(crate) fn render(&self, matches: &[(Obj, Vec<String>)], errors: &mut Vec<String>) -> R {
        let mut pillar = Obj::from(self.over());
        for (saltenv, names) in self.in_order(matches) {
            let mut all = Vec::new();
            let env = brine_python::str(saltenv)?;
            for name in names {
                match self.available(&env, name)? {
                    Some(matched) if !matched.is_empty() => all.extend(matched),
                    found => {
                        if found.is_none() {
                            errors.push(no_environment(&env));
                        }
                        all.push(name.clone());
                    }
                }
            }
            let mut mods = Mods::new();
            for sls in &all {
                let (state, own) = self.sls(sls, &env, &mut mods, &Dict::new().into(), 0)?;
                errors.extend(own);
                match &state {
                    Obj::None => {}
                    Obj::Dict(_) => pillar = self.add(pillar, &state)?,
                    _ => {
                        let quoted: Vec<String> = errors.iter().map(|e| format!("'{e}'")).collect();
                        tracing::error!(
                            "The rendered pillar sls file, '{sls}' state did not return the expected data format. This \
                             is a sign of a malformed pillar sls file. Returned errors: {}",
                            quoted.join(", ")
                        );
                    }
                }
            }
        }
        Ok(pillar)
    }

    /// Environments in the order of `env_order`, then the rest.
    fn in_order<'m>(&self, matches: &'m [(Obj, Vec<String>)]) -> Vec<&'m (Obj, Vec<String>)> {
        let order = self.cx.opts.get("env_order").and_then(Value::as_list).unwrap_or_default();
        let mut sorted: Vec<&(Obj, Vec<String>)> = Vec::new();
        for env in order.iter().filter_map(Value::as_str) {
            sorted.extend(matches.iter().filter(|(name, _)| name.as_str() == Some(env)));
        }
        for each in matches {
            if !sorted.iter().any(|other| std::ptr::eq(*other, each)) {
                sorted.push(each);
            }
        }
        sorted
    }

    /// Renders one SLS file with what it includes; `None` for one that is not there. Errors of rendering are texts beside it.
    pub(crate) fn sls(
        &self,
        sls: &str,
        saltenv: &str,
        mods: &mut Mods,
        defaults: &Obj,
        depth: usize,
    ) -> R<(Obj, Vec<String>)> {
        if depth > DEPTH {
            return Err(brine_python::PyErr::recursion(""));
        }
        let mut errors = Vec::new();
        let file = self.state(sls, saltenv)?;
        if file.is_none() {
            match self.missing(sls, saltenv) {
                // Then it counts as an empty file.
                Some(text) => errors.push(text),
                None => return Ok((Obj::None, errors)),
            }
        }
        let path = file.as_ref().map(|file| file.path.as_path());
        let state = match self.template(path, saltenv, sls, defaults) {
            Ok(state) => state,
            Err(e) => {
                let text = format!("Rendering SLS '{sls}' failed, render error:\n{e}");
                tracing::error!("{text}");
                let safe = self.cx.opts.get("pillar_safe_render_error").is_none_or(Value::truthy);
                errors.push(if safe {
                    format!("Rendering SLS '{sls}' failed. Please see master log for details.")
                } else {
                    text
                });
                Obj::None
            }
        };
        mods.insert(sls.to_owned(), state.clone());
        if !brine_python::truth(&state)? {
            return Ok((state, errors));
        }
        let Obj::Dict(dict) = &state else {
            errors.push(format!("SLS '{sls}' does not render to a dictionary"));
            return Ok((state, errors));
        };
        let Some(include) = dict.get_str("include") else { return Ok((state, errors)) };
        let Obj::List(listed) = include else {
            errors.push(format!("Include Declaration in SLS '{sls}' is not formed as a list"));
            return Ok((state, errors));
        };
        dict.remove(&Obj::str("include"))?;
        let init = file.is_some_and(|file| file.init);
        let at = crate::include::At { sls, saltenv, init, depth };
        let listed = listed.borrow().clone();
        let state = self.include(&at, state.clone(), &listed, mods, defaults, &mut errors)?;
        Ok((state, errors))
    }

    /// What to say of an SLS file that is not there; nothing where it may be missing.
    fn missing(&self, sls: &str, saltenv: &str) -> Option<String> {
        if self.ignored.borrow().get(saltenv).is_some_and(|names| names.iter().any(|name| name == sls)) {
            tracing::debug!("Skipping ignored and missing SLS '{sls}' in environment '{saltenv}'");
            return None;
        }
        if self.settled.roots.get(saltenv).is_some_and(Value::truthy) {
            let text = format!(
                "Specified SLS '{sls}' in environment '{saltenv}' is not available on the salt master"
            );
            tracing::error!("{text}");
            return Some(text);
        }
        tracing::debug!("Specified SLS '{sls}' in environment '{saltenv}' was not found");
        None
    }
}

/// What is said of an environment that does not exist.
pub(crate) fn no_environment(saltenv: &str) -> String {
    format!("No matching pillar environment for environment '{saltenv}' found")
}
