//! Keys in the directories of this host.

use super::after;
use super::keyring::{Keyring, Verb, matching};
use super::store::{KeyStore, Keys, Status};
use crate::exit::Result;
use brine_core::Opts;
use brine_protocol::crypt::{HashType, PublicKey, pem_finger};
use brine_protocol::{Map, Value};

/// The keys of the master on this host.
pub(super) struct Here {
    pub(super) store: KeyStore,
    pub(super) opts: Opts,
    /// Deleting and rejecting makes the master change its session key.
    pub(super) rotate: bool,
    /// What the master has cached of deleted minions is kept.
    pub(super) preserve: bool,
}

impl Here {
    fn each(&self, keys: Keys, each: impl Fn(Status, &str) -> Result<Value>) -> Result<Map> {
        let mut data = Map::new();
        for (status, names) in keys {
            let mut inner = Map::new();
            for name in names {
                let shown = each(status, &name)?;
                inner.insert(name, shown);
            }
            data.insert(status.dir(), inner);
        }
        Ok(data)
    }

    /// Does it to one key. False: the key was not there any more.
    fn apply(&self, verb: Verb, status: Status, name: &str) -> Result<bool> {
        match verb {
            Verb::Accept | Verb::Reject => self.store.transfer(status, verb.makes(), name),
            Verb::Delete => self.store.remove(status, name),
        }
    }

    /// What follows the loss of keys.
    fn clean_up(&self, verb: Verb, keys: &Keys) -> Result {
        if !self.opts.flag("preserve_minion_cache") {
            let deleted = keys.iter().filter(|(s, _)| verb == Verb::Delete && *s == Status::Accepted);
            let kept: Vec<&String> = deleted.filter(|_| self.preserve).flat_map(|(_, names)| names).collect();
            after::drop_caches(&self.opts, &self.store, &kept)?;
        }
        if self.rotate {
            after::ask_for_new_session_key(&self.opts)?;
        }
        Ok(())
    }
}

impl Keyring for Here {
    fn minions(&self) -> Result<Keys> {
        self.store.minions()
    }

    fn print(&self, pattern: &str) -> Result<Map> {
        let found = matching(self.store.minions()?, pattern);
        self.each(found, |status, name| Ok(Value::from(self.store.read(status, name)?)))
    }

    fn finger(&self, pattern: &str) -> Result<Map> {
        let hash = HashType::parse(self.opts.str("hash_type")).unwrap_or(HashType::Sha256);
        let found = matching(self.store.all()?, pattern);
        self.each(found, |status, name| Ok(pem_finger(&self.store.read(status, name)?, hash).into()))
    }

    fn change(&self, verb: Verb, keys: &Keys) -> Result<Vec<String>> {
        let mut changed = Vec::new();
        let mut invalid = Vec::new();
        for (status, names) in keys {
            for name in names {
                if verb == Verb::Accept && PublicKey::from_pem(&self.store.read(*status, name)?).is_err() {
                    invalid.push(name.clone());
                } else if self.apply(verb, *status, name)? {
                    changed.push(name.clone());
                }
            }
        }
        after::tell_master(&self.opts, verb.name(), &changed)?;
        if verb != Verb::Accept {
            self.clean_up(verb, keys)?;
        }
        Ok(invalid)
    }
}
