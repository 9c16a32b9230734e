//! A property list, read: XML, or binary.

use super::DEEP;
use crate::yaml::decode_base64;
use brine_python::time::{Date, DateTime, Delta};
use brine_python::{Dict, Kind, Obj, Op, PyErr, R, need_bytes};

pub(super) fn read(bytes: &[u8]) -> R {
    if bytes.starts_with(b"bplist00") {
        return binary(bytes);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !bytes.starts_with(b"<?xml") && !bytes.starts_with(b"<plist") {
        return Err(invalid());
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(expat("not well-formed (invalid token)", &String::from_utf8_lossy(bytes), 0));
    };
    Xml { text, at: 0, open: Vec::new(), stack: Vec::new(), key: None, root: Obj::None, data: String::new() }
        .read()
}

fn invalid() -> PyErr {
    PyErr::value("Invalid file")
}

/// An error of the XML parser at a byte.
fn expat(problem: &str, text: &str, at: usize) -> PyErr {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count();
    PyErr::new(Kind::Other("ExpatError"), format!("{problem}: line {line}, column {column}"))
}

struct Xml<'t> {
    text: &'t str,
    at: usize,
    /// Names of the open elements.
    open: Vec<&'t str>,
    /// Open arrays and dicts.
    stack: Vec<Obj>,
    key: Option<String>,
    root: Obj,
    data: String,
}

impl<'t> Xml<'t> {
    fn fail<T>(&self, problem: &str) -> R<T> {
        Err(expat(problem, self.text, self.at))
    }

    fn line(&self) -> usize {
        self.text[..self.at].matches('\n').count() + 1
    }

    /// Moves behind a text.
    fn past(&mut self, end: &str) -> R<&'t str> {
        let rest = &self.text[self.at..];
        match rest.find(end) {
            Some(n) => {
                self.at += n + end.len();
                Ok(&rest[..n])
            }
            None => {
                self.at = self.text.len();
                self.fail("unclosed token")
            }
        }
    }

    fn read(mut self) -> R {
        let mut seen = false;
        loop {
            let rest = &self.text[self.at..];
            if rest.is_empty() {
                return if seen && self.open.is_empty() {
                    Ok(self.root)
                } else {
                    self.fail("no element found")
                };
            }
            if !rest.starts_with('<') {
                let end = rest.find('<').unwrap_or(rest.len());
                if self.open.is_empty() && !rest[..end].trim().is_empty() {
                    return self.fail("syntax error");
                }
                self.characters(&rest[..end])?;
                self.at += end;
            } else if rest.starts_with("<!--") {
                self.past("-->")?;
            } else if rest.starts_with("<![CDATA[") {
                let text = self.past("]]>")?;
                self.data.push_str(&text["<![CDATA[".len()..]);
            } else if rest.starts_with("<?") {
                self.past("?>")?;
            } else if rest.starts_with("<!") {
                let text = self.past(">")?;
                if text.contains("<!ENTITY") {
                    let problem = "XML entity declarations are not supported in plist files";
                    return Err(PyErr::value(problem));
                }
            } else {
                let from = self.at;
                let tag = &self.past(">")?[1..];
                let after = std::mem::replace(&mut self.at, from);
                if let Some(name) = tag.strip_prefix('/') {
                    if self.open.pop() != Some(name.trim_end()) {
                        self.at += 2;
                        return self.fail("mismatched tag");
                    }
                    self.end(name.trim_end())?;
                } else {
                    if seen && self.open.is_empty() {
                        return self.fail("junk after document element");
                    }
                    seen = true;
                    let closed = tag.ends_with('/');
                    let tag = tag.trim_end_matches('/');
                    let name = tag.split_ascii_whitespace().next().unwrap_or("");
                    if name.is_empty() || self.open.len() > DEEP {
                        return self.fail("not well-formed (invalid token)");
                    }
                    self.begin(name)?;
                    if closed {
                        self.end(name)?;
                    } else {
                        self.open.push(name);
                    }
                }
                self.at = after;
            }
        }
    }

    fn characters(&mut self, text: &str) -> R<()> {
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            self.data.push_str(&rest[..at]);
            let end = rest[at..].find(';').map(|n| at + n);
            let Some(end) = end else { return self.fail("not well-formed (invalid token)") };
            let name = &rest[at + 1..end];
            let number = name.strip_prefix('#').map(|digits| match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            });
            match (name, number) {
                ("amp", _) => self.data.push('&'),
                ("lt", _) => self.data.push('<'),
                ("gt", _) => self.data.push('>'),
                ("quot", _) => self.data.push('"'),
                ("apos", _) => self.data.push('\''),
                (_, Some(Ok(n))) => match char::from_u32(n) {
                    Some(c) => self.data.push(c),
                    None => return self.fail("reference to invalid character number"),
                },
                _ => {
                    self.at += text.len() - rest.len() + at;
                    return self.fail("undefined entity");
                }
            }
            rest = &rest[end + 1..];
        }
        self.data.push_str(&rest.replace("\r\n", "\n"));
        Ok(())
    }

    fn begin(&mut self, name: &str) -> R<()> {
        self.data.clear();
        let made = match name {
            "dict" => Obj::dict(Dict::new()),
            "array" => Obj::list(Vec::new()),
            _ => return Ok(()),
        };
        self.add(made.clone())?;
        self.stack.push(made);
        Ok(())
    }

    fn add(&mut self, value: Obj) -> R<()> {
        need_bytes(48)?;
        match (self.key.take(), self.stack.last()) {
            (Some(key), Some(Obj::Dict(dict))) => dict.set_str(&key, value),
            (None, Some(Obj::List(list))) => list.borrow_mut().push(value),
            (None, None) => self.root = value,
            _ => return Err(PyErr::value(format!("unexpected element at line {}", self.line()))),
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> R<()> {
        let data = std::mem::take(&mut self.data);
        let value = match name {
            "dict" => {
                if let Some(key) = &self.key {
                    let line = self.line();
                    return Err(PyErr::value(format!("missing value for key '{key}' at line {line}")));
                }
                self.stack.pop();
                return Ok(());
            }
            "array" => {
                self.stack.pop();
                return Ok(());
            }
            "key" => {
                if self.key.is_some() || !matches!(self.stack.last(), Some(Obj::Dict(_))) {
                    return Err(PyErr::value(format!("unexpected key at line {}", self.line())));
                }
                self.key = Some(data);
                return Ok(());
            }
            "true" => Obj::Bool(true),
            "false" => Obj::Bool(false),
            "integer" => {
                let base = if data.starts_with("0x") || data.starts_with("0X") { 16 } else { 10 };
                brine_python::int(&data.into(), Some(&Obj::Int(base)))?
            }
            "real" => Obj::Float(brine_python::float(&data.into())?),
            "string" => data.into(),
            "data" => decode_base64(&data).map_err(PyErr::value)?,
            "date" => date(&data)?,
            _ => return Ok(()),
        };
        self.add(value)
    }
}

/// `2020-01-02T03:04:05Z`, of which what is missing at the end is the least.
fn date(text: &str) -> R {
    let none = || PyErr::new(Kind::AttributeError, "'NoneType' object has no attribute 'groupdict'");
    let body = text.strip_suffix('Z').ok_or_else(none)?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = body.split(['-', 'T', ':']).collect();
    if parts.len() > 6 || !parts.iter().all(|part| digits(part)) {
        return Err(none());
    }
    let part = |at: usize, default: i64| parts.get(at).map_or(default, |part| part.parse().unwrap_or(0));
    let date = Date::new(part(0, 1), part(1, 1), part(2, 1))?;
    let time = [part(3, 0) as u32, part(4, 0) as u32, part(5, 0) as u32, 0];
    Ok(DateTime::naive(date, time))
}

fn binary(bytes: &[u8]) -> R {
    let trailer = bytes.len().checked_sub(32).map(|from| &bytes[from..]).ok_or_else(invalid)?;
    let long = |from: usize| number(&trailer[from..from + 8]);
    let (count, top, table) = (long(8), long(16), long(24));
    let (width, refs) = (usize::from(trailer[6]), usize::from(trailer[7]));
    let mut reader = Binary { bytes, refs, width, table: table as usize, count, work: 0 };
    reader.object(top, 0)
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

struct Binary<'b> {
    bytes: &'b [u8],
    refs: usize,
    width: usize,
    table: usize,
    count: u64,
    /// Objects that were read: what refers to the same ones again and again is endless.
    work: usize,
}

impl<'b> Binary<'b> {
    fn slice(&self, from: usize, len: usize) -> R<&'b [u8]> {
        from.checked_add(len).and_then(|to| self.bytes.get(from..to)).ok_or_else(invalid)
    }

    /// A length, and where what it is of begins.
    fn size(&self, token: u8, at: usize) -> R<(usize, usize)> {
        if token & 15 < 15 {
            return Ok((usize::from(token & 15), at + 1));
        }
        let bytes = 1 << (self.slice(at + 1, 1)?[0] & 3);
        Ok((number(self.slice(at + 2, bytes)?) as usize, at + 2 + bytes))
    }

    fn members(&self, n: usize, from: usize) -> R<Vec<u64>> {
        let bytes = n.checked_mul(self.refs).ok_or_else(invalid)?;
        if self.refs == 0 || self.refs > 8 {
            return Err(invalid());
        }
        Ok(self.slice(from, bytes)?.chunks(self.refs).map(number).collect())
    }

    fn object(&mut self, which: u64, depth: usize) -> R {
        need_bytes(48)?;
        self.work += 1;
        if depth > DEEP || self.work > 16 * self.bytes.len() + 1024 || which >= self.count || self.width > 8 {
            return Err(invalid());
        }
        let place = (which as usize).checked_mul(self.width).and_then(|n| n.checked_add(self.table));
        let at = number(self.slice(place.ok_or_else(invalid)?, self.width)?) as usize;
        let token = self.slice(at, 1)?[0];
        Ok(match (token, token & 0xf0) {
            (0x00, _) => Obj::None,
            (0x08 | 0x09, _) => Obj::Bool(token == 9),
            (0x0f, _) => Obj::bytes([]),
            (_, 0x10) if token & 15 <= 4 => {
                let n = 1 << (token & 15);
                let raw = self.slice(at + 1, n)?;
                match n {
                    8 => Obj::Int(number(raw) as i64),
                    16 => i128::from_be_bytes(raw.try_into().map_err(|_| invalid())?).into(),
                    _ => number(raw).into(),
                }
            }
            (0x22, _) => Obj::Float(f32::from_bits(number(self.slice(at + 1, 4)?) as u32).into()),
            (0x23, _) => Obj::Float(f64::from_bits(number(self.slice(at + 1, 8)?))),
            (0x33, _) => {
                let seconds = f64::from_bits(number(self.slice(at + 1, 8)?));
                let epoch = DateTime::naive(Date { year: 2001, month: 1, day: 1 }, [0; 4]);
                let since = Delta::of((seconds * 1e6).round() as i128)?;
                brine_python::binary(Op::Add, &epoch, &Obj::Delta(since))?
            }
            (_, 0x40) => {
                let (n, from) = self.size(token, at)?;
                Obj::bytes(self.slice(from, n)?)
            }
            (_, 0x50) => {
                let (n, from) = self.size(token, at)?;
                let text = self.slice(from, n)?;
                let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii());
                text.ok_or_else(invalid)?.into()
            }
            (_, 0x60) => {
                let (n, from) = self.size(token, at)?;
                let raw = self.slice(from, n.checked_mul(2).ok_or_else(invalid)?)?;
                let units: Vec<u16> = raw.chunks(2).map(|pair| number(pair) as u16).collect();
                String::from_utf16(&units).map_err(|_| invalid())?.into()
            }
            (_, 0xa0) => {
                let (n, from) = self.size(token, at)?;
                let mut items = Vec::new();
                for which in self.members(n, from)? {
                    items.push(self.object(which, depth + 1)?);
                }
                Obj::list(items)
            }
            (_, 0xd0) => {
                let (n, from) = self.size(token, at)?;
                let keys = self.members(n, from)?;
                let values = self.members(n, from + n * self.refs)?;
                let dict = Dict::new();
                for (key, value) in keys.into_iter().zip(values) {
                    let key = self.object(key, depth + 1)?;
                    dict.set(key, self.object(value, depth + 1)?).map_err(|_| invalid())?;
                }
                Obj::dict(dict)
            }
            _ => return Err(invalid()),
        })
    }
}
