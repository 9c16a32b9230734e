//! Job ids: UTC time to the microsecond, 20 digits.
//!
//! Reads no clock: callers hand the time in.

use brine_protocol::DateTime;
use brine_protocol::ids::Jid;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The jid of a moment: `YYYYMMDDHHMMSSffffff`, UTC.
pub fn gen_jid(now: SystemTime) -> String {
    Jid::of(&utc(now), None).to_string()
}

/// Jids that never repeat within this process: with the option `unique_jid` they always increase and end in `_<pid>`.
#[derive(Debug, Default)]
pub struct JidSource {
    last: std::sync::Mutex<Option<SystemTime>>,
    pid: Option<u32>,
}

impl JidSource {
    /// Jids that increase; with a process id, suffixed by it as `unique_jid` asks.
    pub fn new(pid: Option<u32>) -> Self {
        Self { last: std::sync::Mutex::default(), pid }
    }

    /// The next jid: that of `now`, or one microsecond after the last.
    pub fn next(&self, now: SystemTime) -> Jid {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = match *last {
            Some(last) if now <= last + Duration::from_micros(1) => last + Duration::from_micros(1),
            _ => now,
        };
        *last = Some(at);
        Jid::of(&utc(at), self.pid)
    }
}

/// Salt's `is_jid`: 20 digits, or those followed by an underscore and at least one character more.
pub fn is_jid(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() >= 20
        && b[..20].iter().all(u8::is_ascii_digit)
        && (b.len() == 20 || (b[20] == b'_' && text.chars().count() > 21))
}

/// Whether a client may choose this jid: 20 digits, at most followed by `_` and digits. Stricter than stock, which
/// takes any text into event tags.
pub fn is_safe_jid(text: &str) -> bool {
    is_jid(text)
        && (text.len() == 20
            || (text.len() <= 41 && text.len() > 21 && text[21..].bytes().all(|b| b.is_ascii_digit())))
}

/// Salt's `jid_to_time`: `2026, Nov 25 13:33:41.123456`, or empty text if this is no jid.
pub fn jid_to_time(jid: &str) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    if !is_jid(jid) {
        return String::new();
    }
    let month =
        jid[4..6].parse::<usize>().ok().and_then(|m| MONTHS.get(m.wrapping_sub(1))).copied().unwrap_or("");
    format!(
        "{}, {month} {} {}:{}:{}.{}",
        &jid[..4],
        &jid[6..8],
        &jid[8..10],
        &jid[10..12],
        &jid[12..14],
        &jid[14..20]
    )
}

/// When a generated jid was made; None for one that a caller chose freely.
pub fn time_of(jid: &str) -> Option<SystemTime> {
    if !is_jid(jid) {
        return None;
    }
    let number = |from: usize, to: usize| jid.get(from..to)?.parse::<u32>().ok();
    let (month, day) = (number(4, 6)?, number(6, 8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = crate::clock::unix_of(number(0, 4)?.into(), month, day);
    let seconds =
        u64::from(number(8, 10)?) * 3600 + u64::from(number(10, 12)?) * 60 + u64::from(number(12, 14)?);
    let micros = u64::from(number(14, 20)?);
    let since = Duration::from_secs(u64::try_from(days).ok()? + seconds) + Duration::from_micros(micros);
    UNIX_EPOCH.checked_add(since)
}

/// A moment as date and time of day in UTC.
pub fn utc(t: SystemTime) -> DateTime {
    let since = t.duration_since(UNIX_EPOCH).unwrap_or_default();
    let secs = since.as_secs();
    let (days, rest) = (secs / 86_400, secs % 86_400);
    let (year, month, day) = crate::clock::date_of(days as i64);
    DateTime {
        year: year as u16,
        month: month as u8,
        day: day as u8,
        hour: (rest / 3600) as u8,
        minute: (rest / 60 % 60) as u8,
        second: (rest % 60) as u8,
        micro: since.subsec_micros(),
    }
}

/// An event's `_stamp`: a moment in UTC as Python's `isoformat()` writes it, microseconds only when there are any.
pub fn stamp(t: SystemTime) -> String {
    utc(t).to_string().replace(' ', "T")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_jid_tells_its_time() {
        let now = UNIX_EPOCH + Duration::from_micros(1_795_613_621_000_042);
        assert_eq!(time_of(&gen_jid(now)), Some(now));
        assert_eq!(time_of("my-own-jid"), None);
        assert_eq!(time_of("20261399000000000000"), None);
    }

    #[test]
    fn stamps_are_iso() {
        let t = UNIX_EPOCH + std::time::Duration::from_micros(1_764_078_088_000_005);
        assert_eq!(stamp(t), "2025-11-25T13:41:28.000005");
        assert_eq!(stamp(UNIX_EPOCH), "1970-01-01T00:00:00");
    }

    #[test]
    fn jids() {
        let at = |secs, micros| UNIX_EPOCH + Duration::from_secs(secs) + Duration::from_micros(micros);
        assert_eq!(gen_jid(at(0, 7)), "19700101000000000007");
        assert_eq!(gen_jid(at(1_709_164_800, 0)), "20240229000000000000");
        assert_eq!(gen_jid(at(1_795_613_621, 123_456)), "20261125133341123456");
        assert_eq!(jid_to_time("20261125133341123456"), "2026, Nov 25 13:33:41.123456");
        assert_eq!(jid_to_time("nope"), "");
        assert!(is_jid("20261125133341123456_77") && is_safe_jid("20261125133341123456_77"));
        for bad in [
            "2026112513334112345",
            "20261125133341123456/x",
            "20261125133341123456_",
            "../../etc/passwd12345",
        ] {
            assert!(!is_safe_jid(bad), "{bad}");
        }
        let source = JidSource::new(Some(5));
        assert_eq!(source.next(at(1, 0)).as_str(), "19700101000001000000_5");
        assert_eq!(source.next(at(1, 0)).as_str(), "19700101000001000001_5");
        assert_eq!(source.next(at(0, 0)).as_str(), "19700101000001000002_5");
    }
}
