//! Frames of the event bus: finding where one ends, and taking its body out. No IO, and no decoding of the body.

use bytes::{BufMut, Bytes, BytesMut};

/// Bytes a frame may have around its body: the two keys, the headers, and a head that nobody uses.
const AROUND_MAX: usize = 1024;
/// Nesting allowed inside the head.
const DEPTH_MAX: u32 = 8;

/// Whether frames carry their length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Four bytes of length, big endian, before each frame: 3006.26 and later; also what all later versions push.
    Prefixed,
    /// One frame directly after the other: what 3007 and 3008 read.
    Bare,
}

/// A frame that no version of Salt sends, or one that is too large. The stream is good for nothing afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Larger than the limit, which is part of the error.
    #[error("a frame over the limit of {0} bytes")]
    TooLarge(usize),
    /// Not a map of `head` and `body`, with the body a byte string.
    #[error("not an event frame")]
    Malformed,
    /// The announced length and the frame's own end differ.
    #[error("a frame of another length than announced")]
    Length,
}

/// A frame with this body.
#[must_use]
pub fn encode_frame(body: &[u8], framing: Framing) -> Bytes {
    let mut map = BytesMut::with_capacity(body.len() + 24);
    if framing == Framing::Prefixed {
        map.put_u32(0);
    }
    map.put_slice(b"\x82\xa4head\x80\xa4body");
    match body.len() {
        len @ 0..=0xff => map.put_slice(&[0xc4, len as u8]),
        len @ 0x100..=0xffff => {
            map.put_u8(0xc5);
            map.put_u16(len as u16);
        }
        len => {
            map.put_u8(0xc6);
            // Callers bound bodies far below.
            map.put_u32(u32::try_from(len).unwrap_or(u32::MAX));
        }
    }
    map.put_slice(body);
    if framing == Framing::Prefixed {
        let len = u32::try_from(map.len() - 4).unwrap_or(u32::MAX);
        map[..4].copy_from_slice(&len.to_be_bytes());
    }
    map.freeze()
}

/// Takes one frame from the beginning of `buffer` and returns its body. None when more bytes are needed; the buffer is
/// then untouched.
///
/// Both framings are told apart by the first byte, for each frame anew: 0x82 opens a bare map, and as the first byte of
/// a length it would mean two gigabytes. Nothing is allocated for an incomplete frame.
///
/// # Errors
/// [`FrameError`], as early as the bytes show it.
pub fn read_frame(buffer: &mut BytesMut, max_body: usize) -> Result<Option<Bytes>, FrameError> {
    let max = max_body.saturating_add(AROUND_MAX);
    let (prefix, announced) = match buffer.first() {
        None => return Ok(None),
        Some(0x82) => (0, None),
        Some(_) => {
            let Some(length) = buffer.get(..4) else { return Ok(None) };
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
            if length > max {
                return Err(FrameError::TooLarge(max_body));
            }
            (4, Some(length))
        }
    };
    let rest = &buffer[prefix..];
    let rest = announced.map_or(rest, |length| &rest[..length.min(rest.len())]);
    let complete = announced == Some(rest.len());
    let body = match find_body(rest) {
        Ok(body) => body,
        // What is missing will not come when the announced length is there.
        Err(Stop::Incomplete) if complete => return Err(FrameError::Length),
        Err(Stop::Incomplete) if rest.len() > AROUND_MAX => return Err(FrameError::Malformed),
        Err(Stop::Incomplete) => return Ok(None),
        Err(Stop::Malformed) => return Err(FrameError::Malformed),
    };
    if body.len() > max_body {
        return Err(FrameError::TooLarge(max_body));
    }
    if announced.is_some_and(|length| length != body.end) {
        return Err(FrameError::Length);
    }
    if rest.len() < body.end {
        return Ok(None);
    }
    let mut whole = buffer.split_to(prefix + body.end);
    let body = whole.split_off(prefix + body.start);
    // A small body kept for long must not keep a whole read buffer alive.
    Ok(Some(if body.len() <= 4096 { Bytes::copy_from_slice(&body) } else { body.freeze() }))
}

enum Stop {
    Incomplete,
    Malformed,
}

/// Where the body is in a map of `head` and `body`, which need not be there itself.
fn find_body(bytes: &[u8]) -> Result<std::ops::Range<usize>, Stop> {
    let mut at = Cursor { bytes, at: 0 };
    if at.byte()? != 0x82 {
        return Err(Stop::Malformed);
    }
    // Stock writes the head first, always; then the body ends the frame and need not be scanned.
    at.key(b"head")?;
    at.skip(DEPTH_MAX)?;
    at.key(b"body")?;
    let len = match at.byte()? {
        0xc4 | 0xd9 => at.number(1)?,
        0xc5 | 0xda => at.number(2)?,
        0xc6 | 0xdb => at.number(4)?,
        fixed @ 0xa0..=0xbf => usize::from(fixed & 0x1f),
        _ => return Err(Stop::Malformed),
    };
    let start = at.at;
    Ok(start..start.checked_add(len).ok_or(Stop::Malformed)?)
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = *self.bytes.get(self.at).ok_or(Stop::Incomplete)?;
        self.at += 1;
        Ok(byte)
    }

    fn number(&mut self, width: usize) -> Result<usize, Stop> {
        (0..width).try_fold(0, |n, _| Ok(n << 8 | usize::from(self.byte()?)))
    }

    fn key(&mut self, name: &[u8]) -> Result<(), Stop> {
        // fixstr of four bytes; the family of byte strings is written by nobody here.
        if self.byte()? != 0xa4 {
            return Err(Stop::Malformed);
        }
        for &expected in name {
            if self.byte()? != expected {
                return Err(Stop::Malformed);
            }
        }
        Ok(())
    }

    /// Skips one value of any kind. The work is bounded by the bytes that are there.
    fn skip(&mut self, depth: u32) -> Result<(), Stop> {
        let depth = depth.checked_sub(1).ok_or(Stop::Malformed)?;
        let (data, values) = match self.byte()? {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => (0, 0),
            map @ 0x80..=0x8f => (0, 2 * usize::from(map & 0x0f)),
            array @ 0x90..=0x9f => (0, usize::from(array & 0x0f)),
            text @ 0xa0..=0xbf => (usize::from(text & 0x1f), 0),
            0xc4 | 0xd9 => (self.number(1)?, 0),
            0xc5 | 0xda => (self.number(2)?, 0),
            0xc6 | 0xdb => (self.number(4)?, 0),
            0xcc | 0xd0 => (1, 0),
            0xcd | 0xd1 => (2, 0),
            0xca | 0xce | 0xd2 => (4, 0),
            0xcb | 0xcf | 0xd3 => (8, 0),
            0xdc => (0, self.number(2)?),
            0xde => (0, self.number(2)? * 2),
            // Ext types, and arrays and maps of 65,536 elements and more, have no place in a head.
            _ => return Err(Stop::Malformed),
        };
        self.at = self.at.saturating_add(data);
        if self.at > self.bytes.len() {
            return Err(if data > AROUND_MAX { Stop::Malformed } else { Stop::Incomplete });
        }
        (0..values).try_for_each(|_| self.skip(depth))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_split_gives_the_same_bodies(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 1..6),
            cuts in proptest::collection::vec(1_usize..90, 1..20),
            prefixed in any::<bool>(),
        ) {
            let framing = if prefixed { Framing::Prefixed } else { Framing::Bare };
            let wire: Vec<u8> = bodies.iter().flat_map(|b| encode_frame(b, framing)).collect();
            let (mut buffer, mut rest, mut seen) = (BytesMut::new(), &wire[..], Vec::new());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                rest = later;
                buffer.extend_from_slice(now);
                while let Some(body) = read_frame(&mut buffer, 400).unwrap() {
                    seen.push(body.to_vec());
                }
            }
            prop_assert_eq!(seen, bodies);
            prop_assert!(buffer.is_empty());
        }

        #[test]
        fn garbage_never_panics_and_is_never_kept_for_long(
            start in 0_usize..4,
            data in proptest::collection::vec(any::<u8>(), 0..3000),
        ) {
            let starts = [&b""[..], b"\x82", b"\x82\xa4head", b"\0\0\x01\0\x82\xa4head\x80\xa4body"];
            let mut buffer = BytesMut::from(&[starts[start], &data].concat()[..]);
            while let Ok(Some(body)) = read_frame(&mut buffer, 400) {
                prop_assert!(body.len() <= 400);
            }
            // What is still there is either refused, or short enough to become a frame.
            prop_assert!(read_frame(&mut buffer, 400).is_err() || buffer.len() <= 400 + AROUND_MAX + 4);
        }
    }

    fn read(bytes: &[u8]) -> Result<Option<Bytes>, FrameError> {
        read_frame(&mut BytesMut::from(bytes), 1 << 20)
    }

    #[test]
    fn writes_what_stock_writes() {
        // msgpack.dumps({"head": {}, "body": b"t\n\n\x80"}, use_bin_type=True), and struct.pack(">I", 18) before it.
        let bare = b"\x82\xa4head\x80\xa4body\xc4\x04t\n\n\x80";
        assert_eq!(encode_frame(b"t\n\n\x80", Framing::Bare), bare[..]);
        assert_eq!(encode_frame(b"t\n\n\x80", Framing::Prefixed), [&b"\0\0\0\x12"[..], bare].concat());
    }

    #[test]
    fn reads_both_framings_in_one_stream() {
        let mut buffer = BytesMut::new();
        let bodies: Vec<Vec<u8>> = [0, 1, 255, 256, 65_535, 65_536, 300_000].map(|n| vec![0x82; n]).into();
        for body in &bodies {
            buffer.extend_from_slice(&encode_frame(body, Framing::Bare));
            buffer.extend_from_slice(&encode_frame(body, Framing::Prefixed));
        }
        for body in &bodies {
            assert_eq!(read_frame(&mut buffer, 1 << 20).unwrap().unwrap(), body);
            assert_eq!(read_frame(&mut buffer, 1 << 20).unwrap().unwrap(), body);
        }
        assert_eq!(read_frame(&mut buffer, 1 << 20), Ok(None));
    }

    #[test]
    fn reads_a_head_with_content_and_a_body_of_the_text_families() {
        assert_eq!(read(b"\x82\xa4head\x81\xa3mid\x92\x01\xc0\xa4body\xa2hi").unwrap().unwrap(), "hi");
        assert_eq!(read(b"\x82\xa4head\x80\xa4body\xda\0\x02hi").unwrap().unwrap(), "hi");
    }

    #[test]
    fn refuses_early() {
        let too_large = Err(FrameError::TooLarge(1 << 20));
        assert_eq!(read(b"\x7f\xff\xff\xff"), too_large);
        assert_eq!(read(b"\x82\xa4head\x80\xa4body\xc6\x7f\xff\xff\xff"), too_large);
        for bad in [
            &b"\0\0\0\x01\x00"[..],
            b"\x82\xa4haed",
            b"\x82\xa4head\x80\xa4body\x80",
            b"\x82\xa4head\xdd\xff\xff\xff\xff",
            b"\x82\xa4head\xc6\xff\xff\xff\xff",
            b"\x82\xa4head\x91\x91\x91\x91\x91\x91\x91\x91\x91",
        ] {
            assert_eq!(read(bad), Err(FrameError::Malformed), "{bad:?}");
        }
        assert_eq!(read(b"\0\0\0\x10\x82\xa4head\x80\xa4body\xc4\x08"), Err(FrameError::Length));
        assert_eq!(read(b"\0\0\0\x02\x82\xa4"), Err(FrameError::Length));
        let mut endless = b"\x82\xa4head\xdc\xff\xff".to_vec();
        endless.resize(endless.len() + AROUND_MAX, 0xc0);
        assert_eq!(read(&endless), Err(FrameError::Malformed));
    }
}
