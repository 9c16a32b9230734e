//! Functions of `status` that show a file of `/proc` as data.

use crate::grains_core::read;
use brine_core::call::{Result, exec};
use brine_core::{Map, Value, map};

/// A number if the text is one: whole, else with a point; else the text.
fn number(text: &str) -> Value {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i128>().map_or_else(|_| text.into(), Value::from);
    }
    text.parse::<f64>().map_or_else(|_| text.into(), Value::from)
}

fn lines(path: &str) -> Vec<Vec<String>> {
    read::text(path)
        .unwrap_or_default()
        .lines()
        .map(|l| l.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter(|words| !words.is_empty())
        .collect()
}

/// Fields by name and the word each is; a word that is missing leaves the field out.
fn fields(words: &[String], names: &[(&str, usize)]) -> Map {
    names.iter().filter_map(|(name, at)| Some((*name, number(words.get(*at)?)))).collect()
}

/// Return the CPU stats for this minion.
///
/// CLI Example: salt '*' status.cpustats
#[exec]
fn cpustats() -> Result<Map> {
    const CPU: [(&str, usize); 8] = [
        ("idle", 4),
        ("iowait", 5),
        ("irq", 6),
        ("nice", 2),
        ("softirq", 7),
        ("steal", 8),
        ("system", 3),
        ("user", 1),
    ];
    let mut out = Map::new();
    for words in lines("/proc/stat") {
        let Some(first) = words.get(1) else { continue };
        let rest = || words[2..].iter().map(|w| number(w)).collect::<Value>();
        let value: Value = match words[0].as_str() {
            "cpu" => fields(&words, &CPU).into(),
            "intr" => map! {"total" => number(first), "irqs" => rest()}.into(),
            "softirq" => map! {"total" => number(first), "softirqs" => rest()}.into(),
            _ => number(first),
        };
        out.insert(&words[0], value);
    }
    Ok(out)
}

/// Return the memory info for this minion.
///
/// CLI Example: salt '*' status.meminfo
#[exec]
fn meminfo() -> Result<Map> {
    Ok(lines("/proc/meminfo")
        .into_iter()
        .filter_map(|words| {
            let mut data = map! {"value" => words.get(1)?};
            if let Some(unit) = words.get(2) {
                data.insert("unit", unit);
            }
            Some((words[0].replace(':', ""), data))
        })
        .collect())
}

/// Return the CPU info for this minion.
///
/// CLI Example: salt '*' status.cpuinfo
#[exec]
fn cpuinfo() -> Result<Map> {
    Ok(read::text("/proc/cpuinfo")
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let mut parts = line.split(':');
            let (key, value) = (parts.next()?.trim(), parts.next()?.trim());
            let value: Value = if key == "flags" { value.split_whitespace().collect() } else { value.into() };
            Some((key.to_owned(), value))
        })
        .collect())
}

/// Return the disk stats for this minion.
///
/// CLI Example: salt '*' status.diskstats
#[exec]
fn diskstats() -> Result<Map> {
    const DISK: [(&str, usize); 14] = [
        ("major", 0),
        ("minor", 1),
        ("device", 2),
        ("reads_issued", 3),
        ("reads_merged", 4),
        ("sectors_read", 5),
        ("ms_spent_reading", 6),
        ("writes_completed", 7),
        ("writes_merged", 8),
        ("sectors_written", 9),
        ("ms_spent_writing", 10),
        ("io_in_progress", 11),
        ("ms_spent_in_io", 12),
        ("weighted_ms_spent_in_io", 13),
    ];
    Ok(lines("/proc/diskstats").iter().filter_map(|w| Some((w.get(2)?.clone(), fields(w, &DISK)))).collect())
}

/// Return the virtual memory stats for this minion.
///
/// CLI Example: salt '*' status.vmstats
#[exec]
fn vmstats() -> Result<Map> {
    Ok(lines("/proc/vmstat").iter().filter_map(|w| Some((w[0].clone(), number(w.get(1)?)))).collect())
}

/// Return the network stats for this minion.
///
/// CLI Example: salt '*' status.netstats
#[exec]
fn netstats() -> Result<Map> {
    Ok(netstat_tables(&lines("/proc/net/netstat")))
}

/// Pairs of lines: names, then their values under the same first word.
fn netstat_tables(lines: &[Vec<String>]) -> Map {
    let mut out = Map::new();
    for pair in lines.windows(2) {
        let [names, values] = pair else { continue };
        if names[0] == values[0] && names.get(1).is_some_and(|n| n.starts_with(|c: char| c.is_alphabetic())) {
            // Stock leaves out the last column.
            let row: Map = names[..names.len() - 1]
                .iter()
                .zip(values)
                .skip(1)
                .map(|(n, v)| (n.as_str(), number(v)))
                .collect();
            out.insert(names[0].replace(':', ""), row);
        }
    }
    out
}

/// Return the network device stats for this minion.
///
/// CLI Example: salt '*' status.netdev
#[exec]
fn netdev() -> Result<Map> {
    const NETWORK: [(&str, usize); 16] = [
        ("rx_bytes", 0),
        ("rx_compressed", 6),
        ("rx_drop", 3),
        ("rx_errs", 2),
        ("rx_fifo", 4),
        ("rx_frame", 5),
        ("rx_multicast", 7),
        ("rx_packets", 1),
        ("tx_bytes", 8),
        ("tx_carrier", 14),
        ("tx_colls", 13),
        ("tx_compressed", 15),
        ("tx_drop", 11),
        ("tx_errs", 10),
        ("tx_fifo", 12),
        ("tx_packets", 9),
    ];
    Ok(read::text("/proc/net/dev")
        .unwrap_or_default()
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(':')?;
            let words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
            let mut data = map! {"iface" => name.trim()};
            data.update(fields(&words, &NETWORK));
            Some((name.trim().to_owned(), data))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_they_look_like() {
        assert_eq!(number("12"), 12.into());
        assert_eq!(number("1.5"), 1.5.into());
        assert_eq!(number("-3"), (-3.0).into());
        assert_eq!(number("sda"), "sda".into());
    }

    #[test]
    fn tables_are_pairs_of_lines() {
        let words = |l: &str| l.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let got = netstat_tables(&[words("A: x y l"), words("A: 1 2 9"), words("B: z l"), words("B: 3 9")]);
        assert_eq!(got, map! {"A" => map! {"x" => 1, "y" => 2}, "B" => map! {"z" => 3}});
    }
}
