//! Dates and times as people write them, read as `dateutil` reads them: `2015, Mar 18 22:00:00.000000`,
//! `2015-03-18T22:00`, `18 March 2015 10pm`, `3/18/2015`, `10:30`.
//!
//! What a text leaves out is taken from the day it is read on. Zones are noticed and not reckoned with: what is compared
//! here has none, and Python refuses to compare the two.

use brine_core::call::{CallError, Result};
use brine_core::clock::{Clock, days_in, unix_of};

/// A moment as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    date: (i64, u32, u32),
    time: (u32, u32, u32, u32),
    /// Whether a zone was named.
    pub(crate) zoned: bool,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// Words that say nothing.
const JUMP: [&str; 12] = ["at", "on", "and", "ad", "m", "t", "of", "st", "nd", "rd", "th", "'"];

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(String),
    Word(String),
    Sign(char),
    Space,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    for c in text.chars() {
        match (c, out.last_mut()) {
            (c, Some(Token::Number(n))) if c.is_ascii_digit() => n.push(c),
            (c, Some(Token::Word(w))) if c.is_alphabetic() => w.push(c),
            (c, Some(Token::Space)) if c.is_whitespace() => {}
            (c, _) if c.is_ascii_digit() => out.push(Token::Number(c.into())),
            (c, _) if c.is_alphabetic() => out.push(Token::Word(c.into())),
            (c, _) if c.is_whitespace() => out.push(Token::Space),
            (c, _) => out.push(Token::Sign(c)),
        }
    }
    out
}

/// Which of twelve months or seven days a word is: its full name or first three letters, or `sept`.
fn index_of(names: &[&str], word: &str) -> Option<u32> {
    let found = names
        .iter()
        .position(|name| *name == word || &name[..3] == word || (word == "sept" && *name == "september"));
    found.and_then(|at| u32::try_from(at).ok())
}

#[derive(Default)]
struct Reading {
    ymd: Vec<u32>,
    /// Which of `ymd` is known to be the month or the year.
    month_at: Option<usize>,
    year_at: Option<usize>,
    hour: Option<u32>,
    minute: Option<u32>,
    second: Option<u32>,
    micro: Option<u32>,
    week_day: Option<u32>,
    zoned: bool,
}

fn error(text: impl std::fmt::Display) -> CallError {
    CallError::exception("dateutil.parser._parser.ParserError", text.to_string())
}

/// Reads a text; `today` fills in what it leaves out.
///
/// # Errors
/// `ParserError` in dateutil's words.
pub(crate) fn parse(text: &str, today: &Clock) -> Result<Moment> {
    let unknown = || error(format_args!("Unknown string format: {text}"));
    let tokens = tokens(text);
    let mut reading = Reading::default();
    let mut at = 0;
    while at < tokens.len() {
        at += match &tokens[at] {
            Token::Number(_) => reading.number(&tokens, at).ok_or_else(unknown)?,
            Token::Word(word) => reading.word(&word.to_lowercase(), word, &tokens, at).ok_or_else(unknown)?,
            Token::Sign('+' | '-') if reading.hour.is_some() && reading.offset(&tokens, at) => {
                let minutes = matches!(tokens.get(at + 2), Some(Token::Sign(':')));
                if minutes { 4 } else { 2 }
            }
            Token::Sign(',' | ';' | '.' | '-' | '/' | '\'') | Token::Space => 1,
            Token::Sign(_) => return Err(unknown()),
        };
    }
    reading.moment(text, today)
}

impl Reading {
    /// Takes in the number at `at`; how many tokens that used up.
    fn number(&mut self, tokens: &[Token], at: usize) -> Option<usize> {
        let Token::Number(digits) = tokens.get(at)? else { return None };
        let value: u32 = match digits.len() {
            0..=9 => digits.parse().ok()?,
            _ => 0,
        };
        let two = |from: usize| digits.get(from..from + 2).and_then(|d| d.parse::<u32>().ok());
        let next = tokens.get(at + 1);
        match digits.len() {
            // A time of day without colons, after a whole date: `19990101T2359`.
            2 | 4
                if self.ymd.len() == 3
                    && self.hour.is_none()
                    && !matches!(next, Some(Token::Sign(':') | Token::Word(_))) =>
            {
                self.hour = two(0);
                self.minute = if digits.len() == 4 { two(2) } else { Some(0) };
                return Some(1);
            }
            6 if self.ymd.is_empty() && !matches!(next, Some(Token::Sign('.'))) => {
                self.ymd = vec![two(0)?, two(2)?, two(4)?];
                return Some(1);
            }
            6 => {
                (self.hour, self.minute, self.second) = (two(0), two(2), two(4));
                return Some(1 + self.fraction(tokens, at + 1));
            }
            8 | 12 | 14 => {
                self.year_at = Some(self.ymd.len());
                self.ymd.extend([digits.get(..4)?.parse().ok()?, two(4)?, two(6)?]);
                if digits.len() > 8 {
                    (self.hour, self.minute) = (two(8), two(10));
                    self.second = if digits.len() == 14 { two(12) } else { None };
                }
                return Some(1);
            }
            10.. => return None,
            _ => {}
        }
        match next {
            Some(Token::Sign(':')) => self.clock(value, tokens, at),
            Some(Token::Sign(sign @ ('-' | '/' | '.'))) if !self.date_ends(tokens, at + 2) => {
                self.add(value, digits);
                let mut used = 2;
                for _ in 0..2 {
                    match tokens.get(at + used) {
                        Some(Token::Number(part)) => self.add(part.parse().ok()?, part),
                        Some(Token::Word(month)) => {
                            self.month_at = Some(self.ymd.len());
                            self.ymd.push(index_of(&MONTHS, &month.to_lowercase())? + 1);
                        }
                        _ => return None,
                    }
                    used += 1;
                    if tokens.get(at + used) != Some(&Token::Sign(*sign)) || self.ymd.len() >= 3 {
                        break;
                    }
                    used += 1;
                }
                Some(used)
            }
            Some(Token::Word(word)) if is_half(word) => {
                self.hour = half(value, word);
                self.hour.map(|_| 2)
            }
            Some(Token::Space) if matches!(tokens.get(at + 2), Some(Token::Word(word)) if is_half(word) && self.hour.is_none()) =>
            {
                let Some(Token::Word(word)) = tokens.get(at + 2) else { return None };
                self.hour = half(value, word);
                self.hour.map(|_| 3)
            }
            Some(Token::Word(unit)) if self.unit(value, unit) => Some(2),
            _ => {
                self.add(value, digits);
                Some(1)
            }
        }
    }

    /// Whether nothing of a date follows a sign: `18.` and `3-`.
    fn date_ends(&self, tokens: &[Token], at: usize) -> bool {
        !matches!(tokens.get(at), Some(Token::Number(_) | Token::Word(_)))
    }

    fn add(&mut self, value: u32, digits: &str) {
        if digits.len() > 2 {
            self.year_at = Some(self.ymd.len());
        }
        self.ymd.push(value);
    }

    /// `10h`, `36m`, `5s` and the words for them.
    fn unit(&mut self, value: u32, unit: &str) -> bool {
        let place = match unit.to_lowercase().as_str() {
            "h" | "hour" | "hours" => &mut self.hour,
            "m" | "minute" | "minutes" => &mut self.minute,
            "s" | "second" | "seconds" => &mut self.second,
            _ => return false,
        };
        *place = Some(value);
        true
    }

    /// `22:00`, `22:00:05`, `22:00:05.25`.
    fn clock(&mut self, hour: u32, tokens: &[Token], at: usize) -> Option<usize> {
        let number = |at: usize| match tokens.get(at) {
            Some(Token::Number(digits)) => digits.parse().ok(),
            _ => None,
        };
        self.hour = Some(hour);
        self.minute = Some(number(at + 2)?);
        let mut used = 3;
        if tokens.get(at + 3) == Some(&Token::Sign(':')) {
            self.second = Some(number(at + 4)?);
            used = 5 + self.fraction(tokens, at + 5);
        }
        Some(used)
    }

    /// `.25` after seconds.
    fn fraction(&mut self, tokens: &[Token], at: usize) -> usize {
        match (tokens.get(at), tokens.get(at + 1)) {
            (Some(Token::Sign('.' | ',')), Some(Token::Number(digits))) => {
                let padded = format!("{digits:0<6}");
                self.micro = padded.get(..6).and_then(|d| d.parse().ok());
                2
            }
            _ => 0,
        }
    }

    fn word(&mut self, word: &str, written: &str, tokens: &[Token], at: usize) -> Option<usize> {
        if let Some(day) = index_of(&DAYS, word) {
            self.week_day = Some(day);
            return Some(1);
        }
        if let Some(month) = index_of(&MONTHS, word) {
            self.month_at = Some(self.ymd.len());
            self.ymd.push(month + 1);
            // `Jan-01-99`
            let joined = matches!(tokens.get(at + 1), Some(Token::Sign('-' | '/')));
            return Some(if joined { 2 } else { 1 });
        }
        if is_half(word) {
            // After `10:30`; a bare letter elsewhere says nothing.
            match self.hour {
                Some(hour) if hour <= 12 => self.hour = half(hour, word),
                Some(_) if word.len() > 1 => return None,
                _ => {}
            }
            return Some(1);
        }
        let zone = written.len() <= 5 && (written == "z" || written.chars().all(|c| c.is_ascii_uppercase()));
        if self.hour.is_some() && !self.zoned && zone {
            self.zoned = true;
            return Some(1);
        }
        JUMP.contains(&word).then_some(1)
    }

    /// `+01:00`, `-0330`, `+2`.
    fn offset(&mut self, tokens: &[Token], at: usize) -> bool {
        let is_number = |at: usize| matches!(tokens.get(at), Some(Token::Number(_)));
        let ok = is_number(at + 1) && (tokens.get(at + 2) != Some(&Token::Sign(':')) || is_number(at + 3));
        self.zoned |= ok;
        ok
    }

    /// Year, month and day among the numbers, by dateutil's rules: month first, unless it cannot be.
    fn date(&self) -> Option<(Option<u32>, Option<u32>, Option<u32>)> {
        let n = &self.ymd;
        Some(match (n.as_slice(), self.month_at) {
            ([], _) => (None, None, None),
            ([m], Some(_)) => (None, Some(*m), None),
            ([y], None) if *y > 31 || self.year_at.is_some() => (Some(*y), None, None),
            ([d], None) => (None, None, Some(*d)),
            ([m, other] | [other, m], Some(at)) if n.get(at) == Some(m) => {
                let year = *other > 31 || self.year_at.is_some();
                if year { (Some(*other), Some(*m), None) } else { (None, Some(*m), Some(*other)) }
            }
            ([y, m], None) if *y > 31 => (Some(*y), Some(*m), None),
            ([m, y], None) if *y > 31 => (Some(*y), Some(*m), None),
            ([m, d], None) if *m <= 12 => (None, Some(*m), Some(*d)),
            ([d, m], None) => (None, Some(*m), Some(*d)),
            ([m, y, d], Some(0)) if *y > 31 || self.year_at == Some(1) => (Some(*y), Some(*m), Some(*d)),
            ([m, d, y], Some(0)) => (Some(*y), Some(*m), Some(*d)),
            ([y, m, d], Some(1)) if *y > 31 || self.year_at == Some(0) => (Some(*y), Some(*m), Some(*d)),
            ([d, m, y], Some(1)) => (Some(*y), Some(*m), Some(*d)),
            ([d, y, m], Some(2)) if *y > 31 || self.year_at == Some(1) => (Some(*y), Some(*m), Some(*d)),
            ([y, d, m], Some(2)) => (Some(*y), Some(*m), Some(*d)),
            ([y, m, d], _) if *y > 31 || self.year_at == Some(0) => (Some(*y), Some(*m), Some(*d)),
            ([d, m, y], _) if *d > 12 => (Some(*y), Some(*m), Some(*d)),
            ([m, d, y], _) => (Some(*y), Some(*m), Some(*d)),
            _ => return None,
        })
    }

    fn moment(self, text: &str, today: &Clock) -> Result<Moment> {
        let (year, month, day) =
            self.date().ok_or_else(|| error(format_args!("Unknown string format: {text}")))?;
        if [year, month, day, self.hour, self.minute, self.second, self.week_day].iter().all(Option::is_none)
        {
            return Err(error(format_args!("String does not contain a date: {text}")));
        }
        let year = match year.map(i64::from) {
            // Two digits mean the nearest such year.
            Some(short) if short < 100 && self.year_at.is_none() => {
                let near = short + today.year.div_euclid(100) * 100;
                if near >= today.year + 50 {
                    near - 100
                } else if near < today.year - 50 {
                    near + 100
                } else {
                    near
                }
            }
            Some(year) => year,
            None => today.year,
        };
        let month = month.unwrap_or(today.month);
        let last = days_in(year, month);
        let checks = [
            ((1..=9999).contains(&year), "year is out of range"),
            ((1..=12).contains(&month), "month must be in 1..12"),
            (day.is_none_or(|day| (1..=last).contains(&day)), "day is out of range for month"),
            (self.hour.is_none_or(|hour| hour < 24), "hour must be in 0..23"),
            (self.minute.is_none_or(|minute| minute < 60), "minute must be in 0..59"),
            (self.second.is_none_or(|second| second < 60), "second must be in 0..59"),
        ];
        if let Some((_, wrong)) = checks.iter().find(|(right, _)| !right) {
            return Err(error(format_args!("{wrong}: {text}")));
        }
        let mut date = (year, month, day.unwrap_or_else(|| today.day.min(last)));
        if let (Some(wanted), None) = (self.week_day, day) {
            let midnight = unix_of(date.0, date.1, date.2);
            // 1970 began on a Thursday.
            let now = (midnight.div_euclid(86_400) + 3).rem_euclid(7);
            let later = Clock::at(midnight + (i64::from(wanted) - now).rem_euclid(7) * 86_400, 0);
            date = (later.year, later.month, later.day);
        }
        let or_zero = |part: Option<u32>| part.unwrap_or(0);
        let time = (or_zero(self.hour), or_zero(self.minute), or_zero(self.second), or_zero(self.micro));
        Ok(Moment { date, time, zoned: self.zoned })
    }
}

fn is_half(word: &str) -> bool {
    matches!(word.to_lowercase().as_str(), "am" | "pm" | "a" | "p")
}

fn half(hour: u32, word: &str) -> Option<u32> {
    let after_noon = word.to_lowercase().starts_with('p');
    match hour {
        12 => Some(if after_noon { 12 } else { 0 }),
        0..12 => Some(if after_noon { hour + 12 } else { hour }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        // 2026-11-25, a Wednesday.
        let today = Clock::at(1_795_615_141, 0);
        match parse(text, &today) {
            Ok(m) => {
                let ((y, mo, d), (h, mi, s, us)) = (m.date, m.time);
                let zone = if m.zoned { " zoned" } else { "" };
                format!("{y}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}.{us:06}{zone}")
            }
            Err(e) => e.to_string(),
        }
    }

    /// As measured with the real one.
    #[test]
    fn texts_mean_what_dateutil_says() {
        for (text, want) in [
            ("2015, Mar 18 22:00:00.000000", "2015-03-18 22:00:00.000000"),
            ("2015, Mar 16 19:00", "2015-03-16 19:00:00.000000"),
            ("2015-03-18", "2015-03-18 00:00:00.000000"),
            ("2015-03-18T22:00:05.25", "2015-03-18 22:00:05.250000"),
            ("2015-03-18T22:00:05Z", "2015-03-18 22:00:05.000000 zoned"),
            ("2015-03-18 22:00:05+01:00", "2015-03-18 22:00:05.000000 zoned"),
            ("20150318", "2015-03-18 00:00:00.000000"),
            ("20150318T2210", "2015-03-18 22:10:00.000000"),
            ("20150318221005", "2015-03-18 22:10:05.000000"),
            ("3/18/2015", "2015-03-18 00:00:00.000000"),
            ("18/3/2015", "2015-03-18 00:00:00.000000"),
            ("18.03.2015 07:30", "2015-03-18 07:30:00.000000"),
            ("18 March 2015 10pm", "2015-03-18 22:00:00.000000"),
            ("March 18th, 2015 at 10:30 am", "2015-03-18 10:30:00.000000"),
            ("Wed Mar 18 22:00:00 2015", "2015-03-18 22:00:00.000000"),
            ("Wed, 18 Mar 2015 22:00:00 GMT", "2015-03-18 22:00:00.000000 zoned"),
            ("18-Mar-15", "2015-03-18 00:00:00.000000"),
            ("Mar 2015", "2015-03-25 00:00:00.000000"),
            ("10:30", "2026-11-25 10:30:00.000000"),
            ("12am", "2026-11-25 00:00:00.000000"),
            ("10h36m", "2026-11-25 10:36:00.000000"),
            ("Friday", "2026-11-27 00:00:00.000000"),
            ("2015", "2015-11-25 00:00:00.000000"),
            ("Feb 2015", "2015-02-25 00:00:00.000000"),
            ("yesterday", "dateutil.parser._parser.ParserError: Unknown string format: yesterday"),
            ("", "dateutil.parser._parser.ParserError: String does not contain a date: "),
            ("2015-02-30", "dateutil.parser._parser.ParserError: day is out of range for month: 2015-02-30"),
            ("25:00", "dateutil.parser._parser.ParserError: hour must be in 0..23: 25:00"),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
    }
}
