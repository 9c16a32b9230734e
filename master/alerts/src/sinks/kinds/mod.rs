//! The kinds of sinks, one file each.

mod alertmanager;
mod jsonlines;
mod slack;
mod smtp;
mod sse;
mod syslog;
mod webhook;

use super::Kind;

pub use alertmanager::Silencer;

/// The name of the kind that gets also what goes nowhere.
pub(super) const ALERTMANAGER: &str = "alertmanager";

/// All of them.
pub static KINDS: [&Kind; 7] = [
    &alertmanager::KIND,
    &jsonlines::KIND,
    &slack::KIND,
    &smtp::KIND,
    &sse::KIND,
    &syslog::KIND,
    &webhook::KIND,
];
