//! `defaults`: merging and copying what templates hold. `defaults.get` reads files, and is no part of this.

use super::dictupdate;
use crate::template::Session;
use brine_python::{Args, Dict, Obj, PyErr, R, Signature, call_method, setitem};

pub(super) fn deepcopy(_: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new("deepcopy", 0, &["source"], 1);
    dictupdate::deepcopy(SIG.bind(args)?.at(0))
}

fn or_empty(obj: &Obj, convert: bool) -> Obj {
    if convert && matches!(obj, Obj::None) { Dict::new().into() } else { obj.clone() }
}

pub(super) fn merge(_: &Session, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("merge", 0, &["dest", "src", "merge_lists", "in_place", "convert_none"], 2);
    let a = SIG.bind(args)?;
    merged(a.at(0), a.at(1), a.truth(2, false)?, a.truth(3, true)?, a.truth(4, true)?)
}

fn merged(dest: &Obj, src: &Obj, lists: bool, in_place: bool, convert: bool) -> R {
    let src = or_empty(src, convert);
    if matches!(dest, Obj::None) && convert && in_place {
        return Err(PyErr::ty("Can't perform in-place merge into NoneType"));
    }
    let dest = or_empty(dest, convert);
    let dest = if in_place { dest } else { dictupdate::deepcopy(&dest)? };
    dictupdate::update(&dest, &src, true, lists)
}

pub(super) fn update(_: &Session, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("update", 0, &["dest", "defaults", "merge_lists", "in_place", "convert_none"], 2);
    let a = SIG.bind(args)?;
    let (lists, convert) = (a.truth(2, true)?, a.truth(4, true)?);
    let nodes = if a.truth(3, true)? {
        if matches!(a.at(0), Obj::None) {
            return Err(PyErr::ty("Can't perform in-place update into NoneType"));
        }
        a.at(0).clone()
    } else {
        dictupdate::deepcopy(&or_empty(a.at(0), convert))?
    };
    let defaults = or_empty(a.at(1), convert);
    for pair in call_method(&nodes, "items", &Args::default())?.items()? {
        let pair = pair.items()?;
        let own = dictupdate::deepcopy(&defaults)?;
        setitem(&nodes, &pair[0], merged(&own, &pair[1], lists, true, convert)?)?;
    }
    Ok(nodes)
}
