//! The `kmod` execution module: modules of the running kernel, and the file of those that are loaded when it starts.

use crate::{settings, tools};
use brine_core::text::re_escape;
use brine_core::call::{Args, Cx, Result, exec, module};
use brine_core::posixpath::basename;
use brine_core::{Map, map};
use std::collections::BTreeSet;
use std::path::Path;

module! {
    "kmod": available, check_available, is_loaded, load, lsmod, mod_list, remove
}

/// The file of modules that are loaded when the machine starts.
fn file(cx: &Cx) -> &'static str {
    if cx.grains.contains("systemd") { "/etc/modules-load.d/salt_managed.conf" } else { "/etc/modules" }
}

fn all_available() -> Result<Vec<String>> {
    let release = nix::sys::utsname::uname().map_err(std::io::Error::from)?.release().to_string_lossy().into_owned();
    Ok(below(&format!("/lib/modules/{release}")))
}

/// The modules of a kernel's folder: those built in, and the files.
fn below(folder: &str) -> Vec<String> {
    let mut names = Vec::new();
    if let Ok(text) = settings::text(&format!("{folder}/modules.builtin")) {
        // Each line ends in `.ko`.
        names.extend(settings::lines(&text).map(|line| {
            let name: Vec<char> = basename(line).chars().collect();
            name[..name.len().saturating_sub(4)].iter().collect()
        }));
    }
    let mut folders = vec![std::path::PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            } else if let Some((name, _)) = entry.file_name().to_string_lossy().split_once(".ko") {
                names.push(name.replace('-', "_"));
            }
        }
    }
    names.sort();
    names
}

/// The kernel modules that there are, loaded or not.
///
/// CLI Example: salt '*' kmod.available
#[exec]
fn available() -> Result<Vec<String>> {
    all_available()
}

/// Whether there is such a kernel module.
///
/// CLI Example: salt '*' kmod.check_available kvm
#[exec]
fn check_available(mod_: String) -> Result<bool> {
    Ok(all_available()?.contains(&mod_))
}

fn loaded(cx: &Cx) -> Result<Vec<Map>> {
    let said = tools::run(cx, &[&settings::program("lsmod")?])?;
    Ok(said.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [module, size, depcount, ref more @ ..] = words[..] else { return None };
        let deps: Vec<&str> = more.first().map(|deps| deps.split(',').collect()).unwrap_or_default();
        (module != "Module").then(|| map! {
            "size" => size, "module" => module, "depcount" => depcount, "deps" => deps,
        })
    }).collect())
}

/// What is known of each loaded kernel module.
///
/// CLI Example: salt '*' kmod.lsmod
#[exec]
fn lsmod(cx: &Cx) -> Result {
    Ok(loaded(cx)?.into_iter().collect())
}

fn names(cx: &Cx) -> Result<BTreeSet<String>> {
    Ok(loaded(cx)?.iter().filter_map(|known| known.get_str("module")).map(str::to_owned).collect())
}

fn kept(cx: &Cx) -> BTreeSet<String> {
    let text = settings::text(file(cx)).unwrap_or_default();
    let lines = settings::lines(&text).map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The names of the loaded kernel modules; or of those that the machine loads when it starts.
///
/// CLI Example: salt '*' kmod.mod_list
#[exec]
fn mod_list(cx: &Cx, #[default(false)] only_persist: bool) -> Result<Vec<String>> {
    Ok(if only_persist { kept(cx) } else { names(cx)? }.into_iter().collect())
}

/// Whether a kernel module is loaded.
///
/// CLI Example: salt '*' kmod.is_loaded kvm
#[exec]
fn is_loaded(cx: &Cx, mod_: String) -> Result<bool> {
    Ok(names(cx)?.contains(&mod_))
}

fn keep(cx: &Cx, module: &str) -> Result<Option<String>> {
    let file = file(cx);
    if !Path::new(file).exists() {
        cx.call("file.touch", Args::positional([file]))?;
    }
    let Some(name) = module.split_whitespace().next() else { return Ok(None) };
    if kept(cx).contains(name) || !all_available()?.iter().any(|known| known == name) {
        return Ok(None);
    }
    let pattern = re_escape(module);
    let commented = format!("^#[\t ]*{pattern}[\t ]*$");
    if cx.call("file.search", Args::positional([file, &commented]).with("multiline", true))?.truthy() {
        cx.call("file.uncomment", Args::positional([file, &pattern]))?;
    } else {
        cx.call("file.append", Args::positional([file, module]))?;
    }
    Ok(Some(name.to_owned()))
}

fn keep_no_more(cx: &Cx, module: &str, comment: bool) -> Result<Option<String>> {
    let file = file(cx);
    let Some(name) = module.split_whitespace().next().filter(|name| kept(cx).contains(*name)) else {
        return Ok(None);
    };
    let pattern = format!("^[\t ]*{}[\t ]?", re_escape(module));
    if comment {
        cx.call("file.comment", Args::positional([file, &pattern]))?;
    } else {
        cx.call("file.sed", Args::positional([file, &pattern, ""]))?;
    }
    Ok(Some(name.to_owned()))
}

/// Load a kernel module, perhaps with parameters behind its name, and those that it needs; with `persist`, whenever the machine
/// starts. The names of what was loaded.
///
/// CLI Example: salt '*' kmod.load kvm
#[exec]
fn load(cx: &Cx, mod_: String, #[default(false)] persist: bool) -> Result {
    let before = names(cx)?;
    let out = settings::run_line(cx, &format!("{} {mod_}", settings::program("modprobe")?))?;
    if settings::code(&out) != 0 {
        return Ok(format!("Error loading module {mod_}: {}", settings::said(&out, "stderr")).into());
    }
    let mut new: BTreeSet<String> = names(cx)?.difference(&before).cloned().collect();
    if persist {
        new.extend(keep(cx, &mod_)?);
    }
    Ok(new.into_iter().collect())
}

/// Unload a kernel module; with `persist`, the machine does not load it any more when it starts: its line becomes a comment, or
/// goes. The names of what was unloaded.
///
/// CLI Example: salt '*' kmod.remove kvm
#[exec]
fn remove(cx: &Cx, mod_: String, #[default(false)] persist: bool, #[default(true)] comment: bool) -> Result {
    let before = names(cx)?;
    let out = settings::run_line(cx, &format!("{} {mod_}", settings::program("rmmod")?))?;
    if settings::code(&out) != 0 {
        return Ok(format!("Error removing module {mod_}: {}", settings::said(&out, "stderr")).into());
    }
    let now = names(cx)?;
    let mut gone: BTreeSet<String> = before.difference(&now).cloned().collect();
    if persist {
        gone.extend(keep_no_more(cx, &mod_, comment)?);
    }
    Ok(gone.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_a_kernels_folder() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("net")).unwrap();
        std::fs::write(dir.path().join("net/a-b.ko.xz"), "").unwrap();
        std::fs::write(dir.path().join("modules.builtin"), "kernel/c-d.ko\nkernel/e.ko\n").unwrap();
        assert_eq!(below(dir.path().to_str().unwrap()), ["a_b", "c-d", "e"]);
        assert_eq!(re_escape("a-b c"), "a\\-b\\ c");
    }
}
