//! One minion's part of a job, as data.

use crate::exit::GENERIC;
use brine_protocol::{Map, Value};

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
        /// The job's id, as the return has it.
        jid: Option<String>,
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
            jid: data.get_str("jid").map(str::to_owned),
        }
    }

    /// The worst return code; of a minion that has not returned, stock's generic one.
    pub(crate) fn retcode(&self) -> i64 {
        match self {
            Self::Returned { retcode, .. } => *retcode,
            _ => i64::from(GENERIC),
        }
    }

    /// Whether the minion has returned.
    pub(crate) fn returned(&self) -> bool {
        matches!(self, Self::Returned { .. })
    }

    /// The value to print, and its outputter. A text of a minion that has not returned says why, and how to look later.
    pub(crate) fn printable(&self, jid: &str) -> (Value, String) {
        match self {
            Self::Returned { value, out, .. } => (value.clone(), out.clone()),
            Self::NotConnected => ("Minion did not return. [Not connected]".into(), "no_return".into()),
            Self::NoResponse => (
                format!(
                    "Minion did not return. [No response]\nThe minions may not have all finished running and any remaining \
                     minions will return upon completion. To look up the return data for this job later, run the \
                     following command:\n\nsalt-run jobs.lookup_jid {jid}"
                )
                .into(),
                "no_return".into(),
            ),
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
