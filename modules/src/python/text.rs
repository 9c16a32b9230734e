//! Bytes and text as Python takes them: decoding with Python's errors, what is blank.

use brine_core::call::Result;
pub(crate) use brine_python::is_space;
use brine_render::template::call_error;

/// `bytes.decode("utf-8")`.
pub(crate) fn utf8(bytes: Vec<u8>) -> Result<String> {
    brine_python::decode_utf8(bytes).map_err(call_error)
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
}
