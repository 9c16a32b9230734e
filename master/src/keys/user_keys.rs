//! The keys by which local users prove who they are: `cachedir/.<user>_key`, one per user that may publish.
//!
//! A file only its owner reads holds a random text; whoever sends that text has read the file. As in stock 3006 all are
//! made anew at each start.

use std::io;

use brine_core::auth_rules::user_matches;
use brine_protocol::crypt::AesKey;
use nix::unistd::{Uid, User, chown};

use crate::fs::Dir;

/// Which users get a key.
#[derive(Clone, Debug)]
pub struct UserKeysConfig {
    /// Where the files lie (`cachedir`).
    pub dir: Dir,
    /// The master's own user (`user`).
    pub master_user: String,
    /// Further users: the names in `publisher_acl`.
    pub acl_users: Vec<String>,
    /// Whether to skip names that are no user of this system, and to look for users that match a pattern
    /// (`client_acl_verify`).
    pub verify: bool,
}

/// The keys that were made at start.
pub struct UserKeys {
    keys: Vec<(String, AesKey)>,
}

impl std::fmt::Debug for UserKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(user, _)| user)).finish()
    }
}

impl UserKeys {
    /// Makes a key for each user and writes its file, owned by that user when we may.
    ///
    /// # Errors
    /// When a file cannot be written; the master cannot be used then.
    pub fn create(config: &UserKeysConfig) -> io::Result<Self> {
        let mut users = vec![config.master_user.clone()];
        if let Ok(Some(me)) = User::from_uid(Uid::effective()) {
            users.push(me.name);
        }
        let local = if config.verify { local_users() } else { Vec::new() };
        for name in &config.acl_users {
            // A name with a dot may be an expression too.
            if !name.contains(|c: char| c.is_control() || "*?[](){}^$|\\+/%".contains(c)) {
                users.push(name.clone());
            }
            users.extend(local.iter().filter(|user| user_matches(name, user)).cloned());
        }
        let mut keys: Vec<(String, AesKey)> = Vec::new();
        for user in users {
            if user.is_empty() || keys.iter().any(|(u, _)| *u == user) {
                continue;
            }
            let entry = User::from_name(&user).ok().flatten();
            if entry.is_none() && config.verify && user != config.master_user {
                tracing::warn!(user, "publisher_acl names a user that does not exist");
                continue;
            }
            let key = AesKey::generate().map_err(io::Error::other)?;
            let name = format!(".{user}_key");
            config.dir.write(&name, key.reveal().as_bytes(), 0o600)?;
            if let Some(entry) = entry {
                // Only root may give files away; without that right the user simply cannot read his key.
                let _ = chown(&config.dir.path().join(&name), Some(entry.uid), None);
            }
            keys.push((user, key));
        }
        Ok(Self { keys })
    }

    /// The user whose key this is. Compares with every key, each in constant time.
    pub fn owner_of(&self, presented: &[u8]) -> Option<&str> {
        use subtle::ConstantTimeEq;
        let mut found = None;
        for (user, key) in &self.keys {
            if bool::from(key.reveal().as_bytes().ct_eq(presented)) {
                found = Some(user.as_str());
            }
        }
        found
    }
}

/// Names of the users in the system's own table. Directory services are not asked: they may hold thousands.
fn local_users() -> Vec<String> {
    let text = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    text.lines().filter_map(|l| l.split_once(':')).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_owner_and_nothing_else_does() {
        let tmp = tempfile::tempdir().unwrap();
        let config = UserKeysConfig {
            dir: Dir::at(tmp.path()),
            master_user: "root".into(),
            acl_users: vec!["nobody".into(), "no-such-user-here".into()],
            verify: true,
        };
        let keys = UserKeys::create(&config).unwrap();
        let root = std::fs::read(tmp.path().join(".root_key")).unwrap();
        let nobody = std::fs::read(tmp.path().join(".nobody_key")).unwrap();
        assert_eq!(root.len(), 76);
        assert_eq!(keys.owner_of(&root), Some("root"));
        assert_eq!(keys.owner_of(&nobody), Some("nobody"));
        assert_eq!(keys.owner_of(b""), None);
        assert_eq!(keys.owner_of(&root[..75]), None);
        assert!(!tmp.path().join(".no-such-user-here_key").exists());
        assert_eq!(config.dir.mode(".root_key").unwrap() & 0o7777, 0o600);
        assert_eq!(format!("{keys:?}"), r#"["root", "nobody"]"#);
    }

    #[test]
    fn users_may_be_named_by_expressions() {
        let made = |names: &[&str], verify: bool| {
            let tmp = tempfile::tempdir().unwrap();
            let config = UserKeysConfig {
                dir: Dir::at(tmp.path()),
                master_user: "root".into(),
                acl_users: names.iter().map(|n| (*n).to_owned()).collect(),
                verify,
            };
            let keys = UserKeys::create(&config).unwrap().keys;
            keys.into_iter()
                .map(|(user, _)| user)
                .filter(|u| ["nobody", "daemon"].contains(&u.as_str()))
                .count()
        };
        assert_eq!(made(&["^no.*y$", "daem.n"], true), 1, "a name with a dot is a name");
        assert_eq!(made(&["dae*"], true), 1);
        assert_eq!(made(&["^(?!sudo_).*$"], true), 2);
        assert_eq!(made(&["^no.*y$", "a/b", "ops%"], false), 0);
    }
}
