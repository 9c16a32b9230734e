//! Why a bind, a connection or a request failed. Not what peers said: bodies are opaque here.

use std::io;
use std::time::Duration;

use brine_protocol::zmtp::ZmtpError;

/// A socket could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// An endpoint's text is not `host:port`.
    #[error("not an endpoint: {0:?}")]
    BadEndpoint(String),
    /// No address was given to bind to.
    #[error("no address to bind to")]
    NoAddress,
    /// Binding or listening failed.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address or path.
        addr: String,
        /// The system's error.
        source: io::Error,
    },
    /// The path of a unix socket exists and is no socket.
    #[error("{0} exists and is not a socket")]
    NotASocket(String),
    /// Any other error of the system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What ended a connection, or kept it from coming about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// The host name gave no address.
    #[error("cannot resolve {0}")]
    Resolve(String),
    /// The system refused or broke the connection.
    #[error("{0}")]
    Io(String),
    /// No TCP connection in time.
    #[error("connecting timed out")]
    ConnectTimeout,
    /// No ZMTP handshake in time.
    #[error("the handshake timed out")]
    HandshakeTimeout,
    /// The peer closed the connection.
    #[error("closed by the peer")]
    Closed,
    /// A PING went unanswered, or the time the peer announced is over.
    #[error("no sign of life from the peer for {0:?}")]
    Heartbeat(Duration),
    /// The peer broke the protocol or a limit.
    #[error("{0}")]
    Protocol(#[from] ZmtpError),
    /// All peers together, or this one's address alone, hold more bytes than [`crate::Limits::max_buffered`] allows.
    #[error("too many bytes in memory")]
    Overload,
    /// A peer of a server that sends, or takes, too little in the middle of a message: [`crate::Limits::stall_timeout`].
    #[error("stalled in the middle of a message")]
    Stalled,
    /// A message that is not a return path, one empty frame and one body; or a request while one was in work.
    #[error("not a request")]
    BadRequest,
    /// Our side asked for it.
    #[error("dropped on request")]
    Kicked,
}

impl From<io::Error> for Disconnect {
    fn from(e: io::Error) -> Self {
        Self::Io(e.to_string())
    }
}

/// A request got no reply. The connection it used is gone in every case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReqError {
    /// No connection in time; the request was not sent.
    #[error("cannot connect: {0}")]
    Unreachable(Disconnect),
    /// All connections were in use until the timeout; the request was not sent.
    #[error("all connections are busy")]
    Busy,
    /// Sent, but no reply in time.
    #[error("no reply in time")]
    Timeout,
    /// Sent, but the connection ended before the reply.
    #[error("connection lost before the reply: {0}")]
    Disconnected(Disconnect),
    /// The reply is not one empty frame and one body.
    #[error("malformed reply")]
    MalformedReply,
    /// The client is shut down.
    #[error("the client is closed")]
    Closed,
}

impl ReqError {
    /// Whether the other side may have received the request, so that sending it again may do the work twice.
    #[must_use]
    pub const fn maybe_delivered(&self) -> bool {
        matches!(self, Self::Timeout | Self::Disconnected(_) | Self::MalformedReply | Self::Closed)
    }
}
