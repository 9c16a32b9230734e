//! When to send a PING and when a peer is dead. Reads no clock: every call is told the time.

use std::time::{Duration, Instant};

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeartbeatAction {
    /// Nothing before [`Heartbeat::deadline`].
    Wait,
    /// Send a PING now.
    SendPing,
    /// No sign of life for so long: drop the connection.
    Dead(Duration),
}

/// The heartbeat of one connection, from the end of its handshake.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// PING interval and timeout, None when our side sends none.
    ours: Option<(Duration, Duration)>,
    next_ping: Instant,
    /// When the oldest PING since the last sign of life was sent, or what came before it left our side.
    unanswered: Option<Instant>,
    last_seen: Instant,
    peer_ttl: Option<Duration>,
    /// Whether the peer is known to answer PING. ZMTP 3.0 has none; libzmq from 4.2 answers nevertheless, so a 3.0
    /// peer is judged from its first PONG on.
    judged: bool,
}

impl Heartbeat {
    /// Starts the clock. `ours` is interval and timeout of our own PINGs; `peer_minor` the ZMTP 3 minor version.
    #[must_use]
    pub fn new(ours: Option<(Duration, Duration)>, peer_minor: u8, now: Instant) -> Self {
        let next_ping = now + ours.map_or(Duration::ZERO, |(ivl, _)| ivl);
        Self { ours, next_ping, unanswered: None, last_seen: now, peer_ttl: None, judged: peer_minor >= 1 }
    }

    /// Any byte of the peer arrived.
    pub fn seen(&mut self, now: Instant) {
        self.last_seen = now;
        self.unanswered = None;
    }

    /// Bytes went out. A PING may have been waiting behind them, so its answer has the whole time again: a large
    /// message on a slow path is not death.
    pub fn progress(&mut self, now: Instant) {
        if let Some(at) = &mut self.unanswered {
            *at = now;
        }
    }

    /// A PING arrived, which may announce how soon the peer's next sign of life must come (0 = no word about it).
    pub fn ping_received(&mut self, ttl_tenths: u16) {
        self.peer_ttl = (ttl_tenths > 0).then(|| Duration::from_millis(u64::from(ttl_tenths) * 100));
    }

    /// A PONG arrived.
    pub fn pong_received(&mut self) {
        self.judged = true;
    }

    /// The moment [`Heartbeat::poll`] must be called next, if there is one.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let ping = self.ours.map(|_| self.next_ping);
        let dead =
            self.unanswered.filter(|_| self.judged).zip(self.ours).map(|(at, (_, timeout))| at + timeout);
        let ttl = self.peer_ttl.map(|ttl| self.last_seen + ttl);
        [ping, dead, ttl].into_iter().flatten().min()
    }

    /// What is due at `now`. [`HeartbeatAction::SendPing`] counts the PING as sent.
    pub fn poll(&mut self, now: Instant) -> HeartbeatAction {
        let silent = now.saturating_duration_since(self.last_seen);
        if self.peer_ttl.is_some_and(|ttl| silent >= ttl) {
            return HeartbeatAction::Dead(silent);
        }
        let Some((ivl, timeout)) = self.ours else { return HeartbeatAction::Wait };
        if self.judged && self.unanswered.is_some_and(|at| now.saturating_duration_since(at) >= timeout) {
            return HeartbeatAction::Dead(silent);
        }
        if now < self.next_ping {
            return HeartbeatAction::Wait;
        }
        self.next_ping = now + ivl;
        self.unanswered.get_or_insert(now);
        HeartbeatAction::SendPing
    }
}
