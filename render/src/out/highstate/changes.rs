//! What a state changed, as the highstate outputter shows it: nested, or the highstate of another run.

use super::{CannotPrint, Page, Result, Run};
use crate::out::nested;
use crate::out::python::{rstrip, splitlines};
use brine_core::text::python_str;
use brine_protocol::{Map, Value};

/// States whose changes are a state run of their own.
const RUNS: [&str; 3] = ["state.orch", "state.orchestrate", "state.sls"];

impl Run<'_> {
    /// Whether this state is an orchestration's run of states.
    pub(super) fn is_run(ret: &Map) -> bool {
        ret.get_str("name").is_some_and(|name| RUNS.contains(&name))
    }

    /// The changes of a run of states, deeper at each level.
    pub(super) fn run_changes(&self, changes: &mut Value, level: usize) -> Result<String> {
        let Page::Text(text) = self.page(changes, level + 1)? else { return Err(CannotPrint::Data) };
        let margin = " ".repeat(14 * level);
        Ok(format!("{margin}\n{margin}{}", text.replace('\n', &format!("\n{margin}"))))
    }

    /// Whether anything changed, and what.
    pub(super) fn changes(&self, changes: &mut Value) -> Result<(bool, String)> {
        if !changes.truthy() {
            return Ok((false, String::new()));
        }
        let Value::Map(map) = changes else {
            return Ok((true, format!("Invalid Changes data: {}", python_str(changes))));
        };
        let is_highstate = map.get_str("out") == Some("highstate");
        if let Some(ret) = map.get_mut("ret").filter(|ret| is_highstate && !ret.is_nil()) {
            let mut text = String::new();
            let mut changed = false;
            for (host, data) in ret.as_map_mut().ok_or(CannotPrint::Data)?.iter_mut() {
                let (part, host_changed) = self.host(host, data, 1)?;
                changed |= host_changed;
                text.push('\n');
                let lines: Vec<String> =
                    splitlines(&part, false).into_iter().map(|line| format!("{:14}{line}", "")).collect();
                text.push_str(&lines.join("\n"));
            }
            return Ok((changed, text));
        }
        let text = nested(changes, &self.changes);
        Ok((true, format!("\n{}", rstrip(&text))))
    }
}
