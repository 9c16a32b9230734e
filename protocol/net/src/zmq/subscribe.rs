//! SUB: the publish port as a minion sees it. One task that keeps one connection alive, for ever. Messages are not
//! looked at, not even for topics beyond what the server filters.

use std::sync::Arc;
use std::time::{Duration, Instant};

use brine_protocol::zmtp::{Event, SocketType};
use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use super::link::{Link, LinkOptions};
use crate::backoff::Waits;
use crate::endpoint::Endpoint;
use crate::error::Disconnect;
use crate::options::{Backoff, Heartbeat, Limits, TcpOptions};
use crate::socket;
use crate::transport::{SubEvent, SubscribeClient};

/// Events that wait for the caller. Then the connection is not read, and TCP holds the publisher back; nothing is lost.
const EVENTS: usize = 64;

/// Options of a [`SubClient`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubOptions {
    /// Prefixes of first frames to ask for. One empty prefix asks for all messages; none at all asks for nothing.
    pub subscriptions: Vec<Bytes>,
    /// What we call ourselves (stock: the minion id), at most 255 bytes.
    pub identity: Bytes,
    /// Waits between attempts (`recon_default`, `recon_max`).
    pub backoff: Backoff,
    /// Time for name resolution and connecting.
    pub connect_timeout: Duration,
    /// Our PINGs; None sends none. The server's PINGs are answered in any case.
    pub heartbeat: Option<Heartbeat>,
    /// TCP options.
    pub tcp: TcpOptions,
    /// What the server may send. Of the rest only the handshake timeout applies to a client.
    pub limits: Limits,
}

impl Default for SubOptions {
    fn default() -> Self {
        Self {
            subscriptions: vec![Bytes::new()],
            identity: Bytes::new(),
            backoff: Backoff::default(),
            connect_timeout: Duration::from_secs(5),
            heartbeat: Some(Heartbeat::new(Duration::from_secs(2), Duration::from_secs(5))),
            tcp: TcpOptions::default(),
            limits: Limits::client(),
        }
    }
}

/// A ZeroMQ SUB socket that connects.
#[derive(Debug)]
pub struct SubClient {
    events: mpsc::Receiver<SubEvent>,
    kick: Arc<Notify>,
    // Dropping the set stops the task.
    _task: JoinSet<()>,
}

impl SubClient {
    /// Connects in the background, and again whenever the connection is lost. Progress shows in
    /// [`SubscribeClient::recv`].
    #[must_use]
    pub fn connect(endpoint: Endpoint, options: SubOptions) -> Self {
        let (sender, events) = mpsc::channel(EVENTS);
        let kick = Arc::new(Notify::new());
        let mut task = JoinSet::new();
        task.spawn(keep_connected(endpoint, options, sender, Arc::clone(&kick)));
        Self { events, kick, _task: task }
    }

    /// What [`SubscribeClient::kick`] does, for use while another task is in `recv`.
    #[must_use]
    pub fn kicker(&self) -> Arc<Notify> {
        Arc::clone(&self.kick)
    }
}

impl SubscribeClient for SubClient {
    async fn recv(&mut self) -> SubEvent {
        match self.events.recv().await {
            Some(event) => event,
            // The task ends only with this client, so there is nothing more to wait for.
            None => std::future::pending().await,
        }
    }

    fn kick(&self) {
        self.kick.notify_one();
    }
}

async fn keep_connected(
    endpoint: Endpoint,
    options: SubOptions,
    events: mpsc::Sender<SubEvent>,
    kick: Arc<Notify>,
) {
    let link_options =
        LinkOptions::new(SocketType::Sub, options.identity.clone(), &options.limits, options.heartbeat);
    let mut waits = Waits::new(options.backoff);
    loop {
        let mut start = Instant::now();
        let attempt = async {
            let (stream, addr) = socket::dial(&endpoint, &options.tcp, options.connect_timeout).await?;
            let (link, _) = Link::open(stream, &link_options, None).await?;
            Ok((link, addr))
        };
        let attempt = tokio::select! {
            attempt = attempt => attempt,
            () = kick.notified() => continue,
        };
        let event = match attempt {
            Ok((mut link, addr)) => {
                let since = Instant::now();
                for topic in &options.subscriptions {
                    link.subscribe(topic);
                }
                if events.send(SubEvent::Connected { addr }).await.is_err() {
                    return;
                }
                let reason = tokio::select! {
                    reason = read(&mut link, &events) => reason,
                    () = kick.notified() => Disconnect::Kicked,
                };
                start = Instant::now();
                // A server that accepts and closes at once must not be dialled in a tight loop.
                if since.elapsed() > options.backoff.max {
                    waits.reset();
                }
                SubEvent::Disconnected { reason }
            }
            Err(reason) => SubEvent::ConnectFailed { reason },
        };
        tracing::debug!(%endpoint, ?event, "publish connection");
        let kicked = matches!(event, SubEvent::Disconnected { reason: Disconnect::Kicked });
        let wait = waits.after(start.elapsed());
        if events.send(event).await.is_err() {
            return;
        }
        if !kicked {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = kick.notified() => {}
            }
        }
    }
}

async fn read(link: &mut Link, events: &mpsc::Sender<SubEvent>) -> Disconnect {
    loop {
        match link.event().await {
            Ok(Event::Message(frames)) => {
                if events.send(SubEvent::Message(frames)).await.is_err() {
                    return Disconnect::Kicked;
                }
            }
            Ok(_) => {}
            Err(reason) => return reason,
        }
    }
}
