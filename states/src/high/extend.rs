//! `extend`: arguments and requisites that one SLS adds to the states of others.

use super::find;
use crate::decls::as_list;
use crate::names::{first, item, starts};
use brine_core::state::REQUISITES;
use brine_python::{Dict, Obj, PyErr, R, getitem, str, truth};

/// Applies what was kept aside; what cannot be extended is an error in stock's words.
pub(crate) fn reconcile(high: &Dict, strict: bool) -> R<Vec<String>> {
    let mut errors = Vec::new();
    let Some(extends) = high.remove(&Obj::str("__extend__"))? else { return Ok(errors) };
    for extend in extends.items()? {
        let Obj::Dict(extend) = &extend else {
            return Err(crate::names::no_list(&extend, "items"));
        };
        for (name, body) in extend.pairs() {
            one(high, name, &body, strict, &mut errors)?;
        }
    }
    Ok(errors)
}

fn one(high: &Dict, mut name: Obj, body: &Obj, strict: bool, errors: &mut Vec<String>) -> R<()> {
    let Obj::Dict(body) = body else { return Err(crate::names::no_list(body, "get")) };
    let mut kind = None;
    for (key, _) in body.pairs() {
        if !starts(&key, "__")? {
            kind = Some(key);
            break;
        }
    }
    let kind = kind.ok_or_else(|| PyErr::new(brine_python::Kind::Other("StopIteration"), ""))?;
    let place = |key: &str| body.get_str(key).map_or(Ok("base".into()), |value| str(&value));
    let there = match high.get(&name)? {
        Some(found) => brine_python::contains(&found, &kind)?,
        None => false,
    };
    if !there {
        let mut ids = find::by_name(&name, &kind, high, strict)?;
        if ids.len() != 1 {
            let (id, env, sls) = (str(&name)?, place("__env__")?, place("__sls__")?);
            errors.push(format!(
                "Cannot extend ID '{id}' in '{env}:{sls}'. It is not part of the high state.\nThis is likely due to a missing \
                 include statement or an incorrectly typed ID.\nEnsure that a state with an ID of '{id}' is available\nin \
                 environment '{env}' and to SLS '{sls}'"
            ));
            return Ok(());
        }
        name = ids.remove(0).0;
    }
    if is_excluded(high, body)? {
        tracing::debug!("Cannot extend ID '{}': its SLS is excluded", str(&name)?);
        return Ok(());
    }
    let target = into(high, &name)?;
    for (kind, run) in body.pairs() {
        if starts(&kind, "__")? {
            continue;
        }
        match target.get(&kind)? {
            None => drop(target.set(kind, run)?),
            Some(own) => extend(&own, &run)?,
        }
    }
    Ok(())
}

fn into(high: &Dict, name: &Obj) -> R<std::rc::Rc<Dict>> {
    match high.get(name)? {
        Some(Obj::Dict(dict)) => Ok(dict),
        Some(other) => {
            Err(PyErr::ty(format!("'{}' object does not support item assignment", other.type_name())))
        }
        None => Err(PyErr::key(name)),
    }
}

fn is_excluded(high: &Dict, body: &Dict) -> R<bool> {
    let own = body.get_str("__sls__").unwrap_or(Obj::None);
    let Some(excludes) = high.get_str("__exclude__") else { return Ok(false) };
    for exclude in excludes.items()? {
        let sls = match &exclude {
            Obj::Dict(one) => one.get_str("sls").map_or(Ok(None), |sls| Ok(truth(&sls)?.then_some(sls)))?,
            text => Some(text.clone()),
        };
        if let Some(sls) = sls
            && brine_python::eq(&sls, &own)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Extends the arguments of a state by others: requisites are joined; of all else the later counts.
fn extend(own: &Obj, run: &Obj) -> R<()> {
    for arg in run.items()? {
        let own = as_list(own, "append")?;
        let mut updated = false;
        let count = own.len();
        for at in 0..count {
            let Some(value) = own.get(at) else { break };
            if arg.as_str().is_some() && value.as_str().is_some() {
                own.borrow_mut()[at] = arg.clone();
                updated = true;
                continue;
            }
            let (Obj::Dict(_), Obj::Dict(_)) = (&arg, &value) else { continue };
            let key = first(&arg)?;
            if brine_python::eq(&key, &first(&value)?)? {
                match key.as_str().filter(|key| REQUISITES.contains(key)) {
                    Some(requisite) => {
                        let more = getitem(&arg, &key)?.items()?;
                        as_list(&item(&value, requisite)?, "extend")?.borrow_mut().extend(more);
                    }
                    None => own.borrow_mut()[at] = arg.clone(),
                }
                updated = true;
            }
            let now = own.get(at).unwrap_or(Obj::None);
            if key.as_str() == Some("name") && first(&now)?.as_str() == Some("names") {
                own.borrow_mut()[at] = arg.clone();
            }
        }
        if !updated {
            own.borrow_mut().push(arg);
        }
    }
    Ok(())
}
