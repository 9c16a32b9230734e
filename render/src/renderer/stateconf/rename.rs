//! Ids, includes and references that begin with a dot are relative to their SLS.

use super::super::render_error;
use super::Work;
use super::walk::{dict, insert_first, one, pairs, required, starts, state_name, states, text};
use brine_python::{Args, Obj, PyErr, R, call_method, contains, eq, getitem, setitem};

const REQUISITES: [&str; 12] = [
    "require",
    "require_in",
    "watch",
    "watch_in",
    "use",
    "use_in",
    "listen",
    "listen_in",
    "onchanges",
    "onchanges_in",
    "onfail",
    "onfail_in",
];

/// `id: state.func` becomes a state without arguments.
pub(super) fn shorthands(data: &Obj) -> R<()> {
    for (id, states) in pairs(data)? {
        if states.as_str().is_some() {
            dict(data)?.set(id, one(states, Obj::list(Vec::new()))?)?;
        }
    }
    Ok(())
}

/// Makes relative includes and excludes absolute.
pub(super) fn includes(data: &Obj, sls: &str, saltenv: &str) -> R<()> {
    for (id, value) in pairs(data)? {
        match id.as_str() {
            Some("include") => {
                for (at, each) in value.items()?.into_iter().enumerate() {
                    // As in stock, an include with an environment is taken out of its dict, and is lost if it is not relative.
                    let (env, included) = match &each {
                        Obj::Dict(_) => {
                            let pair = call_method(&each, "popitem", &Args::default())?.items()?;
                            let [env, included] = pair.as_slice() else { continue };
                            (env.clone(), included.clone())
                        }
                        _ => (Obj::str(saltenv), each.clone()),
                    };
                    if starts(&included, ".")? {
                        let full = absolute(text(&included, "startswith")?, sls)?;
                        setitem(&value, &Obj::from(at), one(env, full.into())?)?;
                    }
                }
            }
            Some("exclude") => {
                let key = Obj::str("sls");
                for each in value.items()? {
                    if contains(&each, &key)? {
                        let name = getitem(&each, &key)?;
                        if starts(&name, ".")? {
                            setitem(&each, &key, absolute(text(&name, "startswith")?, sls)?.into())?;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Gives ids that begin with a dot their full name, in declarations and in requisites.
pub(super) fn ids(work: &Work<'_>, data: &Obj, extend: bool) -> R<()> {
    if !extend && let Some(extended) = dict(data)?.get_str("extend") {
        ids(work, &extended, true)?;
    }
    for state in states(data, &["include", "exclude"])? {
        for requisite in required(&state.args, &REQUISITES)? {
            if starts(&requisite.value, ".")? {
                let full = full_id(text(&requisite.value, "startswith")?, work.sls)?;
                requisite.item.set(requisite.name, full.into())?;
            }
        }
    }
    let set = state_name(&Obj::str(&work.func))?;
    for (id, _) in pairs(data)? {
        if !starts(&id, ".")? {
            continue;
        }
        let short = text(&id, "startswith")?;
        let full = Obj::from(full_id(short, work.sls)?);
        if contains(data, &full)? {
            return Err(render_error(format!(
                "Can't rename state id({short}) into {} because the later already exists!",
                brine_python::str(&full)?
            )));
        }
        let all = getitem(data, &id)?;
        for (name, args) in pairs(&all)? {
            if !eq(&state_name(&name)?, &set)? && !is_named(&args)? {
                insert_first(&args, one(Obj::str("name"), Obj::str(&short[1..]))?)?;
            }
        }
        dict(data)?.set(full, all)?;
        dict(data)?.remove(&id)?;
    }
    Ok(())
}

/// Whether the arguments of a state have a name among them.
fn is_named(args: &Obj) -> R<bool> {
    for arg in args.items()? {
        if let Obj::Dict(arg) = arg {
            match arg.pairs().first() {
                Some((key, _)) if key.as_str() == Some("name") => return Ok(true),
                Some(_) => {}
                None => return Err(PyErr::new(brine_python::Kind::StopIteration, "")),
            }
        }
    }
    Ok(false)
}

/// `.id` of SLS `a.b` is `a.b::id`; `..id::x` and the like go up.
fn full_id(id: &str, sls: &str) -> R<String> {
    if id.contains("::") {
        return absolute(id, sls);
    }
    let full = absolute(id, &format!("{sls}."))?;
    Ok(match full.rsplit_once('.') {
        Some((sls, id)) => format!("{sls}::{id}"),
        None => full,
    })
}

/// A name with leading dots, seen from an SLS.
fn absolute(relative: &str, sls: &str) -> R<String> {
    let suffix = relative.trim_start_matches('.');
    let levels = relative.len() - suffix.len();
    let parts: Vec<&str> = sls.split('.').collect();
    if levels > parts.len() {
        return Err(render_error("Attempted relative include goes beyond top level package"));
    }
    // A line end is where Python's pattern stops.
    if suffix.trim_end_matches('\n').contains('\n') {
        return Err(PyErr::attribute(&Obj::None, "groups"));
    }
    let mut parts = parts[..parts.len() - levels].to_vec();
    parts.push(suffix.strip_suffix('\n').unwrap_or(suffix));
    Ok(parts.join("."))
}
