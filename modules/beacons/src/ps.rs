//! Programs that should run or should not: tells which do.

use crate::config::{keys_of, list, merged};
use crate::{Beacon, Kept, always, refused};
use brine_core::call::{Cx, Result};
use brine_core::{Map, Value};
use std::collections::HashSet;
use std::path::Path;

pub(crate) static BEACON: Beacon = Beacon { name: "ps", unavailable: always, validate, look, lets_go: false };

/// The kernel keeps so much of a program's name.
const KEPT: usize = 15;

fn validate(_: &Cx, config: &Value) -> Result<()> {
    let config = merged(list("ps", config)?)?;
    match config.get("processes") {
        None => Err(refused("Configuration for ps beacon requires processes.")),
        Some(Value::Map(_)) => Ok(()),
        Some(_) => Err(refused("Processes for ps beacon must be a dictionary.")),
    }
}

fn look(_: &Cx, config: &[Value], _: &mut Kept) -> Result<Vec<Map>> {
    let config = merged(config)?;
    let processes = config.get("processes");
    let running = names(Path::new("/proc"));
    let mut told = Vec::new();
    for name in keys_of(processes)? {
        let runs = name.as_str().is_some_and(|n| running.contains(n));
        let wanted = processes.and_then(Value::as_map).and_then(|map| map.get_key(&name));
        let said: Value = match (wanted.and_then(Value::as_str), runs) {
            (Some("running"), true) => "Running".into(),
            (Some("stopped"), false) => "Stopped".into(),
            (Some("running" | "stopped"), _) => continue,
            (_, false) => false.into(),
            (_, true) => continue,
        };
        told.push([(name, said)].into_iter().collect());
    }
    Ok(told)
}

/// The names of all that runs.
fn names(proc: &Path) -> HashSet<String> {
    let entries = std::fs::read_dir(proc).into_iter().flatten().flatten();
    let pids = entries.filter(|entry| entry.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit()));
    pids.filter_map(|entry| name(&entry.path())).collect()
}

/// One name, whole where the kernel has cut it and the program's words tell the rest.
fn name(dir: &Path) -> Option<String> {
    let stat = std::fs::read(dir.join("stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let name = stat.get(stat.find('(')? + 1..stat.rfind(')')?)?.to_owned();
    if name.len() < KEPT {
        return Some(name);
    }
    let words = std::fs::read(dir.join("cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words).into_owned();
    let mut first = words.split('\0').next().unwrap_or_default();
    // Programs that write their own title join its words by spaces.
    if !words.ends_with('\0') || (words.matches('\0').count() == 1 && words.contains(' ')) {
        first = first.split(' ').next().unwrap_or_default();
    }
    let whole = first.rsplit('/').next().unwrap_or_default();
    Some(if whole.starts_with(&name) { whole.to_owned() } else { name })
}
