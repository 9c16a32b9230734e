//! Base64 as Python's lenient decoder reads it, for `!!binary`.

use base64::Engine as _;

/// The bytes, or PyYAML's words for why there are none.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, String> {
    if let Some(at) = text.chars().position(|c| !c.is_ascii()) {
        let run = text.chars().skip(at).take_while(|c| !c.is_ascii()).count();
        let first = text.chars().nth(at).map_or(0, u32::from);
        let which = match (run, first) {
            (1, 0..=0xff) => format!("character '\\x{first:02x}' in position {at}"),
            (1, 0..=0xffff) => format!("character '\\u{first:04x}' in position {at}"),
            (1, _) => format!("character '\\U{first:08x}' in position {at}"),
            _ => format!("characters in position {at}-{}", at + run - 1),
        };
        return Err(format!(
            "failed to convert base64 data into ascii: 'ascii' codec can't encode {which}: ordinal not in range(128)"
        ));
    }
    let (digits, count) = digits(text);
    LENIENT.decode(digits).map_err(|_| {
        let why = if count % 4 == 1 {
            format!(
                "Invalid base64-encoded string: number of data characters ({count}) cannot be 1 more than a multiple of 4"
            )
        } else {
            "Incorrect padding".to_owned()
        };
        format!("failed to decode base64 data: {why}")
    })
}

/// Python does not mind bits that no byte has.
const LENIENT: base64::engine::GeneralPurpose = base64::engine::GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// What Python's lenient decoder reads: it skips what is not in the alphabet, padding too early included, and reads
/// nothing after the padding that completes a group of four. How many it has read, too.
fn digits(text: &str) -> (String, usize) {
    let mut out = String::with_capacity(text.len());
    let mut pads = 0;
    for c in text.chars() {
        let group = out.len() % 4;
        if c == '=' {
            pads += 1;
            if group >= 2 && group + pads >= 4 {
                let count = out.len();
                out.extend(std::iter::repeat_n('=', 4 - group));
                return (out, count);
            }
        } else if c.is_ascii_alphanumeric() || matches!(c, '+' | '/') {
            out.push(c);
            pads = 0;
        }
    }
    let count = out.len();
    (out, count)
}
