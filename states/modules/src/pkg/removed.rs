//! `pkg.removed` and `pkg.purged`: packages are not there, or not even their configuration.

use super::ask::{args, failed, packages};
use super::find::{Found, to_remove};
use brine_core::call::{CallError, Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

/// Packages are not installed; their configuration may stay.
///
/// name: the package, where pkgs is not given
/// version: only if it has this version, or one that meets these conditions
/// pkgs: packages, each a name or `{name: version}`
/// normalize: whether names lose the machine's own architecture
/// ignore_epoch: whether epochs of versions do not count
#[exec]
fn removed(
    cx: &Cx,
    name: Value,
    version: Option<Value>,
    pkgs: Option<Value>,
    #[default(true)] normalize: Value,
    ignore_epoch: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let wish = Wish { name: &name, version, pkgs, normalize: normalize.truthy(), ignore_epoch };
    uninstalled(cx, "remove", &wish, kwargs.0)
        .or_else(|e| failed(&name, e, "An error was encountered while removing package(s)"))
}

/// Packages are not installed, and nothing is left of their configuration.
///
/// name: the package, where pkgs is not given
/// version: only if it has this version, or one that meets these conditions
/// pkgs: packages, each a name or `{name: version}`
/// normalize: whether names lose the machine's own architecture
/// ignore_epoch: whether epochs of versions do not count
#[exec]
fn purged(
    cx: &Cx,
    name: Value,
    version: Option<Value>,
    pkgs: Option<Value>,
    #[default(true)] normalize: Value,
    ignore_epoch: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let wish = Wish { name: &name, version, pkgs, normalize: normalize.truthy(), ignore_epoch };
    uninstalled(cx, "purge", &wish, kwargs.0)
        .or_else(|e| failed(&name, e, "An error was encountered while purging package(s)"))
}

struct Wish<'a> {
    name: &'a Value,
    version: Option<Value>,
    pkgs: Option<Value>,
    normalize: bool,
    ignore_epoch: Option<Value>,
}

/// The packages that the arguments name.
fn named(cx: &Cx, wish: &Wish<'_>, kwargs: &Map) -> Result<Map> {
    let mut call = args(kwargs);
    for (key, value) in [
        ("name", wish.name.clone()),
        ("pkgs", wish.pkgs.clone().into()),
        ("normalize", wish.normalize.into()),
        ("version", wish.version.clone().into()),
    ] {
        call.keyword.insert(key, value);
    }
    match cx.call("pkg_resource.parse_targets", call)? {
        Value::List(pair) => match pair.into_iter().next() {
            Some(Value::Map(named)) => Ok(named),
            _ => Err(CallError::exception("TypeError", "'NoneType' object is not iterable")),
        },
        _ => Ok(Map::new()),
    }
}

fn uninstalled(cx: &Cx, action: &str, wish: &Wish<'_>, mut kwargs: Map) -> Result<Outcome> {
    kwargs.insert("saltenv", cx.saltenv());
    let name = wish.name.clone();
    let purge = action == "purge";
    let named = match named(cx, wish, &kwargs) {
        Err(CallError::Exception { kind: "salt.exceptions.MinionError", message }) => {
            return Ok(Outcome::failed(name, format!("An error was encountered while parsing targets: {message}")));
        }
        other => other?,
    };
    let epoch = wish.ignore_epoch.as_ref().map(Value::truthy);
    let found =
        to_remove(cx, wish.name, wish.version.as_ref(), wish.pkgs.as_ref(), (wish.normalize, epoch), &kwargs)?;
    let mut targets = match found {
        Found::Todo(targets) => targets,
        Found::Done(_) if purge => Vec::new(),
        Found::Done(done) => return Ok(*done),
    };
    let among = |all: &Map| named.keys().filter(|x| all.get_key(x).is_some()).map(python_str).collect::<Vec<_>>();
    if purge {
        targets.extend(among(&packages(cx, Some("removed"), &kwargs)?));
    }
    targets.sort();
    if targets.is_empty() {
        let partly = if purge { " or partially installed" } else { "" };
        return Ok(Outcome::ok(name, format!("None of the targeted packages are installed{partly}")));
    }
    if cx.test {
        let new = || Value::from(map! {"new" => format!("{action}d"), "old" => ""});
        let changes = targets.iter().map(|x| (Value::from(x.as_str()), new())).collect();
        let text = format!("The following packages will be {action}d: {}.", targets.join(", "));
        return Ok(Outcome::would(name, text).with_changes(changes));
    }
    let mut call = args(&kwargs);
    call.positional = vec![name.clone()];
    call.keyword.insert("pkgs", wish.pkgs.clone());
    call.keyword.insert("version", wish.version.clone());
    call.keyword.insert("split_arch", false);
    let changes = match cx.call(&format!("pkg.{action}"), call)? {
        Value::Map(changes) => changes,
        _ => Map::new(),
    };
    let mut left = among(&packages(cx, None, &kwargs)?);
    if purge {
        left.extend(among(&packages(cx, Some("removed"), &kwargs)?));
    }
    left.sort();
    if !left.is_empty() {
        let text = format!("The following packages failed to {action}: {}.", left.join(", "));
        return Ok(Outcome::failed(name, text).with_changes(changes));
    }
    let mut absent: Vec<String> = named.keys().map(python_str).filter(|x| !targets.contains(x)).collect();
    absent.sort();
    let text = if absent.is_empty() {
        format!("All targeted packages were {action}d.")
    } else {
        format!(
            "The following packages were not installed: {} The following packages were {action}d: {}.",
            absent.join(", "),
            targets.join(", ")
        )
    };
    Ok(Outcome::ok(name, text).with_changes(changes))
}
