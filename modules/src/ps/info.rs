//! psutil's `as_dict`: everything about one process. Named tuples are lists here, as they are on the wire.

use super::maps;
use super::process::{Process, Stat, values};
use super::sockets;
use crate::grains_core::read;
use brine_core::call::{CallError, Result};
use brine_core::{Map, Value};

/// psutil's names, sorted.
const ATTRIBUTES: [&str; 30] = [
    "cmdline",
    "cpu_affinity",
    "cpu_num",
    "cpu_percent",
    "cpu_times",
    "create_time",
    "cwd",
    "environ",
    "exe",
    "gids",
    "io_counters",
    "ionice",
    "memory_full_info",
    "memory_info",
    "memory_maps",
    "memory_percent",
    "name",
    "net_connections",
    "nice",
    "num_ctx_switches",
    "num_fds",
    "num_threads",
    "open_files",
    "pid",
    "ppid",
    "status",
    "terminal",
    "threads",
    "uids",
    "username",
];

/// The attributes named, or all; what may not be read is `None`.
pub(super) fn as_map(process: &Process, attrs: Option<&[String]>) -> Result<Map> {
    let known = ATTRIBUTES;
    let mut wanted: Vec<&str> = match attrs {
        None => known.to_vec(),
        Some(attrs) => attrs.iter().map(String::as_str).collect(),
    };
    wanted.sort_unstable();
    wanted.dedup();
    let unknown: Vec<String> =
        wanted.iter().filter(|a| !known.contains(a)).map(|a| format!("'{a}'")).collect();
    if !unknown.is_empty() {
        let plural = if unknown.len() > 1 { "s" } else { "" };
        let text = format!("invalid attr name{plural} {}", unknown.join(", "));
        return Err(CallError::exception("ValueError", text));
    }
    let stat = process
        .stat()
        .ok_or_else(|| CallError::execution(format!("process PID not found (pid={})", process.pid)))?;
    Ok(wanted.into_iter().map(|name| (name, attribute(process, &stat, name).unwrap_or_default())).collect())
}

fn attribute(p: &Process, stat: &Stat, name: &str) -> Option<Value> {
    let link = |name: &str| Some(std::fs::read_link(p.path(name)).ok()?.to_string_lossy().into_owned());
    let three = |name: &str| Some(p.status_numbers(name)?.into_iter().take(3).collect::<Value>());
    Some(match name {
        "cmdline" => p.cmdline()?.into(),
        "cpu_affinity" => cpu_list(&p.status_field("Cpus_allowed_list")?),
        "cpu_num" => stat.cpu.into(),
        // psutil compares with the last time it was asked, and there is none.
        "cpu_percent" => 0.0.into(),
        "cpu_times" => values(stat.cpu_times()),
        "create_time" => p.create_time()?.into(),
        "cwd" => link("cwd")?.into(),
        "environ" => environ(&p.text("environ")?).into(),
        "exe" => link("exe")?.trim_end_matches(" (deleted)").into(),
        "gids" => three("Gid")?,
        "io_counters" => io_counters(&p.text("io")?),
        "memory_full_info" => {
            let mut all: Vec<Value> = p.memory()?.values().cloned().collect();
            all.extend(maps::totals(p)?.map(Value::from));
            all.into()
        }
        "memory_info" => values(p.memory()?),
        "memory_maps" => maps::grouped(p)?.into(),
        "memory_percent" => {
            let total = super::machine::meminfo("MemTotal")? as f64;
            (p.memory()?.get("rss")?.as_float()? / total * 100.0).into()
        }
        "name" => p.name()?.into(),
        "net_connections" => sockets::of(p)?.into(),
        "nice" => stat.nice.into(),
        "num_ctx_switches" => ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"]
            .iter()
            .filter_map(|f| p.status_numbers(f)?.first().copied())
            .collect(),
        "num_fds" => std::fs::read_dir(p.path("fd")).ok()?.count().into(),
        "num_threads" => (*p.status_numbers("Threads")?.first()?).into(),
        "open_files" => open_files(p)?.into(),
        "pid" => p.pid.into(),
        "ppid" => stat.parent.into(),
        "status" => stat.status().into(),
        "terminal" => terminal(stat.terminal)?.into(),
        "threads" => threads(p)?.into(),
        "uids" => three("Uid")?,
        "username" => p.username()?.into(),
        // The kernel tells the I/O class by a system call only.
        _ => return None,
    })
}

/// `0-2,5` as numbers.
fn cpu_list(text: &str) -> Value {
    text.split(',')
        .filter_map(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some(from.trim().parse::<i64>().ok()?..=to.trim().parse::<i64>().ok()?)
        })
        .flatten()
        .collect()
}

fn environ(text: &str) -> Map {
    text.split('\0').filter_map(|v| v.split_once('=')).collect()
}

/// `read_count`, `write_count`, `read_bytes`, `write_bytes`, `read_chars`, `write_chars`.
fn io_counters(text: &str) -> Value {
    ["syscr", "syscw", "read_bytes", "write_bytes", "rchar", "wchar"]
        .iter()
        .map(|name| {
            let value =
                text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ")?.parse::<i64>().ok());
            value.unwrap_or(0)
        })
        .collect()
}

/// Path, descriptor, position, mode and flags of each regular file.
fn open_files(p: &Process) -> Option<Vec<Value>> {
    let mut fds: Vec<i64> = read::names(p.path("fd")).iter().filter_map(|n| n.parse().ok()).collect();
    std::fs::read_dir(p.path("fd")).ok()?;
    fds.sort_unstable();
    let files = fds.into_iter().filter_map(|fd| {
        let path = std::fs::read_link(p.path(&format!("fd/{fd}"))).ok()?;
        if !path.starts_with("/") || !path.is_file() {
            return None;
        }
        let info = p.text(&format!("fdinfo/{fd}"))?;
        let number = |name: &str, radix| {
            info.lines().find_map(|l| {
                i64::from_str_radix(l.strip_prefix(name)?.strip_prefix(':')?.trim(), radix).ok()
            })
        };
        let (position, flags) = (number("pos", 10)?, number("flags", 8)?);
        let append = flags & 0o2000 != 0;
        let mode = match (flags & 3, append) {
            (0, _) => "r",
            (1, false) => "w",
            (1, true) => "a",
            (_, false) => "r+",
            (_, true) => "a+",
        };
        Some(vec![
            Value::from(path.to_string_lossy().into_owned()),
            fd.into(),
            position.into(),
            mode.into(),
            flags.into(),
        ])
    });
    Some(files.map(Value::from).collect())
}

/// The device file of a terminal's number.
fn terminal(number: i64) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let wanted = u64::try_from(number).ok().filter(|n| *n != 0)?;
    let in_dir = |dir: &str, prefix: &str| {
        read::names(dir)
            .into_iter()
            .filter(|n| n.starts_with(prefix))
            .map(|n| format!("{dir}/{n}"))
            .find(|path| std::fs::metadata(path).is_ok_and(|m| m.rdev() == wanted))
    };
    in_dir("/dev", "tty").or_else(|| in_dir("/dev/pts", ""))
}

/// Id, user time and system time of each thread.
fn threads(p: &Process) -> Option<Vec<Value>> {
    let mut ids: Vec<i32> = read::names(p.path("task")).iter().filter_map(|n| n.parse().ok()).collect();
    ids.sort_unstable();
    let rows = ids.into_iter().filter_map(|id| {
        let stat = super::process::parse_stat(&p.text(&format!("task/{id}/stat"))?)?;
        Some(Value::List(vec![id.into(), stat.user.into(), stat.system.into()]))
    });
    Some(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors_are_read() {
        assert_eq!(cpu_list("0-2,5"), [0, 1, 2, 5].into_iter().collect());
    }
}
