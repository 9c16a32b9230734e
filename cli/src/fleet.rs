//! The minions of the master on this host as its files tell: accepted keys and cached grains, for commands that resolve
//! a target without sending anything.

use brine_core::Opts;
use brine_core::target::{Fleet, FleetData};
use brine_protocol::msgpack::decode;
use brine_protocol::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The master's files.
pub(crate) struct DiskFleet {
    accepted: PathBuf,
    cachedir: PathBuf,
    nodegroups: Map,
    cache: bool,
}

impl DiskFleet {
    /// The files of the master with these options.
    pub(crate) fn new(opts: &Opts) -> Self {
        Self {
            accepted: opts.path("pki_dir").join("minions"),
            cachedir: opts.path("cachedir"),
            nodegroups: opts.get("nodegroups").and_then(Value::as_map).cloned().unwrap_or_default(),
            cache: opts.get("minion_data_cache").is_none_or(Value::truthy),
        }
    }
}

/// The names in a directory that are fit for a minion's id: no dot files.
fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let names = entries.flatten().filter_map(|e| e.file_name().into_string().ok());
    names.filter(|n| !n.starts_with('.')).collect()
}

fn load(path: &Path) -> Option<Value> {
    decode(&std::fs::read(path).ok()?).ok()
}

impl Fleet for DiskFleet {
    fn accepted(&self) -> Vec<String> {
        let mut all = names(&self.accepted);
        all.sort_by_key(|n| n.to_lowercase());
        all
    }

    fn cached(&self) -> Vec<String> {
        let mut all = names(&self.cachedir.join("minions"));
        // 3008 keeps a bank for each kind of data.
        let banks = names(&self.cachedir.join("grains"));
        all.extend(banks.iter().filter_map(|n| n.strip_suffix(".p").map(str::to_owned)));
        all.sort();
        all.dedup();
        all
    }

    fn data(&self, id: &str) -> Option<FleetData> {
        // Ids come from listings and command lines of this host; still, one is never a path.
        if id.contains('/') || id.starts_with('.') || id.is_empty() {
            return None;
        }
        let both = load(&self.cachedir.join("minions").join(id).join("data.p"));
        let (grains, pillar) = match both {
            Some(Value::Map(mut both)) => {
                (both.remove("grains").unwrap_or_default(), both.remove("pillar").unwrap_or_default())
            }
            _ => {
                let bank = |kind: &str| load(&self.cachedir.join(kind).join(format!("{id}.p")));
                (bank("grains")?, bank("pillar").unwrap_or_default())
            }
        };
        Some(FleetData { grains: Arc::new(grains), pillar: Arc::new(pillar) })
    }

    fn nodegroups(&self) -> &Map {
        &self.nodegroups
    }

    fn minion_data_cache(&self) -> bool {
        self.cache
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::target::check_minions;
    use brine_protocol::map;
    use brine_protocol::msgpack::{Dialect, encode_map};

    #[test]
    fn targets_are_resolved_from_files() {
        let dir = tempfile::tempdir().unwrap();
        let at = |p: &str| dir.path().join(p);
        std::fs::create_dir_all(at("pki/minions")).unwrap();
        for id in ["web1", "Db1", ".key_cache"] {
            std::fs::write(at("pki/minions").join(id), "pem").unwrap();
        }
        std::fs::create_dir_all(at("cache/minions/web1")).unwrap();
        let data = map! {"grains" => map! {"os" => "Debian"}, "pillar" => Map::new()};
        std::fs::write(at("cache/minions/web1/data.p"), encode_map(&data, Dialect::New)).unwrap();
        let path = |p: &str| at(p).to_str().unwrap().to_owned();
        let fleet = DiskFleet::new(&Opts::new(map! {"pki_dir" => path("pki"), "cachedir" => path("cache")}));
        let of = |tgt: &str, kind: &str| check_minions(&fleet, &tgt.into(), kind, ":", true).minions;
        assert_eq!(of("*", "glob"), ["Db1", "web1"]);
        assert_eq!(of("G@os:Debian", "compound"), ["web1"]);
        assert!(fleet.data("../web1").is_none());
    }
}
