//! Which unknown keys are accepted or rejected without an operator. Only answers yes or no; the handshake decides what
//! follows from it.
//!
//! `autosign_grains` are claims of a peer that nobody has authenticated: whoever knows a listed value is accepted.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use brine_protocol::Map;
use brine_protocol::auth::autosign::{FileMode, file_lists, grain_file_lists, stub_expired};
use brine_protocol::ids::MinionId;

use crate::fs::Dir;

/// No list of patterns is longer; a longer file is ignored with a warning.
const LONGEST: u64 = 4 << 20;

/// What is accepted and rejected by itself.
#[derive(Clone, Debug)]
pub struct AutoKeyConfig {
    /// Accept every key (`auto_accept`).
    pub auto_accept: bool,
    /// File of patterns of ids to accept (`autosign_file`).
    pub autosign_file: Option<PathBuf>,
    /// File of patterns of ids to reject (`autoreject_file`).
    pub autoreject_file: Option<PathBuf>,
    /// Directory with one file per grain, each line an allowed value (`autosign_grains_dir`).
    pub autosign_grains_dir: Option<PathBuf>,
    /// Directory of one-shot files named as ids (`pki_dir/minions_autosign`).
    pub stubs: Dir,
    /// Minutes after which a one-shot file no longer counts (`autosign_timeout`); 0: never.
    pub stub_timeout: u64,
    /// Whether files that their group may write count (`permissive_pki_access`).
    pub permissive: bool,
    /// Groups of the master's user, for files that their group may write.
    pub groups: Vec<u32>,
}

/// The judge.
#[derive(Clone, Debug)]
pub struct AutoKey {
    config: AutoKeyConfig,
}

impl AutoKey {
    /// A judge by these rules.
    pub fn new(config: AutoKeyConfig) -> Self {
        Self { config }
    }

    /// Whether the key of `id` is rejected by itself.
    pub fn rejects(&self, id: &MinionId) -> bool {
        self.config.autoreject_file.as_deref().is_some_and(|file| self.listed(id, file))
    }

    /// Whether the key of `id` is accepted by itself. A one-shot file for `id` is used up by asking, whatever becomes
    /// of the key afterwards.
    pub fn accepts(&self, id: &MinionId, claimed_grains: Option<&Map>) -> bool {
        self.config.auto_accept
            || self.config.autosign_file.as_deref().is_some_and(|file| self.listed(id, file))
            || self.take_stub(id)
            || claimed_grains.is_some_and(|grains| self.grain_listed(grains))
    }

    fn listed(&self, id: &MinionId, file: &Path) -> bool {
        self.content(file).is_some_and(|text| file_lists(&text, id))
    }

    /// The text of a file that only the right people could have written.
    fn content(&self, file: &Path) -> Option<String> {
        let meta = fs::metadata(file).ok()?;
        let mode = FileMode {
            mode: meta.mode(),
            own_group: self.config.groups.contains(&meta.gid()),
            root: nix::unistd::Uid::effective().is_root(),
            permissive: self.config.permissive,
        };
        if !meta.is_file() || meta.len() > LONGEST || !mode.trusted() {
            tracing::warn!("Wrong permissions for {}, ignoring content", file.display());
            return None;
        }
        fs::read_to_string(file).ok()
    }

    fn take_stub(&self, id: &MinionId) -> bool {
        let stubs = &self.config.stubs;
        let now = seconds(SystemTime::now());
        for name in stubs.names().unwrap_or_default() {
            let written = stubs.modified(&name).map_or(now, seconds);
            if stub_expired(written, now, self.config.stub_timeout) {
                tracing::warn!("Autosign keyid expired {name}");
                let _ = stubs.remove(&name);
            }
        }
        stubs.has(id.as_str()) && stubs.remove(id.as_str()).unwrap_or(false)
    }

    fn grain_listed(&self, grains: &Map) -> bool {
        let Some(dir) = &self.config.autosign_grains_dir else { return false };
        let dir = Dir::at(dir);
        // The files are listed and looked up among the claims, never the other way round.
        dir.names().unwrap_or_default().iter().any(|grain| {
            let Some(claim) = grains.get(grain) else { return false };
            self.content(&dir.path().join(grain)).is_some_and(|text| grain_file_lists(&text, claim))
        })
    }
}

fn seconds(t: SystemTime) -> u64 {
    t.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::{Value, map};
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    fn judge(tmp: &Path, change: impl FnOnce(&mut AutoKeyConfig)) -> AutoKey {
        let mut config = AutoKeyConfig {
            auto_accept: false,
            autosign_file: None,
            autoreject_file: None,
            autosign_grains_dir: None,
            stubs: Dir::at(tmp.join("minions_autosign")),
            stub_timeout: 120,
            permissive: false,
            groups: vec![],
        };
        fs::create_dir_all(config.stubs.path()).unwrap();
        change(&mut config);
        AutoKey::new(config)
    }

    fn id(text: &str) -> MinionId {
        MinionId::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_is_a_glob_or_a_whole_regular_expression() {
        let tmp = tempfile::tempdir().unwrap();
        let file = tmp.path().join("autosign.conf");
        fs::write(&file, "# web*\n web*.example \n\ndb[0-9]+\\.x\n").unwrap();
        let judge = judge(tmp.path(), |c| c.autosign_file = Some(file.clone()));
        assert!(judge.accepts(&id("web1.example"), None));
        assert!(judge.accepts(&id("db12.x"), None));
        for no in ["web1", "db.x", "xdb1.x", "db1.xy", "# web*"] {
            assert!(!judge.accepts(&id(no), None), "{no}");
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).unwrap();
        assert!(!judge.accepts(&id("web1.example"), None), "world-writable files do not count");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
        assert!(!judge.accepts(&id("web1.example"), None), "nor group-writable ones");
    }

    #[test]
    fn a_stub_works_once_and_grows_old() {
        let tmp = tempfile::tempdir().unwrap();
        let judge = judge(tmp.path(), |_| ());
        let stub = tmp.path().join("minions_autosign/m1");
        fs::write(&stub, "").unwrap();
        assert!(judge.accepts(&id("m1"), None));
        assert!(!judge.accepts(&id("m1"), None));
        fs::write(&stub, "").unwrap();
        let old = SystemTime::now() - Duration::from_secs(7300);
        fs::File::options().write(true).open(&stub).unwrap().set_modified(old).unwrap();
        assert!(!judge.accepts(&id("m1"), None));
        assert!(!stub.exists());
    }

    #[test]
    fn grains_are_claims_against_lists() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("grains");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("uuid"), "#no\nabc\n42\n").unwrap();
        let judge = judge(tmp.path(), |c| c.autosign_grains_dir = Some(dir));
        let claims = |v: Value| map! {"uuid" => v, "../../etc/passwd" => "root"};
        assert!(judge.accepts(&id("m"), Some(&claims("abc".into()))));
        assert!(judge.accepts(&id("m"), Some(&claims(42.into()))));
        for no in [Value::from("ab"), Value::Nil, Value::from(""), Value::from("#no")] {
            assert!(!judge.accepts(&id("m"), Some(&claims(no))));
        }
    }
}
