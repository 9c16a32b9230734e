//! `pkg.downloaded`: package files wait where apt looks for them.

use super::ask::{args, dict, failed, is_empty_list, packed};
use super::find::{Found, to_download};
use super::versions::{all_shown, verified};
use brine_core::call::{Cx, KwArgs, Result, exec};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// Packages are downloaded.
///
/// name: the package, where pkgs is not given
/// version: its version: one, a glob, or conditions with commas between
/// pkgs: packages, each a name or `{name: version}`
/// fromrepo: the distribution to download from
/// ignore_epoch: whether epochs of versions do not count
///
/// Further arguments are those of `pkg.install`.
#[exec]
fn downloaded(
    cx: &Cx,
    name: Value,
    version: Option<Value>,
    pkgs: Option<Value>,
    fromrepo: Option<Value>,
    ignore_epoch: Option<Value>,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let mut kwargs = kwargs.0;
    if is_empty_list(pkgs.as_ref()) {
        return Ok(Outcome::ok(name, "No packages to download provided"));
    }
    let (pkgs, version) = match pkgs.filter(Value::truthy) {
        Some(pkgs) => (pkgs, version),
        None => (packed(&name, version), None),
    };
    kwargs.remove("downloadonly");
    let epoch = ignore_epoch.as_ref().map(Value::truthy);
    let targets: Map = match to_download(cx, &name, &pkgs, epoch, &kwargs)? {
        Found::Todo(targets) => targets,
        Found::Done(done) => return Ok(*done),
    };
    let names = targets.keys().map(python_str).collect::<Vec<_>>().join(", ");
    if cx.test {
        return Ok(Outcome::would(name, format!("The following packages would be downloaded: {names}")));
    }
    let mut call = args(&kwargs);
    for (key, value) in [
        ("name", name.clone()),
        ("pkgs", pkgs),
        ("version", version.into()),
        ("downloadonly", true.into()),
        ("fromrepo", fromrepo.into()),
        ("ignore_epoch", ignore_epoch.into()),
    ] {
        call.keyword.insert(key, value);
    }
    let changes = match dict(cx, "pkg.install", call) {
        Ok(changes) => changes,
        Err(error) => return failed(&name, error, "An error was encountered while downloading package(s)"),
    };
    let now = dict(cx, "pkg.list_downloaded", args(&kwargs))?;
    let (_, bad) = verified(cx, &targets, &now, epoch)?;
    let outcome = if !bad.is_empty() {
        let bad = all_shown(&bad, &targets);
        Outcome::failed(name, format!("The following packages failed to download: {bad}"))
    } else if changes.is_empty() {
        Outcome::ok(name, format!("Packages downloaded: {names}"))
    } else {
        Outcome::ok(name, "")
    };
    Ok(outcome.with_changes(changes))
}
