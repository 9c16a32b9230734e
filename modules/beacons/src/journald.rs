//! The journal of systemd: tells of entries with given fields. `journalctl` runs beside and says what is new, so that nothing is
//! read twice.

mod field;

use crate::config::{list, merged, values_of};
use crate::piped::{Pipe, Piped, is_installed};
use crate::{Beacon, Kept, refused};
use brine_core::call::{CallError, Cx, Result};
use brine_core::{Map, Value};
use field::{Entry, entry};
use std::process::Command;

pub(crate) static BEACON: Beacon = Beacon { name: "journald", unavailable, validate, look, lets_go: false };

fn unavailable(_: &Cx) -> Option<String> {
    (!is_installed("journalctl")).then(|| "systemd library is missing.".to_owned())
}

fn validate(_: &Cx, config: &Value) -> Result<()> {
    let config = merged(list("journald", config)?)?;
    for fields in values_of(config.get("services"))? {
        if fields.as_map().is_none() {
            return Err(refused("Services configuration for journald beacon must be a list of dictionaries."));
        }
    }
    Ok(())
}

/// The program that reads on, and the place of what it said last.
#[derive(Default)]
struct Reader {
    reads: Option<Piped>,
    cursor: Option<String>,
}

/// Words that all calls have: entries as JSON, whole.
fn journalctl() -> Command {
    let mut command = Command::new("journalctl");
    command.args(["--quiet", "--no-pager", "--all", "--output=json"]);
    command
}

impl Reader {
    /// Entries since the last turn; none the first time.
    fn news(&mut self) -> std::io::Result<Vec<String>> {
        let Some(reads) = &mut self.reads else {
            if self.cursor.is_none() {
                let last = journalctl().args(["--lines=1"]).output()?;
                self.cursor = cursor(&String::from_utf8_lossy(&last.stdout));
            }
            let mut command = journalctl();
            command.args(["--follow", "--no-tail"]);
            command.args(self.cursor.as_ref().map(|cursor| format!("--after-cursor={cursor}")));
            self.reads = Some(Piped::start(&mut command, Pipe::Out)?);
            return Ok(Vec::new());
        };
        let (lines, runs) = reads.lines();
        self.cursor = lines.last().and_then(|line| cursor(line)).or_else(|| self.cursor.take());
        if !runs {
            // It is started again at the next turn, and reads on from there.
            self.reads = None;
        }
        Ok(lines)
    }
}

fn cursor(line: &str) -> Option<String> {
    serde_json::from_str::<serde_json::Value>(line.trim()).ok()?.get("__CURSOR")?.as_str().map(str::to_owned)
}

fn look(_: &Cx, config: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
    let config = merged(config)?;
    let news = kept.of::<Reader>().news().map_err(|e| CallError::exception("OSError", e.to_string()))?;
    let mut told = Vec::new();
    for entry in news.iter().filter_map(|line| entry(line)) {
        for (name, fields) in config.get("services").and_then(Value::as_map).into_iter().flatten() {
            if fields.as_map().is_some_and(|fields| fits(fields, &entry)) {
                let mut event = entry.shown.clone();
                event.insert("tag", name.clone());
                told.push(event);
            }
        }
    }
    Ok(told)
}

fn fits(fields: &Map, entry: &Entry) -> bool {
    fields.iter().all(|(name, value)| entry.values.get_key(name) == Some(value))
}
