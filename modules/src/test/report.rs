//! What is loaded here, and which versions of what.

use brine_core::call::{Cx, Result, exec};
use brine_core::{COMPAT_VERSION, Map, Value, map};
use std::collections::BTreeSet;

/// Modules whose file has another name in stock Salt.
const FILES: [(&str, &str); 3] = [("cmd", "cmdmod"), ("sys", "sysmod"), ("random", "mod_random")];

fn modules(cx: &Cx) -> BTreeSet<String> {
    cx.registry.iter().filter_map(|(name, _)| name.split('.').next()).map(str::to_owned).collect()
}

fn file_of(module: &str) -> &str {
    FILES.iter().find(|(name, _)| *name == module).map_or(module, |(_, file)| file)
}

/// The name of the file that provides a module, or empty text if there is no such module.
///
/// CLI Example: salt '*' test.provider service
#[exec]
fn provider(cx: &Cx, module: String) -> Result<String> {
    let known = modules(cx).contains(&module);
    Ok(if known { file_of(&module).to_owned() } else { String::new() })
}

/// All modules by the file that provides them.
///
/// CLI Example: salt '*' test.providers
#[exec]
fn providers(cx: &Cx) -> Result<Map> {
    Ok(modules(cx).iter().map(|module| (file_of(module), module.as_str())).collect())
}

/// The modules that exist but are not loaded on this minion.
///
/// CLI Example: salt '*' test.not_loaded
#[exec]
fn not_loaded(cx: &Cx) -> Result {
    let loaded = modules(cx);
    let missing: BTreeSet<&str> =
        crate::ALL.iter().map(|module| module.name).filter(|name| !loaded.contains(*name)).collect();
    Ok(missing.into_iter().collect())
}

/// All modules and functions, and whether each can be reached both ways.
///
/// CLI Example: salt '*' test.module_report
#[exec]
fn module_report(cx: &Cx) -> Result<Map> {
    let functions: Value = cx.registry.iter().map(|(name, _)| name).collect();
    let modules: Value = modules(cx).into_iter().collect();
    let none = || Value::List(Vec::new());
    Ok(map! {
        "functions" => functions.clone(), "function_attrs" => functions.clone(), "function_subs" => functions,
        "modules" => modules.clone(), "module_attrs" => modules, "missing_attrs" => none(), "missing_subs" => none(),
    })
}

/// Versions of this program and the system, by group.
///
/// CLI Example: salt '*' test.versions_information
#[exec]
fn versions_information(cx: &Cx) -> Result<Map> {
    Ok(versions(cx))
}

fn versions(cx: &Cx) -> Map {
    let mut system = Map::new();
    let grain = |name: &str| cx.grains.get(name).cloned().unwrap_or_default();
    let text = |name: &str| cx.grains.get_str(name).unwrap_or_default();
    let dist = format!("{} {} {}", text("os").to_lowercase(), text("osrelease"), text("oscodename"));
    system.insert("dist", dist.trim());
    if let Ok(uname) = nix::sys::utsname::uname() {
        system.insert("machine", uname.machine().to_string_lossy().into_owned());
        system.insert("release", uname.release().to_string_lossy().into_owned());
        system.insert("system", uname.sysname().to_string_lossy().into_owned());
    }
    system.insert("version", grain("osfinger"));
    map! {
        "Salt Version" => map! { "Salt" => COMPAT_VERSION },
        "Brine Version" => map! { "Brine" => env!("CARGO_PKG_VERSION") },
        "System Versions" => system,
    }
}

/// Versions of this program and the system as text.
///
/// CLI Example: salt '*' test.versions_report
#[exec]
fn versions_report(cx: &Cx) -> Result<String> {
    let groups = versions(cx);
    let width = groups
        .values()
        .filter_map(Value::as_map)
        .flat_map(Map::keys)
        .filter_map(Value::as_str)
        .map(str::len)
        .max()
        .unwrap_or(0);
    let mut lines = Vec::new();
    for (title, group) in &groups {
        if !lines.is_empty() {
            // Stock separates the groups by a line of one blank.
            lines.push(" ".to_owned());
        }
        lines.push(format!("{}:", brine_core::text::python_str(title)));
        for (name, version) in group.as_map().into_iter().flatten() {
            let (name, version) = (brine_core::text::python_str(name), version.as_str().unwrap_or("Not Installed"));
            lines.push(format!("{name:>width$}: {version}", width = width + 2));
        }
    }
    Ok(lines.join("\n"))
}
