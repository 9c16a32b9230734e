//! `saltclass`: a node's file names classes, a class's file further ones; their pillars are merged in that order.

mod classes;
mod expand;

use super::{Asked, Source};
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, contains, getitem};
use std::path::Path;

pub(super) const SOURCE: Source = Source { name: "saltclass", run };

fn run(asked: &Asked<'_>, args: &Args) -> R {
    let mut path = None;
    for given in &args.pos {
        if !contains(given, &Obj::str("path"))? {
            let text = format!("tuple indices must be integers or slices, not {}", given.type_name());
            return Err(PyErr::ty(text));
        }
        path = Some(getitem(given, &Obj::str("path"))?);
    }
    let Some(path) = path else {
        let text = "cannot access local variable 'path' where it is not associated with a value";
        return Err(PyErr::new(Kind::Other("UnboundLocalError"), text));
    };
    let Some(path) = path.as_str() else {
        let text = format!("expected str, bytes or os.PathLike object, not {}", path.type_name());
        return Err(PyErr::ty(text));
    };
    let found = classes::Tree { asked, path: Path::new(path) }.of_minion()?;
    let own = Dict::new();
    own.set_str("states", Obj::list(found.states));
    own.set_str("classes", Obj::list(found.classes));
    own.set_str("environment", found.environment);
    own.set_str("nodename", Obj::str(asked.id));
    let pillar = Dict::new();
    pillar.set_str("__saltclass__", own);
    if let Some(pillars) = found.pillars.get_str("pillars") {
        pillar.update(&expand::variables(&pillars)?)?;
    }
    Ok(pillar.into())
}
