//! `match.filter_by` and `ifelse`: values chosen by targets that the minion matches.

use super::dictupdate::{SALT_EXCEPTION, deepcopy, update};
use crate::filters::kinds::is_mapping;
use crate::template::Session;
use brine_jinja::State;
use brine_python::{Args, Dict, Kind, Obj, PyErr, R, Signature, call_method, getitem, truth};

/// Functions of the module that take a target, by their names in Python.
const MATCHERS: [&str; 9] =
    ["compound", "ipcidr", "pillar_pcre", "pillar", "data", "list_", "grain_pcre", "grain", "glob"];

struct Choice<'a> {
    tgt_type: Obj,
    minion_id: Obj,
    merge: &'a Obj,
    lists: bool,
    default: Obj,
}

fn choose(session: &Session, lookup: &Obj, choice: &Choice<'_>) -> R {
    let keys = lookup.iter()?;
    while let Some(key) = keys.next()? {
        let tgt_type = choice.tgt_type.as_str().unwrap_or_default();
        if tgt_type != "pcre" && !MATCHERS.contains(&tgt_type) {
            return Err(PyErr::key(&choice.tgt_type));
        }
        let mut args = vec![key.clone()];
        if truth(&choice.minion_id)? {
            args.push(choice.minion_id.clone());
        }
        let name = format!("match.{}", tgt_type.trim_end_matches('_'));
        if !truth(&session.call(&name, &Args::of(args))?)? {
            continue;
        }
        let found = getitem(lookup, &key)?;
        if truth(choice.merge)? {
            if !is_mapping(choice.merge) {
                return Err(PyErr::new(SALT_EXCEPTION, "filter_by merge argument must be a dictionary."));
            }
            if matches!(found, Obj::None) {
                return Ok(choice.merge.clone());
            }
            update(&found, &deepcopy(choice.merge)?, true, choice.lists)?;
        }
        return getitem(lookup, &key);
    }
    call_method(lookup, "get", &Args::of([choice.default.clone(), Obj::None]))
}

pub(super) fn filter_by(session: &Session, args: &Args) -> R {
    const SIG: Signature = Signature::new(
        "filter_by",
        0,
        &["lookup", "tgt_type", "minion_id", "merge", "merge_lists", "default"],
        1,
    );
    let a = SIG.bind(args)?;
    let choice = Choice {
        tgt_type: a.get(1).cloned().unwrap_or_else(|| Obj::str("compound")),
        minion_id: a.at(2).clone(),
        merge: a.at(3),
        lists: a.truth(4, false)?,
        default: a.get(5).cloned().unwrap_or_else(|| Obj::str("default")),
    };
    choose(session, a.at(0), &choice)
}

pub(super) fn ifelse_live(session: &Session, args: &Args) -> R {
    const DEFAULT: &str = "SALT_IFELSE_FUNCTION_DEFAULT";
    const NAMES: [&str; 4] = ["tgt_type", "minion_id", "merge", "merge_lists"];
    if let Some((name, _)) = args.kw.iter().find(|(name, _)| !NAMES.contains(&&**name)) {
        return Err(PyErr::ty(format!("ifelse() got an unexpected keyword argument '{name}'")));
    }
    let Some((last, pairs)) = args.pos.split_last().filter(|(_, pairs)| pairs.len() % 2 == 0) else {
        return Err(PyErr::new(SALT_EXCEPTION, "The ifelse function must have an odd number of arguments!"));
    };
    if pairs.is_empty() {
        return Ok(last.clone());
    }
    let lookup = Dict::new();
    for pair in pairs.chunks(2) {
        let key = match &pair[0] {
            Obj::Bool(true) => Obj::str("*"),
            Obj::Bool(false) => Obj::str("SALT_IFELSE_MATCH_NOTHING"),
            key => key.clone(),
        };
        lookup.set(key, pair[1].clone())?;
    }
    lookup.set_str(DEFAULT, last.clone());
    let none = Obj::None;
    let choice = Choice {
        tgt_type: args.named("tgt_type").cloned().unwrap_or_else(|| Obj::str("compound")),
        minion_id: args.named("minion_id").cloned().unwrap_or_default(),
        merge: args.named("merge").unwrap_or(&none),
        lists: args.named("merge_lists").map_or(Ok(false), truth)?,
        default: Obj::str(DEFAULT),
    };
    choose(session, &lookup.into(), &choice)
}

/// The global of templates.
pub(crate) fn ifelse(state: &State, args: &Args) -> R {
    match Session::of_state(state) {
        Ok(session) => ifelse_live(&session, args),
        Err(e) if e.kind() == Kind::RuntimeError && args.pos.len() == 1 => Ok(args.pos[0].clone()),
        Err(e) => Err(e),
    }
}
