//! What a string constant says: Python's escapes, by way of ASCII as Jinja2 goes. That way is seen where a backslash stands before
//! a character beyond ASCII: `\é` is `\xe9`, four characters.

use std::fmt::Write;

/// Text without its escapes.
///
/// # Errors
/// The last words of Python's complaint.
pub(super) fn unescape(text: &str) -> Result<String, String> {
    if !text.contains('\\') {
        return Ok(text.to_owned());
    }
    let mut ascii = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // Writing to a string does not fail.
        let _written = match c as u32 {
            0..=0x7f => {
                ascii.push(c);
                Ok(())
            }
            n @ 0x80..=0xff => write!(ascii, "\\x{n:02x}"),
            n @ 0x100..=0xffff => write!(ascii, "\\u{n:04x}"),
            n => write!(ascii, "\\U{n:08x}"),
        };
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = ascii.as_str();
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = escape(&rest[at + 1..], &mut out)?;
    }
    out.push_str(rest);
    Ok(out)
}

/// Reads what follows a backslash and gives the rest.
fn escape<'a>(text: &'a str, out: &mut String) -> Result<&'a str, String> {
    let mut chars = text.chars();
    let Some(c) = chars.next() else { return Err("\\ at end of string".into()) };
    let rest = chars.as_str();
    let plain = match c {
        '\n' => return Ok(rest),
        '\\' | '\'' | '"' => c,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '0'..='7' => {
            let end = text.bytes().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
            let code = u32::from_str_radix(&text[..end], 8).unwrap_or_default();
            out.extend(char::from_u32(code));
            return Ok(&text[end..]);
        }
        'x' => return code(rest, 2, "truncated \\xXX escape", out),
        'u' => return code(rest, 4, "truncated \\uXXXX escape", out),
        'U' => return code(rest, 8, "truncated \\UXXXXXXXX escape", out),
        'N' => return Err(named(rest)),
        other => {
            out.push('\\');
            other
        }
    };
    out.push(plain);
    Ok(rest)
}

fn code<'a>(text: &'a str, digits: usize, truncated: &str, out: &mut String) -> Result<&'a str, String> {
    let hex = text.get(..digits).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).ok_or(truncated)?;
    match char::from_u32(code) {
        Some(c) => out.push(c),
        None if code > 0x10_ffff => return Err("illegal Unicode character".into()),
        // Python's strings may hold halves of pairs; ours, like every file and wire, may not.
        None => return Err("surrogates not allowed".into()),
    }
    Ok(&text[digits..])
}

/// A character by its name in Unicode: no table of names is kept, so none is known. Nobody writes them in templates.
fn named(text: &str) -> String {
    let name = text.strip_prefix('{').and_then(|text| text.split_once('}')).map(|(name, _)| name);
    match name {
        None | Some("") => "malformed \\N character escape".into(),
        Some(name) => format!("characters are not known by name: {name}"),
    }
}
