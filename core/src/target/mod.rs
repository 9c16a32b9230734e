//! Who a job is for: Salt's target expressions.
//!
//! Two readers: a minion asks [`matches()`] about itself; a master asks [`check_minions`] for the set it expects to
//! answer. Both are pure functions over data handed in. Work is bounded: an expression that asks for too much
//! matches nobody.

mod check;
mod compound;
mod fnmatch;
mod ipcidr;
mod minion;
mod nodegroup;
mod pyre;
mod pyre_group;
mod pyre_syntax;
mod pyre_template;
mod subdict;

pub use check::{Checked, Fleet, FleetData, check_minions, validate_tgt};
pub use fnmatch::{fnmatch, is_pattern};
pub use minion::{Subject, matches, nodegroup_match};
pub use nodegroup::{INVENTORY, nodegroup, nodegroup_comp};
pub use pyre::{Anchor, Flags, Regex, RegexError, Spans};
pub use pyre_template::{Template, TemplateError};
pub use subdict::{Compare, Search, traverse};

/// The delimiter between the levels of a grain or pillar target.
pub const DEFAULT_TARGET_DELIM: &str = ":";

/// Salt's `expr_match`: a shell pattern, or else a regular expression for the whole text.
pub fn expr_match(line: &str, expr: &str) -> bool {
    fnmatch(line, expr) || Regex::new(expr, Anchor::Full).is_ok_and(|re| re.is_match(line).unwrap_or(false))
}
