//! `exclude`: states that are taken out by id, or with a whole SLS.

use crate::names::starts;
use brine_core::target::fnmatch;
use brine_python::{Dict, Obj, R, getitem};

/// Takes out what is excluded.
pub(crate) fn apply(high: &Dict) -> R<()> {
    let Some(excludes) = high.remove(&Obj::str("__exclude__"))? else { return Ok(()) };
    let (mut sls, mut ids) = (Vec::new(), Vec::new());
    for exclude in excludes.items()? {
        if exclude.as_str().is_some() {
            sls.push(exclude);
        } else if let Obj::Dict(one) = &exclude
            && let [(key, value)] = &one.pairs()[..]
        {
            match key.as_str() {
                Some("sls") => sls.push(value.clone()),
                Some("id") => ids.push(value.clone()),
                _ => {}
            }
        }
    }
    if !sls.is_empty() {
        for (name, body) in high.pairs() {
            if starts(&name, "__")? {
                continue;
            }
            let own = getitem(&body, &Obj::str("__sls__")).ok();
            let Some(own) = own.as_ref().and_then(Obj::as_str).filter(|own| !own.is_empty()) else {
                continue;
            };
            if sls.iter().filter_map(Obj::as_str).any(|pattern| fnmatch(own, pattern)) {
                ids.push(name);
            }
        }
    }
    for id in ids {
        high.remove(&id)?;
    }
    Ok(())
}
