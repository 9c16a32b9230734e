//! ROUTER: the request port of a master. Each reply goes to the connection that asked and to no other; identities serve
//! only to let go of a connection its owner has replaced.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use brine_protocol::zmtp::{Event, PeerInfo, SocketType};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};

use super::link::{Link, LinkOptions};
use crate::accept::{self, Acceptor};
use crate::error::{Disconnect, NetError};
use crate::guard::{Admission, Vouch};
use crate::options::{Heartbeat, Limits, TcpOptions};
use crate::transport::{Request, RequestServer, Responder};

/// Requests a DEALER may send ahead of the one in work. A REQ waits for its reply, so it has no such row.
const DEALER_AHEAD: usize = 16;

/// Options of a [`ReqServer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReqServerOptions {
    /// TCP options of the listening and accepted sockets.
    pub tcp: TcpOptions,
    /// What peers may send, and how many may be there.
    pub limits: Limits,
    /// Our PINGs; None sends none. A peer's PINGs are answered in any case.
    pub heartbeat: Option<Heartbeat>,
}

impl Default for ReqServerOptions {
    fn default() -> Self {
        Self {
            tcp: TcpOptions::request_server(),
            limits: Limits::default(),
            // As stock 3008.2.
            heartbeat: Some(Heartbeat::new(Duration::from_secs(10), Duration::from_secs(30))),
        }
    }
}

#[derive(Debug)]
struct Shared {
    link: LinkOptions,
    requests: mpsc::UnboundedSender<Request>,
    next_id: AtomicU64,
    stop: watch::Sender<bool>,
    /// Who holds an identity, and how to tell it that it has been replaced.
    owners: Mutex<HashMap<(IpAddr, Bytes), Owner>>,
}

/// The connection that holds an identity. Dropped when another takes its place, which is what tells it.
#[derive(Debug)]
struct Owner {
    id: u64,
    _alive: oneshot::Sender<()>,
}

/// A ZeroMQ ROUTER socket that listens and is spoken to by REQ and DEALER sockets.
#[derive(Debug)]
pub struct ReqServer {
    // Unbounded, but holds at most one request for each connection.
    requests: mpsc::UnboundedReceiver<Request>,
    shared: Arc<Shared>,
    acceptor: Acceptor,
}

impl ReqServer {
    /// Listens on all the addresses and takes requests from now on. Port 0 takes a free port.
    ///
    /// # Errors
    /// [`NetError`] when one of the addresses cannot be listened on; none is then.
    pub fn bind(addrs: &[SocketAddr], options: ReqServerOptions) -> Result<Self, NetError> {
        let (sender, requests) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            link: LinkOptions::new(SocketType::Router, Bytes::new(), &options.limits, options.heartbeat),
            requests: sender,
            next_id: AtomicU64::new(1),
            stop: watch::channel(false).0,
            owners: Mutex::default(),
        });
        let serve = {
            let shared = Arc::clone(&shared);
            move |stream, addr, admission| serve(Arc::clone(&shared), stream, addr, admission)
        };
        let acceptor = accept::start(addrs, options.tcp, options.limits, serve)?;
        Ok(Self { requests, shared, acceptor })
    }

    /// Takes no more requests and closes, after those handed out have been answered and the answers written, or `limit`
    /// is over. Dropping does not wait.
    pub async fn shutdown(mut self, limit: Duration) {
        self.requests.close();
        self.shared.stop.send_replace(true);
        self.acceptor.drain(limit).await;
    }

    /// How to tell it from where peers have proved who they are, so that they may send large requests
    /// ([`Limits::max_buffered_strangers`]).
    #[must_use]
    pub fn vouching(&self) -> Vouch {
        self.acceptor.vouching()
    }

    /// The addresses listened on, in the order given to `bind`.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        self.acceptor.local_addrs()
    }
}

impl RequestServer for ReqServer {
    async fn next(&mut self) -> Option<Request> {
        self.requests.recv().await
    }
}

/// Gives the identity back however the connection ends.
struct Owned<'a> {
    shared: &'a Shared,
    key: (IpAddr, Bytes),
    id: u64,
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        let mut owners = self.shared.owners.lock();
        if owners.get(&self.key).is_some_and(|owner| owner.id == self.id) {
            owners.remove(&self.key);
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream, addr: SocketAddr, admission: Admission) {
    let (mut link, info) = match Link::open(stream, &shared.link, Some(admission)).await {
        Ok(opened) => opened,
        Err(reason) => {
            tracing::debug!(%addr, %reason, "no requester");
            return;
        }
    };
    let (alive, mut gone) = oneshot::channel();
    let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
    // Hand-over: a socket that connects again under its identity replaces its old connection, which may linger on a
    // dead path. Only from the same address, because an identity is an unproven claim and anybody could otherwise cut
    // off anybody. An old connection at another address ends by heartbeat.
    let _owned = (!info.identity.is_empty()).then(|| {
        let key = (addr.ip(), info.identity.clone());
        shared.owners.lock().insert(key.clone(), Owner { id, _alive: alive });
        Owned { shared: &shared, key, id }
    });
    let anonymous = info.identity.is_empty();
    tokio::select! {
        reason = pump(&mut link, &shared, addr, &info) => {
            tracing::debug!(%addr, %reason, "requester gone");
            // Kicked: the request was not worth an answer.
            if matches!(
                reason,
                Disconnect::Overload | Disconnect::BadRequest | Disconnect::Protocol(_) | Disconnect::Stalled | Disconnect::Kicked
            ) {
                link.misbehaved();
            }
        }
        _ = &mut gone, if !anonymous => tracing::debug!(%addr, "requester replaced its connection"),
    }
}

/// A request that has not been answered: its return path, and its body.
struct Waiting {
    envelope: Vec<Bytes>,
    body: Bytes,
}

/// The request that has been handed out.
struct InWork {
    envelope: Vec<Bytes>,
    len: usize,
    answer: oneshot::Receiver<Bytes>,
}

async fn answered(work: &mut Option<InWork>) -> Option<Bytes> {
    match work {
        Some(work) => (&mut work.answer).await.ok(),
        None => std::future::pending().await,
    }
}

async fn pump(link: &mut Link, shared: &Shared, addr: SocketAddr, info: &PeerInfo) -> Disconnect {
    let ahead = if info.socket_type == b"REQ"[..] { 0 } else { DEALER_AHEAD };
    let mut row: VecDeque<Waiting> = VecDeque::new();
    let mut held = 0;
    // One at a time, in the order they came, so that replies cannot be mixed up.
    let mut work: Option<InWork> = None;
    let mut stop = shared.stop.subscribe();
    loop {
        if work.is_none() && *stop.borrow_and_update() {
            // Whoever shuts down says for how long.
            link.flush(Duration::MAX).await;
            return Disconnect::Kicked;
        }
        if work.is_none()
            && let Some(Waiting { envelope, body }) = row.pop_front()
        {
            let (reply, answer) = Responder::new();
            let len = body.len();
            if shared.requests.send(Request { peer: addr, body, reply }).is_err() {
                return Disconnect::Kicked;
            }
            work = Some(InWork { envelope, len, answer });
        }
        tokio::select! {
            _ = stop.changed() => {}
            event = link.event() => {
                let frames = match event {
                    Ok(Event::Message(frames)) => frames,
                    Ok(_) => continue,
                    Err(reason) => return reason,
                };
                let Some(waiting) = split_envelope(frames) else { return Disconnect::BadRequest };
                if work.is_some() && row.len() >= ahead {
                    return Disconnect::BadRequest;
                }
                held += waiting.body.len();
                link.set_in_work(held);
                row.push_back(waiting);
            }
            answer = answered(&mut work), if work.is_some() => {
                let (Some(InWork { envelope: mut frames, len, .. }), Some(body)) = (work.take(), answer) else {
                    // Nobody will answer: closing tells the peer.
                    return Disconnect::Kicked;
                };
                frames.push(body);
                link.send(&frames);
                held -= len;
                link.set_in_work(held);
            }
        }
    }
}

/// Splits a message at its first empty frame. Exactly one frame must follow.
fn split_envelope(mut frames: Vec<Bytes>) -> Option<Waiting> {
    let delimiter = frames.iter().position(Bytes::is_empty)?;
    if delimiter + 2 != frames.len() {
        return None;
    }
    let body = frames.pop()?;
    Some(Waiting { envelope: frames, body })
}
