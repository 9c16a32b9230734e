//! Functions of `system` about the clock. Times are local unless a UTC offset (`-0500`) is given.

use brine_core::clock::{Clock, days_in, unix_now};
use crate::grains_core::read;
use crate::tools;
use brine_core::call::{CallError, Cx, Result, exec};

/// Minutes of a UTC offset such as `+0130`.
fn offset_minutes(text: &str) -> Result<i64> {
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    let number = |from: usize| digits.get(from..from + 2).and_then(|d| d.parse::<i64>().ok());
    match (number(0), number(2)) {
        (Some(hours), Some(minutes)) if digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(sign * (hours * 60 + minutes))
        }
        _ => Err(CallError::invocation("Invalid UTC offset")),
    }
}

/// Now, local or at an offset.
fn now(utc_offset: Option<&str>) -> Result<Clock> {
    Ok(match utc_offset {
        Some(offset) => Clock::at(unix_now() as i64, offset_minutes(offset)? * 60),
        None => Clock::now(),
    })
}

/// Get the system time.
///
/// CLI Example: salt '*' system.get_system_time -0500
#[exec]
fn get_system_time(utc_offset: Option<String>) -> Result<String> {
    Ok(now(utc_offset.as_deref())?.strftime("%I:%M:%S %p"))
}

/// Get the system date/time.
///
/// CLI Example: salt '*' system.get_system_date_time "'-0500'"
#[exec]
fn get_system_date_time(utc_offset: Option<String>) -> Result<String> {
    Ok(now(utc_offset.as_deref())?.strftime("%Y-%m-%d %H:%M:%S"))
}

/// Get the system date.
///
/// CLI Example: salt '*' system.get_system_date
#[exec]
fn get_system_date(utc_offset: Option<String>) -> Result<String> {
    Ok(now(utc_offset.as_deref())?.strftime("%a %m/%d/%Y"))
}

/// Numbers of a text that follows a pattern of `%` directives exactly, `None` where it does not. Knows the directives
/// of times and dates that stock accepts.
fn scan(text: &str, pattern: &str) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut rest = text;
    let mut pattern = pattern.chars();
    let (mut half_day, mut afternoon) = (false, false);
    while let Some(c) = pattern.next() {
        if c == ' ' {
            let trimmed = rest.trim_start();
            if trimmed.len() == rest.len() {
                return None;
            }
            rest = trimmed;
            continue;
        }
        if c != '%' {
            rest = rest.strip_prefix(c)?;
            continue;
        }
        let directive = pattern.next()?;
        if directive == 'p' {
            let word = rest.get(..2)?.to_lowercase();
            afternoon = match word.as_str() {
                "am" => false,
                "pm" => true,
                _ => return None,
            };
            rest = &rest[2..];
            continue;
        }
        let most = if directive == 'Y' { 4 } else { 2 };
        let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let number: i64 = rest.get(..length)?.parse().ok()?;
        rest = &rest[length..];
        let range = |low: i64, high: i64| (low..=high).contains(&number).then_some(number);
        match directive {
            'Y' if length == 4 => parts.year = Some(range(1, 9999)?),
            'y' if length == 2 => parts.year = Some(number + if number < 69 { 2000 } else { 1900 }),
            'm' => parts.month = Some(range(1, 12)?),
            'd' => parts.day = Some(range(1, 31)?),
            'H' => parts.hour = Some(range(0, 23)?),
            'I' => {
                half_day = true;
                parts.hour = Some(range(1, 12)?);
            }
            'M' => parts.minute = Some(range(0, 59)?),
            'S' => parts.second = Some(range(0, 61)?),
            _ => return None,
        }
    }
    if half_day {
        parts.hour = parts.hour.map(|h| h % 12 + if afternoon { 12 } else { 0 });
    }
    if let (Some(y), Some(m), Some(d)) = (parts.year, parts.month, parts.day)
        && d > i64::from(days_in(y, m as u32))
    {
        return None;
    }
    rest.is_empty().then_some(parts)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
}

/// Set the system time, as `HH:MM:SS` or `HH:MM`, with AM or PM if you like. Returns whether it could be set.
///
/// CLI Example: salt '*' system.set_system_time "'11:20'"
#[exec]
fn set_system_time(cx: &Cx, newtime: String, utc_offset: Option<String>) -> Result<bool> {
    let formats = ["%I:%M:%S %p", "%I:%M %p", "%H:%M:%S", "%H:%M"];
    let Some(mut parts) = formats.iter().find_map(|f| scan(&newtime, f)) else { return Ok(false) };
    parts.second = parts.second.or(Some(0));
    set(cx, parts, utc_offset.as_deref())
}

/// Set the system date, as `YYYY-MM-DD`, `MM-DD-YYYY`, `MM-DD-YY`, with slashes if you like.
///
/// CLI Example: salt '*' system.set_system_date '03-28-13'
#[exec]
fn set_system_date(cx: &Cx, newdate: String, utc_offset: Option<String>) -> Result<bool> {
    let formats = ["%Y-%m-%d", "%m-%d-%Y", "%m-%d-%y", "%m/%d/%Y", "%m/%d/%y", "%Y/%m/%d"];
    match formats.iter().find_map(|f| scan(&newdate, f)) {
        Some(parts) => set(cx, parts, utc_offset.as_deref()),
        None => Err(CallError::invocation("Invalid date format")),
    }
}

/// Set the system date and time; what is not given stays as it is. Returns whether it could be set.
///
/// CLI Example: salt '*' system.set_system_date_time 2015 5 12 11 37 53 "'-0500'"
#[exec]
#[allow(clippy::too_many_arguments, reason = "they are Salt's")]
fn set_system_date_time(
    cx: &Cx,
    years: Option<i64>,
    months: Option<i64>,
    days: Option<i64>,
    hours: Option<i64>,
    minutes: Option<i64>,
    seconds: Option<i64>,
    utc_offset: Option<String>,
) -> Result<bool> {
    let parts =
        Parts { year: years, month: months, day: days, hour: hours, minute: minutes, second: seconds };
    set(cx, parts, utc_offset.as_deref())
}

/// The argument of `date` that sets these parts, and whether it is in UTC.
fn date_argument(now: &Clock, parts: Parts, utc: bool) -> Result<(String, String)> {
    let year = parts.year.unwrap_or(now.year);
    let month = parts.month.unwrap_or(now.month.into());
    let day = parts.day.unwrap_or(now.day.into());
    let hour = parts.hour.unwrap_or(now.hour.into());
    let minute = parts.minute.unwrap_or(now.minute.into());
    let second = parts.second.unwrap_or(now.second.into());
    let wrong = |what: &str| Err(CallError::invocation(what));
    if !(1..=9999).contains(&year) {
        return wrong(&format!("year {year} is out of range"));
    }
    if !(1..=12).contains(&month) {
        return wrong("month must be in 1..12");
    }
    if !(1..=i64::from(days_in(year, month as u32))).contains(&day) {
        return wrong("day is out of range for month");
    }
    for (name, value, most) in [("hour", hour, 23), ("minute", minute, 59), ("second", second, 59)] {
        if !(0..=most).contains(&value) {
            return wrong(&format!("{name} must be in 0..{most}"));
        }
    }
    let mut all = [year, month, day, hour, minute, second];
    if utc {
        let unix = brine_core::clock::unix_of(year, month as u32, day as u32) + hour * 3600 + minute * 60 + second;
        let moved = Clock::at(unix - now.offset, 0);
        all = [
            moved.year,
            moved.month.into(),
            moved.day.into(),
            moved.hour.into(),
            moved.minute.into(),
            moved.second.into(),
        ];
    }
    let [year, month, day, hour, minute, second] = all;
    let posix = format!("{month:02}{day:02}{hour:02}{minute:02}{year:04}");
    Ok((format!("{posix}.{second:02}"), posix))
}

/// Sets the clock with `date`, and the hardware's clock after it if there is one that can be set.
fn set(cx: &Cx, parts: Parts, utc_offset: Option<&str>) -> Result<bool> {
    let (exact, posix) = date_argument(&now(utc_offset)?, parts, utc_offset.is_some())?;
    let date = |argument: &str| {
        if utc_offset.is_some() {
            tools::run_all(cx, &["date", "-u", argument])
        } else {
            tools::run_all(cx, &["date", argument])
        }
    };
    let failed = |ret: &brine_core::Map| ret.get("retcode").and_then(|c| c.as_int()) != Some(0);
    let first = date(&exact)?;
    if failed(&first) && failed(&date(&posix)?) {
        return Err(CallError::execution(format!("date failed: {}", first.get_str("stderr").unwrap_or(""))));
    }
    if settable(cx)? {
        let hardware = tools::run_all(cx, &["hwclock", "--systohc"])?;
        if failed(&hardware) {
            tracing::warn!("hwclock failed: {}", hardware.get_str("stderr").unwrap_or(""));
        }
    }
    Ok(true)
}

fn settable(cx: &Cx) -> Result<bool> {
    if read::which("hwclock").is_none() {
        return Ok(false);
    }
    Ok(tools::run_all(cx, &["hwclock", "--test", "--systohc"])?.get("retcode") == Some(&0.into()))
}

/// Returns True if the system has a hardware clock capable of being set from software.
///
/// CLI Example: salt '*' system.has_settable_hwclock
#[exec]
fn has_settable_hwclock(cx: &Cx) -> Result<bool> {
    settable(cx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_signed_hours_and_minutes() {
        assert_eq!(offset_minutes("-0530").unwrap(), -330);
        assert_eq!(offset_minutes("0100").unwrap(), 60);
        for bad in ["", "1", "+1", "01:00", "abcd"] {
            assert_eq!(offset_minutes(bad).unwrap_err().to_string(), "Invalid UTC offset");
        }
    }

    #[test]
    fn times_and_dates_are_scanned() {
        let hm = |h, m| Some((Some(h), Some(m)));
        let time = |t: &str, f: &str| scan(t, f).map(|p| (p.hour, p.minute));
        assert_eq!(time("11:20 PM", "%I:%M %p"), hm(23, 20));
        assert_eq!(time("12:05 am", "%I:%M %p"), hm(0, 5));
        assert_eq!(time("23:59", "%H:%M"), hm(23, 59));
        assert_eq!(time("24:00", "%H:%M"), None);
        assert_eq!(time("1:2x", "%H:%M"), None);
        assert_eq!(scan("03-28-13", "%m-%d-%y").and_then(|p| p.year), Some(2013));
        assert_eq!(scan("2023-02-29", "%Y-%m-%d"), None);
    }

    #[test]
    fn the_date_command_gets_what_is_meant() {
        let now = Clock::at(1_795_615_141, 0);
        let five = Parts { hour: Some(5), minute: Some(6), second: Some(7), ..Parts::default() };
        assert_eq!(date_argument(&now, five, false).unwrap().0, "112505062026.07");
        let east = Clock::at(1_795_615_141, 3600);
        assert_eq!(date_argument(&east, five, true).unwrap().0, "112504062026.07");
        let bad = Parts { day: Some(31), ..Parts::default() };
        assert_eq!(date_argument(&now, bad, false).unwrap_err().to_string(), "day is out of range for month");
    }
}
