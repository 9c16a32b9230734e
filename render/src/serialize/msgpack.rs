//! `msgpack`: the bytes of msgpack's own library, without Salt's extensions.

use super::options::Options;
use brine_python::{Dict, Obj, PyErr, R, need_bytes, truth};
use num_traits::ToPrimitive as _;

/// How deep values may nest; msgpack's own library goes to 511.
const DEEP: usize = 300;

pub(super) fn serialize(value: &Obj, options: &mut Options) -> R {
    let binary = options.truth("use_bin_type", true)?;
    options.done("Packer.__init__")?;
    let mut out = Vec::new();
    pack(&mut out, value, binary, 0)?;
    Ok(Obj::bytes(out))
}

/// A length with its marks: in the first byte, in 8, 16 and 32 bits.
fn head(out: &mut Vec<u8>, n: usize, fix: Option<(u8, usize)>, marks: [Option<u8>; 3]) -> R<()> {
    match (fix, marks) {
        (Some((mark, most)), _) if n < most => out.push(mark | n as u8),
        (_, [Some(mark), ..]) if n < 1 << 8 => out.extend([mark, n as u8]),
        (_, [_, Some(mark), _]) if n < 1 << 16 => {
            out.push(mark);
            out.extend((n as u16).to_be_bytes());
        }
        (_, [.., Some(mark)]) if n < 1 << 32 => {
            out.push(mark);
            out.extend((n as u32).to_be_bytes());
        }
        _ => return Err(PyErr::value("object is too large")),
    }
    Ok(())
}

fn pack(out: &mut Vec<u8>, value: &Obj, binary: bool, depth: usize) -> R<()> {
    if depth > DEEP {
        return Err(PyErr::value("recursion limit exceeded."));
    }
    need_bytes(1)?;
    match value {
        Obj::None => out.push(0xc0),
        Obj::Bool(b) => out.push(0xc2 | u8::from(*b)),
        Obj::Int(n) => int(out, *n),
        Obj::Big(n) => match n.to_u64() {
            Some(n) => {
                out.push(0xcf);
                out.extend(n.to_be_bytes());
            }
            None => return Err(PyErr::overflow("Integer value out of range")),
        },
        Obj::Float(x) => {
            out.push(0xcb);
            out.extend(x.to_be_bytes());
        }
        Obj::Bytes(bytes) => {
            if binary {
                head(out, bytes.len(), None, [Some(0xc4), Some(0xc5), Some(0xc6)])?;
            } else {
                head(out, bytes.len(), Some((0xa0, 32)), [None, Some(0xda), Some(0xdb)])?;
            }
            out.extend(&bytes[..]);
        }
        Obj::List(_) | Obj::Tuple(_) => {
            let items = value.sequence().unwrap_or_default();
            head(out, items.len(), Some((0x90, 16)), [None, Some(0xdc), Some(0xdd)])?;
            for item in &items {
                pack(out, item, binary, depth + 1)?;
            }
        }
        Obj::Dict(dict) => {
            let pairs = dict.pairs();
            head(out, pairs.len(), Some((0x80, 16)), [None, Some(0xde), Some(0xdf)])?;
            for (key, value) in &pairs {
                pack(out, key, binary, depth + 1)?;
                pack(out, value, binary, depth + 1)?;
            }
        }
        _ => match value.as_str() {
            Some(text) => {
                let short = if binary { Some(0xd9) } else { None };
                head(out, text.len(), Some((0xa0, 32)), [short, Some(0xda), Some(0xdb)])?;
                out.extend(text.as_bytes());
            }
            None => {
                return Err(PyErr::ty(format!("can not serialize '{}' object", value.type_name())));
            }
        },
    }
    Ok(())
}

fn int(out: &mut Vec<u8>, n: i64) {
    match n {
        -32..=0x7f => out.push(n as u8),
        0x80..=0xff => out.extend([0xcc, n as u8]),
        0x100..=0xffff => {
            out.push(0xcd);
            out.extend((n as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xce);
            out.extend((n as u32).to_be_bytes());
        }
        0x1_0000_0000.. => {
            out.push(0xcf);
            out.extend(n.to_be_bytes());
        }
        -0x80..-32 => out.extend([0xd0, n as u8]),
        -0x8000..-0x80 => {
            out.push(0xd1);
            out.extend((n as i16).to_be_bytes());
        }
        -0x8000_0000..-0x8000 => {
            out.push(0xd2);
            out.extend((n as i32).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend(n.to_be_bytes());
        }
    }
}

pub(super) fn deserialize(value: &Obj, options: &mut Options) -> R {
    let Obj::Bytes(bytes) = value else {
        let class = super::class(value);
        return Err(PyErr::ty(format!("a bytes-like object is required, not '{class}'")));
    };
    let lists = options.take("use_list").map_or(Ok(true), |o| truth(&o))?;
    let raw = options.truth("raw", false)?;
    let strict = options.truth("strict_map_key", false)?;
    options.done("unpackb")?;
    let mut reader = Reader { bytes, at: 0, lists, raw, strict };
    let value = reader.value(0)?;
    if reader.at < bytes.len() {
        return Err(PyErr::value("unpack(b) received extra data."));
    }
    Ok(value)
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    lists: bool,
    raw: bool,
    strict: bool,
}

impl Reader<'_> {
    fn take(&mut self, n: usize) -> R<&[u8]> {
        let end = self.at.checked_add(n).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| PyErr::value("Unpack failed: incomplete input"))?;
        let out = &self.bytes[self.at..end];
        self.at = end;
        Ok(out)
    }

    fn number(&mut self, n: usize) -> R<u64> {
        Ok(self.take(n)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// A number of `n` bytes with a sign.
    fn signed(&mut self, n: usize) -> R<i64> {
        let shift = 64 - 8 * n as u32;
        Ok(((self.number(n)? << shift) as i64) >> shift)
    }

    fn value(&mut self, depth: usize) -> R {
        if depth > DEEP {
            return Err(PyErr::value("Unpack failed: error = -2"));
        }
        need_bytes(1)?;
        let mark = self.number(1)? as u8;
        Ok(match mark {
            0..=0x7f => Obj::Int(mark.into()),
            0xe0..=0xff => Obj::Int((mark as i8).into()),
            0x80..=0x8f => self.map(usize::from(mark & 15), depth)?,
            0x90..=0x9f => self.list(usize::from(mark & 15), depth)?,
            0xa0..=0xbf => self.text(usize::from(mark & 31))?,
            0xc0 => Obj::None,
            0xc1 => return Err(PyErr::value("")),
            0xc2 | 0xc3 => Obj::Bool(mark == 0xc3),
            0xc4..=0xc6 => {
                let n = self.number(1 << (mark - 0xc4))? as usize;
                Obj::bytes(self.take(n)?)
            }
            0xc7..=0xc9 => {
                let n = self.number(1 << (mark - 0xc7))? as usize;
                return self.extension(n);
            }
            0xca => Obj::Float(f32::from_bits(self.number(4)? as u32).into()),
            0xcb => Obj::Float(f64::from_bits(self.number(8)?)),
            0xcc..=0xcf => self.number(1 << (mark - 0xcc))?.into(),
            0xd0..=0xd3 => Obj::Int(self.signed(1 << (mark - 0xd0))?),
            0xd4..=0xd8 => return self.extension(1 << (mark - 0xd4)),
            0xd9..=0xdb => {
                let n = self.number(1 << (mark - 0xd9))? as usize;
                self.text(n)?
            }
            0xdc | 0xdd => {
                let n = self.number(2 << (mark - 0xdc))? as usize;
                self.list(n, depth)?
            }
            0xde | 0xdf => {
                let n = self.number(2 << (mark - 0xde))? as usize;
                self.map(n, depth)?
            }
        })
    }

    /// Stock makes an `ExtType` of it, which nothing here can hold.
    fn extension(&mut self, n: usize) -> R {
        let code = self.signed(1)?;
        self.take(n)?;
        Err(PyErr::value(format!("extension type {code} is not supported")))
    }

    fn text(&mut self, n: usize) -> R {
        let raw = self.raw;
        let bytes = self.take(n)?;
        if raw {
            return Ok(Obj::bytes(bytes));
        }
        Ok(brine_python::decode_utf8(bytes.to_vec())?.into())
    }

    fn list(&mut self, n: usize, depth: usize) -> R {
        let mut items = Vec::with_capacity(n.min(self.bytes.len() - self.at));
        for _ in 0..n {
            items.push(self.value(depth + 1)?);
        }
        Ok(if self.lists { Obj::list(items) } else { Obj::tuple(items) })
    }

    fn map(&mut self, n: usize, depth: usize) -> R {
        let dict = Dict::new();
        for _ in 0..n {
            let key = self.value(depth + 1)?;
            if self.strict && key.as_str().is_none() && !matches!(key, Obj::Bytes(_)) {
                let class = super::class(&key);
                return Err(PyErr::value(format!(
                    "{class} is not allowed for map key when strict_map_key=True"
                )));
            }
            dict.set(key, self.value(depth + 1)?)?;
        }
        Ok(Obj::dict(dict))
    }
}
