//! One value of a database's row, with its type.

use brine_protocol::{DateTime, Value};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Plain data: numbers, text, bytes, dates, lists of such. Decimal numbers and times of day are text.
    Value(Value),
    /// The text of a document in JSON, in a column of that type.
    Json(String),
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        Cell::Value(value)
    }
}

/// Names of columns and rows of as many values.
#[derive(Debug, Default, PartialEq)]
pub struct Selected {
    /// The names.
    pub names: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// A date so many days after 1970, if it has four digits of a year.
pub(crate) fn date(days: i64) -> Option<DateTime> {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year =
        u16::try_from(year + era * 400 + i64::from(month <= 2)).ok().filter(|y| (1..=9999).contains(y))?;
    Some(DateTime {
        year,
        month: u8::try_from(month).ok()?,
        day: u8::try_from(day).ok()?,
        hour: 0,
        minute: 0,
        second: 0,
        micro: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        let shown = |days| date(days).map(|date| date.to_string());
        assert_eq!(shown(0).as_deref(), Some("1970-01-01 00:00:00"));
        assert_eq!(shown(10_957).as_deref(), Some("2000-01-01 00:00:00"));
        assert_eq!(shown(-1).as_deref(), Some("1969-12-31 00:00:00"));
        assert_eq!(shown(11_016).as_deref(), Some("2000-02-29 00:00:00"));
        assert_eq!(shown(10_000_000), None);
    }
}
