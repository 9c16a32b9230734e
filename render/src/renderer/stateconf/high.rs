//! What is said of high data that this renderer cannot work on: stock lets its check of states look at it.

use super::super::render_error;
use super::walk::{pairs, text};
use brine_python::{Dict, Kind, Obj, PyErr, R, eq, getitem, hash, str};
use std::rc::Rc;

/// What is wrong with the shape of it, or that something is.
pub(super) fn explain(high: &Obj) -> PyErr {
    match check(high) {
        Ok(errors) if errors.is_empty() => render_error("sls preprocessing/rendering failed!"),
        Ok(errors) => render_error(errors.join("\n")),
        Err(e) => e,
    }
}

/// Requisites seen so far: for an id, the state it is of and what it requires.
type Requisites = Vec<(Obj, Obj, Rc<Dict>)>;

/// All faults. Most are told with the SLS that a later step writes into the body; where it is missing, that is the error.
fn check(high: &Obj) -> R<Vec<String>> {
    let mut errors = Vec::new();
    let mut requisites = Requisites::new();
    for (id, body) in pairs(high)? {
        match id.as_str() {
            Some(id) if id.starts_with("__") => continue,
            Some(_) => {}
            None => errors.push(format!(
                "ID '{}' in SLS '{}' is not formed as a string, but is a {}. It may need to be quoted.",
                str(&id)?,
                sls(&body)?,
                id.type_name()
            )),
        }
        if !matches!(body, Obj::Dict(_)) {
            errors.push(format!(
                "The type {} in {} is not formatted as a dictionary",
                str(&id)?,
                str(&body)?
            ));
            continue;
        }
        for (state, args) in pairs(&body)? {
            if !text(&state, "startswith")?.starts_with("__") {
                of_state(&mut errors, &mut requisites, &id, &body, &state, &args)?;
            }
        }
    }
    Ok(errors)
}

fn sls(body: &Obj) -> R<String> {
    str(&getitem(body, &Obj::str("__sls__"))?)
}

/// One state: its function, and its requisites.
fn of_state(
    errors: &mut Vec<String>,
    requisites: &mut Requisites,
    id: &Obj,
    body: &Obj,
    state: &Obj,
    args: &Obj,
) -> R<()> {
    let (name, state_text) = (str(id)?, text(state, "split")?);
    if matches!(args, Obj::None) {
        errors.push(format!(
            "ID '{name}' in SLS '{}' contains a short declaration ({state_text}) with a trailing colon. When not passing \
             any arguments to a state, the colon must be omitted.",
            sls(body)?
        ));
        return Ok(());
    }
    let Obj::List(list) = args else {
        errors.push(format!("State '{name}' in SLS '{}' is not formed as a list", sls(body)?));
        return Ok(());
    };
    let mut functions: Vec<String> =
        state_text.split_once('.').map(|(_, function)| function.to_owned()).into_iter().collect();
    for arg in list.borrow().iter() {
        if let Some(function) = arg.as_str() {
            functions.push(function.to_owned());
            if function.trim().contains(' ') {
                errors.push(format!(
                    "The function \"{function}\" in state \"{name}\" in SLS \"{}\" has whitespace, a function with \
                     whitespace is not supported, perhaps this is an argument that is missing a \":\"",
                    sls(body)?
                ));
            }
        } else if let Obj::Dict(arg) = arg {
            of_argument(errors, requisites, id, body, state, arg)?;
        }
    }
    if functions.is_empty() && !matches!(state_text, "require" | "watch") {
        errors.push(format!("No function declared in state '{name}' in SLS '{}'", sls(body)?));
    } else if functions.len() > 1 {
        errors.push(format!(
            "Too many functions declared in state '{name}' in SLS '{}'. Please choose one of the following: {}",
            sls(body)?,
            functions.join(", ")
        ));
    }
    Ok(())
}

/// One argument: what must be a list, and what a list of requisites may hold.
fn of_argument(
    errors: &mut Vec<String>,
    requisites: &mut Requisites,
    id: &Obj,
    body: &Obj,
    state: &Obj,
    arg: &Dict,
) -> R<()> {
    let name = str(id)?;
    let Some((first, value)) = arg.pairs().into_iter().next() else {
        return Err(PyErr::new(Kind::StopIteration, ""));
    };
    let list = match &value {
        Obj::List(list) => Some(list.borrow().clone()),
        _ => None,
    };
    let first = first.as_str().unwrap_or_default();
    if first == "names" && list.is_none() {
        errors.push(format!(
            "The 'names' argument in state '{name}' in SLS '{}' needs to be formed as a list",
            sls(body)?
        ));
    }
    if !matches!(first, "require" | "watch" | "prereq" | "onchanges") {
        return Ok(());
    }
    match list {
        None => errors.push(format!(
            "The {first} statement in state '{name}' in SLS '{}' needs to be formed as a list",
            sls(body)?
        )),
        Some(list) => {
            let own = Rc::new(Dict::new());
            requisites.retain(|(other, ..)| !eq(other, id).unwrap_or(false));
            requisites.push((id.clone(), state.clone(), own.clone()));
            for requisite in list {
                of_requisite(errors, requisites, id, body, &own, &requisite)?;
            }
        }
    }
    if arg.len() != 1 {
        let text =
            format!("Multiple dictionaries defined in argument of state '{name}' in SLS '{}'", sls(body)?);
        errors.push(text);
    }
    Ok(())
}

/// One requisite: a dict of one pair, or an id.
fn of_requisite(
    errors: &mut Vec<String>,
    requisites: &Requisites,
    id: &Obj,
    body: &Obj,
    own: &Dict,
    requisite: &Obj,
) -> R<()> {
    let (key, value) = match requisite {
        Obj::Dict(requisite) => {
            requisite.pairs().into_iter().next().ok_or_else(|| PyErr::new(Kind::StopIteration, ""))?
        }
        other if other.as_str().is_some() => (Obj::str("id"), other.clone()),
        other => {
            errors.push(format!(
                "Requisite declaration {} in SLS {} is not formed as a single key dictionary",
                str(other)?,
                sls(body)?
            ));
            return Ok(());
        }
    };
    if let Some((before, _)) = text(&key, "find")?.split_once('.') {
        errors.push(format!(
            "Invalid requisite type '{}' in state '{}', in SLS '{}'. Requisite types must not contain dots, did you mean \
             '{before}'?",
            str(&key)?,
            str(id)?,
            sls(body)?
        ));
    }
    if hash(&value).is_err() {
        errors.push(format!("Illegal requisite \"{}\", please check your syntax.\n", str(&value)?));
        return Ok(());
    }
    own.set(value.clone(), key.clone())?;
    // Each requires the other.
    let state =
        requisites.iter().find(|(other, ..)| eq(other, id).unwrap_or(false)).map(|(_, state, _)| state);
    for (other, other_state, theirs) in requisites {
        if eq(other, &value)?
            && let (Some(back), Some(state)) = (theirs.get(id)?, state)
            && eq(&back, state)?
            && eq(other_state, &key)?
        {
            errors.push(format!(
                "A recursive requisite was found, SLS \"{}\" ID \"{}\" ID \"{}\"",
                sls(body)?,
                str(id)?,
                str(&value)?
            ));
        }
    }
    Ok(())
}
