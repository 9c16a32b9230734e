//! `b'%s' % x`: formatted as text is, each byte as the character of its number.

use super::percent::{Conversion, To, formatted};
use crate::error::{Kind, PyErr, R};
use crate::limit;
use crate::num::{Num, num};
use crate::obj::Obj;
use crate::repr;
use crate::seq;

/// `bytes % values`.
///
/// # Errors
/// As [`percent`].
pub(crate) fn percent_bytes(bytes: &[u8], all: &Obj) -> R {
    limit::bytes(bytes.len())?;
    let text: String = bytes.iter().map(|b| char::from(*b)).collect();
    Ok(Obj::bytes(bytes_of(&formatted(&text, all, To::Bytes)?)))
}

/// Characters back to bytes.
pub(super) fn bytes_of(text: &str) -> Vec<u8> {
    text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// The error of bytes for what is no number.
fn not_float(e: PyErr, value: &Obj) -> PyErr {
    match e.kind() {
        Kind::Limit => e,
        _ => PyErr::ty(format!("float argument required, not {}", value.type_name())),
    }
}

impl Conversion {
    /// Conversions that are of their own for bytes.
    pub(super) fn write_bytes(&self, out: &mut String, kind: char, at: usize, value: &Obj) -> R<()> {
        let chars = |bytes: &[u8]| bytes.iter().map(|b| char::from(*b)).collect::<String>();
        match kind {
            's' | 'b' | 'c' | 'r' => {}
            'i' => return self.write(out, 'd', at, value),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                return self.float(out, kind, value).map_err(|e| not_float(e, value));
            }
            _ => return self.write(out, kind, at, value),
        }
        let text = match (kind, value) {
            ('r', _) => repr::ascii(value)?,
            ('c', Obj::Bytes(bytes)) if bytes.len() == 1 => chars(bytes),
            ('c', _) => match num(value) {
                Some(Num::Int(n)) => match u8::try_from(n) {
                    Ok(b) => chars(&[b]),
                    Err(_) => return Err(PyErr::overflow("%c arg not in range(256)")),
                },
                Some(Num::Big(_)) => return Err(PyErr::overflow("%c arg not in range(256)")),
                _ => return Err(PyErr::ty("%c requires an integer in range(256) or a single byte")),
            },
            (_, Obj::Bytes(bytes)) => {
                limit::bytes(bytes.len())?;
                chars(bytes)
            }
            _ => {
                return Err(PyErr::ty(format!(
                    "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
                    value.type_name()
                )));
            }
        };
        let text = match self.precision {
            Some(most) if kind != 'c' && most < seq::chars(&text) => seq::substring(&text, 0, most),
            _ => &text,
        };
        self.pad(out, "", text, false)
    }
}
