//! Base64 as `base64.b64decode` reads it: what is not in the alphabet is skipped.

use super::Bytes;
use base64::Engine as _;
use brine_python::{Kind, PyErr, R};
use zeroize::Zeroizing;

const LENIENT: base64::engine::GeneralPurpose = base64::engine::GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    base64::engine::GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone),
);

/// The bytes.
///
/// # Errors
/// `binascii.Error: Incorrect padding` and the like.
pub(super) fn decode(text: &[u8]) -> R<Bytes> {
    let mut digits = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut padding = 0;
    for c in text {
        match c {
            b'=' => {
                padding += 1;
                // Enough of it ends the text, if it is at a place for it.
                if digits.len() % 4 >= 2 && digits.len() % 4 + padding >= 4 {
                    break;
                }
            }
            c if c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/') => {
                padding = 0;
                digits.push(*c);
            }
            _ => {}
        }
    }
    let error = |text: String| PyErr::new(Kind::Other("binascii.Error"), text);
    let rest = digits.len() % 4;
    if rest == 1 {
        return Err(error(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            digits.len()
        )));
    }
    if rest > 0 && padding < 4 - rest {
        return Err(error("Incorrect padding".into()));
    }
    LENIENT.decode(&*digits).map(Zeroizing::new).map_err(|_| error("Incorrect padding".into()))
}

/// As text.
pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.encode(bytes).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_python_reads() {
        let cases: [(&str, &[u8]); 6] = [
            ("YWJj", b"abc"),
            ("YWI=", b"ab"),
            ("YQ==", b"a"),
            ("Y W\nJ*j", b"abc"),
            ("YQ==YQ==", b"a"),
            ("", b""),
        ];
        for (text, bytes) in cases {
            assert_eq!(&decode(text.as_bytes()).unwrap()[..], bytes, "{text}");
        }
        for (text, error) in [("YWI", "Incorrect padding"), ("YQ=", "Incorrect padding")] {
            assert_eq!(decode(text.as_bytes()).unwrap_err().to_string(), error, "{text}");
        }
        assert!(
            decode(b"YWJjY").unwrap_err().to_string().ends_with("(5) cannot be 1 more than a multiple of 4")
        );
    }
}
