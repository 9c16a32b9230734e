//! The options of the daemons: one table each, with stock's keys and defaults over 3006 to 3008, and for each key
//! what it does here.
//!
//! Not the reading of files: that is `brine_render::config`. A table is constant data; nothing is parsed at start.

mod common;
mod extra;
mod ignored;
mod master;
mod minion;
mod near;
mod types;

pub use ignored::{Instead, ignored, ignored_key, ignores};
pub use near::near_miss;
pub use types::{Default, Status, Type};

use brine_protocol::Map;

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The key in the configuration file.
    pub key: &'static str,
    /// Its value when no file sets it; [`Default::Absent`] where stock has none either.
    pub default: Default,
    /// The types stock takes.
    pub types: &'static [Type],
    /// What becomes of it here.
    pub status: Status,
    /// What it is for, in one line.
    pub doc: &'static str,
}

/// Which daemon's options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daemon {
    /// `salt-master`, and the commands that read its file.
    Master,
    /// `salt-minion` and `salt-call`.
    Minion,
}

impl Daemon {
    /// The name of its file and of its directories: `master` or `minion`.
    pub fn name(self) -> &'static str {
        match self {
            Daemon::Master => "master",
            Daemon::Minion => "minion",
        }
    }

    /// Its options: its own, then those it shares with the other, then those without a type.
    pub fn rows(self) -> impl Iterator<Item = &'static Row> {
        let own = match self {
            Daemon::Master => master::ROWS,
            Daemon::Minion => minion::ROWS,
        };
        own.iter().chain(common::ROWS).chain(extra::ROWS)
    }

    /// The row of a key; also of a key that belongs to the other daemon alone, since stock knows one list of keys.
    pub fn row(self, key: &str) -> Option<&'static Row> {
        let other = match self {
            Daemon::Master => minion::ROWS,
            Daemon::Minion => master::ROWS,
        };
        self.rows().chain(other).find(|row| row.key == key)
    }

    /// The tables by what they hold, for documentation.
    pub fn tables() -> [(&'static str, &'static [Row]); 4] {
        [("master", master::ROWS), ("minion", minion::ROWS), ("both", common::ROWS), ("other", extra::ROWS)]
    }

    /// All defaults, in stock's shapes.
    pub fn defaults(self) -> Map {
        self.rows().filter_map(|row| Some((row.key, row.default.value()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_key_stands_once_and_says_what_it_is() {
        for daemon in [Daemon::Master, Daemon::Minion] {
            let mut seen = HashSet::new();
            for row in daemon.rows() {
                assert!(seen.insert(row.key), "{} stands twice", row.key);
                assert!(!row.doc.is_empty(), "{} has no line of documentation", row.key);
                if let Status::AcceptedWithoutEffect(why) | Status::Deprecated(why) = row.status {
                    assert!(!why.is_empty(), "{} does not say why", row.key);
                }
                if let (Some(value), false) = (row.default.value(), row.types.is_empty()) {
                    assert!(
                        value.is_nil() || row.types.iter().any(|t| t.takes(&value)),
                        "the default of {} has another type than it takes",
                        row.key
                    );
                }
            }
        }
    }

    #[test]
    fn stocks_keys_are_known() {
        for key in
            include_str!("../../tests/data/stock_option_keys.txt").lines().filter(|l| !l.starts_with('#'))
        {
            assert!(Daemon::Master.row(key).is_some(), "{key}");
        }
    }
}
