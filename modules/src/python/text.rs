//! Bytes and text as Python takes them: decoding with Python's errors, what is blank, what is no text.

use brine_core::call::{CallError, Result};

/// `bytes.decode("utf-8")`.
pub(crate) fn utf8(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|e| {
        let (from, length) = (e.utf8_error().valid_up_to(), e.utf8_error().error_len());
        let bytes = e.as_bytes();
        let first = bytes.get(from).copied().unwrap_or_default();
        let (to, why) = match length {
            None => (bytes.len(), "unexpected end of data"),
            Some(n) if n > 1 || (0xc2..=0xf4).contains(&first) => (from + n, "invalid continuation byte"),
            Some(_) => (from + 1, "invalid start byte"),
        };
        let place = if to - from == 1 {
            format!("byte 0x{first:02x} in position {from}")
        } else {
            format!("bytes in position {from}-{}", to - 1)
        };
        CallError::exception("UnicodeDecodeError", format!("'utf-8' codec can't decode {place}: {why}"))
    })
}

/// Bytes as UTF-8, or else as Latin-1.
pub(crate) fn lenient(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| latin1(bytes), str::to_owned)
}

/// Each byte as the character of its number.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

/// The bytes that [`latin1`] made text of.
pub(crate) fn from_latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| c as u8).collect()
}

/// `str.isspace` of one character: four separators more than Rust's idea of blank.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// Whether stock takes the beginning of a file for text.
pub(crate) fn is_text(block: &[u8]) -> bool {
    if block.contains(&0) {
        return false;
    }
    if std::str::from_utf8(block).is_ok() {
        return true;
    }
    let odd = block.iter().filter(|b| !matches!(b, 32..=126 | b'\n' | b'\r' | b'\t' | 0x0c | 0x08)).count();
    odd * 10 <= block.len() * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_pythons() {
        let said = |bytes: &[u8]| utf8(bytes.to_vec()).unwrap_err().to_string();
        let start = "UnicodeDecodeError: 'utf-8' codec can't decode ";
        assert_eq!(said(b"a\xff"), format!("{start}byte 0xff in position 1: invalid start byte"));
        assert_eq!(said(b"\xe9 x"), format!("{start}byte 0xe9 in position 0: invalid continuation byte"));
        assert_eq!(said(b"\xe2\x82"), format!("{start}bytes in position 0-1: unexpected end of data"));
        assert_eq!(said(b"\xe2\x82x"), format!("{start}bytes in position 0-1: invalid continuation byte"));
    }

    #[test]
    fn text_is_told_from_other_files() {
        assert!(is_text(b"") && is_text("é".as_bytes()) && is_text(b"plain \xe9t\xe9"));
        assert!(!is_text(b"a\0") && !is_text(b"\xff\xfe\xfd"));
    }
}
