//! Encodings of one byte for each character, as their tables in `charmaps.txt` have them: the names, and behind `|` the character
//! of each byte in hexadecimal, of all or of those from 0x80 on.

use super::codec::{handler, replacement};
use crate::error::{Kind, PyErr, R};
use crate::repr;
use std::collections::HashMap;
use std::sync::OnceLock;

/// One encoding.
pub(super) struct Charmap {
    names: Vec<&'static str>,
    chars: Vec<Option<char>>,
    bytes: HashMap<char, u8>,
}

fn read(line: &'static str) -> Option<Charmap> {
    let (names, codes) = line.split_once('|')?;
    let listed = codes.split(' ').map(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
    let listed: Vec<Option<char>> = listed.collect();
    let ascii = if listed.len() == 128 { 0..128u8 } else { 0..0 };
    let chars: Vec<Option<char>> = ascii.map(|b| Some(char::from(b))).chain(listed).collect();
    let bytes = chars.iter().zip(0..=255u8).filter_map(|(c, b)| Some(((*c)?, b))).collect();
    Some(Charmap { names: names.split(' ').collect(), chars, bytes })
}

fn all() -> &'static [Charmap] {
    static ALL: OnceLock<Vec<Charmap>> = OnceLock::new();
    ALL.get_or_init(|| include_str!("charmaps.txt").lines().filter_map(read).collect())
}

/// The place of an encoding's table, by a name as Python normalizes it.
pub(super) fn find(name: &str) -> Option<usize> {
    all().iter().position(|map| map.names.contains(&name))
}

/// What these encodings, which are written in Python, make of an error that is not theirs.
fn wrapped(doing: &str, name: &str, errors: &str) -> PyErr {
    let e = handler(errors);
    PyErr::new(e.kind(), format!("{doing} with '{name}' codec failed ({}: {e})", e.kind().name()))
}

/// The bytes of text. `name` is the encoding's, as it was asked for.
pub(super) fn encode(text: &str, at: usize, name: &str, errors: &str) -> R<Vec<u8>> {
    let Some(map) = all().get(at) else { return Err(handler(errors)) };
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        if let Some(b) = map.bytes.get(&chars[at]) {
            out.push(*b);
            at += 1;
            continue;
        }
        let end = at + chars[at..].iter().take_while(|c| !map.bytes.contains_key(c)).count();
        let strict = || {
            let mut shown = String::new();
            repr::escape(&mut shown, chars[at]);
            let what = if end - at == 1 {
                format!("character '{shown}' in position {at}")
            } else {
                format!("characters in position {at}-{}", end - 1)
            };
            let text = format!("'charmap' codec can't encode {what}: character maps to <undefined>");
            PyErr::new(Kind::UnicodeEncodeError, text)
        };
        if matches!(errors, "strict" | "surrogateescape" | "surrogatepass") {
            return Err(strict());
        }
        let instead =
            replacement(&chars[at..end], errors).ok_or_else(|| wrapped("encoding", name, errors))?;
        for c in instead.chars() {
            out.push(*map.bytes.get(&c).ok_or_else(strict)?);
        }
        at = end;
    }
    Ok(out)
}

/// The text of bytes.
pub(super) fn decode(bytes: &[u8], at: usize, name: &str, errors: &str) -> R<String> {
    let Some(map) = all().get(at) else { return Err(handler(errors)) };
    let mut out = String::with_capacity(bytes.len());
    for (at, b) in bytes.iter().enumerate() {
        match map.chars.get(usize::from(*b)).copied().flatten() {
            Some(c) => out.push(c),
            None => {
                let why = "character maps to <undefined>";
                super::codec::wrong(&mut out, "charmap", errors, bytes, at, at + 1, why).map_err(|e| {
                    if e.kind() == Kind::LookupError { wrapped("decoding", name, errors) } else { e }
                })?;
            }
        }
    }
    Ok(out)
}

/// Whether Python has an encoding of this name that is none of text.
pub(super) fn is_no_text(name: &str) -> bool {
    matches!(
        name,
        "base64"
            | "base_64"
            | "base64_codec"
            | "bz2"
            | "bz2_codec"
            | "hex"
            | "hex_codec"
            | "quopri"
            | "quopri_codec"
            | "quoted_printable"
            | "quotedprintable"
            | "rot13"
            | "rot_13"
            | "uu"
            | "uu_codec"
            | "zip"
            | "zlib"
            | "zlib_codec"
    )
}
