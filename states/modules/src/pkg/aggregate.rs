//! Many chunks of packages made one, so that apt runs once.

use brine_core::call::{Cx, Result};
use brine_core::state::tag;
use brine_core::{Map, Value, map};
use std::sync::Arc;

fn list(value: &Value) -> Vec<Value> {
    value.as_list().unwrap_or_default().to_vec()
}

/// The chunk with the packages of all others that ask for the same: those that did not run, are no part of another and hold
/// nothing.
pub(super) fn aggregate(_cx: &Cx, mut low: Map, chunks: &mut [Arc<Map>], running: &Map) -> Result<Map> {
    if !matches!(low.get_str("fun"), Some("installed" | "latest" | "removed" | "purged")) {
        return Ok(low);
    }
    let mut kind: Option<&str> = None;
    let mut packages: Vec<Value> = Vec::new();
    for chunk in chunks {
        let taken = running.contains(&tag(chunk))
            || chunk.get_str("state") != Some("pkg")
            || chunk.contains("__agg__")
            || chunk.get("fun") != low.get("fun")
            || chunk.get("fromrepo") != low.get("fromrepo");
        if taken {
            continue;
        }
        if let Some(sources) = chunk.get("sources") {
            if *kind.get_or_insert("sources") == "sources" {
                packages.extend(list(sources));
                Arc::make_mut(chunk).insert("__agg__", true);
            }
        } else if !chunk.contains("hold") && *kind.get_or_insert("pkgs") == "pkgs" {
            if let Some(pkgs) = chunk.get("pkgs") {
                packages.extend(list(pkgs));
            } else if let Some(name) = chunk.get("name").cloned() {
                match Arc::make_mut(chunk).remove("version").filter(|version| !version.is_nil()) {
                    Some(version) => packages.push(map! {name => version}.into()),
                    None => packages.push(name),
                }
            } else {
                continue;
            }
            Arc::make_mut(chunk).insert("__agg__", true);
        }
    }
    if let Some(kind) = kind.filter(|_| !packages.is_empty()) {
        match low.get_mut(kind) {
            Some(Value::List(known)) => known.extend(packages),
            _ => {
                low.insert(kind, packages);
            }
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::{Opts, Registry, host::NoHost};

    #[test]
    fn chunks_that_ask_for_the_same_become_one() {
        let cx = Cx::new(Arc::new(Opts::new(Map::new())), Arc::new(Registry::default()), Arc::new(NoHost));
        let chunk = |id: &str, more: Map| {
            let mut chunk = map! {"state" => "pkg", "fun" => "installed", "name" => id, "__id__" => id};
            chunk.update(more);
            Arc::new(chunk)
        };
        let mut chunks = vec![
            chunk("one", map! {"__agg__" => true}),
            chunk("two", map! {"version" => "1.2"}),
            chunk("three", map! {"pkgs" => vec!["a", "b"]}),
            chunk("held", map! {"hold" => true}),
            chunk("other", map! {"fun" => "removed"}),
            chunk("file", map! {"sources" => vec![Value::from(map! {"x" => "/x.deb"})]}),
            chunk("ran", Map::new()),
        ];
        let low = (*chunks[0]).clone();
        let got = aggregate(&cx, low, &mut chunks, &map! {"pkg_|-ran_|-ran_|-installed" => Map::new()}).unwrap();
        let pkgs = vec![map! {"two" => "1.2"}.into(), Value::from("a"), Value::from("b")];
        assert_eq!(got.get("pkgs"), Some(&Value::List(pkgs)));
        let marked: Vec<bool> = chunks.iter().map(|chunk| chunk.contains("__agg__")).collect();
        assert_eq!(marked, [true, true, true, false, false, false, false]);
        assert!(!chunks[1].contains("version"));
    }
}
