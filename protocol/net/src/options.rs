//! Options shared by every network transport: TCP, limits, heartbeats and back-off. Not the options of one role, which
//! stand beside that role, and not Salt's option names: callers translate.

use std::time::Duration;

/// TCP options of one socket, server or client.
///
/// `None` leaves the system's value (Salt writes `-1`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpOptions {
    /// Whether the kernel probes idle connections (`tcp_keepalive`).
    pub keepalive: bool,
    /// Time without traffic before the first probe (`tcp_keepalive_idle`).
    pub idle: Option<Duration>,
    /// Time between probes (`tcp_keepalive_intvl`).
    pub intvl: Option<Duration>,
    /// Unanswered probes after which the connection is dead (`tcp_keepalive_cnt`).
    pub cnt: Option<u32>,
    /// Time that sent bytes may stay unacknowledged before the connection is dead (`TCP_USER_TIMEOUT`).
    pub user_timeout: Option<Duration>,
    /// Length of the accept queue of a listening socket (`zmq_backlog`).
    pub backlog: u32,
}

impl Default for TcpOptions {
    /// Stock's client values: probes after 300 s idle, the rest as the system has it.
    fn default() -> Self {
        Self {
            keepalive: true,
            idle: Some(Duration::from_secs(300)),
            intvl: None,
            cnt: None,
            user_timeout: None,
            backlog: 1000,
        }
    }
}

impl TcpOptions {
    /// Stock's values for the request port of a master: 60 s idle, then 3 probes 15 s apart.
    #[must_use]
    pub fn request_server() -> Self {
        Self {
            idle: Some(Duration::from_secs(60)),
            intvl: Some(Duration::from_secs(15)),
            cnt: Some(3),
            ..Self::default()
        }
    }
}

/// What one peer, or all peers together, may make us hold in memory or wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one frame. Checked when the header is read, before anything is allocated.
    pub max_frame: usize,
    /// Bytes of all frames of one message together.
    pub max_message: usize,
    /// Frames of one message.
    pub max_frames: usize,
    /// Time from accept or connect until the ZMTP handshake is complete.
    pub handshake_timeout: Duration,
    /// Servers: a peer in the middle of a message must send, and take what is sent to it, at least 64 KiB in so much time.
    pub stall_timeout: Duration,
    /// Connections a server holds at once, all peers together. One address (IPv6: one /64 network) may have half.
    pub max_connections: usize,
    /// Connections from one address (IPv6: one /64 network) that may be in their handshake at once.
    pub max_handshakes_per_addr: usize,
    /// Failures (garbage, timeout, too much to hold, requests worth no answer) per address in ten seconds, after which new
    /// connections from it are closed at accept until the ten seconds are over. Established connections are left alone,
    /// and so are addresses that somebody has vouched for ([`crate::Vouch`]).
    pub max_failures_per_addr: usize,
    /// Bytes of unfinished or unanswered messages a request server holds, all peers together, beside 8 KiB that each
    /// connection has free. A connection that needs more is closed. One address may use at most half.
    pub max_buffered: usize,
    /// As `max_buffered`, for the addresses nobody has vouched for ([`crate::Vouch`]), all of them together.
    pub max_buffered_strangers: usize,
}

impl Limits {
    /// The default for clients: a handshake with a server that is alive takes less than 5 s on any usable path.
    #[must_use]
    pub fn client() -> Self {
        Self { handshake_timeout: Duration::from_secs(5), ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Stock has no cap; its stream decoders stop at 100 MiB per object, and the envelope comes on top.
            max_frame: 128 << 20,
            max_message: 128 << 20,
            max_frames: 16,
            handshake_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(60),
            max_connections: 20_000,
            max_handshakes_per_addr: 512,
            max_failures_per_addr: 100,
            max_buffered: 512 << 20,
            max_buffered_strangers: 512 << 20,
        }
    }
}

/// ZMTP heartbeat: we send PING and expect any traffic back.
///
/// A peer that speaks ZMTP 3.0 and has never answered a PING is not judged by it (libzmq before 4.2 ignores PING); there
/// only TCP notices a dead path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Time between two PINGs.
    pub ivl: Duration,
    /// Silence after a PING that makes the connection dead.
    pub timeout: Duration,
    /// How long the peer may wait for further traffic of ours before it drops the connection; sent in the PING, in
    /// steps of 100 ms, zero for "do not judge".
    pub ttl: Duration,
}

impl Heartbeat {
    /// Interval and timeout, with no claim towards the peer (TTL 0), as libzmq's defaults are.
    #[must_use]
    pub const fn new(ivl: Duration, timeout: Duration) -> Self {
        Self { ivl, timeout, ttl: Duration::ZERO }
    }
}

/// Waiting times between attempts to connect.
///
/// The n-th wait is random between `min` and `min * 2^n`, never above `max`, so that a fleet does not come back in step.
/// The time a failed attempt took counts as waiting (at least `min` is waited), so that the return of a dead path is
/// found soon. A connection that lived longer than `max` resets n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Shortest wait.
    pub min: Duration,
    /// Longest wait.
    pub max: Duration,
    /// Whether waits are chosen at random below what they have grown to, which spreads a fleet.
    pub random: bool,
}

impl Default for Backoff {
    /// Between 0.1 s and 5 s.
    fn default() -> Self {
        Self { min: Duration::from_millis(100), max: Duration::from_secs(5), random: true }
    }
}
