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
        assert_eq!(encoded(&brine_protocol::map! {"a b" => 1, "c" => "x&y"}), "a+b=1&c=x%26y");
    }
}
