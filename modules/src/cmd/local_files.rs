//! `salt://` sources of calls that work without a master: the file is looked for in this machine's own `file_roots`.
//! Files of a master are the file client's business, not this module's.

use brine_core::text::python_str;
use brine_core::{Map, Opts, Value};
use std::path::{Component, Path, PathBuf};

/// The file that a `salt://` source names, if the call works without a master and there is one. An environment in
/// the source (`?saltenv=dev`) goes before `saltenv`.
pub(super) fn find(opts: &Opts, source: &str, saltenv: &Value) -> Option<PathBuf> {
    let name = source.strip_prefix("salt://")?;
    if opts.str("file_client") != "local" {
        return None;
    }
    let (name, env) = match name.split_once("?saltenv=") {
        Some((name, env)) => (name, env.to_owned()),
        None => (name, python_str(saltenv)),
    };
    // An escaped name (`salt://|...`) is taken as it stands.
    let name = Path::new(name.strip_prefix('|').unwrap_or(name));
    // No name leads out of the roots.
    if !name.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let roots = roots(opts.get("file_roots").and_then(Value::as_map)?, &env);
    roots.into_iter().map(|root| root.join(name)).find(|path| path.is_file())
}

/// The roots of an environment: its own, else those of `__env__`, where `__env__` in a path stands for its name.
fn roots(all: &Map, env: &str) -> Vec<PathBuf> {
    let texts = |key: &str| {
        let list = all.get(key).and_then(Value::as_list).unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    if all.contains(env) {
        return texts(env).into_iter().map(PathBuf::from).collect();
    }
    // The name of an environment becomes part of a path only as one plain name.
    let mut parts = Path::new(env).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(_)), None) => {
            texts("__env__").into_iter().map(|root| root.replace("__env__", env).into()).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;
    use std::fs;

    #[test]
    fn the_first_root_that_has_the_file_counts_and_no_name_leads_out() {
        let dir = tempfile::tempdir().unwrap();
        for sub in ["a", "b", "envs/dev"] {
            fs::create_dir_all(dir.path().join(sub)).unwrap();
        }
        for file in ["a/one", "b/one", "b/two", "envs/dev/three", "secret"] {
            fs::write(dir.path().join(file), file).unwrap();
        }
        let root = |sub: &str| dir.path().join(sub).to_string_lossy().into_owned();
        let roots = map! { "base" => vec![root("a"), root("b")], "__env__" => vec![root("envs/__env__")] };
        let opts = |client: &str| Opts::new(map! { "file_client" => client, "file_roots" => roots.clone() });
        let local = opts("local");
        let found = |opts: &Opts, source: &str| {
            find(opts, source, &"base".into()).map(|p| fs::read_to_string(p).unwrap())
        };
        assert_eq!(found(&local, "salt://one").as_deref(), Some("a/one"));
        assert_eq!(found(&local, "salt://|two").as_deref(), Some("b/two"));
        assert_eq!(found(&local, "salt://three?saltenv=dev").as_deref(), Some("envs/dev/three"));
        for none in [
            "salt://../secret",
            "salt:///one",
            "salt://x/../one",
            "salt://three",
            "salt://secret?saltenv=..",
            "/etc/passwd",
            "salt://",
        ] {
            assert_eq!(found(&local, none), None, "{none}");
        }
        assert_eq!(found(&opts("remote"), "salt://one"), None);
    }
}
