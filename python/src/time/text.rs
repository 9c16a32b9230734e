//! Dates and times as text: `str`, `repr` and `isoformat`.

use super::{Date, DateTime, Delta, Time, Zone};
use std::fmt;

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        if self.micro != 0 {
            write!(f, ".{:06}", self.micro)?;
        }
        Ok(())
    }
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds, micros) = self.parts();
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if micros != 0 {
            write!(f, ".{micros:06}")?;
        }
        Ok(())
    }
}

impl Date {
    pub(crate) fn repr(&self) -> String {
        format!("datetime.date({}, {}, {})", self.year, self.month, self.day)
    }
}

impl Time {
    /// Seconds and microseconds as `repr` has them: left out when they are 0.
    fn tail(&self) -> String {
        match (self.second, self.micro) {
            (0, 0) => String::new(),
            (second, 0) => format!(", {second}"),
            (second, micro) => format!(", {second}, {micro}"),
        }
    }

    pub(crate) fn repr(&self) -> String {
        format!("datetime.time({}, {}{})", self.hour, self.minute, self.tail())
    }
}

impl DateTime {
    /// ISO 8601 with any sign between date and time.
    pub(crate) fn iso(&self, between: char) -> String {
        let zone = self.zone.as_ref().map_or(String::new(), |z| z.offset(":"));
        format!("{}{between}{}{zone}", self.date, self.time)
    }

    pub(crate) fn repr(&self) -> String {
        let Date { year, month, day } = self.date;
        let Time { hour, minute, .. } = self.time;
        let zone = self.zone.as_ref().map_or(String::new(), |z| format!(", tzinfo={}", z.repr()));
        let tail = self.time.tail();
        format!("datetime.datetime({year}, {month}, {day}, {hour}, {minute}{tail}{zone})")
    }
}

impl Delta {
    pub(crate) fn repr(&self) -> String {
        let (days, seconds, micros) = self.parts();
        let parts: Vec<String> = [("days", days), ("seconds", seconds), ("microseconds", micros)]
            .into_iter()
            .filter(|(_, n)| *n != 0)
            .map(|(name, n)| format!("{name}={n}"))
            .collect();
        match parts.is_empty() {
            true => "datetime.timedelta(0)".to_owned(),
            false => format!("datetime.timedelta({})", parts.join(", ")),
        }
    }
}

impl Zone {
    /// `+02:00`, or `+0200` with nothing between.
    pub(crate) fn offset(&self, between: &str) -> String {
        let n = self.seconds().abs();
        let sign = if self.seconds() < 0 { '-' } else { '+' };
        let seconds = if n % 60 == 0 { String::new() } else { format!("{between}{:02}", n % 60) };
        format!("{sign}{:02}{between}{:02}{seconds}", n / 3600, n / 60 % 60)
    }

    /// `UTC` or `UTC+02:00`.
    pub(crate) fn name(&self) -> String {
        if self.seconds() == 0 { "UTC".into() } else { format!("UTC{}", self.offset(":")) }
    }

    pub(crate) fn repr(&self) -> String {
        if self.seconds() == 0 {
            return "datetime.timezone.utc".into();
        }
        let delta = Delta(i128::from(self.seconds()) * 1_000_000);
        format!("datetime.timezone({})", delta.repr())
    }
}
