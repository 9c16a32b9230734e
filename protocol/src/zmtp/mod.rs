//! ZMTP 3.1 with the NULL mechanism, as a state machine without IO: bytes in, events and bytes out.
//!
//! Peers of ZMTP 3.0 and 3.1 are served; 1.0 and 2.0, CURVE and PLAIN are refused. Sockets, clocks and queues belong to
//! `brine-net`. Every way in which a peer can be wrong is a variant of [`ZmtpError`].
//!
//! Limits are compared with the size a frame header announces, before a single byte of the body is stored, and before
//! the handshake is complete only [`HANDSHAKE_FRAME_MAX`] bytes are allowed.

mod command;
mod connection;
mod error;
mod frame;
mod greeting;
mod heartbeat;
mod subscriptions;

pub use command::{Command, Metadata};
pub use connection::{Config, Connection, Event, Limits, PeerInfo};
pub use error::ZmtpError;
pub use frame::{Frame, Header, encode_message, read_frame};
pub use greeting::{GREETING_LEN, Greeting};
pub use heartbeat::{Heartbeat, HeartbeatAction};
pub use subscriptions::Subscriptions;

/// Largest frame accepted before the peer's READY, in bytes: an identity (255) and room for unknown properties.
pub const HANDSHAKE_FRAME_MAX: usize = 2048;

/// The socket types that matter to Salt, and those its peers may be replaced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SocketType {
    /// Publisher.
    Pub,
    /// Subscriber.
    Sub,
    /// Asks, one request at a time.
    Req,
    /// Asks, freely.
    Dealer,
    /// Answers many.
    Router,
}

impl SocketType {
    /// The name in the READY command.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pub => "PUB",
            Self::Sub => "SUB",
            Self::Req => "REQ",
            Self::Dealer => "DEALER",
            Self::Router => "ROUTER",
        }
    }

    /// Whether a peer that calls itself `peer` may talk to a socket of this type.
    #[must_use]
    pub fn accepts(self, peer: &[u8]) -> bool {
        let accepted: &[&[u8]] = match self {
            Self::Pub => &[b"SUB", b"XSUB"],
            Self::Sub => &[b"PUB", b"XPUB"],
            Self::Req => &[b"REP", b"ROUTER"],
            Self::Dealer => &[b"REP", b"DEALER", b"ROUTER"],
            Self::Router => &[b"REQ", b"DEALER", b"ROUTER"],
        };
        accepted.contains(&peer)
    }
}

/// Runs a whole byte stream through a connection of the given type, as fast as it can be abused: for fuzzing and for
/// replaying captures.
///
/// Returns the events seen before the stream ended or broke a rule, and the rule if one was broken.
#[must_use]
pub fn decode_stream(socket_type: SocketType, data: &[u8]) -> (Vec<Event>, Option<ZmtpError>) {
    let limits = Limits { max_frame: 1 << 16, max_message: 1 << 16, max_frames: 16 };
    let mut connection = Connection::new(Config { socket_type, identity: bytes::Bytes::new(), limits });
    let mut buffer = bytes::BytesMut::from(data);
    let mut events = Vec::new();
    loop {
        match connection.receive(&mut buffer) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(e) => return (events, Some(e)),
        }
        while connection.take_output().is_some() {}
    }
}

#[cfg(test)]
mod tests;
