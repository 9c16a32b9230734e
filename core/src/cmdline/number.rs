//! Numbers as Python's optparse reads them.

/// `12`, `-3`, `0x1f`, `0b101`, `017`.
pub fn int(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // A sign hides the prefix from optparse, which then reads decimal digits.
    let signed = digits.len() != text.len();
    let (digits, radix) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") if !signed => (&digits[2..], 16),
        Some("0b") if !signed => (&digits[2..], 2),
        _ if digits.starts_with('0') && !signed => (digits, 8),
        _ => (digits, 10),
    };
    let plain = without_underscores(digits)?;
    let n = i64::from_str_radix(&plain, radix).ok().filter(|_| plain.chars().all(char::is_alphanumeric))?;
    Some(if negative { -n } else { n })
}

/// `0.5`, `1e3`, `inf`.
pub fn float(text: &str) -> Option<f64> {
    without_underscores(text.trim())?.parse().ok()
}

/// Python allows single underscores between digits.
fn without_underscores(text: &str) -> Option<String> {
    let fine = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    fine.then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_pythons() {
        for (text, want) in [
            ("5", Some(5)),
            (" -5 ", Some(-5)),
            ("+7", Some(7)),
            ("0x1f", Some(31)),
            ("0b11", Some(3)),
            ("010", Some(8)),
            ("0", Some(0)),
            ("08", None),
            ("1_000", Some(1000)),
            ("1__0", None),
            ("", None),
            ("--5", None),
            ("5s", None),
            ("1.5", None),
        ] {
            assert_eq!(int(text), want, "{text:?}");
        }
        assert_eq!(float("1.5"), Some(1.5));
        assert_eq!(float("x"), None);
    }
}
