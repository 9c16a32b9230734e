//! The `pkg_resource` execution module: what package modules of all systems share. How packages are named in arguments is in
//! `targets.rs`.

mod targets;

use crate::pkg::{order, stringify as stringified};
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::target::fnmatch;
use brine_core::text::{is_true, python_str};
use brine_core::{Map, Value};
use targets::*;

module! {
    "pkg_resource": add_pkg, check_extra_requirements, format_pkg_list, format_version, pack_sources, parse_targets,
    sort_pkglist, stringify, version, version_clean, version_compare
}
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
        stringified(&mut found);
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

/// Add a version to a package of a list; nothing is returned, as lists of other processes cannot be changed.
#[exec]
fn add_pkg(pkgs: Value, name: Value, pkgver: Value) -> Result {
    let _given = (pkgs, name, pkgver);
    Ok(Value::Nil)
}

/// Sort a list of packages; nothing is returned, as lists of other processes cannot be changed.
#[exec]
fn sort_pkglist(pkgs: Value) -> Result {
    let _given = pkgs;
    Ok(Value::Nil)
}

/// Make one text of each package's versions; nothing is returned, as lists of other processes cannot be changed.
///
/// CLI Example: salt '*' pkg_resource.stringify 'vim: 7.127'
#[exec]
fn stringify(pkgs: Value) -> Result {
    let _given = pkgs;
    Ok(Value::Nil)
}

/// Whether a condition between two versions holds.
///
/// CLI Example: salt '*' pkg_resource.version_compare 1.2 '<' 1.3
#[exec]
fn version_compare(ver1: Value, oper: String, ver2: Value, #[default(false)] ignore_epoch: bool) -> Result<bool> {
    Ok(order::holds(&python_str(&ver1), &oper, &python_str(&ver2), ignore_epoch))
}

/// Epoch, version and release as one version.
///
/// CLI Example: salt '*' pkg_resource.format_version 1 2 3
#[exec]
fn format_version(epoch: Value, version: Value, release: Value) -> Result<String> {
    let mut full = python_str(&version);
    if epoch.truthy() {
        full = format!("{}:{full}", python_str(&epoch));
    }
    if release.truthy() {
        full = format!("{full}-{}", python_str(&release));
    }
    Ok(full)
}

/// Packages with what is known of each version, as lists of versions, texts, or with the attributes that are asked for.
///
/// packages: `{name: [{epoch, version, release, arch, ..}]}`
/// versions_as_list: a list of versions for each package instead of a text
/// attr: the attributes wanted, or `all`
#[exec]
fn format_pkg_list(cx: &Cx, packages: Map, versions_as_list: Value, attr: Value) -> Result<Map> {
    const KNOWN: [&str; 6] = ["epoch", "version", "release", "arch", "install_date", "install_date_time_t"];
    let mut ret = Map::new();
    let versions = |value: &Value| value.as_list().unwrap_or_default().to_vec();
    if attr.truthy() {
        let wanted = |key: &str| match &attr {
            Value::List(list) => matches!(key, "version" | "arch") || list.iter().any(|one| one.as_str() == Some(key)),
            _ => true,
        };
        for (name, all) in packages.iter() {
            let parsed = cx.call("pkg.parse_arch", Args::positional([name.clone()]))?;
            let mut shown = name.clone();
            let mut list = Vec::new();
            for one in versions(all) {
                let of = |key: &str| one.get(key).cloned();
                let kept: Map = KNOWN
                    .into_iter()
                    .filter(|key| wanted(key))
                    .filter_map(|key| Some((Value::from(key), of(key)?)))
                    .collect();
                if kept.get("arch").cloned().unwrap_or_default() == parsed.get("arch").cloned().unwrap_or_default() {
                    shown = parsed.get("name").cloned().unwrap_or_default();
                }
                list.push(Value::from(kept));
            }
            if let Value::List(known) = ret.entry_or(shown, || Value::List(Vec::new())) {
                known.extend(list);
            }
        }
        return Ok(ret);
    }
    for (name, all) in packages.iter() {
        let mut list = Vec::new();
        for one in versions(all) {
            let of = |key: &str| {
                one.get(key).cloned().ok_or_else(|| CallError::exception("KeyError", format!("'{key}'")))
            };
            list.push(format_version(of("epoch")?, of("version")?, of("release")?)?);
        }
        ret.insert(name.clone(), list);
    }
    if !versions_as_list.truthy() {
        stringified(&mut ret);
    }
    Ok(ret)
}
