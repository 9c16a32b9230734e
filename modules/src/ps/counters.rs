//! Functions of `ps` about what network cards and disks have moved, and who is logged in.

use crate::grains_core::read;
use brine_core::call::{Result, exec};
use brine_core::kernel::{INTERFACE_COUNTERS, interface_rows};
use brine_core::{Map, Value, map};
use std::path::Path;

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

/// Return network I/O statistics, of all cards together or of one.
///
/// CLI Example: salt '*' ps.network_io_counters interface=eth0
#[exec]
fn network_io_counters(interface: Option<String>) -> Result {
    let text = read::text("/proc/net/dev").unwrap_or_default();
    let mut rows = interface_rows(&text);
    Ok(match interface.filter(|i| !i.is_empty()) {
        None => counters(&add_up(rows.map(|(_, r)| r)), &INTERFACE_COUNTERS).into(),
        Some(wanted) => match rows.find(|(name, _)| *name == wanted) {
            Some((_, row)) => counters(&row, &INTERFACE_COUNTERS).into(),
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
}
