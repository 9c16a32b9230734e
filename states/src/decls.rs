//! What SLS files declare, brought into one form: `extend`, `exclude`, and states whose function stands behind a dot.

use crate::names::{after_dot, before_dot, list_at, no_list, starts};
use brine_python::{Dict, Obj, R, str};

/// Takes `extend` out of a file and keeps it aside, each with where it stands.
pub(crate) fn extend(state: &Dict, sls: &str, saltenv: &str, errors: &mut Vec<String>) -> R<()> {
    let Some(extend) = state.remove(&Obj::str("extend"))? else { return Ok(()) };
    let Obj::Dict(names) = &extend else {
        errors.push(format!("Extension value in SLS '{sls}' is not a dictionary"));
        return Ok(());
    };
    for (name, body) in names.pairs() {
        let Obj::Dict(body) = body else {
            errors.push(format!("Extension name '{}' in SLS '{sls}' is not a dictionary", str(&name)?));
            continue;
        };
        stands(&body, sls, saltenv);
        for (key, run) in body.pairs() {
            if starts(&key, "_")? {
                continue;
            }
            if let (Obj::List(run), Some(text)) = (&run, key.as_str().filter(|text| text.contains('.'))) {
                body.remove(&key)?;
                body.set_str(before_dot(text), Obj::List(run.clone()));
                run.borrow_mut().push(Obj::str(after_dot(text)));
            }
        }
    }
    list_at(state, &Obj::str("__extend__"))?.borrow_mut().push(extend);
    Ok(())
}

/// Takes `exclude` out of a file and keeps it aside.
pub(crate) fn exclude(state: &Dict, sls: &str, errors: &mut Vec<String>) -> R<()> {
    let Some(exclude) = state.remove(&Obj::str("exclude"))? else { return Ok(()) };
    if !matches!(exclude, Obj::List(_)) {
        errors.push(format!("Exclude Declaration in SLS {sls} is not formed as a list"));
    }
    list_at(state, &Obj::str("__exclude__"))?.borrow_mut().extend(exclude.items()?);
    Ok(())
}

/// Gives each state its place, and a list with the function in it to `state.function` in all its forms.
pub(crate) fn states(state: &Dict, sls: &str, saltenv: &str, errors: &mut Vec<String>) -> R<()> {
    for (name, body) in state.pairs() {
        let Obj::Dict(body) = &body else {
            if matches!(name.as_str(), Some("__extend__" | "__exclude__")) {
                continue;
            }
            match body.as_str().filter(|text| text.contains('.')) {
                Some(text) => {
                    let short = Dict::new();
                    stands(&short, sls, saltenv);
                    short.set_str(before_dot(text), Obj::list(vec![Obj::str(after_dot(text))]));
                    state.set(name, short.into())?;
                }
                None => errors.push(format!("ID {} in SLS {sls} is not a dictionary", str(&name)?)),
            }
            continue;
        };
        let mut known: Vec<Obj> = Vec::new();
        for (key, run) in body.pairs() {
            if starts(&key, "_")? {
                continue;
            }
            let Obj::List(run) = run else { continue };
            let Some(text) = key.as_str().filter(|text| text.contains('.')) else {
                known.push(key);
                continue;
            };
            let module = Obj::str(before_dot(text));
            if known.iter().any(|other| other.as_str() == module.as_str()) {
                errors.push(format!(
                    "ID '{}' in SLS '{sls}' contains multiple state declarations of the same type",
                    str(&name)?
                ));
                continue;
            }
            body.remove(&key)?;
            body.set(module.clone(), Obj::List(run.clone()))?;
            run.borrow_mut().push(Obj::str(after_dot(text)));
            known.push(module);
        }
        stands(body, sls, saltenv);
    }
    Ok(())
}

/// Says where a state stands, unless it does already.
fn stands(body: &Dict, sls: &str, saltenv: &str) {
    for (key, value) in [("__sls__", sls), ("__env__", saltenv)] {
        if body.get_str(key).is_none() {
            body.set_str(key, Obj::str(value));
        }
    }
}

/// A list that must be one.
pub(crate) fn as_list(value: &Obj, method: &str) -> R<std::rc::Rc<brine_python::List>> {
    match value {
        Obj::List(list) => Ok(list.clone()),
        other => Err(no_list(other, method)),
    }
}
