//! The configuration of remotes, as stock reads it: what is wrong with one stops whoever reads it.

mod auth;
mod read;
mod url;

pub(crate) use read::{listed, remotes};

pub(crate) use auth::Auth;
use std::collections::BTreeMap;

/// For what a repository is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The file server.
    Gitfs,
    /// Pillar.
    Pillar,
}

impl Role {
    /// The word that its options begin with, and its folder below `cachedir`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gitfs => "gitfs",
            Self::Pillar => "git_pillar",
        }
    }

    /// The options that have a value for all remotes and may have one for each.
    fn overrides(self) -> &'static [&'static str] {
        match self {
            Self::Gitfs => &[
                "base",
                "fallback",
                "mountpoint",
                "root",
                "ssl_verify",
                "saltenv_whitelist",
                "saltenv_blacklist",
                "refspecs",
                "disable_saltenv_mapping",
                "ref_types",
                "update_interval",
                "proxy",
                "depth",
            ],
            Self::Pillar => &["base", "env", "root", "ssl_verify", "refspecs", "fallback", "proxy", "depth"],
        }
    }

    /// The options that only one remote can have.
    fn only(self) -> &'static [&'static str] {
        match self {
            Self::Gitfs => &["all_saltenvs", "name", "saltenv"],
            Self::Pillar => &["name", "mountpoint", "all_saltenvs"],
        }
    }
}

/// A configuration that cannot be used. Stock logs what is wrong and raises `FileserverConfigError`, whose text is this one's.
#[derive(Debug, thiserror::Error)]
#[error("Failed to load {}", .role.name())]
pub struct ConfigError {
    /// For what.
    pub role: Role,
    /// What is wrong, in stock's words. Holds no secrets.
    pub detail: String,
}

impl ConfigError {
    pub(crate) fn new(role: Role, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        tracing::error!("{detail}");
        Self { role, detail }
    }
}

/// A kind of reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefType {
    /// `refs/remotes/origin/`
    Branch,
    /// `refs/tags/`
    Tag,
    /// A commit's id.
    Sha,
}

/// What is set for one environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct PerEnv {
    pub(crate) reference: Option<String>,
    pub(crate) mountpoint: Option<String>,
    pub(crate) root: Option<String>,
}

/// One remote.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// As it stands in the configuration: the URL, with the branch before it for pillar.
    pub(crate) id: String,
    pub(crate) url: String,
    /// For pillar; `__env__` takes it from what is asked for.
    pub(crate) branch: String,
    pub(crate) name: Option<String>,
    pub(crate) base: String,
    pub(crate) fallback: String,
    /// Where its files appear; neither end has a slash.
    pub(crate) mountpoint: String,
    /// The folder in the repository that is the root; no slash at its end.
    pub(crate) root: String,
    pub(crate) env: String,
    pub(crate) ssl_verify: bool,
    pub(crate) proxy: String,
    /// How many commits of history are fetched; `None` for all.
    pub(crate) depth: Option<u32>,
    pub(crate) whitelist: Vec<String>,
    pub(crate) blacklist: Vec<String>,
    pub(crate) refspecs: Vec<String>,
    pub(crate) disable_saltenv_mapping: bool,
    pub(crate) ref_types: Vec<RefType>,
    /// Seconds.
    pub(crate) update_interval: u64,
    pub(crate) all_saltenvs: Option<String>,
    /// By environment, this remote's own.
    pub(crate) saltenv: BTreeMap<String, PerEnv>,
    /// By environment, for all remotes.
    pub(crate) global_saltenv: BTreeMap<String, PerEnv>,
    /// The environments that references were mapped to.
    pub(crate) revmap: BTreeMap<String, Vec<String>>,
    pub(crate) auth: Auth,
}

impl Remote {
    /// The id without a password that stands in its URL: for logs and replies.
    pub(crate) fn shown(&self) -> String {
        url::without_password(&self.id)
    }

    fn per_env<'a>(&'a self, env: &str, get: impl Fn(&'a PerEnv) -> Option<&'a String>) -> Option<&'a str> {
        let own = self.saltenv.get(env).and_then(&get);
        own.or_else(|| self.global_saltenv.get(env).and_then(&get)).map(String::as_str)
    }

    /// The folder that is the root for an environment.
    pub(crate) fn root_of(&self, env: &str) -> &str {
        self.per_env(env, |e| e.root.as_ref()).unwrap_or(&self.root).trim_end_matches('/')
    }

    /// Where files appear in an environment.
    pub(crate) fn mountpoint_of(&self, env: &str) -> &str {
        self.per_env(env, |e| e.mountpoint.as_ref()).unwrap_or(&self.mountpoint).trim_end_matches('/')
    }

    /// The reference that an environment means; `None` if it means none here.
    pub(crate) fn reference_of<'a>(&'a self, env: &'a str) -> Option<&'a str> {
        if let Some(all) = &self.all_saltenvs {
            return Some(all);
        }
        if env == "base" {
            return Some(&self.base);
        }
        let own = self.per_env(env, |e| e.reference.as_ref());
        if self.disable_saltenv_mapping { own } else { own.or(Some(env)) }
    }

    /// Whether the lists let an environment through.
    pub(crate) fn exposes(&self, env: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|expr| brine_core::target::expr_match(env, expr));
        (self.blacklist.is_empty() || !listed(&self.blacklist))
            && (self.whitelist.is_empty() || listed(&self.whitelist))
    }
}
