//! Dates and times as people write them, read by the rules of dateutil's parser, which stock uses for `when`, `range`,
//! `until` and `after` of schedules, and to search for jobs by time: `5:00pm`, `Monday 5:00pm`, `12/25/2026 4pm`, `2026-11-25T17:00:00Z`.

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

/// Why a text is no date, in dateutil's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// A piece of it has no meaning.
    #[error("Unknown string format")]
    Unknown,
    /// It tells nothing.
    #[error("String does not contain a date")]
    Nothing,
    /// There is no such date.
    #[error("{0}")]
    Range(&'static str),
}

/// What a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The moment on the machine's own clock.
    pub moment: Moment,
    /// Whether a zone was named.
    pub zoned: bool,
}

/// The moment a text names: what it leaves out is that of the day of `now`, a day of the week is the next such day. A
/// text with a zone is converted to the machine's own.
///
/// # Errors
/// When it is no date.
pub fn read(text: &str, now: Moment) -> Result<Written, DateError> {
    if text.len() > LONGEST {
        return Err(DateError::Unknown);
    }
    let told = words::read(tokens::split(text), now.date().0).map_err(|NoDate| DateError::Unknown)?;
    let moment = build::moment(&told, now)?;
    Ok(Written { moment, zoned: told.zone.is_some() || told.offset.is_some() })
}

/// The moment of [`read`], or None.
pub fn parse(text: &str, now: Moment) -> Option<Moment> {
    read(text, now).ok().map(|written| written.moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_date_is_told_in_dateutils_words() {
        let now = Moment::new((2026, 11, 25), (12, 0, 0), 0).unwrap();
        for (text, want) in [
            ("yesterday", "Unknown string format"),
            ("", "String does not contain a date"),
            ("2015-02-30", "day is out of range for month"),
            ("25:00", "hour must be in 0..23"),
            ("10:61", "minute must be in 0..59"),
        ] {
            assert_eq!(read(text, now).unwrap_err().to_string(), want, "{text}");
        }
        let zoned = |text: &str| read(text, now).unwrap().zoned;
        assert!(zoned("2015-03-18T22:00:05Z") && zoned("2015-03-18 22:00:05+01:00"));
        assert!(!zoned("2015-03-18T22:00:05"));
    }

    /// As measured with the real one.
    #[test]
    fn texts_mean_what_dateutil_says() {
        let now = Moment::new((2026, 11, 25), (12, 0, 0), 0).unwrap();
        let moment = |date, time, micro| Moment::new(date, time, micro).unwrap();
        let day = (2015, 3, 18);
        for (text, want) in [
            ("2015, Mar 18 22:00:00.000000", moment(day, (22, 0, 0), 0)),
            ("2015-03-18T22:00:05.25", moment(day, (22, 0, 5), 250_000)),
            ("20150318T2210", moment(day, (22, 10, 0), 0)),
            ("20150318221005", moment(day, (22, 10, 5), 0)),
            ("3/18/2015", moment(day, (0, 0, 0), 0)),
            ("18/3/2015", moment(day, (0, 0, 0), 0)),
            ("18.03.2015 07:30", moment(day, (7, 30, 0), 0)),
            ("18 March 2015 10pm", moment(day, (22, 0, 0), 0)),
            ("March 18th, 2015 at 10:30 am", moment(day, (10, 30, 0), 0)),
            ("Wed Mar 18 22:00:00 2015", moment(day, (22, 0, 0), 0)),
            ("18-Mar-15", moment(day, (0, 0, 0), 0)),
            ("Mar 2015", moment((2015, 3, 25), (0, 0, 0), 0)),
            ("10:30", moment((2026, 11, 25), (10, 30, 0), 0)),
            ("12am", moment((2026, 11, 25), (0, 0, 0), 0)),
            ("10h36m", moment((2026, 11, 25), (10, 36, 0), 0)),
            ("Friday", moment((2026, 11, 27), (0, 0, 0), 0)),
            ("2015", moment((2015, 11, 25), (0, 0, 0), 0)),
            ("Feb 2015", moment((2015, 2, 25), (0, 0, 0), 0)),
        ] {
            assert_eq!(read(text, now).map(|w| w.moment), Ok(want), "{text}");
        }
    }
}
