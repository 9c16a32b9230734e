//! What `salt` prints: returns as they come or as one group, documentation, the summary.

use crate::exit::{CliError, GENERIC, NO_RETURN, Result};
use crate::output::Output;
use brine_protocol::{Map, Value};
use std::collections::BTreeMap;

/// One minion's part of a job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// It has returned.
    Returned {
        /// What the function gave.
        value: Value,
        /// The outputter that the function asked for, or empty text.
        out: String,
        /// The worst return code.
        retcode: i64,
    },
    /// It has not returned: still unknown why.
    NoResponse,
    /// The master has no connection to it.
    NotConnected,
}

impl Part {
    /// The part that a return event tells of.
    pub(crate) fn of_return(data: &Map) -> Self {
        Self::Returned {
            value: data.get("return").cloned().unwrap_or_default(),
            out: data.get_str("out").unwrap_or("").to_owned(),
            retcode: data.get("retcode").map_or(0, worst),
        }
    }

    fn retcode(&self) -> i64 {
        match self {
            Self::Returned { retcode, .. } => *retcode,
            _ => i64::from(GENERIC),
        }
    }
}

/// The return code of a job, or the worst of several.
fn worst(retcode: &Value) -> i64 {
    match retcode {
        Value::Map(m) => m.values().map(worst).max().unwrap_or(0),
        Value::List(l) => l.iter().map(worst).max().unwrap_or(0),
        other => other.as_int().unwrap_or(0),
    }
}

/// Prints a job's parts in the way the command line asks for, and remembers how the job went.
pub(crate) struct Show<'o> {
    out: &'o Output,
    how: How,
    jid: String,
    parts: BTreeMap<String, Part>,
    order: Vec<String>,
}

/// In what way parts are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct How {
    /// All together at the end.
    pub(crate) grouped: bool,
    /// As documentation, merged over all minions.
    pub(crate) docs: bool,
    /// With a summary at the end.
    pub(crate) summary: bool,
    /// The summary names minions.
    pub(crate) verbose: bool,
}

impl<'o> Show<'o> {
    /// Shows the job of this id.
    pub(crate) fn new(out: &'o Output, how: How, jid: &str) -> Self {
        Self { out, how, jid: jid.to_owned(), parts: BTreeMap::new(), order: Vec::new() }
    }

    /// One minion's part has come.
    pub(crate) fn part(&mut self, id: &str, part: Part) -> Result {
        if !self.how.grouped && !self.how.docs {
            let (value, out) = self.printable(&part);
            self.out.show_return(&one(id, value), &out, part.retcode())?;
        }
        self.order.push(id.to_owned());
        self.parts.insert(id.to_owned(), part);
        Ok(())
    }

    /// The value to print for a part, and its outputter.
    fn printable(&self, part: &Part) -> (Value, String) {
        match part {
            Part::Returned { value, out, .. } => (value.clone(), out.clone()),
            Part::NotConnected => ("Minion did not return. [Not connected]".into(), "no_return".into()),
            Part::NoResponse => (
                format!(
                    "Minion did not return. [No response]\nThe minions may not have all finished running and any \
                     remaining minions will return upon completion. To look up the return data for this job later, run \
                     the following command:\n\nsalt-run jobs.lookup_jid {}",
                    self.jid
                )
                .into(),
                "no_return".into(),
            ),
        }
    }

    /// The job is over: prints what was held back. The error is the exit code of a job that did not go well.
    pub(crate) fn finish(self) -> Result {
        if self.parts.is_empty() {
            eprintln!("ERROR: No return received");
            return Err(CliError::Code(NO_RETURN));
        }
        if self.how.docs {
            self.docs()?;
            return Ok(());
        }
        if self.how.grouped {
            let all: Map =
                self.order.iter().map(|id| (id.as_str(), self.printable(&self.parts[id]).0)).collect();
            self.out.show_return(&all, "", 0)?;
        }
        if self.how.summary {
            self.summary()?;
        }
        if self.parts.values().any(|p| p.retcode() != 0) {
            eprintln!("ERROR: Minions returned with non-zero exit code");
            return Err(CliError::Code(GENERIC));
        }
        Ok(())
    }

    /// Every function's documentation once, whoever gave it.
    fn docs(&self) -> Result {
        let mut docs: BTreeMap<&str, &str> = BTreeMap::new();
        for part in self.parts.values() {
            let Part::Returned { value: Value::Map(functions), .. } = part else { continue };
            for (fun, doc) in functions {
                if let (Some(fun), Some(doc)) = (fun.as_str(), doc.as_str().filter(|d| !d.is_empty())) {
                    docs.entry(fun).or_insert(doc);
                }
            }
        }
        for (fun, doc) in docs {
            if self.out.chosen() {
                self.out.show(&one(fun, doc.into()).into(), "nested")?;
            } else {
                self.out.line(&format!("{fun}:\n{doc}\n"))?;
            }
        }
        Ok(())
    }

    fn summary(&self) -> Result {
        let count = |f: fn(&Part) -> bool| self.parts.values().filter(|p| f(p)).count();
        let silent = |p: &Part| !matches!(p, Part::Returned { .. });
        let failed = |p: &Part| matches!(p, Part::Returned { retcode, .. } if *retcode != 0);
        let rule = "-------------------------------------------";
        let mut lines = vec![
            "\n".to_owned(),
            rule.into(),
            "Summary".into(),
            rule.into(),
            format!("# of minions targeted: {}", self.parts.len()),
            format!("# of minions returned: {}", self.parts.len() - count(silent)),
            format!("# of minions that did not return: {}", count(silent)),
            format!("# of minions with errors: {}", count(failed)),
        ];
        if self.how.verbose {
            type Is = fn(&Part) -> bool;
            let groups: [(&str, Is); 3] = [
                ("Minions not connected", |p| *p == Part::NotConnected),
                ("Minions not responding", |p| *p == Part::NoResponse),
                ("Minions with failures", failed),
            ];
            for (what, is) in groups {
                let names: Vec<&str> =
                    self.order.iter().filter(|id| is(&self.parts[*id])).map(String::as_str).collect();
                if !names.is_empty() {
                    lines.push(format!("{what}: {}", names.join(" ")));
                }
            }
        }
        lines.push(rule.into());
        lines.iter().try_for_each(|line| self.out.line(line))
    }
}

fn one(key: &str, value: Value) -> Map {
    [(key, value)].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn the_worst_code_counts() {
        assert_eq!(worst(&map! {"test.ping" => 0, "cmd.run" => 3}.into()), 3);
        assert_eq!(worst(&Value::List(vec![1.into(), 2.into()])), 2);
        let part = Part::of_return(&map! {"return" => "x", "retcode" => 5});
        assert_eq!(part.retcode(), 5);
        assert_eq!(Part::NoResponse.retcode(), 1);
    }
}
