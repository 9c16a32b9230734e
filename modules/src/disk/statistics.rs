//! `disk.iostat`: averages of what `iostat` prints over a while.

use crate::tools;
use brine_core::call::{Cx, Result, exec};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::collections::BTreeMap;

/// Gather and return (averaged) IO stats, of all disks or of some.
///
/// CLI Example: salt '*' disk.iostat 1 5 disks=sda
#[exec]
fn iostat(
    cx: &Cx,
    #[default(1)] interval: u32,
    #[default(5)] count: u32,
    disks: Option<Value>,
) -> Result<Map> {
    tools::require("iostat")?;
    let (interval, count) = (interval.to_string(), count.to_string());
    let names: Vec<String> = match &disks {
        None => Vec::new(),
        Some(Value::List(list)) => list.iter().map(python_str).collect(),
        Some(one) => vec![python_str(one)],
    };
    let mut words = vec!["iostat", if disks.is_some() { "-xd" } else { "-x" }, &interval, &count];
    words.extend(names.iter().map(String::as_str));
    Ok(averages(&tools::run(cx, &words)?))
}

type Rows = Vec<Vec<f64>>;

fn averages(text: &str) -> Map {
    let (mut cpu_names, mut cpu): (Vec<&str>, Rows) = (Vec::new(), Vec::new());
    let (mut disk_names, mut disks): (Vec<&str>, BTreeMap<&str, Rows>) = (Vec::new(), BTreeMap::new());
    let mut order: Vec<&str> = Vec::new();
    let mut lines = text.lines();
    let numbers = |words: &[&str]| words.iter().filter_map(|w| w.parse().ok()).collect::<Vec<f64>>();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.first() {
            Some(&"avg-cpu:") => {
                cpu_names = words[1..].to_vec();
                if let Some(next) = lines.next() {
                    cpu.push(numbers(&next.split_whitespace().collect::<Vec<_>>()));
                }
            }
            // The colon went away in newer versions.
            Some(&"Device:" | &"Device") => {
                disk_names = words[1..].to_vec();
                for row in lines.by_ref() {
                    let words: Vec<&str> = row.split_whitespace().collect();
                    let Some(name) = words.first().filter(|n| n.starts_with(char::is_alphanumeric)) else {
                        break;
                    };
                    if !disks.contains_key(name) {
                        order.push(name);
                    }
                    disks.entry(name).or_default().push(numbers(&words[1..]));
                }
            }
            _ => {}
        }
    }
    let mut out = Map::new();
    if !cpu_names.is_empty() {
        out.insert("sys", average(&cpu_names, &cpu));
    }
    for name in order {
        if let Some(rows) = disks.get(name) {
            out.insert(name, average(&disk_names, rows));
        }
    }
    out
}

/// The mean of each column, to two places.
fn average(names: &[&str], rows: &Rows) -> Map {
    names
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let column: Vec<f64> = rows.iter().filter_map(|r| r.get(i).copied()).collect();
            let mean = column.iter().sum::<f64>() / column.len().max(1) as f64;
            (*name, format!("{mean:.2}").parse::<f64>().unwrap_or(mean))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn columns_are_averaged() {
        let text = "Linux 6.1\n\navg-cpu:  %user %idle\n           1.00 99.00\n\nDevice:  r/s  w/s\nsda  1.00 2.00\nsdb  0.00 1.00\n\navg-cpu:  %user %idle\n           2.00 98.00\n\nDevice:  r/s  w/s\nsda  2.00 4.00\nsdb  0.00 0.00\n\n";
        assert_eq!(
            averages(text),
            map! {
                "sys" => map! {"%user" => 1.5, "%idle" => 98.5},
                "sda" => map! {"r/s" => 1.5, "w/s" => 3.0},
                "sdb" => map! {"r/s" => 0.0, "w/s" => 0.5},
            }
        );
    }
}
