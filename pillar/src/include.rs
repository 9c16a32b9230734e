//! What an SLS file of pillar includes.

use crate::compile::Compiler;
use crate::sls::{Mods, no_environment};
use brine_python::{Args, Dict, Obj, PyErr, R, call_method, truth};

/// How many errors are kept. Told again at each level, those of a chain of files would be twice as many with every one.
const MOST_ERRORS: usize = 1000;

/// Where an include stands.
pub(crate) struct At<'a> {
    pub(crate) sls: &'a str,
    pub(crate) saltenv: &'a str,
    /// Whether the file is its folder's `init.sls`.
    pub(crate) init: bool,
    pub(crate) depth: usize,
}

impl Compiler {
    /// Renders the files that a state includes and merges it over them, or with `pillar_includes_override_sls` them over it.
    ///
    /// As in stock, a name that is found both as written and as relative is merged twice, a file that was rendered before comes
    /// without its own includes, the errors of the file before are told again for it, and `defaults` last until others are given.
    pub(crate) fn include(
        &self,
        at: &At<'_>,
        state: Obj,
        listed: &[Obj],
        mods: &mut Mods,
        defaults: &Obj,
        errors: &mut Vec<String>,
    ) -> R {
        let over = self.cx.opts.flag("pillar_includes_override_sls");
        let mut state = state;
        let mut included = Vec::new();
        let mut defaults = defaults.clone();
        let mut last = Vec::new();
        for item in listed {
            let mut key = Obj::None;
            let mut name = item.clone();
            if let Obj::Dict(dict) = item {
                let Some((first, options)) = dict.pairs().into_iter().next() else {
                    return Err(PyErr::new(brine_python::Kind::StopIteration, ""));
                };
                name = first;
                let get = |name: &str, default: Obj| {
                    call_method(&options, "get", &Args::of([Obj::str(name), default]))
                };
                defaults = get("defaults", Dict::new().into())?;
                key = get("key", Obj::None)?;
            }
            let Some(name) = name.as_str() else { return Err(PyErr::attribute(&name, "lstrip")) };
            for name in self.included_names(at, name, errors)? {
                let mut state_of = match mods.get(&name) {
                    Some(known) => known.clone(),
                    None => {
                        let (state, own) = self.sls(&name, at.saltenv, mods, &defaults, at.depth + 1)?;
                        last = own;
                        state
                    }
                };
                if truth(&state_of)? {
                    if truth(&key)? {
                        let Some(key) = key.as_str() else { return Err(PyErr::attribute(&key, "split")) };
                        for part in key.split(':').rev() {
                            let dict = Dict::new();
                            dict.set_str(part, state_of);
                            state_of = dict.into();
                        }
                    }
                    if over {
                        state = self.merge(&state, &state_of)?;
                    } else {
                        included.push(state_of);
                    }
                }
                let room = MOST_ERRORS.saturating_sub(errors.len());
                errors.extend(last.iter().take(room).cloned());
            }
        }
        if over {
            return Ok(state);
        }
        included.push(state);
        let mut all = included.into_iter();
        let Some(first) = all.next() else { return Ok(Obj::None) };
        all.try_fold(first, |merged, next| self.merge(&merged, &next))
    }

    /// The SLS names that an include means.
    fn included_names(&self, at: &At<'_>, name: &str, errors: &mut Vec<String>) -> R<Vec<String>> {
        let plain = name.trim_start_matches('.').replace('/', ".");
        let Some(mut names) = self.available(at.saltenv, &plain)? else {
            errors.push(no_environment(at.saltenv));
            return Ok(vec![name.to_owned()]);
        };
        let full = match name.strip_prefix('.') {
            Some(rest) => {
                let mut parts: Vec<&str> = at.sls.split('.').collect();
                if !at.init {
                    parts.pop();
                }
                parts.push(rest);
                parts.join(".")
            }
            None => name.to_owned(),
        };
        names.extend(self.available(at.saltenv, &full)?.unwrap_or_default());
        Ok(if names.is_empty() { vec![full] } else { names })
    }
}
