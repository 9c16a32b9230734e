//! `grains_blacklist` and `grains_deep_merge`.

use brine_core::target::expr_match;
use brine_core::{Map, Value};

/// Patterns of grains that are withheld: a glob, or a regular expression over the whole name.
pub(super) struct Blacklist(Vec<String>);

impl Blacklist {
    pub(super) fn new(option: Option<&Value>) -> Self {
        let patterns = option.and_then(Value::as_list).unwrap_or_default();
        Self(patterns.iter().filter_map(|p| p.as_str().map(str::to_owned)).collect())
    }

    pub(super) fn matches(&self, key: &Value) -> bool {
        key.as_str().is_some_and(|key| self.0.iter().any(|p| expr_match(key, p)))
    }
}

/// Salt's `dictupdate.update`: maps are merged member by member, everything else is replaced.
pub(crate) fn deep_update(target: &mut Map, more: Map) {
    for (key, value) in more {
        match (target.get_key_mut(&key), value) {
            (Some(Value::Map(old)), Value::Map(new)) => deep_update(old, new),
            (_, value) => {
                target.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn a_blacklist_takes_globs_and_expressions() {
        let list = Blacklist::new(Some(&Value::from(vec!["os(release|finger)", "cpu*"])));
        for (key, withheld) in
            [("osrelease", true), ("osreleases", false), ("cpu_flags", true), ("os", false)]
        {
            assert_eq!(list.matches(&key.into()), withheld, "{key}");
        }
    }

    #[test]
    fn maps_merge_deeply() {
        let mut m = map! {"a" => map! {"x" => 1, "y" => vec!["1"]}};
        deep_update(&mut m, map! {"a" => map! {"y" => vec!["2"], "z" => 3}});
        assert_eq!(m, map! {"a" => map! {"x" => 1, "y" => vec!["2"], "z" => 3}});
    }
}
