//! PUB: the publish port of a master. One task per peer, each with a bounded queue of shared messages. Topics are only
//! compared as bytes; what is published, and to whom it matters, is the caller's business.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use brine_protocol::zmtp::{Event, SocketType, Subscriptions, encode_message};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, mpsc};

use super::link::{Link, LinkOptions};
use crate::accept::{self, Acceptor};
use crate::error::{Disconnect, NetError};
use crate::guard::{Admission, Vouch};
use crate::options::{Heartbeat, Limits, TcpOptions};
use crate::transport::{Peer, PeerEvent, PeerId, PubStats, PublishServer};

/// A peer's link takes messages from its queue while less than this is on the way to the kernel.
const LINK_ROOM: usize = 64 << 10;
/// Peer events a slow receiver may be behind.
const EVENTS: usize = 1024;

/// Options of a [`PubServer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PubOptions {
    /// TCP options of the listening and accepted sockets.
    pub tcp: TcpOptions,
    /// What peers may send (subscriptions only, so small) and how many may be there.
    pub limits: Limits,
    /// Our PINGs; None sends none (stock 3007). A peer's PINGs are answered in any case.
    pub heartbeat: Option<Heartbeat>,
    /// Messages queued for one peer at most (`pub_hwm`). Further ones are dropped for that peer, as stock does.
    pub hwm: usize,
    /// Bytes queued for one peer at most, unless its queue is empty. Stock has no such limit.
    pub max_queued_bytes: usize,
}

impl Default for PubOptions {
    fn default() -> Self {
        Self {
            tcp: TcpOptions::default(),
            // A subscriber sends topics of at most 40 bytes.
            limits: Limits { max_frame: 4096, max_message: 4096, max_frames: 4, ..Limits::default() },
            // As stock 3006.27 and 3008.2.
            heartbeat: Some(Heartbeat::new(Duration::from_secs(10), Duration::from_secs(30))),
            hwm: 1000,
            max_queued_bytes: 256 << 20,
        }
    }
}

#[derive(Debug)]
struct Message {
    pieces: Vec<Bytes>,
    len: usize,
}

#[derive(Debug)]
struct Entry {
    peer: Peer,
    topics: Mutex<Subscriptions>,
    /// Bytes in the queue.
    queued_bytes: AtomicUsize,
}

/// What the server holds of a peer. The only sender of its queue: taken out of the books, the queue ends.
#[derive(Debug)]
struct Subscriber {
    entry: Arc<Entry>,
    queue: mpsc::Sender<Arc<Message>>,
}

impl Subscriber {
    /// Queues a message. False when it is full.
    fn push(&self, message: &Arc<Message>, max_bytes: usize) -> bool {
        let queued = &self.entry.queued_bytes;
        let before = queued.fetch_add(message.len, Ordering::Relaxed);
        let room = before == 0 || before.saturating_add(message.len) <= max_bytes;
        if room && self.queue.try_send(Arc::clone(message)).is_ok() {
            return true;
        }
        queued.fetch_sub(message.len, Ordering::Relaxed);
        false
    }
}

#[derive(Debug)]
struct Shared {
    peers: RwLock<HashMap<PeerId, Subscriber>>,
    events: broadcast::Sender<PeerEvent>,
    link: LinkOptions,
    hwm: usize,
    max_queued_bytes: usize,
    next_id: AtomicU64,
    published: AtomicU64,
    queued: AtomicU64,
    dropped: AtomicU64,
}

/// A ZeroMQ PUB socket that listens.
#[derive(Debug)]
pub struct PubServer {
    shared: Arc<Shared>,
    acceptor: Acceptor,
}

impl PubServer {
    /// Listens on all the addresses and serves subscribers from now on. Port 0 takes a free port.
    ///
    /// # Errors
    /// [`NetError`] when one of the addresses cannot be listened on; none is then.
    pub fn bind(addrs: &[SocketAddr], options: PubOptions) -> Result<Self, NetError> {
        let shared = Arc::new(Shared {
            peers: RwLock::default(),
            events: broadcast::channel(EVENTS).0,
            link: LinkOptions::new(SocketType::Pub, Bytes::new(), &options.limits, options.heartbeat),
            hwm: options.hwm.max(1),
            max_queued_bytes: options.max_queued_bytes,
            next_id: AtomicU64::new(1),
            published: AtomicU64::new(0),
            queued: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        });
        let serve = {
            let shared = Arc::clone(&shared);
            move |stream, addr, admission| serve(Arc::clone(&shared), stream, addr, admission)
        };
        let acceptor = accept::start(addrs, options.tcp, options.limits, serve)?;
        Ok(Self { shared, acceptor })
    }

    /// How to tell it from where peers have proved who they are.
    #[must_use]
    pub fn vouching(&self) -> Vouch {
        self.acceptor.vouching()
    }

    /// The addresses listened on, in the order given to `bind`.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        self.acceptor.local_addrs()
    }

    /// Closes, after every peer's queue has been written or `limit` is over. Dropping does not wait.
    pub async fn shutdown(self, limit: Duration) {
        self.shared.peers.write().clear();
        self.acceptor.drain(limit).await;
    }
}

impl PublishServer for PubServer {
    fn publish(&self, frames: Vec<Bytes>) {
        let Some(first) = frames.first() else { return };
        let shared = &self.shared;
        shared.published.fetch_add(1, Ordering::Relaxed);
        let pieces = encode_message(&frames);
        let len = pieces.iter().map(Bytes::len).sum();
        let message = Arc::new(Message { pieces, len });
        for subscriber in shared.peers.read().values() {
            if !subscriber.entry.topics.lock().matches(first) {
                continue;
            }
            if subscriber.push(&message, shared.max_queued_bytes) {
                shared.queued.fetch_add(1, Ordering::Relaxed);
            } else {
                shared.dropped.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(peer = %subscriber.entry.peer.addr, "subscriber is slow, message dropped");
            }
        }
    }

    fn peers(&self) -> Vec<Peer> {
        self.shared.peers.read().values().map(|s| s.entry.peer.clone()).collect()
    }

    fn events(&self) -> broadcast::Receiver<PeerEvent> {
        self.shared.events.subscribe()
    }

    fn stats(&self) -> PubStats {
        PubStats {
            peers: self.shared.peers.read().len() as u64,
            published: self.shared.published.load(Ordering::Relaxed),
            queued: self.shared.queued.load(Ordering::Relaxed),
            dropped: self.shared.dropped.load(Ordering::Relaxed),
        }
    }
}

/// Takes the peer out of the books however its task ends.
struct Registered {
    shared: Arc<Shared>,
    entry: Arc<Entry>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut peers = self.shared.peers.write();
        peers.remove(&self.entry.peer.id);
        // Sent under the lock, so that events come in the order of the changes.
        let _ = self.shared.events.send(PeerEvent::Disconnected(self.entry.peer.clone()));
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream, addr: SocketAddr, admission: Admission) {
    let (mut link, info) = match Link::open(stream, &shared.link, Some(admission)).await {
        Ok(opened) => opened,
        Err(reason) => {
            tracing::debug!(%addr, %reason, "no subscriber");
            return;
        }
    };
    let id = PeerId(shared.next_id.fetch_add(1, Ordering::Relaxed));
    let (queue, mut messages) = mpsc::channel(shared.hwm);
    let peer = Peer { id, addr, identity: info.identity };
    let entry =
        Arc::new(Entry { peer: peer.clone(), topics: Mutex::default(), queued_bytes: AtomicUsize::new(0) });
    let _registered = {
        let mut peers = shared.peers.write();
        peers.insert(id, Subscriber { entry: Arc::clone(&entry), queue });
        let _ = shared.events.send(PeerEvent::Connected(peer));
        Registered { shared: Arc::clone(&shared), entry: Arc::clone(&entry) }
    };
    let reason = pump(&mut link, &entry, &mut messages).await;
    tracing::debug!(%addr, %reason, "subscriber gone");
}

async fn pump(link: &mut Link, entry: &Entry, messages: &mut mpsc::Receiver<Arc<Message>>) -> Disconnect {
    loop {
        tokio::select! {
            event = link.step() => match event {
                Ok(Some(Event::Subscribe(topic))) => {
                    if let Err(e) = entry.topics.lock().subscribe(topic) {
                        return e.into();
                    }
                }
                Ok(Some(Event::Cancel(topic))) => entry.topics.lock().cancel(&topic),
                Ok(_) => {}
                Err(reason) => return reason,
            },
            message = messages.recv(), if link.queued() < LINK_ROOM => match message {
                Some(message) => {
                    entry.queued_bytes.fetch_sub(message.len, Ordering::Relaxed);
                    link.send_encoded(&message.pieces);
                }
                None => {
                    // Whoever shuts down says for how long.
                    link.flush(Duration::MAX).await;
                    return Disconnect::Kicked;
                }
            }
        }
    }
}
