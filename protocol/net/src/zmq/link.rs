//! One ZMTP connection on one TCP stream: moves bytes between the socket and the state machine, and keeps the heartbeat.
//! Knows nothing of roles, reconnecting or queues.

use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use brine_protocol::zmtp::{self, Event, HeartbeatAction, PeerInfo};
use bytes::{Buf, Bytes, BytesMut};
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::error::Disconnect;
use crate::guard::Admission;
use crate::options::{Heartbeat, Limits};

/// Bytes of a first read; doubled while reads come back full.
const READ_MIN: usize = 4 << 10;
const READ_MAX: usize = 256 << 10;
/// First step for a frame that is larger than what has arrived; then at most doubled.
const GROW_MIN: usize = 16 << 10;
/// PONGs that may wait to be written; beyond, nothing is read, so that a peer that only sends cannot pile them up.
const PONGS_MAX: usize = 4096;
/// Pieces given to the kernel in one call.
const SLICES: usize = 16;

/// Output that may delay a PING noticeably.
const MUCH: usize = 64 << 10;
/// What a stranger in the middle of a message must move in [`Limits::stall_timeout`].
const STALL_BYTES: usize = 64 << 10;

/// How a link is to behave.
#[derive(Debug, Clone)]
pub(crate) struct LinkOptions {
    pub(crate) socket_type: zmtp::SocketType,
    pub(crate) identity: Bytes,
    pub(crate) limits: zmtp::Limits,
    pub(crate) handshake_timeout: Duration,
    pub(crate) stall_timeout: Duration,
    pub(crate) heartbeat: Option<Heartbeat>,
}

impl LinkOptions {
    pub(crate) fn new(
        socket_type: zmtp::SocketType,
        identity: Bytes,
        limits: &Limits,
        heartbeat: Option<Heartbeat>,
    ) -> Self {
        let Limits { max_frame, max_message, max_frames, handshake_timeout, stall_timeout, .. } = *limits;
        let limits = zmtp::Limits { max_frame, max_message, max_frames };
        Self { socket_type, identity, limits, handshake_timeout, stall_timeout, heartbeat }
    }
}

/// Whether one direction of a connection makes headway while there is something to move.
#[derive(Debug)]
struct Headway {
    time: Duration,
    deadline: Option<Instant>,
    bytes: usize,
}

impl Headway {
    const fn new(time: Duration) -> Self {
        Self { time, deadline: None, bytes: 0 }
    }

    fn moved(&mut self, bytes: usize, now: Instant) {
        self.bytes += bytes;
        if self.bytes >= STALL_BYTES {
            self.deadline = Some(now + self.time);
            self.bytes = 0;
        }
    }

    /// When the connection has stalled, given whether there is something to move now.
    fn deadline(&mut self, busy: bool, now: Instant) -> Option<Instant> {
        if busy {
            self.deadline.get_or_insert(now + self.time);
        } else {
            *self = Self::new(self.time);
        }
        self.deadline
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
    connection: zmtp::Connection,
    input: BytesMut,
    read_size: usize,
    output: VecDeque<Bytes>,
    output_bytes: usize,
    /// PONGs queued since the output was last empty, at most.
    pongs: usize,
    /// A PING stands in the output behind much else.
    ping_behind: bool,
    ping: Option<Heartbeat>,
    heartbeat: Option<zmtp::Heartbeat>,
    admission: Option<Admission>,
    in_work: usize,
    reading: Headway,
    writing: Headway,
}

impl Link {
    /// Shakes hands. The stream has its options already.
    pub(crate) async fn open(
        stream: TcpStream,
        options: &LinkOptions,
        admission: Option<Admission>,
    ) -> Result<(Self, PeerInfo), Disconnect> {
        let config = zmtp::Config {
            socket_type: options.socket_type,
            identity: options.identity.clone(),
            limits: options.limits,
        };
        let mut link = Self {
            stream,
            connection: zmtp::Connection::new(config),
            input: BytesMut::new(),
            read_size: READ_MIN,
            output: VecDeque::new(),
            output_bytes: 0,
            pongs: 0,
            ping_behind: false,
            ping: options.heartbeat,
            heartbeat: None,
            admission,
            in_work: 0,
            reading: Headway::new(options.stall_timeout),
            writing: Headway::new(options.stall_timeout),
        };
        let outcome = match tokio::time::timeout(options.handshake_timeout, link.event()).await {
            Ok(Ok(Event::Ready(info))) => Ok(info),
            Ok(Ok(_)) => Err(Disconnect::Protocol(zmtp::ZmtpError::ExpectedReady)),
            Ok(Err(e)) => Err(e),
            Err(_) => Err(Disconnect::HandshakeTimeout),
        };
        match outcome {
            Ok(info) => {
                if let Some(admission) = &mut link.admission {
                    admission.handshake_done();
                }
                let ours = link.ping.map(|h| (h.ivl, h.timeout));
                link.heartbeat = Some(zmtp::Heartbeat::new(ours, info.minor, Instant::now()));
                Ok((link, info))
            }
            Err(e) => {
                if let Some(admission) = &mut link.admission
                    && matches!(e, Disconnect::Protocol(_) | Disconnect::HandshakeTimeout)
                {
                    admission.failed(Instant::now());
                }
                // Lets the peer read our ERROR command, if there is one; not worth waiting for.
                link.collect_output();
                let _ = link.write_some();
                Err(e)
            }
        }
    }

    /// The next message or subscription. Cancel safe. Also writes what is queued and keeps the heartbeat, so somebody
    /// must be waiting here all the time.
    pub(crate) async fn event(&mut self) -> Result<Event, Disconnect> {
        loop {
            if let Some(event) = self.step().await? {
                return Ok(event);
            }
        }
    }

    /// As [`Link::event`], but returns None after each bit of progress, so that the caller can look whether there is
    /// room for more output. Cancel safe.
    pub(crate) async fn step(&mut self) -> Result<Option<Event>, Disconnect> {
        while let Some(event) = self.connection.receive(&mut self.input)? {
            match event {
                Event::Ping(ttl) => {
                    self.pongs += 1;
                    if let Some(heartbeat) = &mut self.heartbeat {
                        heartbeat.ping_received(ttl);
                    }
                }
                Event::Pong => {
                    if let Some(heartbeat) = &mut self.heartbeat {
                        heartbeat.pong_received();
                    }
                }
                other => return Ok(Some(other)),
            }
        }
        self.collect_output();
        if self.input.is_empty() {
            // An idle connection holds no buffer.
            self.input = BytesMut::new();
            self.hold(0)?;
        }
        let deadlines = [self.beat()?, self.stall()?];
        self.wait_and_move(deadlines.into_iter().flatten().min()).await?;
        // A peer that never stops sending must leave room for the others.
        tokio::task::consume_budget().await;
        Ok(None)
    }

    /// Whether the peer has done anything but keep up the heartbeat by now. Errors when the connection has ended.
    pub(crate) async fn is_quiet(&mut self) -> Result<bool, Disconnect> {
        while self.has_unread() {
            if self.step().await?.is_some() {
                return Ok(false);
            }
        }
        Ok(self.input.is_empty())
    }

    /// Whether the kernel has bytes for us, or an end or an error. The runtime may not have heard of it yet.
    fn has_unread(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let peeked = SockRef::from(&self.stream).peek(&mut byte);
        !peeked.is_err_and(|e| e.kind() == ErrorKind::WouldBlock)
    }

    /// Queues a message.
    pub(crate) fn send(&mut self, frames: &[Bytes]) {
        self.connection.send(frames);
        self.collect_output();
    }

    /// Queues a message encoded before, sharing its bytes.
    pub(crate) fn send_encoded(&mut self, pieces: &[Bytes]) {
        self.output.extend(pieces.iter().cloned());
        self.output_bytes += pieces.iter().map(Bytes::len).sum::<usize>();
    }

    /// Queues a subscription.
    pub(crate) fn subscribe(&mut self, topic: &Bytes) {
        self.connection.subscribe(topic);
        self.collect_output();
    }

    /// Bytes queued and not yet taken by the kernel.
    pub(crate) fn queued(&self) -> usize {
        self.output_bytes
    }

    /// Counts a message that has left this link but is still in work as held by its peer.
    pub(crate) fn set_in_work(&mut self, bytes: usize) {
        self.in_work = bytes;
    }

    /// Holds against the peer's address that the connection ends so.
    pub(crate) fn misbehaved(&mut self) {
        if let Some(admission) = &mut self.admission {
            admission.failed(Instant::now());
        }
    }

    /// What the kernel has not sent is not sent any more: a request that is given up must not reach the peer when the path is back.
    pub(crate) fn abort(&self) {
        if let Err(e) = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)) {
            tracing::debug!("a connection ends as any other: {e}");
        }
    }

    /// Writes what is queued, for at most `limit`.
    pub(crate) async fn flush(&mut self, limit: Duration) {
        let _ = tokio::time::timeout(limit, async {
            while self.output_bytes > 0 {
                self.stream.writable().await?;
                self.write_some()?;
            }
            Ok::<(), Disconnect>(())
        })
        .await;
    }

    fn beat(&mut self) -> Result<Option<Instant>, Disconnect> {
        let Some(heartbeat) = &mut self.heartbeat else { return Ok(None) };
        match heartbeat.poll(Instant::now()) {
            HeartbeatAction::Wait => {}
            HeartbeatAction::SendPing => {
                self.ping_behind |= self.output_bytes > MUCH;
                let ttl = self.ping.map_or(0, |h| u16::try_from(h.ttl.as_millis() / 100).unwrap_or(u16::MAX));
                self.connection.ping(ttl, Bytes::new());
            }
            // When this process has been kept from running, the sign of life may lie unread in the kernel.
            HeartbeatAction::Dead(_) if self.has_unread() => return Ok(None),
            HeartbeatAction::Dead(silence) => return Err(Disconnect::Heartbeat(silence)),
        }
        let deadline = heartbeat.deadline();
        self.collect_output();
        Ok(deadline)
    }

    /// Servers do not wait for strangers for ever. A client has asked for what it reads and knows when to give up.
    fn stall(&mut self) -> Result<Option<Instant>, Disconnect> {
        if self.admission.is_none() || self.heartbeat.is_none() {
            return Ok(None);
        }
        let now = Instant::now();
        let mid_message = !self.input.is_empty() || self.connection.held() > 0;
        let reading = self.reading.deadline(mid_message, now);
        let writing = self.writing.deadline(self.output_bytes > 0, now);
        let deadline = [reading, writing].into_iter().flatten().min();
        if deadline.is_some_and(|at| at <= now) { Err(Disconnect::Stalled) } else { Ok(deadline) }
    }

    async fn wait_and_move(&mut self, deadline: Option<Instant>) -> Result<(), Disconnect> {
        let interest = match (self.output_bytes > 0, self.pongs < PONGS_MAX) {
            (false, _) => Interest::READABLE,
            (true, true) => Interest::READABLE | Interest::WRITABLE,
            (true, false) => Interest::WRITABLE,
        };
        let ready = match deadline {
            None => self.stream.ready(interest).await?,
            Some(at) => match tokio::time::timeout_at(at.into(), self.stream.ready(interest)).await {
                Ok(ready) => ready?,
                Err(_) => return Ok(()),
            },
        };
        if ready.is_writable() {
            self.write_some()?;
        }
        if interest.is_readable() && ready.is_readable() {
            self.read_some()?;
        }
        Ok(())
    }

    fn read_some(&mut self) -> Result<(), Disconnect> {
        let missing = self.connection.missing(&self.input);
        if missing > GROW_MIN
            && self.admission.as_ref().is_some_and(|admission| !admission.may_announce(missing))
        {
            return Err(Disconnect::Overload);
        }
        // Grows with what has really arrived (at most doubling), whatever size the header announces.
        let size = missing.min(self.input.len().max(GROW_MIN)).max(self.read_size);
        self.hold(self.input.len() + size)?;
        self.input.reserve(size);
        match self.stream.try_read_buf(&mut self.input) {
            Ok(0) => Err(Disconnect::Closed),
            Ok(n) => {
                self.read_size = if n >= self.read_size { (2 * n).min(READ_MAX) } else { READ_MIN };
                let now = Instant::now();
                self.reading.moved(n, now);
                if let Some(heartbeat) = &mut self.heartbeat {
                    heartbeat.seen(now);
                }
                Ok(())
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    fn write_some(&mut self) -> Result<(), Disconnect> {
        while !self.output.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut used = 0;
            for (slice, piece) in slices.iter_mut().zip(&self.output) {
                *slice = IoSlice::new(piece);
                used += 1;
            }
            match self.stream.try_write_vectored(&slices[..used]) {
                Ok(0) => return Err(Disconnect::Closed),
                Ok(n) => self.written(n),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    fn written(&mut self, mut n: usize) {
        self.output_bytes -= n;
        self.writing.moved(n, Instant::now());
        if self.ping_behind
            && let Some(heartbeat) = &mut self.heartbeat
        {
            heartbeat.progress(Instant::now());
        }
        if self.output_bytes == 0 {
            self.pongs = 0;
            self.ping_behind = false;
        }
        while n > 0 {
            let Some(front) = self.output.front_mut() else { return };
            if n < front.len() {
                front.advance(n);
                return;
            }
            n -= front.len();
            self.output.pop_front();
        }
    }

    fn collect_output(&mut self) {
        while let Some(piece) = self.connection.take_output() {
            self.output_bytes += piece.len();
            self.output.push_back(piece);
        }
    }

    fn hold(&mut self, bytes: usize) -> Result<(), Disconnect> {
        let bytes = bytes + self.in_work + self.connection.held();
        let allowed = self.admission.as_mut().is_none_or(|admission| admission.hold(bytes));
        if allowed { Ok(()) } else { Err(Disconnect::Overload) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headway_is_a_rate_and_only_counts_while_there_is_something_to_move() {
        let start = Instant::now();
        let time = Duration::from_secs(60);
        let mut headway = Headway::new(time);
        assert_eq!(headway.deadline(false, start), None);
        let end = headway.deadline(true, start);
        assert_eq!(end, Some(start + time));
        let later = start + time / 2;
        headway.moved(STALL_BYTES - 1, later);
        assert_eq!(headway.deadline(true, later), end, "a trickle does not help");
        headway.moved(1, later);
        assert_eq!(headway.deadline(true, later), Some(later + time));
        assert_eq!(headway.deadline(false, later), None);
    }
}
