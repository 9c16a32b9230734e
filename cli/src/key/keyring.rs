//! Where keys are and what can be done to them: in the directories of this host ([`super::here`]), or behind a master
//! that one has to prove oneself to ([`super::remote`]).

use super::store::{Keys, Status};
use crate::exit::Result;
use brine_core::target::fnmatch;
use brine_protocol::{Map, Value};

/// What may be done to keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Accept,
    Reject,
    Delete,
}

impl Verb {
    /// As events and functions name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Delete => "delete",
        }
    }

    /// The state of keys that it was done to.
    pub(super) fn makes(self) -> Status {
        if self == Self::Accept { Status::Accepted } else { Status::Rejected }
    }

    /// As it is told when it was done.
    pub(super) fn past(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Reject => "rejected",
            Self::Delete => "deleted",
        }
    }
}

/// A master's keys.
pub(super) trait Keyring {
    /// Minions' keys of every state.
    fn minions(&self) -> Result<Keys>;
    /// The texts of keys that match, by state and name.
    fn print(&self, pattern: &str) -> Result<Map>;
    /// The fingerprints of keys that match, the master's own included.
    fn finger(&self, pattern: &str) -> Result<Map>;
    /// Does it to these keys, and gives the names that were no keys.
    fn change(&self, verb: Verb, keys: &Keys) -> Result<Vec<String>>;
}

/// The keys that match a glob, or any of a comma-separated list of globs; states without a match are left out.
pub(super) fn matching(keys: Keys, pattern: &str) -> Keys {
    let globs: Vec<&str> = pattern.split(',').collect();
    keys.into_iter()
        .map(|(s, names)| {
            (s, names.into_iter().filter(|n| globs.iter().any(|g| fnmatch(n, g))).collect::<Vec<_>>())
        })
        .filter(|(_, names)| !names.is_empty())
        .collect()
}

/// Names by state, as outputters want them.
pub(super) fn as_lists(keys: &Keys) -> Map {
    keys.iter().map(|(status, names)| (status.dir(), Value::from(names.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_globs_match_and_empty_states_vanish() {
        let keys = vec![
            (Status::Accepted, vec!["db1".to_owned(), "web1".to_owned()]),
            (Status::Pending, vec!["cache".to_owned()]),
        ];
        let found = matching(keys, "web*,db?");
        assert_eq!(found, vec![(Status::Accepted, vec!["db1".to_owned(), "web1".to_owned()])]);
    }
}
