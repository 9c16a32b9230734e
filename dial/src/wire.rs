//! Connections to servers: TCP or a unix socket, TLS on top, deadlines, and a bound on what is read. No protocol.

use brine_core::call::CallError;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a connection may take to come about, where no option says otherwise.
pub const CONNECT: Duration = Duration::from_secs(10);
/// How long a reply may take as a whole.
pub const REPLY: Duration = Duration::from_secs(30);
/// The largest reply that is read: what all minions returned for a job comes in one.
pub const MAX_REPLY: usize = 128 << 20;

/// Why a server did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There is no connection.
    #[error("could not connect to {0}: {1}")]
    Connect(String, String),
    /// There is one, and it broke.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The server had its time.
    #[error("no reply within {0} seconds")]
    Late(u64),
    /// More than this is not read.
    #[error("the reply is larger than {0} bytes")]
    TooLarge(usize),
    /// What came is not what the protocol says.
    #[error("the reply makes no sense: {0}")]
    Nonsense(&'static str),
    /// The server's own words, with its code where it has codes.
    #[error("{text}")]
    Refused {
        /// SQLSTATE, MySQL's number, the first word of Redis, SMTP's code.
        code: String,
        /// What it says.
        text: String,
    },
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> Self {
        CallError::exception(
            match fault {
                Fault::Connect(..) => "salt.exceptions.SaltMasterError",
                _ => "salt.exceptions.SaltReturnerError",
            },
            fault.to_string(),
        )
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

/// A connection with a buffer. Each reply has a deadline and a bound, which begin anew with [`Wire::send`].
pub struct Wire {
    stream: Stream,
    buffer: Box<[u8]>,
    from: usize,
    to: usize,
    left: usize,
    until: Instant,
    reply: Duration,
}

/// Tries all addresses of a name, in turn.
pub fn tcp(host: &str, port: u16, timeout: Duration) -> Result<TcpStream, Fault> {
    let at = || format!("{host}:{port}");
    let mut why = "the name has no address".to_owned();
    for address in (host, port).to_socket_addrs().map_err(|e| Fault::Connect(at(), e.to_string()))? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(e) => why = e.to_string(),
        }
    }
    Err(Fault::Connect(at(), why))
}

impl Wire {
    /// A connection over TCP.
    pub fn tcp(host: &str, port: u16, timeout: Duration) -> Result<Self, Fault> {
        Self::of(Stream::Tcp(tcp(host, port, timeout)?))
    }

    /// A connection to a socket on this machine.
    pub fn unix(path: &Path) -> Result<Self, Fault> {
        let failed = |e: io::Error| Fault::Connect(path.display().to_string(), e.to_string());
        Self::of(Stream::Unix(UnixStream::connect(path).map_err(failed)?))
    }

    fn of(stream: Stream) -> Result<Self, Fault> {
        let mut wire = Self {
            stream,
            buffer: vec![0; 16 << 10].into(),
            from: 0,
            to: 0,
            left: MAX_REPLY,
            until: Instant::now() + REPLY,
            reply: REPLY,
        };
        let timeout = Some(REPLY);
        match &mut wire.stream {
            Stream::Tcp(s) => s.set_write_timeout(timeout)?,
            Stream::Unix(s) => s.set_write_timeout(timeout)?,
            Stream::Tls(_) => {}
        }
        Ok(wire)
    }

    /// Another time for a reply.
    #[cfg(test)]
    pub fn set_reply(&mut self, reply: Duration) {
        self.reply = reply;
        self.until = Instant::now() + reply;
    }

    /// Whether nobody on the way can read along: a unix socket, or TLS.
    pub fn is_private(&self) -> bool {
        !matches!(self.stream, Stream::Tcp(_))
    }

    /// The own address, if this is TCP.
    pub fn local_ip(&self) -> Option<std::net::IpAddr> {
        let socket = match &self.stream {
            Stream::Tcp(s) => s,
            Stream::Tls(s) => &s.sock,
            Stream::Unix(_) => return None,
        };
        socket.local_addr().ok().map(|address| address.ip())
    }

    /// Goes on in TLS. Nothing may have come that was not asked for: it would count as said in TLS.
    pub fn start_tls(self, host: &str, config: Arc<rustls::ClientConfig>) -> Result<Self, Fault> {
        if self.from != self.to {
            return Err(Fault::Nonsense("data before TLS"));
        }
        let Stream::Tcp(mut socket) = self.stream else {
            return Err(Fault::Nonsense("TLS is for TCP"));
        };
        let failed = |e: String| Fault::Connect(host.to_owned(), format!("TLS: {e}"));
        let name = crate::tls::name(host).map_err(failed)?;
        let mut connection =
            rustls::ClientConnection::new(config, name).map_err(|e| failed(e.to_string()))?;
        let until = Instant::now() + REPLY;
        while connection.is_handshaking() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Fault::Late(REPLY.as_secs()));
            }
            socket.set_read_timeout(Some(left))?;
            connection.complete_io(&mut socket).map_err(|e| failed(e.to_string()))?;
        }
        Self::of(Stream::Tls(Box::new(rustls::StreamOwned::new(connection, socket))))
    }

    /// Whether the other end still listens, in a protocol in which it says nothing. What it says all the same is dropped.
    pub fn is_open(&mut self) -> bool {
        let blocks = |stream: &Stream, blocks: bool| match stream {
            Stream::Tcp(s) => s.set_nonblocking(!blocks),
            Stream::Unix(s) => s.set_nonblocking(!blocks),
            Stream::Tls(s) => s.sock.set_nonblocking(!blocks),
        };
        let read = blocks(&self.stream, false).and_then(|()| match &mut self.stream {
            Stream::Tcp(s) => s.read(&mut self.buffer),
            Stream::Unix(s) => s.read(&mut self.buffer),
            Stream::Tls(s) => s.read(&mut self.buffer),
        });
        let open = match read {
            Ok(read) => read > 0,
            Err(e) => e.kind() == io::ErrorKind::WouldBlock,
        };
        open && blocks(&self.stream, true).is_ok()
    }

    /// Sends all of it. What comes from now on is a new reply.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.until = Instant::now() + self.reply;
        self.left = MAX_REPLY;
        let stream: &mut dyn Write = match &mut self.stream {
            Stream::Tcp(s) => s,
            Stream::Unix(s) => s,
            Stream::Tls(s) => s,
        };
        stream.write_all(bytes)?;
        Ok(stream.flush()?)
    }

    /// That many bytes; none is allocated for before the bound is asked.
    pub fn exact(&mut self, count: usize) -> Result<Vec<u8>, Fault> {
        if count > self.left {
            return Err(Fault::TooLarge(MAX_REPLY));
        }
        self.left -= count;
        // What is announced is not believed: memory is taken as data comes.
        let mut out = Vec::with_capacity(count.min(self.buffer.len()));
        while out.len() < count {
            let part = self.some()?;
            let take = part.min(count - out.len());
            out.extend_from_slice(&self.buffer[self.from..self.from + take]);
            self.from += take;
        }
        Ok(out)
    }

    /// A line without its end, of at most that many bytes.
    pub fn line(&mut self, most: usize) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        loop {
            self.some()?;
            let part = &self.buffer[self.from..self.to];
            let (take, ended) =
                part.iter().position(|b| *b == b'\n').map_or((part.len(), false), |at| (at + 1, true));
            if take > self.left || out.len() + take > most {
                return Err(Fault::TooLarge(most));
            }
            out.extend_from_slice(&part[..take]);
            self.left -= take;
            self.from += take;
            if ended {
                out.truncate(out.len() - if out.ends_with(b"\r\n") { 2 } else { 1 });
                return Ok(out);
            }
        }
    }

    /// Waits until the buffer holds something; how much.
    fn some(&mut self) -> Result<usize, Fault> {
        if self.from == self.to {
            let left = self.until.saturating_duration_since(Instant::now());
            let late = || Fault::Late(self.reply.as_secs());
            if left.is_zero() {
                return Err(late());
            }
            let read = match &mut self.stream {
                Stream::Tcp(s) => s.set_read_timeout(Some(left)).and_then(|()| s.read(&mut self.buffer)),
                Stream::Unix(s) => s.set_read_timeout(Some(left)).and_then(|()| s.read(&mut self.buffer)),
                Stream::Tls(s) => s.sock.set_read_timeout(Some(left)).and_then(|()| s.read(&mut self.buffer)),
            };
            self.from = 0;
            self.to = 0;
            self.to = match read {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => return self.some(),
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Err(late());
                }
                Err(e) => return Err(e.into()),
            };
        }
        Ok(self.to - self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tls;
    use std::net::TcpListener;

    fn pair() -> (Wire, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Wire::tcp("127.0.0.1", listener.local_addr().unwrap().port(), CONNECT).unwrap();
        (wire, listener.accept().unwrap().0)
    }

    #[test]
    fn a_reply_has_a_bound_and_a_deadline() {
        let (mut wire, mut server) = pair();
        wire.send(b"x").unwrap();
        server.write_all(b"ab\r\ncdef\nrest").unwrap();
        assert_eq!(wire.line(10).unwrap(), b"ab");
        assert_eq!(wire.line(10).unwrap(), b"cdef");
        assert_eq!(wire.exact(2).unwrap(), b"re");
        assert!(matches!(wire.line(1), Err(Fault::TooLarge(1))));
        assert!(matches!(wire.exact(MAX_REPLY), Err(Fault::TooLarge(MAX_REPLY))));
        wire.set_reply(Duration::from_millis(20));
        assert!(matches!(wire.exact(9), Err(Fault::Late(0))));
    }

    #[test]
    fn nothing_said_before_tls_counts_as_said_in_it() {
        let (mut wire, mut server) = pair();
        server.write_all(b"220 go\r\n250 planted\r\n").unwrap();
        assert_eq!(wire.line(99).unwrap(), b"220 go");
        let config = Tls::default().config().unwrap();
        assert!(matches!(wire.start_tls("localhost", config), Err(Fault::Nonsense("data before TLS"))));
    }
}
