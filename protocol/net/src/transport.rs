//! What every network transport offers, whatever carries the bytes: the four traits and the types they exchange.
//! Not here: anything of ZeroMQ's, and any meaning of a body.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{broadcast, oneshot};

use crate::error::{Disconnect, ReqError};

/// Names one connection of a server for as long as the process lives. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// One connected peer of a publish server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The connection.
    pub id: PeerId,
    /// Where it comes from.
    pub addr: SocketAddr,
    /// What the peer calls itself. An unproven claim: any bytes, at most 255. Our own minions send their id. Stock
    /// minions set it too, but libzmq keeps the identity of a SUB socket to itself: theirs is empty here, and only
    /// `addr` tells something.
    pub identity: Bytes,
}

/// A change in the set of connected peers of a publish server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// The peer has completed its handshake.
    Connected(Peer),
    /// The connection is gone, for whatever reason.
    Disconnected(Peer),
}

/// Counters of a publish server. Each only grows, but for `peers`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PubStats {
    /// Peers connected now.
    pub peers: u64,
    /// Messages handed to `publish`.
    pub published: u64,
    /// Messages queued for a peer, counted once for each peer.
    pub queued: u64,
    /// Messages not queued for a peer because its queue was full, counted once for each peer.
    pub dropped: u64,
}

/// The master's side of the publish port.
pub trait PublishServer: Send + Sync {
    /// Sends a message to every peer that subscribed to a prefix of its first frame. Never waits: a peer whose queue is
    /// full misses the message. An empty list of frames is ignored.
    fn publish(&self, frames: Vec<Bytes>);

    /// The peers connected now, in no particular order.
    fn peers(&self) -> Vec<Peer>;

    /// Changes from now on. A receiver that lags (`RecvError::Lagged`) starts afresh from [`PublishServer::peers`].
    fn events(&self) -> broadcast::Receiver<PeerEvent>;

    /// The counters.
    fn stats(&self) -> PubStats;
}

/// What a subscriber sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubEvent {
    /// The handshake is complete and the subscriptions are sent.
    Connected {
        /// The address that answered.
        addr: SocketAddr,
    },
    /// An attempt to connect failed; another one follows by itself.
    ConnectFailed {
        /// What went wrong.
        reason: Disconnect,
    },
    /// An established connection is gone; attempts to connect follow by themselves.
    Disconnected {
        /// What ended it.
        reason: Disconnect,
    },
    /// The frames of one message, at least one.
    Message(Vec<Bytes>),
}

/// The minion's side of the publish port.
pub trait SubscribeClient: Send {
    /// The next event. Cancel safe. Connecting again is the client's own work, so this never ends.
    fn recv(&mut self) -> impl Future<Output = SubEvent> + Send;

    /// Drops the connection, if there is one, and connects again at once: for when the own address has changed.
    fn kick(&self);
}

/// One request and the one way to answer it.
#[derive(Debug)]
pub struct Request {
    /// Where the request came from.
    pub peer: SocketAddr,
    /// The request, untrusted.
    pub body: Bytes,
    /// Answers it, on the connection that asked.
    pub reply: Responder,
}

/// Answers one request. Dropped without an answer it closes the connection, so that no peer waits for ever.
#[derive(Debug)]
pub struct Responder {
    tx: oneshot::Sender<Bytes>,
}

impl Responder {
    /// A responder, and where the transport picks up its answer (an error there means: close the connection).
    #[must_use]
    pub fn new() -> (Self, oneshot::Receiver<Bytes>) {
        let (tx, rx) = oneshot::channel();
        (Self { tx }, rx)
    }

    /// Answers. When the peer is gone by now the answer is dropped, since it may never go to another connection.
    pub fn send(self, body: Bytes) {
        let _ = self.tx.send(body);
    }

    /// Whether the peer's connection is gone, so that an answer is no longer worth the work.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.tx.is_closed()
    }
}

/// The master's side of the request port.
pub trait RequestServer: Send {
    /// The next request, or None when the server has stopped. Cancel safe. A connection has one request in work at a
    /// time, so requests of one connection are answered in the order they came.
    fn next(&mut self) -> impl Future<Output = Option<Request>> + Send;
}

/// The client's side of the request port. Callers share it by reference; requests run side by side.
pub trait RequestClient: Send + Sync {
    /// Sends a request and waits for its reply, at most `timeout` in all (connecting included).
    ///
    /// # Errors
    /// See [`ReqError`]; [`ReqError::maybe_delivered`] tells whether the other side may have acted on the request. The
    /// future may be dropped at any time: the connection it used is then thrown away.
    fn request(&self, body: Bytes, timeout: Duration)
    -> impl Future<Output = Result<Bytes, ReqError>> + Send;

    /// Drops all connections and connects again at once: for when the own address has changed. A request in flight fails
    /// with [`Disconnect::Kicked`].
    fn kick(&self);

    /// Drops idle connections and connects again at once: for when the path may have changed. A request in flight keeps
    /// its connection.
    fn redial(&self);
}
