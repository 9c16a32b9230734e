//! The clients' half of the event bus, for our own programs. Works with the bus of any stock version too. Does not
//! connect again by itself: a command line that loses its bus has nothing better to do than to say so.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

use super::frame::{Framing, encode_frame, read_frame};
use super::read::read_more;

/// Largest body taken from the bus, in bytes: what stock's own stream decoder takes.
const MAX_BODY: usize = 100 << 20;

/// How long a full socket is tried.
const CROWDED: Duration = Duration::from_secs(10);
const CROWDED_PAUSE: Duration = Duration::from_millis(10);

/// Reads all events. The framing of each is told by its first byte.
#[derive(Debug)]
pub struct EventSubscriber {
    stream: UnixStream,
    buffer: BytesMut,
}

/// Connects to a socket of this host. Where so many wait to be let in that the system takes no more, that is waited for: whoever listens
/// is busy, not away.
async fn connect(path: &Path) -> io::Result<UnixStream> {
    let until = Instant::now() + CROWDED;
    loop {
        match UnixStream::connect(path).await {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                tokio::time::sleep(CROWDED_PAUSE).await;
            }
            done => return done,
        }
    }
}

impl EventSubscriber {
    /// Connects. Events from now on will be seen.
    ///
    /// # Errors
    /// That of the system: the socket is missing, or not ours to open.
    pub async fn connect(path: &Path) -> io::Result<Self> {
        Ok(Self { stream: connect(path).await?, buffer: BytesMut::new() })
    }

    /// The next event's body (tag, two newlines, msgpack), or None when the bus is gone. Cancel safe.
    ///
    /// # Errors
    /// That of the system, or `InvalidData` when the other side does not speak the bus's language.
    pub async fn recv(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match read_frame(&mut self.buffer, MAX_BODY) {
                Ok(Some(body)) => return Ok(Some(body)),
                Ok(None) => {}
                Err(e) => return Err(io::Error::new(io::ErrorKind::InvalidData, e)),
            }
            if read_more(&self.stream, &mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// Fires events.
#[derive(Debug)]
pub struct EventPusher {
    stream: UnixStream,
    framing: Framing,
}

impl EventPusher {
    /// Connects. Stock wants [`Framing::Prefixed`] from 3006.26, 3007.15 and 3008.2 on, and [`Framing::Bare`] before;
    /// our own bus takes both.
    ///
    /// # Errors
    /// That of the system: the socket is missing, or not ours to open.
    pub async fn connect(path: &Path, framing: Framing) -> io::Result<Self> {
        Ok(Self { stream: connect(path).await?, framing })
    }

    /// Fires one event, given its body (tag, two newlines, msgpack). Not cancel safe: drop the pusher with the future.
    ///
    /// # Errors
    /// That of the system.
    pub async fn push(&mut self, body: &[u8]) -> io::Result<()> {
        self.stream.write_all(&encode_frame(body, self.framing)).await
    }
}
