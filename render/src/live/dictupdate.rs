//! How Salt merges data: `salt.utils.dictupdate` on live objects, with what it copies and what it shares.
//!
//! `update` changes its first argument in place and puts the second one's values into it as they are. What merges "into a copy"
//! copies the first argument deeply and still shares the values of the second.

use crate::filters::kinds::{is_mapping, pairs};
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, Table, call_method, contains, getitem, setitem};
use std::collections::HashMap;
use std::rc::Rc;

/// How deep data may be nested.
const DEEP: usize = 250;

/// `salt.utils.dictupdate.update`: merges `upd` into `dest`, in place, and returns it.
///
/// # Errors
/// `TypeError` when one of them is no mapping; `RecursionError` for what is nested too deep or holds itself.
pub fn update(dest: &Obj, upd: &Obj, recursive: bool, merge_lists: bool) -> R {
    update_at(dest, upd, recursive, merge_lists, 0)
}

fn update_at(dest: &Obj, upd: &Obj, recursive: bool, merge_lists: bool, depth: usize) -> R {
    let (true, Some(pairs)) = (is_mapping(dest), pairs(upd)?) else {
        return Err(PyErr::ty("Cannot update using non-dict types in dictupdate.update()"));
    };
    if depth > DEEP {
        return Err(PyErr::recursion(""));
    }
    if !recursive {
        for (key, value) in pairs {
            setitem(dest, &key, value)?;
        }
        return Ok(dest.clone());
    }
    for (key, value) in pairs {
        let before = match dest {
            Obj::Dict(dict) => dict.get(&key)?,
            _ => getitem(dest, &key).ok(),
        };
        let merged = match before {
            Some(before) if is_mapping(&before) && is_mapping(&value) => {
                update_at(&before, &value, true, merge_lists, depth + 1)?
            }
            Some(Obj::List(before)) if merge_lists && matches!(value, Obj::List(_)) => {
                let merged = deepcopy(&Obj::List(before))?;
                extend_new(&merged, &value)?;
                merged
            }
            _ => value,
        };
        setitem(dest, &key, merged)?;
    }
    Ok(dest.clone())
}

/// Appends what is in `from` and not yet in the list; what `from` has twice is appended twice.
pub(crate) fn extend_new(list: &Obj, from: &Obj) -> R<()> {
    let mut new = Vec::new();
    for item in from.items()? {
        if !contains(list, &item)? {
            new.push(item);
        }
    }
    if let Obj::List(list) = list {
        brine_python::need_items(new.len(), size_of::<Obj>())?;
        list.borrow_mut().extend(new);
    }
    Ok(())
}

/// `copy.deepcopy`: containers are new, what is in them twice stays one.
///
/// # Errors
/// `TypeError` for what Python does not copy; `RecursionError`.
pub fn deepcopy(obj: &Obj) -> R {
    copy_at(obj, &mut HashMap::new(), 0)
}

fn copy_at(obj: &Obj, seen: &mut HashMap<usize, Obj>, depth: usize) -> R {
    if !matches!(obj, Obj::List(_) | Obj::Tuple(_) | Obj::Dict(_) | Obj::Set(_) | Obj::View(_) | Obj::Iter(_))
    {
        return Ok(obj.clone());
    }
    if let Some(copied) = seen.get(&obj.address()) {
        return Ok(copied.clone());
    }
    if depth > DEEP {
        return Err(PyErr::recursion(""));
    }
    brine_python::need_bytes(size_of::<Obj>() * 2)?;
    Ok(match obj {
        Obj::List(list) => {
            let copied = Obj::list(Vec::new());
            seen.insert(obj.address(), copied.clone());
            if let Obj::List(to) = &copied {
                let items = list.borrow().clone();
                brine_python::need_items(items.len(), size_of::<Obj>())?;
                for item in items {
                    let item = copy_at(&item, seen, depth + 1)?;
                    to.borrow_mut().push(item);
                }
            }
            copied
        }
        Obj::Tuple(tuple) => {
            let items = tuple.iter().map(|i| copy_at(i, seen, depth + 1)).collect::<R<Vec<_>>>()?;
            if items.iter().zip(tuple.iter()).all(|(a, b)| a.is(b)) {
                return Ok(obj.clone());
            }
            let copied = Obj::tuple(items);
            seen.insert(obj.address(), copied.clone());
            copied
        }
        Obj::Dict(dict) => {
            let to = Rc::new(dict.like());
            seen.insert(obj.address(), Obj::Dict(to.clone()));
            let table: Table = dict.borrow().clone();
            brine_python::need_items(table.len(), size_of::<Obj>() * 3)?;
            for (key, value) in table {
                let value = copy_at(&value, seen, depth + 1)?;
                to.borrow_mut().insert(key, value);
            }
            Obj::Dict(to)
        }
        Obj::Set(set) => {
            let copied = brine_python::Set::new(set.borrow().clone(), set.frozen());
            let copied = Obj::Set(Rc::new(copied));
            seen.insert(obj.address(), copied.clone());
            copied
        }
        _ => return Err(PyErr::ty(format!("cannot pickle '{}' object", obj.type_name()))),
    })
}

/// `merge_recurse`.
///
/// # Errors
/// As [`update`] and [`deepcopy`].
pub fn merge_recurse(a: &Obj, b: &Obj, merge_lists: bool) -> R {
    update(&deepcopy(a)?, b, true, merge_lists)
}

/// `merge_overwrite`: changes `a` before it copies it.
fn merge_overwrite(a: &Obj, b: &Obj, merge_lists: bool) -> R {
    for key in b.items()? {
        if contains(a, &key)? {
            setitem(a, &key, getitem(b, &key)?)?;
        }
    }
    merge_recurse(a, b, merge_lists)
}

/// `merge_list`: what both have becomes a list of the two values.
fn merge_list(a: &Obj, b: &Obj) -> R {
    let merged = Dict::new();
    for pair in call_method(a, "items", &Args::default())?.items()? {
        let Obj::Tuple(pair) = pair else { continue };
        let (key, value) = (&pair[0], &pair[1]);
        let value =
            if contains(b, key)? { Obj::list(vec![value.clone(), getitem(b, key)?]) } else { value.clone() };
        merged.set(key.clone(), value)?;
    }
    Ok(merged.into())
}

/// `merge_aggregate`: the first level is merged, and what is below is replaced.
///
/// Python gives the result types of its own, an ordered dict and a list, whose members are shared with both.
fn merge_aggregate(a: &Obj, b: &Obj) -> R {
    // At the first level anything but a mapping counts as a sequence.
    let sequence = |obj: &Obj| -> R<Vec<Obj>> {
        Ok(match obj {
            Obj::List(_) | Obj::Tuple(_) => obj.sequence().unwrap_or_default(),
            Obj::Set(set) if !set.frozen() => set.to_vec(),
            other => vec![other.clone()],
        })
    };
    match (a, b) {
        (Obj::Dict(x), Obj::Dict(y)) => {
            let merged = Dict::ordered();
            for (key, value) in x.pairs() {
                merged.set(key, value)?;
            }
            for (key, value) in y.pairs() {
                let value = match x.get(&key)? {
                    Some(before) => below(&before, &value, 0)?,
                    None => value,
                };
                merged.set(key, value)?;
            }
            Ok(merged.into())
        }
        (Obj::Dict(_), _) => Ok(Obj::list(sequence(b)?)),
        (_, Obj::Dict(y)) => {
            let merged = Dict::ordered();
            for (key, value) in y.pairs() {
                merged.set(key, value)?;
            }
            Ok(merged.into())
        }
        _ => {
            let first = Obj::list(sequence(a)?);
            let merged = Obj::list(sequence(a)?);
            for item in sequence(b)? {
                if !contains(&first, &item)?
                    && let Obj::List(to) = &merged
                {
                    to.borrow_mut().push(item);
                }
            }
            Ok(merged)
        }
    }
}

/// What `aggregate` does below the first level: the second one wins, in a copy of its dicts where the first one has the key too.
fn below(a: &Obj, b: &Obj, depth: usize) -> R {
    if depth > DEEP {
        return Err(PyErr::recursion(""));
    }
    let copied = shallow(b);
    if let (Obj::Dict(x), Obj::Dict(to)) = (a, &copied) {
        for (key, value) in to.pairs() {
            if let Some(before) = x.get(&key)? {
                to.set(key, below(&before, &value, depth + 1)?)?;
            }
        }
    }
    Ok(copied)
}

/// `copy.copy`.
fn shallow(obj: &Obj) -> Obj {
    match obj {
        Obj::List(list) => Obj::list(list.borrow().clone()),
        Obj::Dict(dict) => {
            let copied = dict.like();
            *copied.borrow_mut() = dict.borrow().clone();
            copied.into()
        }
        Obj::Set(set) if !set.frozen() => {
            Obj::Set(Rc::new(brine_python::Set::new(set.borrow().clone(), false)))
        }
        other => other.clone(),
    }
}

/// `salt.utils.dictupdate.merge`: `strategy` and `renderer` as templates give them.
///
/// # Errors
/// As the strategies; `AttributeError` for a renderer that is no text.
pub fn merge(a: &Obj, b: &Obj, strategy: &Obj, renderer: &Obj, merge_lists: bool) -> R {
    let mut strategy = strategy.as_str().unwrap_or_default().to_owned();
    if strategy == "smart" {
        let Some(renderer) = renderer.as_str() else {
            return Err(PyErr::attribute(renderer, "split"));
        };
        let last = renderer.rsplit('|').next().unwrap_or_default();
        let aggregates = last == "yamlex" || renderer.starts_with("yamlex_");
        strategy = if aggregates { "aggregate" } else { "recurse" }.into();
    }
    match &*strategy {
        "list" => merge_list(a, b),
        "recurse" => merge_recurse(a, b, merge_lists),
        "aggregate" => merge_aggregate(a, b),
        "overwrite" => merge_overwrite(a, b, merge_lists),
        "none" => merge_recurse(a, b, false),
        other => {
            tracing::warn!("Unknown merging strategy '{other}', fallback to recurse");
            merge_recurse(a, b, false)
        }
    }
}

/// Raised by Salt itself.
pub(crate) const SALT_EXCEPTION: Kind = Kind::Other("SaltException");
/// Raised for arguments that do not fit.
pub(crate) const SALT_INVOCATION: Kind = Kind::Other("SaltInvocationError");

#[cfg(test)]
mod tests {
    use super::*;
    use brine_python::repr;

    fn dict(pairs: &[(&str, Obj)]) -> Obj {
        let dict = Dict::new();
        for (key, value) in pairs {
            dict.set_str(key, value.clone());
        }
        dict.into()
    }

    #[test]
    fn update_changes_in_place_and_shares() {
        let inner = dict(&[("x", Obj::Int(1))]);
        let dest = dict(&[("a", inner.clone())]);
        let shared = Obj::list(vec![Obj::Int(9)]);
        let upd = dict(&[("a", dict(&[("y", shared.clone())])), ("b", Obj::None)]);
        let out = update(&dest, &upd, true, false).unwrap();
        assert!(out.is(&dest));
        assert!(getitem(&getitem(&dest, &Obj::str("a")).unwrap(), &Obj::str("y")).unwrap().is(&shared));
        assert_eq!(repr(&inner).unwrap(), "{'x': 1, 'y': [9]}");
    }

    #[test]
    fn strategies() {
        let a = dict(&[("k", Obj::list(vec![Obj::Int(1)])), ("m", dict(&[("x", Obj::Int(1))]))]);
        let b = dict(&[("k", Obj::list(vec![Obj::Int(2)])), ("m", dict(&[("y", Obj::Int(2))]))]);
        for (strategy, lists, want) in [
            ("smart", false, "{'k': [2], 'm': {'x': 1, 'y': 2}}"),
            ("recurse", true, "{'k': [1, 2], 'm': {'x': 1, 'y': 2}}"),
            ("list", false, "{'k': [[1], [2]], 'm': [{'x': 1}, {'y': 2}]}"),
        ] {
            let out = merge(&a, &b, &Obj::str(strategy), &Obj::str("yaml"), lists).unwrap();
            assert_eq!(repr(&out).unwrap(), want, "{strategy}");
        }
        let out =
            merge(&deepcopy(&a).unwrap(), &b, &Obj::str("overwrite"), &Obj::str("yaml"), false).unwrap();
        assert_eq!(repr(&out).unwrap(), "{'k': [2], 'm': {'y': 2}}");
    }

    #[test]
    fn what_holds_itself_is_copied() {
        let list = Obj::list(Vec::new());
        if let Obj::List(l) = &list {
            l.borrow_mut().push(list.clone());
        }
        let copied = deepcopy(&list).unwrap();
        assert_eq!(repr(&copied).unwrap(), "[[...]]");
        for l in [list, copied] {
            if let Obj::List(l) = l {
                l.borrow_mut().clear();
            }
        }
    }
}
