//! External authentication: names and passwords that somebody else vouches for, and tokens in their place.
//!
//! A [`Backend`] answers three questions: is the password right, which groups is the user in, and (for directories) what
//! does a rule mean that names a part of the directory. Backends are plain blocking code; [`Service`] runs them aside,
//! bounded in number and time, and makes all failures take about the same time. What a user may do is not decided
//! here: `access` holds the rules of his section of `external_auth` against what he asks for.
//!
//! To add a backend: a file with a `pub(super) const BACKEND: Backend`, and a line in [`BACKENDS`].

mod auto;
mod config;
mod crypt;
mod file;
mod ldap;
mod level;
mod pam;
mod pool;
mod service;
#[cfg(test)]
mod tests;

use std::time::Duration;

use brine_protocol::{Map, Value};

pub use brine_core::Secret;
pub use brine_store::tokens::{Tokens, valid_token};
pub use config::{EauthConfig, Override, Section};
pub use service::{Proved, Service};

/// One way to have a name and a password checked.
#[derive(Debug)]
pub struct Backend {
    /// Its name in `external_auth` and in requests (`eauth`).
    pub name: &'static str,
    /// What it asks, in one line.
    pub doc: &'static str,
    /// What is wrong with its options, if anything: said in the log when the master starts.
    pub check: fn(&Settings) -> Result<(), String>,
    /// Whether name and password belong together. Blocks.
    pub auth: fn(&Settings, &Login) -> Result<(), Failure>,
    /// The groups the user is in, asked only after [`Backend::auth`] said yes. Blocks.
    pub groups: fn(&Settings, &Login) -> Result<Vec<String>, Failure>,
    /// A user's rules with what only the backend understands put in terms of minions. Blocks.
    pub expand: fn(&Settings, Vec<Value>) -> Result<Vec<Value>, Failure>,
}

/// All of them.
pub const BACKENDS: &[&Backend] = &[&auto::BACKEND, &file::BACKEND, &ldap::BACKEND, &pam::BACKEND];

/// Stock's other backends, which do not exist here: naming one is an error that says so.
pub const ABSENT: &[&str] = &[
    "django",
    "keystone",
    "mysql",
    "pki",
    "rest",
    "sharedsecret",
    "sharedsecret_auth",
    "stormpath",
    "yubico",
];

/// The options a backend works with.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The entries of its section of `external_auth` that begin with `^`, without that sign.
    pub own: Map,
    /// The options `auth.<backend>.<name>`, by name.
    pub auth: Map,
}

/// What somebody says who he is.
#[derive(Clone, Debug)]
pub struct Login {
    /// The backend's name.
    pub eauth: String,
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// Longest name and password that are looked at.
const MAX_TEXT: usize = 1024;

impl Login {
    /// Takes `eauth`, `username` and `password` out of a request. None if they are not all there as text of possible
    /// length; a name must have a character, and no control characters.
    pub fn take(load: &mut Map) -> Option<Self> {
        let (eauth, username) = (load.remove("eauth"), load.remove("username"));
        let password = load.remove("password");
        let text = |value: Option<Value>| match value {
            Some(Value::Str(text)) if text.len() <= MAX_TEXT => Some(text),
            _ => None,
        };
        let password = Secret::new(text(password)?);
        let (eauth, username) = (text(eauth)?, text(username)?);
        let good = !username.is_empty() && !username.chars().any(char::is_control);
        good.then_some(Self { eauth, username, password })
    }
}

/// Why a backend says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Name and password do not belong together, or the account may not be used.
    #[error("{what}")]
    Refused {
        /// For the log; the caller learns nothing of it.
        what: String,
        /// How long the refusal should take at least.
        delay: Duration,
    },
    /// The backend cannot answer: wrong options, or a server that is not there.
    #[error("{0}")]
    Broken(String),
}

impl Failure {
    /// A refusal that takes no time of its own.
    pub(crate) fn refused(what: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), delay: Duration::ZERO }
    }
}

/// For backends that know no groups.
fn no_groups(_: &Settings, _: &Login) -> Result<Vec<String>, Failure> {
    Ok(Vec::new())
}

/// For backends whose rules mean what they say.
fn as_they_stand(_: &Settings, rules: Vec<Value>) -> Result<Vec<Value>, Failure> {
    Ok(rules)
}
