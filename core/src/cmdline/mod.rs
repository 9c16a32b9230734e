//! Command lines as stock Salt's programs read them: one table of options a program, Python optparse's rules, and what is
//! made from the table: help page, man page, completion for shells. What an option means is the program's business.

mod complete;
mod help;
mod man;
mod number;
mod parse;
mod suite;
mod table;

pub use number::{float, int};
pub use parse::{Parsed, parse, parse_more};
pub use suite::Suite;
pub use table::{
    Kind, LOG_LEVELS, LOGGING, LOGGING_LONG, Opt, PAGES, Program, Section, flag, float_value, int_value,
    log_level, off, value,
};

use brine_protocol::{Map, Value};
use std::collections::HashSet;

/// Salt's `EX_USAGE`.
pub const EX_USAGE: u8 = 64;

impl Program {
    /// Every option, in the table's order.
    pub fn options(&self) -> impl Iterator<Item = &'static Opt> + use<> {
        self.sections.iter().flat_map(|s| s.options)
    }

    /// The text that a command line asks for instead of the program's work: help, `--version` (`version`, since scripts
    /// compare it), man page or completion. None: there is work to do.
    pub fn page(&self, line: &Parsed, version: &str) -> Option<String> {
        if line.has("help") {
            Some(self.help())
        } else if line.has("version") {
            Some(format!("{} {version}\n", self.name))
        } else if line.has("versions_report") {
            let salt = version.split(' ').next().unwrap_or_default();
            Some(format!(
                "Salt Version:\n          Salt: {salt}\n\nBrine Version:\n         Brine: {}\n",
                env!("CARGO_PKG_VERSION")
            ))
        } else if line.has("man") {
            Some(self.man(version))
        } else {
            line.get("completion").map(|shell| self.completion(shell))
        }
    }

    /// What the command line says of the options, typed: flags are true (or false, for those that switch off), numbers
    /// are numbers. What it does not mention is absent.
    pub fn given(&self, line: &Parsed) -> Map {
        let mut map = Map::new();
        for (dest, name, text) in line.each() {
            let kind = self.options().find(|o| o.names.contains(&name)).map(|o| o.kind);
            map.insert(
                dest,
                match kind {
                    Some(Kind::Flag) => Value::Bool(true),
                    Some(Kind::Off) => Value::Bool(false),
                    Some(Kind::Int(_)) => int(text).map_or(Value::Nil, Value::from),
                    Some(Kind::Float(_)) => float(text).map_or(Value::Nil, Value::from),
                    _ => Value::from(text),
                },
            );
        }
        map
    }

    /// What is wrong with the table itself; nothing, if it is sound. For tests.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut seen = HashSet::new();
        for option in self.options() {
            let first = option.names.first().copied().unwrap_or("an option without name");
            if option.help.is_empty() {
                faults.push(format!("{first} has no help"));
            }
            for name in option.names {
                if !seen.insert(*name) {
                    faults.push(format!("{name} is there twice"));
                }
                let long = name.starts_with("--") && name.len() > 3;
                if !(long || name.starts_with('-') && name.chars().count() == 2) {
                    faults.push(format!("{name} is no option's name"));
                }
            }
        }
        faults
    }
}
