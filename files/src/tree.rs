//! Environments and their folders: `file_roots` or `pillar_roots`.

use brine_core::text::python_str;
use brine_core::{Map, Value};
use brine_protocol::ids::{RelPath, SaltEnv};
use std::path::{Path, PathBuf};

/// The key whose folders stand for every environment that has none of its own; `__env__` in them stands for its name.
const ANY: &str = "__env__";

/// Folders by environment, in the order of the option.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    envs: Vec<(String, Vec<String>)>,
}

impl Tree {
    /// Reads the value of an option.
    pub(crate) fn new(roots: &Map) -> Self {
        let dirs = |dirs: &Value| match dirs {
            Value::List(list) => list.iter().map(python_str).collect(),
            Value::Str(one) => vec![one.clone()],
            _ => Vec::new(),
        };
        Self { envs: roots.iter().map(|(env, list)| (python_str(env), dirs(list))).collect() }
    }

    /// The environments.
    pub(crate) fn envs(&self) -> impl Iterator<Item = &str> {
        self.envs.iter().map(|(env, _)| env.as_str())
    }

    /// The folders of all environments, as they stand in the option.
    pub(crate) fn all_dirs(&self) -> impl Iterator<Item = &str> {
        self.envs.iter().flat_map(|(_, dirs)| dirs).map(String::as_str)
    }

    fn own(&self, saltenv: &str) -> Option<&[String]> {
        self.envs.iter().find(|(env, _)| env == saltenv).map(|(_, dirs)| dirs.as_slice())
    }

    /// The folders of an environment.
    pub(crate) fn dirs(&self, saltenv: &SaltEnv) -> Vec<PathBuf> {
        let name = saltenv.as_str();
        match self.own(name) {
            // As an environment of its own, `__env__` stands for itself.
            Some(dirs) => dirs.iter().map(PathBuf::from).collect(),
            None => {
                let any = self.own(ANY).unwrap_or_default();
                any.iter().map(|dir| dir.replace(ANY, name).into()).collect()
            }
        }
    }
}

/// A path below a folder.
pub(crate) fn join(root: &Path, path: &RelPath) -> PathBuf {
    let mut full = root.to_owned();
    full.extend(path.components());
    full
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn environments_without_folders_of_their_own_use_the_common_ones() {
        let tree = Tree::new(&map! {"base" => vec!["/a", "/b"], "__env__" => vec!["/e/__env__/x"]});
        let dirs = |env: &str| tree.dirs(&SaltEnv::parse(env).unwrap());
        assert_eq!(dirs("base"), [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!(dirs("dev/one"), [PathBuf::from("/e/dev/one/x")]);
        assert!(Tree::new(&map! {"base" => vec!["/a"]}).dirs(&SaltEnv::parse("dev").unwrap()).is_empty());
        assert_eq!(join(Path::new("/a"), &RelPath::parse("b/c").unwrap()), Path::new("/a/b/c"));
    }
}
