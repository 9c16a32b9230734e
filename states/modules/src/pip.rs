//! States of Python packages. What a text such as `name>=1,<2` asks for is read in `pip/requirement.rs`; `pip.installed` is in a
//! file of its own.

mod installed;
mod requirement;

use brine_core::call::{Args, CallError, Cx, Result, exec};
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use installed::*;

state_module! { "pip": installed, removed, uptodate }

/// A package is not installed.
///
/// name: the package
/// requirements: files of requirements whose packages go, too
/// bin_env: a virtual environment, a Python or a pip
/// log: where pip writes what it does
/// proxy: how it reaches others
/// timeout: how long it waits
/// user: who it runs as
/// cwd: where it runs
/// use_vt: run it on a terminal
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn removed(
    cx: &Cx,
    name: Value,
    requirements: Option<Value>,
    bin_env: Option<Value>,
    log: Option<Value>,
    proxy: Option<Value>,
    timeout: Option<Value>,
    user: Option<Value>,
    cwd: Option<Value>,
    #[default(false)] use_vt: Value,
) -> Result<Outcome> {
    let shown = python_str(&name);
    let place = |args: Args| {
        args.with("bin_env", bin_env.clone()).with("user", user.clone()).with("cwd", cwd.clone())
    };
    let known = match cx.call("pip.list", place(Args::none())) {
        Err(error) if error.is_execution() => {
            return Ok(Outcome::failed(name, format!("Error uninstalling '{shown}': {error}")));
        }
        other => other?,
    };
    if known.get(&shown).is_none() {
        return Ok(Outcome::ok(name, "Package is not installed."));
    }
    if cx.test {
        return Ok(Outcome::would(name, format!("Package {shown} is set to be removed")));
    }
    let args = place(Args::none())
        .with("pkgs", name.clone())
        .with("requirements", requirements)
        .with("log", log)
        .with("proxy", proxy)
        .with("timeout", timeout)
        .with("use_vt", use_vt);
    if !cx.call("pip.uninstall", args)?.truthy() {
        return Ok(Outcome::failed(name, "Could not remove package."));
    }
    let mut changes = Map::new();
    changes.insert(name.clone(), "Removed");
    Ok(Outcome::ok(name, "Package was successfully removed.").with_changes(changes))
}

/// All packages have their newest versions.
///
/// name: has no meaning
/// bin_env: a virtual environment, a Python or a pip
/// user: who pip runs as
/// cwd: where it runs
/// use_vt: run it on a terminal
#[exec]
fn uptodate(
    cx: &Cx,
    name: Value,
    bin_env: Option<Value>,
    user: Option<Value>,
    cwd: Option<Value>,
    #[default(false)] use_vt: Value,
) -> Result<Outcome> {
    let place = Args::none().with("bin_env", bin_env).with("user", user).with("cwd", cwd);
    let upgrades = match cx.call("pip.list_upgrades", place.clone()) {
        Err(CallError::Cancelled) => return Err(CallError::Cancelled),
        Err(error) => return Ok(Outcome::failed(name, error.text())),
        Ok(upgrades) => upgrades,
    };
    if !upgrades.truthy() {
        return Ok(Outcome::ok(name, "System is already up-to-date."));
    }
    if cx.test {
        return Ok(Outcome::would(name, "System update will be performed"));
    }
    let done = match cx.call("pip.upgrade", place.with("use_vt", use_vt))? {
        Value::Map(done) => done,
        _ => Map::new(),
    };
    let changes = |value: Option<&Value>| value.and_then(Value::as_map).cloned().unwrap_or_default();
    Ok(if done.get("result") == Some(&Value::Bool(false)) {
        Outcome::failed(name, done.get("comment").cloned().unwrap_or_default())
            .with_changes(changes(done.get("changes")))
    } else if done.is_empty() {
        Outcome::failed(name, "Upgrade failed.")
    } else {
        Outcome::ok(name, "Upgrade successful.").with_changes(done)
    })
}
