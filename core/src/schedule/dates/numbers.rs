//! The reading of a number and what stands beside it: `10`, `10:30`, `10h`, `10am`, `10-11-2012`, `20121110`.

use super::words::{afternoon, is_jump, month, of_day};
use super::ymd::{Part, Ymd};
use super::{NoDate, Told};

/// A number with decimals, exactly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    whole: i64,
    /// The decimals, and ten to the power of how many there are.
    rest: i64,
    scale: i64,
}

impl Number {
    /// None: this is no number at all. An error: one, but none that any date has.
    pub(super) fn parse(text: &str) -> Option<Result<Self, NoDate>> {
        if matches!(text.to_lowercase().as_str(), "nan" | "inf" | "infinity") {
            return Some(Err(NoDate));
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let digits = |t: &str| t.len() <= 15 && t.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(rest) {
            return Some(Err(NoDate));
        }
        Some(Ok(Self {
            whole: whole.parse().unwrap_or(0),
            rest: rest.parse().unwrap_or(0),
            scale: 10i64.pow(rest.len() as u32),
        }))
    }

    /// Sixty times the decimals, without what is left; None if there are none.
    fn sixtieths(self) -> Option<i64> {
        (self.rest != 0).then(|| (i128::from(self.rest) * 60 / i128::from(self.scale)) as i64)
    }
}

/// Hours, minutes, seconds.
fn unit(word: &str) -> Option<usize> {
    const UNITS: [[&str; 3]; 3] =
        [["h", "hour", "hours"], ["m", "minute", "minutes"], ["s", "second", "seconds"]];
    let word = word.to_lowercase();
    UNITS.iter().position(|names| names.contains(&word.as_str()))
}

/// Seconds and microseconds of `12.5`.
fn seconds(text: &str) -> Result<(i64, i64), NoDate> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let micro: String = rest.chars().chain("000000".chars()).take(6).collect();
    Ok((whole.parse().map_err(|_| NoDate)?, micro.parse().map_err(|_| NoDate)?))
}

/// Reads the number at a place; returns the place of the last piece that belongs to it.
pub(super) fn read(
    pieces: &[String],
    at: usize,
    value: Number,
    told: &mut Told,
    ymd: &mut Ymd,
) -> Result<usize, NoDate> {
    let text = pieces[at].as_str();
    let piece = |i: usize| pieces.get(at + i).map(String::as_str);
    let int = |text: &str| text.parse::<i64>().map_err(|_| NoDate);
    let plain_next = piece(1).is_none_or(|next| next != ":" && unit(next).is_none());
    let length = text.len();
    if ymd.len() == 3 && matches!(length, 2 | 4) && told.hour.is_none() && plain_next {
        // 19990101T23[59]
        told.hour = Some(int(&text[..2])?);
        if length == 4 {
            told.minute = Some(int(&text[2..])?);
        }
    } else if length == 6 || (length > 6 && text.find('.') == Some(6)) {
        if ymd.len() == 0 && !text.contains('.') {
            // YYMMDD
            for part in [&text[..2], &text[2..4], &text[4..]] {
                ymd.push_text(part, None)?;
            }
        } else {
            // HHMMSS[.ss]
            (told.hour, told.minute) = (Some(int(&text[..2])?), Some(int(&text[2..4])?));
            let (second, micro) = seconds(&text[4..])?;
            (told.second, told.micro) = (Some(second), Some(micro));
        }
    } else if matches!(length, 8 | 12 | 14) {
        // YYYYMMDD[hhmm[ss]]
        ymd.push_text(&text[..4], Some(Part::Year))?;
        ymd.push_text(&text[4..6], None)?;
        ymd.push_text(&text[6..8], None)?;
        if length > 8 {
            (told.hour, told.minute) = (Some(int(&text[8..10])?), Some(int(&text[10..12])?));
        }
        if length > 12 {
            told.second = Some(int(&text[12..])?);
        }
    } else if let Some((unit, last)) = unit_near(pieces, at) {
        with_unit(text, value, unit, told)?;
        return Ok(last);
    } else if piece(1) == Some(":") && piece(2).is_some() {
        return clock(pieces, at, value, told);
    } else if let Some(sep @ ("-" | "/" | ".")) = piece(1) {
        return date(pieces, at, sep, ymd);
    } else if piece(1).is_none_or(is_jump) {
        if let Some(afternoon) = piece(2).and_then(afternoon) {
            told.hour = Some(of_day(value.whole, afternoon));
            return Ok(at + 2);
        }
        ymd.push(value.whole, None)?;
        return Ok(at + 1);
    } else if let Some(afternoon) = piece(1).and_then(afternoon).filter(|_| value.whole < 24) {
        told.hour = Some(of_day(value.whole, afternoon));
        return Ok(at + 1);
    } else if ymd.could_be_day(value.whole) && value.rest == 0 {
        ymd.push(value.whole, None)?;
    } else {
        return Err(NoDate);
    }
    Ok(at)
}

/// The unit that belongs to a number, before or behind it, and the place of the last piece of both.
fn unit_near(pieces: &[String], at: usize) -> Option<(usize, usize)> {
    let near = |i: usize| pieces.get(i).map(String::as_str);
    if let Some(unit) = near(at + 1).and_then(unit) {
        return Some((unit, at + 1));
    }
    if near(at + 1) == Some(" ")
        && let Some(unit) = near(at + 2).and_then(unit)
    {
        return Some((unit, at + 2));
    }
    // `12h04`: one less than the unit before.
    let before = at.checked_sub(1).and_then(near);
    if let Some(unit) = before.and_then(unit) {
        return Some((unit + 1, at));
    }
    if at > 1
        && at + 1 == pieces.len()
        && before == Some(" ")
        && let Some(unit) = near(at - 2).and_then(unit)
    {
        return Some((unit + 1, at));
    }
    None
}

fn with_unit(text: &str, value: Number, unit: usize, told: &mut Told) -> Result<(), NoDate> {
    match unit {
        0 => {
            told.hour = Some(value.whole);
            if let Some(minute) = value.sixtieths() {
                told.minute = Some(minute);
            }
        }
        1 => (told.minute, told.second) = (Some(value.whole), value.sixtieths()),
        2 => {
            let (second, micro) = seconds(text)?;
            (told.second, told.micro) = (Some(second), Some(micro));
        }
        // `5s 6`: nothing is smaller.
        _ => {}
    }
    Ok(())
}

/// HH:MM[:SS[.ss]]
fn clock(pieces: &[String], at: usize, hour: Number, told: &mut Told) -> Result<usize, NoDate> {
    let piece = |i: usize| pieces.get(at + i).map(String::as_str);
    let minute = piece(2).and_then(Number::parse).ok_or(NoDate)??;
    told.hour = Some(hour.whole);
    (told.minute, told.second) = (Some(minute.whole), minute.sixtieths());
    if let (Some(":"), Some(text)) = (piece(3), piece(4)) {
        let (second, micro) = seconds(text)?;
        (told.second, told.micro) = (Some(second), Some(micro));
        return Ok(at + 4);
    }
    Ok(at + 2)
}

/// 01-02[-03], 01-Jan[-02]
fn date(pieces: &[String], at: usize, sep: &str, ymd: &mut Ymd) -> Result<usize, NoDate> {
    let piece = |i: usize| pieces.get(at + i).map(String::as_str);
    ymd.push_text(&pieces[at], None)?;
    let Some(second) = piece(2).filter(|p| !is_jump(p)) else { return Ok(at + 1) };
    if second.bytes().all(|b| b.is_ascii_digit()) {
        ymd.push_text(second, None)?;
    } else {
        ymd.push(month(second).ok_or(NoDate)?, Some(Part::Month))?;
    }
    if piece(3) != Some(sep) {
        return Ok(at + 2);
    }
    let third = piece(4).ok_or(NoDate)?;
    match month(third) {
        Some(month) => ymd.push(month, Some(Part::Month))?,
        None => ymd.push_text(third, None)?,
    }
    Ok(at + 4)
}
