//! Values that hold undefined ones: what Salt's formatting filters make of them.

use super::kinds::{is_mapping, pairs};
use brine_jinja::{Behaviour, State, Undefined};
use brine_python::{Args, Obj, PyErr, R};
use std::collections::HashSet;

/// A filter that is not reached when its value is, or holds, a strictly undefined one: then the result is undefined, for all of
/// their reasons.
///
/// # Errors
/// What the filter raises.
pub(super) fn unless(args: &Args, filter: impl FnOnce(&Args) -> R) -> R {
    let Some(value) = args.pos.first() else { return filter(args) };
    let mut found = Vec::new();
    search(value, &mut HashSet::new(), &mut found, 0)?;
    if found.is_empty() {
        filter(args)
    } else {
        Ok(Undefined::hint(Behaviour::Strict, found.join("\n"), None))
    }
}

fn search(value: &Obj, seen: &mut HashSet<usize>, found: &mut Vec<String>, depth: usize) -> R<()> {
    let address = value.address();
    if depth > 250 {
        return Err(PyErr::recursion(""));
    }
    match value {
        Obj::Dict(_) | Obj::List(_) | Obj::Tuple(_) | Obj::Other(_) if !seen.insert(address) => return Ok(()),
        Obj::Dict(_) => {
            for (key, item) in pairs(value)?.unwrap_or_default() {
                search(&key, seen, found, depth + 1)?;
                search(&item, seen, found, depth + 1)?;
            }
        }
        Obj::List(_) | Obj::Tuple(_) => {
            for item in value.sequence().unwrap_or_default() {
                search(&item, seen, found, depth + 1)?;
            }
        }
        Obj::Other(_) => {
            if let Some(undefined) = Undefined::find(value) {
                if undefined.class() == "StrictUndefined" {
                    found.push(undefined.message());
                }
            } else if is_mapping(value) {
                for (key, item) in pairs(value)?.unwrap_or_default() {
                    search(&key, seen, found, depth + 1)?;
                    search(&item, seen, found, depth + 1)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// The same for a function, by its qualified name: the first parameter of what Salt puts around it is called `value`.
pub(super) fn guarded_function(name: &str, state: &State, args: &Args, filter: fn(&State, &Args) -> R) -> R {
    if args.named("value").is_some() {
        return Err(PyErr::ty(format!("{name}() got multiple values for argument 'value'")));
    }
    unless(args, |args| filter(state, args))
}
