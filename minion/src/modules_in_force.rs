//! The functions this minion offers: all that exist, less what its options take away.

use brine_core::{Opts, Registry, Value};

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
    registry
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
}
