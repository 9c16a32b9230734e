//! After the run: `listen`, and beacons that states make.

use super::Runner;
use brine_core::call::Result;
use brine_core::state::REQUISITES;
use brine_core::state::tag;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Chunks by state and by what they are called: their ids, their names, and the state itself.
struct Called {
    chunks: Vec<Arc<Map>>,
    by: HashMap<(String, Value), Vec<usize>>,
}

fn member(low: &Map, key: &str) -> Value {
    low.get(key).cloned().unwrap_or_default()
}

impl Called {
    fn new(chunks: &[Arc<Map>]) -> Self {
        // Of chunks with one state, id and name, the last counts, in the place of the first.
        let mut places: HashMap<[String; 3], usize> = HashMap::new();
        let mut kept: Vec<Arc<Map>> = Vec::new();
        for low in chunks {
            let key = ["state", "__id__", "name"].map(|key| python_str(&member(low, key)));
            match places.get(&key) {
                Some(at) => {
                    if let Some(place) = kept.get_mut(*at) {
                        *place = low.clone();
                    }
                }
                None => {
                    places.insert(key, kept.len());
                    kept.push(low.clone());
                }
            }
        }
        let mut by: HashMap<(String, Value), Vec<usize>> = HashMap::new();
        for (at, low) in kept.iter().enumerate() {
            let state = python_str(&member(low, "state"));
            let mut names = vec![member(low, "state"), member(low, "__id__"), member(low, "name")];
            let mut seen = HashSet::new();
            names.retain(|name| seen.insert(name.clone()));
            for name in names {
                by.entry((state.clone(), name)).or_default().push(at);
            }
        }
        Self { chunks: kept, by }
    }

    fn of(&self, state: &Value, name: &Value) -> Vec<&Arc<Map>> {
        let places = self.by.get(&(python_str(state), name.clone()));
        places.into_iter().flatten().filter_map(|at| self.chunks.get(*at)).collect()
    }
}

/// Who listens, and to what.
struct Listener {
    state: Value,
    id: Value,
    to: Vec<Value>,
}

fn listeners(chunks: &[Arc<Map>]) -> Vec<Listener> {
    let mut all = Vec::new();
    for low in chunks {
        if let Some(to) = low.get("listen") {
            let to = to.as_list().map(<[Value]>::to_vec).unwrap_or_default();
            all.push(Listener { state: member(low, "state"), id: member(low, "__id__"), to });
        }
        for entry in low.get("listen_in").and_then(Value::as_list).unwrap_or_default() {
            for (state, id) in entry.as_map().into_iter().flatten() {
                let own: Map = [(member(low, "state"), member(low, "__id__"))].into_iter().collect();
                all.push(Listener { state: state.clone(), id: id.clone(), to: vec![own.into()] });
            }
        }
    }
    all
}

/// The failure of a reference to nothing, and its tag.
fn lost(state: &Value, name: &Value) -> (String, Map) {
    let (state, name) = (python_str(state), python_str(name));
    let tag = tag(&map! {
        "state" => "Listen_Error",
        "__id__" => format!("listen_{name}"),
        "name" => format!("listen_{state}"),
        "fun" => "Listen_Error",
    });
    let ret = map! {
        "comment" => format!("Referenced state {state}: {name} does not exist"),
        "name" => format!("listen_{state}:{name}"),
        "result" => false,
        "changes" => Map::new(),
    };
    (tag, ret)
}

impl Runner {
    /// Tells those that listen of what changed.
    pub(super) fn call_listen(&mut self, chunks: &[Arc<Map>], results: &mut Map) -> Result<()> {
        let all = listeners(chunks);
        if all.is_empty() {
            return Ok(());
        }
        let called = Called::new(chunks);
        let mut told = Vec::new();
        let mut errors = Map::new();
        for listener in &all {
            for to in &listener.to {
                let to = match to {
                    Value::Map(to) => to.clone(),
                    name => {
                        let is_meant = |low: &&Arc<Map>| {
                            low.get("__id__") == Some(name) || low.get("name") == Some(name)
                        };
                        let Some(low) = chunks.iter().find(is_meant) else { continue };
                        [(member(low, "state"), member(low, "__id__"))].into_iter().collect()
                    }
                };
                for (state, name) in &to {
                    let meant = called.of(state, name);
                    if meant.is_empty() {
                        let (tag, ret) = lost(state, name);
                        errors.insert(tag, ret);
                    }
                    for low in meant {
                        let ret = results.get(&tag(low));
                        if !ret.and_then(|ret| ret.get("changes")).is_some_and(Value::truthy) {
                            continue;
                        }
                        let own = called.of(&listener.state, &listener.id);
                        if own.is_empty() {
                            let (tag, ret) = lost(&listener.state, &listener.id);
                            errors.insert(tag, ret);
                        }
                        told.extend(own.into_iter().map(|low| Arc::new(watching(low))));
                    }
                }
            }
        }
        results.update(self.call_chunks(told, false)?);
        for (_, ret) in errors.iter_mut() {
            if let Value::Map(ret) = ret {
                self.count(ret);
            }
        }
        results.update(errors);
        Ok(())
    }

    /// Makes the beacons that chunks ask for.
    pub(super) fn call_beacons(&mut self, chunks: &[Arc<Map>], results: &mut Map) -> Result<()> {
        let beacons: Vec<Arc<Map>> = chunks
            .iter()
            .filter(|low| low.contains("beacon"))
            .map(|low| {
                let mut low = (**low).clone();
                let id = format!("beacon_{}", python_str(&member(&low, "__id__")));
                let function = member(&low, "fun");
                low.update(map! {"sfun" => function, "fun" => "mod_beacon", "__id__" => id});
                Arc::new(low)
            })
            .collect();
        if !beacons.is_empty() {
            results.update(self.call_chunks(beacons, false)?);
        }
        Ok(())
    }
}

/// The chunk that is told of a change.
fn watching(low: &Map) -> Map {
    let mut low = low.clone();
    let id = format!("listener_{}", python_str(&member(&low, "__id__")));
    let function = member(&low, "fun");
    low.update(map! {"sfun" => function, "fun" => "mod_watch", "__id__" => id});
    for requisite in REQUISITES {
        low.remove(requisite);
    }
    low
}
