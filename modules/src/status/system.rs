//! Functions of `status` about the machine as a whole.

use brine_core::clock::{Clock, unix_now};
use crate::grains_core::read;
use crate::{ps, tools};
use brine_core::call::{Args, CallError, Cx, Result, VarArgs, exec};
use brine_core::target::fnmatch;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::BTreeSet;

/// Return the uptime for this system: since when, how long, and how many users are logged in.
///
/// CLI Example: salt '*' status.uptime
#[exec]
fn uptime(cx: &Cx) -> Result<Map> {
    let text =
        read::text("/proc/uptime").ok_or_else(|| CallError::execution("File /proc/uptime was not found."))?;
    let seconds = text.split_whitespace().next().and_then(|s| s.parse::<f64>().ok()).unwrap_or(0.0) as i64;
    let mut out = since(seconds, unix_now());
    if read::which("who").is_some() {
        out.insert("users", tools::run(cx, &["who", "-s"])?.split('\n').count());
    }
    Ok(out)
}

fn since(seconds: i64, now: f64) -> Map {
    let micros = (now * 1e6).round() as i64 - seconds * 1_000_000;
    let boot = micros.div_euclid(1_000_000);
    let mut iso = Clock::at(boot, 0).iso();
    let fraction = micros.rem_euclid(1_000_000);
    if fraction != 0 {
        iso.push_str(&format!(".{fraction:06}"));
    }
    let of_day = seconds % 86_400;
    map! {
        "seconds" => seconds,
        "since_iso" => iso,
        "since_t" => boot,
        "days" => seconds / 86_400,
        "time" => format!("{}:{}", of_day / 3600, of_day % 3600 / 60),
    }
}

/// Return the load averages for this minion.
///
/// CLI Example: salt '*' status.loadavg
#[exec]
fn loadavg() -> Result<Map> {
    let text = read::text("/proc/loadavg").unwrap_or_default();
    let loads: Vec<f64> = text.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    match loads.as_slice() {
        [one, five, fifteen, ..] => Ok(map! {"1-min" => *one, "5-min" => *five, "15-min" => *fifteen}),
        _ => Err(CallError::execution("status.loadavag is not available on your platform")),
    }
}

/// Return the disk usage for this minion, of the file systems mounted at paths or of kinds given as globs.
///
/// CLI Example: salt '*' status.diskusage / ext? tmpfs
#[exec]
fn diskusage(args: VarArgs) -> Result<Map> {
    let names: Vec<String> = args.0.iter().map(python_str).collect();
    let (paths, mut kinds): (Vec<&str>, Vec<&str>) =
        names.iter().map(String::as_str).partition(|n| n.starts_with('/'));
    if names.is_empty() {
        kinds.push("*");
    }
    let mut selected: BTreeSet<String> = paths.into_iter().map(str::to_owned).collect();
    if !kinds.is_empty() {
        let mounted = ps::volumes::mounts();
        selected.extend(
            mounted.into_iter().filter(|m| kinds.iter().any(|k| fnmatch(&m.kind, k))).map(|m| m.point),
        );
    }
    selected
        .into_iter()
        .map(|path| {
            let stat = nix::sys::statvfs::statvfs(path.as_str()).map_err(|e| {
                CallError::exception("OSError", format!("[Errno {}] {}: '{path}'", e as i32, e.desc()))
            })?;
            let bytes = |blocks: u64| i128::from(blocks) * i128::from(stat.block_size());
            let data = map! {"available" => bytes(stat.blocks_available()), "total" => bytes(stat.blocks())};
            Ok((path, data))
        })
        .collect()
}

/// Return the number of processing units available on this system.
///
/// CLI Example: salt '*' status.nproc
#[exec]
fn nproc() -> Result<usize> {
    let own = ps::process::Process { pid: std::process::id() as i32 };
    let list = own.status_field("Cpus_allowed_list").unwrap_or_default();
    let count = |part: &str| -> Option<usize> {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some(to.trim().parse::<usize>().ok()?.checked_sub(from.trim().parse().ok()?)? + 1)
    };
    Ok(list.split(',').filter_map(count).sum())
}

/// Return the system version for this minion.
///
/// CLI Example: salt '*' status.version
#[exec]
fn version() -> Result {
    Ok(read::trimmed("/proc/version").map_or_else(|| Map::new().into(), Value::from))
}

/// Return the current time on the minion, formatted based on the format parameter.
///
/// CLI Example: salt '*' status.time '%s'
#[exec]
fn time_(#[default("%A, %d. %B %Y %I:%M%p")] format: String) -> Result<String> {
    Ok(Clock::now().naive().strftime(&format))
}

/// Return a composite of all status data and info for this minion. Warning: There is a LOT here!
///
/// CLI Example: salt '*' status.all_status
#[exec]
fn all_status(cx: &Cx) -> Result<Map> {
    let mut out = Map::new();
    for name in [
        "cpuinfo",
        "cpustats",
        "diskstats",
        "diskusage",
        "loadavg",
        "meminfo",
        "netdev",
        "netstats",
        "uptime",
        "vmstats",
        "w",
    ] {
        out.insert(name, cx.call(&format!("status.{name}"), Args::none())?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_told_as_stock_tells_it() {
        assert_eq!(
            since(90_061, 1_000_090_061.25),
            map! {"seconds" => 90_061, "since_iso" => "2001-09-09T01:46:40.250000", "since_t" => 1_000_000_000, "days" => 1, "time" => "1:1"}
        );
    }
}
