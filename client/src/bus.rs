//! The master's event bus, seen from a program on the same host.

use crate::{Error, Event, Result};
use brine_core::Opts;
use brine_net::ipc::{EventPusher, EventSubscriber, Framing};
use brine_protocol::Map;
use brine_protocol::message::events::split;
use std::io;
use std::path::Path;

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

/// Fires events on the bus of the master, if one is running.
///
/// # Errors
/// When it is there and does not take them.
pub fn fire(opts: &Opts, events: Vec<(String, Map)>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let path = opts.path("sock_dir").join("master_event_pull.ipc");
    let failed = |source| Error::Io { path: path.clone(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let Ok(mut pusher) = EventPusher::connect(&path, Framing::Prefixed).await else { return Ok(()) };
        for (tag, mut data) in events {
            data.insert("_stamp", brine_core::jid::stamp(std::time::SystemTime::now()));
            pusher.push(&Event::new(tag, data).to_body()).await.map_err(failed)?;
        }
        Ok(())
    })
}
