//! Dates and times of day for people: a moment in a zone, and Python's `strftime` of it in the C locale.

use std::time::{SystemTime, UNIX_EPOCH};

/// A moment, taken apart in some zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Year.
    pub year: i64,
    /// Month, from 1.
    pub month: u32,
    /// Day of the month, from 1.
    pub day: u32,
    /// Hour, 0 to 23.
    pub hour: u32,
    /// Minute, 0 to 59.
    pub minute: u32,
    /// Second, 0 to 59.
    pub second: u32,
    /// Days since the first of January, and since Sunday.
    year_day: u32,
    week_day: u32,
    /// Seconds since 1970 in UTC, the zone's distance east of it, and its name.
    unix: i64,
    /// Seconds east of UTC.
    pub offset: i64,
    /// None for a moment without zone, as Python's plain dates are.
    zone: Option<String>,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Seconds since 1970 now.
pub fn unix_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

/// Days since 1970 of a date of the Gregorian calendar.
fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let shifted = (i64::from(month) + 9) % 12;
    let of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970.
pub fn date_of(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as u32, day as u32)
}

/// Seconds since 1970 of the first moment of a day in UTC.
pub fn unix_of(year: i64, month: u32, day: u32) -> i64 {
    days_of(year, month, day) * 86_400
}

/// How many days a month has; none for a month that is none.
pub fn days_in(year: i64, month: u32) -> u32 {
    match month {
        12 => 31,
        1..=11 => (days_of(year, month + 1, 1) - days_of(year, month, 1)) as u32,
        _ => 0,
    }
}

impl Clock {
    /// A moment so many seconds east of UTC, without a zone.
    pub fn at(unix: i64, offset: i64) -> Self {
        let local = unix + offset;
        let (days, seconds) = (local.div_euclid(86_400), local.rem_euclid(86_400) as u32);
        let (year, month, day) = date_of(days);
        Self {
            year,
            month,
            day,
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            year_day: (days - days_of(year, 1, 1)) as u32,
            week_day: (days + 4).rem_euclid(7) as u32,
            unix,
            offset,
            zone: None,
        }
    }

    /// A moment in the machine's own zone.
    pub fn local(unix: i64) -> Self {
        // Read once, as the C library does.
        static ZONE: std::sync::OnceLock<Option<tz::TimeZone>> = std::sync::OnceLock::new();
        let zone = ZONE.get_or_init(|| tz::TimeZone::local().ok());
        let kind = zone.as_ref().and_then(|z| z.find_local_time_type(unix).ok());
        let name = kind.map_or("UTC", |k| k.time_zone_designation());
        Self::at(unix, kind.map_or(0, |k| k.ut_offset().into())).in_zone(name)
    }

    /// The same moment with a zone of that name, for `%Z` and `%z`.
    fn in_zone(self, name: &str) -> Self {
        Self { zone: Some(name.to_owned()), ..self }
    }

    /// The same moment without zone: `%Z` and `%z` are empty, as of Python's plain dates.
    #[must_use]
    pub fn naive(self) -> Self {
        Self { zone: None, ..self }
    }

    /// Now, in the machine's own zone.
    pub fn now() -> Self {
        Self::local(unix_now() as i64)
    }

    /// `2026-11-25T14:03:59`.
    pub fn iso(&self) -> String {
        self.strftime("%Y-%m-%dT%H:%M:%S")
    }

    /// Python's `strftime`. A directive that is none stays as it is written.
    pub fn strftime(&self, format: &str) -> String {
        let mut out = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let mut directive = chars.next();
            // glibc: `-` drops the padding.
            let bare = directive == Some('-');
            if bare {
                directive = chars.next();
            }
            match directive {
                Some(d) => match self.directive(d) {
                    Some(text) if bare => {
                        out.push_str(text.trim_start_matches(['0', ' ']).get(..).unwrap_or(""))
                    }
                    Some(text) => out.push_str(&text),
                    None => out.extend(['%', d]),
                },
                None => out.push('%'),
            }
        }
        out
    }

    fn directive(&self, d: char) -> Option<String> {
        let twelve = if self.hour.is_multiple_of(12) { 12 } else { self.hour % 12 };
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let name = |names: &[&str], i: u32| names.get(i as usize).copied().unwrap_or("").to_owned();
        Some(match d {
            'Y' => self.year.to_string(),
            'C' => format!("{:02}", self.year.div_euclid(100)),
            'y' => format!("{:02}", self.year.rem_euclid(100)),
            'm' => format!("{:02}", self.month),
            'd' => format!("{:02}", self.day),
            'e' => format!("{:2}", self.day),
            'H' => format!("{:02}", self.hour),
            'k' => format!("{:2}", self.hour),
            'I' => format!("{twelve:02}"),
            'l' => format!("{twelve:2}"),
            'M' => format!("{:02}", self.minute),
            'S' => format!("{:02}", self.second),
            'f' => "000000".into(),
            'p' => half.into(),
            'P' => half.to_lowercase(),
            'A' => name(&DAYS, self.week_day),
            'a' => name(&DAYS, self.week_day).chars().take(3).collect(),
            'B' => name(&MONTHS, self.month - 1),
            'b' | 'h' => name(&MONTHS, self.month - 1).chars().take(3).collect(),
            'j' => format!("{:03}", self.year_day + 1),
            'w' => self.week_day.to_string(),
            'u' => (if self.week_day == 0 { 7 } else { self.week_day }).to_string(),
            'U' => format!("{:02}", (self.year_day + 7 - self.week_day) / 7),
            'W' => format!("{:02}", (self.year_day + 7 - (self.week_day + 6) % 7) / 7),
            'V' => format!("{:02}", self.iso_week().1),
            'G' => self.iso_week().0.to_string(),
            'g' => format!("{:02}", self.iso_week().0.rem_euclid(100)),
            's' => self.unix.to_string(),
            'Z' => self.zone.clone().unwrap_or_default(),
            'z' if self.zone.is_none() => String::new(),
            'z' => {
                let sign = if self.offset < 0 { '-' } else { '+' };
                let minutes = self.offset.abs() / 60;
                format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
            }
            'c' => self.strftime("%a %b %e %H:%M:%S %Y"),
            'x' | 'D' => self.strftime("%m/%d/%y"),
            'X' | 'T' => self.strftime("%H:%M:%S"),
            'F' => self.strftime("%Y-%m-%d"),
            'R' => self.strftime("%H:%M"),
            'r' => self.strftime("%I:%M:%S %p"),
            'n' => "\n".into(),
            't' => "\t".into(),
            '%' => "%".into(),
            _ => return None,
        })
    }

    /// The ISO year and week.
    fn iso_week(&self) -> (i64, u32) {
        let monday_based = i64::from((self.week_day + 6) % 7);
        // The week belongs to the year its Thursday is in.
        let today = days_of(self.year, self.month, self.day);
        let thursday = today - monday_based + 3;
        let (year, ..) = date_of(thursday);
        (year, ((thursday - days_of(year, 1, 1)) / 7 + 1) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_calendars() {
        let c = Clock::at(1_795_615_141, 0);
        assert_eq!(c.iso(), "2026-11-25T13:59:01");
        assert_eq!(
            c.strftime("%A, %d. %B %Y %I:%M%p %j %U %W %V %G %u %%%q"),
            "Wednesday, 25. November 2026 01:59PM 329 47 47 48 2026 3 %%q"
        );
        assert_eq!(
            Clock::at(-1, 3600).in_zone("CET").strftime("%F %T %z %Z"),
            "1970-01-01 00:59:59 +0100 CET"
        );
        assert_eq!(Clock::at(-1, 3600).strftime("%F %T%z%Z"), "1970-01-01 00:59:59");
        assert_eq!(Clock::at(1_609_459_200, 0).strftime("%G-%V"), "2020-53");
        assert_eq!((days_in(2024, 2), days_in(2023, 2), days_in(2023, 13)), (29, 28, 0));
    }
}
