//! What is known already, put into pillar: `nodegroups`, the groups that the minion is in, and `extra_minion_data_in_pillar`, what
//! the minion sent for sources.

use super::{Asked, Source};
use brine_core::target::{self, Subject};
use brine_core::{Map, Value};
use brine_python::{Args, Dict, Obj, PyErr, R, Signature, contains, getitem, setitem, to_value, truth};

pub(super) const NODEGROUPS: Source = Source { name: "nodegroups", run: nodegroups };
pub(super) const EXTRA: Source = Source { name: "extra_minion_data_in_pillar", run: extra };

/// Whether the minion is in a group of the option `nodegroups`. Stock asks what its master remembers of the minion, which is what
/// the minion just sent.
pub(super) fn is_in(asked: &Asked<'_>, groups: &Map, expression: &Value) -> R<bool> {
    let pillar = to_value(asked.pillar)?;
    let none = Map::new();
    let pillar = pillar.as_map().unwrap_or(&none);
    let subject = Subject { id: asked.id, grains: &asked.cx().grains, pillar, nodegroups: groups };
    Ok(target::matches(expression, "compound", target::DEFAULT_TARGET_DELIM, subject))
}

fn nodegroups(asked: &Asked<'_>, args: &Args) -> R {
    const SIGNATURE: Signature = Signature::new("ext_pillar", 2, &["minion_id", "pillar", "pillar_name"], 2);
    let a = SIGNATURE.bind(args)?;
    let key = match a.some(0) {
        Some(name) if truth(name)? => name.clone(),
        _ => Obj::str("nodegroups"),
    };
    let groups = asked.opts().get("nodegroups").ok_or_else(|| PyErr::key(&Obj::str("nodegroups")))?;
    let groups = groups.as_map().ok_or_else(|| PyErr::attribute(&Obj::from(groups), "keys"))?;
    let mut names = Vec::new();
    // Those of an inventory stand in the pillar already.
    for (name, expression) in groups.iter().filter(|(name, _)| name.as_str() != Some(target::INVENTORY.0)) {
        if is_in(asked, groups, expression)? {
            names.push(Obj::from(name));
        }
    }
    let out = Dict::new();
    out.set(key, Obj::list(names))?;
    Ok(out.into())
}

fn extra(asked: &Asked<'_>, args: &Args) -> R {
    const SIGNATURE: Signature =
        Signature::new("ext_pillar", 2, &["minion_id", "pillar", "include", "extra_minion_data"], 3);
    let a = SIGNATURE.bind(args)?;
    if asked.extra.is_empty() {
        return Ok(Dict::new().into());
    }
    let data = Obj::from(Dict::from(asked.extra));
    let include = a.at(0);
    if matches!(include.as_str(), Some("*" | "<all>")) {
        return Ok(data);
    }
    let out = Dict::new();
    for key in include.items()? {
        let Some(key) = key.as_str() else { return Err(PyErr::attribute(&key, "split")) };
        out.update(&subtree(key, &data)?)?;
    }
    Ok(out.into())
}

/// What `a:b` names, with the dicts above it; nothing if it is not there.
fn subtree(key: &str, data: &Obj) -> R {
    let outer = Obj::from(Dict::new());
    let (mut place, mut at) = (outer.clone(), data.clone());
    let (above, last) = key.rsplit_once(':').map_or((None, key), |(above, last)| (Some(above), last));
    for part in above.into_iter().flat_map(|above| above.split(':')) {
        let part = Obj::str(part);
        let inner = Obj::from(Dict::new());
        setitem(&place, &part, inner.clone())?;
        place = inner;
        if !contains(&at, &part)? {
            return Ok(Dict::new().into());
        }
        at = getitem(&at, &part)?;
    }
    let last = Obj::str(last);
    if !contains(&at, &last)? {
        return Ok(Dict::new().into());
    }
    setitem(&place, &last, getitem(&at, &last)?)?;
    Ok(outer)
}
