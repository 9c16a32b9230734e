//! Walking through nested data by a path of keys, as nearly everything in Salt does that looks something up.

use super::kinds::hashable;
use brine_python::{Args, Kind, Obj, R, call_method, eq, getitem, int};

/// `salt.utils.data.traverse_dict_and_list`: what is found is the object itself.
///
/// # Errors
/// What the values on the way raise.
pub fn traverse(data: &Obj, key: &Obj, default: &Obj, delimiter: Option<&Obj>) -> R {
    Ok(find(data, key, delimiter)?.unwrap_or_else(|| default.clone()))
}

/// The same; `None` where stock gives the default.
///
/// # Errors
/// As [`traverse`].
pub fn find(data: &Obj, key: &Obj, delimiter: Option<&Obj>) -> R<Option<Obj>> {
    // Text with the usual delimiter is by far the most common key.
    if let (Obj::Str(path), None) = (key, delimiter) {
        let mut at = data.clone();
        for each in path.split(':') {
            let next = match &at {
                Obj::Dict(dict) => dict.get_str(each),
                _ => None,
            };
            at = match next {
                Some(next) => next,
                None => match step(&at, &Obj::str(each))? {
                    Some(next) => next,
                    None => return Ok(None),
                },
            };
        }
        return Ok(Some(at));
    }
    let keys = match key {
        Obj::Int(_) | Obj::Big(_) | Obj::Bool(_) => vec![key.clone()],
        _ if key.as_str().is_some() => {
            let delimiter = delimiter.cloned().unwrap_or_else(|| Obj::str(":"));
            call_method(key, "split", &Args::of([delimiter]))?.items()?
        }
        _ => key.items()?,
    };
    let mut at = data.clone();
    for each in &keys {
        match step(&at, each)? {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

fn step(at: &Obj, each: &Obj) -> R<Option<Obj>> {
    if let Obj::List(list) = at {
        let place = match int(each, None) {
            Ok(place) => Some(place),
            Err(e) if e.kind() == Kind::ValueError => None,
            Err(e) => return Err(e),
        };
        let key = place.as_ref().unwrap_or(each);
        let items = list.borrow().clone();
        for item in &items {
            if let Obj::Dict(dict) = item
                && let Some(found) = dict.get(key)?
            {
                return Ok(Some(found));
            }
        }
        return match place {
            None => Ok(None),
            Some(place) => match getitem(at, &place) {
                Ok(found) => Ok(Some(found)),
                Err(e) if e.kind() == Kind::IndexError => Ok(None),
                Err(e) => Err(e),
            },
        };
    }
    match getitem(at, each) {
        Ok(found) => Ok(Some(found)),
        Err(e) if e.kind() == Kind::TypeError => Ok(None),
        Err(e) if e.kind() == Kind::KeyError => {
            // A number in the path may be a number as a key.
            let Some(word) = each.as_str() else { return Ok(None) };
            let loaded = Obj::from(&crate::args::yamlify_arg(word));
            if eq(&loaded, each)? || !hashable(&loaded) {
                return Ok(None);
            }
            match getitem(at, &loaded) {
                Ok(found) => Ok(Some(found)),
                Err(e) if matches!(e.kind(), Kind::KeyError | Kind::TypeError) => Ok(None),
                Err(e) => Err(e),
            }
        }
        Err(e) => Err(e),
    }
}
