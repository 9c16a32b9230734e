//! `encode` and `decode`: UTF-8, UTF-16, UTF-32, ASCII and Latin-1, with the usual error handlers; encodings with a table of their
//! own are in `charmap`.

use super::charmap;
use crate::error::{Kind, PyErr, R};
use crate::limit;
use crate::obj::Obj;
use crate::repr;
use std::fmt::Write;

#[derive(Clone, Copy, PartialEq)]
enum Codec {
    Utf8,
    /// With a mark at the beginning.
    Utf8Sig,
    /// Whether big-endian, or with a mark.
    Utf16(Option<bool>),
    Utf32(Option<bool>),
    Ascii,
    Latin1,
    /// By the place of its table.
    Map(usize),
}

/// A name as Python looks for it: letters, digits, and one `_` for whatever is between.
fn normalized(name: &str) -> String {
    let mut plain = String::new();
    for part in name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        if !plain.is_empty() {
            plain.push('_');
        }
        plain.push_str(&part.to_ascii_lowercase());
    }
    plain
}

impl Codec {
    fn of(name: &str, function: &str) -> R<Self> {
        let plain = normalized(name);
        Ok(match plain.as_str() {
            "utf_8" | "utf8" | "u8" | "utf" | "cp65001" | "utf8_ucs2" | "utf8_ucs4" => Codec::Utf8,
            "utf_8_sig" | "utf8_sig" => Codec::Utf8Sig,
            "utf_16" | "utf16" | "u16" => Codec::Utf16(None),
            "utf_16_le" | "utf_16le" => Codec::Utf16(Some(false)),
            "utf_16_be" | "utf_16be" => Codec::Utf16(Some(true)),
            "utf_32" | "utf32" | "u32" => Codec::Utf32(None),
            "utf_32_le" | "utf_32le" => Codec::Utf32(Some(false)),
            "utf_32_be" | "utf_32be" => Codec::Utf32(Some(true)),
            "ascii" | "us_ascii" | "646" => Codec::Ascii,
            "latin_1" | "latin1" | "iso_8859_1" | "iso8859_1" | "8859" | "cp819" | "l1" | "latin" => {
                Codec::Latin1
            }
            other => match charmap::find(other) {
                Some(at) => Codec::Map(at),
                None => {
                    let text = if charmap::is_no_text(other) {
                        format!(
                            "'{name}' is not a text encoding; use codecs.{function}() to handle arbitrary codecs"
                        )
                    } else {
                        format!("unknown encoding: {name}")
                    };
                    return Err(PyErr::new(Kind::LookupError, text));
                }
            },
        })
    }

    fn top(self) -> u32 {
        if self == Codec::Ascii { 128 } else { 256 }
    }

    fn name(self) -> &'static str {
        if self == Codec::Ascii { "ascii" } else { "latin-1" }
    }
}

fn names<'a>(args: &'a [Option<Obj>], function: &str) -> R<(Codec, &'a str, &'a str)> {
    let name = |at: usize, what: &str, default: &'static str| match &args[at] {
        None => Ok(default),
        Some(name) => name.as_str().ok_or_else(|| {
            let given = super::given(name);
            PyErr::ty(format!("{function}() argument '{what}' must be str, not {given}"))
        }),
    };
    let null = |text: &str| text.contains('\0');
    let (codec, errors) = (name(0, "encoding", "utf-8")?, name(1, "errors", "strict")?);
    if null(codec) || null(errors) {
        return Err(PyErr::value("embedded null character"));
    }
    Ok((Codec::of(codec, function)?, codec, errors))
}

pub(super) fn handler(errors: &str) -> PyErr {
    PyErr::new(Kind::LookupError, format!("unknown error handler name '{errors}'"))
}

/// `text.encode(encoding, errors)`.
pub(crate) fn encode(text: &str, args: &[Option<Obj>]) -> R {
    let (codec, name, errors) = names(args, "encode")?;
    let mut out = Vec::new();
    match codec {
        Codec::Utf8 => out.extend_from_slice(text.as_bytes()),
        Codec::Utf8Sig => {
            out.extend_from_slice("\u{feff}".as_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        Codec::Utf16(big) => {
            let mut put = |n: u16| match big {
                Some(true) => out.extend(n.to_be_bytes()),
                _ => out.extend(n.to_le_bytes()),
            };
            if big.is_none() {
                put(0xfeff);
            }
            text.encode_utf16().for_each(put);
        }
        Codec::Utf32(big) => {
            let mut put = |n: u32| match big {
                Some(true) => out.extend(n.to_be_bytes()),
                _ => out.extend(n.to_le_bytes()),
            };
            if big.is_none() {
                put(0xfeff);
            }
            text.chars().map(u32::from).for_each(put);
        }
        Codec::Ascii | Codec::Latin1 => narrow(text, codec, errors, &mut out)?,
        Codec::Map(at) => out = charmap::encode(text, at, name, errors)?,
    }
    limit::bytes(out.len())?;
    Ok(Obj::bytes(out))
}

fn narrow(text: &str, codec: Codec, errors: &str, out: &mut Vec<u8>) -> R<()> {
    let chars: Vec<char> = text.chars().collect();
    let fits = |c: char| u32::from(c) < codec.top();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if fits(c) {
            out.push(u32::from(c) as u8);
            at += 1;
            continue;
        }
        let end = at + chars[at..].iter().take_while(|c| !fits(**c)).count();
        match errors {
            "strict" => {
                let mut shown = String::new();
                repr::escape(&mut shown, c);
                let what = if end - at == 1 {
                    format!("character '{shown}' in position {at}")
                } else {
                    format!("characters in position {at}-{}", end - 1)
                };
                return Err(PyErr::new(
                    Kind::UnicodeEncodeError,
                    format!(
                        "'{}' codec can't encode {what}: ordinal not in range({})",
                        codec.name(),
                        codec.top()
                    ),
                ));
            }
            // There are no surrogates in text.
            "surrogateescape" | "surrogatepass" => {
                return narrow(&chars[at..].iter().collect::<String>(), codec, "strict", out);
            }
            _ => match replacement(&chars[at..end], errors) {
                Some(instead) => out.extend(instead.bytes()),
                None => return Err(handler(errors)),
            },
        }
        at = end;
    }
    Ok(())
}

/// What stands for characters that an encoding has not; `None` for an error handler that does not say.
pub(super) fn replacement(chars: &[char], errors: &str) -> Option<String> {
    let mut out = String::new();
    match errors {
        "ignore" => {}
        "replace" => out.extend(std::iter::repeat_n('?', chars.len())),
        "backslashreplace" => chars.iter().for_each(|c| repr::escape(&mut out, *c)),
        "xmlcharrefreplace" => out.extend(chars.iter().map(|c| format!("&#{};", u32::from(*c)))),
        _ => return None,
    }
    Some(out)
}

/// `bytes.decode()`.
///
/// # Errors
/// `UnicodeDecodeError` in Python's words.
pub fn decode_utf8(bytes: Vec<u8>) -> R<String> {
    String::from_utf8(bytes).or_else(|e| {
        let text = decode(e.as_bytes(), &[None, None])?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    })
}

/// `bytes.decode(encoding, errors)`.
pub(crate) fn decode(bytes: &[u8], args: &[Option<Obj>]) -> R {
    let named = names(args, "decode");
    if bytes.is_empty() && named.as_ref().err().is_none_or(|e| e.kind() == Kind::LookupError) {
        // Nobody looks for the codec then.
        return Ok("".into());
    }
    let (codec, name, errors) = named?;
    limit::bytes(bytes.len())?;
    let text = match codec {
        Codec::Utf8 => utf8(bytes, errors)?,
        Codec::Utf8Sig => utf8(bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes), errors)?,
        Codec::Latin1 => bytes.iter().map(|b| char::from(*b)).collect(),
        Codec::Ascii => {
            let mut out = String::new();
            for (at, b) in bytes.iter().enumerate() {
                if b.is_ascii() {
                    out.push(char::from(*b));
                } else {
                    wrong(&mut out, "ascii", errors, bytes, at, at + 1, "ordinal not in range(128)")?;
                }
            }
            out
        }
        Codec::Map(at) => charmap::decode(bytes, at, name, errors)?,
        Codec::Utf16(_) | Codec::Utf32(_) => wide(bytes, codec, errors)?,
    };
    Ok(text.into())
}

/// Deals with bytes that are no text, as the error handler says.
pub(super) fn wrong(
    out: &mut String,
    codec: &str,
    errors: &str,
    bytes: &[u8],
    from: usize,
    to: usize,
    why: &str,
) -> R<()> {
    match errors {
        "strict" => {
            let what = if to - from == 1 {
                format!("byte {:#04x} in position {from}", bytes[from])
            } else {
                format!("bytes in position {from}-{}", to - 1)
            };
            Err(PyErr::new(Kind::UnicodeDecodeError, format!("'{codec}' codec can't decode {what}: {why}")))
        }
        "ignore" => Ok(()),
        "replace" => {
            out.push('\u{fffd}');
            Ok(())
        }
        "backslashreplace" => {
            for b in &bytes[from..to] {
                _ = write!(out, "\\x{b:02x}");
            }
            Ok(())
        }
        _ => Err(handler(errors)),
    }
}

fn utf8(bytes: &[u8], errors: &str) -> R<String> {
    let mut out = String::new();
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        at += chunk.valid().len();
        let len = chunk.invalid().len();
        if len > 0 {
            let first = chunk.invalid()[0];
            let end = at + len == bytes.len();
            let why = match first {
                0x80..=0xc1 | 0xf5..=0xff => "invalid start byte",
                _ if end && wanted(chunk.invalid()) => "unexpected end of data",
                _ => "invalid continuation byte",
            };
            wrong(&mut out, "utf-8", errors, bytes, at, at + len, why)?;
        }
        at += len;
    }
    Ok(out)
}

/// Whether a broken character at the end only lacks bytes.
fn wanted(part: &[u8]) -> bool {
    let most = match part[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    part.len() < most
}

fn wide(bytes: &[u8], codec: Codec, errors: &str) -> R<String> {
    let (size, name, big) = match codec {
        Codec::Utf16(big) => (2, "utf-16", big),
        Codec::Utf32(big) => (4, "utf-32", big),
        _ => return utf8(bytes, errors),
    };
    let unit = |part: &[u8], big: bool| {
        let fold = |n: u32, b: &u8| n << 8 | u32::from(*b);
        if big { part.iter().fold(0, fold) } else { part.iter().rev().fold(0, fold) }
    };
    let (mut at, mut big_endian) = (0, big == Some(true));
    if big.is_none() {
        match bytes.get(..size) {
            Some(mark) if unit(mark, false) == 0xfeff => at = size,
            Some(mark) if unit(mark, true) == 0xfeff => (at, big_endian) = (size, true),
            _ => {}
        }
    }
    let name = format!("{name}-{}", if big_endian { "be" } else { "le" });
    let mut out = String::new();
    while at < bytes.len() {
        let Some(part) = bytes.get(at..at + size) else {
            wrong(&mut out, &name, errors, bytes, at, bytes.len(), "truncated data")?;
            break;
        };
        let mut n = unit(part, big_endian);
        let mut len = size;
        if size == 2 && (0xd800..0xdc00).contains(&n) {
            match bytes.get(at + 2..at + 4).map(|low| unit(low, big_endian)) {
                Some(low @ 0xdc00..=0xdfff) => {
                    n = 0x10000 + ((n - 0xd800) << 10) + (low - 0xdc00);
                    len = 4;
                }
                Some(_) => {}
                None => {
                    wrong(&mut out, &name, errors, bytes, at, bytes.len(), "unexpected end of data")?;
                    break;
                }
            }
        }
        match char::from_u32(n) {
            Some(c) => out.push(c),
            None => {
                let why = match (size, n) {
                    (2, 0xdc00..) => "illegal encoding",
                    (2, _) => "illegal UTF-16 surrogate",
                    (_, ..=0xffff) => "code point in surrogate code point range(0xd800, 0xe000)",
                    _ => "code point not in range(0x110000)",
                };
                wrong(&mut out, &name, errors, bytes, at, at + len, why)?;
            }
        }
        at += len;
    }
    Ok(out)
}
