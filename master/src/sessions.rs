//! Session keys: one per minion, for its requests and their replies, kept in `cachedir/sessions/<id>` so that they
//! outlive a restart.
//!
//! A key is made only for a minion that has just authenticated; asking for the key of an unknown id makes nothing. It
//! belongs to the minion's public key, and ends when another one stands in its place, however that came there.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::time::{Duration, SystemTime};

use brine_protocol::crypt::AesKey;
use brine_protocol::ids::MinionId;
use parking_lot::Mutex;

use crate::fs::Dir;
use crate::keys::KeyMark;

/// The session keys. Those in use are held in memory; their number is bounded by the accepted keys.
#[derive(Debug)]
pub struct Sessions {
    dir: Dir,
    life: Duration,
    known: Mutex<HashMap<MinionId, Session>>,
}

#[derive(Clone, Debug)]
struct Session {
    key: AesKey,
    born: SystemTime,
    of: KeyMark,
}

impl Sessions {
    /// Keys below `dir` that live for `life` (`publish_session`); zero: for ever.
    pub fn at(dir: Dir, life: Duration) -> Self {
        Self { dir, life, known: Mutex::default() }
    }

    /// When the key of this minion ends. Up to a tenth earlier than configured, each minion at another time, so that a
    /// fleet that came up together does not authenticate again together.
    fn over(&self, id: &MinionId, born: SystemTime, now: SystemTime) -> bool {
        if self.life.is_zero() {
            return false;
        }
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let early = self.life / 1000 * u32::try_from(hasher.finish() % 100).unwrap_or(0);
        now.duration_since(born).is_ok_and(|age| age >= self.life - early)
    }

    /// The key of a minion, if it has one that is still good. `of` is the accepted key that is there now; `fits` says
    /// whether a session that was kept over a restart was made for that one.
    pub fn get(&self, id: &MinionId, of: KeyMark, fits: bool) -> Option<AesKey> {
        let now = SystemTime::now();
        let mut known = self.known.lock();
        let session = known.get(id).cloned().or_else(|| self.kept(id, of))?;
        if session.of != of || !fits {
            tracing::info!("the key of {id} is another one than before: its session ends");
            known.remove(id);
            let _ = self.dir.remove(id.as_str());
            return None;
        }
        if self.over(id, session.born, now) {
            return None;
        }
        let key = session.key.clone();
        known.entry(id.clone()).or_insert(session);
        Some(key)
    }

    /// A session from before the start, or of stock's master.
    fn kept(&self, id: &MinionId, of: KeyMark) -> Option<Session> {
        let born = self.dir.modified(id.as_str())?;
        let key = AesKey::parse(&self.dir.read(id.as_str(), 256).ok()??).ok()?;
        Some(Session { key, born, of })
    }

    /// The key of a minion that has just authenticated with the key `of`, made anew if there is no good one. `fits` as
    /// for [`Sessions::get`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn ensure(&self, id: &MinionId, of: KeyMark, fits: bool) -> io::Result<AesKey> {
        if let Some(key) = self.get(id, of, fits) {
            return Ok(key);
        }
        let key = AesKey::generate().map_err(io::Error::other)?;
        self.dir.write(id.as_str(), key.reveal().as_bytes(), 0o600)?;
        let session = Session { key: key.clone(), born: SystemTime::now(), of };
        self.known.lock().insert(id.clone(), session);
        Ok(key)
    }

    /// Ends the session of a minion whose key is gone.
    pub fn end(&self, id: &MinionId) {
        self.known.lock().remove(id);
        let _ = self.dir.remove(id.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(tmp: &std::path::Path, life: u64) -> Sessions {
        Sessions::at(Dir::at(tmp), Duration::from_secs(life))
    }

    #[test]
    fn keys_outlive_a_restart_and_asking_makes_none() {
        let tmp = tempfile::tempdir().unwrap();
        let id = MinionId::parse("m1").unwrap();
        let first = sessions(tmp.path(), 86400);
        assert!(first.get(&id, KeyMark::of("k"), true).is_none());
        assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0);
        let key = first.ensure(&id, KeyMark::of("k"), true).unwrap();
        assert!(first.ensure(&id, KeyMark::of("k"), true).unwrap() == key);
        let again = sessions(tmp.path(), 86400);
        assert!(again.get(&id, KeyMark::of("k"), true).unwrap() == key);
        again.end(&id);
        assert!(again.get(&id, KeyMark::of("k"), true).is_none() && !tmp.path().join("m1").exists());
    }

    #[test]
    fn a_session_is_of_one_key_alone() {
        let tmp = tempfile::tempdir().unwrap();
        let id = MinionId::parse("m1").unwrap();
        let (old, new) = (KeyMark::of("old"), KeyMark::of("new"));
        let all = sessions(tmp.path(), 1000);
        let first = all.ensure(&id, old, true).unwrap();
        assert!(all.get(&id, new, true).is_none() && all.get(&id, old, true).is_none());
        let second = all.ensure(&id, new, true).unwrap();
        assert!(second != first);
        // After a restart only what was kept of the key can tell.
        assert!(sessions(tmp.path(), 1000).get(&id, new, true).unwrap() == second);
        assert!(sessions(tmp.path(), 1000).ensure(&id, old, false).unwrap() != second);
    }

    #[test]
    fn old_keys_are_replaced_each_at_its_own_time() {
        let tmp = tempfile::tempdir().unwrap();
        let all = sessions(tmp.path(), 1000);
        let now = SystemTime::now();
        let over_at = |id: &str| {
            let id = MinionId::parse(id).unwrap();
            (880..=1001).find(|age| all.over(&id, now - Duration::from_secs(*age), now)).unwrap()
        };
        let times: Vec<u64> = (0..20).map(|n| over_at(&format!("m{n}"))).collect();
        assert!(times.iter().all(|t| (900..=1000).contains(t)), "{times:?}");
        assert!(times.iter().any(|t| *t != times[0]));

        let id = MinionId::parse("m1").unwrap();
        let key = all.ensure(&id, KeyMark::of("k"), true).unwrap();
        let file = std::fs::File::options().write(true).open(tmp.path().join("m1")).unwrap();
        file.set_modified(now - Duration::from_secs(1001)).unwrap();
        let later = sessions(tmp.path(), 1000);
        assert!(later.get(&id, KeyMark::of("k"), true).is_none());
        assert!(later.ensure(&id, KeyMark::of("k"), true).unwrap() != key);
    }
}
