//! Requisites that are written at the other end: `require_in` and its kin, `use`, and `prereq`, which both ends must know.

use super::{extend, find};
use crate::names::{before_dot, dict_at, first, is_in, item, list_at, only_key, pair, starts};
use crate::semantics::Semantics;
use brine_python::{Dict, List, Obj, R, contains, eq, getitem, str};
use std::rc::Rc;

/// What is looked for.
const IN: &[&str] =
    &["require_in", "watch_in", "onfail_in", "onchanges_in", "use", "use_in", "prereq", "prereq_in"];
/// What `use` does not take over.
const NOT_USED: &[&str] = &["require", "watch", "onfail", "onfail_stop", "onchanges", "name", "names"];

/// Extends the states that are named by what names them; the faults, in stock's words.
pub(crate) fn requisite_in(high: &Dict, disabled: &[String], semantics: Semantics) -> R<Vec<String>> {
    let newer = semantics.is_3008();
    let mut all = All { high, extend: Rc::new(Dict::new()), errors: Vec::new(), newer };
    for (id, body) in high.pairs() {
        let Obj::Dict(states) = &body else { continue };
        for (state, run) in states.pairs() {
            if starts(&state, "__")? {
                continue;
            }
            for arg in run.items()? {
                let Obj::Dict(arg) = &arg else { continue };
                let Some((key, value)) = arg.pairs().into_iter().next() else { continue };
                let Some(key) = key.as_str().and_then(|key| IN.iter().copied().find(|known| *known == key))
                else {
                    continue;
                };
                // In 3008 `prereq` is of one end, as every requisite is.
                if newer && key == "prereq" {
                    continue;
                }
                if disabled.iter().any(|name| name == key) {
                    tracing::warn!("The {key} requisite has been disabled, Ignoring.");
                    continue;
                }
                let at = At { id: &id, body: &body, state: &state, key };
                match &value {
                    Obj::Dict(one) => all.single(&at, one)?,
                    Obj::List(list) => {
                        let list = list.borrow().clone();
                        all.listed(&at, list)?;
                    }
                    _ => {}
                }
            }
        }
    }
    let All { extend, mut errors, .. } = all;
    let extends = extend.pairs().into_iter().map(|(name, body)| pair(name, body)).collect::<R<Vec<_>>>()?;
    high.set_str("__extend__", Obj::list(extends));
    errors.extend(extend::reconcile(high, true)?);
    Ok(errors)
}

/// Where a requisite stands.
struct At<'a> {
    id: &'a Obj,
    body: &'a Obj,
    state: &'a Obj,
    key: &'static str,
}

impl At<'_> {
    /// The requisite that the other end gets.
    fn requisite(&self) -> &'static str {
        self.key.split('_').next().unwrap_or(self.key)
    }

    /// The end that it stands at.
    fn own(&self) -> R {
        pair(self.state.clone(), self.id.clone())
    }
}

struct All<'a> {
    high: &'a Dict,
    extend: Rc<Dict>,
    errors: Vec<String>,
    newer: bool,
}

impl All<'_> {
    fn no_dots(&mut self, at: &At<'_>, kind: &Obj, name: &Obj, single: bool) -> R<Obj> {
        if !contains(kind, &Obj::str("."))? {
            return Ok(kind.clone());
        }
        let shown = str(kind)?;
        let short = before_dot(&shown);
        self.errors.push(format!(
            "Invalid requisite in {}: {shown} for {}{} in SLS '{}'. Requisites must not contain dots, did you mean '{short}'?",
            at.requisite(),
            str(name)?,
            if self.newer && single { "" } else { "," },
            str(&item(at.body, "__sls__")?)?
        ));
        Ok(Obj::str(short))
    }

    fn entry(&self, id: &Obj, kind: &Obj) -> R<Rc<List>> {
        list_at(&*dict_at(&self.extend, id)?, kind)
    }

    /// `require_in: {kind: name}`
    fn single(&mut self, at: &At<'_>, one: &Dict) -> R<()> {
        for (kind, name) in one.pairs() {
            dict_at(&self.extend, &name)?;
            let kind = self.no_dots(at, &kind, &name, true)?;
            self.add(at, &name, &kind)?;
        }
        Ok(())
    }

    /// The ordinary case: the other end gets the requisite.
    fn add(&mut self, at: &At<'_>, name: &Obj, kind: &Obj) -> R<()> {
        let entry = dict_at(&self.extend, name)?;
        let list = list_at(&entry, kind)?;
        for key in ["__env__", "__sls__"] {
            entry.set_str(key, item(at.body, key)?);
        }
        let requisite = Obj::str(at.requisite());
        let mut found = false;
        for arg in list.borrow().iter() {
            if eq(&first(arg)?, &requisite)? {
                if let Obj::List(names) = getitem(arg, &requisite)? {
                    names.borrow_mut().push(at.own()?);
                }
                found = true;
            }
        }
        if !found {
            let arg = pair(requisite, Obj::list(vec![at.own()?]))?;
            list.borrow_mut().push(arg);
        }
        Ok(())
    }

    fn listed(&mut self, at: &At<'_>, list: Vec<Obj>) -> R<()> {
        // As in stock, each entry goes through those before it once more.
        let mut hinges: Vec<(Obj, Obj)> = Vec::new();
        for one in list {
            let Some(one) = self.meant(one)? else { continue };
            let Obj::Dict(dict) = &one else { continue };
            let Some((kind, name)) = dict.pairs().into_iter().next() else { continue };
            if kind.as_str() == Some("sls") {
                hinges = find::of_sls(&name, self.high)?;
            } else {
                hinges.push((name.clone(), kind.clone()));
            }
            self.no_dots(at, &kind, &name, false)?;
            for (name, kind) in hinges.clone() {
                self.hinge(at, &name, &kind)?;
            }
        }
        Ok(())
    }

    /// What an entry that is a bare name means; `None` for one that means nothing.
    fn meant(&self, one: Obj) -> R<Option<Obj>> {
        if matches!(one, Obj::Dict(_)) {
            return Ok(Some(one));
        }
        if let Some(body) = self.high.get(&one)? {
            for kind in body.items()? {
                if !starts(&kind, "__")? {
                    return pair(kind, one).map(Some);
                }
            }
            return Err(brine_python::PyErr::new(brine_python::Kind::IndexError, "list index out of range"));
        }
        let mut meant: Option<Obj> = None;
        for (id, body) in self.high.pairs() {
            for kind in body.items()? {
                if starts(&kind, "__")? {
                    continue;
                }
                for arg in getitem(&body, &kind)?.items()? {
                    let name = match &arg {
                        Obj::Dict(arg) => arg.get_str("name"),
                        _ => None,
                    };
                    // Once found, what is looked for is a dict, which no name is.
                    if let (Some(name), None) = (name, &meant)
                        && eq(&name, &one)?
                    {
                        meant = Some(pair(kind.clone(), id.clone())?);
                    }
                }
            }
        }
        Ok(meant)
    }

    fn hinge(&mut self, at: &At<'_>, name: &Obj, kind: &Obj) -> R<()> {
        if at.key == "prereq_in" && !self.newer {
            let other = pair(kind.clone(), name.clone())?;
            let arg = pair(Obj::str("prerequired"), Obj::list(vec![other]))?;
            self.entry(at.id, at.state)?.borrow_mut().push(arg);
        }
        match at.key {
            "prereq" => {
                for (id, kind) in find::by_name(name, kind, self.high, true)? {
                    let arg = pair(Obj::str("prerequired"), Obj::list(vec![at.own()?]))?;
                    self.entry(&id, &kind)?.borrow_mut().push(arg);
                }
            }
            "use_in" => {
                for (id, other) in find::by_name(name, kind, self.high, true)? {
                    let known = find::arguments(&id, kind, self.high)?;
                    let into = self.entry(&id, &other)?;
                    let from = getitem(at.body, at.state)?;
                    take_over(&from, &known, &into)?;
                }
            }
            "use" => {
                for (id, other) in find::by_name(name, kind, self.high, true)? {
                    let known = find::arguments(at.id, at.state, self.high)?;
                    let into = self.entry(at.id, at.state)?;
                    let body = self.high.get(&id)?.ok_or_else(|| brine_python::PyErr::key(&id))?;
                    let from = getitem(&body, &other)?;
                    take_over(&from, &known, &into)?;
                }
            }
            _ => self.add(at, name, kind)?,
        }
        Ok(())
    }
}

/// Adds arguments that the other does not have.
fn take_over(from: &Obj, known: &[Obj], into: &List) -> R<()> {
    for arg in from.items()? {
        let Some(key) = only_key(&arg) else { continue };
        let text = key.as_str().unwrap_or_default();
        if !(IN.contains(&text) || NOT_USED.contains(&text) || is_in(known, &key)?) {
            into.borrow_mut().push(arg);
        }
    }
    Ok(())
}
