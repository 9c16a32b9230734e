//! `json.loads`, and Salt's `find_json`.

use brine_python::{Dict, Key, Kind, Obj, PyErr, R, Table, need_bytes};
use std::rc::Rc;

/// How deep a document may nest, as values do elsewhere; Python goes to some 990.
const DEEP: usize = 300;

/// The value of a document.
///
/// # Errors
/// `JSONDecodeError`; `RecursionError` for what is nested too deep; `ValueError` for a number of more than 4300 digits; `Limit`.
pub fn loads(text: &str) -> R<Obj> {
    need_bytes(text.len())?;
    let mut reader = Reader { text, bytes: text.as_bytes(), depth: 0 };
    if text.starts_with('\u{feff}') {
        return Err(reader.error("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0));
    }
    let start = reader.blanks(0);
    let (value, end) = reader.value(start)?;
    let end = reader.blanks(end);
    if end < text.len() {
        return Err(reader.error("Extra data", end));
    }
    Ok(value)
}

/// `json.loads` of any value: text, or bytes in UTF-8.
///
/// # Errors
/// As [`loads`]; `TypeError` for other values, `UnicodeDecodeError`.
pub fn loads_obj(value: &Obj) -> R<Obj> {
    match (value, value.as_str()) {
        (_, Some(text)) => loads(text),
        (Obj::Bytes(bytes), _) => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let decode = brine_python::call_method(
                &Obj::bytes(bytes),
                "decode",
                &brine_python::Args::of([Obj::str("utf-8"), Obj::str("surrogatepass")]),
            );
            match decode {
                Ok(text) => loads(text.as_str().unwrap_or_default()),
                Err(_) => loads(&brine_python::decode_utf8(bytes.to_vec())?),
            }
        }
        _ => {
            let class = value.type_name();
            let class = class.rsplit('.').next().unwrap_or(class);
            Err(PyErr::ty(format!("the JSON object must be str, bytes or bytearray, not {class}")))
        }
    }
}

/// The first document in text that may have other things before and after: `salt.utils.json.find_json`.
///
/// # Errors
/// `ValueError` without a text when there is none; `RecursionError`; `Limit`.
pub fn find_json(text: &str) -> R<Obj> {
    for (at, _) in text.match_indices(['{', '[']) {
        // What was read in vain is work, too.
        brine_python::take_steps(1)?;
        let rest = &text[at..];
        match (Reader { text: rest, bytes: rest.as_bytes(), depth: 0 }).value(0) {
            Ok((value, _)) => return Ok(value),
            Err(e) if e.kind() == Kind::Other(DECODE) => {}
            Err(e) => return Err(e),
        }
    }
    Err(PyErr::value(""))
}

const DECODE: &str = "JSONDecodeError";

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    depth: usize,
}

impl Reader<'_> {
    /// `JSONDecodeError` at a byte.
    fn error(&self, problem: &str, at: usize) -> PyErr {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let chars = before.chars().count();
        PyErr::new(Kind::Other(DECODE), format!("{problem}: line {line} column {column} (char {chars})"))
    }

    fn blanks(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        from + rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count()
    }

    fn at(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// A value, and where it ends.
    fn value(&mut self, at: usize) -> R<(Obj, usize)> {
        let word = |word: &str| self.text[at..].starts_with(word).then(|| at + word.len());
        let constant = |text: &str, value: Obj| word(text).map(|end| (value, end));
        let found = match self.at(at) {
            Some(b'"') => return self.string(at + 1).map(|(text, end)| (Obj::Str(text), end)),
            Some(b'{') => return self.nested(at + 1, "object", Self::object),
            Some(b'[') => return self.nested(at + 1, "array", Self::array),
            Some(b'n') => constant("null", Obj::None),
            Some(b't') => constant("true", Obj::Bool(true)),
            Some(b'f') => constant("false", Obj::Bool(false)),
            Some(b'N') => constant("NaN", Obj::Float(f64::NAN)),
            Some(b'I') => constant("Infinity", Obj::Float(f64::INFINITY)),
            Some(b'-') if self.at(at + 1) == Some(b'I') => {
                constant("-Infinity", Obj::Float(f64::NEG_INFINITY))
            }
            _ => self.number(at)?,
        };
        found.ok_or_else(|| self.error("Expecting value", at))
    }

    fn nested(
        &mut self,
        at: usize,
        what: &str,
        read: fn(&mut Self, usize) -> R<(Obj, usize)>,
    ) -> R<(Obj, usize)> {
        self.depth += 1;
        if self.depth > DEEP {
            return Err(PyErr::recursion(&format!(" while decoding a JSON {what} from a unicode string")));
        }
        let out = read(self, at)?;
        self.depth -= 1;
        Ok(out)
    }

    fn object(&mut self, at: usize) -> R<(Obj, usize)> {
        let mut table = Table::default();
        let mut at = self.blanks(at);
        while self.at(at) != Some(b'}') || !table.is_empty() {
            if self.at(at) != Some(b'"') {
                return Err(self.error("Expecting property name enclosed in double quotes", at));
            }
            let (key, end) = self.string(at + 1)?;
            at = self.blanks(end);
            if self.at(at) != Some(b':') {
                return Err(self.error("Expecting ':' delimiter", at));
            }
            let (value, end) = self.value(self.blanks(at + 1))?;
            table.insert(Key::new(Obj::Str(key))?, value);
            at = self.blanks(end);
            match self.at(at) {
                Some(b'}') => break,
                Some(b',') => at = self.blanks(at + 1),
                _ => return Err(self.error("Expecting ',' delimiter", at)),
            }
        }
        let dict = Dict::new();
        *dict.borrow_mut() = table;
        Ok((Obj::dict(dict), at + 1))
    }

    fn array(&mut self, at: usize) -> R<(Obj, usize)> {
        let mut items = Vec::new();
        let mut at = self.blanks(at);
        while self.at(at) != Some(b']') || !items.is_empty() {
            let (item, end) = self.value(at)?;
            items.push(item);
            at = self.blanks(end);
            match self.at(at) {
                Some(b']') => break,
                Some(b',') => at = self.blanks(at + 1),
                _ => return Err(self.error("Expecting ',' delimiter", at)),
            }
        }
        Ok((Obj::list(items), at + 1))
    }

    /// A text whose quotes open before `at`, and where it ends.
    fn string(&self, at: usize) -> R<(Rc<str>, usize)> {
        let begin = at - 1;
        let unterminated = || self.error("Unterminated string starting at", begin);
        let mut out = String::new();
        let mut from = at;
        loop {
            let rest = &self.bytes[from..];
            let stop = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f));
            let stop = from + stop.ok_or_else(unterminated)?;
            let piece = &self.text[from..stop];
            match self.bytes[stop] {
                b'"' if out.is_empty() => return Ok((piece.into(), stop + 1)),
                b'"' => {
                    out.push_str(piece);
                    return Ok((out.into(), stop + 1));
                }
                b'\\' => {}
                _ => return Err(self.error("Invalid control character at", stop)),
            }
            out.push_str(piece);
            let escape = match self.at(stop + 1).ok_or_else(unterminated)? {
                c @ (b'"' | b'\\' | b'/') => char::from(c),
                b'b' => '\x08',
                b'f' => '\x0c',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => {
                    let (c, end) = self.unicode(stop)?;
                    out.push(c);
                    from = end;
                    continue;
                }
                _ => return Err(self.error("Invalid \\escape", stop)),
            };
            out.push(escape);
            from = stop + 2;
        }
    }

    /// `\uXXXX`, or a pair of such.
    fn unicode(&self, at: usize) -> R<(char, usize)> {
        let bad = |at: usize| self.error("Invalid \\uXXXX escape", at);
        // Something must follow, if only a quote.
        let unit = |from: usize| {
            let digits = self.bytes.get(from..from + 4)?;
            let digits = std::str::from_utf8(digits).ok()?;
            digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
        };
        if at + 6 >= self.bytes.len() {
            return Err(bad(at + 1));
        }
        let high = unit(at + 2).ok_or_else(|| bad(at + 1))?;
        let mut end = at + 6;
        if (0xd800..0xdc00).contains(&high)
            && self.bytes[end..].starts_with(b"\\u")
            && end + 6 < self.bytes.len()
        {
            let low = unit(end + 2).ok_or_else(|| bad(end + 1))?;
            if (0xdc00..0xe000).contains(&low) {
                end += 6;
                let pair = char::decode_utf16([high, low]).next().and_then(Result::ok);
                return Ok((pair.unwrap_or(char::REPLACEMENT_CHARACTER), end));
            }
        }
        Ok((char::from_u32(high.into()).unwrap_or(char::REPLACEMENT_CHARACTER), end))
    }

    /// A number, if there is one.
    fn number(&self, start: usize) -> R<Option<(Obj, usize)>> {
        let digits = |from: usize| {
            let rest = self.bytes.get(from..).unwrap_or_default();
            from + rest.iter().take_while(|b| b.is_ascii_digit()).count()
        };
        let whole = if self.at(start) == Some(b'-') { start + 1 } else { start };
        let mut end = match self.at(whole) {
            Some(b'0') => whole + 1,
            Some(b'1'..=b'9') => digits(whole),
            _ => return Ok(None),
        };
        let mut float = false;
        if self.at(end) == Some(b'.') && digits(end + 1) > end + 1 {
            end = digits(end + 1);
            float = true;
        }
        if matches!(self.at(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.at(end + 1), Some(b'+' | b'-')));
            let from = end + 1 + sign;
            if digits(from) > from {
                end = digits(from);
                float = true;
            }
        }
        let text = &self.text[start..end];
        let value = match text.parse::<i64>() {
            _ if float => Obj::Float(brine_python::float(&text.into())?),
            Ok(n) => Obj::Int(n),
            Err(_) => brine_python::int(&text.into(), None)?,
        };
        Ok(Some((value, end)))
    }
}
