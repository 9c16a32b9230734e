//! The backends by name: which there are, which a configuration has, and which a request chooses.

use super::merge::together;
use super::minionfs::MinionFs;
use super::roots::RootsBackend;
use super::{Backend, FileServer, Listed};
use crate::git::GitFs;
use brine_core::call::Result;
use brine_core::text::python_str;
use brine_core::{Map, Opts, Value};
use brine_protocol::ids::SaltEnv;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A backend, and what the configuration calls it.
pub struct Named {
    /// As `fileserver_backend` has it: `git` and `gitfs` are one.
    pub name: String,
    /// The backend.
    pub backend: Arc<dyn Backend>,
}

/// What makes a backend: nothing where its options turn it off; the text says why it cannot be made.
type Make = fn(&Opts) -> std::result::Result<Option<Arc<dyn Backend>>, String>;

/// The backends there are, with all their names.
const KINDS: &[(&[&str], Make)] = &[
    (&["roots"], |opts| Ok(Some(Arc::new(RootsBackend::new(opts))))),
    (&["git", "gitfs"], |opts| match GitFs::shared(opts) {
        Ok(backend) => Ok(Some(backend)),
        Err(e) => Err(e.to_string()),
    }),
    (&["minion", "minionfs"], |opts| match MinionFs::new(opts) {
        Some(backend) => Ok(Some(Arc::new(backend))),
        // As in stock, it is not there while minions may not push.
        None => Ok(None),
    }),
];

/// Backends of stock that are left out.
const REFUSED: &[&str] = &["s3fs", "hg", "hgfs", "svn", "svnfs", "azurefs"];

/// Whether a backend of stock is left out here: its name is known and refused.
pub fn is_left_out(name: &str) -> bool {
    REFUSED.contains(&name)
}

/// The names in `fileserver_backend`.
fn names(opts: &Opts) -> Vec<String> {
    match opts.get("fileserver_backend") {
        Some(Value::List(list)) => list.iter().map(python_str).collect(),
        Some(Value::Str(text)) => text.split(',').map(|name| name.trim().to_owned()).collect(),
        None => vec!["roots".into()],
        Some(_) => Vec::new(),
    }
}

/// Makes the backends that the options name.
pub(super) fn make(opts: &Opts) -> Vec<Named> {
    let mut made: Vec<Named> = Vec::new();
    for name in names(opts) {
        if REFUSED.contains(&name.as_str()) {
            tracing::error!("fileserver_backend {name}: this backend is left out; its files are not served");
            continue;
        }
        let Some((_, make)) = KINDS.iter().find(|(names, _)| names.contains(&name.as_str())) else {
            tracing::error!("fileserver_backend {name}: there is no such backend");
            continue;
        };
        match make(opts) {
            // `git` and `gitfs` at once.
            Ok(Some(backend)) if made.iter().any(|other| other.backend.name() == backend.name()) => {}
            Ok(Some(backend)) => made.push(Named { name, backend }),
            Ok(None) => {}
            Err(why) => tracing::error!("fileserver_backend {name}: {why}"),
        }
    }
    made
}

impl FileServer {
    /// The backends that a request names: nothing for all, a list or text with commas; with `-` before each name, all but those. What
    /// is not configured is not chosen.
    pub fn choose(&self, back: &Value) -> Vec<&Named> {
        let asked: Vec<String> = match back {
            back if !back.truthy() => return self.backends.iter().collect(),
            Value::List(list) => list.iter().map(python_str).collect(),
            other => python_str(other).split(',').map(str::to_owned).collect(),
        };
        if asked.iter().all(|name| name.starts_with('-')) {
            let without = |named: &&Named| !asked.iter().any(|name| named.is(&name[1..]));
            return self.backends.iter().filter(without).collect();
        }
        asked.iter().filter_map(|name| self.backends.iter().find(|named| named.is(name))).collect()
    }

    /// The environments of chosen backends, sorted.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn envs_of(&self, back: &Value) -> Result<Vec<String>> {
        let mut envs = BTreeSet::new();
        for named in self.choose(back) {
            envs.extend(named.backend.envs()?);
        }
        Ok(envs.into_iter().collect())
    }

    /// The environments of each chosen backend.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn envs_by_backend(&self, back: &Value) -> Result<Map> {
        let mut all = Map::new();
        for named in self.choose(back) {
            all.insert(named.name.as_str(), named.backend.envs()?);
        }
        Ok(all)
    }

    /// Everything that chosen backends list in an environment; nothing where that is no name of one.
    ///
    /// # Errors
    /// A tree cannot be read.
    pub fn list_of(&self, saltenv: &str, back: &Value) -> Result<Arc<Listed>> {
        let Ok(saltenv) = SaltEnv::parse(saltenv) else { return Ok(Arc::default()) };
        if !back.truthy() {
            return self.list(&saltenv);
        }
        let parts: Vec<Arc<Listed>> =
            self.choose(back).into_iter().map(|named| named.backend.list(&saltenv)).collect::<Result<_>>()?;
        Ok(Arc::new(together(&parts)))
    }
}

impl Named {
    /// Whether a name means this backend.
    pub fn is(&self, name: &str) -> bool {
        let kind = |name: &str| KINDS.iter().position(|(names, _)| names.contains(&name));
        name == self.name || kind(name).is_some_and(|at| kind(&self.name) == Some(at))
    }
}
