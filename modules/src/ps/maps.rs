//! A process' memory maps, from `/proc/<pid>/smaps`.

use super::process::Process;
use brine_core::Value;
use std::collections::BTreeMap;

/// What is summed up, in psutil's order after the path. Kilobytes in the file, bytes here.
const FIELDS: [&str; 10] = [
    "Rss",
    "Size",
    "Pss",
    "Shared_Clean",
    "Shared_Dirty",
    "Private_Clean",
    "Private_Dirty",
    "Referenced",
    "Anonymous",
    "Swap",
];

/// Each map's path with its numbers.
fn entries(text: &str) -> Vec<(String, [i64; 10])> {
    let mut out: Vec<(String, [i64; 10])> = Vec::new();
    for line in text.lines() {
        let Some((first, rest)) = line.split_once(char::is_whitespace) else { continue };
        let Some(name) = first.strip_suffix(':') else {
            // A map's own line: range, permissions, offset, device, inode, and the path if it has one.
            let path = rest.split_whitespace().skip(4).collect::<Vec<_>>().join(" ");
            let path = if path.is_empty() { "[anon]".to_owned() } else { path };
            out.push((path, [0; 10]));
            continue;
        };
        let kilobytes = rest.split_whitespace().next().and_then(|n| n.parse::<i64>().ok());
        if let (Some(at), Some(n), Some((_, sums))) =
            (FIELDS.iter().position(|f| *f == name), kilobytes, out.last_mut())
        {
            sums[at] = n * 1024;
        }
    }
    out
}

/// psutil's grouped maps: one per path.
pub(super) fn grouped(p: &Process) -> Option<Vec<Value>> {
    Some(group(&p.text("smaps")?))
}

fn group(text: &str) -> Vec<Value> {
    let mut order: Vec<String> = Vec::new();
    let mut sums: BTreeMap<String, [i64; 10]> = BTreeMap::new();
    for (path, numbers) in entries(text) {
        if !sums.contains_key(&path) {
            order.push(path.clone());
        }
        let sum = sums.entry(path).or_insert([0; 10]);
        for (total, n) in sum.iter_mut().zip(numbers) {
            *total += n;
        }
    }
    order
        .into_iter()
        .filter_map(|path| {
            let numbers = sums.get(&path)?;
            let mut row: Vec<Value> = vec![path.into()];
            row.extend(numbers.iter().map(|n| Value::from(*n)));
            Some(row.into())
        })
        .collect()
}

/// `uss`, `pss` and `swap` in bytes.
pub(super) fn totals(p: &Process) -> Option<[i64; 3]> {
    let text = p.text("smaps_rollup").filter(|t| !t.is_empty()).or_else(|| p.text("smaps"))?;
    let sum = |names: &[&str]| -> i64 {
        text.lines()
            .filter_map(|l| {
                let (name, rest) = l.split_once(':')?;
                let kilobytes: i64 = rest.split_whitespace().next()?.parse().ok()?;
                names.contains(&name).then_some(kilobytes * 1024)
            })
            .sum()
    };
    let private = ["Private_Clean", "Private_Dirty", "Private_Hugetlb"];
    Some([sum(&private), sum(&["Pss"]), sum(&["Swap"])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_of_one_path_are_summed() {
        let text = "00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/a b\nSize:   4 kB\nRss:    8 kB\n\
                    7f0-7f1 rw-p 00000000 00:00 0\nRss:  1 kB\n\
                    00500000-00552000 rw-p 00000000 08:02 173521      /usr/bin/a b\nRss:    8 kB\n";
        let got = group(text);
        assert_eq!(got.len(), 2);
        let first = got[0].as_list().unwrap();
        assert_eq!((&first[0], &first[1], &first[2]), (&"/usr/bin/a b".into(), &16384.into(), &4096.into()));
        assert_eq!(got[1].as_list().unwrap()[0], "[anon]".into());
    }
}
