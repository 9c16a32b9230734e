//! Which chunks a requisite means. Names and ids are looked up; only patterns are held against every chunk.

use brine_core::call::{CallError, Result};
use brine_core::target::{fnmatch, is_pattern};
use brine_core::text::{python_str, python_type};
use brine_core::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Places of chunks, in order.
pub(super) type Places = Arc<[usize]>;

/// Chunks by what requisites call them.
#[derive(Default)]
pub(super) struct Index {
    names: HashMap<String, Vec<usize>>,
    sls: BTreeMap<String, Vec<usize>>,
    /// The first chunk whose name is no text: no requisite can be held against it.
    nameless: Option<usize>,
    /// What was asked before: state (or `id`, or `sls`) and name.
    known: HashMap<(String, String), Places>,
}

/// One entry of a requisite: what kind of thing it means, and its name.
pub(super) struct Wanted {
    pub(super) kind: String,
    pub(super) name: Value,
}

impl Wanted {
    /// An entry as it stands in low data.
    pub(super) fn of(entry: &Value) -> Option<Self> {
        match entry {
            Value::Str(id) => Some(Self { kind: "id".into(), name: id.as_str().into() }),
            Value::Map(map) => {
                let (kind, name) = map.iter().next()?;
                let kind = python_str(kind);
                let kind = kind.split('.').next().unwrap_or_default().to_owned();
                Some(Self { kind, name: name.clone() })
            }
            _ => None,
        }
    }
}

/// The entries of a requisite; a word alone is an entry.
pub(super) fn entries(low: &Map, requisite: &str) -> Vec<Wanted> {
    match low.get(requisite) {
        Some(Value::List(all)) => all.iter().filter_map(Wanted::of).collect(),
        Some(one) => Wanted::of(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// What Python's `fnmatch` says of a name that is no text.
pub(super) fn no_text(name: &Value) -> CallError {
    CallError::exception(
        "TypeError",
        format!("expected str, bytes or os.PathLike object, not {}", python_type(name)),
    )
}

impl Index {
    /// Of these chunks.
    pub(super) fn new(chunks: &[Arc<Map>]) -> Self {
        let mut index = Self::default();
        for (at, chunk) in chunks.iter().enumerate() {
            match (chunk.get_str("name"), chunk.get_str("__id__")) {
                (Some(name), id) => {
                    index.names.entry(name.to_owned()).or_default().push(at);
                    if let Some(id) = id.filter(|id| *id != name) {
                        index.names.entry(id.to_owned()).or_default().push(at);
                    }
                }
                (None, _) => drop(index.nameless.get_or_insert(at)),
            }
            if let Some(sls) = chunk.get_str("__sls__") {
                index.sls.entry(sls.to_owned()).or_default().push(at);
            }
        }
        index
    }

    /// The chunks that an entry means.
    ///
    /// # Errors
    /// A name that is no text, or a chunk without one.
    pub(super) fn find(&mut self, wanted: &Wanted, chunks: &[Arc<Map>]) -> Result<Places> {
        let lost = |at: usize| {
            let name = chunks.get(at).and_then(|chunk| chunk.get("name")).map(python_str);
            Err(CallError::exception(
                "salt.exceptions.SaltRenderError",
                format!(
                    "Could not locate requisite of [{}] present in state with name [{}]",
                    wanted.kind,
                    name.unwrap_or_default()
                ),
            ))
        };
        let Some(name) = wanted.name.as_str() else {
            return match wanted.kind.as_str() {
                _ if chunks.is_empty() => Ok(Arc::new([])),
                "sls" => Err(no_text(&wanted.name)),
                _ => lost(0),
            };
        };
        if wanted.kind != "sls"
            && let Some(at) = self.nameless
        {
            return lost(at);
        }
        let key = (wanted.kind.clone(), name.to_owned());
        if let Some(places) = self.known.get(&key) {
            return Ok(places.clone());
        }
        let mut places: Vec<usize> = if wanted.kind == "sls" {
            let named = self.sls.iter().filter(|(sls, _)| fnmatch(sls, name));
            named.flat_map(|(_, places)| places.iter().copied()).collect()
        } else if is_pattern(name) {
            let named = self.names.iter().filter(|(own, _)| fnmatch(own, name));
            named.flat_map(|(_, places)| places.iter().copied()).collect()
        } else {
            self.names.get(name).cloned().unwrap_or_default()
        };
        if wanted.kind != "sls" && wanted.kind != "id" {
            places.retain(|at| {
                chunks.get(*at).is_some_and(|chunk| chunk.get_str("state") == Some(&wanted.kind))
            });
        }
        places.sort_unstable();
        places.dedup();
        let places: Places = places.into();
        self.known.insert(key, places.clone());
        Ok(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn chunks_are_found_by_id_name_pattern_and_file() {
        let chunk = |state: &str, id: &str, name: &str, sls: &str| {
            Arc::new(map! {"state" => state, "__id__" => id, "name" => name, "__sls__" => sls})
        };
        let chunks = [
            chunk("pkg", "vim", "vim", "a.b"),
            chunk("file", "vim", "/etc/vimrc", "a.b"),
            chunk("file", "x", "vim", "c"),
        ];
        let mut index = Index::new(&chunks);
        let mut find = |kind: &str, name: &str| {
            index.find(&Wanted { kind: kind.into(), name: name.into() }, &chunks).unwrap().to_vec()
        };
        assert_eq!(find("file", "vim"), [1, 2]);
        assert_eq!(find("id", "vim"), [0, 1, 2]);
        assert_eq!(find("file", "/etc/*"), [1]);
        assert_eq!(find("sls", "a.*"), [0, 1]);
        assert!(find("pkg", "none").is_empty());
        let wrong = index.find(&Wanted { kind: "pkg".into(), name: 5.into() }, &chunks).err().unwrap();
        assert!(wrong.to_string().ends_with("present in state with name [vim]"), "{wrong}");
    }
}
