//! Python's `strptime` of dates and times of day in the C locale, for `once_fmt` and `time_fmt`. Not for zones: a zone
//! in the text is read over, since the schedule knows only the machine's own.

use super::moment::Moment;

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

/// How long texts and formats may be: what follows tries alternatives.
const LONGEST: usize = 200;

#[derive(Clone, Default)]
struct Found {
    year: Option<i64>,
    month: Option<u32>,
    day: Option<u32>,
    hour: Option<u32>,
    twelve: Option<u32>,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    micro: u32,
    year_day: Option<u32>,
}

/// The moment that a text names in a format, or None where Python's function raises. What the format leaves out is that of
/// the first of January 1900.
pub fn strptime(text: &str, format: &str) -> Option<Moment> {
    if text.len() > LONGEST || format.len() > LONGEST {
        return None;
    }
    let found = read(text, format, &Found::default())?;
    let hour = match (found.hour, found.twelve) {
        (Some(hour), _) => hour,
        (None, Some(twelve)) => twelve % 12 + if found.afternoon == Some(true) { 12 } else { 0 },
        (None, None) => 0,
    };
    let leap_day = found.month == Some(2) && found.day == Some(29);
    let year = found.year.unwrap_or(1900);
    if leap_day && found.year.is_none() {
        return None;
    }
    let time = (hour, found.minute, found.second.min(59));
    if let (Some(days), None, None) = (found.year_day, found.month, found.day) {
        let first = Moment::new((year, 1, 1), time, found.micro)?;
        return Some(first.plus(i64::from(days.checked_sub(1)?) * super::moment::DAY));
    }
    Moment::new((year, found.month.unwrap_or(1), found.day.unwrap_or(1)), time, found.micro)
}

/// Reads on; where a number could be longer or shorter, the longer one is tried first.
fn read(text: &str, format: &str, found: &Found) -> Option<Found> {
    let mut chars = format.chars();
    match chars.next() {
        None => return text.is_empty().then(|| found.clone()),
        Some(c) if c.is_whitespace() => {
            // Any white space stands for some white space.
            let rest = text.trim_start();
            return (rest.len() < text.len()).then(|| read(rest, format.trim_start(), found))?;
        }
        Some('%') => {}
        Some(c) => {
            let next = text.chars().next()?;
            let same = next.to_lowercase().eq(c.to_lowercase());
            return same.then(|| read(&text[next.len_utf8()..], chars.as_str(), found))?;
        }
    }
    let directive = chars.next()?;
    let rest = chars.as_str();
    let joined = |longer: &str| format!("{longer}{rest}");
    match directive {
        '%' => text.strip_prefix('%').and_then(|text| read(text, rest, found)),
        'D' => read(text, &joined("%m/%d/%y"), found),
        'F' => read(text, &joined("%Y-%m-%d"), found),
        'T' | 'X' => read(text, &joined("%H:%M:%S"), found),
        'R' => read(text, &joined("%H:%M"), found),
        'x' => read(text, &joined("%m/%d/%y"), found),
        'c' => read(text, &joined("%a %b %d %H:%M:%S %Y"), found),
        'b' | 'h' | 'B' | 'a' | 'A' | 'p' => name(directive, text, rest, found),
        'z' | 'Z' => {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            read(&text[end..], rest, found)
        }
        _ => number(directive, text, rest, found),
    }
}

fn name(directive: char, text: &str, rest: &str, found: &Found) -> Option<Found> {
    let starts = |name: &str| text.get(..name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name));
    let short = |list: &[&str]| list.iter().position(|n| starts(&n[..3])).map(|i| (i, 3));
    let long = |list: &[&str]| list.iter().position(|n| starts(n)).map(|i| (i, list[i].len()));
    let mut found = found.clone();
    let length = match directive {
        'b' | 'h' | 'B' => {
            let (i, length) = if directive == 'B' { long(&MONTHS) } else { short(&MONTHS) }?;
            found.month = Some(i as u32 + 1);
            length
        }
        'p' => {
            found.afternoon = Some(starts("pm"));
            if !starts("am") && !starts("pm") {
                return None;
            }
            2
        }
        _ => if directive == 'A' { long(&DAYS) } else { short(&DAYS) }?.1,
    };
    read(&text[length..], rest, &found)
}

fn number(directive: char, text: &str, rest: &str, found: &Found) -> Option<Found> {
    // Fewest and most digits, least and greatest value.
    let (fewest, most, low, high) = match directive {
        'Y' => (4, 4, 0, 9999),
        'y' => (2, 2, 0, 99),
        'm' => (1, 2, 1, 12),
        'd' => (1, 2, 1, 31),
        'H' => (1, 2, 0, 23),
        'I' => (1, 2, 1, 12),
        'M' => (1, 2, 0, 59),
        'S' => (1, 2, 0, 61),
        'j' => (1, 3, 1, 366),
        'f' => (1, 6, 0, 999_999),
        _ => return None,
    };
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (fewest..=digits).rev().find_map(|length| {
        let value: u32 = text[..length].parse().ok()?;
        if value < low || value > high {
            return None;
        }
        let mut found = found.clone();
        match directive {
            'Y' => found.year = Some(value.into()),
            'y' => found.year = Some(i64::from(value) + if value < 69 { 2000 } else { 1900 }),
            'm' => found.month = Some(value),
            'd' => found.day = Some(value),
            'H' => found.hour = Some(value),
            'I' => found.twelve = Some(value),
            'M' => found.minute = value,
            'S' => found.second = value,
            'j' => found.year_day = Some(value),
            _ => found.micro = value * 10u32.pow(6 - length as u32),
        }
        read(&text[length..], rest, &found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_people_use() {
        let iso = |text, format| strptime(text, format).map(|m| m.strftime("%Y-%m-%dT%H:%M:%S"));
        let same = Some("2026-11-25T17:05:09".to_owned());
        assert_eq!(iso("2026-11-25T17:05:09", "%Y-%m-%dT%H:%M:%S"), same);
        assert_eq!(iso("25.11.26 5:05:09 PM", "%d.%m.%y %I:%M:%S %p"), same);
        assert_eq!(iso("Wednesday, 25 Nov 2026  17:05:09", "%A, %d %b %Y %H:%M:%S"), same);
        assert_eq!(iso("20261125170509", "%Y%m%d%H%M%S"), same);
        assert_eq!(iso("2026 329 17:5:9", "%Y %j %T"), same);
        assert_eq!(iso("111", "%m%d"), Some("1900-11-01T00:00:00".into()));
        assert_eq!(iso("12:30 am", "%I:%M %p"), Some("1900-01-01T00:30:00".into()));
        for (text, format) in [
            ("2026-11-31", "%Y-%m-%d"),
            ("2026-11-25T17:05", "%Y-%m-%dT%H:%M:%S"),
            ("2026-11-25x", "%Y-%m-%d"),
            ("24", "%H"),
            ("5", "%q"),
        ] {
            assert_eq!(strptime(text, format), None, "{text} {format}");
        }
    }
}
