//! 3008's order of low data: requisites are edges of a graph, and what they name must be there.

use crate::graph::{Facts, Graph, Orders, Requisite};
use crate::low::{label, number, numbered, raise, settle};
use crate::names::{before_dot, first, item, pair};
use crate::run::disabled_requisites;
use crate::semantics::has_mod_watch;
use brine_core::call::{Cx, Result};
use brine_core::{Map, Value};
use brine_python::{Dict, Obj, PyErr, R, getitem, repr, str};
use brine_render::template::call_error;
use std::rc::Rc;

/// Low data in the order in which 3008 runs it: what is tried out first comes twice. Or what is wrong, in stock's words.
///
/// # Errors
/// What stock does not catch either.
pub fn in_order(cx: &Cx, chunks: &[Map]) -> Result<std::result::Result<Vec<Map>, Vec<String>>> {
    let sort = || -> R<std::result::Result<Vec<Map>, Vec<String>>> {
        let chunks = chunks.iter().filter_map(|chunk| match Obj::from(&Value::Map(chunk.clone())) {
            Obj::Dict(dict) => Some(dict),
            _ => None,
        });
        let (sorted, errors) = order(cx, chunks.collect(), &disabled_requisites(cx))?;
        if !errors.is_empty() {
            return Ok(Err(errors));
        }
        let data = |chunk: Rc<Dict>| match brine_python::to_value(&Obj::Dict(chunk))? {
            Value::Map(map) => Ok(map),
            _ => Ok(Map::new()),
        };
        sorted.into_iter().map(data).collect::<R<Vec<Map>>>().map(Ok)
    };
    sort().map_err(call_error)
}

/// Sorts chunks; what is wrong with their requisites, in stock's words.
pub(crate) fn order(cx: &Cx, chunks: Vec<Rc<Dict>>, disabled: &[String]) -> R<(Vec<Rc<Dict>>, Vec<String>)> {
    let mut graph = Graph::default();
    let mut tags = Vec::with_capacity(chunks.len());
    for (at, chunk) in chunks.iter().enumerate() {
        let text = |key: &str| item(&Obj::Dict(chunk.clone()), key).and_then(|value| str(&value));
        let (state, id, name) = (text("state")?, text("__id__")?, text("name")?);
        let mut sls = Vec::new();
        if let Some(own) = chunk.get_str("__sls__") {
            sls.push(str(&own)?);
        }
        for other in chunk.get_str("__sls_included_from__").map_or(Ok(Vec::new()), |list| list.items())? {
            sls.push(str(&other)?);
        }
        let tag = format!("{state}_|-{id}_|-{name}_|-{}", text("fun")?);
        graph.add_chunk(at, Facts { tag: &tag, state: &state, id: &id, name: &name, sls: &sls });
        tags.push(tag);
    }
    let mut errors = Vec::new();
    let mut cap = 1;
    for (chunk, tag) in chunks.iter().zip(&tags) {
        unwatched(cx, chunk)?;
        if let Err(error) = requisites(&mut graph, &chunks, chunk, tag, disabled)? {
            errors.push(error);
            continue;
        }
        raise(&mut cap, chunk);
    }
    match graph.sorted(&Numbers { chunks: &chunks, cap })? {
        Some(sorted) => Ok((sorted.into_iter().map(|at| chunks[at].clone()).collect(), errors)),
        None => {
            errors.push(circle(&graph, &chunks)?);
            Ok((Vec::new(), errors))
        }
    }
}

/// Makes `require` of `watch` for states that cannot watch.
fn unwatched(cx: &Cx, chunk: &Dict) -> R<()> {
    let state = chunk.get_str("state").map_or(Ok(String::new()), |state| str(&state))?;
    for (watch, require) in [("watch", "require"), ("watch_any", "require_any")] {
        if chunk.get_str(watch).is_none() || has_mod_watch(cx, &state) {
            continue;
        }
        let Some(more) = chunk.remove(&Obj::str(watch))? else { continue };
        let list = match chunk.get_str(require) {
            Some(list) => list,
            None => {
                let list = Obj::list(Vec::new());
                chunk.set_str(require, list.clone());
                list
            }
        };
        crate::decls::as_list(&list, "extend")?.borrow_mut().extend(more.items()?);
    }
    Ok(())
}

/// Adds the requisites of a chunk, up to the first that is wrong.
fn requisites(
    graph: &mut Graph,
    chunks: &[Rc<Dict>],
    chunk: &Rc<Dict>,
    tag: &str,
    disabled: &[String],
) -> R<std::result::Result<(), String>> {
    for requisite in Requisite::ALL {
        let Some(list) = chunk.get_str(requisite.name()) else { continue };
        if disabled.iter().any(|name| name == requisite.name()) {
            tracing::warn!("The {} requisite has been disabled, Ignoring.", requisite.name());
            continue;
        }
        for one in list.items()? {
            let one = if one.as_str().is_some() { pair(Obj::str("id"), one)? } else { one };
            let kind = first(&one)?;
            let name = getitem(&one, &kind)?;
            if matches!(name, Obj::None) {
                continue;
            }
            let shown = str(&kind)?;
            let kind = before_dot(&shown);
            let wrong = |what: &str, how: String| -> R<String> {
                let own = item(&Obj::Dict(chunk.clone()), "name").and_then(|name| str(&name))?;
                let sls = chunk.get_str("__sls__").map_or(Ok("None".into()), |sls| str(&sls))?;
                Ok(format!("{what}equisite [{}: {how}] in state [{own}] in SLS [{sls}]", requisite.name()))
            };
            let Some(name) = name.as_str() else {
                let error = wrong("R", kind.to_owned())?;
                return Ok(Err(format!("{error} must have a string as the value")));
            };
            let found = graph.add_requisite(tag, requisite, (kind, name), |tried, by| {
                chunks[by].set_str("__prerequiring__", Obj::Bool(true));
                chunks[tried].set_str("__prereq__", Obj::Bool(true));
            });
            if !found {
                return Ok(Err(wrong("Referenced state does not exist for r", format!("({kind}: {name})"))?));
            }
        }
    }
    Ok(Ok(()))
}

/// Chunks and the highest number that was given.
struct Numbers<'a> {
    chunks: &'a [Rc<Dict>],
    cap: i64,
}

impl Orders for Numbers<'_> {
    type Error = PyErr;

    fn own(&self, chunk: usize) -> R<f64> {
        let chunk = &self.chunks[chunk];
        let order = settle(chunk, chunk.get_str("order").unwrap_or(Obj::None), self.cap)?;
        Ok(number(&order).unwrap_or_default())
    }

    fn said(&self, chunk: usize) -> R<f64> {
        let chunk = &self.chunks[chunk];
        let Some(order) = chunk.get_str("order") else { return Ok(f64::INFINITY) };
        let order = numbered(order, self.cap);
        chunk.set_str("order", order.clone());
        Ok(number(&order).unwrap_or_default())
    }

    fn label(&self, chunk: usize) -> R<String> {
        label(&self.chunks[chunk])
    }
}

/// What stock says of chunks that wait for each other.
fn circle(graph: &Graph, chunks: &[Rc<Dict>]) -> R<String> {
    let shown = |chunk: &Rc<Dict>| -> R<String> {
        let get = |key: &str| item(&Obj::Dict(chunk.clone()), key);
        let shown = Dict::new();
        shown.set_str("SLS", get("__sls__")?);
        shown.set_str("ID", get("__id__")?);
        if !brine_python::eq(&get("__id__")?, &get("name")?)? {
            shown.set_str("NAME", get("name")?);
        }
        repr(&Obj::from(shown))
    };
    let mut edges = Vec::new();
    for (waited, waits, requisite) in graph.cycle() {
        let (waited, waits) = (&chunks[waited], &chunks[waits]);
        // The edges that a prereq draws are shown as what they come from.
        let requisite = match requisite {
            Requisite::Require if waits.get_str("require").is_none() => Requisite::Prereq,
            requisite => requisite,
        };
        edges.push(format!("({}, '{}', {})", shown(waits)?, requisite.name(), shown(waited)?));
    }
    Ok(format!("Recursive requisites were found: {}", edges.join(", ")))
}
