//! A binary property list, written.

use super::{DEEP, Pairs, key};
use brine_python::{Obj, PyErr, R, need_bytes};
use num_bigint::BigInt;
use num_traits::ToPrimitive as _;
use std::collections::HashMap;

pub(super) fn write(value: &Obj, pairs: &Pairs) -> R<Vec<u8>> {
    let mut writer =
        Writer { objects: Vec::new(), scalars: HashMap::new(), collections: HashMap::new(), pairs };
    writer.flatten(value, 0)?;
    let count = writer.objects.len();
    let width = size(count as u64);
    let mut out = b"bplist00".to_vec();
    let mut offsets = Vec::with_capacity(count);
    for object in &writer.objects {
        offsets.push(out.len() as u64);
        object.write(&mut out, width)?;
    }
    let table = out.len() as u64;
    let offset_size = size(table);
    for offset in offsets {
        number(&mut out, offset, offset_size);
    }
    out.extend([0; 6]);
    out.extend([offset_size as u8, width as u8]);
    for n in [count as u64, 0, table] {
        number(&mut out, n, 8);
    }
    Ok(out)
}

/// Bytes that a number needs.
fn size(n: u64) -> usize {
    match n {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

fn number(out: &mut Vec<u8>, n: u64, size: usize) {
    out.extend(&n.to_be_bytes()[8 - size..]);
}

enum Object {
    Scalar(Obj),
    Array(Vec<usize>),
    Dict(Vec<usize>, Vec<usize>),
}

struct Writer<'p> {
    objects: Vec<Object>,
    /// Where each scalar is, by its type and bytes.
    scalars: HashMap<Vec<u8>, usize>,
    collections: HashMap<usize, usize>,
    pairs: &'p Pairs,
}

impl Writer<'_> {
    fn flatten(&mut self, value: &Obj, depth: usize) -> R<usize> {
        need_bytes(32)?;
        if depth > DEEP {
            return Err(PyErr::recursion(""));
        }
        let place = self.objects.len();
        match value {
            Obj::List(_) | Obj::Tuple(_) => {
                // Python has one empty tuple.
                let empty = matches!(value, Obj::Tuple(items) if items.is_empty());
                let address = if empty { 0 } else { value.address() };
                if let Some(at) = self.collections.get(&address) {
                    return Ok(*at);
                }
                self.collections.insert(address, place);
                self.objects.push(Object::Array(Vec::new()));
                let mut items = Vec::new();
                for item in value.sequence().unwrap_or_default() {
                    items.push(self.flatten(&item, depth + 1)?);
                }
                self.objects[place] = Object::Array(items);
            }
            Obj::Dict(dict) => {
                if let Some(at) = self.collections.get(&value.address()) {
                    return Ok(*at);
                }
                self.collections.insert(value.address(), place);
                self.objects.push(Object::Dict(Vec::new(), Vec::new()));
                let pairs = self.pairs.of(dict.pairs())?;
                for (name, _) in &pairs {
                    key(name)?;
                }
                let (mut keys, mut values) = (Vec::new(), Vec::new());
                for (key, _) in &pairs {
                    keys.push(self.flatten(key, depth + 1)?);
                }
                for (_, value) in &pairs {
                    values.push(self.flatten(value, depth + 1)?);
                }
                self.objects[place] = Object::Dict(keys, values);
            }
            scalar => {
                let mut bytes = scalar.type_name().as_bytes().to_vec();
                bytes.push(0);
                // What cannot be written is noticed when it is.
                if scalar_bytes(&mut bytes, scalar).is_ok() {
                    if let Some(at) = self.scalars.get(&bytes) {
                        return Ok(*at);
                    }
                    self.scalars.insert(bytes, place);
                }
                self.objects.push(Object::Scalar(scalar.clone()));
            }
        }
        Ok(place)
    }
}

impl Object {
    fn write(&self, out: &mut Vec<u8>, width: usize) -> R<()> {
        match self {
            Object::Scalar(value) => return scalar_bytes(out, value),
            Object::Array(items) => {
                head(out, 0xa0, items.len());
                items.iter().for_each(|at| number(out, *at as u64, width));
            }
            Object::Dict(keys, values) => {
                head(out, 0xd0, keys.len());
                keys.iter().chain(values).for_each(|at| number(out, *at as u64, width));
            }
        }
        Ok(())
    }
}

/// A mark with a length.
fn head(out: &mut Vec<u8>, mark: u8, n: usize) {
    if n < 15 {
        out.push(mark | n as u8);
        return;
    }
    let bytes = size(n as u64);
    out.extend([mark | 15, 0x10 | bytes.trailing_zeros() as u8]);
    number(out, n as u64, bytes);
}

fn scalar_bytes(out: &mut Vec<u8>, value: &Obj) -> R<()> {
    match value {
        Obj::None => out.push(0),
        Obj::Bool(b) => out.push(8 | u8::from(*b)),
        Obj::Int(n) => {
            let bytes = u64::try_from(*n).map_or(8, size);
            out.push(0x10 | bytes.trailing_zeros() as u8);
            number(out, *n as u64, bytes);
        }
        Obj::Big(n) => {
            let Some(n) = n.to_u64().filter(|_| **n > BigInt::ZERO) else {
                return Err(PyErr::overflow(brine_python::str(value)?));
            };
            out.push(0x14);
            out.extend([0; 8]);
            number(out, n, 8);
        }
        Obj::Float(x) => {
            out.push(0x23);
            out.extend(x.to_be_bytes());
        }
        Obj::DateTime(_) => {
            let epoch = brine_python::time::DateTime::naive(
                brine_python::time::Date { year: 2001, month: 1, day: 1 },
                [0; 4],
            );
            let since = brine_python::binary(brine_python::Op::Sub, value, &epoch)?;
            let Obj::Delta(since) = since else { return Err(PyErr::ty("no time")) };
            out.push(0x33);
            out.extend((since.micros() as f64 / 1e6).to_be_bytes());
        }
        Obj::Bytes(bytes) => {
            head(out, 0x40, bytes.len());
            out.extend(&bytes[..]);
        }
        _ => match value.as_str() {
            Some(text) if text.is_ascii() => {
                head(out, 0x50, text.len());
                out.extend(text.as_bytes());
            }
            Some(text) => {
                let units: Vec<u16> = text.encode_utf16().collect();
                head(out, 0x60, units.len());
                units.iter().for_each(|unit| out.extend(unit.to_be_bytes()));
            }
            None => return Err(PyErr::ty(brine_python::str(value)?)),
        },
    }
    Ok(())
}
