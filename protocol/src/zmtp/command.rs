//! Commands: READY, ERROR, PING, PONG, SUBSCRIBE, CANCEL. Unknown ones are named, so that callers can ignore them.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Header, SocketType, ZmtpError};

/// Longest PING context in bytes; what is longer is cut, as libzmq does.
const CONTEXT_MAX: usize = 16;

/// The properties of a READY command that mean something to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `Socket-Type`.
    pub socket_type: Bytes,
    /// `Identity`, empty when absent.
    pub identity: Bytes,
}

/// The body of a command frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Ends the handshake.
    Ready(Metadata),
    /// The peer refuses us, and says why (untrusted text).
    Error(Bytes),
    /// Asks for a PONG with the same context.
    Ping {
        /// The sender drops us unless it hears from us within this many tenths of a second; 0 = it does not say.
        ttl: u16,
        /// Comes back in the PONG.
        context: Bytes,
    },
    /// Answers a PING.
    Pong {
        /// The context of that PING.
        context: Bytes,
    },
    /// Asks for messages whose first frame begins so (3.1 form).
    Subscribe(Bytes),
    /// Takes back one SUBSCRIBE (3.1 form).
    Cancel(Bytes),
    /// A command this version does not know.
    Unknown(Bytes),
}

impl Command {
    /// Reads the body of a command frame.
    ///
    /// # Errors
    /// [`ZmtpError::Malformed`] when lengths inside do not fit, [`ZmtpError::IdentityTooLong`].
    pub fn parse(body: &Bytes) -> Result<Self, ZmtpError> {
        let mut rest = body.clone();
        let name = take_short(&mut rest).ok_or(ZmtpError::Malformed("unnamed"))?;
        Ok(match name.as_ref() {
            b"READY" => Self::Ready(parse_metadata(rest)?),
            b"ERROR" => {
                // Some libraries leave the reason out.
                Self::Error(if rest.is_empty() {
                    rest
                } else {
                    take_short(&mut rest).ok_or(ZmtpError::Malformed("ERROR"))?
                })
            }
            b"PING" => {
                if rest.len() < 2 {
                    return Err(ZmtpError::Malformed("PING"));
                }
                let ttl = rest.split_to(2);
                rest.truncate(CONTEXT_MAX);
                Self::Ping { ttl: u16::from_be_bytes([ttl[0], ttl[1]]), context: rest }
            }
            b"PONG" => {
                rest.truncate(CONTEXT_MAX);
                Self::Pong { context: rest }
            }
            b"SUBSCRIBE" => Self::Subscribe(rest),
            b"CANCEL" => Self::Cancel(rest),
            _ => Self::Unknown(name),
        })
    }

    /// The whole command frame, header included.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut body = BytesMut::new();
        match self {
            Self::Ready(metadata) => {
                put_short(&mut body, b"READY");
                put_property(&mut body, b"Socket-Type", &metadata.socket_type);
                put_property(&mut body, b"Identity", &metadata.identity);
            }
            Self::Error(reason) => {
                put_short(&mut body, b"ERROR");
                put_short(&mut body, &reason[..reason.len().min(255)]);
            }
            Self::Ping { ttl, context } => {
                put_short(&mut body, b"PING");
                body.put_u16(*ttl);
                body.put_slice(context);
            }
            Self::Pong { context } => {
                put_short(&mut body, b"PONG");
                body.put_slice(context);
            }
            Self::Subscribe(topic) => {
                put_short(&mut body, b"SUBSCRIBE");
                body.put_slice(topic);
            }
            Self::Cancel(topic) => {
                put_short(&mut body, b"CANCEL");
                body.put_slice(topic);
            }
            Self::Unknown(name) => put_short(&mut body, &name[..name.len().min(255)]),
        }
        let mut frame = BytesMut::with_capacity(body.len() + 9);
        Header::put(&mut frame, false, true, body.len());
        frame.put_slice(&body);
        frame.freeze()
    }

    /// READY as a socket of ours sends it. The identity must not be longer than 255 bytes.
    #[must_use]
    pub fn ready(socket_type: SocketType, identity: &Bytes) -> Self {
        Self::Ready(Metadata {
            socket_type: Bytes::from_static(socket_type.name().as_bytes()),
            identity: identity.clone(),
        })
    }
}

fn parse_metadata(mut rest: Bytes) -> Result<Metadata, ZmtpError> {
    let bad = ZmtpError::Malformed("READY");
    let mut metadata = Metadata::default();
    while !rest.is_empty() {
        let name = take_short(&mut rest).ok_or(bad.clone())?;
        if rest.len() < 4 {
            return Err(bad);
        }
        let len = rest.split_to(4);
        let len = u32::from_be_bytes([len[0], len[1], len[2], len[3]]) as usize;
        if len > rest.len() {
            return Err(bad);
        }
        let value = rest.split_to(len);
        // Property names are case-insensitive.
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            metadata.socket_type = value;
        } else if name.eq_ignore_ascii_case(b"Identity") {
            if value.len() > 255 {
                return Err(ZmtpError::IdentityTooLong);
            }
            metadata.identity = value;
        }
    }
    Ok(metadata)
}

fn take_short(rest: &mut Bytes) -> Option<Bytes> {
    let len = usize::from(*rest.first()?);
    if rest.len() < 1 + len {
        return None;
    }
    let mut whole = rest.split_to(1 + len);
    Some(whole.split_off(1))
}

fn put_short(out: &mut BytesMut, text: &[u8]) {
    debug_assert!(text.len() <= 255, "callers cut to 255 bytes");
    out.put_u8(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.put_slice(text);
}

fn put_property(out: &mut BytesMut, name: &[u8], value: &[u8]) {
    put_short(out, name);
    out.put_u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
    out.put_slice(value);
}
