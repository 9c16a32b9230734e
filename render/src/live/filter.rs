//! `salt.utils.data.filter_by`: a value chosen by a grain or a piece of pillar.

use super::dictupdate::{SALT_EXCEPTION, deepcopy, update};
use crate::filters::find;
use crate::filters::kinds::is_mapping;
use brine_core::target::fnmatch;
use brine_python::{Args, Bound, Obj, PyErr, R, Signature, call_method, contains, getitem, str, truth};

/// The parameters, behind the name of what is looked up.
pub(super) const fn signature(params: &'static [&'static str], required: usize) -> Signature {
    Signature::new("filter_by", 0, params, required)
}

/// The value; with `merge` it is changed in place, as in stock.
pub(super) fn filter_by(a: &Bound, lookup: &Obj, among: &Obj) -> R {
    let lookup_dict = a.at(0);
    let value = find(among, lookup, None)?.unwrap_or_else(|| Obj::list(Vec::new()));
    let each = match &value {
        Obj::List(list) => list.borrow().clone(),
        value => vec![value.clone()],
    };
    let mut found = Obj::None;
    'all: for each in &each {
        let keys = lookup_dict.iter()?;
        let shown = str(each)?;
        while let Some(key) = keys.next()? {
            let pattern = str(&key)?;
            if shown == pattern || fnmatch(&shown, &pattern) {
                found = getitem(lookup_dict, &key)?;
                if !matches!(found, Obj::None) {
                    break 'all;
                }
                break;
            }
        }
    }
    if matches!(found, Obj::None) {
        let default = a.get(3).cloned().unwrap_or_else(|| Obj::str("default"));
        found = call_method(lookup_dict, "get", &Args::of([default, Obj::None]))?;
    }
    let base = a.at(4);
    if truth(base)? && contains(lookup_dict, base)? {
        let base = getitem(lookup_dict, base)?;
        if matches!(found, Obj::None) {
            found = base;
        } else if is_mapping(&base) {
            if !is_mapping(&found) {
                return Err(PyErr::new(
                    SALT_EXCEPTION,
                    "filter_by default and look-up values must both be dictionaries.",
                ));
            }
            found = update(&deepcopy(&base)?, &found, true, false)?;
        }
    }
    let merge = a.at(2);
    if truth(merge)? {
        if !is_mapping(merge) {
            return Err(PyErr::new(SALT_EXCEPTION, "filter_by merge argument must be a dictionary."));
        }
        if matches!(found, Obj::None) {
            found = merge.clone();
        } else {
            update(&found, &deepcopy(merge)?, true, false)?;
        }
    }
    Ok(found)
}
