//! From a program's bytes to text, as Python's codecs do it.

use brine_core::call::{CallError, Result};

/// Decodes output. Without `encoding` it is UTF-8; what does not decode becomes U+FFFD. An encoding that is not
/// known here fails as Python's unknown ones do.
pub(super) fn decode(bytes: &[u8], encoding: Option<&str>) -> Result<String> {
    let Some(name) = encoding else { return Ok(String::from_utf8_lossy(bytes).into_owned()) };
    let plain: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    Ok(match plain.as_str() {
        "utf8" | "u8" | "utf" | "cp65001" => String::from_utf8_lossy(bytes).into_owned(),
        "ascii" | "usascii" | "646" => {
            bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '\u{fffd}' }).collect()
        }
        "latin1" | "latin" | "l1" | "iso88591" | "88591" | "cp819" => {
            bytes.iter().map(|b| char::from(*b)).collect()
        }
        "utf16le" => utf16(bytes, u16::from_le_bytes),
        "utf16be" => utf16(bytes, u16::from_be_bytes),
        "utf16" | "u16" => match bytes {
            [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
            [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
            _ => utf16(bytes, u16::from_le_bytes),
        },
        _ => return Err(CallError::exception("LookupError", format!("unknown encoding: {name}"))),
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text: String = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .map(|c| c.unwrap_or('\u{fffd}'))
        .collect();
    if !rest.is_empty() {
        text.push('\u{fffd}');
    }
    text
}

/// Python's `str.rstrip()`: four separators more than Rust's idea of blank.
pub(super) fn rstrip(text: &str) -> &str {
    text.trim_end_matches(brine_python::is_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text() {
        for (bytes, encoding, text) in [
            (&b"a\xff\n"[..], None, "a\u{fffd}\n"),
            (b"\xe9", Some("latin-1"), "é"),
            (b"\xe9", Some("ASCII"), "\u{fffd}"),
            (b"a\0\xe9\0", Some("utf-16-le"), "aé"),
            (b"\xff\xfea\0", Some("utf_16"), "a"),
        ] {
            assert_eq!(decode(bytes, encoding).unwrap(), text);
        }
        assert_eq!(decode(b"", Some("xxx")).unwrap_err().to_string(), "LookupError: unknown encoding: xxx");
        assert_eq!(rstrip("a \x1f\u{a0}\r\n"), "a");
    }
}
