//! When to send a PING and when a peer is dead. Reads no clock: every call is told the time.

use std::time::{Duration, Instant};

/// A PING behind a large amount of data may wait so many times longer for its answer.
const LOADED: u32 = 4;

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
    /// The unanswered PING followed a large amount of data.
    loaded: bool,
    /// Whether the peer is known to answer PING. ZMTP 3.0 has none; libzmq from 4.2 answers nevertheless, so a 3.0
    /// peer is judged from its first PONG on.
    judged: bool,
}

impl Heartbeat {
    /// Starts the clock. `ours` is interval and timeout of our own PINGs; `peer_minor` the ZMTP 3 minor version.
    #[must_use]
    pub fn new(ours: Option<(Duration, Duration)>, peer_minor: u8, now: Instant) -> Self {
        let next_ping = now + ours.map_or(Duration::ZERO, |(ivl, _)| ivl);
        Self {
            ours,
            next_ping,
            unanswered: None,
            last_seen: now,
            peer_ttl: None,
            loaded: false,
            judged: peer_minor >= 1,
        }
    }

    /// Any byte of the peer arrived.
    pub fn seen(&mut self, now: Instant) {
        self.last_seen = now;
        self.unanswered = None;
        self.loaded = false;
    }

    /// Part of a large amount of data went out that stood before a PING. Its answer then has the whole time again, and
    /// several times as much of it, because the data may still be in the buffers of a slow path: that is not death.
    /// Not to be called for the bytes of a PING alone, or silence would never count.
    pub fn progress(&mut self, now: Instant) {
        if let Some(at) = &mut self.unanswered {
            *at = now;
            self.loaded = true;
        }
    }

    fn timeout(&self) -> Option<Duration> {
        let (_, timeout) = self.ours.filter(|_| self.judged)?;
        Some(if self.loaded { timeout * LOADED } else { timeout })
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
        let dead = self.unanswered.zip(self.timeout()).map(|(at, timeout)| at + timeout);
        let ttl = self.peer_ttl.map(|ttl| self.last_seen + ttl);
        [ping, dead, ttl].into_iter().flatten().min()
    }

    /// What is due at `now`. [`HeartbeatAction::SendPing`] counts the PING as sent.
    pub fn poll(&mut self, now: Instant) -> HeartbeatAction {
        let silent = now.saturating_duration_since(self.last_seen);
        if self.peer_ttl.is_some_and(|ttl| silent >= ttl) {
            return HeartbeatAction::Dead(silent);
        }
        let Some((ivl, _)) = self.ours else { return HeartbeatAction::Wait };
        let waited = self.unanswered.map(|at| now.saturating_duration_since(at));
        if waited.zip(self.timeout()).is_some_and(|(waited, timeout)| waited >= timeout) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    const OURS: Option<(Duration, Duration)> = Some((ms(100), ms(300)));

    #[test]
    fn pings_at_the_interval_while_answered() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(OURS, 1, start);
        for n in 1..50 {
            let now = start + ms(100 * n);
            assert_eq!(heartbeat.deadline(), Some(now));
            assert_eq!(heartbeat.poll(now - ms(1)), HeartbeatAction::Wait);
            assert_eq!(heartbeat.poll(now), HeartbeatAction::SendPing);
            heartbeat.seen(now + ms(20));
        }
    }

    #[test]
    fn silence_after_a_ping_is_death_however_many_pings_follow() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(OURS, 1, start);
        for n in 1..4 {
            assert_eq!(heartbeat.poll(start + ms(100 * n)), HeartbeatAction::SendPing);
        }
        assert_eq!(heartbeat.deadline(), Some(start + ms(400)));
        assert_eq!(heartbeat.poll(start + ms(399)), HeartbeatAction::Wait);
        assert_eq!(heartbeat.poll(start + ms(400)), HeartbeatAction::Dead(ms(400)));
    }

    #[test]
    fn bytes_before_a_ping_give_its_answer_time() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(OURS, 1, start);
        assert_eq!(heartbeat.poll(start + ms(100)), HeartbeatAction::SendPing);
        heartbeat.progress(start + ms(350));
        assert_eq!(heartbeat.poll(start + ms(400)), HeartbeatAction::SendPing);
        assert_eq!(heartbeat.poll(start + ms(1540)), HeartbeatAction::SendPing);
        // The deadline is never one that has passed with nothing due: whoever waits for it would not sleep at all.
        assert_eq!(heartbeat.deadline(), Some(start + ms(1550)));
        assert_eq!(heartbeat.poll(start + ms(1549)), HeartbeatAction::Wait);
        assert_eq!(heartbeat.poll(start + ms(1550)), HeartbeatAction::Dead(ms(1550)));
    }

    #[test]
    fn an_old_peer_is_judged_from_its_first_pong_on() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(OURS, 0, start);
        for n in 1..10 {
            assert_eq!(heartbeat.poll(start + ms(100 * n)), HeartbeatAction::SendPing);
        }
        heartbeat.seen(start + ms(1000));
        heartbeat.pong_received();
        assert_eq!(heartbeat.poll(start + ms(1000)), HeartbeatAction::SendPing);
        assert_eq!(heartbeat.poll(start + ms(1300)), HeartbeatAction::Dead(ms(300)));
    }

    #[test]
    fn the_peers_ttl_counts_without_pings_of_ours() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(None, 1, start);
        assert_eq!((heartbeat.deadline(), heartbeat.poll(start + ms(9999))), (None, HeartbeatAction::Wait));
        heartbeat.ping_received(20);
        heartbeat.seen(start + ms(500));
        assert_eq!(heartbeat.deadline(), Some(start + ms(2500)));
        assert_eq!(heartbeat.poll(start + ms(2500)), HeartbeatAction::Dead(ms(2000)));
        heartbeat.ping_received(0);
        assert_eq!(heartbeat.poll(start + ms(2500)), HeartbeatAction::Wait);
    }
}
