//! The `defaults` execution module: a formula's own defaults, and the merging of dicts that templates use it for.

use crate::live;
use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::target::{DEFAULT_TARGET_DELIM, traverse};
use brine_core::{Map, Value, map};
use brine_python::to_value;
use brine_render::template::call_error;
use brine_render::{json, yaml};

module! { "defaults": deepcopy, get, merge, update }

/// The first of a formula's `defaults.yaml` and `defaults.json` that there is; `None` where there is neither.
fn load(cx: &Cx, formula: &str) -> Result {
    let files = cx.host.files();
    for kind in ["yaml", "json"] {
        let Some(path) = files.cache_file(&format!("{formula}/defaults.{kind}"), "base")? else { continue };
        let bytes = std::fs::read(&path).map_err(|e| crate::hashutil::file_error(&e, &path.to_string_lossy()))?;
        let text = String::from_utf8_lossy(&bytes);
        let defaults = if kind == "yaml" {
            yaml::load(&text).map_err(|e| CallError::exception("YAMLError", e.to_string()))?
        } else {
            to_value(&json::loads(&text).map_err(call_error)?).map_err(call_error)?
        };
        return Ok(if defaults.truthy() { defaults } else { Map::new().into() });
    }
    Ok(Value::Nil)
}

/// A value from the `defaults.yaml` or `defaults.json` of a formula. The first part of the key names the formula.
///
/// CLI Example: salt '*' defaults.get core:users:root
#[exec]
fn get(cx: &Cx, key: String, #[default("")] default: Value) -> Result {
    match key.split_once(':') {
        Some((formula, key)) if !key.is_empty() => {
            let defaults = load(cx, formula)?;
            Ok(traverse(&defaults, key, DEFAULT_TARGET_DELIM).cloned().unwrap_or(default))
        }
        Some((formula, _)) => load(cx, formula),
        None => load(cx, &key),
    }
}

/// Merge a dict into another, level by level.
///
/// CLI Example: salt '*' defaults.merge '{a: b}' '{d: e}'
#[exec]
fn merge(
    cx: &Cx,
    dest: Value,
    src: Value,
    #[default(false)] merge_lists: Value,
    #[default(true)] in_place: Value,
    #[default(true)] convert_none: Value,
) -> Result {
    let options = map! {"merge_lists" => merge_lists, "in_place" => in_place, "convert_none" => convert_none};
    live::call(cx, "defaults.merge", &[dest, src], &options)
}

/// A copy. Templates use it for objects that they then change.
///
/// CLI Example: salt '*' defaults.deepcopy '{a: b}'
#[exec]
fn deepcopy(source: Value) -> Result {
    Ok(source)
}

/// Put defaults under each value of a dict.
///
/// CLI Example: salt '*' defaults.update '{node: {a: b}}' '{d: e}'
#[exec]
fn update(
    cx: &Cx,
    dest: Value,
    defaults: Value,
    #[default(true)] merge_lists: Value,
    #[default(true)] in_place: Value,
    #[default(true)] convert_none: Value,
) -> Result {
    let options = map! {"merge_lists" => merge_lists, "in_place" => in_place, "convert_none" => convert_none};
    live::call(cx, "defaults.update", &[dest, defaults], &options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::Opts;
    use brine_core::call::{Args, Registry};
    use brine_core::files::{Files, Listing};
    use brine_testing::Around;
    use std::path::PathBuf;
    use std::sync::Arc;

    struct Folder(PathBuf);

    impl Files for Folder {
        fn cache_file(&self, path: &str, _: &str) -> Result<Option<PathBuf>> {
            Ok(Some(self.0.join(path)).filter(|path| path.is_file()))
        }

        fn list(&self, _: &str, _: Listing) -> Result<Vec<String>> {
            Ok(Vec::new())
        }

        fn envs(&self) -> Result<Vec<String>> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn defaults_come_from_the_formula_and_are_merged() {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in [("core/defaults.yaml", "users: {root: 0}"), ("web/defaults.json", "{\"port\": 80}")] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let registry = Arc::new(Registry::new(crate::ALL.iter().copied()));
        let cx = Cx::new(Arc::new(Opts::default()), registry, Arc::new(Around::files(Arc::new(Folder(dir.path().to_owned())))));
        let run = |name: &str, args: Args| cx.call(name, args).unwrap();
        assert_eq!(run("defaults.get", Args::positional(["core:users:root"])), 0.into());
        assert_eq!(run("defaults.get", Args::positional(["core:x", "none"])), "none".into());
        assert_eq!(run("defaults.get", Args::positional(["web"])), map! {"port" => 80}.into());
        assert_eq!(run("defaults.get", Args::positional(["nosuch"])), Value::Nil);
        let (a, b) = (map! {"a" => map! {"b" => 1}}, map! {"a" => map! {"c" => 2}});
        assert_eq!(
            run("defaults.merge", Args::positional([a, b])),
            map! {"a" => map! {"b" => 1, "c" => 2}}.into()
        );
        let (nodes, more) = (map! {"n" => map! {"i" => 1}}, map! {"e" => true});
        assert_eq!(
            run("defaults.update", Args::positional([nodes, more])),
            map! {"n" => map! {"e" => true, "i" => 1}}.into()
        );
    }
}
