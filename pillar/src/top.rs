//! Top files: found, included, merged, and matched against the minion.

use crate::compile::Compiler;
use brine_python::{Args, Dict, Kind, Obj, Op, R, binary, call_method, contains, getitem};
use indexmap::IndexMap;

/// Targets with their order, options and SLS names, by environment.
pub(crate) type Top = Vec<(Obj, Vec<(Obj, Vec<Obj>)>)>;

impl Compiler {
    /// The merged top files, and what is wrong with them.
    pub(crate) fn top(&self) -> R<(Top, Vec<String>)> {
        let mut errors = Vec::new();
        let tops = self.tops(&mut errors)?;
        match self.merged(&tops) {
            Ok(top) => Ok((top, errors)),
            Err(e) if e.kind() == Kind::TypeError => {
                errors.push("Error encountered while rendering pillar top file.".into());
                Ok((Vec::new(), errors))
            }
            Err(e) => Err(e),
        }
    }

    /// The environments whose top files count.
    fn top_envs(&self) -> Vec<String> {
        match self.settled.pillarenv() {
            Some(env) if self.settled.roots.contains(env.as_str()) => vec![env],
            Some(env) => {
                tracing::debug!("pillarenv '{env}' not found in the configured pillar environments");
                Vec::new()
            }
            None => {
                let envs = self.settled.envs();
                if self.cx.opts.str("pillar_source_merging_strategy") != "none" {
                    return envs;
                }
                let only =
                    self.settled.wish.saltenv.as_deref().filter(|env| !env.is_empty()).unwrap_or("base");
                envs.into_iter().filter(|env| env == only).collect()
            }
        }
    }

    /// Rendered top files by environment, those they include after them.
    fn tops(&self, errors: &mut Vec<String>) -> R<IndexMap<String, Vec<Obj>>> {
        let mut tops: IndexMap<String, Vec<Obj>> = IndexMap::new();
        let nothing = Obj::from(Dict::new());
        for saltenv in self.top_envs() {
            let rendered = self.top_file(&saltenv).and_then(|path| match path {
                Some(path) => self.template(Some(&path), &saltenv, "", &nothing).map(Some),
                None => Ok(None),
            });
            match rendered {
                Ok(Some(top)) => tops.entry(saltenv).or_default().push(top),
                Ok(None) => {}
                Err(e) => {
                    errors.push(format!("Rendering Primary Top file failed, render error:\n{e}"));
                    tracing::error!("Pillar rendering failed for minion {}: {e}", self.settled.wish.id);
                    break;
                }
            }
        }
        let mut includes: Vec<(String, Vec<Obj>)> = Vec::new();
        for (saltenv, tops) in &tops {
            for top in tops {
                if !contains(top, &Obj::str("include"))? {
                    continue;
                }
                let listed = getitem(top, &Obj::str("include"))?.items()?;
                includes.push((saltenv.clone(), listed));
                call_method(top, "pop", &Args::of([Obj::str("include")]))?;
            }
        }
        let mut done: Vec<(String, Obj)> = Vec::new();
        for (saltenv, listed) in includes {
            for sls in listed {
                let mut is_done = false;
                for (env, other) in &done {
                    is_done |= *env == saltenv && brine_python::eq(other, &sls)?;
                }
                if is_done {
                    continue;
                }
                match self.included_top(&sls, &saltenv, &nothing) {
                    Ok(top) => tops.entry(saltenv.clone()).or_default().push(top),
                    Err(e) => errors.push(format!(
                        "Rendering Top file {} failed, render error:\n{e}",
                        brine_python::str(&sls)?
                    )),
                }
                done.push((saltenv.clone(), sls));
            }
        }
        Ok(tops)
    }

    fn included_top(&self, sls: &Obj, saltenv: &str, nothing: &Obj) -> R {
        let Some(name) = sls.as_str() else {
            // What Python says of a name that is none.
            contains(sls, &Obj::str("."))?;
            return binary(Op::Add, sls, &Obj::str(".sls"));
        };
        let state = self.state(name, saltenv)?;
        self.template(state.as_ref().map(|state| state.path.as_path()), saltenv, "", nothing)
    }

    /// Targets of all top files, a later one of the same name in place of an earlier, sorted by `order`.
    fn merged(&self, tops: &IndexMap<String, Vec<Obj>>) -> R<Top> {
        let all = Dict::new();
        let orders = Dict::new();
        for top in tops.values().flatten() {
            for pair in call_method(top, "items", &Args::default())?.items()? {
                let (saltenv, targets) = (getitem(&pair, &Obj::Int(0))?, getitem(&pair, &Obj::Int(1))?);
                if saltenv.as_str() == Some("include") {
                    continue;
                }
                for target in targets.items()? {
                    inner(&orders, &saltenv)?.set(target.clone(), Obj::Int(0))?;
                    let (options, states, order) = self.one(&getitem(&targets, &target)?, &saltenv)?;
                    if let Some(order) = order {
                        inner(&orders, &saltenv)?.set(target.clone(), order)?;
                    }
                    let members = options.into_iter().chain(keys(&states)).collect();
                    inner(&all, &saltenv)?.set(target, Obj::list(members))?;
                }
            }
        }
        let mut top = Vec::new();
        for (saltenv, targets) in all.pairs() {
            let Obj::Dict(targets) = targets else { continue };
            let mut sorted: Vec<(Obj, (Obj, Obj))> = Vec::new();
            let orders = inner(&orders, &saltenv)?;
            for (target, members) in targets.pairs() {
                sorted.push((orders.get(&target)?.unwrap_or(Obj::Int(0)), (target, members)));
            }
            brine_python::sort(&mut sorted, |item| &item.0, false)?;
            let sorted = sorted
                .into_iter()
                .map(|(_, (target, members))| (target, members.sequence().unwrap_or_default()))
                .collect();
            top.push((saltenv, sorted));
        }
        Ok(top)
    }

    /// One target's options that choose a matcher, its SLS names (a dict's keys), and its order if it has one.
    fn one(&self, listed: &Obj, saltenv: &Obj) -> R<(Vec<Obj>, Dict, Option<Obj>)> {
        let (mut options, states, mut order, mut may_miss) = (Vec::new(), Dict::new(), None, false);
        for item in listed.items()? {
            if let Obj::Dict(option) = &item {
                if option.get_str("match").is_some() {
                    options.push(item.clone());
                }
                if let Some(given) = option.get_str("order") {
                    order = Some(match &given {
                        Obj::Int(_) | Obj::Big(_) | Obj::Bool(_) => given,
                        other => match brine_python::int(other, None) {
                            Err(e) if e.kind() == Kind::ValueError => Obj::Int(0),
                            read => read?,
                        },
                    });
                }
                if let Some(flag) = option.get_str("ignore_missing") {
                    may_miss |= brine_python::truth(&flag)?;
                }
            }
            if item.as_str().is_some() {
                states.set(item, Obj::Bool(true))?;
            }
        }
        if may_miss && let Some(saltenv) = saltenv.as_str() {
            let names = keys(&states).filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>();
            self.ignored.borrow_mut().entry(saltenv.to_owned()).or_default().extend(names);
        }
        Ok((options, states, order))
    }

    /// The SLS names for this minion, by environment, in the order they are rendered.
    pub(crate) fn matches(&self, top: &Top) -> R<Vec<(Obj, Vec<String>)>> {
        let pillarenv = self.settled.pillarenv();
        let mut matches: Vec<(Obj, Vec<String>)> = Vec::new();
        for (saltenv, targets) in top {
            if pillarenv.as_deref().is_some_and(|env| saltenv.as_str() != Some(env)) {
                continue;
            }
            let mut found: Option<Vec<String>> = None;
            for (target, data) in targets {
                if !self.confirms(target, data)? {
                    continue;
                }
                let names = found.get_or_insert_default();
                for name in data.iter().filter_map(Obj::as_str) {
                    if !names.iter().any(|n| n == name) {
                        names.push(name.to_owned());
                    }
                }
            }
            if let Some(names) = found {
                matches.push((saltenv.clone(), names));
            }
        }
        Ok(matches)
    }
}

/// The dict under a key, made if it is not there.
fn inner(of: &Dict, key: &Obj) -> R<std::rc::Rc<Dict>> {
    if let Some(Obj::Dict(dict)) = of.get(key)? {
        return Ok(dict);
    }
    let new = std::rc::Rc::new(Dict::ordered());
    of.set(key.clone(), Obj::Dict(new.clone()))?;
    Ok(new)
}

fn keys(dict: &Dict) -> impl Iterator<Item = Obj> {
    dict.pairs().into_iter().map(|(key, _)| key)
}
