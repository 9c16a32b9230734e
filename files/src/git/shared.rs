//! What is shared within a process: one set of repositories for everybody with the same options, so that one fetch serves all.

use super::conf::{ConfigError, Role};
use super::{GitFs, GitPillar};
use crate::sum::Digest;
use brine_core::text::python_repr;
use brine_core::{Opts, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How many sets are kept: a process has one set of options, and a few entries in them.
const MOST: usize = 64;

/// What tells one set from another: a digest, since there are passwords in what it is made of.
type Key = String;

fn key(role: Role, opts: &Opts, remotes: Option<&Value>) -> Key {
    let mut digest = Digest::new("sha256");
    let mut add = |text: &str| {
        if let Some(digest) = &mut digest {
            digest.update(text.as_bytes());
            digest.update(&[0]);
        }
    };
    add(opts.str("cachedir"));
    add(opts.str("hash_type"));
    for (name, _) in opts.map().iter() {
        let Some(name) = name.as_str() else { continue };
        if (name.starts_with(role.name()) || name.starts_with("pillar_gitfs"))
            && let Some(value) = opts.get(name)
        {
            add(name);
            add(&python_repr(value));
        }
    }
    add(&remotes.map(python_repr).unwrap_or_default());
    digest.map(Digest::hex).unwrap_or_default()
}

fn kept<T>(
    all: &Mutex<HashMap<Key, Arc<T>>>,
    key: Key,
    make: impl FnOnce() -> Result<T, ConfigError>,
) -> Result<Arc<T>, ConfigError> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(&key) {
        return Ok(known.clone());
    }
    let new = Arc::new(make()?);
    if all.len() >= MOST {
        all.clear();
    }
    all.insert(key, new.clone());
    Ok(new)
}

static GITFS: OnceLock<Mutex<HashMap<Key, Arc<GitFs>>>> = OnceLock::new();
static PILLAR: OnceLock<Mutex<HashMap<Key, Arc<GitPillar>>>> = OnceLock::new();

/// The file server's.
pub(crate) fn gitfs(opts: &Opts) -> Result<Arc<GitFs>, ConfigError> {
    let all = GITFS.get_or_init(Mutex::default);
    kept(all, key(Role::Gitfs, opts, None), || GitFs::new(opts))
}

/// That of one entry of `ext_pillar`.
pub(crate) fn pillar(opts: &Opts, remotes: &[Value]) -> Result<Arc<GitPillar>, ConfigError> {
    let all = PILLAR.get_or_init(Mutex::default);
    let list = Value::List(remotes.to_vec());
    kept(all, key(Role::Pillar, opts, Some(&list)), || GitPillar::new(opts, remotes))
}
