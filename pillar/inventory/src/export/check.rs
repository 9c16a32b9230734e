//! What a value must be before it goes into another program's file: a name, a number, one line. Nothing here repairs; what
//! does not fit is told to whoever keeps the data.

use std::net::IpAddr;

/// A domain name or a part of one: labels of letters, digits, hyphens and underscores between dots, the first one perhaps `*`; a dot
/// at the end makes it absolute.
pub(crate) fn is_name(text: &str) -> bool {
    let relative = text.strip_suffix('.').unwrap_or(text);
    let label = |(i, label): (usize, &str)| {
        let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && (label.bytes().all(letters) || (i == 0 && label == "*"))
    };
    relative.len() <= 253 && relative.split('.').enumerate().all(label)
}

/// A whole number of at most `max`.
pub(crate) fn number(text: &str, max: u32) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| digits && *n <= max)
}

/// A time to live: seconds, or numbers with the units of zone files (`1h30m`).
pub(crate) fn is_ttl(text: &str) -> bool {
    let unit = |b: &u8| matches!(b.to_ascii_lowercase(), b's' | b'm' | b'h' | b'd' | b'w');
    let mut digits = 0;
    for b in text.bytes() {
        match b {
            b'0'..=b'9' if digits < 9 => digits += 1,
            b if unit(&b) && digits > 0 => digits = 0,
            _ => return false,
        }
    }
    number(text, i32::MAX.unsigned_abs()).is_some() || (!text.is_empty() && digits == 0)
}

/// Text that stays on its line, whatever reads it.
pub(crate) fn is_line(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'))
}

/// Text that is one word on its line, in files whose words are parted by blanks.
pub(crate) fn is_word(text: &str) -> bool {
    is_line(text) && !text.is_empty() && !text.chars().any(char::is_whitespace)
}

/// The name of a file in a directory, and of nothing else: no path, not hidden.
pub(crate) fn is_file_name(text: &str) -> bool {
    is_line(text)
        && !text.is_empty()
        && text.len() <= 200
        && !text.starts_with(['.', '-'])
        && !text.contains('/')
}

/// A hardware address as programs write it: six octets of two digits, in lower case, with this between them.
pub(crate) fn mac(text: &str, between: char) -> Option<String> {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    let octet = |p: &&str| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit());
    let whole = parts.len() == 6 && parts.iter().all(octet);
    whole.then(|| parts.join(&between.to_string()).to_ascii_lowercase())
}

/// The contact of a zone as its record has it: the part before `@` is one label, whose dots are escaped.
pub(crate) fn contact(text: &str) -> Option<String> {
    let (person, domain) = match text.split_once('@') {
        Some((person, domain)) => (person, domain),
        None => return is_name(text).then(|| format!("{}.", text.trim_end_matches('.'))),
    };
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'.');
    let fine = (1..=63).contains(&person.len()) && person.bytes().all(letters) && is_name(domain);
    fine.then(|| format!("{}.{}.", person.replace('.', "\\."), domain.trim_end_matches('.')))
}

/// Text of a TXT record: strings of at most 255 octets in quotes, everything that means something to a zone file escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut strings = Vec::new();
    for piece in text.as_bytes().chunks(255) {
        let mut out = String::from("\"");
        for &b in piece {
            match b {
                b'"' | b'\\' => out.extend(['\\', char::from(b)]),
                b' '..=b'~' => out.push(char::from(b)),
                _ => out.push_str(&format!("\\{b:03}")),
            }
        }
        strings.push(out + "\"");
    }
    if strings.is_empty() { "\"\"".to_owned() } else { strings.join(" ") }
}

/// An address, without a zone index or any other decoration.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels() {
        for fine in
            ["a", "ns1.example.com.", "_kerberos", "_xmpp-server._tcp", "*.x", "64-26.0.168.192.in-addr.arpa"]
        {
            assert!(is_name(fine), "{fine}");
        }
        let long = "a".repeat(64);
        for wrong in ["", ".", "a..b", "a b", "a\nb", "a;b", "$INCLUDE", "a(", "x.*", "\"", "ä", "@", &long]
        {
            assert!(!is_name(wrong), "{wrong}");
        }
        assert!(!is_name(&"a.".repeat(130)));
    }

    #[test]
    fn numbers_and_times_are_bounded() {
        assert_eq!(number("65535", 65_535), Some(65_535));
        for wrong in ["65536", "-1", "+1", "", "1 ", "0x1", "99999999999999"] {
            assert_eq!(number(wrong, 65_535), None, "{wrong}");
        }
        for (text, fine) in [
            ("3600", true),
            ("1h30m", true),
            ("2W", true),
            ("", false),
            ("h", false),
            ("1h30", false),
            ("1 h", false),
        ] {
            assert_eq!(is_ttl(text), fine, "{text}");
        }
    }

    #[test]
    fn hardware_addresses_have_one_spelling() {
        assert_eq!(mac("52:54:00:AB:cd:ef", '-').as_deref(), Some("52-54-00-ab-cd-ef"));
        for wrong in ["52:54:00:ab:cd", "52:54:00:ab:cd:e", "52:54:00:ab:cd:eg", "5254.00ab.cdef", ""] {
            assert_eq!(mac(wrong, ':'), None, "{wrong}");
        }
    }

    #[test]
    fn contacts_are_names_with_the_person_as_a_label() {
        assert_eq!(contact("hostmaster@example.com").as_deref(), Some("hostmaster.example.com."));
        assert_eq!(contact("jo.doe@example.com.").as_deref(), Some("jo\\.doe.example.com."));
        assert_eq!(contact("root.example.com").as_deref(), Some("root.example.com."));
        for wrong in ["a@", "@b", "a b@c", "a@b\n", "a\"@b"] {
            assert_eq!(contact(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn texts_cannot_leave_their_quotes() {
        assert_eq!(quoted("v=spf1 mx"), "\"v=spf1 mx\"");
        assert_eq!(quoted("a\"b\\c\nd"), "\"a\\\"b\\\\c\\010d\"");
        assert_eq!(quoted("ä"), "\"\\195\\164\"");
        assert_eq!(quoted(""), "\"\"");
        let long = quoted(&"x".repeat(300));
        assert_eq!(long.split("\" \"").map(|s| s.trim_matches('"').len()).collect::<Vec<_>>(), [255, 45]);
    }

    #[test]
    fn file_names_are_no_paths() {
        for wrong in ["", ".", "..", ".x", "a/b", "-rf", "a\nb", "/etc"] {
            assert!(!is_file_name(wrong), "{wrong}");
        }
        assert!(is_file_name("CentOS-7.3.1611-x86_64-Manual"));
    }
}
