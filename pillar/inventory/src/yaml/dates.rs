//! Dates and times as Ruby's reader has them, and as Ruby writes them where the clock is set to UTC.

use brine_core::clock::{date_of, unix_of};

/// A date `2017-1-16` as ISO 8601 has it. The inner nothing is what looks like a date and is none: a text.
pub(super) fn date(value: &str) -> Option<Option<String>> {
    let (year, rest) = value.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let short = |part: &str| matches!(part.len(), 1 | 2) && digits(part);
    if year.len() != 4 || !digits(year) || !short(month) || !short(day) {
        return None;
    }
    let [year, month, day] = [year, month, day].map(|part| part.parse::<i64>().unwrap_or(0));
    if month > 12 || day > 31 {
        return None;
    }
    Some(exists(year, month, day).then(|| format!("{year:04}-{month:02}-{day:02}")))
}

/// Whether a day is in Ruby's calendar, which is Julian before 15 October 1582.
fn exists(year: i64, month: i64, day: i64) -> bool {
    let gap = year == 1582 && month == 10 && (5..15).contains(&day);
    let julian = (year, month, day) < (1582, 10, 15);
    let leap = year % 4 == 0 && (julian || year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=last).contains(&day) && !gap
}

/// A date with a time, as `Time#to_s` has it; nothing if it is none.
pub(super) fn time(value: &str) -> Option<String> {
    let (negative, rest) = value.strip_prefix('-').map_or((false, value), |rest| (true, rest));
    let mut scan = Scan(rest);
    let year = scan.number(4, 4)?;
    scan.one("-")?;
    let month = scan.number(1, 2)?;
    scan.one("-")?;
    let day = scan.number(1, 2)?;
    if scan.one("Tt").is_none() {
        scan.blanks(1)?;
    }
    let hour = scan.number(1, 2)?;
    scan.one(":")?;
    let minute = scan.number(2, 2)?;
    scan.one(":")?;
    let second = scan.number(2, 2)?;
    if scan.one(".").is_some() {
        scan.0 = scan.0.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    scan.blanks(0)?;
    let zone = zone(&mut scan)?;
    let at = Moment { year: if negative { -year } else { year }, month, day, hour, minute, second };
    at.written(zone)
}

enum Zone {
    Utc,
    /// Seconds east; none given is UTC, where the clock is set to that.
    Offset(i64),
}

fn zone(scan: &mut Scan<'_>) -> Option<Zone> {
    if scan.0.is_empty() {
        return Some(Zone::Offset(0));
    }
    if scan.0 == "Z" {
        return Some(Zone::Utc);
    }
    let sign = if scan.one("-").is_some() {
        -1
    } else {
        scan.one("+")?;
        1
    };
    let hours = scan.number(1, 2)?;
    let _ = scan.one(":");
    let minutes = if scan.0.is_empty() { 0 } else { scan.number(2, 2)? };
    // The sign is lost to Ruby where the hours are none.
    let minutes = if sign * hours < 0 { -minutes } else { minutes };
    scan.0.is_empty().then_some(Zone::Offset(sign * hours * 3600 + minutes * 60))
}

struct Moment {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Moment {
    /// As Ruby writes it, days and seconds beyond their month or minute counted on; nothing if Ruby refuses it.
    fn written(&self, zone: Zone) -> Option<String> {
        let midnight = self.hour == 24 && self.minute == 0 && self.second == 0;
        let fits = (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && (self.hour < 24 || midnight)
            && self.minute < 60
            && self.second <= 60;
        if !fits {
            return None;
        }
        let (Ok(month), Ok(day)) = (u32::try_from(self.month), u32::try_from(self.day)) else { return None };
        // Days beyond the month are counted on.
        let seconds = unix_of(self.year, month, day) + self.hour * 3600 + self.minute * 60 + self.second;
        let (year, month, day) = date_of(seconds.div_euclid(86_400));
        let within = seconds.rem_euclid(86_400);
        let zone = match zone {
            Zone::Utc => "UTC".to_owned(),
            Zone::Offset(east) if east.abs() >= 86_400 => return None,
            Zone::Offset(east) => {
                let sign = if east < 0 { '-' } else { '+' };
                format!("{sign}{:02}{:02}", east.abs() / 3600, east.abs() / 60 % 60)
            }
        };
        let year = if year < 0 { format!("-{:04}", -year) } else { format!("{year:04}") };
        let (hour, minute, second) = (within / 3600, within / 60 % 60, within % 60);
        Some(format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} {zone}"))
    }
}

/// What is left of a text.
struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn one(&mut self, of: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(|c: char| of.contains(c))?;
        Some(())
    }

    fn blanks(&mut self, least: usize) -> Option<()> {
        let rest = self.0.trim_start_matches([' ', '\t', '\r', '\u{b}', '\u{c}']);
        let fits = self.0.len() - rest.len() >= least;
        self.0 = rest;
        fits.then_some(())
    }

    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let len = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at(len);
        self.0 = rest;
        (len >= least).then(|| number.parse().ok())?
    }
}

fn digits(part: &str) -> bool {
    part.bytes().all(|b| b.is_ascii_digit())
}
