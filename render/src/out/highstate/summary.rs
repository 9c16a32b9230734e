//! What a minion's states come to, and the lines that tell it.

use super::state::milliseconds;
use super::{CannotPrint, Result, Run};
use crate::out::color::Code;
use crate::out::python::fixed;
use brine_core::text::python_float;
use brine_protocol::{Map, Value};

/// The counts of one minion.
pub(super) struct Tally<'c> {
    /// The colour of its name.
    pub(super) color: &'c Code,
    /// States that changed something.
    pub(super) changes: usize,
    /// How many states had each result; under `warnings` how many had some.
    counts: Map,
    /// The sum of the durations, and the longest of those that ran beside others, in milliseconds.
    total: f64,
    longest: Option<f64>,
}

impl<'c> Tally<'c> {
    pub(super) fn new(color: &'c Code) -> Self {
        Self { color, changes: 0, counts: Map::new(), total: 0.0, longest: None }
    }

    /// Counts a result.
    pub(super) fn count(&mut self, result: &Value, names: i64) -> Result<()> {
        let key = match result {
            Value::List(_) | Value::Map(_) => return Err(CannotPrint::Data),
            // Numbers are what they are equal to.
            Value::Int(0) => Value::Bool(false),
            Value::Int(1) => Value::Bool(true),
            Value::Float(x) if *x == 0.0 => Value::Bool(false),
            Value::Float(x) if *x == 1.0 => Value::Bool(true),
            other => other.clone(),
        };
        self.add(key, names);
        Ok(())
    }

    pub(super) fn warning(&mut self) {
        self.add("warnings".into(), 1);
    }

    fn add(&mut self, key: Value, n: i64) {
        let count = self.counts.entry_or(key, || Value::Int(0));
        *count = (count.as_int().unwrap_or(0) + n).into();
    }

    /// Adds how long a state took.
    pub(super) fn duration(&mut self, ret: &Map) -> Result<()> {
        let Some(took) = ret.get("duration").map_or(Ok(Some(0.0)), milliseconds)? else { return Ok(()) };
        if ret.contains("__parallel__") {
            // Python's `max` keeps the first of two that do not compare.
            if self.longest.is_none_or(|longest| took > longest) {
                self.longest = Some(took);
            }
        } else {
            self.total += took;
        }
        Ok(())
    }

    fn of(&self, key: &Value) -> i64 {
        self.counts.get_key(key).and_then(Value::as_int).unwrap_or(0)
    }
}

impl Run<'_> {
    /// Adds the summary of a minion.
    pub(super) fn summary(&self, host: &str, tally: &Tally<'_>, lines: &mut Vec<String>) {
        let c = &self.style.colors;
        let end = &c.endc;
        let all: Vec<i64> = tally.counts.values().filter_map(Value::as_int).collect();
        let width = 11 + all.iter().map(|n| n.to_string().len()).max().unwrap_or(0);
        let rule = "-".repeat(width);
        lines.push(format!("{}\nSummary for {host}\n{rule}{end}", c.cyan));
        let count = |label: &str, number: &str| format!("{label}: {number:>0$}", width - label.len() - 2);

        let (unchanged, failed) = (tally.of(&Value::Nil), tally.of(&false.into()));
        let succeeded = tally.of(&true.into()) + unchanged;
        let mut remarks = Vec::new();
        if unchanged > 0 {
            remarks.push(format!("{}unchanged={unchanged}{end}", c.light_yellow));
        }
        if tally.changes > 0 {
            remarks.push(format!("{}changed={}{end}", c.green, tally.changes));
        }
        let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
        lines.push(format!("{}{}{end}{remarks}", c.green, count("Succeeded", &succeeded.to_string())));
        let color = if failed > 0 { &c.red } else { &c.cyan };
        lines.push(format!("{color}{}{end}", count("Failed", &failed.to_string())));

        let warnings = tally.of(&"warnings".into());
        let total = all.iter().sum::<i64>() - warnings;
        if self.pct && total != 0 {
            let percent = |n: i64| python_float(rounded(n as f64 / total as f64 * 100.0, 2));
            lines.push(format!("{}{}{end}", c.green, count("Success %", &percent(succeeded))));
            lines.push(format!("{color}{}{end}", count("Failure %", &percent(failed))));
        }
        if warnings != 0 {
            lines.push(format!("{}{}{end}", c.light_red, count("Warnings", &warnings.to_string())));
        }
        lines.push(format!("{}{rule}\nTotal states run: {total:>1$}{end}", c.cyan, width - 7));
        if self.profile {
            let mut took = tally.total + tally.longest.unwrap_or(0.0);
            let mut unit = "ms";
            if took > 999.0 {
                (took, unit) = (took / 1000.0, "s");
            }
            let number = fixed(took, 3);
            lines.push(format!("{}Total run time: {number:>1$} {unit}{end}", c.cyan, width - 5));
        }
    }
}

/// `round(x, places)`: the nearest decimal, correctly rounded.
pub(super) fn rounded(x: f64, places: usize) -> f64 {
    if x.is_finite() { format!("{x:.places$}").parse().unwrap_or(x) } else { x }
}
