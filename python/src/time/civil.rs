//! The calendar: days since the first of January of year 1, weekdays, weeks.

use super::Date;
use crate::error::{PyErr, R};

/// Whether the year has a 29th of February.
fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days a month has.
pub(super) fn days_in(year: i32, month: u8) -> u8 {
    match month {
        2 => 28 + u8::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days before the first of January of a year.
fn before_year(year: i32) -> i64 {
    let y = i64::from(year) - 1;
    y * 365 + y / 4 - y / 100 + y / 400
}

impl Date {
    /// The number of the day: the first of January of year 1 is 1.
    pub(crate) fn ordinal(&self) -> i64 {
        before_year(self.year) + i64::from(self.day_of_year())
    }

    /// From 1.
    pub(crate) fn day_of_year(&self) -> u16 {
        (1..self.month).map(|m| u16::from(days_in(self.year, m))).sum::<u16>() + u16::from(self.day)
    }

    /// The day of that number.
    ///
    /// # Errors
    /// `OverflowError: date value out of range`.
    pub(crate) fn from_ordinal(n: i64) -> R<Self> {
        if !(1..=3_652_059).contains(&n) {
            return Err(PyErr::overflow("date value out of range"));
        }
        // At most one year off.
        let mut year = ((n * 400) / 146_097 + 1).clamp(1, 9999) as i32;
        while before_year(year) >= n {
            year -= 1;
        }
        while year < 9999 && before_year(year + 1) < n {
            year += 1;
        }
        let mut day = n - before_year(year);
        let mut month = 1;
        while day > i64::from(days_in(year, month)) {
            day -= i64::from(days_in(year, month));
            month += 1;
        }
        Ok(Self { year, month, day: day as u8 })
    }

    /// 0 is Monday.
    pub(crate) fn weekday(&self) -> u8 {
        ((self.ordinal() + 6) % 7) as u8
    }

    /// ISO's year, week and weekday (1 is Monday).
    pub(crate) fn iso_calendar(&self) -> (i32, u8, u8) {
        let weekday = self.weekday();
        // The year of a week is that of its Thursday.
        let thursday = self.ordinal() - i64::from(weekday) + 3;
        let mut year = self.year;
        if thursday <= before_year(year) {
            year -= 1;
        } else if thursday > before_year(year + 1) {
            year += 1;
        }
        let week = (thursday - before_year(year) - 1) / 7 + 1;
        (year, week as u8, weekday + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_its_number() {
        let mut date = Date { year: 1, month: 1, day: 1 };
        for n in 1..=3_652_059 {
            assert_eq!(Date::from_ordinal(n).unwrap(), date);
            assert_eq!(date.ordinal(), n);
            date.day += 1;
            if date.day > days_in(date.year, date.month) {
                (date.day, date.month) = (1, date.month + 1);
            }
            if date.month > 12 {
                (date.month, date.year) = (1, date.year + 1);
            }
        }
        assert!(Date::from_ordinal(3_652_060).is_err());
        assert!(Date::from_ordinal(0).is_err());
    }
}
