//! Lengths of time, as people write them.

use std::time::Duration;

/// `30s`, `5m`, `2h`, `1d`, `1h30m`, `500ms`, or a bare number of seconds.
pub fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if let Ok(seconds) = rest.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let mut whole = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let millis = match &unit[..end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        whole = whole.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
        rest = &unit[end..];
    }
    (!text.trim().is_empty()).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let millis = |text| duration(text).map(|d| d.as_millis());
        for (text, expected) in [
            ("30", Some(30_000)),
            ("30s", Some(30_000)),
            (" 1h30m ", Some(5_400_000)),
            ("2d", Some(172_800_000)),
            ("1500ms", Some(1_500)),
            ("", None),
            ("s", None),
            ("5", Some(5_000)),
            ("5m3", None),
            ("-5s", None),
            ("5w", None),
            ("99999999999999999999s", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }
}
