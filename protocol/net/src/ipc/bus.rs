//! The server's half of the event bus: every event to every reader, and whatever processes fire to the caller. What an
//! event says, and whether its sender may say it, is the caller's business.

use std::fs::{self, Permissions};
use std::future::poll_fn;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{UCred, WriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::frame::{Framing, encode_frame, read_frame};
use super::read::read_more;
use crate::error::NetError;

/// Fired events that wait for the caller; then senders have to wait, as on any full socket.
const FIRED: usize = 64;
/// Connections that wait to be let in; stock's clients fail at once when there is no room.
const BACKLOG: i32 = 1024;
/// Frames, and their bytes, that are written to a reader at once.
const TOGETHER: usize = 64;
const JOINED: usize = 64 << 10;
/// So many events of one program take so long at least: 128,000 in a second, where the bus could pass on a million.
const STRIDE: u32 = 128;
const STRIDE_TIME: Duration = Duration::from_millis(1);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Options of an [`EventBus`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBusOptions {
    /// Socket to read events from (`master_event_pub.ipc`, `minion_event_<hash>_pub.ipc`).
    pub pub_path: PathBuf,
    /// Socket to fire events to (`master_event_pull.ipc`, `minion_event_<hash>_pull.ipc`).
    pub pull_path: PathBuf,
    /// Mode of the first: stock 3006 has 0600, or 0660 with `publisher_acl` or `external_auth`; 3007 and 3008 0660.
    pub pub_mode: u32,
    /// Mode of the second: stock has 0600.
    pub pull_mode: u32,
    /// How events are written (`event_pub_framing`). What is fired is told apart by itself.
    pub framing: Framing,
    /// Largest body that may be fired, in bytes.
    pub max_body: usize,
    /// Bytes a reader may be behind before it is dropped (`ipc_write_buffer`).
    pub max_behind: usize,
    /// Readers, and senders, at once.
    pub max_clients: usize,
}

impl EventBusOptions {
    /// Stock 3006's modes and framing, and limits that stock leaves open.
    #[must_use]
    pub fn new(pub_path: impl Into<PathBuf>, pull_path: impl Into<PathBuf>) -> Self {
        Self {
            pub_path: pub_path.into(),
            pull_path: pull_path.into(),
            pub_mode: 0o600,
            pull_mode: 0o600,
            framing: Framing::Prefixed,
            max_body: 100 << 20,
            max_behind: 128 << 20,
            max_clients: 1024,
        }
    }
}

/// One event that a process fired.
#[derive(Debug, Clone)]
pub struct FiredEvent {
    /// Tag, two newlines, msgpack of the data; untrusted.
    pub body: Bytes,
    /// Who fired it, as the kernel says.
    pub sender: UCred,
}

/// The events that processes fire, in the order they arrive.
#[derive(Debug)]
pub struct FiredEvents {
    events: mpsc::Receiver<FiredEvent>,
}

impl FiredEvents {
    /// The next one, or None when the bus is gone. Cancel safe.
    pub async fn recv(&mut self) -> Option<FiredEvent> {
        self.events.recv().await
    }
}

#[derive(Debug)]
struct Reader {
    queue: mpsc::UnboundedSender<Bytes>,
    behind: Arc<AtomicUsize>,
    /// Dropped with this entry, which tells the reader's task to end at once.
    _alive: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Shared {
    readers: Mutex<Vec<Reader>>,
    framing: Framing,
    max_behind: usize,
    /// The socket of readers, and where those go that [`Shared::welcome`] finds there. Whoever is let in is known before the next
    /// one looks.
    door: Mutex<StdListener>,
    found: mpsc::UnboundedSender<Welcomed>,
}

/// A reader's connection, which gets events from now on.
#[derive(Debug)]
struct Welcomed {
    stream: UnixStream,
    frames: mpsc::UnboundedReceiver<Bytes>,
    behind: Arc<AtomicUsize>,
    dropped: oneshot::Receiver<()>,
}

impl Shared {
    fn register(&self, stream: UnixStream) -> Welcomed {
        let (queue, frames) = mpsc::unbounded_channel::<Bytes>();
        let behind = Arc::new(AtomicUsize::new(0));
        let (alive, dropped) = oneshot::channel();
        self.readers.lock().push(Reader { queue, behind: Arc::clone(&behind), _alive: alive });
        Welcomed { stream, frames, behind, dropped }
    }

    /// Lets readers in that have connected: who does so before he fires an event gets whatever comes of it, however soon.
    fn welcome(&self) -> io::Result<()> {
        let door = self.door.lock();
        loop {
            match door.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    // The receiver goes with the bus.
                    let _ = self.found.send(self.register(UnixStream::from_std(stream)?));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) => return Err(e),
            }
        }
    }
}

/// The bus. Dropping it closes all connections and removes the socket files.
#[derive(Debug)]
pub struct EventBus {
    shared: Arc<Shared>,
    _files: [SocketFile; 2],
    // Dropping the set stops the accept loops, and those own the tasks of their connections.
    _loops: JoinSet<()>,
}

impl EventBus {
    /// Creates both sockets, in place of old ones.
    ///
    /// # Errors
    /// [`NetError::NotASocket`] when one of the paths is something else, [`NetError::Bind`].
    pub fn bind(options: EventBusOptions) -> Result<(Self, FiredEvents), NetError> {
        let (publisher, pub_file) = listen(&options.pub_path, options.pub_mode)?;
        let (puller, pull_file) = listen(&options.pull_path, options.pull_mode)?;
        let (found, arrivals) = mpsc::unbounded_channel();
        let bind_error = |source| NetError::Bind { addr: options.pub_path.display().to_string(), source };
        let shared = Arc::new(Shared {
            readers: Mutex::default(),
            framing: options.framing,
            max_behind: options.max_behind,
            door: Mutex::new(publisher.as_fd().try_clone_to_owned().map_err(bind_error)?.into()),
            found,
        });
        let (fired, events) = mpsc::channel(FIRED);
        let mut loops = JoinSet::new();
        loops.spawn(readers(publisher, arrivals, options.max_clients, Arc::clone(&shared)));
        let asked = Arc::clone(&shared);
        loops.spawn(accept(puller, options.max_clients, move |stream| {
            serve_sender(stream, Arc::clone(&asked), fired.clone(), options.max_body)
        }));
        Ok((Self { shared, _files: [pub_file, pull_file], _loops: loops }, FiredEvents { events }))
    }

    /// Sends an event body to every reader. Never waits: a reader too far behind is dropped.
    pub fn publish(&self, body: &[u8]) {
        let mut readers = self.shared.readers.lock();
        if readers.is_empty() {
            return;
        }
        let frame = encode_frame(body, self.shared.framing);
        readers.retain(|reader| {
            let behind = reader.behind.fetch_add(frame.len(), Ordering::Relaxed);
            // One event may be larger than the bound, if it is the only one.
            let fits = behind == 0 || behind.saturating_add(frame.len()) <= self.shared.max_behind;
            fits && reader.queue.send(frame.clone()).is_ok()
        });
    }

    /// Readers connected now, for as far as is known.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.shared.readers.lock().iter().filter(|r| !r.queue.is_closed()).count()
    }
}

/// A socket file of ours, removed when dropped, unless somebody has put another one in its place.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|m| (m.dev(), m.ino()) == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A listening unix socket with this mode from its first moment on.
fn listen(path: &Path, mode: u32) -> Result<(UnixListener, SocketFile), NetError> {
    let bind_error = |source| NetError::Bind { addr: path.display().to_string(), source };
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path).map_err(bind_error)?,
        Ok(_) => return Err(NetError::NotASocket(path.display().to_string())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(bind_error(e)),
    }
    let open = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        // Nobody can connect before listen(), so the mode is in force before the first client.
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        socket.listen(BACKLOG)?;
        let found = fs::symlink_metadata(path)?;
        let file = SocketFile { path: path.to_owned(), inode: (found.dev(), found.ino()) };
        Ok((UnixListener::from_std(StdListener::from(socket))?, file))
    };
    open().map_err(bind_error)
}

async fn accept<S, F>(listener: UnixListener, max: usize, serve: S)
where
    S: Fn(UnixStream) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() < max => {
                    connections.spawn(serve(stream));
                }
                Ok(_) => tracing::warn!("too many connections to the event bus"),
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves readers, whoever has let them in.
async fn readers(
    listener: UnixListener,
    mut found: mpsc::UnboundedReceiver<Welcomed>,
    max: usize,
    shared: Arc<Shared>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = poll_fn(|cx| {
            let _door = shared.door.lock();
            listener.poll_accept(cx).map_ok(|(stream, _)| shared.register(stream))
        });
        let reader = tokio::select! {
            accepted = accepted => match accepted {
                Ok(reader) => reader,
                Err(error) => {
                    tracing::warn!(%error, "accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            Some(reader) = found.recv() => reader,
            Some(_) = connections.join_next() => continue,
        };
        if connections.len() < max {
            connections.spawn(serve_reader(Arc::clone(&shared), reader));
        } else {
            tracing::warn!("too many connections to the event bus");
            drop(reader);
            shared.readers.lock().retain(|r| !r.queue.is_closed());
        }
    }
}

async fn serve_reader(shared: Arc<Shared>, reader: Welcomed) {
    let Welcomed { mut stream, mut frames, behind, dropped } = reader;
    let (mut input, output) = stream.split();
    let write = write_frames(output, &mut frames, &behind);
    let gone = async {
        // Readers have nothing to say; what they send is thrown away until they hang up.
        let mut scrap = [0; 256];
        while input.read(&mut scrap).await.is_ok_and(|n| n > 0) {}
    };
    tokio::select! {
        _ = write => {}
        () = gone => {}
        // What is queued is given up with it: the reader may never take it.
        _ = dropped => tracing::warn!("an event reader was too slow and has been dropped"),
    }
    drop(frames);
    shared.readers.lock().retain(|r| !r.queue.is_closed());
}

/// Writes frames until there are no more. In a burst those that wait are written together: a call of the system for each would cost more
/// than all else that is done with them.
async fn write_frames(
    mut output: WriteHalf<'_>,
    frames: &mut mpsc::UnboundedReceiver<Bytes>,
    behind: &AtomicUsize,
) -> io::Result<()> {
    let mut some = Vec::with_capacity(TOGETHER);
    while frames.recv_many(&mut some, TOGETHER).await > 0 {
        let mut joined = BytesMut::new();
        for frame in some.drain(..) {
            if joined.len() + frame.len() > JOINED {
                write(&mut output, &joined.split(), behind).await?;
            }
            if frame.len() > JOINED {
                write(&mut output, &frame, behind).await?;
            } else {
                joined.extend_from_slice(&frame);
            }
        }
        write(&mut output, &joined, behind).await?;
    }
    Ok(())
}

async fn write(output: &mut WriteHalf<'_>, bytes: &[u8], behind: &AtomicUsize) -> io::Result<()> {
    output.write_all(bytes).await?;
    behind.fetch_sub(bytes.len(), Ordering::Relaxed);
    Ok(())
}

/// What one program fires at most: it is slowed down, and a flood of its events leaves the machine's time to jobs.
struct Pace {
    count: u32,
    since: Instant,
}

impl Pace {
    fn new() -> Self {
        Self { count: 0, since: Instant::now() }
    }

    /// After each event.
    async fn step(&mut self) {
        self.count += 1;
        if self.count < STRIDE {
            return;
        }
        if let Some(rest) = STRIDE_TIME.checked_sub(self.since.elapsed()) {
            tokio::time::sleep(rest).await;
        }
        *self = Self::new();
    }
}

async fn serve_sender(
    stream: UnixStream,
    shared: Arc<Shared>,
    fired: mpsc::Sender<FiredEvent>,
    max_body: usize,
) {
    let Ok(sender) = stream.peer_cred() else { return };
    let (mut buffer, mut pace) = (BytesMut::new(), Pace::new());
    loop {
        match read_frame(&mut buffer, max_body) {
            Ok(Some(body)) => {
                if fired.send(FiredEvent { body, sender }).await.is_err() {
                    return;
                }
                pace.step().await;
                continue;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, uid = sender.uid(), "event bus: a sender broke the framing");
                return;
            }
        }
        if buffer.is_empty() {
            buffer = BytesMut::new();
        }
        if !read_more(&stream, &mut buffer).await.is_ok_and(|n| n > 0) {
            return;
        }
        // Whoever connected before one of these was sent has connected by now.
        if let Err(error) = shared.welcome() {
            tracing::warn!(%error, "accept");
        }
    }
}
