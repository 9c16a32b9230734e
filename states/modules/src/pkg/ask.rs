//! What all states of packages ask of execution modules, and how their errors become results.

use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::state::Outcome;
use brine_core::text::{is_true, python_str};
use brine_core::{Map, Value, map};

/// Whether lists of packages are to be refreshed: where it is asked for, or where nothing is said and this run did not yet.
pub(super) fn refresh_wanted(cx: &Cx, refresh: Option<&Value>) -> bool {
    match refresh {
        Some(Value::Bool(false)) => false,
        Some(refresh) if is_true(refresh) => true,
        _ => cx.opts.path("cachedir").join("pkg_refresh").is_file(),
    }
}

/// A call with the state's further arguments.
pub(super) fn args(kwargs: &Map) -> Args {
    Args { positional: Vec::new(), keyword: kwargs.clone() }
}

/// A call that returns a dict; anything else is an empty one.
pub(super) fn dict(cx: &Cx, function: &str, args: Args) -> Result<Map> {
    Ok(match cx.call(function, args)? {
        Value::Map(map) => map,
        _ => Map::new(),
    })
}

/// What is installed, by name with its versions. `which` may be `removed` or `purge_desired`.
pub(super) fn packages(cx: &Cx, which: Option<&str>, kwargs: &Map) -> Result<Map> {
    let mut args = args(kwargs).with("versions_as_list", true);
    if let Some(which) = which {
        args.keyword.insert(which, true);
    }
    dict(cx, "pkg.list_pkgs", args)
}

/// Packages with their versions, of a list of names and `{name: version}`; `None` where it is no such list.
pub(super) fn repacked(cx: &Cx, pkgs: &Value, normalize: bool) -> Result<Option<Map>> {
    let args = Args::none().with("pkgs", pkgs.clone()).with("normalize", normalize);
    match cx.call("pkg_resource.parse_targets", args)? {
        Value::List(pair) => Ok(match pair.into_iter().next() {
            Some(Value::Map(packages)) => Some(packages),
            _ => None,
        }),
        _ => Ok(None),
    }
}

/// A name without an architecture that is the machine's own.
pub(super) fn normalized(cx: &Cx, name: &str) -> Result<String> {
    Ok(python_str(&cx.call("pkg.normalize_name", Args::positional([name]))?))
}

/// The result of a state that a `CommandExecutionError` ended: with the changes that were made all the same, or with words of
/// the state's own. Other errors stay errors.
pub(super) fn failed(name: &Value, error: CallError, what: &str) -> Result<Outcome> {
    if let Some((text, changes)) = error.details() {
        let changes = changes.as_map().cloned().unwrap_or_default();
        return Ok(Outcome::failed(name.clone(), text).with_changes(changes));
    }
    match error {
        CallError::Execution(text) => Ok(Outcome::failed(name.clone(), format!("{what}: {text}"))),
        other => Err(other),
    }
}

/// Whether an error is a `CommandExecutionError`.
pub(super) fn is_execution(error: &CallError) -> bool {
    matches!(error, CallError::Execution(_) | CallError::Detailed(_))
}

/// `pkgs` with a name and a version packed into it where it is not given.
pub(super) fn packed(name: &Value, version: Option<Value>) -> Value {
    match version.filter(Value::truthy) {
        Some(version) => Value::List(vec![map! {name.clone() => version}.into()]),
        None => Value::List(vec![name.clone()]),
    }
}

/// Whether this is a list without anything in it.
pub(super) fn is_empty_list(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::List(list)) if list.is_empty())
}
