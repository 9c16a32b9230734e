//! `check_whitelist_blacklist`.

use super::kinds::{has_iter, short};
use brine_core::target::{Anchor, Regex, fnmatch};
use brine_jinja::{State, Table};
use brine_python::{Args, Obj, PyErr, R, Signature, str, truth};

pub(super) fn add(table: &mut Table) {
    table.insert("check_whitelist_blacklist", check_whitelist_blacklist);
}

/// A glob, or else a regular expression; what is no text never matches.
fn matches(value: &Obj, expr: &Obj) -> bool {
    let (Some(value), Some(expr)) = (value.as_str(), expr.as_str()) else { return false };
    fnmatch(value, expr)
        || Regex::new(&format!(r"\A{expr}\Z"), Anchor::Match)
            .is_ok_and(|regex| regex.is_match(value).unwrap_or(false))
}

fn expressions(list: &Obj, what: &str) -> R<Vec<Obj>> {
    if !truth(list)? {
        return Ok(Vec::new());
    }
    if list.as_str().is_some() {
        return Ok(vec![list.clone()]);
    }
    if !has_iter(list) {
        return Err(PyErr::ty(format!(
            "Expecting iterable {what}, but got {} ({})",
            short(list),
            str(list)?
        )));
    }
    list.items()
}

fn check_whitelist_blacklist(_: &State, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("check_whitelist_blacklist", 0, &["value", "whitelist", "blacklist"], 1);
    let a = SIG.bind(args)?;
    let (blacklist, whitelist) = (expressions(a.at(2), "blacklist")?, expressions(a.at(1), "whitelist")?);
    // An iterator or a range with nothing in it is still a list that was given.
    let (black, white) = (truth(a.at(2))?, truth(a.at(1))?);
    let listed = |list: &[Obj]| list.iter().any(|expr| matches(a.at(0), expr));
    let (in_black, in_white) = (listed(&blacklist), listed(&whitelist));
    Ok(match (black, white) {
        (true, false) => !in_black,
        (false, true) => in_white,
        (true, true) => !in_black && in_white,
        (false, false) => true,
    }
    .into())
}
