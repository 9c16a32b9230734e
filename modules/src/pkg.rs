//! The `pkg` execution module on Debian and its kin: what dpkg has installed, and how it orders versions. Everything else is in
//! the files beside.

pub(crate) mod apt;
mod available;
mod change;
mod hold;
mod install;
mod keys;
mod look;
pub(crate) mod order;
mod repos;
mod sources;

use available::*;
use change::*;
use hold::*;
use install::*;
use keys::*;
use look::*;
use repos::*;

use brine_core::call::{Args, CallError, Cx, KwArgs, Result, VarArgs, exec, module};
use brine_core::text::{is_true, python_str};
use brine_core::{Map, Value, map};
use std::collections::{BTreeMap, BTreeSet};

module! {
    "pkg": add_repo_key, autoremove, "available_version" => latest_version, del_repo, del_repo_key, file_dict, file_list,
    get_repo, get_repo_keys, get_selections, hold, info_installed, install, latest_version, list_downloaded, list_pkgs,
    list_repo_pkgs, list_repos, list_upgrades, mod_repo, normalize_name, owner, parse_arch, purge, refresh_db, remove,
    services_need_restart, set_selections, show, unhold, upgrade, upgrade_available, version, version_cmp
}

/// Where a job keeps the packages once it has asked for them.
const KEPT: &str = "pkg.list_pkgs";

/// Fails in stock's words where packages are not Debian's.
pub(crate) fn debian(cx: &Cx) -> Result<()> {
    match cx.grains.get_str("os_family") {
        None | Some("Debian") => Ok(()),
        Some(_) => Err(CallError::NotAvailable("'pkg' __virtual__ returned False".into())),
    }
}

type Versions = BTreeMap<String, BTreeSet<String>>;

/// What `dpkg-query` prints, by what became of packages: installed, removed, to be purged.
fn read(out: &str, grains: &Map) -> [Versions; 3] {
    let mut all = [Versions::new(), Versions::new(), Versions::new()];
    let multi = grains.get_str("cpuarch") == Some("x86_64") && grains.get_str("osarch") == Some("amd64");
    for line in out.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [wanted, _, status, name, version, arch, ..] = words[..] else { continue };
        let name =
            if multi && arch != "all" && arch != "amd64" { format!("{name}:{arch}") } else { name.to_owned() };
        let at = if (wanted.contains("install") || wanted.contains("hold")) && status.contains("installed") {
            0
        } else if wanted.contains("deinstall") {
            1
        } else if wanted.contains("purge") && status == "installed" {
            2
        } else {
            continue;
        };
        all[at].entry(name).or_default().insert(version.to_owned());
    }
    all
}

fn value(versions: &Versions) -> Value {
    let list = |v: &BTreeSet<String>| Value::List(v.iter().map(|x| x.as_str().into()).collect());
    versions.iter().map(|(name, v)| (Value::from(name.as_str()), list(v))).collect::<Map>().into()
}

/// Each package's versions as one text.
pub(crate) fn stringify(packages: &mut Map) {
    for (_, versions) in packages.iter_mut() {
        if let Value::List(list) = versions {
            *versions = list.iter().map(python_str).collect::<Vec<_>>().join(",").into();
        }
    }
}

/// The packages that are installed, with their versions. With `removed`, those that are removed but for their configuration;
/// with `purge_desired`, those that are to be purged.
///
/// CLI Example: salt '*' pkg.list_pkgs
#[exec]
fn list_pkgs(
    cx: &Cx,
    #[default(false)] versions_as_list: Value,
    #[default(false)] removed: Value,
    #[default(false)] purge_desired: Value,
    kwargs: KwArgs,
) -> Result<Map> {
    debian(cx)?;
    if kwargs.0.get("use_context").is_some_and(|use_it| !use_it.truthy()) {
        cx.job.remove_context(KEPT);
    }
    packages(cx, is_true(&versions_as_list), is_true(&removed), is_true(&purge_desired))
}

/// The packages are to be looked for anew: something changed them.
fn forget(cx: &Cx) {
    apt::drop_cache();
    cx.job.remove_context(KEPT);
}

/// As [`list_pkgs`].
fn packages(cx: &Cx, versions_as_list: bool, removed: bool, purge_desired: bool) -> Result<Map> {
    let kept = match cx.job.context(KEPT) {
        Some(Value::Map(kept)) => kept,
        _ => {
            let words = ["dpkg-query", "--showformat", "${Status} ${Package} ${Version} ${Architecture}\n", "-W"];
            let [installed, gone, purge] = read(&apt::stdout(cx, &words)?, &cx.grains);
            let kept = map! {
                "installed" => value(&installed), "removed" => value(&gone), "purge_desired" => value(&purge),
            };
            cx.job.set_context(KEPT, kept.clone());
            kept
        }
    };
    let of = |key: &str| kept.get(key).and_then(Value::as_map).cloned().unwrap_or_default();
    let mut found = if removed { of("removed") } else { of("purge_desired") };
    if !removed && !purge_desired {
        found.update(of("installed"));
    }
    if !versions_as_list {
        stringify(&mut found);
    }
    Ok(found)
}

/// The installed version of a package, or of each of several; an empty text for one that is not installed.
///
/// CLI Example: salt '*' pkg.version <package1> <package2>
#[exec]
fn version(cx: &Cx, args: VarArgs, kwargs: KwArgs) -> Result {
    debian(cx)?;
    cx.call("pkg_resource.version", Args { positional: args.0, keyword: kwargs.clean() })
}

/// Which of two versions is newer: -1, 0 or 1, or `None` where one is no version.
///
/// CLI Example: salt '*' pkg.version_cmp '0.2.4-0ubuntu1' '0.2.4.1-0ubuntu1'
#[exec]
fn version_cmp(cx: &Cx, pkg1: Value, pkg2: Value, #[default(false)] ignore_epoch: bool, kwargs: KwArgs) -> Result {
    debian(cx)?;
    let _more = kwargs;
    let (a, b) = (python_str(&pkg1), python_str(&pkg2));
    let order = order::compare(order::without_epoch(&a, ignore_epoch), order::without_epoch(&b, ignore_epoch));
    Ok(order.map_or(Value::Nil, |o| Value::from(o as i64)))
}

/// The name of a package without an architecture that is the machine's own.
///
/// CLI Example: salt '*' pkg.normalize_name zsh:amd64
#[exec]
fn normalize_name(cx: &Cx, name: String) -> Result<String> {
    debian(cx)?;
    let own = cx.grains.get_str("osarch").unwrap_or_default();
    Ok(match name.rsplit_once(':') {
        Some((plain, arch)) if arch == own || arch == "all" || arch == "any" => plain.to_owned(),
        _ => name,
    })
}

/// Name and architecture of a package.
///
/// CLI Example: salt '*' pkg.parse_arch zsh:amd64
#[exec]
fn parse_arch(cx: &Cx, name: String) -> Result<Map> {
    debian(cx)?;
    Ok(match name.rsplit_once(':') {
        Some((name, arch)) => map! {"name" => name, "arch" => arch},
        None => map! {"name" => name, "arch" => Value::Nil},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_by_state_and_architecture() {
        let out = "install ok installed zsh 5.9-4 amd64\ninstall ok installed libc6 2.36 i386\n\
                   deinstall ok config-files old 1 all\npurge ok installed gone 1 all\nhold ok installed kept 2 all\nbad\n";
        let grains = map! {"cpuarch" => "x86_64", "osarch" => "amd64"};
        let [installed, removed, purge] = read(out, &grains);
        assert_eq!(installed.keys().collect::<Vec<_>>(), ["kept", "libc6:i386", "zsh"]);
        assert_eq!(removed.keys().collect::<Vec<_>>(), ["old"]);
        assert_eq!(purge.keys().collect::<Vec<_>>(), ["gone"]);
        let Value::Map(mut map) = value(&installed) else { panic!() };
        stringify(&mut map);
        assert_eq!(map.get_str("zsh"), Some("5.9-4"));
    }
}
