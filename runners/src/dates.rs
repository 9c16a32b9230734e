//! Dates as people write them in a runner's arguments; how they are read is `brine_core::schedule`'s.

use brine_core::call::{CallError, Result};
use brine_core::schedule::{Moment, Written, read_date};

/// What the machine's clock shows.
pub(crate) fn now() -> Moment {
    Moment::local((brine_core::clock::unix_now() * 1e6) as i64)
}

/// Reads a date as `dateutil` does; `now` fills in what it leaves out.
///
/// # Errors
/// `ParserError` in dateutil's words.
pub(crate) fn parse(text: &str, now: Moment) -> Result<Written> {
    let wrong = |e| CallError::exception("dateutil.parser._parser.ParserError", format!("{e}: {text}"));
    read_date(text, now).map_err(wrong)
}
