//! The functions this minion offers: all that exist, less what its options take away.

use brine_core::{Opts, Registry, Value};

/// The registry in force: `whitelist_modules` keeps only these modules, `disable_modules` takes some out.
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
    .with_states(brine_state_modules::ALL.iter().copied());
    brine_state_modules::note_absent(&mut registry);
    brine_modules::note_absent(&mut registry);
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
}
