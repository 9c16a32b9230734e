//! Text in URLs, as Python's `urllib.parse` writes it.

use crate::text::python_str;
use brine_protocol::Map;

/// `quote(text, safe)`: what is in `safe` stays as it is.
pub fn quote(text: &str, safe: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "_.-~".contains(c) || (byte.is_ascii() && safe.contains(c)) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `quote_plus(text)`.
pub fn quote_plus(text: &str) -> String {
    quote(text, " ").replace(' ', "+")
}

/// `unquote_to_bytes(text)`: a `%` that begins nothing is itself.
pub fn unquote_to_bytes(text: &str) -> Vec<u8> {
    let digit =
        |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match (byte, digit(bytes.get(at)), digit(bytes.get(at + 1))) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                at += 2;
            }
            _ => out.push(*byte),
        }
    }
    out
}

/// `urlencode(form)`.
pub fn encoded(form: &Map) -> String {
    let quoted = |value| quote_plus(&python_str(value));
    let pairs = form.iter().map(|(key, value)| format!("{}={}", quoted(key), quoted(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_pythons() {
        assert_eq!(quote("a b/ü?&~", "/"), "a%20b/%C3%BC%3F%26~");
        assert_eq!(quote("a/b@c", ""), "a%2Fb%40c");
        assert_eq!(quote_plus("a b+/ä~"), "a+b%2B%2F%C3%A4~");
        assert_eq!(unquote_to_bytes("a%2Fb%c3%A4+%zz%4%+1%ff%"), b"a/b\xc3\xa4+%zz%4%+1\xff%");
        assert_eq!(encoded(&brine_protocol::map! {"a b" => 1, "c" => "x&y"}), "a+b=1&c=x%26y");
    }
}
