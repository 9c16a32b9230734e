//! What there is in the tree and in the cache.

use super::client::env;
use crate::python::path::join;
use brine_core::call::{Cx, Result, exec};
use brine_core::Map;
use brine_core::files::Listing;
use brine_protocol::ids::SaltEnv;
use std::collections::BTreeSet;
use std::path::Path;

/// The environments of the file server.
///
/// CLI Example: salt '*' cp.envs
#[exec]
pub(super) fn envs(cx: &Cx) -> Result<Vec<String>> {
    cx.host.files().envs()
}

fn all(cx: &Cx, saltenv: Option<String>, prefix: &str, what: Listing) -> Result<Vec<String>> {
    cx.host.files().list_below(&env(cx, saltenv), prefix, what)
}

/// The files of the tree.
///
/// CLI Example: salt '*' cp.list_master
#[exec]
pub(super) fn list_master(cx: &Cx, saltenv: Option<String>, #[default("")] prefix: String) -> Result<Vec<String>> {
    all(cx, saltenv, &prefix, Listing::Files)
}

/// The folders of the tree.
///
/// CLI Example: salt '*' cp.list_master_dirs
#[exec]
pub(super) fn list_master_dirs(
    cx: &Cx,
    saltenv: Option<String>,
    #[default("")] prefix: String,
) -> Result<Vec<String>> {
    all(cx, saltenv, &prefix, Listing::Dirs)
}

/// The symbolic links of the tree, with what they say.
///
/// CLI Example: salt '*' cp.list_master_symlinks
#[exec]
pub(super) fn list_master_symlinks(cx: &Cx, saltenv: Option<String>, #[default("")] prefix: String) -> Result<Map> {
    cx.host.files().symlinks(&env(cx, saltenv), &prefix)
}

/// The SLS names of the tree.
///
/// CLI Example: salt '*' cp.list_states
#[exec]
pub(super) fn list_states(cx: &Cx, saltenv: Option<String>) -> Result<Vec<String>> {
    let files = all(cx, saltenv, "", Listing::Files)?;
    let names: BTreeSet<String> = files
        .iter()
        .filter_map(|path| path.strip_suffix("/init.sls").or_else(|| path.strip_suffix(".sls")))
        .map(|name| name.replace('/', "."))
        .collect();
    Ok(names.into_iter().collect())
}

/// The files in the cache that come from a tree, or from this machine.
///
/// CLI Example: salt '*' cp.list_minion
#[exec]
pub(super) fn list_minion(cx: &Cx, saltenv: Option<String>) -> Result<Vec<String>> {
    let saltenv = env(cx, saltenv);
    let mut found = BTreeSet::new();
    let cachedir = cx.opts.str("cachedir");
    if SaltEnv::parse(&saltenv).is_ok() {
        below(&join(cachedir, &["files", &saltenv]), &mut found, 0);
    }
    below(&join(cachedir, &["localfiles"]), &mut found, 0);
    Ok(found.into_iter().collect())
}

fn below(dir: &str, found: &mut BTreeSet<String>, depth: usize) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = join(dir, &[entry.file_name().to_string_lossy()]);
        if !Path::new(&path).is_dir() {
            found.insert(path);
        } else if depth < 100 {
            below(&path, found, depth + 1);
        }
    }
}
