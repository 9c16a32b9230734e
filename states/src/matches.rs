//! Merged top files against the minion, and what an external top adds.

use crate::highstate::Highstate;
use crate::names::{joined, list_at};
use brine_core::{Value, map};
use brine_python::{Args, Dict, Obj, R, call_method, contains, getitem};
use std::rc::Rc;
use std::time::Duration;

/// How deep `subfilter` may nest.
const DEPTH: usize = 100;
/// How long a master may take to ask its external tops.
const ASK: Duration = Duration::from_secs(60);

impl Highstate {
    /// The SLS names for this minion, by environment.
    pub(crate) fn matched(&self, top: &Dict) -> R<Rc<Dict>> {
        let matches = Rc::new(Dict::ordered());
        let only = self.option("saltenv");
        for (saltenv, targets) in top.pairs() {
            if only.as_deref().is_some_and(|only| saltenv.as_str() != Some(only)) {
                continue;
            }
            let Obj::Dict(targets) = targets else { continue };
            for (target, data) in targets.pairs() {
                self.filter(&matches, &saltenv, &target, &data, 0)?;
            }
        }
        self.external(&matches)?;
        Ok(matches)
    }

    fn filter(&self, matches: &Dict, saltenv: &Obj, target: &Obj, data: &Obj, depth: usize) -> R<()> {
        if depth > DEPTH {
            return Err(brine_python::PyErr::recursion(""));
        }
        let data = match data.as_str() {
            Some(_) => vec![data.clone()],
            None => data.items()?,
        };
        if !self.confirms(target, &data)? {
            return Ok(());
        }
        list_at(matches, saltenv)?;
        let subfilter = Obj::str("subfilter");
        for item in data {
            if contains(&item, &subfilter)? {
                let inner = call_method(&item, "pop", &Args::of([subfilter.clone()]))?;
                for pair in call_method(&inner, "items", &Args::default())?.items()? {
                    let (target, data) = (getitem(&pair, &Obj::Int(0))?, getitem(&pair, &Obj::Int(1))?);
                    self.filter(matches, saltenv, &target, &data, depth + 1)?;
                }
            }
            if item.as_str().is_some() {
                list_at(matches, saltenv)?.borrow_mut().push(item);
            } else if matches!(item, Obj::Dict(_)) {
                let pair = call_method(&item, "popitem", &Args::default())?;
                let (env, sls) = (getitem(&pair, &Obj::Int(0))?, getitem(&pair, &Obj::Int(1))?);
                if env.as_str().map_or(Ok(false), |env| self.has_env(env))? {
                    list_at(matches, &env)?.borrow_mut().push(sls);
                }
            }
        }
        Ok(())
    }

    /// What the master's `master_tops` say of this minion.
    fn external(&self, matches: &Dict) -> R<()> {
        let opts = &self.cx().opts;
        if opts.str("file_client") == "local" {
            return Ok(());
        }
        let load = map! {"cmd" => "_master_tops", "id" => opts.str("id"), "opts" => opts.map().clone()};
        let answer = match self.cx().host.master_request(load, ASK) {
            Ok(Value::Map(answer)) => answer,
            Ok(_) => return Ok(()),
            Err(e) => return Err(brine_render::template::py_error(e)),
        };
        let first = opts.flag("master_tops_first");
        for (saltenv, external) in &answer {
            let (saltenv, external) = (Obj::from(saltenv), Obj::from(external).items()?);
            let own = matches.get(&saltenv)?.map_or(Ok(Vec::new()), |own| own.items())?;
            let all = if first { joined(external, own)? } else { joined(own, external)? };
            matches.set(saltenv, Obj::list(all))?;
        }
        Ok(())
    }
}
