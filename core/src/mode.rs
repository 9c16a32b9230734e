//! Modes of files as states give them: text or numbers of octal digits.

use crate::text::python_str;
use brine_protocol::Value;

/// A mode as four octal digits (`0644`), as stock compares them; `None` for `None`. What is no mode stays recognizable
/// (`keep`).
#[must_use]
pub fn normalize_mode(mode: &Value) -> Option<String> {
    if mode.is_nil() {
        return None;
    }
    let text = python_str(mode).replace("0o", "0");
    let digits = text.trim_matches('"').trim_matches('\'').trim_start_matches('0');
    // `zfill` counts a sign as a place.
    Some(match digits.strip_prefix(['+', '-']) {
        Some(rest) => format!("{}{rest:0>3}", &digits[..1]),
        None => format!("{digits:0>4}"),
    })
}

/// A mode for the directories above a file of this mode: everybody who has any right to the file may go through.
#[must_use]
pub fn passable(mode: &str) -> String {
    let from = mode.char_indices().rev().nth(2).map_or(0, |(at, _)| at);
    let digit = |c: char| match c.to_digit(10) {
        Some(0) | None => c.to_string(),
        Some(digit) => (digit | 1).to_string(),
    };
    mode[from..].chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_can_be_gone_through_by_those_who_may_read() {
        for (file, dir) in [("0644", "755"), ("0600", "700"), ("4640", "750"), ("20", "30"), ("444", "555")] {
            assert_eq!(passable(file), dir);
        }
    }

    #[test]
    fn modes_are_four_digits() {
        for (mode, want) in [
            (Value::from("644"), "0644"),
            ("0644".into(), "0644"),
            ("00644".into(), "0644"),
            ("0o644".into(), "0644"),
            ("'0644'".into(), "0644"),
            (644.into(), "0644"),
            ("4755".into(), "4755"),
            ("".into(), "0000"),
            (0.into(), "0000"),
            ("keep".into(), "keep"),
        ] {
            assert_eq!(normalize_mode(&mode).as_deref(), Some(want), "{mode:?}");
        }
        assert_eq!(normalize_mode(&Value::Nil), None);
    }
}
