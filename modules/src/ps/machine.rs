//! Functions of `ps` about the machine: processors, memory, when it was started.

use super::process::{boot_time as started, seconds};
use super::wait;
use brine_core::clock::Clock;
use crate::grains_core::read;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::{Map, Value, map};

/// Bytes of a line of `/proc/meminfo`.
pub(crate) fn meminfo(name: &str) -> Option<i64> {
    memory_field(&read::text("/proc/meminfo")?, name)
}

fn memory_field(text: &str, name: &str) -> Option<i64> {
    let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.split_whitespace().next()?.parse::<i64>().ok()? * 1024)
}

/// Python's `round(x, 1)`.
fn round1(x: f64) -> f64 {
    format!("{x:.1}").parse().unwrap_or(x)
}

pub(super) fn percent(part: i64, whole: i64) -> f64 {
    if whole == 0 { 0.0 } else { round1(part as f64 / whole as f64 * 100.0) }
}

const CPU_KINDS: [&str; 10] =
    ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"];

/// Seconds by kind, of the whole machine or of each processor.
fn cpu_seconds(per_cpu: bool) -> Vec<[f64; 10]> {
    let text = read::text("/proc/stat").unwrap_or_default();
    text.lines()
        .filter(|l| l.starts_with("cpu") && l.starts_with("cpu ") != per_cpu)
        .map(|l| {
            let mut all = [0.0; 10];
            for (to, ticks) in all.iter_mut().zip(l.split_whitespace().skip(1)) {
                *to = seconds(ticks.parse().unwrap_or(0));
            }
            all
        })
        .collect()
}

fn busy_percent(before: &[f64; 10], after: &[f64; 10]) -> f64 {
    let mut delta = [0.0; 10];
    for (to, (a, b)) in delta.iter_mut().zip(after.iter().zip(before)) {
        *to = (a - b).max(0.0);
    }
    // Guests' time is in the users' already; idle and iowait are no work.
    let total = delta.iter().take(8).sum::<f64>();
    let busy = total - delta[3] - delta[4];
    if total == 0.0 { 0.0 } else { round1(busy / total * 100.0) }
}

/// Return the percent of time the CPU is busy during an interval of some seconds, in all or of each.
///
/// CLI Example: salt '*' ps.cpu_percent
#[exec]
fn cpu_percent(cx: &Cx, #[default(0.1)] interval: Option<f64>, #[default(false)] per_cpu: bool) -> Result {
    let interval = interval.unwrap_or(0.0);
    if interval < 0.0 {
        let text = format!("interval is not positive (got {})", brine_core::text::python_float(interval));
        return Err(CallError::exception("ValueError", text));
    }
    let before = cpu_seconds(per_cpu);
    wait(cx, interval)?;
    let after = cpu_seconds(per_cpu);
    let mut all = before.iter().zip(&after).map(|(b, a)| busy_percent(b, a));
    Ok(if per_cpu { all.collect() } else { all.next().unwrap_or(0.0).into() })
}

/// Return the time the CPU has spent in each kind of work since the start of the machine, in all or of each CPU.
///
/// CLI Example: salt '*' ps.cpu_times
#[exec]
fn cpu_times(#[default(false)] per_cpu: bool) -> Result {
    let mut all = cpu_seconds(per_cpu).into_iter().map(|s| CPU_KINDS.iter().copied().zip(s).collect::<Map>());
    Ok(if per_cpu { all.collect() } else { all.next().unwrap_or_default().into() })
}

/// Return a dict that describes statistics about system memory usage, in bytes.
///
/// CLI Example: salt '*' ps.virtual_memory
#[exec]
fn virtual_memory() -> Result<Map> {
    Ok(memory(&read::text("/proc/meminfo").unwrap_or_default()))
}

fn memory(text: &str) -> Map {
    let get = |name: &str| memory_field(text, name);
    let or0 = |name: &str| get(name).unwrap_or(0);
    let (total, free) = (or0("MemTotal"), or0("MemFree"));
    let cached = or0("Cached") + or0("SReclaimable");
    let available = match get("MemAvailable").filter(|n| *n != 0).unwrap_or(free + or0("Cached")) {
        // Containers may be told more than the machine has.
        n if n > total => free,
        n => n,
    };
    map! {
        "total" => total,
        "available" => available,
        "percent" => percent(total - available, total),
        "used" => total - available,
        "free" => free,
        "active" => or0("Active"),
        "inactive" => or0("Inactive"),
        "buffers" => or0("Buffers"),
        "cached" => cached,
        "shared" => get("Shmem").or_else(|| get("MemShared")).unwrap_or(0),
        "slab" => or0("Slab"),
    }
}

/// Return a dict that describes swap memory statistics, in bytes.
///
/// CLI Example: salt '*' ps.swap_memory
#[exec]
fn swap_memory() -> Result<Map> {
    let (total, free) = (meminfo("SwapTotal").unwrap_or(0), meminfo("SwapFree").unwrap_or(0));
    let text = read::text("/proc/vmstat").unwrap_or_default();
    let pages = |name: &str| -> i64 {
        let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|n| n.trim().parse::<i64>().ok()).unwrap_or(0) * 4096
    };
    Ok(map! {
        "total" => total,
        "used" => total - free,
        "free" => free,
        "percent" => percent(total - free, total),
        "sin" => pages("pswpin"),
        "sout" => pages("pswpout"),
    })
}

/// Return the total number of bytes of physical memory.
///
/// CLI Example: salt '*' ps.total_physical_memory
#[exec]
fn total_physical_memory() -> Result<i64> {
    Ok(meminfo("MemTotal").unwrap_or(0))
}

/// Return the number of CPUs.
///
/// CLI Example: salt '*' ps.num_cpus
#[exec]
fn num_cpus() -> Result<usize> {
    Ok(cpu_seconds(true).len())
}

/// Return the boot time in number of seconds since the epoch began, or as `time_format` shows it.
///
/// CLI Example: salt '*' ps.boot_time
#[exec]
fn boot_time(time_format: Option<Value>) -> Result {
    let time = started() as i64;
    match time_format.filter(Value::truthy) {
        None => Ok(time.into()),
        Some(Value::Str(format)) => Ok(Clock::local(time).naive().strftime(&format).into()),
        Some(_) => {
            Err(CallError::invocation("Invalid format string: strftime() argument 1 must be str, not int"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_as_psutil_does() {
        let text = "MemTotal: 1000 kB\nMemFree: 400 kB\nMemAvailable: 700 kB\nBuffers: 10 kB\nCached: 100 kB\nSReclaimable: 5 kB\nShmem: 3 kB\nActive: 1 kB\nActive(anon): 9 kB\n";
        let got = memory(text);
        assert_eq!(got.get("percent"), Some(&30.0.into()));
        assert_eq!((got.get("cached"), got.get("active")), (Some(&(105 * 1024).into()), Some(&1024.into())));
    }

    #[test]
    fn work_is_what_is_not_idle() {
        let mut after = [0.0; 10];
        after[0] = 1.0;
        after[3] = 2.0;
        after[4] = 1.0;
        after[8] = 1.0;
        assert_eq!(busy_percent(&[0.0; 10], &after), 25.0);
        assert_eq!(busy_percent(&after, &after), 0.0);
    }
}
