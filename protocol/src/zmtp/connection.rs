//! One connection from greeting to end. Not here: the socket, the clock, and what a message means.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::{
    Command, Frame, GREETING_LEN, Greeting, HANDSHAKE_FRAME_MAX, Header, SocketType, ZmtpError,
    encode_message, read_frame,
};

/// Largest command after the handshake, in bytes (a SUBSCRIBE carries a topic).
const COMMAND_MAX: usize = 4096;

/// What a peer may send once the handshake is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one frame.
    pub max_frame: usize,
    /// Bytes of all frames of one message.
    pub max_message: usize,
    /// Frames of one message.
    pub max_frames: usize,
}

/// What our side is.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our socket type.
    pub socket_type: SocketType,
    /// What we call ourselves, at most 255 bytes (the rest is cut); empty for nothing.
    pub identity: Bytes,
    /// What the peer may send.
    pub limits: Limits,
}

/// What the handshake told about the peer. Every field is an unproven claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// ZMTP 3 minor version.
    pub minor: u8,
    /// Its socket type, one that ours accepts.
    pub socket_type: Bytes,
    /// What it calls itself, at most 255 bytes, often empty.
    pub identity: Bytes,
}

/// What a peer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The handshake is complete. Comes once, before all others.
    Ready(PeerInfo),
    /// A whole message, of at least one frame.
    Message(Vec<Bytes>),
    /// A subscriber wants this prefix. Only on a publisher.
    Subscribe(Bytes),
    /// A subscriber takes a prefix back. Only on a publisher.
    Cancel(Bytes),
    /// A PING came, and its PONG is in the output. The time the peer gives us, in tenths of a second, 0 for none.
    Ping(u16),
    /// A PONG came.
    Pong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Greeting,
    Ready { minor: u8 },
    Open { minor: u8 },
}

/// The state machine of one connection.
///
/// The owner feeds received bytes to [`Connection::receive`] until it returns None, and writes what
/// [`Connection::take_output`] yields. After an error the connection is good for nothing but its output (an ERROR
/// command may be in it) and must be closed.
#[derive(Debug)]
pub struct Connection {
    config: Config,
    state: State,
    partial: Vec<Bytes>,
    partial_bytes: usize,
    output: VecDeque<Bytes>,
}

impl Connection {
    /// A new connection; our greeting is in the output.
    #[must_use]
    pub fn new(mut config: Config) -> Self {
        config.identity.truncate(255);
        let output = VecDeque::from([Bytes::copy_from_slice(&Greeting::ours())]);
        Self { config, state: State::Greeting, partial: Vec::new(), partial_bytes: 0, output }
    }

    /// Whether the handshake is complete.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// The next piece to write, in order.
    pub fn take_output(&mut self) -> Option<Bytes> {
        self.output.pop_front()
    }

    /// How many bytes beyond those in `buffer` complete the frame at its beginning, as far as known; 0 when the size is
    /// not known yet. Only for deciding how far to grow the buffer: a peer can announce any size up to its limit.
    #[must_use]
    pub fn missing(&self, buffer: &[u8]) -> usize {
        match Header::parse(buffer) {
            Ok(Some(header)) if self.is_open() => usize::try_from(header.size)
                .unwrap_or(usize::MAX)
                .saturating_add(header.len)
                .saturating_sub(buffer.len()),
            _ => 0,
        }
    }

    /// Bytes of frames that wait for the rest of their message.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.partial_bytes
    }

    /// Takes the next event out of received bytes. None when more bytes are needed.
    ///
    /// # Errors
    /// Any [`ZmtpError`]; the connection must then be closed.
    pub fn receive(&mut self, buffer: &mut BytesMut) -> Result<Option<Event>, ZmtpError> {
        loop {
            match self.state {
                State::Greeting => {
                    let Some(greeting) = Greeting::parse(buffer)? else { return Ok(None) };
                    buffer.advance(GREETING_LEN);
                    self.send_command(&Command::ready(self.config.socket_type, &self.config.identity));
                    // A later major version must talk 3.1 to us.
                    let minor = if greeting.major > 3 { 1 } else { greeting.minor };
                    self.state = State::Ready { minor };
                }
                State::Ready { minor } => {
                    let Some(frame) = read_frame(buffer, HANDSHAKE_FRAME_MAX)? else { return Ok(None) };
                    let info = self.handshake(minor, &frame)?;
                    self.state = State::Open { minor };
                    return Ok(Some(Event::Ready(info)));
                }
                State::Open { .. } => {
                    let Some(header) = Header::parse(buffer)? else { return Ok(None) };
                    let max = if header.command { COMMAND_MAX } else { self.frame_max(header)? };
                    let Some(frame) = read_frame(buffer, max)? else { return Ok(None) };
                    if let Some(event) = self.frame(frame)? {
                        return Ok(Some(event));
                    }
                }
            }
        }
    }

    /// Queues a message.
    pub fn send(&mut self, frames: &[Bytes]) {
        self.output.extend(encode_message(frames));
    }

    /// Queues a PING.
    pub fn ping(&mut self, ttl_tenths: u16, context: Bytes) {
        self.send_command(&Command::Ping { ttl: ttl_tenths, context });
    }

    /// Queues a subscription, in the form the peer's version knows. Only after the handshake.
    pub fn subscribe(&mut self, topic: &Bytes) {
        self.topic(1, topic, Command::Subscribe(topic.clone()));
    }

    /// Queues the end of a subscription. Only after the handshake.
    pub fn cancel(&mut self, topic: &Bytes) {
        self.topic(0, topic, Command::Cancel(topic.clone()));
    }

    /// Queues an ERROR command, the last thing to say during a handshake.
    pub fn refuse(&mut self, reason: &'static str) {
        self.send_command(&Command::Error(Bytes::from_static(reason.as_bytes())));
    }

    fn topic(&mut self, byte: u8, topic: &Bytes, command: Command) {
        if matches!(self.state, State::Open { minor: 1.. }) {
            self.send_command(&command);
        } else {
            let mut message = BytesMut::with_capacity(1 + topic.len());
            message.extend_from_slice(&[byte]);
            message.extend_from_slice(topic);
            self.send(&[message.freeze()]);
        }
    }

    fn send_command(&mut self, command: &Command) {
        self.output.push_back(command.encode());
    }

    fn handshake(&mut self, minor: u8, frame: &Frame) -> Result<PeerInfo, ZmtpError> {
        if !frame.command {
            return Err(ZmtpError::ExpectedReady);
        }
        match Command::parse(&frame.body)? {
            Command::Ready(metadata) if self.config.socket_type.accepts(&metadata.socket_type) => {
                Ok(PeerInfo { minor, socket_type: metadata.socket_type, identity: metadata.identity })
            }
            Command::Ready(metadata) => {
                self.refuse("Invalid socket type");
                Err(ZmtpError::SocketType(String::from_utf8_lossy(&metadata.socket_type).into_owned()))
            }
            Command::Error(reason) => Err(refused(&reason)),
            _ => Err(ZmtpError::ExpectedReady),
        }
    }

    /// The limit for a message frame, given what the message holds already.
    fn frame_max(&self, header: Header) -> Result<usize, ZmtpError> {
        let limits = self.config.limits;
        if self.partial.len() >= limits.max_frames {
            return Err(ZmtpError::TooManyFrames(limits.max_frames));
        }
        let room = limits.max_message.saturating_sub(self.partial_bytes);
        if header.size <= limits.max_frame as u64 && header.size > room as u64 {
            return Err(ZmtpError::MessageTooLarge(limits.max_message));
        }
        Ok(limits.max_frame)
    }

    fn frame(&mut self, frame: Frame) -> Result<Option<Event>, ZmtpError> {
        if frame.command {
            if !self.partial.is_empty() {
                return Err(ZmtpError::CommandInMessage);
            }
            return self.command(&frame.body);
        }
        self.partial_bytes += frame.body.len();
        self.partial.push(frame.body);
        if frame.more {
            return Ok(None);
        }
        self.partial_bytes = 0;
        let message = std::mem::take(&mut self.partial);
        if self.config.socket_type != SocketType::Pub {
            return Ok(Some(Event::Message(message)));
        }
        // The 3.0 form of a subscription. 3.1 peers may use it too; a publisher has no use for other messages.
        let [only] = message.as_slice() else { return Ok(None) };
        Ok(match only.first() {
            Some(1) => Some(Event::Subscribe(only.slice(1..))),
            Some(0) => Some(Event::Cancel(only.slice(1..))),
            _ => None,
        })
    }

    fn command(&mut self, body: &Bytes) -> Result<Option<Event>, ZmtpError> {
        let publisher = self.config.socket_type == SocketType::Pub;
        Ok(match Command::parse(body)? {
            Command::Ping { ttl, context } => {
                self.send_command(&Command::Pong { context });
                Some(Event::Ping(ttl))
            }
            Command::Pong { .. } => Some(Event::Pong),
            Command::Subscribe(topic) if publisher => Some(Event::Subscribe(topic)),
            Command::Cancel(topic) if publisher => Some(Event::Cancel(topic)),
            Command::Error(reason) => return Err(refused(&reason)),
            // Not for this socket, or not of this version: ignored, as the specification asks.
            Command::Subscribe(_) | Command::Cancel(_) | Command::Ready(_) | Command::Unknown(_) => None,
        })
    }
}

fn refused(reason: &[u8]) -> ZmtpError {
    ZmtpError::Refused(String::from_utf8_lossy(reason).into_owned())
}
