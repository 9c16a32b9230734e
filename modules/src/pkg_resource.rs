//! The `pkg_resource` execution module, as far as it only looks: what package modules of all systems share.

use crate::pkg::{is_true, stringify};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Map, Value};

module! { "pkg_resource": check_extra_requirements, version, version_clean }

/// The installed version of a package, or of each of several. With `*` in a name, of all packages that it names.
///
/// CLI Example: salt '*' pkg_resource.version vim foo bar
#[exec]
fn version(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result {
    let mut keyword = kwargs.clean();
    let as_list = keyword.remove("versions_as_list").is_some_and(|v| is_true(&v));
    let (mut found, mut several) = (Map::new(), false);
    if !args.0.is_empty() {
        keyword.insert("versions_as_list", true);
        let Value::Map(packages) = cx.call("pkg.list_pkgs", Args { positional: Vec::new(), keyword })? else {
            return Err(CallError::execution("pkg.list_pkgs returned no dict"));
        };
        for name in &args.0 {
            let name = python_str(name);
            let none = || Value::List(Vec::new());
            if name.contains('*') {
                several = true;
                let hits = packages.iter().filter(|(package, _)| fnmatch(&python_str(package), &name));
                found.update(hits.map(|(package, versions)| (package.clone(), versions.clone())).collect());
            } else {
                let versions = packages.get(&name).cloned().unwrap_or_else(none);
                found.insert(name, versions);
            }
        }
    }
    if !as_list {
        stringify(&mut found);
    }
    if found.len() == 1 && !several {
        return Ok(found.values().next().cloned().unwrap_or_default());
    }
    Ok(found.into())
}

/// A version without what only some systems add to it; on Debian that is nothing.
///
/// CLI Example: salt '*' pkg_resource.version_clean <version_string>
#[exec]
fn version_clean(verstr: Value) -> Result {
    Ok(verstr)
}

/// Whether a package of this version has what else it needs; only FreeBSD's may lack something.
///
/// CLI Example: salt '*' pkg_resource.check_extra_requirements <pkgname> <extra_requirements>
#[exec]
fn check_extra_requirements(pkgname: Value, pkgver: Value) -> Result<bool> {
    let _package = (pkgname, pkgver);
    Ok(true)
}
