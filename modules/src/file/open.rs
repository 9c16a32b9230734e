//! Files that programs hold open.

use brine_core::call::{Result, exec};
use brine_core::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The files that are open, with the processes that hold them; with `by_pid`, processes with their files.
///
/// CLI Example: salt '*' file.open_files
#[exec]
pub(super) fn open_files(#[default(false)] by_pid: bool) -> Result<Map> {
    let mut files: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    let mut pids: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i64>().ok()) else { continue };
        let own = pids.entry(pid).or_default();
        for name in held(&entry.path()) {
            files.entry(name.clone()).or_default().insert(pid);
            own.insert(name);
        }
    }
    let list = |values: Vec<Value>| Value::List(values);
    Ok(if by_pid {
        pids.into_iter()
            .map(|(pid, names)| (Value::from(pid), list(names.into_iter().map(Value::from).collect())))
            .collect()
    } else {
        files
            .into_iter()
            .map(|(name, pids)| (Value::from(name), list(pids.into_iter().map(Value::from).collect())))
            .collect()
    })
}

/// What a process and its threads hold, as far as there is such a path.
fn held(process: &Path) -> Vec<String> {
    let Ok(threads) = fs::read_dir(process.join("task")) else { return Vec::new() };
    let mut links: Vec<PathBuf> = names(&process.join("fd"));
    for thread in threads.flatten() {
        links.push(thread.path().join("exe"));
        links.extend(names(&thread.path().join("fd")));
    }
    let real = links.iter().filter_map(|link| fs::canonicalize(link).ok());
    real.map(|path| path.to_string_lossy().into_owned()).collect()
}

fn names(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).map(|entries| entries.flatten().map(|e| e.path()).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_we_hold_is_found() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = fs::canonicalize(file.path()).unwrap().to_string_lossy().into_owned();
        let pids = open_files(false).unwrap().get(path.as_str()).cloned().unwrap();
        assert!(pids.as_list().unwrap().contains(&i64::from(std::process::id()).into()));
    }
}
