//! The functions this minion offers: all that exist, less what its options take away.

use brine_core::call::Kind;
use brine_core::{Opts, Registry, Value};
use std::path::{Path, PathBuf};

/// Names of stock's files that are not those of their modules, for `providers`.
const FILES: &[(&str, &str)] = &[
    ("aptpkg", "pkg"),
    ("cmdmod", "cmd"),
    ("debconfmod", "debconf"),
    ("dpkg_lowpkg", "lowpkg"),
    ("groupadd", "group"),
    ("linux_acl", "acl"),
    ("linux_shadow", "shadow"),
    ("linux_sysctl", "sysctl"),
    ("localemod", "locale"),
    ("systemd_service", "service"),
    ("useradd", "user"),
    ("virtualenv_mod", "virtualenv"),
];

/// The registry in force: `whitelist_modules` and `whitelist_state_modules` keep only these modules, `disable_modules` takes
/// some out, and `providers` lets modules stand in for others.
pub(crate) fn registry(opts: &Opts) -> Registry {
    let named = |option: &str| -> Vec<String> {
        match opts.get(option) {
            Some(Value::List(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::Str(one)) if !one.is_empty() => vec![one.clone()],
            _ => Vec::new(),
        }
    };
    let allowed = named("whitelist_modules");
    let mut registry = Registry::new(
        brine_modules::ALL
            .iter()
            .copied()
            .filter(|m| allowed.is_empty() || allowed.iter().any(|a| a == m.name)),
    )
    .with_states(brine_state_modules::ALL.iter().copied().filter({
        let allowed = named("whitelist_state_modules");
        move |m| allowed.is_empty() || allowed.iter().any(|a| a == m.name)
    }));
    brine_state_modules::note_absent(&mut registry);
    brine_modules::note_absent(&mut registry);
    for (name, file) in opts.get("providers").and_then(Value::as_map).into_iter().flatten() {
        let (Some(name), Some(file)) = (name.as_str(), file.as_str()) else { continue };
        let own = FILES.iter().find(|(of, _)| *of == file).map_or(file, |(_, module)| module);
        match brine_modules::ALL.iter().find(|module| module.name == own) {
            Some(module) => registry.add(name, module),
            None => tracing::warn!(
                "the module {file}, which is to provide {name}, is not here; nothing changes by it"
            ),
        }
    }
    // What it encrypts with is none of FIPS.
    if opts.get("fips_mode") == Some(&Value::Bool(true)) {
        registry.refuse("nacl", "nacl module not available in FIPS mode");
    }
    for module in named("disable_modules") {
        registry.disable(&module);
    }
    match opts.str("extension_modules").is_empty() {
        true => registry,
        false => naming_python(registry, opts.path("extension_modules")),
    }
}

/// Whoever calls a custom module that was fetched from the file server is told what it would need. The folder is read when that
/// happens: a job may fetch what it calls next.
fn naming_python(registry: Registry, folder: PathBuf) -> Registry {
    registry.asking_late(move |kind, module| {
        let folder = folder.join(match kind {
            Kind::Modules => "modules",
            Kind::States => "states",
        });
        python_files(&folder)
            .into_iter()
            .find(|(name, _)| name == module)
            .map(|(_, path)| needs_bridge(&path))
    })
}

fn needs_bridge(path: &Path) -> String {
    format!(
        "{} is written in Python; calling it needs the bridge to Python, which is not there yet",
        path.display()
    )
}

/// The modules in a folder, by name: files, and folders that are packages.
fn python_files(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let module = |path: PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        let is_one = match path.extension() {
            Some(ending) => ending == "py" && path.is_file(),
            None => path.join("__init__.py").is_file(),
        };
        (is_one && !name.starts_with("__")).then_some((name, path))
    };
    entries.flatten().filter_map(|entry| module(entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn modules_are_taken_out_by_option() {
        let has = |opts: brine_core::Map, fun: &str| registry(&Opts::new(opts)).get(fun).is_some();
        assert!(has(map! {}, "test.ping"));
        assert!(!has(map! {"disable_modules" => vec!["test"]}, "test.ping"));
        assert!(has(map! {"whitelist_modules" => vec!["test"]}, "test.ping"));
        assert!(!has(map! {"whitelist_modules" => vec!["test"]}, "cmd.run"));
    }

    #[test]
    fn state_modules_are_kept_by_option() {
        let has = |opts: brine_core::Map, fun: &str| registry(&Opts::new(opts)).state(fun).is_some();
        assert!(has(map! {}, "test.nop") && has(map! {}, "cmd.run"));
        let kept = || map! {"whitelist_state_modules" => vec!["test"]};
        assert!(has(kept(), "test.nop") && !has(kept(), "cmd.run"));
    }

    #[test]
    fn nacl_is_refused_where_only_fips_is_allowed() {
        let reason =
            |fips: bool| registry(&Opts::new(map! {"fips_mode" => fips})).missing("nacl.keygen").to_string();
        assert!(reason(true).contains("nacl module not available in FIPS mode"), "{}", reason(true));
        assert!(registry(&Opts::new(map! {"fips_mode" => false})).get("nacl.keygen").is_some());
    }

    #[test]
    fn modules_stand_in_for_others() {
        let registry = registry(&Opts::new(
            map! {"providers" => map! {"shell" => "cmdmod", "test" => "gone", "pkg" => "aptpkg"}},
        ));
        for fun in ["shell.run", "cmd.run", "test.ping", "pkg.install"] {
            assert!(registry.get(fun).is_some(), "{fun}");
        }
        assert!(registry.get("shell.ping").is_none());
    }

    #[test]
    fn a_call_of_a_python_module_names_what_it_needs() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("modules/custom.py", ""),
            ("modules/pack/__init__.py", ""),
            ("modules/test.py", ""),
            ("states/custom.py", ""),
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let registry = registry(&Opts::new(map! {"extension_modules" => dir.path().display().to_string()}));
        assert_eq!(registry.missing("later.f").to_string(), "'later.f' is not available.");
        std::fs::write(dir.path().join("modules/later.py"), "").unwrap();
        for name in ["custom.f", "pack.f", "later.f"] {
            let error = registry.missing(name).to_string();
            assert!(
                error.contains(" __virtual__ returned False: ") && error.contains("bridge to Python"),
                "{error}"
            );
        }
        assert!(registry.missing_state("custom.f").contains("custom.py is written in Python"));
        assert_eq!(registry.missing("test.f").to_string(), "'test.f' is not available.");
        assert!(registry.get("test.ping").is_some());
        assert_eq!(registry.missing("other.f").to_string(), "'other.f' is not available.");
    }
}
