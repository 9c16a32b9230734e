//! `pkg.uptodate`, and the states of groups and patches, which apt does not have.

use super::ask::{args, dict, failed};
use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// What would be upgraded: new and old versions, by name.
fn expected(cx: &Cx, refresh: &Value, pkgs: Option<&Value>, kwargs: &Map) -> Result<Map> {
    let upgrades = dict(cx, "pkg.list_upgrades", args(kwargs).with("refresh", refresh.clone()))?;
    let mut all = Map::new();
    for (name, new) in upgrades {
        let mut call = args(kwargs);
        call.positional = vec![name.clone()];
        let old = cx.call("pkg.version", call)?;
        if !matches!(pkgs, Some(Value::List(pkgs)) if !pkgs.contains(&name)) {
            all.insert(name, map! {"new" => new, "old" => old});
        }
    }
    Ok(all)
}

/// All packages have their newest versions.
///
/// name: has no meaning
/// refresh: whether to refresh the lists of packages first
/// pkgs: only these packages count
///
/// Further arguments are those of `pkg.list_upgrades` and `pkg.upgrade`.
#[exec]
fn uptodate(
    cx: &Cx,
    name: Value,
    #[default(false)] refresh: Value,
    pkgs: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let kwargs = kwargs.0;
    if !matches!(refresh, Value::Bool(_)) {
        return Ok(Outcome::failed(name, "refresh must be either True or False"));
    }
    let expected = match expected(cx, &refresh, pkgs.as_ref(), &kwargs) {
        Ok(expected) => expected,
        Err(CallError::Cancelled) => return Err(CallError::Cancelled),
        Err(error) => return Ok(Outcome::failed(name, error.text())),
    };
    if expected.is_empty() {
        return Ok(Outcome::ok(name, "System is already up-to-date"));
    }
    if cx.test {
        return Ok(Outcome::would(name, "System update will be performed").with_changes(expected));
    }
    let call = args(&kwargs).with("refresh", refresh).with("pkgs", pkgs.clone());
    let changes = match dict(cx, "pkg.upgrade", call) {
        Ok(changes) => changes,
        Err(error) => return failed(&name, error, "An error was encountered while updating packages"),
    };
    let missing: Vec<String> = match pkgs {
        Some(Value::List(_)) => {
            expected.keys().filter(|x| changes.get_key(x).is_none()).map(python_str).collect()
        }
        _ => Vec::new(),
    };
    let outcome = if missing.is_empty() {
        Outcome::ok(name, "Upgrade ran successfully")
    } else {
        let missing = missing.join(", ");
        Outcome::failed(name, format!("The following package(s) failed to update: {missing}"))
    };
    Ok(outcome.with_changes(changes))
}

/// A group of packages is installed; apt has no groups.
#[exec]
fn group_installed(name: Value, skip: Option<Value>, include: Option<Value>, kwargs: KwArgs) -> Result<Outcome> {
    let _of_no_use = (skip, include, kwargs);
    Ok(Outcome::failed(name, "pkg.group_install not available for this platform"))
}

/// Patches are installed; apt has none.
#[exec]
fn patch_installed(
    name: Value,
    advisory_ids: Option<Value>,
    downloadonly: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _of_no_use = (advisory_ids, downloadonly, kwargs);
    Ok(Outcome::failed(name, "The pkg.patch_installed state is not available on this platform"))
}

/// Patches are downloaded; apt has none.
#[exec]
fn patch_downloaded(name: Value, advisory_ids: Option<Value>, kwargs: KwArgs) -> Result<Outcome> {
    let _of_no_use = (advisory_ids, kwargs);
    Ok(Outcome::failed(name, "The pkg.patch_downloaded state is not available on this platform"))
}
