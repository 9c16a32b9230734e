//! `strftime` in the C locale, with glibc's flags.

use super::{Date, DateTime, Time};
use crate::error::R;
use crate::limit;
use crate::obj::Obj;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
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

/// What there is to show.
struct Moment<'a> {
    at: DateTime,
    /// Whether it has a zone.
    of: &'a Obj,
}

/// `x.strftime(format)` of a date, time or datetime.
///
/// # Errors
/// `Limit`.
pub(crate) fn strftime(obj: &Obj, format: &str) -> R<String> {
    let first = Date { year: 1900, month: 1, day: 1 };
    let at = match obj {
        Obj::DateTime(d) => DateTime::clone(d),
        Obj::Date(date) => DateTime { date: *date, time: Time::default(), zone: None },
        Obj::Time(time) => DateTime { date: first, time: *time, zone: None },
        _ => DateTime { date: first, time: Time::default(), zone: None },
    };
    let moment = Moment { at, of: obj };
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let before = out.len();
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let flags = after.len() - after.trim_start_matches(['-', '_', '0', '^', '#']).len();
        let (flag, code) = after.split_at(flags);
        let digits = code.len() - code.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (width, code) = code.split_at(digits);
        let mut chars = code.trim_start_matches(['E', 'O']).chars();
        let Some(c) = chars.next() else {
            // An unfinished one stands as it is.
            out.push_str(&rest[at..]);
            return Ok(out);
        };
        match moment.field(c) {
            Some(field) => {
                let width = width.parse::<usize>().ok();
                limit::bytes(width.unwrap_or(0))?;
                out.push_str(&field.shown(flag, width));
            }
            None => {
                let end = rest.len() - chars.as_str().len();
                out.push_str(&rest[at..end]);
            }
        }
        rest = chars.as_str();
        limit::grown(before, out.len())?;
    }
    out.push_str(rest);
    Ok(out)
}

/// A number with its usual width and filling, or a text.
enum Field {
    Number(i64, usize, char),
    Text(String),
}

impl Field {
    fn shown(self, flags: &str, width: Option<usize>) -> String {
        let flag = |c| flags.contains(c);
        let (mut text, usual, mut fill) = match self {
            Field::Number(n, width, fill) => (n.to_string(), width, fill),
            Field::Text(text) => (text, 0, ' '),
        };
        if flag('^') {
            text = text.to_uppercase();
        }
        if flag('#') {
            let lower = text.chars().all(|c| !c.is_lowercase());
            text = if lower { text.to_lowercase() } else { text.to_uppercase() };
        }
        let last = flags.chars().rfind(|c| matches!(c, '-' | '_' | '0'));
        match last {
            Some('-') if width.is_none() => return text,
            Some('_') => fill = ' ',
            Some('0') => fill = '0',
            _ => {}
        }
        let missing = width.unwrap_or(usual).saturating_sub(text.chars().count());
        std::iter::repeat_n(fill, missing).collect::<String>() + &text
    }
}

impl Moment<'_> {
    fn field(&self, code: char) -> Option<Field> {
        let DateTime { date, time, .. } = &self.at;
        let zero = |n: i64, width| Some(Field::Number(n, width, '0'));
        let space = |n: i64, width| Some(Field::Number(n, width, ' '));
        let text = |s: &str| Some(Field::Text(s.to_owned()));
        let again = |format: &str| strftime(self.of, format).ok().map(Field::Text);
        let (day_name, month_name) = (DAYS[usize::from(date.weekday())], MONTHS[usize::from(date.month) - 1]);
        let hour12 = i64::from((time.hour + 11) % 12 + 1);
        let (yday, wday) = (i64::from(date.day_of_year()) - 1, i64::from(date.weekday()));
        let year = i64::from(date.year);
        match code {
            'a' => text(&day_name[..3]),
            'A' => text(day_name),
            'b' | 'h' => text(&month_name[..3]),
            'B' => text(month_name),
            'c' => again("%a %b %e %H:%M:%S %Y"),
            'C' => zero(year / 100, 1),
            'd' => zero(date.day.into(), 2),
            'D' | 'x' => again("%m/%d/%y"),
            'e' => space(date.day.into(), 2),
            'f' => zero(time.micro.into(), 6),
            'F' => again("%Y-%m-%d"),
            'g' => zero(i64::from(date.iso_calendar().0) % 100, 2),
            'G' => zero(date.iso_calendar().0.into(), 1),
            'H' => zero(time.hour.into(), 2),
            'I' => zero(hour12, 2),
            'j' => zero(yday + 1, 3),
            'k' => space(time.hour.into(), 2),
            'l' => space(hour12, 2),
            'm' => zero(date.month.into(), 2),
            'M' => zero(time.minute.into(), 2),
            'n' => text("\n"),
            'p' => text(if time.hour < 12 { "AM" } else { "PM" }),
            'P' => text(if time.hour < 12 { "am" } else { "pm" }),
            'r' => again("%I:%M:%S %p"),
            'R' => again("%H:%M"),
            's' => zero(local_seconds(&self.at), 1),
            'S' => zero(time.second.into(), 2),
            't' => text("\t"),
            'T' | 'X' => again("%H:%M:%S"),
            'u' => zero(wday + 1, 1),
            'U' => zero((yday + 7 - (wday + 1) % 7) / 7, 2),
            'V' => zero(date.iso_calendar().1.into(), 2),
            'w' => zero((wday + 1) % 7, 1),
            'W' => zero((yday + 7 - wday) / 7, 2),
            'y' => zero(year % 100, 2),
            // Not filled up, as glibc has it.
            'Y' => zero(year, 1),
            'z' => text(&self.at.zone.as_ref().map_or(String::new(), |z| z.offset(""))),
            'Z' => text(&self.at.zone.as_ref().map_or(String::new(), |z| z.name())),
            '%' => text("%"),
            _ => None,
        }
    }
}

/// Seconds since 1970, where the wall's clock is that of this machine, whatever zone the value has.
pub(crate) fn local_seconds(at: &DateTime) -> i64 {
    let wall = at.wall_seconds();
    wall - local_offset(wall - local_offset(wall))
}

/// How many seconds east of UTC this machine is at a moment; 0 where nothing says so.
pub(crate) fn local_offset(at: i64) -> i64 {
    let offset = || {
        let zone = tz::TimeZone::local().ok()?;
        Some(i64::from(zone.find_local_time_type(at).ok()?.ut_offset()))
    };
    offset().unwrap_or(0)
}
