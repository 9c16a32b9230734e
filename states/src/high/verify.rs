//! What may be wrong with high data, in stock's words.

use crate::names::{first, starts};
use crate::semantics::Semantics;
use brine_core::state::REQUISITES;
use brine_python::{Dict, Obj, R, contains, eq, getitem, hash, str};
use std::rc::Rc;

/// Requisites whose form is checked; in 3008 that of all is.
const CHECKED: &[&str] = &["require", "watch", "prereq", "onchanges"];

/// The faults.
pub(crate) fn verify(high: &Dict, semantics: Semantics) -> R<Vec<String>> {
    check(high, semantics.is_3008(), false)
}

/// The faults of reactions, for which stock has other words and fewer checks.
pub(crate) fn verify_reactions(high: &Dict) -> R<Vec<String>> {
    check(high, false, true)
}

fn check(high: &Dict, newer: bool, reactions: bool) -> R<Vec<String>> {
    let mut check = Check { errors: Vec::new(), requisites: Rc::new(Dict::ordered()), newer, reactions };
    for (name, body) in high.pairs() {
        if name.as_str().is_some_and(|name| name.starts_with("__")) {
            continue;
        }
        check.id(&name, &body)?;
    }
    Ok(check.errors)
}

struct Check {
    errors: Vec<String>,
    /// What each id requires, and of which kind it is.
    requisites: Rc<Dict>,
    newer: bool,
    /// They are reactions.
    reactions: bool,
}

/// Where a fault is.
struct At<'a> {
    name: &'a Obj,
    shown: String,
    body: &'a Obj,
}

impl At<'_> {
    fn sls(&self) -> R<String> {
        str(&getitem(self.body, &Obj::str("__sls__"))?)
    }
}

fn short_type(value: &Obj) -> &str {
    value.type_name().rsplit('.').next().unwrap_or_default()
}

impl Check {
    fn id(&mut self, name: &Obj, body: &Obj) -> R<()> {
        let at = At { name, shown: str(name)?, body };
        if name.as_str().is_none() {
            self.errors.push(format!(
                "ID '{}' in SLS '{}' is not formed as a string, but is {} {}. It may need to be quoted{}",
                at.shown,
                at.sls()?,
                if self.newer { "type" } else { "a" },
                short_type(name),
                if self.reactions { "" } else { "." }
            ));
        }
        let Obj::Dict(dict) = body else {
            self.errors.push(format!(
                "The type {} in {} is not formatted as a dictionary",
                at.shown,
                str(body)?
            ));
            return Ok(());
        };
        for (state, run) in dict.pairs() {
            if starts(&state, "__")? {
                continue;
            }
            let kind = state.as_str().unwrap_or_default();
            match &run {
                Obj::None if !self.reactions => self.errors.push(format!(
                    "ID '{}' in SLS '{}' contains a short declaration ({kind}) with a trailing colon. When not passing any \
                     arguments to a state, the colon must be omitted.",
                    at.shown,
                    at.sls()?
                )),
                Obj::List(list) => {
                    let args = list.borrow().clone();
                    self.state(&at, kind, &args)?;
                }
                _ => self.errors.push(format!("State '{}' in SLS '{}' is not formed as a list", at.shown, at.sls()?)),
            }
        }
        Ok(())
    }

    fn state(&mut self, at: &At<'_>, kind: &str, args: &[Obj]) -> R<()> {
        let mut functions: Vec<String> = Vec::new();
        if let Some((_, function)) = kind.split_once('.') {
            functions.push(function.to_owned());
        }
        for arg in args {
            if let Some(function) = arg.as_str() {
                functions.push(function.to_owned());
                if function.trim().contains(' ') {
                    self.errors.push(format!(
                        "The function \"{function}\" in state \"{}\" in SLS \"{}\" has whitespace, a function with whitespace \
                         is not supported, perhaps this is an argument that is missing a \":\"",
                        at.shown,
                        at.sls()?
                    ));
                }
            } else if let Obj::Dict(_) = arg {
                self.argument(at, kind, arg)?;
            }
        }
        if functions.is_empty() {
            if self.newer || !matches!(kind, "require" | "watch") {
                self.errors.push(format!(
                    "No function declared in state '{}' in SLS '{}'",
                    at.shown,
                    at.sls()?
                ));
            }
        } else if functions.len() > 1 {
            self.errors.push(format!(
                "Too many functions declared in state '{}' in SLS '{}'. Please choose one of the following: {}",
                at.shown,
                at.sls()?,
                functions.join(", ")
            ));
        }
        Ok(())
    }

    fn argument(&mut self, at: &At<'_>, kind: &str, arg: &Obj) -> R<()> {
        let key = first(arg)?;
        let value = getitem(arg, &key)?;
        let is_list = matches!(value, Obj::List(_));
        if key.as_str() == Some("names") && !is_list && !self.reactions {
            self.errors.push(format!(
                "The 'names' argument in state '{}' in SLS '{}' needs to be formed as a list",
                at.shown,
                at.sls()?
            ));
        }
        let known: &[&str] = if self.newer { &REQUISITES } else { CHECKED };
        let Some(requisite) = key.as_str().filter(|key| known.contains(key)) else { return Ok(()) };
        if !is_list {
            self.errors.push(format!(
                "The {requisite} statement in state '{}' in SLS '{}' needs to be formed as a list",
                at.shown,
                at.sls()?
            ));
        } else {
            let own = Rc::new(Dict::ordered());
            own.set_str("state", Obj::str(kind));
            self.requisites.set(at.name.clone(), Obj::Dict(own.clone()))?;
            for one in value.items()? {
                self.requisite(at, kind, &own, one)?;
            }
        }
        if matches!(arg, Obj::Dict(dict) if dict.len() != 1) {
            self.errors.push(format!(
                "Multiple dictionaries defined in argument of state '{}' in SLS '{}'",
                at.shown,
                at.sls()?
            ));
        }
        Ok(())
    }

    fn requisite(&mut self, at: &At<'_>, kind: &str, own: &Dict, one: Obj) -> R<()> {
        let one = match one.as_str() {
            Some(_) => crate::names::pair(Obj::str("id"), one)?,
            None => one,
        };
        let single = matches!(&one, Obj::Dict(dict) if dict.len() == 1);
        if self.newer && !single {
            self.errors.push(format!(
                "Requisite declaration {} in state {} in SLS {} is not formed as a single key dictionary",
                str(&one)?,
                at.shown,
                at.sls()?
            ));
            return Ok(());
        }
        if !matches!(one, Obj::Dict(_)) {
            self.errors.push(format!(
                "Requisite declaration {} in SLS {} is not formed as a single key dictionary",
                str(&one)?,
                at.sls()?
            ));
            return Ok(());
        }
        let key = first(&one)?;
        let value = getitem(&one, &key)?;
        if contains(&key, &Obj::str("."))? {
            let shown = str(&key)?;
            self.errors.push(format!(
                "Invalid requisite type '{shown}' in state '{}', in SLS '{}'. Requisite types must not contain dots, did you \
                 mean '{}'?",
                at.shown,
                at.sls()?,
                crate::names::before_dot(&shown)
            ));
        }
        if hash(&value).is_err() {
            let value = str(&value)?;
            let place = if self.newer { format!(" in SLS \"{}\"", at.sls()?) } else { String::new() };
            self.errors.push(if self.reactions {
                format!("Illegal requisite \"{value}\", is SLS {}\n", at.sls()?)
            } else {
                format!("Illegal requisite \"{value}\"{place}, please check your syntax.\n")
            });
            return Ok(());
        }
        if self.newer {
            // Circles come to light in the graph.
            return Ok(());
        }
        own.set(value.clone(), key.clone())?;
        // Whether what is required requires this one.
        let Some(Obj::Dict(theirs)) = self.requisites.get(&value)? else { return Ok(()) };
        if let Some(back) = theirs.get(at.name)?
            && eq(&back, &Obj::str(kind))?
            && eq(&theirs.get_str("state").unwrap_or(Obj::None), &key)?
        {
            self.errors.push(format!(
                "A recursive requisite was found, SLS \"{}\" ID \"{}\" ID \"{}\"",
                at.sls()?,
                at.shown,
                str(&value)?
            ));
        }
        Ok(())
    }
}
