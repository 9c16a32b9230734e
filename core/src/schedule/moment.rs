//! Moments on the wall clock: date and time of day without zone, to the microsecond, as Python's plain `datetime`.
//! The schedule thinks in these, so that "5pm" is 5pm on either side of a change of daylight saving time.

use crate::clock::{Clock, date_of, days_in, unix_now, unix_of};
use brine_protocol::DateTime;

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds of a day.
pub const DAY: i64 = 86_400 * SECOND;

/// A moment on the wall clock. Ordered; the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// The moment so many microseconds after the first of January 1970, kept within the years 1 to 9999.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(unix_of(1, 1, 1) * SECOND, unix_of(10_000, 1, 1) * SECOND - 1))
    }

    /// Microseconds since the first of January 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// The moment that the machine's own clock shows so many microseconds after 1970 in UTC.
    pub fn local(unix_micros: i64) -> Self {
        let offset = Clock::local(unix_micros.div_euclid(SECOND)).offset;
        Self::from_micros(unix_micros.saturating_add(offset * SECOND))
    }

    /// The moment that the machine's own clock shows now.
    pub fn now() -> Self {
        Self::local((unix_now() * SECOND as f64) as i64)
    }

    /// When, in microseconds after 1970 in UTC, the machine's own clock shows this moment or first shows a later one;
    /// looked for from `now` on, and never before it.
    pub fn to_unix(self, now: i64) -> i64 {
        self.to_unix_by(now, |unix| Clock::local(unix.div_euclid(SECOND)).offset * SECOND)
    }

    /// The same in a zone that is so far east of UTC at a time, all in microseconds.
    fn to_unix_by(self, now: i64, offset: impl Fn(i64) -> i64) -> i64 {
        let shows = |unix: i64| unix.saturating_add(offset(unix));
        let straight = self.0.saturating_sub(offset(now)).max(now);
        if offset(straight) == offset(now) {
            return straight;
        }
        // The clock is changed on the way: the first moment that shows this or more.
        let (mut low, mut high) = (now, straight.max(self.0.saturating_sub(offset(straight))));
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if shows(middle) >= self.0 {
                high = middle;
            } else {
                low = middle;
            }
        }
        if shows(low) >= self.0 { low } else { high }
    }

    /// A date with time of day; None if there is no such.
    pub fn new(date: (i64, u32, u32), time: (u32, u32, u32), micro: u32) -> Option<Self> {
        let ((year, month, day), (hour, minute, second)) = (date, time);
        let valid = (1..=9999).contains(&year)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60
            && micro < 1_000_000;
        let seconds = i64::from(hour * 3600 + minute * 60 + second);
        valid.then(|| Self((unix_of(year, month, day) + seconds) * SECOND + i64::from(micro)))
    }

    /// Year, month and day.
    pub fn date(self) -> (i64, u32, u32) {
        date_of(self.0.div_euclid(DAY))
    }

    /// Hour, minute and second.
    pub fn time(self) -> (u32, u32, u32) {
        let seconds = (self.0.rem_euclid(DAY) / SECOND) as u32;
        (seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    /// The part of a second, in microseconds.
    pub fn micro(self) -> u32 {
        self.0.rem_euclid(SECOND) as u32
    }

    /// Days since Sunday, 0 to 6.
    pub fn week_day(self) -> u32 {
        (self.0.div_euclid(DAY) + 4).rem_euclid(7) as u32
    }

    /// The moment so many microseconds later.
    #[must_use]
    pub fn plus(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// The same without its part of a second.
    #[must_use]
    pub fn whole(self) -> Self {
        Self(self.0 - self.0.rem_euclid(SECOND))
    }

    /// The first moment of its day.
    #[must_use]
    pub fn midnight(self) -> Self {
        Self(self.0 - self.0.rem_euclid(DAY))
    }

    /// As people write it, by Python's `strftime`.
    pub fn strftime(self, format: &str) -> String {
        // Python's `%f`; all else is the clock's.
        let micro = format!("{:06}", self.micro());
        Clock::at(self.0.div_euclid(SECOND), 0).strftime(&format.replace("%f", &micro))
    }
}

impl From<DateTime> for Moment {
    fn from(d: DateTime) -> Self {
        let date = (i64::from(d.year), u32::from(d.month), u32::from(d.day));
        let time = (u32::from(d.hour), u32::from(d.minute), u32::from(d.second));
        Self::new(date, time, d.micro).unwrap_or(Self(0))
    }
}

impl From<Moment> for DateTime {
    fn from(m: Moment) -> Self {
        let ((year, month, day), (hour, minute, second)) = (m.date(), m.time());
        DateTime {
            year: year as u16,
            month: month as u8,
            day: day as u8,
            hour: hour as u8,
            minute: minute as u8,
            second: second as u8,
            micro: m.micro(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_taken_apart_and_put_together() {
        let m = Moment::new((2024, 2, 29), (23, 59, 58), 7).unwrap();
        assert_eq!((m.date(), m.time(), m.micro(), m.week_day()), ((2024, 2, 29), (23, 59, 58), 7, 4));
        assert_eq!(Moment::from(DateTime::from(m)), m);
        assert_eq!(m.strftime("%Y-%m-%dT%H:%M:%S.%f"), "2024-02-29T23:59:58.000007");
        assert_eq!(m.plus(2 * SECOND).date(), (2024, 3, 1));
        assert_eq!(Moment::new((2023, 2, 29), (0, 0, 0), 0), None);
        assert_eq!(Moment::new((2023, 1, 1), (24, 0, 0), 0), None);
    }

    #[test]
    fn changes_of_the_clock_are_seen() {
        const HOUR: i64 = 3600 * SECOND;
        let at = |hour: i64| Moment::from_micros(hour * HOUR);
        // At noon the clock goes from 13 to 14 in spring, and back from 14 to 13 in autumn.
        let spring = |unix: i64| if unix < 12 * HOUR { HOUR } else { 2 * HOUR };
        let autumn = |unix: i64| if unix < 12 * HOUR { 2 * HOUR } else { HOUR };
        assert_eq!(at(12).to_unix_by(0, spring), 11 * HOUR);
        assert_eq!(at(15).to_unix_by(0, spring), 13 * HOUR);
        let skipped = at(13).plus(HOUR / 2);
        assert_eq!(skipped.to_unix_by(0, spring), 12 * HOUR, "what is skipped is over at once");
        assert_eq!(at(13).to_unix_by(0, autumn), 11 * HOUR, "the first of two");
        assert_eq!(at(15).to_unix_by(0, autumn), 14 * HOUR);
    }

    #[test]
    fn a_moment_is_found_again_in_time() {
        let now = 1_795_615_141 * SECOND;
        let later = Moment::local(now).plus(3 * DAY);
        let unix = later.to_unix(now);
        assert!(Moment::local(unix) >= later && Moment::local(unix - 1) < later);
        assert_eq!(Moment::local(now).plus(-SECOND).to_unix(now), now, "the past is now");
    }
}
