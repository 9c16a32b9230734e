//! The text of a mail: head and body.

use brine_core::call::{CallError, Result};
use brine_core::clock::Clock;
use brine_core::text::python_str;
use brine_core::{Map, Value};

/// A subject with members of the return after it.
///
/// A return is a minion's word: it must not begin new lines in the head of a mail.
pub(super) fn subject(mut subject: String, fields: &str, ret: &Map) -> String {
    for field in fields.split(',').filter(|field| !field.is_empty()) {
        if let Some(value) = ret.get(field) {
            subject += &format!(" {}", python_str(value));
        }
    }
    one_line(&subject)
}

fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The usual body, as stock's template gives it.
pub(super) fn body(ret: &Map) -> Result<String> {
    let mut out = String::new();
    for (label, key) in
        [("id", "id"), ("function", "fun"), ("function args", "fun_args"), ("jid", "jid"), ("return", "return")]
    {
        let value = ret.get(key).ok_or_else(|| {
            CallError::exception("salt.exceptions.SaltRenderError", format!("Jinja variable '{key}' is undefined"))
        })?;
        out += &format!("{label}: {}\n", python_str(value));
    }
    Ok(out)
}

/// Head and body, with lines that end as mail has it.
pub(super) fn message(from: &str, to: &[&str], subject: &str, body: &str) -> String {
    let date = Clock::now().strftime("%a, %d %b %Y %H:%M:%S %z");
    let mut out = format!("From: {}\r\nTo: {}\r\nDate: {date}\r\n", one_line(from), one_line(&to.join(", ")));
    out += &format!("Subject: {}\r\n", word(subject));
    if !body.is_ascii() {
        // Stock's mail fails here: it knows ASCII only.
        out += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";
    }
    out += "\r\n";
    out += &body.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    out
}

/// Text of a head that is not ASCII, as encoded words of RFC 2047: at most 75 bytes each.
fn word(text: &str) -> String {
    use base64::Engine as _;
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut part = String::new();
    for c in text.chars() {
        if part.len() + c.len_utf8() > 45 {
            words.push(std::mem::take(&mut part));
        }
        part.push(c);
    }
    words.push(part);
    let coded = |part: &String| format!("=?utf-8?b?{}?=", base64::engine::general_purpose::STANDARD.encode(part));
    words.iter().map(coded).collect::<Vec<_>>().join("\r\n ")
}

/// The address in `Name <address>`, or all of it.
pub(super) fn address(text: &str) -> Result<String> {
    let inner = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(inner, _)| inner);
    let inner = inner.unwrap_or(text).trim();
    if inner.is_empty() || inner.contains(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>')) {
        return Err(CallError::execution(format!("not a mail address: {}", python_repr(text))));
    }
    Ok(inner.to_owned())
}

fn python_repr(text: &str) -> String {
    brine_core::text::python_repr(&Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn a_return_begins_no_line_of_the_head() {
        let ret = map! {"id" => "m\r\nBcc: x@y", "fun" => "f"};
        assert_eq!(subject("S".into(), "id,fun,none", &ret), "S m Bcc: x@y f");
        let mail = message("a@x", &["b@x", " c@x"], "S", "one\r\ntwo\n");
        assert!(mail.starts_with("From: a@x\r\nTo: b@x,  c@x\r\nDate: "), "{mail}");
        assert!(mail.ends_with("\r\nSubject: S\r\n\r\none\r\ntwo\r\n"), "{mail}");
    }

    #[test]
    fn text_beyond_ascii_is_marked_as_such() {
        let mail = message("a@x", &["b@x"], &"ä".repeat(40), "ö");
        assert!(mail.contains("Content-Transfer-Encoding: 8bit\r\n\r\nö"), "{mail}");
        assert_eq!(word("ä"), "=?utf-8?b?w6Q=?=");
        assert!(word(&"ä".repeat(40)).split("\r\n ").all(|word| word.len() <= 75));
    }

    #[test]
    fn an_address_is_one_word() {
        assert_eq!(address(" Salt Bot <s@x>").unwrap(), "s@x");
        assert_eq!(address(" s@x ").unwrap(), "s@x");
        for bad in ["", "a b@x", "s@x>\r\nRCPT TO:<t@x", "<a@x\r\nb>"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
