//! What `salt` prints: returns as they come, documentation, the summary.

use crate::client::Part;
use crate::exit::{CliError, GENERIC, NO_RETURN, Result};
use crate::output::Output;
use brine_protocol::{Map, Value};
use std::collections::BTreeMap;

/// Prints a job's parts in the way the command line asks for, and remembers how the job went.
pub(crate) struct Show<'o> {
    out: &'o Output,
    how: How,
    jid: String,
    parts: BTreeMap<String, Part>,
    order: Vec<String>,
}

/// In what way parts are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct How {
    /// Nothing but a bar, which somebody else draws.
    pub(crate) quiet: bool,
    /// As documentation, merged over all minions.
    pub(crate) docs: bool,
    /// So many summaries at the end.
    pub(crate) summaries: usize,
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
        if !self.how.quiet && !self.how.docs {
            let (value, out) = part.printable(&self.jid);
            self.out.show_return(&one(id, value), &out, part.retcode())?;
        }
        self.order.push(id.to_owned());
        self.parts.insert(id.to_owned(), part);
        Ok(())
    }

    /// The job is over: prints what was held back. The error is the exit code of a job that did not go well.
    pub(crate) fn finish(self) -> Result {
        if self.how.docs {
            return if self.parts.is_empty() { self.nobody() } else { self.docs() };
        }
        for _ in 0..self.how.summaries {
            self.summary()?;
        }
        if !self.how.quiet && self.parts.values().any(|p| p.retcode() != 0) {
            eprintln!("ERROR: Minions returned with non-zero exit code");
            return Err(CliError::Code(GENERIC));
        }
        Ok(())
    }

    /// Nobody was meant: an empty result, which only some formats show.
    pub(crate) fn nobody(&self) -> Result {
        if self.how.docs {
            eprintln!("No minions found to gather docs from");
        } else {
            self.out.show_return(&Map::new(), "", 0)?;
            eprintln!("ERROR: No return received");
        }
        Err(CliError::Code(NO_RETURN))
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
        let silent = |p: &Part| !p.returned();
        let failed = |p: &Part| p.returned() && p.retcode() != 0;
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

/// A map of one entry.
pub(crate) fn one(key: &str, value: Value) -> Map {
    [(key, value)].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::Opts;

    #[test]
    fn only_a_job_for_nobody_ends_without_a_return() {
        let out = Output::new(&Opts::default()).unwrap();
        let show = || Show::new(&out, How::default(), "1");
        // The minions that were meant are silent, and silent ones are hidden.
        assert!(show().finish().is_ok());
        assert!(matches!(show().nobody(), Err(CliError::Code(NO_RETURN))));
        let docs = Show::new(&out, How { docs: true, ..How::default() }, "1");
        assert!(matches!(docs.finish(), Err(CliError::Code(NO_RETURN))));
    }
}
