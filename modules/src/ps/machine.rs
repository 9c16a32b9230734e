//! Functions of `ps` about the machine: processors, memory, file systems, network cards, disks, who is logged in.

use super::process::{boot_time as started, seconds};
use super::wait;
use crate::clock::Clock;
use crate::grains_core::read;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::{Map, Value, map};
use nix::sys::statvfs::statvfs;
use std::path::Path;

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

fn percent(part: i64, whole: i64) -> f64 {
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
        Some(Value::Str(format)) => Ok(Clock::local(time).strftime(&format).into()),
        Some(_) => {
            Err(CallError::invocation("Invalid format string: strftime() argument 1 must be str, not int"))
        }
    }
}

/// A mounted file system.
pub(crate) struct Mount {
    pub(crate) device: String,
    pub(crate) point: String,
    pub(crate) kind: String,
    pub(crate) options: String,
}

/// The mounts in their order, names decoded.
pub(crate) fn mounts() -> Vec<Mount> {
    let table = if Path::new("/etc/mtab").is_file() { "/etc/mtab" } else { "/proc/self/mounts" };
    read::text(table)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').map(unescape);
            Some(Mount {
                device: words.next()?,
                point: words.next()?,
                kind: words.next()?,
                options: words.next()?,
            })
        })
        .collect()
}

/// `\040` and the like as the characters they stand for.
fn unescape(word: &str) -> String {
    let mut out = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail.get(..3).and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        match (first, octal) {
            (b'\\', Some(byte)) => {
                out.push(byte);
                rest = &tail[3..];
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The device behind `/`, where the table only says that it is the root's.
fn root_device() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let id = std::fs::metadata("/").ok()?.dev();
    let (major, minor) = (nix::sys::stat::major(id), nix::sys::stat::minor(id));
    let link = std::fs::read_link(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    let path = format!("/dev/{}", link.file_name()?.to_string_lossy());
    Path::new(&path).exists().then_some(path)
}

fn partitions(all: bool) -> Vec<Map> {
    let known: Vec<String> = read::text("/proc/filesystems")
        .unwrap_or_default()
        .lines()
        .filter_map(|l| match l.trim().strip_prefix("nodev") {
            None => Some(l.trim().to_owned()),
            Some(kind) => (kind.trim() == "zfs").then(|| "zfs".to_owned()),
        })
        .collect();
    mounts()
        .into_iter()
        .map(|mut m| {
            if m.device == "none" {
                m.device.clear();
            }
            if matches!(m.device.as_str(), "/dev/root" | "rootfs") {
                m.device = root_device().unwrap_or(m.device);
            }
            m
        })
        .filter(|m| all || (!m.device.is_empty() && known.contains(&m.kind)))
        .map(
            |m| map! {"device" => m.device, "mountpoint" => m.point, "fstype" => m.kind, "opts" => m.options},
        )
        .collect()
}

/// Return a list of disk partitions and their device, mount point, and filesystem type; with `all`, also what is not
/// on a disk.
///
/// CLI Example: salt '*' ps.disk_partitions
#[exec]
fn disk_partitions(#[default(false)] all: bool) -> Result<Vec<Value>> {
    Ok(partitions(all).into_iter().map(Value::from).collect())
}

fn usage(path: &str) -> Result<Map> {
    let stat = statvfs(path).map_err(|e| {
        let kind = if e == nix::errno::Errno::ENOENT { "FileNotFoundError" } else { "OSError" };
        CallError::exception(kind, format!("[Errno {}] {}: '{path}'", e as i32, e.desc()))
    })?;
    let bytes = |blocks: u64| (u128::from(blocks) * u128::from(stat.fragment_size())) as i64;
    let (total, free_for_root, free) =
        (bytes(stat.blocks()), bytes(stat.blocks_free()), bytes(stat.blocks_available()));
    let used = total - free_for_root;
    Ok(map! {"total" => total, "used" => used, "free" => free, "percent" => percent(used, used + free)})
}

/// Given a path, return a dict listing the total available space as well as the free space, and used space.
///
/// CLI Example: salt '*' ps.disk_usage /home
#[exec]
fn disk_usage(path: String) -> Result<Map> {
    usage(&path)
}

/// Return a list of disk partitions plus the mount point, filesystem and usage statistics.
///
/// CLI Example: salt '*' ps.disk_partition_usage
#[exec]
fn disk_partition_usage(#[default(false)] all: bool) -> Result<Vec<Value>> {
    partitions(all)
        .into_iter()
        .map(|mut p| {
            p.update(usage(p.get_str("mountpoint").unwrap_or_default())?);
            Ok(p.into())
        })
        .collect()
}

/// Names of counters with the column each is in, for adding up.
type Columns = [(&'static str, usize)];

fn counters(fields: &[i64], columns: &Columns) -> Map {
    columns.iter().map(|(name, at)| (*name, fields.get(*at).copied().unwrap_or(0))).collect()
}

fn numbers<'w>(words: impl Iterator<Item = &'w str>) -> Vec<i64> {
    words.map(|w| w.parse().unwrap_or(0)).collect()
}

fn add_up(rows: impl Iterator<Item = Vec<i64>>) -> Vec<i64> {
    rows.reduce(|sum, row| sum.iter().zip(row).map(|(a, b)| a + b).collect()).unwrap_or_default()
}

/// Columns of `/proc/net/dev` behind the name.
const NETWORK: &Columns = &[
    ("bytes_sent", 8),
    ("bytes_recv", 0),
    ("packets_sent", 9),
    ("packets_recv", 1),
    ("errin", 2),
    ("errout", 10),
    ("dropin", 3),
    ("dropout", 11),
];

/// Return network I/O statistics, of all cards together or of one.
///
/// CLI Example: salt '*' ps.network_io_counters interface=eth0
#[exec]
fn network_io_counters(interface: Option<String>) -> Result {
    let text = read::text("/proc/net/dev").unwrap_or_default();
    let rows: Vec<(String, Vec<i64>)> = text
        .lines()
        .skip(2)
        .filter_map(|l| l.rsplit_once(':'))
        .map(|(name, rest)| (name.trim().to_owned(), numbers(rest.split_whitespace())))
        .collect();
    Ok(match interface.filter(|i| !i.is_empty()) {
        None => counters(&add_up(rows.into_iter().map(|(_, r)| r)), NETWORK).into(),
        Some(wanted) => match rows.iter().find(|(name, _)| *name == wanted) {
            Some((_, row)) => counters(row, NETWORK).into(),
            None => false.into(),
        },
    })
}

/// Columns of `/proc/diskstats` behind the name; sectors are already bytes.
const DISK: &Columns = &[
    ("read_count", 0),
    ("write_count", 4),
    ("read_bytes", 2),
    ("write_bytes", 6),
    ("read_time", 3),
    ("write_time", 7),
    ("read_merged_count", 1),
    ("write_merged_count", 5),
    ("busy_time", 9),
];

/// Return disk I/O statistics, of all disks together or of one device.
///
/// CLI Example: salt '*' ps.disk_io_counters device=sda1
#[exec]
fn disk_io_counters(device: Option<String>) -> Result {
    let text = read::text("/proc/diskstats").unwrap_or_default();
    let rows: Vec<(String, Vec<i64>)> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(2);
            let name = words.next()?.to_owned();
            let mut row = numbers(words);
            if row.len() < 11 {
                return None;
            }
            row[2] *= 512;
            row[6] *= 512;
            Some((name, row))
        })
        .collect();
    Ok(match device.filter(|d| !d.is_empty()) {
        None => {
            // Partitions are in their disks' numbers already.
            let disks =
                rows.into_iter().filter(|(n, _)| Path::new("/sys/block").join(n.replace('/', "!")).exists());
            counters(&add_up(disks.map(|(_, r)| r)), DISK).into()
        }
        Some(wanted) => match rows.iter().find(|(name, _)| *name == wanted) {
            Some((_, row)) => counters(row, DISK).into(),
            None => false.into(),
        },
    })
}

/// Return logged-in users.
///
/// CLI Example: salt '*' ps.get_users
#[exec]
fn get_users() -> Result<Vec<Value>> {
    Ok(logged_in(&read::bytes("/var/run/utmp").unwrap_or_default()))
}

/// Size of a record of utmp, and the kind that is a login.
const UTMP_RECORD: usize = 384;
const USER_PROCESS: i16 = 7;

fn logged_in(utmp: &[u8]) -> Vec<Value> {
    utmp.chunks_exact(UTMP_RECORD)
        .filter(|r| i16::from_ne_bytes([r[0], r[1]]) == USER_PROCESS)
        .map(|r| {
            let text = |from: usize, length: usize| {
                let bytes = &r[from..from + length];
                String::from_utf8_lossy(bytes.split(|b| *b == 0).next().unwrap_or(bytes)).into_owned()
            };
            let number = |at: usize| i32::from_ne_bytes([r[at], r[at + 1], r[at + 2], r[at + 3]]);
            let host = match text(76, 256) {
                h if h == ":0" || h == ":0.0" => "localhost".to_owned(),
                h => h,
            };
            let terminal = Some(text(8, 32)).filter(|t| !t.is_empty());
            map! {
                "name" => text(44, 32), "terminal" => terminal, "host" => host,
                "started" => f64::from(number(340)), "pid" => number(4),
            }
            .into()
        })
        .collect()
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

    #[test]
    fn records_of_logins_are_read() {
        let mut r = vec![0u8; UTMP_RECORD * 2];
        r[..2].copy_from_slice(&7i16.to_ne_bytes());
        r[4..8].copy_from_slice(&42i32.to_ne_bytes());
        r[8..13].copy_from_slice(b"pts/0");
        r[44..48].copy_from_slice(b"root");
        r[76..78].copy_from_slice(b":0");
        r[340..344].copy_from_slice(&1000i32.to_ne_bytes());
        assert_eq!(
            logged_in(&r),
            [Value::from(
                map! {"name" => "root", "terminal" => "pts/0", "host" => "localhost", "started" => 1000.0, "pid" => 42}
            )]
        );
    }

    #[test]
    fn escaped_mount_points_are_decoded() {
        assert_eq!(unescape(r"/mnt/a\040b\134"), r"/mnt/a b\");
        assert_eq!(unescape(r"\04"), r"\04");
    }
}
