//! The master's event bus, seen from a program on the same host.

use crate::{Error, Event, Result};
use brine_core::Opts;
use brine_net::ipc::{EventPusher, EventSubscriber, Framing};
use brine_protocol::Map;
use brine_protocol::message::events::split;
use std::io;
use std::path::{Path, PathBuf};

/// A subscription to all events of the master.
pub struct Listener(EventSubscriber);

impl Listener {
    /// Connects to the bus of the master with this configuration.
    ///
    /// # Errors
    /// When there is no socket, or nobody behind it.
    pub async fn connect(opts: &Opts) -> io::Result<Self> {
        Self::at(&opts.path("sock_dir").join("master_event_pub.ipc")).await
    }

    /// Connects to the bus with this socket.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn at(path: &Path) -> io::Result<Self> {
        EventSubscriber::connect(path).await.map(Self)
    }

    /// The next event. What is no event is skipped.
    ///
    /// # Errors
    /// When the master has gone.
    pub async fn next(&mut self) -> io::Result<Event> {
        self.next_of(|_| true).await
    }

    /// The next event with a tag that is wanted. Others are not decoded: a busy bus has thousands that concern somebody
    /// else.
    ///
    /// # Errors
    /// When the master has gone.
    pub async fn next_of(&mut self, wanted: impl Fn(&str) -> bool) -> io::Result<Event> {
        loop {
            let body = self.0.recv().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            match split(&body) {
                Ok((tag, _)) if !wanted(tag) => {}
                _ => match Event::from_body(&body) {
                    Ok(event) => return Ok(event),
                    Err(e) => tracing::debug!("not an event: {e}"),
                },
            }
        }
    }
}

/// A way to fire events on the bus of a master.
pub struct Pusher {
    pusher: EventPusher,
    path: PathBuf,
}

impl Pusher {
    /// Connects to the master with this configuration; None if none is running.
    pub async fn connect(opts: &Opts) -> Option<Self> {
        let path = opts.path("sock_dir").join("master_event_pull.ipc");
        let pusher = EventPusher::connect(&path, Framing::Prefixed).await.ok()?;
        Some(Self { pusher, path })
    }

    /// Fires an event.
    ///
    /// # Errors
    /// When the master does not take it.
    pub async fn push(&mut self, tag: &str, mut data: Map) -> Result<()> {
        data.insert("_stamp", brine_core::jid::stamp(std::time::SystemTime::now()));
        let pushed = self.pusher.push(&Event::new(tag, data).to_body()).await;
        pushed.map_err(|source| Error::Io { path: self.path.clone(), source })
    }
}

/// Fires events on the bus of the master, if one is running.
///
/// # Errors
/// When it is there and does not take them.
pub fn fire(opts: &Opts, events: Vec<(String, Map)>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let failed = |source| Error::Io { path: opts.path("sock_dir"), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let Some(mut pusher) = Pusher::connect(opts).await else { return Ok(()) };
        for (tag, data) in events {
            pusher.push(&tag, data).await?;
        }
        Ok(())
    })
}
