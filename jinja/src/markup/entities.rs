//! `html.unescape`: character references of HTML 5, with its rules for those that are wrong.
//!
//! The names are HTML's own table, one a line with its characters in hexadecimal.

use std::collections::HashMap;
use std::sync::OnceLock;

/// The longest name that is looked for.
const LONGEST: usize = 32;

fn names() -> &'static HashMap<&'static str, String> {
    static NAMES: OnceLock<HashMap<&'static str, String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let rows = include_str!("entities.txt").lines().filter_map(|line| line.split_once(' '));
        rows.map(|(name, codes)| {
            let chars = codes.split(' ').filter_map(|n| char::from_u32(u32::from_str_radix(n, 16).ok()?));
            (name, chars.collect())
        })
        .collect()
    })
}

/// Text with its references replaced.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let taken = numbered(&mut out, rest).or_else(|| named(&mut out, rest));
        match taken {
            Some(taken) => rest = &rest[taken..],
            None => out.push('&'),
        }
    }
    out + rest
}

/// `#60;` or `#x3c;`: how much of the text it is.
fn numbered(out: &mut String, text: &str) -> Option<usize> {
    let number = text.strip_prefix('#')?;
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16),
        None => (number, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    if end == 0 {
        return None;
    }
    // What is too large for 32 bits is beyond all characters.
    let code = u32::from_str_radix(&digits[..end], radix).unwrap_or(u32::MAX);
    out.extend(character(code));
    let semicolon = usize::from(digits[end..].starts_with(';'));
    Some(text.len() - digits.len() + end + semicolon)
}

/// The character of a number; `None` for those that may not be written so.
fn character(code: u32) -> Option<char> {
    const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    match code {
        0 => Some('\u{fffd}'),
        0x0d => Some('\r'),
        0x80..=0x9f => WINDOWS.chars().nth(code as usize - 0x80),
        1..=8 | 0x0b | 0x0e..=0x1f | 0x7f | 0xfdd0..=0xfdef => None,
        _ if code <= 0x0010_ffff && code & 0xfffe == 0xfffe => None,
        _ => Some(char::from_u32(code).unwrap_or('\u{fffd}')),
    }
}

/// `lt;` or what begins like a name: how much of the text it is.
fn named(out: &mut String, text: &str) -> Option<usize> {
    let stops = |c: char| matches!(c, '\t' | '\n' | '\x0c' | ' ' | '<' | '&' | '#' | ';');
    let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
    let end = text[..end].find(stops).unwrap_or(end);
    if end == 0 {
        return None;
    }
    let whole = end + usize::from(text[end..].starts_with(';'));
    let name = &text[..whole];
    if let Some(chars) = names().get(name) {
        out.push_str(chars);
        return Some(whole);
    }
    // The longest name that it begins with, of two characters or more.
    for (at, _) in name.char_indices().skip(2).collect::<Vec<_>>().into_iter().rev() {
        if let Some(chars) = names().get(&name[..at]) {
            out.push_str(chars);
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn references_are_replaced() {
        for (from, to) in [
            ("&lt;&gt &ampx; &#39;&#x3C", "<> &x; '<"),
            ("&notit; &notin; & &; &#; &#x; &q", "¬it; ∉ & &; &#; &#x; &q"),
            ("&#0;&#x80;&#1;&#xd800;&#x110000;&#99999999999;", "\u{fffd}€\u{fffd}\u{fffd}\u{fffd}"),
            ("a&&lt", "a&<"),
        ] {
            assert_eq!(unescape(from), to);
        }
    }
}
