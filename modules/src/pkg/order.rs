//! How Debian orders versions: epoch, upstream version, revision; digits as numbers, letters before other characters, and `~`
//! before everything.

use std::cmp::Ordering;

/// Compares two versions; `None` where one is none (white space in it, an epoch that is no number, an empty revision). Nothing
/// at all comes before every version.
pub(crate) fn compare(a: &str, b: &str) -> Option<Ordering> {
    if a.is_empty() || b.is_empty() {
        return Some(a.is_empty().cmp(&b.is_empty()).reverse());
    }
    let (a, b) = (parse(a)?, parse(b)?);
    Some(a.0.cmp(&b.0).then_with(|| part(a.1, b.1)).then_with(|| part(a.2, b.2)))
}

/// Whether a condition between two versions holds. An operator that is none is reported and does not hold.
pub(crate) fn holds(version: &str, operator: &str, other: &str, ignore_epoch: bool) -> bool {
    let wanted = match operator {
        "<" => Ordering::is_lt,
        "<=" => Ordering::is_le,
        "==" => Ordering::is_eq,
        "!=" => Ordering::is_ne,
        ">=" => Ordering::is_ge,
        ">" => Ordering::is_gt,
        _ => {
            tracing::error!("Invalid operator '{operator}' for version comparison");
            return false;
        }
    };
    let (a, b) = (without_epoch(version, ignore_epoch), without_epoch(other, ignore_epoch));
    compare(a, b).is_some_and(wanted)
}

/// The version, without its epoch where that does not count.
pub(crate) fn without_epoch(version: &str, ignore: bool) -> &str {
    match version.split_once(':') {
        Some((_, rest)) if ignore => rest,
        _ => version,
    }
}

/// The first of these versions that a condition (`>=1.2`) takes.
pub(crate) fn first_match<'a>(wanted: &str, available: &'a [String], ignore_epoch: bool) -> Option<&'a str> {
    let (operator, version) = brine_core::apt::split_comparison(wanted);
    let operator = if operator.is_empty() { "==" } else { operator };
    available.iter().find(|known| holds(known, operator, version, ignore_epoch)).map(String::as_str)
}

fn parse(version: &str) -> Option<(u64, &str, &str)> {
    let version = version.trim();
    if version.chars().any(char::is_whitespace) || version.is_empty() {
        return None;
    }
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) => (epoch.parse::<u32>().ok()?.into(), rest),
        None => (0, version),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (rest, ""),
    };
    (!upstream.is_empty()).then_some((epoch, upstream, revision))
}

fn weight(byte: Option<u8>) -> i32 {
    match byte {
        None => 0,
        Some(b) if b.is_ascii_digit() => 0,
        Some(b'~') => -1,
        Some(b) if b.is_ascii_alphabetic() => b.into(),
        Some(b) => i32::from(b) + 256,
    }
}

fn part(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    let digit = |text: &[u8]| text.first().is_some_and(u8::is_ascii_digit);
    while !a.is_empty() || !b.is_empty() {
        while (!a.is_empty() && !digit(a)) || (!b.is_empty() && !digit(b)) {
            let order = weight(a.first().copied()).cmp(&weight(b.first().copied()));
            if order.is_ne() {
                return order;
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let number = |text: &[u8]| {
            let end = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
            let zeros = text[..end].iter().take_while(|c| **c == b'0').count();
            (zeros, end)
        };
        let ((az, ae), (bz, be)) = (number(a), number(b));
        let (an, bn) = (&a[az..ae], &b[bz..be]);
        let order = an.len().cmp(&bn.len()).then_with(|| an.cmp(bn));
        if order.is_ne() {
            return order;
        }
        (a, b) = (&a[ae..], &b[be..]);
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_take_the_first_version_that_fits() {
        let known = ["1:3".to_owned(), "2".to_owned(), "1".to_owned()];
        assert_eq!(first_match(">=2", &known, false), Some("1:3"));
        assert_eq!(first_match("<2", &known, false), Some("1"));
        assert_eq!(first_match("<9", &known, true), Some("1:3"));
        assert_eq!(first_match("3", &known, true), Some("1:3"));
        assert_eq!(first_match("<<2", &known, false), None);
        assert!(holds("1", "!=", "2", false) && !holds("1-", "!=", "1", false));
    }

    /// dpkg's own word. Where it takes a version for none, it says so and goes on; we say nothing there.
    fn dpkg(a: &str, b: &str) -> Option<Ordering> {
        let holds = |operator: &str| {
            let out = std::process::Command::new("dpkg").args(["--compare-versions", a, operator, b]).output().ok()?;
            out.stderr.is_empty().then(|| out.status.success())
        };
        match (holds("lt")?, holds("eq")?) {
            (true, _) => Some(Ordering::Less),
            (_, true) => Some(Ordering::Equal),
            _ => Some(Ordering::Greater),
        }
    }

    #[test]
    fn random_versions_are_ordered_as_by_dpkg() {
        let mut random = brine_testing::Random::new(brine_testing::number("BRINE_SEED", 6));
        let parts = ["0", "1", "9", "10", "02", "a", "b", "Z", "~", "+", ".", "rc", "ubuntu", "bpo", "-", "git"];
        let mut version = |most: usize| {
            let mut text = if random.once_in(4) { format!("{}:", random.below(3)) } else { String::new() };
            text.push_str(&random.below(12).to_string());
            for _ in 0..random.below(most) {
                text.push_str(random.pick(&parts));
            }
            text
        };
        let (mut compared, mut same) = (0, 0);
        for _ in 0..brine_testing::number("BRINE_CASES", 150) {
            let a = version(6);
            let b = if same % 3 == 0 { format!("{a}{}", ["", "-0", "~", "0"][same % 4]) } else { version(6) };
            same += 1;
            if let Some(want) = dpkg(&a, &b) {
                assert_eq!(compare(&a, &b), Some(want), "{a} {b}");
                compared += 1;
            }
        }
        assert!(compared > 50, "only {compared} compared");
    }

    #[test]
    fn versions_are_ordered_as_by_dpkg() {
        for (a, b) in [
            ("0.2.4-0ubuntu1", "0.2.4.1-0ubuntu1"), ("1.0~rc1", "1.0"), ("1.0", "1.0-1"), ("9", "10"), ("1:0", "2:0"),
            ("2", "1:1"), ("1.0a", "1.0b"), ("1.0a", "1.0+"), ("1.0-1", "1.0-1~bpo+1x"), ("~", "a"),
        ] {
            let want = if a == "1.0-1" { Ordering::Greater } else { Ordering::Less };
            assert_eq!(compare(a, b), Some(want), "{a} {b}");
            assert_eq!(compare(b, a), Some(want.reverse()), "{b} {a}");
        }
        assert_eq!(compare("1.00", "1.0"), Some(Ordering::Equal));
        assert_eq!(compare("0:1-0", "1"), Some(Ordering::Equal));
        assert_eq!((compare("1-", "1"), compare("a b", "1"), compare("x:1", "1")), (None, None, None));
        assert_eq!(compare("", "~"), Some(Ordering::Less));
    }
}
