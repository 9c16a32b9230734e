//! `slsutil`: merging what templates hold.

use super::dictupdate;
use crate::template::Session;
use brine_python::{Args, Bound, Dict, Obj, R, Signature};

pub(super) fn update(_: &Session, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("update", 0, &["dest", "upd", "recursive_update", "merge_lists"], 2);
    let a = SIG.bind(args)?;
    dictupdate::update(a.at(0), a.at(1), a.truth(2, true)?, a.truth(3, false)?)
}

/// Strategy, renderer and whether lists are merged, from a place on.
fn how(a: &Bound, at: usize) -> R<(Obj, Obj, bool)> {
    let or = |at: usize, default: &str| a.get(at).cloned().unwrap_or_else(|| Obj::str(default));
    Ok((or(at, "smart"), or(at + 1, "yaml"), a.truth(at + 2, false)?))
}

pub(super) fn merge(_: &Session, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("merge", 0, &["obj_a", "obj_b", "strategy", "renderer", "merge_lists"], 2);
    let a = SIG.bind(args)?;
    let (strategy, renderer, lists) = how(&a, 2)?;
    dictupdate::merge(a.at(0), a.at(1), &strategy, &renderer, lists)
}

pub(super) fn merge_all(_: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new("merge_all", 0, &["lst", "strategy", "renderer", "merge_lists"], 1);
    let a = SIG.bind(args)?;
    let (strategy, renderer, lists) = how(&a, 1)?;
    let mut out: Obj = Dict::new().into();
    let iter = a.at(0).iter()?;
    while let Some(obj) = iter.next()? {
        out = dictupdate::merge(&out, &obj, &strategy, &renderer, lists)?;
    }
    Ok(out)
}
