//! Dates and times as people write them, read by the rules of dateutil's parser, which stock uses for `when`, `range`,
//! `until` and `after`: `5:00pm`, `Monday 5:00pm`, `12/25/2026 4pm`, `2026-11-25T17:00:00Z`.

mod build;
mod numbers;
mod tokens;
mod words;
mod ymd;

use super::moment::Moment;

/// What a text told.
#[derive(Clone, Debug, Default)]
struct Told {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    /// Days since Monday.
    week_day: Option<u32>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
    micro: Option<i64>,
    zone: Option<String>,
    /// Seconds east of UTC.
    offset: Option<i64>,
}

/// The text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NoDate;

/// How long a text may be.
const LONGEST: usize = 200;

/// The moment a text names: what it leaves out is that of the day of `now`, a day of the week is the next such day. A
/// text with a zone is converted to the machine's own. None: it is no date.
pub fn parse(text: &str, now: Moment) -> Option<Moment> {
    if text.len() > LONGEST {
        return None;
    }
    let told = words::read(tokens::split(text), now.date().0).ok()?;
    build::moment(&told, now)
}
