//! What Python's `isinstance` asks of values, and the names of their types.

use brine_python::{Obj, R};

/// Whether it is a `collections.abc.Mapping`.
pub(crate) fn is_mapping(obj: &Obj) -> bool {
    match obj {
        Obj::Dict(_) => true,
        Obj::Other(o) => matches!(o.pairs(), Ok(Some(_))),
        _ => false,
    }
}

/// The pairs of a mapping at this moment; `None` for anything else.
pub(crate) fn pairs(obj: &Obj) -> R<Option<Vec<(Obj, Obj)>>> {
    match obj {
        Obj::Dict(dict) => Ok(Some(dict.pairs())),
        Obj::Other(o) => o.pairs(),
        _ => Ok(None),
    }
}

/// Whether it is a `collections.abc.Hashable`: tuples are, whatever is in them.
pub(crate) fn hashable(obj: &Obj) -> bool {
    match obj {
        Obj::List(_) | Obj::Dict(_) => false,
        Obj::Set(set) => set.frozen(),
        Obj::View(view) => view.part == brine_python::Part::Values,
        _ => true,
    }
}

/// `str(type(x))`: `<class 'int'>`.
pub(crate) fn class(obj: &Obj) -> String {
    format!("<class '{}'>", full(obj))
}

/// The type's name with its module, for those that are not built in.
pub(crate) fn full(obj: &Obj) -> String {
    let (name, module) = (obj.type_name(), obj.module());
    if name.contains('.') || module == "builtins" { name.to_owned() } else { format!("{module}.{name}") }
}

/// `type(x).__name__`.
pub(crate) fn short(obj: &Obj) -> &str {
    let name = obj.type_name();
    name.rsplit('.').next().unwrap_or(name)
}

/// Whether `x.__iter__` is there.
pub(crate) fn has_iter(obj: &Obj) -> bool {
    obj.iter().is_ok()
}
