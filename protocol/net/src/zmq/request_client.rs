//! REQ: the request port as a minion or a command line sees it. One connection carries one request at a time; after any
//! doubt (timeout, cancelled caller, odd frames, lost peer) the connection is thrown away, so that a late reply has
//! nowhere to arrive. Requests are never sent twice from here.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use brine_protocol::zmtp::{Event, SocketType};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, oneshot, watch};
use tokio::time::Instant;

use super::link::{Link, LinkOptions};
use crate::backoff::Waits;
use crate::endpoint::Endpoint;
use crate::error::{Disconnect, ReqError};
use crate::options::{Backoff, Heartbeat, Limits, TcpOptions};
use crate::socket;
use crate::transport::RequestClient;

/// Options of a [`ReqClient`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReqOptions {
    /// Connections at once at most; further requests wait within their own timeout.
    pub max_connections: usize,
    /// Keeps one connection open from the start, and again after it is lost, so that a dead path is noticed before a
    /// request needs it. A command line that asks once does better without.
    pub keep_warm: bool,
    /// Connections beyond the warm one are closed when unused for so long.
    pub idle_timeout: Duration,
    /// Waits between attempts to connect.
    pub backoff: Backoff,
    /// Time for name resolution and connecting, for each attempt.
    pub connect_timeout: Duration,
    /// Our PINGs; None sends none. The server's PINGs are answered in any case.
    pub heartbeat: Option<Heartbeat>,
    /// TCP options.
    pub tcp: TcpOptions,
    /// What the server may send. Of the rest only the handshake timeout applies to a client.
    pub limits: Limits,
}

impl Default for ReqOptions {
    fn default() -> Self {
        Self {
            max_connections: 4,
            keep_warm: true,
            idle_timeout: Duration::from_secs(30),
            backoff: Backoff::default(),
            connect_timeout: Duration::from_secs(5),
            heartbeat: Some(Heartbeat::new(Duration::from_secs(2), Duration::from_secs(5))),
            tcp: TcpOptions::default(),
            limits: Limits::client(),
        }
    }
}

/// A request on its way to a connection.
#[derive(Debug)]
struct Job {
    body: Bytes,
    /// None: not sent, another connection may try.
    reply: Reply,
}

#[derive(Debug)]
struct Shared {
    endpoint: Endpoint,
    options: ReqOptions,
    link: LinkOptions,
    /// Connections that wait for a job; the last one used is the first one taken.
    idle: Mutex<Vec<oneshot::Sender<Job>>>,
    permits: Semaphore,
    kicks: watch::Sender<Kicks>,
    closed: watch::Sender<bool>,
    /// How many connections are past their handshake.
    live: watch::Sender<usize>,
    /// A connection became idle.
    freed: Notify,
}

/// Counts kicks: a connection made before the last one gets no further request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Kicks {
    any: u64,
    /// Those that end a request in flight too.
    hard: u64,
}

/// The kicks as one connection sees them.
struct Since {
    kicks: watch::Receiver<Kicks>,
    /// When the attempt to connect began.
    start: Kicks,
}

impl Since {
    fn now(shared: &Shared) -> Self {
        let mut kicks = shared.kicks.subscribe();
        let start = *kicks.borrow_and_update();
        Self { kicks, start }
    }

    /// Returns when this connection is no longer to be used.
    async fn any(&mut self) {
        let start = self.start;
        let _ = self.kicks.wait_for(|k| k.any != start.any).await;
    }

    /// Returns when this connection is to end whatever it does.
    async fn hard(&mut self) {
        let start = self.start;
        let _ = self.kicks.wait_for(|k| k.hard != start.hard).await;
    }
}

/// Counts one connection.
struct Live(Arc<Shared>);

impl Live {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.live.send_modify(|n| *n += 1);
        Self(Arc::clone(shared))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.send_modify(|n| *n -= 1);
    }
}

/// A ZeroMQ REQ socket that connects; rather a small pool of them.
#[derive(Debug)]
pub struct ReqClient {
    shared: Arc<Shared>,
}

impl ReqClient {
    /// Connects in the background if `keep_warm` is set, else when first asked.
    #[must_use]
    pub fn new(endpoint: Endpoint, options: ReqOptions) -> Self {
        // No identity, as stock 3007 and 3008: two connections under one name would push each other out.
        let link = LinkOptions::new(SocketType::Req, Bytes::new(), &options.limits, options.heartbeat);
        let shared = Arc::new(Shared {
            endpoint,
            link,
            idle: Mutex::default(),
            permits: Semaphore::new(options.max_connections.max(1)),
            kicks: watch::channel(Kicks::default()).0,
            closed: watch::channel(false).0,
            live: watch::channel(0).0,
            freed: Notify::new(),
            options,
        });
        if shared.options.keep_warm {
            tokio::spawn(keep_warm(Arc::clone(&shared)));
        }
        Self { shared }
    }

    /// Connections that wait for a request now. With `keep_warm`, 0 means: not connected, or busy.
    #[must_use]
    pub fn idle_connections(&self) -> usize {
        self.shared.idle.lock().iter().filter(|slot| !slot.is_closed()).count()
    }
}

impl Drop for ReqClient {
    fn drop(&mut self) {
        self.shared.closed.send_replace(true);
    }
}

impl RequestClient for ReqClient {
    async fn request(&self, body: Bytes, timeout: Duration) -> Result<Bytes, ReqError> {
        let deadline = Instant::now() + timeout;
        let shared = &self.shared;
        let Ok(permit) = tokio::time::timeout_at(deadline, shared.permits.acquire()).await else {
            return Err(ReqError::Busy);
        };
        let _permit = permit.map_err(|_| ReqError::Closed)?;
        loop {
            let (reply, answer) = oneshot::channel();
            let mut job = Job { body: body.clone(), reply };
            // Registered before the look at the pool, so that nothing is missed in between.
            let freed = shared.freed.notified();
            let unplaced = loop {
                let Some(slot) = shared.idle.lock().pop() else { break Some(job) };
                match slot.send(job) {
                    Ok(()) => break None,
                    // That connection has ended meanwhile.
                    Err(unused) => job = unused,
                }
            };
            if let Some(job) = unplaced {
                tokio::select! {
                    biased;
                    // The warm connection may come first, or another request may be done.
                    () = freed => continue,
                    link = dial_until(shared, deadline) => {
                        let (link, since) = link?;
                        tokio::spawn(run(Live::new(shared), link, since, Some(job)));
                    }
                }
            }
            // On timeout, and when this future is dropped, `answer` is dropped: the connection sees that and ends.
            match tokio::time::timeout_at(deadline, answer).await {
                Ok(Ok(Some(result))) => return result,
                // Not sent.
                Ok(Ok(None)) => {}
                Ok(Err(_)) => return Err(ReqError::Closed),
                Err(_) => return Err(ReqError::Timeout),
            }
        }
    }

    fn kick(&self) {
        self.shared.kicks.send_modify(|k| {
            k.any += 1;
            k.hard += 1;
        });
        self.shared.idle.lock().clear();
    }

    fn redial(&self) {
        self.shared.kicks.send_modify(|k| k.any += 1);
        self.shared.idle.lock().clear();
    }
}

async fn dial(shared: &Shared) -> Result<Link, Disconnect> {
    let (stream, _) =
        socket::dial(&shared.endpoint, &shared.options.tcp, shared.options.connect_timeout).await?;
    Ok(Link::open(stream, &shared.link, None).await?.0)
}

/// Dials with back-off. A kick starts over at once.
async fn dial_until(shared: &Shared, deadline: Instant) -> Result<(Link, Since), ReqError> {
    let mut waits = Waits::new(shared.options.backoff);
    let mut last = Disconnect::ConnectTimeout;
    let attempts = async {
        loop {
            let mut since = Since::now(shared);
            let start = Instant::now();
            tokio::select! {
                outcome = dial(shared) => match outcome {
                    Ok(link) => return (link, since),
                    Err(reason) => last = reason,
                },
                () = since.any() => continue,
            }
            tokio::select! {
                () = tokio::time::sleep(waits.after(start.elapsed())) => {}
                () = since.any() => {}
            }
        }
    };
    match tokio::time::timeout_at(deadline, attempts).await {
        Ok(made) => Ok(made),
        Err(_) => Err(ReqError::Unreachable(last)),
    }
}

/// Sees to it that there is a connection, for as long as the client lives.
async fn keep_warm(shared: Arc<Shared>) {
    let mut closed = shared.closed.subscribe();
    let mut live = shared.live.subscribe();
    let never = Instant::now() + Duration::from_secs(86_400 * 365 * 30);
    let keep = async {
        loop {
            let _ = live.wait_for(|n| *n == 0).await;
            tokio::select! {
                biased;
                // A request has dialled by itself.
                _ = live.wait_for(|n| *n > 0) => {}
                link = dial_until(&shared, never) => {
                    if let Ok((link, since)) = link {
                        tokio::spawn(run(Live::new(&shared), link, since, None));
                    }
                }
            }
        }
    };
    tokio::select! {
        () = keep => {}
        () = is_set(&mut closed) => {}
    }
}

async fn is_set(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|set| *set).await;
}

/// One connection, from the end of its handshake to its own.
async fn run(live: Live, mut link: Link, since: Since, job: Option<Job>) {
    let shared = &live.0;
    let mut closed = shared.closed.subscribe();
    let reason = tokio::select! {
        reason = work(shared, &mut link, since, job) => reason,
        () = is_set(&mut closed) => Disconnect::Kicked,
    };
    tracing::debug!(endpoint = %shared.endpoint, %reason, "request connection ended");
}

/// Jobs, one after the other. Returns at the first doubt.
async fn work(shared: &Shared, link: &mut Link, mut since: Since, mut job: Option<Job>) -> Disconnect {
    loop {
        let mut done = None;
        if let Some(job) = job.take() {
            match do_job(link, &mut since, job).await {
                Ok(answered) => done = Some(answered),
                Err(reason) => {
                    link.abort();
                    return reason;
                }
            }
        }
        let (slot, mut next) = oneshot::channel();
        let spare = {
            let mut idle = shared.idle.lock();
            idle.retain(|other| !other.is_closed());
            idle.push(slot);
            idle.len() > 1 || !shared.options.keep_warm
        };
        shared.freed.notify_waiters();
        // Only now, so that the caller's next request finds this connection.
        if let Some((reply, body)) = done {
            let _ = reply.send(Some(Ok(body)));
        }
        let unused = async {
            if spare {
                tokio::time::sleep(shared.options.idle_timeout).await;
            } else {
                pending::<()>().await;
            }
        };
        let ended = tokio::select! {
            biased;
            given = &mut next => match given {
                Ok(given) => {
                    job = Some(given);
                    continue;
                }
                // Taken out of the pool by a kick.
                Err(_) => Disconnect::Kicked,
            },
            event = link.event() => match event {
                // Nobody asked: whatever it is, this peer is out of step.
                Ok(_) => Disconnect::BadRequest,
                Err(reason) => reason,
            },
            () = unused => Disconnect::Kicked,
            () = since.any() => Disconnect::Kicked,
        };
        // A job may have been handed over in this very moment.
        next.close();
        if let Ok(Job { reply, .. }) = next.try_recv() {
            let _ = reply.send(None);
        }
        return ended;
    }
}

type Reply = oneshot::Sender<Option<Result<Bytes, ReqError>>>;

/// The reply and where it goes. Err when the connection is no longer to be used; the caller has been told.
async fn do_job(
    link: &mut Link,
    since: &mut Since,
    Job { body, mut reply }: Job,
) -> Result<(Reply, Bytes), Disconnect> {
    // A connection on which something has happened unasked cannot be trusted with a request.
    match link.is_quiet().await {
        Ok(true) => {}
        Ok(false) => {
            let _ = reply.send(None);
            return Err(Disconnect::BadRequest);
        }
        Err(reason) => {
            let _ = reply.send(None);
            return Err(reason);
        }
    }
    let outcome = tokio::select! {
        outcome = exchange(link, body) => outcome,
        () = reply.closed() => return Err(Disconnect::Kicked),
        () = since.hard() => Err(ReqError::Disconnected(Disconnect::Kicked)),
    };
    let reason = match outcome {
        Ok(body) => return Ok((reply, body)),
        Err(ReqError::Disconnected(ref reason)) => reason.clone(),
        Err(_) => Disconnect::BadRequest,
    };
    let _ = reply.send(Some(outcome));
    Err(reason)
}

/// Sends one request and takes one reply, which must be an empty frame and a body.
async fn exchange(link: &mut Link, body: Bytes) -> Result<Bytes, ReqError> {
    link.send(&[Bytes::new(), body]);
    loop {
        match link.event().await {
            Ok(Event::Message(mut frames)) => {
                return match (frames.pop(), frames.as_slice()) {
                    (Some(body), [empty]) if empty.is_empty() => Ok(body),
                    _ => Err(ReqError::MalformedReply),
                };
            }
            Ok(_) => {}
            Err(reason) => return Err(ReqError::Disconnected(reason)),
        }
    }
}
