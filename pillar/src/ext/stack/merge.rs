//! How one dict or list goes over another: `overwrite`, `merge-first`, `merge-last` (what is meant where nothing is said) and
//! `remove`. The dicts themselves are changed, as in stock.

use brine_python::{Dict, Kind, Obj, PyErr, R, contains, str, truth};

const STRATEGIES: [&str; 4] = ["overwrite", "merge-first", "merge-last", "remove"];
const KEY: &str = "__";
/// How deep data may be nested.
const DEEPEST: usize = 250;

fn strategy(given: &Obj) -> R<&'static str> {
    let found = given.as_str().and_then(|given| STRATEGIES.into_iter().find(|s| *s == given));
    found.map(Ok).unwrap_or_else(|| {
        let text = format!(
            "Unknown strategy \"{}\", should be one of ('overwrite', 'merge-first', 'merge-last', 'remove')",
            str(given)?
        );
        Err(PyErr::new(Kind::Other("Exception"), text))
    })
}

/// The data without what says how it is merged.
fn cleaned(obj: &Obj, depth: usize) -> R {
    if depth > DEEPEST {
        return Err(PyErr::recursion(""));
    }
    match obj {
        Obj::Dict(dict) => {
            dict.remove(&Obj::str(KEY))?;
            for (key, value) in dict.pairs() {
                dict.set(key, cleaned(&value, depth + 1)?)?;
            }
        }
        Obj::List(list) => {
            let said =
                matches!(list.borrow().first(), Some(Obj::Dict(first)) if first.get_str(KEY).is_some());
            if said {
                list.borrow_mut().remove(0);
            }
        }
        _ => {}
    }
    Ok(obj.clone())
}

/// Merges a dict over the stack.
///
/// # Errors
/// A strategy that nobody knows.
pub(super) fn dicts(stack: &Obj, over: &Dict) -> R {
    at(stack, over, 0)
}

fn at(stack: &Obj, over: &Dict, depth: usize) -> R {
    if depth > DEEPEST {
        return Err(PyErr::recursion(""));
    }
    let given = over.remove(&Obj::str(KEY))?.unwrap_or_else(|| Obj::str("merge-last"));
    let strategy = strategy(&given)?;
    let Obj::Dict(dict) = stack else { return Err(PyErr::ty("the stack is no dict")) };
    if strategy == "overwrite" {
        let whole = Dict::new();
        for (key, value) in over.pairs() {
            whole.set(key, cleaned(&value, depth + 1)?)?;
        }
        return Ok(whole.into());
    }
    for (key, mut value) in over.pairs() {
        if strategy == "remove" {
            dict.remove(&key)?;
            continue;
        }
        let Some(mut before) = dict.get(&key)? else {
            dict.set(key, cleaned(&value, 0)?)?;
            continue;
        };
        if strategy == "merge-first" {
            let first = cleaned(&value, 0)?;
            (before, value) = (first, before);
            dict.set(key.clone(), before.clone())?;
        }
        let merged = if before.type_name() != value.type_name() {
            cleaned(&value, 0)?
        } else {
            match (&before, &value) {
                (Obj::Dict(_), Obj::Dict(over)) => at(&before, over, depth + 1)?,
                (Obj::List(_), Obj::List(_)) => lists(&before, &value)?,
                _ => value,
            }
        };
        dict.set(key, merged)?;
    }
    Ok(stack.clone())
}

fn lists(stack: &Obj, over: &Obj) -> R {
    let mut members = over.sequence().unwrap_or_default();
    let mut strategy_of = "merge-last";
    if let Some(Obj::Dict(first)) = members.first()
        && let Some(given) = first.get_str(KEY)
    {
        members.remove(0);
        strategy_of = strategy(&given)?;
    }
    let before = stack.sequence().unwrap_or_default();
    Ok(Obj::list(match strategy_of {
        "overwrite" => members,
        "remove" => {
            let gone = Obj::list(members);
            let mut kept = Vec::new();
            for item in before {
                if !truth(&contains(&gone, &item)?.into())? {
                    kept.push(item);
                }
            }
            kept
        }
        "merge-first" => members.into_iter().chain(before).collect(),
        _ => before.into_iter().chain(members).collect(),
    }))
}
