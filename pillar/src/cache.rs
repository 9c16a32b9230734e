//! Compiled pillar, kept by a master for a while where it is told to (`pillar_cache`): for each minion, by pillar environment.
//!
//! What was compiled of another revision of an inventory is not given any more. In memory it lasts as long as the process. On disk it is encrypted, and other processes see it.

use brine_core::{Map, Opts, Value, map};
use brine_protocol::ids::MinionId;
use brine_protocol::msgpack::{Dialect, decode, encode_map};
use brine_store::Seal;
use brine_store::fs::Dir;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

/// Largest file that is read.
const MOST: u64 = 64 << 20;

/// The cache as the options say.
#[derive(Debug)]
pub struct PillarCache {
    ttl: Duration,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory(Mutex<HashMap<String, Kept>>),
    Disk { dir: Dir, seal: Box<Seal> },
}

/// What is kept of one minion: when the last of it was compiled, of which inventories, and pillar by environment (`None` for none).
#[derive(Clone, Debug)]
struct Kept {
    at: SystemTime,
    mark: String,
    pillars: Map,
}

impl PillarCache {
    /// None where there is to be no cache.
    pub fn of(opts: &Opts) -> Option<Self> {
        if !opts.flag("pillar_cache") {
            return None;
        }
        let place = match opts.str("pillar_cache_backend") {
            "memory" => Place::Memory(Mutex::default()),
            "disk" => Place::Disk {
                dir: Dir::at(opts.path("cachedir").join("pillar_cache")),
                seal: Box::new(Seal::at(&opts.path("pki_dir"))),
            },
            other => {
                tracing::error!(
                    "pillar_cache_backend {other:?} is neither disk nor memory; pillar is not cached"
                );
                return None;
            }
        };
        let ttl = opts.int("pillar_cache_ttl").and_then(|secs| u64::try_from(secs).ok()).unwrap_or(0);
        Some(Self { ttl: Duration::from_secs(ttl), place })
    }

    fn kept(&self, id: &str) -> Option<Kept> {
        let kept = match &self.place {
            Place::Memory(all) => all.lock().get(id).cloned()?,
            Place::Disk { dir, seal } => {
                let id = MinionId::parse(id).ok()?;
                let plain = seal.open(id.as_str(), &dir.read(id.as_str(), MOST).ok()??)?;
                let Value::Map(mut file) = decode(&plain).ok()? else { return None };
                let secs = file.get("at").and_then(Value::as_float)?;
                let at = SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(secs).ok()?;
                let Some(Value::Map(pillars)) = file.remove("pillars") else { return None };
                let mark = file.get_str("mark").unwrap_or_default().to_owned();
                Kept { at, mark, pillars }
            }
        };
        let age = SystemTime::now().duration_since(kept.at).ok()?;
        (age <= self.ttl).then_some(kept)
    }

    /// What is kept of a minion for a pillar environment, whatever it was compiled of.
    pub fn show(&self, id: &str, pillarenv: Option<&str>) -> Option<Map> {
        self.kept(id)?.pillars.remove_key(&key(pillarenv)).and_then(|pillar| match pillar {
            Value::Map(pillar) => Some(pillar),
            _ => None,
        })
    }

    /// What is kept of a minion for a pillar environment, if it was compiled of inventories with this mark.
    pub fn get(&self, id: &str, pillarenv: Option<&str>, mark: &str) -> Option<Map> {
        self.kept(id).filter(|kept| kept.mark == mark)?;
        self.show(id, pillarenv)
    }

    /// Whether anything is kept of a minion, for whatever environment.
    pub fn has(&self, id: &str) -> bool {
        self.kept(id).is_some_and(|kept| !kept.pillars.is_empty())
    }

    /// Keeps a pillar, which was compiled of inventories with this mark.
    pub fn put(&self, id: &str, pillarenv: Option<&str>, mark: &str, pillar: &Map) {
        let kept = self.kept(id).filter(|kept| kept.mark == mark);
        let mut pillars = kept.map(|kept| kept.pillars).unwrap_or_default();
        pillars.insert(key(pillarenv), pillar.clone());
        let kept = Kept { at: SystemTime::now(), mark: mark.to_owned(), pillars };
        let done = match &self.place {
            Place::Memory(all) => {
                all.lock().insert(id.to_owned(), kept);
                Ok(())
            }
            Place::Disk { dir, seal } => write(dir, seal, id, kept),
        };
        if let Err(e) = done {
            tracing::error!("cannot cache the pillar of {id}: {e}");
        }
    }

    /// Forgets what is kept of a minion.
    pub fn clear(&self, id: &str) {
        match &self.place {
            Place::Memory(all) => drop(all.lock().remove(id)),
            Place::Disk { dir, .. } => {
                if MinionId::parse(id).is_ok()
                    && let Err(e) = dir.remove(id)
                {
                    tracing::error!("cannot clear the cached pillar of {id}: {e}");
                }
            }
        }
    }
}

fn write(dir: &Dir, seal: &Seal, id: &str, kept: Kept) -> std::io::Result<()> {
    let id = MinionId::parse(id).map_err(|e| std::io::Error::other(e.to_string()))?;
    let at = kept.at.duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
    let plain = encode_map(&map! {"at" => at, "mark" => kept.mark, "pillars" => kept.pillars}, Dialect::New);
    dir.ensure_exactly(0o700)?;
    dir.write(id.as_str(), &seal.close(id.as_str(), &plain)?, 0o600)
}

fn key(pillarenv: Option<&str>) -> Value {
    pillarenv.map_or(Value::Nil, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opts(dir: &std::path::Path, more: Map) -> Opts {
        let path = |name: &str| dir.join(name).to_string_lossy().into_owned();
        std::fs::create_dir_all(dir.join("pki")).unwrap();
        std::fs::create_dir_all(dir.join("cache")).unwrap();
        let mut opts = map! {
            "pillar_cache" => true, "pillar_cache_backend" => "disk", "pillar_cache_ttl" => 3600,
            "cachedir" => path("cache"), "pki_dir" => path("pki"),
        };
        opts.update(more);
        Opts::new(opts)
    }

    #[test]
    fn pillar_is_kept_by_minion_and_environment() {
        let dir = tempfile::tempdir().unwrap();
        assert!(PillarCache::of(&opts(dir.path(), map! {"pillar_cache" => false})).is_none());
        assert!(PillarCache::of(&opts(dir.path(), map! {"pillar_cache_backend" => "x"})).is_none());
        for backend in ["memory", "disk"] {
            let opts = opts(dir.path(), map! {"pillar_cache_backend" => backend});
            let cache = PillarCache::of(&opts).unwrap();
            assert_eq!(cache.get("m1", None, ""), None);
            cache.put("m1", None, "", &map! {"password" => "hunter2"});
            cache.put("m1", Some("dev"), "", &map! {"a" => 2});
            assert_eq!(cache.get("m1", None, ""), Some(map! {"password" => "hunter2"}));
            assert_eq!(cache.get("m1", Some("dev"), ""), Some(map! {"a" => 2}));
            assert_eq!((cache.get("m1", Some("qa"), ""), cache.get("m2", None, "")), (None, None));
            let other = PillarCache::of(&opts).unwrap().get("m1", None, "");
            assert_eq!(other.is_some(), backend == "disk", "only a disk is shared");
            let file = dir.path().join("cache/pillar_cache/m1");
            if backend == "disk" {
                let bytes = std::fs::read(&file).unwrap();
                assert!(!bytes.windows(7).any(|w| w == b"hunter2"));
            }
            assert_eq!(cache.get("m1", None, "r2"), None, "of another inventory");
            cache.put("m1", Some("dev"), "r2", &map! {"a" => 3});
            assert_eq!(cache.get("m1", Some("dev"), "r2"), Some(map! {"a" => 3}));
            assert_eq!((cache.get("m1", None, "r2"), cache.get("m1", None, "")), (None, None));
            assert!(cache.has("m1"));
            cache.clear("m1");
            assert_eq!((cache.get("m1", None, ""), cache.has("m1"), file.exists()), (None, false, false));
        }
    }

    #[test]
    fn nothing_is_kept_longer_than_told() {
        let dir = tempfile::tempdir().unwrap();
        let cache = PillarCache::of(&opts(dir.path(), map! {"pillar_cache_ttl" => 0})).unwrap();
        cache.put("m1", None, "", &Map::new());
        let past = |cache: &PillarCache| cache.get("m1", None, "").is_none();
        let end = SystemTime::now() + Duration::from_secs(5);
        while !past(&cache) && SystemTime::now() < end {
            std::thread::yield_now();
        }
        assert!(past(&cache));
    }
}
