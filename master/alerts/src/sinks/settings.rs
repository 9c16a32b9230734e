//! What every sink can be told, whatever its kind.

use std::time::Duration;

use super::{KINDS, Kind};
use crate::conf::{ConfError, Keys};
use crate::queue::{Backoff, Rate, Waiting};

/// What notices are grouped by, where `group_by` does not say.
const GROUP_BY: [&str; 2] = ["alertname", "site"];

/// The labels that a message says of a group: those of `group_by`, or the usual ones where it has none.
pub(super) fn told_by(keys: &mut Keys<'_>) -> Result<Vec<String>, ConfError> {
    let by = keys.texts("group_by")?;
    Ok(if by.is_empty() { GROUP_BY.map(str::to_owned).into() } else { by })
}

/// These, read.
pub(super) struct Settings {
    pub(super) kind: &'static Kind,
    pub(super) waiting: Waiting,
    pub(super) backoff: Backoff,
    pub(super) rate: Option<Rate>,
}

impl Settings {
    pub(super) fn read(keys: &mut Keys<'_>, name: &str) -> Result<Self, ConfError> {
        let named = keys.text("kind")?.unwrap_or_else(|| name.to_owned());
        let kind = KINDS.iter().find(|kind| kind.name == named).copied().ok_or_else(|| {
            let all: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            keys.error("kind", format!("there is no kind {named:?}; there are {}", all.join(", ")))
        })?;
        let default = Backoff::default();
        let backoff = Backoff {
            first: keys.time("retry_first")?.unwrap_or(default.first).max(Duration::from_millis(10)),
            most: keys.time("retry_most")?.unwrap_or(default.most),
            give_up: keys.time("give_up")?.unwrap_or(default.give_up),
        };
        let rate = match keys.text("rate")?.or(kind.rate.map(str::to_owned)) {
            None => None,
            Some(text) => {
                let rate = Rate::parse(&text);
                Some(rate.ok_or_else(|| {
                    keys.error("rate", "has to be a count in a time, such as 10/s or 30/1m")
                })?)
            }
        };
        let group_by = if keys.value("group_by").is_some() {
            keys.texts("group_by")?
        } else {
            GROUP_BY.map(str::to_owned).into()
        };
        let group_wait = keys.time("group_wait")?;
        if kind.group_wait.is_none() && (keys.value("group_by").is_some() || group_wait.is_some()) {
            return Err(keys.error("group_by", format!("the kind {named} does not group")));
        }
        let waiting = Waiting {
            most: keys.count("queue", 10_000, 1, 1_000_000)?,
            group_by: kind.group_wait.map(|_| group_by),
            group_wait: group_wait.or(kind.group_wait).unwrap_or_default(),
            batch: keys.count("batch", kind.batch, 1, 1000)?,
        };
        Ok(Self { kind, waiting, backoff, rate })
    }
}
