//! Values that `stateconf.set` states set: kept for the templates of the run.

use super::Work;
use super::walk::{dict, pairs};
use brine_python::{Dict, Obj, Op, R, binary, contains, getitem};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Requisites by the state that has them: name and id of what they name.
type Requisites = RefCell<HashMap<String, Vec<(Obj, Obj)>>>;

/// What the SLS files of a run have set so far.
#[derive(Default)]
pub(super) struct Kept {
    conf: Dict,
    extended: Dict,
    pub(super) requires: Requisites,
    pub(super) required_in: Requisites,
}

impl Kept {
    /// The values as variables of the templates of an SLS: its own without its name before them.
    pub(super) fn context(&self, sls: &str) -> Dict {
        let prefix = format!("{sls}::");
        let out = Dict::new();
        for (id, values) in self.conf.pairs() {
            let Some(name) = id.as_str() else { continue };
            out.set_str(name.strip_prefix(&prefix).unwrap_or(name), values);
        }
        out
    }
}

/// Takes the values out of the states.
pub(super) fn states(work: &Work<'_>, data: &Obj, extend: bool) -> R<()> {
    let func = Obj::str(&work.func);
    let name = super::walk::state_name(&func)?;
    for (id, all) in pairs(data)? {
        if !extend && id.as_str() == Some("extend") {
            states(work, &all, true)?;
            continue;
        }
        let key = if contains(&all, &name)? {
            &name
        } else if contains(&all, &func)? {
            &func
        } else {
            continue;
        };
        let kept = if extend { &work.kept.extended } else { &work.kept.conf };
        let conf = match kept.get(&id)? {
            Some(Obj::Dict(conf)) => conf,
            _ => {
                let conf = Rc::new(Dict::new());
                kept.set(id.clone(), Obj::Dict(conf.clone()))?;
                conf
            }
        };
        for each in getitem(&all, key)?.items()? {
            let Obj::Dict(each) = each else { continue };
            let Some((key, value)) = each.pairs().into_iter().next() else {
                return Err(brine_python::PyErr::new(brine_python::Kind::StopIteration, ""));
            };
            conf.set(key, value)?;
        }
        if !extend && let Some(extended) = work.kept.extended.get(&id)? {
            let extended = dict(&extended)?;
            for requisite in ["require", "watch", "listen", "onchanges", "onfail"] {
                if let Some(own) = extended.get_str(requisite) {
                    let more = conf.get_str(requisite).unwrap_or_else(|| Obj::list(Vec::new()));
                    extended.set_str(requisite, joined(&own, &more)?);
                }
            }
            conf.update(&Obj::Dict(extended.clone()))?;
        }
    }
    Ok(())
}

/// `own += more`.
fn joined(own: &Obj, more: &Obj) -> R {
    if let Obj::List(list) = own {
        let more = more.items()?;
        list.borrow_mut().extend(more);
        return Ok(own.clone());
    }
    binary(Op::Add, own, more)
}
