//! Several SLS files in one: ids must be unique.

use crate::names::list_at;
use brine_python::{Dict, Obj, R, eq, getitem, str};

/// Merges what one file says into what others said. What a file extends or excludes is kept apart.
pub(crate) fn merge_included(high: &Dict, state: &Obj, errors: &mut Vec<String>) -> R<()> {
    let Obj::Dict(state) = state else {
        errors.push(format!("Error when rendering state with contents: {}", str(state)?));
        return Ok(());
    };
    for key in ["__extend__", "__exclude__"] {
        if let Some(more) = state.remove(&Obj::str(key))? {
            list_at(high, &Obj::str(key))?.borrow_mut().extend(more.items()?);
        }
    }
    for (id, body) in state.pairs() {
        if let Some(other) = high.get(&id)?
            && !eq(&other, &body)?
        {
            let place = |of: &Obj, key: &str| -> R<String> {
                match getitem(of, &Obj::str(key)) {
                    Ok(value) => str(&value),
                    Err(_) => Ok("None".into()),
                }
            };
            errors.push(format!(
                "Detected conflicting IDs, SLS IDs need to be globally unique.\n    The conflicting ID is '{}' and is found in \
                 SLS '{}:{}' and SLS '{}:{}'",
                str(&id)?,
                place(&other, "__env__")?,
                place(&other, "__sls__")?,
                place(&body, "__env__")?,
                place(&body, "__sls__")?
            ));
        }
    }
    high.update(&Obj::Dict(state.clone()))
}

/// What is extended twice in the same words counts once.
pub(crate) fn clean_extends(high: &Dict) -> R<()> {
    let Some(extends) = high.get_str("__extend__") else { return Ok(()) };
    let mut all: Vec<(Obj, Obj)> = Vec::new();
    for extend in extends.items()? {
        let Obj::Dict(extend) = extend else { continue };
        for (name, body) in extend.pairs() {
            let mut is_known = false;
            for (other, its) in &all {
                is_known |= eq(other, &name)? && eq(its, &body)?;
            }
            if !is_known {
                all.push((name, body));
            }
        }
    }
    let list = all.into_iter().map(|(name, body)| crate::names::pair(name, body)).collect::<R<Vec<_>>>()?;
    high.set_str("__extend__", Obj::list(list));
    Ok(())
}
