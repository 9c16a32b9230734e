//! What minions told about themselves: grains, the pillar they were given, and their mine; on disk in stock's layout.
//!
//! Pillar is encrypted there, since it holds secrets: in its place stands a dict with [`SEALED`]. What is in the clear, as stock's
//! master writes it, is read too.
//!
//! Also the fleet as the target matchers see it. Grains are claims of the minion they belong to and of nobody else.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brine_core::target::{Fleet, FleetData};
use brine_protocol::ids::MinionId;
use brine_protocol::msgpack::{Dialect, decode, encode_map};
use brine_protocol::{Map, Value, map};
use parking_lot::Mutex;

use crate::fs::Dir;
use crate::keys::{KeyState, KeyStore};
use crate::seal::Seal;

/// Largest file read back: earlier versions wrote larger ones than [`MOST`].
const LARGEST: u64 = 64 << 20;
/// Bytes of one kind of data of one minion. A minion says itself what is in it, so this is what it can fill.
const MOST: usize = 16 << 20;
/// Bytes of files whose content is kept decoded in memory.
const MEMORY: u64 = 16 << 20;

/// The key that stands for an encrypted pillar.
const SEALED: &str = "__sealed__";

/// Options of cached minion data.
#[derive(Clone, Debug)]
pub struct DataConfig {
    /// `cachedir`
    pub cachedir: std::path::PathBuf,
    /// `minion_data_cache`
    pub enabled: bool,
    /// `enforce_mine_cache`
    pub mine_always: bool,
    /// `minion_data_cache_events`
    pub events: bool,
    /// Whether 3008's banks are used instead of `minions/<id>/` (`minion_data_layout: 3008`).
    pub banks: bool,
}

impl DataConfig {
    /// As the options say, below `cachedir`.
    pub fn of(opts: &brine_core::Opts, cachedir: std::path::PathBuf) -> Self {
        Self {
            cachedir,
            enabled: opts.flag("minion_data_cache"),
            mine_always: opts.flag("enforce_mine_cache"),
            events: opts.flag("minion_data_cache_events"),
            banks: opts.int("minion_data_layout").is_some_and(|series| series >= 3008),
        }
    }
}

/// The cache of minions' data.
#[derive(Debug)]
pub struct MinionData {
    config: DataConfig,
    root: Dir,
    keys: KeyStore,
    seal: Seal,
    nodegroups: Map,
    decoded: Mutex<Decoded>,
    accepted: Mutex<Option<Accepted>>,
}

/// Decoded files, thrown away together when they get too many.
#[derive(Debug, Default)]
struct Decoded {
    bytes: u64,
    data: HashMap<String, (SystemTime, FleetData)>,
}

/// A list of accepted keys and the state of the directory it was read from.
#[derive(Debug)]
struct Accepted {
    stamp: (i64, i64),
    ids: Arc<Vec<String>>,
}

impl MinionData {
    /// The data below `cachedir`.
    pub fn new(config: DataConfig, keys: KeyStore, nodegroups: Map) -> Self {
        let root = Dir::at(&config.cachedir);
        let seal = Seal::at(keys.root().path());
        Self { config, root, keys, seal, nodegroups, decoded: Mutex::default(), accepted: Mutex::default() }
    }

    /// Whether anything is cached at all.
    pub fn enabled(&self) -> bool {
        self.config.enabled
    }

    /// Directory and name of a kind of data of one minion.
    fn place(&self, id: &str, kind: &str) -> io::Result<(Dir, String)> {
        if self.config.banks {
            Ok((self.root.sub(kind)?, format!("{id}.p")))
        } else {
            Ok((self.root.sub("minions")?.sub(id)?, format!("{kind}.p")))
        }
    }

    fn load(&self, id: &str, kind: &str) -> Option<Value> {
        let (dir, name) = self.place(id, kind).ok()?;
        decode(&dir.read(&name, LARGEST).ok()??).ok()
    }

    /// A pillar as it is kept.
    fn sealed(&self, id: &MinionId, pillar: &Map) -> io::Result<Map> {
        if pillar.is_empty() {
            return Ok(Map::new());
        }
        let sealed = self.seal.close(id.as_str(), &encode_map(pillar, Dialect::New))?;
        Ok(map! {SEALED => Value::Bytes(sealed)})
    }

    /// A pillar as it was kept. Nothing of one that cannot be decrypted.
    fn unsealed(&self, id: &str, kept: Value) -> Value {
        let Some(sealed) = kept.get(SEALED) else { return kept };
        let bytes = match sealed {
            Value::Bytes(bytes) => bytes.as_slice(),
            Value::Str(text) => text.as_bytes(),
            _ => return Map::new().into(),
        };
        let open = self.seal.open(id, bytes).and_then(|plain| decode(&plain).ok());
        open.unwrap_or_else(|| {
            tracing::error!("the cached pillar of {id} was encrypted under another key");
            Map::new().into()
        })
    }

    fn store(&self, id: &MinionId, kind: &str, value: &Map) -> io::Result<()> {
        let bytes = encode_map(value, Dialect::New);
        if bytes.len() > MOST {
            let (is, most) = (bytes.len() >> 20, MOST >> 20);
            let said = format!(
                "{kind} of {is} MiB, more than the {most} MiB that one minion may have; the old one stays"
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, said));
        }
        let (dir, name) = self.place(id.as_str(), kind)?;
        dir.ensure(0o755)?;
        dir.write(&name, &bytes, 0o600)
    }

    /// Keeps grains and pillar of a minion.
    ///
    /// # Errors
    /// As the system has it.
    pub fn put(&self, id: &MinionId, grains: Map, pillar: Map) -> io::Result<()> {
        if !self.config.enabled {
            return Ok(());
        }
        let pillar = self.sealed(id, &pillar)?;
        if self.config.banks {
            self.store(id, "grains", &grains)?;
            self.store(id, "pillar", &pillar)?;
        } else {
            self.store(id, "data", &map! {"grains" => grains, "pillar" => pillar})?;
        }
        self.decoded.lock().data.remove(id.as_str());
        Ok(())
    }

    /// Forgets grains or pillar of a minion, or both; the rest is kept.
    ///
    /// # Errors
    /// As the system has it.
    pub fn clear(&self, id: &MinionId, grains: bool, pillar: bool) -> io::Result<()> {
        self.decoded.lock().data.remove(id.as_str());
        let mut gone: Vec<&str> = Vec::new();
        gone.extend(grains.then_some("grains"));
        gone.extend(pillar.then_some("pillar"));
        if self.config.banks {
            for kind in gone {
                let (dir, name) = self.place(id.as_str(), kind)?;
                dir.remove(&name)?;
            }
            return Ok(());
        }
        let (dir, name) = self.place(id.as_str(), "data")?;
        let Some(Value::Map(mut data)) = self.load(id.as_str(), "data") else { return Ok(()) };
        data.retain(|kind, value| value.truthy() && !kind.as_str().is_some_and(|kind| gone.contains(&kind)));
        if data.is_empty() { dir.remove(&name).map(|_| ()) } else { self.store(id, "data", &data) }
    }

    /// The mine of a minion.
    pub fn mine(&self, id: &str) -> Option<Map> {
        match self.load(id, "mine")? {
            Value::Map(mine) => Some(mine),
            _ => None,
        }
    }

    fn keeps_mine(&self) -> bool {
        self.config.enabled || self.config.mine_always
    }

    /// Adds to the mine of a minion, or replaces it.
    ///
    /// # Errors
    /// As the system has it.
    pub fn put_mine(&self, id: &MinionId, new: Map, clear: bool) -> io::Result<()> {
        if !self.keeps_mine() {
            return Ok(());
        }
        let mut mine = if clear { Map::new() } else { self.mine(id.as_str()).unwrap_or_default() };
        mine.update(new);
        self.store(id, "mine", &mine)
    }

    /// Removes one function from the mine of a minion; false when it has no mine.
    ///
    /// # Errors
    /// As the system has it.
    pub fn drop_mine(&self, id: &MinionId, fun: &str) -> io::Result<bool> {
        if !self.keeps_mine() {
            return Ok(true);
        }
        let Some(mut mine) = self.mine(id.as_str()) else { return Ok(false) };
        if mine.remove(fun).is_some() {
            self.store(id, "mine", &mine)?;
        }
        Ok(true)
    }

    /// Removes the mine of a minion.
    ///
    /// # Errors
    /// As the system has it.
    pub fn flush_mine(&self, id: &MinionId) -> io::Result<()> {
        if self.keeps_mine() {
            let (dir, name) = self.place(id.as_str(), "mine")?;
            dir.remove(&name)?;
        }
        Ok(())
    }

    /// Forgets a minion whose key was deleted.
    pub fn forget(&self, id: &MinionId) {
        self.decoded.lock().data.remove(id.as_str());
        for kind in ["data", "grains", "pillar", "mine"] {
            if let Ok((dir, name)) = self.place(id.as_str(), kind) {
                let _ = dir.remove(&name);
                if !self.config.banks {
                    let _ = std::fs::remove_dir(dir.path());
                }
            }
        }
    }

    /// The accepted ids in stock's order. Listed anew only when the directory has changed.
    pub fn accepted_ids(&self) -> Arc<Vec<String>> {
        let mut cached = self.accepted.lock();
        let stamp = self.keys.stamp(KeyState::Accepted);
        if let (Some(stamp), Some(known)) = (stamp, cached.as_ref())
            && known.stamp == stamp
        {
            return known.ids.clone();
        }
        let ids = self.keys.list(KeyState::Accepted).unwrap_or_else(|e| {
            tracing::error!("cannot list accepted keys: {e}");
            Vec::new()
        });
        let ids: Arc<Vec<String>> = Arc::new(ids.iter().map(|id| id.as_str().to_owned()).collect());
        // Time stamps are coarse: one that is only just past may stand for two changes.
        *cached = stamp.filter(|s| is_settled(*s)).map(|stamp| Accepted { stamp, ids: ids.clone() });
        ids
    }
}

fn is_settled((secs, nanos): (i64, i64)) -> bool {
    let at = SystemTime::UNIX_EPOCH
        + Duration::new(u64::try_from(secs).unwrap_or(0), u32::try_from(nanos).unwrap_or(0));
    SystemTime::now().duration_since(at).is_ok_and(|age| age > Duration::from_millis(100))
}

impl Fleet for MinionData {
    fn accepted(&self) -> Vec<String> {
        self.accepted_ids().to_vec()
    }

    fn cached(&self) -> Vec<String> {
        let listed = if self.config.banks {
            self.root
                .sub("grains")
                .and_then(|d| d.names())
                .map(|names| names.iter().filter_map(|n| n.strip_suffix(".p").map(str::to_owned)).collect())
        } else {
            self.root.sub("minions").and_then(|d| d.dirs())
        };
        listed.unwrap_or_default()
    }

    fn data(&self, id: &str) -> Option<FleetData> {
        let kind = if self.config.banks { "grains" } else { "data" };
        let (dir, name) = self.place(id, kind).ok()?;
        let written = std::fs::metadata(dir.path().join(&name)).ok()?;
        let changed = written.modified().ok()?;
        if let Some((at, data)) = self.decoded.lock().data.get(id)
            && *at == changed
        {
            return Some(data.clone());
        }
        let data = if self.config.banks {
            FleetData {
                grains: Arc::new(self.load(id, "grains")?),
                pillar: Arc::new(self.unsealed(id, self.load(id, "pillar").unwrap_or_default())),
            }
        } else {
            let Value::Map(mut both) = self.load(id, "data")? else { return None };
            FleetData {
                grains: Arc::new(both.remove("grains").unwrap_or_default()),
                pillar: Arc::new(self.unsealed(id, both.remove("pillar").unwrap_or_default())),
            }
        };
        let mut decoded = self.decoded.lock();
        if decoded.bytes > MEMORY {
            *decoded = Decoded::default();
        }
        decoded.bytes += written.len();
        decoded.data.insert(id.to_owned(), (changed, data.clone()));
        Some(data)
    }

    fn nodegroups(&self) -> &Map {
        &self.nodegroups
    }

    fn minion_data_cache(&self) -> bool {
        self.config.enabled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(tmp: &std::path::Path, banks: bool) -> MinionData {
        let config = DataConfig {
            cachedir: tmp.join("cache"),
            enabled: true,
            mine_always: false,
            events: true,
            banks,
        };
        std::fs::create_dir_all(tmp.join("pki/minions")).unwrap();
        MinionData::new(config, KeyStore::at(&tmp.join("pki")), Map::new())
    }

    #[test]
    fn both_layouts_hold_grains_and_mine() {
        let tmp = tempfile::tempdir().unwrap();
        let id = MinionId::parse("m1").unwrap();
        for (banks, file) in [(false, "minions/m1/data.p"), (true, "grains/m1.p")] {
            let data = data(tmp.path(), banks);
            assert!(data.data("m1").is_none());
            data.put(&id, map! {"os" => "Debian"}, Map::new()).unwrap();
            assert!(tmp.path().join("cache").join(file).exists());
            assert_eq!(data.data("m1").unwrap().grains.get("os"), Some(&"Debian".into()));
            assert_eq!(data.cached(), ["m1"]);
            data.put(&id, map! {"os" => "Debian"}, map! {"p" => 1}).unwrap();
            data.clear(&id, false, true).unwrap();
            let left = data.data("m1").unwrap();
            assert!(left.grains.get("os").is_some() && left.pillar.get("p").is_none());
            data.clear(&id, true, false).unwrap();
            assert!(data.data("m1").is_none());
            data.put(&id, map! {"os" => "Debian"}, Map::new()).unwrap();
            data.put_mine(&id, map! {"a" => 1}, false).unwrap();
            data.put_mine(&id, map! {"b" => 2}, false).unwrap();
            assert_eq!(data.mine("m1").unwrap(), map! {"a" => 1, "b" => 2});
            assert!(data.drop_mine(&id, "a").unwrap());
            data.put_mine(&id, map! {"c" => 3}, true).unwrap();
            assert_eq!(data.mine("m1").unwrap(), map! {"c" => 3});
            data.flush_mine(&id).unwrap();
            assert!(data.mine("m1").is_none() && !data.drop_mine(&id, "c").unwrap());
            data.forget(&id);
            assert!(data.data("m1").is_none());
        }
    }

    #[test]
    fn pillar_is_not_kept_in_the_clear() {
        let tmp = tempfile::tempdir().unwrap();
        let (id, other) = (MinionId::parse("m1").unwrap(), MinionId::parse("m2").unwrap());
        for (banks, file) in [(false, "minions/m1/data.p"), (true, "pillar/m1.p")] {
            let data = data(tmp.path(), banks);
            let pillar = map! {"password" => "hunter2", "n" => 1};
            data.put(&id, map! {"os" => "Debian"}, pillar.clone()).unwrap();
            let path = tmp.path().join("cache").join(file);
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(7).any(|w| w == b"hunter2" || w == b"passwor"));
            assert_eq!(*data.data("m1").unwrap().pillar, pillar.clone().into());
            // Another minion's is no one's.
            data.put(&other, map! {"os" => "Debian"}, Map::new()).unwrap();
            std::fs::copy(&path, tmp.path().join("cache").join(file.replace("m1", "m2"))).unwrap();
            assert_eq!(*data.data("m2").unwrap().pillar, Map::new().into());
            // As stock writes it.
            let plain = if banks {
                pillar.clone()
            } else {
                map! {"grains" => Map::new(), "pillar" => pillar.clone()}
            };
            std::fs::write(&path, encode_map(&plain, Dialect::New)).unwrap();
            data.decoded.lock().data.clear();
            assert_eq!(*data.data("m1").unwrap().pillar, pillar.into());
        }
    }

    #[test]
    fn the_list_of_accepted_keys_is_never_stale() {
        let tmp = tempfile::tempdir().unwrap();
        let data = data(tmp.path(), false);
        for n in 0..50 {
            std::fs::write(tmp.path().join(format!("pki/minions/m{n}")), "k").unwrap();
            assert_eq!(data.accepted_ids().len(), n + 1);
        }
        std::fs::remove_file(tmp.path().join("pki/minions/m7")).unwrap();
        assert_eq!(data.accepted().len(), 49);
    }
}
