//! Salt's two msgpack dialects, and a decoder that takes either.
//!
//! `Old` writes text and bytes alike in the raw family (ZeroMQ frames, ciphertext contents, signed blobs); `New`
//! keeps text and binary apart (TCP and IPC frames, event bodies, files). What was signed must be kept as bytes:
//! nothing here promises that decoding and encoding again gives the same bytes.

use crate::value::{DateTime, Map, Value};
use rmp::Marker;
use rmp::encode as w;

/// Which family text and bytes are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `use_bin_type=False`: one raw family for text and bytes, never str8 or bin.
    Old,
    /// `use_bin_type=True`: text as str, bytes as bin.
    New,
}

/// Bounds on what a decoder builds, checked before anything is allocated.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How deep lists and maps may nest.
    pub depth: usize,
    /// How many values one message may hold in all.
    pub items: usize,
}

impl Default for Limits {
    /// Depth far above real data (stock's library stops at 511) and far below what a 2 MiB thread stack holds;
    /// items by memory: about 400 MB of values.
    fn default() -> Self {
        Self { depth: 200, items: 8 << 20 }
    }
}

/// Why bytes are not an acceptable message.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The message ends within a value. For a stream: more bytes are needed.
    #[error("message ends within a value")]
    Incomplete,
    /// Bytes follow the value.
    #[error("{0} bytes follow the value")]
    Trailing(usize),
    /// Nested deeper than [`Limits::depth`].
    #[error("nested too deeply")]
    Depth,
    /// More values than [`Limits::items`].
    #[error("too many values")]
    Items,
    /// The reserved byte 0xc1.
    #[error("reserved byte 0xc1")]
    Reserved,
    /// A map key that Python could not hash.
    #[error("a list or map as map key")]
    Key,
    /// An extension type Salt does not define, or a malformed one.
    #[error("unknown extension type {0}")]
    Ext(i8),
}

/// The bytes of `value` in a dialect.
pub fn encode(value: &Value, dialect: Dialect) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    write(&mut out, value, dialect);
    out
}

/// The bytes of a map in a dialect.
pub fn encode_map(map: &Map, dialect: Dialect) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    write_map(&mut out, map, dialect);
    out
}

/// Decodes exactly one value with default limits.
pub fn decode(bytes: &[u8]) -> Result<Value, DecodeError> {
    decode_limited(bytes, Limits::default())
}

/// Decodes exactly one value.
pub fn decode_limited(bytes: &[u8], limits: Limits) -> Result<Value, DecodeError> {
    let (value, used) = decode_prefix(bytes, limits)?;
    if used < bytes.len() { Err(DecodeError::Trailing(bytes.len() - used)) } else { Ok(value) }
}

/// Decodes one value from the front of a stream; returns it with the number of bytes it took.
pub fn decode_prefix(bytes: &[u8], limits: Limits) -> Result<(Value, usize), DecodeError> {
    let mut reader = Reader { bytes, at: 0, items: limits.items };
    let value = reader.value(limits.depth)?;
    Ok((value, reader.at))
}

/// Where the first value of a stream ends, without building it: for framing by content.
pub fn measure(bytes: &[u8], limits: Limits) -> Result<usize, DecodeError> {
    let mut reader = Reader { bytes, at: 0, items: limits.items };
    let mut open = vec![1u64];
    while let Some(left) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        let inner = reader.skip()?;
        if inner > 0 {
            if open.len() > limits.depth {
                return Err(DecodeError::Depth);
            }
            open.push(inner);
        }
    }
    Ok(reader.at)
}

// Writing into a Vec cannot fail, so the results of the low-level writers carry nothing.
fn write(out: &mut Vec<u8>, value: &Value, dialect: Dialect) {
    match value {
        Value::Nil => drop(w::write_nil(out)),
        Value::Bool(b) => drop(w::write_bool(out, *b)),
        Value::Int(i) => {
            if let Ok(i) = i64::try_from(*i) {
                drop(w::write_sint(out, i));
            } else if let Ok(i) = u64::try_from(*i) {
                drop(w::write_uint(out, i));
            } else {
                write_text(out, &i.to_string(), dialect);
            }
        }
        Value::Float(x) => drop(w::write_f64(out, *x)),
        Value::Str(s) => write_text(out, s, dialect),
        Value::Bytes(b) => write_bytes(out, b, dialect),
        Value::List(l) => {
            drop(w::write_array_len(out, l.len() as u32));
            for v in l {
                write(out, v, dialect);
            }
        }
        Value::Map(m) => write_map(out, m, dialect),
        Value::DateTime(d) => {
            let text = format!(
                "{:04}{:02}{:02}T{:02}:{:02}:{:02}.{:06}",
                d.year, d.month, d.day, d.hour, d.minute, d.second, d.micro
            );
            drop(w::write_ext_meta(out, text.len() as u32, 78));
            out.extend_from_slice(text.as_bytes());
        }
    }
}

fn write_map(out: &mut Vec<u8>, map: &Map, dialect: Dialect) {
    drop(w::write_map_len(out, map.len() as u32));
    for (k, v) in map {
        write(out, k, dialect);
        write(out, v, dialect);
    }
}

fn write_text(out: &mut Vec<u8>, text: &str, dialect: Dialect) {
    match dialect {
        Dialect::New => drop(w::write_str(out, text)),
        Dialect::Old => write_raw(out, text.as_bytes()),
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8], dialect: Dialect) {
    match dialect {
        Dialect::New => drop(w::write_bin(out, bytes)),
        Dialect::Old => write_raw(out, bytes),
    }
}

/// The raw family of the old specification: fixraw, raw16, raw32.
fn write_raw(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        n @ 0..=31 => out.push(0xa0 | n as u8),
        n @ 32..=0xffff => {
            out.push(0xda);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            out.push(0xdb);
            out.extend_from_slice(&(n as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    items: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(n).ok_or(DecodeError::Incomplete)?;
        let part = self.bytes.get(self.at..end).ok_or(DecodeError::Incomplete)?;
        self.at = end;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.take(N)?.try_into().map_err(|_| DecodeError::Incomplete)
    }

    fn len8(&mut self) -> Result<usize, DecodeError> {
        Ok(usize::from(self.array::<1>()?[0]))
    }

    fn len16(&mut self) -> Result<usize, DecodeError> {
        Ok(usize::from(u16::from_be_bytes(self.array()?)))
    }

    fn len32(&mut self) -> Result<usize, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?) as usize)
    }

    fn marker(&mut self) -> Result<Marker, DecodeError> {
        self.items = self.items.checked_sub(1).ok_or(DecodeError::Items)?;
        Ok(Marker::from_u8(self.array::<1>()?[0]))
    }

    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        Ok(match self.marker()? {
            Marker::Null => Value::Nil,
            Marker::True => Value::Bool(true),
            Marker::False => Value::Bool(false),
            Marker::FixPos(n) => Value::Int(n.into()),
            Marker::FixNeg(n) => Value::Int(n.into()),
            Marker::U8 => Value::Int(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Value::Int(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Value::Int(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => Value::Int(u64::from_be_bytes(self.array()?).into()),
            Marker::I8 => Value::Int(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => Value::Int(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => Value::Int(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => Value::Int(i64::from_be_bytes(self.array()?).into()),
            Marker::F32 => Value::Float(f32::from_be_bytes(self.array()?).into()),
            Marker::F64 => Value::Float(f64::from_be_bytes(self.array()?)),
            Marker::FixStr(n) => self.text(usize::from(n))?,
            Marker::Str8 | Marker::Bin8 => {
                let n = self.len8()?;
                self.text(n)?
            }
            Marker::Str16 | Marker::Bin16 => {
                let n = self.len16()?;
                self.text(n)?
            }
            Marker::Str32 | Marker::Bin32 => {
                let n = self.len32()?;
                self.text(n)?
            }
            Marker::FixArray(n) => self.list(usize::from(n), depth)?,
            Marker::Array16 => {
                let n = self.len16()?;
                self.list(n, depth)?
            }
            Marker::Array32 => {
                let n = self.len32()?;
                self.list(n, depth)?
            }
            Marker::FixMap(n) => self.map(usize::from(n), depth)?,
            Marker::Map16 => {
                let n = self.len16()?;
                self.map(n, depth)?
            }
            Marker::Map32 => {
                let n = self.len32()?;
                self.map(n, depth)?
            }
            Marker::FixExt1 => self.ext(1)?,
            Marker::FixExt2 => self.ext(2)?,
            Marker::FixExt4 => self.ext(4)?,
            Marker::FixExt8 => self.ext(8)?,
            Marker::FixExt16 => self.ext(16)?,
            Marker::Ext8 => {
                let n = self.len8()?;
                self.ext(n)?
            }
            Marker::Ext16 => {
                let n = self.len16()?;
                self.ext(n)?
            }
            Marker::Ext32 => {
                let n = self.len32()?;
                self.ext(n)?
            }
            Marker::Reserved => return Err(DecodeError::Reserved),
        })
    }

    /// Valid UTF-8 is text, whatever family it came in: stock Salt cannot tell them apart either.
    fn text(&mut self, n: usize) -> Result<Value, DecodeError> {
        let bytes = self.take(n)?;
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) => Value::Str(text.to_owned()),
            Err(_) => Value::Bytes(bytes.to_vec()),
        })
    }

    fn list(&mut self, n: usize, depth: usize) -> Result<Value, DecodeError> {
        let depth = depth.checked_sub(1).ok_or(DecodeError::Depth)?;
        let mut list = Vec::with_capacity(self.room(n)?);
        for _ in 0..n {
            list.push(self.value(depth)?);
        }
        Ok(Value::List(list))
    }

    fn map(&mut self, n: usize, depth: usize) -> Result<Value, DecodeError> {
        let depth = depth.checked_sub(1).ok_or(DecodeError::Depth)?;
        let mut map = Map::with_capacity(self.room(n)? / 2);
        for _ in 0..n {
            let key = self.value(depth)?;
            if matches!(key, Value::List(_) | Value::Map(_)) {
                return Err(DecodeError::Key);
            }
            let value = self.value(depth)?;
            map.insert(key, value);
        }
        Ok(Value::Map(map))
    }

    /// A declared count is believed only as far as the bytes that are there could hold it; and only a modest
    /// first allocation is made on its word.
    fn room(&self, n: usize) -> Result<usize, DecodeError> {
        if n > self.bytes.len() - self.at {
            return Err(DecodeError::Incomplete);
        }
        Ok(n.min(1024))
    }

    fn ext(&mut self, n: usize) -> Result<Value, DecodeError> {
        let code = i8::from_be_bytes(self.array()?);
        let data = self.take(n)?;
        match code {
            78 => parse_datetime(data).map(Value::DateTime).ok_or(DecodeError::Ext(code)),
            // A named constant is only ever its name to us.
            79 => Ok(Value::Str(String::from_utf8_lossy(data).into_owned())),
            _ => Err(DecodeError::Ext(code)),
        }
    }

    /// Steps over one marker with its payload; returns how many values it opens.
    fn skip(&mut self) -> Result<u64, DecodeError> {
        let n = match self.marker()? {
            Marker::FixStr(n) => usize::from(n),
            Marker::Str8 | Marker::Bin8 => self.len8()?,
            Marker::Str16 | Marker::Bin16 => self.len16()?,
            Marker::Str32 | Marker::Bin32 => self.len32()?,
            Marker::U8 | Marker::I8 => 1,
            Marker::U16 | Marker::I16 => 2,
            Marker::U32 | Marker::I32 | Marker::F32 => 4,
            Marker::U64 | Marker::I64 | Marker::F64 => 8,
            Marker::FixExt1 => 2,
            Marker::FixExt2 => 3,
            Marker::FixExt4 => 5,
            Marker::FixExt8 => 9,
            Marker::FixExt16 => 17,
            Marker::Ext8 => self.len8()? + 1,
            Marker::Ext16 => self.len16()? + 1,
            Marker::Ext32 => self.len32()? + 1,
            Marker::FixArray(n) => return Ok(u64::from(n)),
            Marker::Array16 => return Ok(self.len16()? as u64),
            Marker::Array32 => return Ok(self.len32()? as u64),
            Marker::FixMap(n) => return Ok(2 * u64::from(n)),
            Marker::Map16 => return Ok(2 * self.len16()? as u64),
            Marker::Map32 => return Ok(2 * self.len32()? as u64),
            Marker::Null | Marker::True | Marker::False | Marker::FixPos(_) | Marker::FixNeg(_) => 0,
            Marker::Reserved => return Err(DecodeError::Reserved),
        };
        self.take(n)?;
        Ok(0)
    }
}

/// `YYYYMMDDTHH:MM:SS.ffffff`, as stock writes it.
fn parse_datetime(data: &[u8]) -> Option<DateTime> {
    let text = std::str::from_utf8(data).ok()?;
    let num = |from: usize, to: usize| -> Option<u32> {
        let part = text.get(from..to)?;
        if part.bytes().all(|b| b.is_ascii_digit()) { part.parse().ok() } else { None }
    };
    let exact = text.len() == 24
        && [(8, b'T'), (11, b':'), (14, b':'), (17, b'.')].iter().all(|(i, c)| data[*i] == *c);
    if !exact {
        return None;
    }
    Some(DateTime {
        year: num(0, 4)? as u16,
        month: num(4, 6)? as u8,
        day: num(6, 8)? as u8,
        hour: num(9, 11)? as u8,
        minute: num(12, 14)? as u8,
        second: num(15, 17)? as u8,
        micro: num(18, 24)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    #[test]
    fn dialects_differ_in_text_and_bytes_only() {
        let long = "x".repeat(40);
        let v = Value::from(map! {"s" => long.clone(), "b" => vec![0xffu8, 0xfe]});
        let old = encode(&v, Dialect::Old);
        assert!(!old.contains(&0xd9) && old.contains(&0xda));
        let new = encode(&v, Dialect::New);
        assert!(new.contains(&0xd9) && new.contains(&0xc4));
        assert_eq!(decode(&old), Ok(v.clone()));
        assert_eq!(decode(&new), Ok(v));
    }

    #[test]
    fn integers_beyond_64_bits_become_text() {
        let v = Value::Int(i128::from(u64::MAX) + 1);
        assert_eq!(decode(&encode(&v, Dialect::New)), Ok(Value::from("18446744073709551616")));
        let v = Value::Int(u64::MAX.into());
        assert_eq!(decode(&encode(&v, Dialect::New)), Ok(v));
    }

    #[test]
    fn bombs_are_refused_without_allocation() {
        // 4 Gi elements declared in five bytes.
        assert_eq!(decode(&[0xdd, 0xff, 0xff, 0xff, 0xff]), Err(DecodeError::Incomplete));
        assert_eq!(decode(&[0xdb, 0xff, 0xff, 0xff, 0xff, b'x']), Err(DecodeError::Incomplete));
        let deep = vec![0x91; 100_000];
        assert_eq!(decode(&deep), Err(DecodeError::Depth));
        assert_eq!(measure(&deep, Limits::default()), Err(DecodeError::Depth));
        let many = [vec![0xdc, 0xff, 0xff], vec![0xc0; 0xffff]].concat();
        assert_eq!(decode_limited(&many, Limits { depth: 5, items: 100 }), Err(DecodeError::Items));
    }

    #[test]
    fn measure_agrees_with_decode() {
        let v = Value::from(map! {"a" => vec![Value::Nil, 1.into(), 2.5.into()], "m" => map!{"x" => true}});
        let mut bytes = encode(&v, Dialect::New);
        let n = bytes.len();
        bytes.extend_from_slice(b"\x01\x02");
        assert_eq!(measure(&bytes, Limits::default()), Ok(n));
        assert_eq!(decode_prefix(&bytes, Limits::default()), Ok((v, n)));
        for cut in 0..n {
            assert_eq!(measure(&bytes[..cut], Limits::default()), Err(DecodeError::Incomplete));
        }
    }

    #[test]
    fn datetimes_cross_as_extension_78() {
        let d = DateTime { year: 2026, month: 11, day: 25, hour: 1, minute: 2, second: 3, micro: 4 };
        let bytes = encode(&d.into(), Dialect::New);
        assert_eq!(&bytes[3..], b"20261125T01:02:03.000004");
        assert_eq!(decode(&bytes), Ok(d.into()));
        assert_eq!(d.to_string(), "2026-11-25 01:02:03.000004");
    }
}
