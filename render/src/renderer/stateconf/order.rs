//! Order by requisites: each state requires the one before it, a start state is required by the first, a goal requires all.

use super::super::render_error;
use super::Work;
use super::extract::Kept;
use super::walk::{append, dict, insert_first, named, one, pairs, required, starts, state_name, states, tag};
use brine_python::{Obj, PyErr, R, contains, eq, getitem};
use std::collections::HashSet;

const INCLUDED: [&str; 2] = ["include", "exclude"];
const NO_STATES: [&str; 3] = ["include", "exclude", "extend"];
const REQUIRE: [&str; 5] = ["require", "watch", "listen", "onchanges", "onfail"];
const REQUIRE_IN: [&str; 5] = ["require_in", "watch_in", "listen_in", "onchanges_in", "onfail_in"];

/// The first id with a `names` declaration.
pub(super) fn names_declared(data: &Obj) -> R<Option<String>> {
    for state in states(data, &INCLUDED)? {
        if state.id.as_str() != Some("extend") && !named(&state.args, Some(&["names"]))?.is_empty() {
            return brine_python::str(&state.id).map(|s| Some(s.to_string()));
        }
    }
    Ok(None)
}

/// Lets each state require the one before it.
///
/// # Errors
/// One requires what comes after it, or is required by what comes before.
pub(super) fn require_in_order(data: &Obj, kept: &Kept) -> R<()> {
    let mut after = HashSet::new();
    let mut before = HashSet::new();
    for (id, states) in pairs(data)? {
        for state in states.items()? {
            after.insert(tag(&id, &state)?);
        }
    }
    let mut previous: Option<(Obj, Obj)> = None;
    for state in states(data, &INCLUDED)? {
        if state.id.as_str() == Some("extend") {
            for extended in states_of(&state.states)? {
                for required in required(&extended.args, &REQUIRE)? {
                    let key = tag(&extended.id, &required.name)?;
                    kept.requires.borrow_mut().entry(key).or_default().push((required.name, required.value));
                }
                for required in required(&extended.args, &REQUIRE_IN)? {
                    let key = tag(&extended.id, &required.name)?;
                    kept.required_in
                        .borrow_mut()
                        .entry(key)
                        .or_default()
                        .push((required.name, required.value));
                }
            }
            continue;
        }
        let own = tag(&state.id, &state.name)?;
        if !after.remove(&own) {
            return Err(PyErr::key(&own.into()));
        }
        let more = kept.requires.borrow().get(&own).cloned().unwrap_or_default();
        let all = required(&state.args, &REQUIRE)?.into_iter().map(|r| (r.name, r.value));
        for (name, id) in all.chain(more) {
            let other = tag(&id, &name)?;
            if after.contains(&other) {
                return Err(render_error(format!(
                    "State({own}) can't require/watch/listen/onchanges/onfail a state({other}) defined after it!"
                )));
            }
        }
        let more = kept.required_in.borrow().get(&own).cloned().unwrap_or_default();
        let all = required(&state.args, &REQUIRE_IN)?.into_iter().map(|r| (r.name, r.value));
        for (name, id) in all.chain(more) {
            let other = tag(&id, &name)?;
            if before.contains(&other) {
                return Err(render_error(format!(
                    "State({own}) can't require_in/watch_in/listen_in/onchanges_in/onfail_in a state({other}) defined \
                     before it!"
                )));
            }
        }
        if let Some((name, id)) = previous {
            let link = one(name, id)?;
            match named(&state.args, Some(&["require"]))?.into_iter().next() {
                Some(require) => insert_first(&require.value, link)?,
                None => append(&state.args, one(Obj::str("require"), Obj::list(vec![link]))?)?,
            }
        }
        before.insert(own);
        previous = Some((state_name(&state.name)?, state.id));
    }
    Ok(())
}

fn states_of(extend: &Obj) -> R<Vec<super::walk::State>> {
    states(extend, &INCLUDED)
}

/// Adds the start state, which the first state of the SLS requires.
pub(super) fn start(work: &Work<'_>, data: &Obj) -> R<()> {
    let id = Obj::from(work.opt("stateconf_start_state", ".start"));
    free(data, &id, "start")?;
    if !brine_python::truth(data)? {
        return Ok(());
    }
    for (first, states) in pairs(data)? {
        let other = first.as_str().is_some_and(|id| NO_STATES.contains(&id)) || starts(&first, "__")?;
        let mark = Obj::str("__sls__");
        if other || contains(&states, &mark)? && !eq(&getitem(&states, &mark)?, &Obj::str(work.sls))? {
            continue;
        }
        let Some((name, _)) = pairs(&states)?.into_iter().next() else { return Err(PyErr::value("")) };
        let link = one(state_name(&name)?, first)?;
        let required = one(Obj::str("require_in"), Obj::list(vec![link]))?;
        dict(data)?.set(id, one(Obj::str(&work.func), Obj::list(vec![required]))?)?;
        return Ok(());
    }
    Err(render_error("Can't determine the first state in the sls file!"))
}

/// Adds the goal state, which requires all states of the SLS.
pub(super) fn goal(work: &Work<'_>, data: &Obj) -> R<()> {
    let id = Obj::from(work.opt("stateconf_goal_state", ".goal"));
    free(data, &id, "goal")?;
    let mut all = Vec::new();
    for state in states(data, &NO_STATES)? {
        if !contains(&state.states, &Obj::str("__sls__"))? {
            all.push(one(state_name(&state.name)?, state.id)?);
        }
    }
    let require = one(Obj::str("require"), Obj::list(all))?;
    dict(data)?.set(id, one(Obj::str(&work.func), Obj::list(vec![require]))?)?;
    Ok(())
}

/// Nothing may have the id of a generated state.
fn free(data: &Obj, id: &Obj, what: &str) -> R<()> {
    if !contains(data, id)? {
        return Ok(());
    }
    Err(render_error(format!(
        "Can't generate {what} state({})! The same state id already exists!",
        brine_python::str(id)?
    )))
}
