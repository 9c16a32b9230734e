//! The reading of a text's pieces, one after the other. Fails on the first that has no meaning.

use super::numbers::{self, Number};
use super::ymd::{Part, Ymd};
use super::{NoDate, Told};

/// Days of the week and months by their first three letters; the longer spellings that count.
const WEEK: [(&str, &str); 7] = [
    ("mon", "monday"),
    ("tue", "tuesday"),
    ("wed", "wednesday"),
    ("thu", "thursday"),
    ("fri", "friday"),
    ("sat", "saturday"),
    ("sun", "sunday"),
];
const MONTHS: [(&str, &str); 12] = [
    ("jan", "january"),
    ("feb", "february"),
    ("mar", "march"),
    ("apr", "april"),
    ("may", "may"),
    ("jun", "june"),
    ("jul", "july"),
    ("aug", "august"),
    ("sep", "september"),
    ("oct", "october"),
    ("nov", "november"),
    ("dec", "december"),
];
/// Words and characters without a meaning of their own.
const JUMP: [&str; 18] =
    [" ", ".", ",", ";", "-", "/", "'", "at", "on", "and", "ad", "m", "t", "of", "st", "nd", "rd", "th"];

fn place(list: &[(&str, &str)], word: &str) -> Option<usize> {
    let word = word.to_lowercase();
    list.iter().position(|(short, long)| *short == word || *long == word)
}

/// The number of a month's name, from 1.
pub(super) fn month(word: &str) -> Option<i64> {
    if word.eq_ignore_ascii_case("sept") {
        return Some(9);
    }
    place(&MONTHS, word).map(|i| i as i64 + 1)
}

pub(super) fn is_jump(word: &str) -> bool {
    JUMP.contains(&word.to_lowercase().as_str())
}

/// Whether a word says afternoon (or, false, morning).
pub(super) fn afternoon(word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "am" | "a" => Some(false),
        "pm" | "p" => Some(true),
        _ => None,
    }
}

fn is_utc(word: &str) -> bool {
    matches!(word.to_lowercase().as_str(), "utc" | "gmt" | "z")
}

/// An hour of twelve made one of the day.
pub(super) fn of_day(hour: i64, afternoon: bool) -> i64 {
    match (hour, afternoon) {
        (..12, true) => hour + 12,
        (12, false) => 0,
        _ => hour,
    }
}

/// A year without century is the one nearest to this year.
fn full_year(year: i64, this_year: i64) -> i64 {
    let near = year + this_year / 100 * 100;
    match () {
        () if year >= 100 => year,
        () if near >= this_year + 50 => near - 100,
        () if near < this_year - 50 => near + 100,
        () => near,
    }
}

/// What the pieces tell.
pub(super) fn read(mut pieces: Vec<String>, this_year: i64) -> Result<Told, NoDate> {
    let (mut told, mut ymd) = (Told::default(), Ymd::default());
    let mut at = 0;
    while at < pieces.len() {
        at = step(&mut pieces, at, this_year, &mut told, &mut ymd)? + 1;
    }
    let century = ymd.century;
    (told.year, told.month, told.day) = ymd.resolve()?;
    told.year = told.year.map(|y| if century { y } else { full_year(y, this_year) });
    if told.zone.as_deref().is_some_and(is_utc) {
        told.offset = Some(0);
    }
    Ok(told)
}

/// Reads one piece, and those that belong to it; returns the place of the last.
fn step(
    pieces: &mut [String],
    at: usize,
    this_year: i64,
    told: &mut Told,
    ymd: &mut Ymd,
) -> Result<usize, NoDate> {
    let word = pieces[at].clone();
    if let Some(number) = Number::parse(&word) {
        return numbers::read(pieces, at, number?, told, ymd);
    }
    if let Some(day) = place(&WEEK, &word) {
        told.week_day = Some(day as u32);
        return Ok(at);
    }
    if let Some(month) = month(&word) {
        ymd.push(month, Some(Part::Month))?;
        return after_month(pieces, at, this_year, ymd);
    }
    if let Some(afternoon) = afternoon(&word) {
        let hour = told.hour.filter(|h| (0..=12).contains(h)).ok_or(NoDate)?;
        told.hour = Some(of_day(hour, afternoon));
        return Ok(at);
    }
    if could_be_zone(told, &word) {
        told.offset = is_utc(&word).then_some(0);
        told.zone = Some(word.clone());
        if let Some(sign) = pieces.get_mut(at + 1).filter(|s| matches!(s.as_str(), "+" | "-")) {
            // `GMT+3` is dateutil's "my time plus 3 is GMT": the sign is turned round.
            *sign = if sign == "+" { "-".into() } else { "+".into() };
            told.offset = None;
            if is_utc(&word) {
                told.zone = None;
            }
        }
        return Ok(at);
    }
    if told.hour.is_some() && matches!(word.as_str(), "+" | "-") {
        return offset(pieces, at, told);
    }
    if is_jump(&word) { Ok(at) } else { Err(NoDate) }
}

/// `Jan-01[-99]`, `Jan of 01`.
fn after_month(pieces: &[String], at: usize, this_year: i64, ymd: &mut Ymd) -> Result<usize, NoDate> {
    let piece = |i: usize| pieces.get(at + i).map(String::as_str);
    match piece(1) {
        Some(sep @ ("-" | "/")) => {
            ymd.push_text(piece(2).ok_or(NoDate)?, None)?;
            if piece(3) == Some(sep) {
                ymd.push_text(piece(4).ok_or(NoDate)?, None)?;
                return Ok(at + 4);
            }
            Ok(at + 2)
        }
        Some(" ") if piece(3) == Some(" ") && piece(2).is_some_and(|w| w.eq_ignore_ascii_case("of")) => {
            if let Some(year) = piece(4).and_then(|y| y.parse::<i64>().ok()) {
                ymd.push_text(&full_year(year, this_year).to_string(), Some(Part::Year))?;
            }
            if piece(4).is_some() { Ok(at + 4) } else { Ok(at) }
        }
        _ => Ok(at),
    }
}

fn could_be_zone(told: &Told, word: &str) -> bool {
    let upper = word.bytes().all(|b| b.is_ascii_uppercase());
    told.hour.is_some()
        && told.zone.is_none()
        && told.offset.is_none()
        && word.chars().count() <= 5
        && (upper || word == "z")
}

/// `-0300`, `-03:00`, `-3`, and a zone's name in parentheses behind.
fn offset(pieces: &[String], at: usize, told: &mut Told) -> Result<usize, NoDate> {
    let piece = |i: usize| pieces.get(at + i).map(String::as_str);
    let number = |text: &str| text.parse::<i64>().map_err(|_| NoDate);
    let sign = if piece(0) == Some("+") { 1 } else { -1 };
    let text = piece(1).filter(|t| t.is_ascii()).ok_or(NoDate)?;
    let mut last = at;
    let (hours, minutes) = if text.len() == 4 {
        (number(&text[..2])?, number(&text[2..])?)
    } else if piece(2) == Some(":") {
        last += 2;
        (number(text)?, number(piece(3).ok_or(NoDate)?)?)
    } else if text.len() <= 2 {
        (number(text)?, 0)
    } else {
        return Err(NoDate);
    };
    told.offset = Some(sign * (hours * 3600 + minutes * 60));
    let behind = |i: usize| pieces.get(last + i).map(String::as_str);
    if let (Some(jump), Some("("), Some(name), Some(")")) = (behind(2), behind(3), behind(4), behind(5))
        && is_jump(jump)
        && (3..=5).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_uppercase())
    {
        told.zone = Some(name.to_owned());
        last += 4;
    }
    Ok(last + 1)
}
