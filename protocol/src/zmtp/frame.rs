//! Frames: flags, a size of one or eight bytes, a body. Knows nothing of what a frame means.

use bytes::{BufMut, Bytes, BytesMut};

use super::ZmtpError;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// Bodies up to this size are copied out of the read buffer, so that a small message kept for long does not keep a
/// whole buffer alive; larger ones are shared with it.
const COPY_MAX: usize = 4096;

/// A frame's first two or nine bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Another frame of the same message follows.
    pub more: bool,
    /// A command, not a message frame.
    pub command: bool,
    /// Length of the body in bytes, as announced.
    pub size: u64,
    /// Length of the header itself in bytes.
    pub len: usize,
}

impl Header {
    /// Reads a header from the beginning of `bytes`. None when more bytes are needed.
    ///
    /// # Errors
    /// [`ZmtpError::Flags`] and [`ZmtpError::CommandWithMore`], both from the first byte alone.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, ZmtpError> {
        let Some(&flags) = bytes.first() else { return Ok(None) };
        if flags & !(MORE | LONG | COMMAND) != 0 {
            return Err(ZmtpError::Flags(flags));
        }
        let (more, command) = (flags & MORE != 0, flags & COMMAND != 0);
        if more && command {
            return Err(ZmtpError::CommandWithMore);
        }
        let (size, len) = if flags & LONG == 0 {
            let Some(&size) = bytes.get(1) else { return Ok(None) };
            (u64::from(size), 2)
        } else {
            let Some(size) = bytes.get(1..9) else { return Ok(None) };
            let mut be = [0; 8];
            be.copy_from_slice(size);
            (u64::from_be_bytes(be), 9)
        };
        Ok(Some(Self { more, command, size, len }))
    }

    /// Appends a header to `out`. Sizes up to 255 take the short form.
    pub fn put(out: &mut BytesMut, more: bool, command: bool, size: usize) {
        let flags = if more { MORE } else { 0 } | if command { COMMAND } else { 0 };
        if let Ok(size) = u8::try_from(size) {
            out.put_slice(&[flags, size]);
        } else {
            out.put_u8(flags | LONG);
            out.put_u64(size as u64);
        }
    }
}

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Another frame of the same message follows.
    pub more: bool,
    /// A command, not a message frame.
    pub command: bool,
    /// The body.
    pub body: Bytes,
}

/// Takes one frame from the beginning of `buffer`. None when more bytes are needed; the buffer is then untouched.
///
/// Allocates nothing for a frame that is not complete: how the buffer grows is the caller's business, who learns from
/// [`Header::parse`] how much is missing.
///
/// # Errors
/// As [`Header::parse`], and [`ZmtpError::FrameTooLarge`] as soon as the header is there.
pub fn read_frame(buffer: &mut BytesMut, max: usize) -> Result<Option<Frame>, ZmtpError> {
    let Some(header) = Header::parse(buffer)? else { return Ok(None) };
    let size = match usize::try_from(header.size) {
        Ok(size) if size <= max => size,
        _ => return Err(ZmtpError::FrameTooLarge { size: header.size, max }),
    };
    if buffer.len() - header.len < size {
        return Ok(None);
    }
    let mut whole = buffer.split_to(header.len + size);
    let body = if size <= COPY_MAX {
        Bytes::copy_from_slice(&whole[header.len..])
    } else {
        whole.split_off(header.len).freeze()
    };
    Ok(Some(Frame { more: header.more, command: header.command, body }))
}

/// The wire form of one message, in pieces to be written one after the other.
///
/// Large bodies are shared, not copied, so that a message to a thousand peers is held once. Small ones are joined with
/// their headers into one piece.
#[must_use]
pub fn encode_message(frames: &[Bytes]) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    let mut open = BytesMut::new();
    for (i, body) in frames.iter().enumerate() {
        Header::put(&mut open, i + 1 < frames.len(), false, body.len());
        if body.len() <= COPY_MAX {
            open.put_slice(body);
        } else {
            pieces.push(open.split().freeze());
            pieces.push(body.clone());
        }
    }
    if !open.is_empty() {
        pieces.push(open.freeze());
    }
    pieces
}
