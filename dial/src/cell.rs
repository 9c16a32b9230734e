//! One value of a database's row, with its type.

use brine_core::clock::date_of;
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
    let (year, month, day) = date_of(days);
    let year = u16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
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
