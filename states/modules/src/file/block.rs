//! States of what stands between markers, and of lines gathered for a file: `blockreplace`, `accumulated`.

use super::common::{error, handed, name_of};
use super::texts::{changed, rendered, sources, unfit};
use brine_core::call::{Args, Cx, Given, KwArgs, Result, exec, given};
use brine_core::state::Outcome;
use brine_core::text::python_str;
use brine_core::{Map, Value};

given! {
    /// Manage what is between two markers in a file.
    ///
    /// name: the file. marker_start, marker_end: parts of the lines around the block. content: what belongs between them; more comes
    /// from `file.accumulated`, and from source or sources (rendered by `template` with `defaults` and `context`; source_hash and
    /// source_hashes are accepted). append_if_not_found, prepend_if_not_found, insert_before_match, insert_after_match: where a
    /// block goes that is not there. append_newline: the end marker gets a line of its own; by default if the content has no line
    /// end. backup: the end of the copy's name, or `False`. show_changes: show a diff.
    pub(super) fn blockreplace(
        name, marker_start = "#-- start managed zone --", marker_end = "#-- end managed zone --", source = (), source_hash = (),
        template = "jinja", sources = (), source_hashes = (), defaults = (), context = (), content = "",
        append_if_not_found = false, prepend_if_not_found = false, backup = ".bak", show_changes = true, append_newline = (),
        insert_before_match = (), insert_after_match = ()
    ) => manage_block
}

fn manage_block(cx: &Cx, given: Given) -> Result<Outcome> {
    let name = name_of(&given);
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.blockreplace"));
    }
    let sources = match sources(&given) {
        Ok(sources) => sources,
        Err(why) => return Ok(error(&name, why)),
    };
    if let Some(why) = unfit(&name) {
        return Ok(error(&name, why));
    }
    let mut content = given.text("content").unwrap_or_default();
    for line in gathered(cx, &name) {
        if !content.is_empty() {
            content.push('\n');
        }
        content.push_str(&line);
    }
    if !sources.is_empty() {
        match rendered(cx, &given, &sources)? {
            Ok(texts) => content.extend(texts),
            Err(outcome) => return Ok(outcome),
        }
    }
    let args = handed(
        Args::positional([name.clone().into(), given.value("marker_start"), given.value("marker_end")])
            .with("content", content)
            .with("dry_run", cx.test),
        &given,
        &[
            "append_if_not_found",
            "prepend_if_not_found",
            "insert_before_match",
            "insert_after_match",
            "backup",
            "show_changes",
            "append_newline",
        ],
    );
    match cx.call("file.blockreplace", args) {
        Ok(diff) => Ok(changed(cx, &name, diff, "Changes would be made")),
        Err(e) => {
            tracing::error!("Encountered error managing block: {e}");
            let comment = format!("Encountered error managing block: {}. See the log for details.", e.text());
            Ok(error(&name, comment))
        }
    }
}

/// The lines that were gathered for a file: those that this state is to have, if any are marked so, else all.
fn gathered(cx: &Cx, name: &str) -> Vec<String> {
    let Some(step) = &cx.step else { return Vec::new() };
    let id = Value::from(step.id());
    step.run.shared(|shared| {
        let of = |key: &str| {
            shared.get(key).and_then(|all| all.get(name)).and_then(Value::as_map).cloned().unwrap_or_default()
        };
        let (all, deps) = (of("accumulators"), of("accumulators_deps"));
        let meant = |key: &Value| {
            deps.get_key(key).and_then(Value::as_list).is_some_and(|ids| ids.contains(&id))
        };
        let marked = deps.keys().filter(|key| meant(key)).filter_map(|key| all.get_key(key));
        let mut lists: Vec<&Value> = marked.collect();
        if lists.is_empty() {
            lists = all.values().collect();
        }
        lists.into_iter().filter_map(Value::as_list).flatten().map(python_str).collect()
    })
}

/// Gather lines for a file that another state of this run writes: a template finds them as `accumulator`, and
/// `file.blockreplace` adds them to its content.
///
/// name: of the gathering. filename: the file. text: a line or a list. The state that writes is named by `require_in` or
/// `watch_in`.
#[exec]
pub(super) fn accumulated(
    cx: &Cx,
    name: String,
    filename: Value,
    text: Value,
    kwargs: KwArgs,
) -> Result<Outcome> {
    let _unread = kwargs;
    if name.is_empty() {
        return Ok(error(&name, "Must provide name to file.accumulated"));
    }
    if text.is_nil() {
        return Ok(error(&name, "No text supplied for accumulator"));
    }
    let step = cx.step.clone().unwrap_or_default();
    let deps: Vec<Value> = ["require_in", "watch_in"]
        .iter()
        .filter_map(|key| step.low.get(key).and_then(Value::as_list))
        .flatten()
        .cloned()
        .collect();
    let of_files = |dep: &Value| match dep {
        Value::Map(map) => map.contains("file"),
        other => python_str(other).contains("file"),
    };
    if !deps.iter().any(of_files) {
        let text = format!("Orphaned accumulator {name} in {}:{}", step.sls(), step.id());
        return Ok(error(&name, text));
    }
    let chunks = match text {
        Value::List(list) => list,
        one => vec![one],
    };
    let ids: Vec<Value> = deps
        .iter()
        .flat_map(|dep| match dep {
            Value::Map(map) => map.values().cloned().collect(),
            other => python_str(other).chars().map(|c| Value::from(c.to_string())).collect::<Vec<_>>(),
        })
        .collect();
    let added = step.run.shared(|shared| {
        extend(shared, "accumulators_deps", &filename, &name, ids, true);
        extend(shared, "accumulators", &filename, &name, chunks, false)
    });
    let comment = if added {
        format!("Accumulator {name} for file {} was charged by text", python_str(&filename))
    } else {
        String::new()
    };
    Ok(Outcome::ok(name, comment))
}

/// Adds to `shared[key][file][name]`; what is there already only if it may be there `twice`. Whether anything was added.
fn extend(shared: &mut Map, key: &str, file: &Value, name: &str, values: Vec<Value>, twice: bool) -> bool {
    let empty = || Value::Map(Map::new());
    let files = shared.entry_or(key, empty);
    let Value::Map(files) = files else { return false };
    let Value::Map(names) = files.entry_or(file.clone(), empty) else { return false };
    let Value::List(list) = names.entry_or(name, || Value::List(Vec::new())) else { return false };
    let before = list.len();
    for value in values {
        if twice || !list.contains(&value) {
            list.push(value);
        }
    }
    list.len() > before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_gathered_once() {
        let mut shared = Map::new();
        let lines = |all: &[&str]| all.iter().map(|line| Value::from(*line)).collect::<Vec<_>>();
        assert!(extend(&mut shared, "accumulators", &"/f".into(), "a", lines(&["x", "y", "x"]), false));
        assert!(!extend(&mut shared, "accumulators", &"/f".into(), "a", lines(&["y"]), false));
        let all = shared.get("accumulators").and_then(|all| all.get("/f")).and_then(|f| f.get("a")).cloned();
        assert_eq!(all, Some(vec!["x", "y"].into()));
    }
}
