//! MySQL's packets and the numbers in them.

use crate::{Fault, Tls, Wire};

/// The most that one packet holds; longer data goes on in the next.
const MOST: usize = 0xff_ffff;

/// Packets with their running number.
pub(super) struct Packets {
    pub(super) wire: Wire,
    number: u8,
}

impl Packets {
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire, number: 0 }
    }

    /// Goes on in TLS.
    pub(super) fn in_tls(self, host: &str, tls: &Tls) -> Result<Self, Fault> {
        Ok(Self { wire: self.wire.start_tls(host, tls.config()?)?, number: self.number })
    }

    /// Sends what begins a new exchange.
    pub(super) fn command(&mut self, data: &[u8]) -> Result<(), Fault> {
        self.number = 0;
        self.send(data)
    }

    /// Sends what goes on with an exchange.
    pub(super) fn send(&mut self, data: &[u8]) -> Result<(), Fault> {
        let mut out = Vec::with_capacity(data.len() + 4);
        let mut rest = data;
        loop {
            let (now, later) = rest.split_at(rest.len().min(MOST));
            out.extend_from_slice(&(now.len() as u32).to_le_bytes()[..3]);
            out.push(self.number);
            out.extend_from_slice(now);
            self.number = self.number.wrapping_add(1);
            if now.len() < MOST {
                return self.wire.send(&out);
            }
            rest = later;
        }
    }

    /// Reads one; an error of the server is one here.
    pub(super) fn read(&mut self) -> Result<Vec<u8>, Fault> {
        let mut data = Vec::new();
        loop {
            let head = self.wire.exact(4)?;
            if head[3] != self.number {
                return Err(Fault::Nonsense("packets out of order"));
            }
            self.number = self.number.wrapping_add(1);
            let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
            data.extend(self.wire.exact(length)?);
            if length < MOST {
                break;
            }
        }
        if data.first() == Some(&0xff) {
            return Err(refused(&data));
        }
        Ok(data)
    }
}

/// `(1045, "Access denied ...")`, as Python's drivers print it.
fn refused(data: &[u8]) -> Fault {
    let mut fields = Fields(data.get(1..).unwrap_or_default());
    let code = fields.u16().unwrap_or(0);
    let text = match fields.0 {
        [b'#', _, _, _, _, _, text @ ..] => text,
        text => text,
    };
    let text = format!(
        "({code}, {})",
        brine_core::text::python_repr(&String::from_utf8_lossy(text).as_ref().into())
    );
    Fault::Refused { code: code.to_string(), text }
}

/// Reads numbers and strings off the front.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

const SHORT: Fault = Fault::Nonsense("a packet that is too short");

impl<'a> Fields<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (now, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(now)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        Ok(self.bytes(1)?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        let b = self.bytes(2)?;
        Ok(u16::from_le_bytes([b[0], b[1]]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        let b = self.bytes(4)?;
        Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// Up to a zero, or to the end.
    pub(super) fn zero_ended(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|b| *b == 0);
        let text = &self.0[..end.unwrap_or(self.0.len())];
        self.0 = end.map_or(&[], |end| &self.0[end + 1..]);
        text
    }

    /// A number of one to nine bytes.
    pub(super) fn number(&mut self) -> Result<u64, Fault> {
        let width = match self.u8()? {
            small @ 0..=0xfa => return Ok(small.into()),
            0xfc => 2,
            0xfd => 3,
            0xfe => 8,
            _ => return Err(Fault::Nonsense("a number that is none")),
        };
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(self.bytes(width)?);
        Ok(u64::from_le_bytes(bytes))
    }

    /// Bytes with their number before them.
    pub(super) fn string(&mut self) -> Result<&'a [u8], Fault> {
        let length = usize::try_from(self.number()?).map_err(|_| SHORT)?;
        self.bytes(length)
    }
}

/// Appends bytes with their number before them.
pub(super) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = (bytes.len() as u64).to_le_bytes();
    match bytes.len() {
        0..=0xfa => out.push(length[0]),
        0xfb..=0xffff => {
            out.push(0xfc);
            out.extend_from_slice(&length[..2]);
        }
        0x1_0000..=0xff_ffff => {
            out.push(0xfd);
            out.extend_from_slice(&length[..3]);
        }
        _ => {
            out.push(0xfe);
            out.extend_from_slice(&length);
        }
    }
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_all_lengths_are_read_as_written() {
        for length in [0, 0xfa, 0xfb, 0xffff, 0x1_0000, 0x100_0000] {
            let mut out = Vec::new();
            put_string(&mut out, &vec![7; length]);
            let mut fields = Fields(&out);
            assert_eq!(fields.string().unwrap().len(), length);
            assert!(fields.0.is_empty());
        }
        assert!(Fields(&[5, 1]).string().is_err() && Fields(&[0xfb]).number().is_err());
    }

    #[test]
    fn an_error_reads_as_in_python() {
        let Fault::Refused { code, text } = refused(b"\xff\x15\x04#28000Access denied for user 'x'") else {
            panic!()
        };
        assert_eq!((code.as_str(), text.as_str()), ("1045", "(1045, \"Access denied for user 'x'\")"));
    }
}
