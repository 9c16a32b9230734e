//! States by id or by name.

use crate::names::{first, item, only_key, starts};
use brine_python::{Dict, Obj, R, contains, eq, getitem};

/// The states that a requisite of a kind means by a name: `(id, kind)` each. With `strict`, an id counts only if it has that kind.
pub(crate) fn by_name(name: &Obj, kind: &Obj, high: &Dict, strict: bool) -> R<Vec<(Obj, Obj)>> {
    let found = high.get(name)?;
    let fits = match (&found, strict) {
        (Some(body), true) => contains(body, kind)?,
        (found, _) => found.is_some(),
    };
    if fits {
        return Ok(vec![(name.clone(), kind.clone())]);
    }
    let mut ids = Vec::new();
    if kind.as_str() == Some("sls") {
        for (id, body) in high.pairs() {
            if eq(&item(&body, "__sls__")?, name)? {
                ids.push((id, first(&body)?));
            }
        }
        return Ok(ids);
    }
    for (id, body) in high.pairs() {
        if !contains(&body, kind)? {
            continue;
        }
        let Obj::List(run) = getitem(&body, kind)? else { continue };
        for arg in run.borrow().iter() {
            if let Some(key) = only_key(arg)
                && eq(&getitem(arg, &key)?, name)?
            {
                ids.push((id.clone(), kind.clone()));
            }
        }
    }
    Ok(ids)
}

/// All states of an SLS: `(id, kind)` each.
pub(crate) fn of_sls(sls: &Obj, high: &Dict) -> R<Vec<(Obj, Obj)>> {
    let mut found = Vec::new();
    for (id, body) in high.pairs() {
        let Obj::Dict(body) = &body else { continue };
        if !eq(&item(&Obj::Dict(body.clone()), "__sls__")?, sls)? {
            continue;
        }
        for (kind, _) in body.pairs() {
            if !starts(&kind, "__")? {
                found.push((id.clone(), kind));
            }
        }
    }
    Ok(found)
}

/// The names of a state's arguments.
pub(crate) fn arguments(id: &Obj, kind: &Obj, high: &Dict) -> R<Vec<Obj>> {
    let Some(body) = high.get(id)? else { return Ok(Vec::new()) };
    if !contains(&body, kind)? {
        return Ok(Vec::new());
    }
    Ok(getitem(&body, kind)?.items()?.iter().filter_map(only_key).collect())
}
