//! Each way in which a ZMTP peer can be wrong. After any of them the connection is closed; nothing is ever skipped to
//! find a frame boundary again.

/// A peer broke ZMTP, or one of our limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZmtpError {
    /// The first bytes are not a ZMTP 3 signature: another protocol, or garbage.
    #[error("not a ZMTP peer")]
    NotZmtp,
    /// A version before 3.0.
    #[error("ZMTP {0}.x is not supported")]
    Version(u8),
    /// Another security mechanism than NULL.
    #[error("security mechanism {0:?} is not supported")]
    Mechanism(String),
    /// Flag bits that no version defines.
    #[error("undefined frame flags {0:#04x}")]
    Flags(u8),
    /// A command announced as part of a multipart message.
    #[error("a command cannot have more frames")]
    CommandWithMore,
    /// A command in the middle of a multipart message.
    #[error("a command inside a multipart message")]
    CommandInMessage,
    /// The frame header announces more than the limit.
    #[error("a frame of {size} bytes is over the limit of {max}")]
    FrameTooLarge {
        /// Announced size.
        size: u64,
        /// The limit in force.
        max: usize,
    },
    /// The frames of a message are together over the limit.
    #[error("a message of over {0} bytes")]
    MessageTooLarge(usize),
    /// More frames in one message than the limit.
    #[error("a message of over {0} frames")]
    TooManyFrames(usize),
    /// Something else than READY or ERROR during the handshake.
    #[error("expected READY")]
    ExpectedReady,
    /// A command whose body does not parse.
    #[error("malformed {0} command")]
    Malformed(&'static str),
    /// No `Socket-Type` property, or one that may not talk to ours.
    #[error("a socket of type {0:?} is not accepted here")]
    SocketType(String),
    /// An identity of more than 255 bytes.
    #[error("identity too long")]
    IdentityTooLong,
    /// The peer refused us with an ERROR command.
    #[error("refused by the peer: {0:?}")]
    Refused(String),
    /// More topics, or longer ones, than one subscriber may have.
    #[error("too many subscriptions")]
    TooManySubscriptions,
}
