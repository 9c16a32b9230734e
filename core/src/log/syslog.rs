//! A log that goes to syslog: `log_file: file:///dev/log`, `udp://host:port`, each with a facility at its end if
//! wanted (`file:///dev/log/LOG_DAEMON`). Lines are dropped rather than waited for.

use super::Level;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long lines are dropped after a host could not be reached.
const BETWEEN_LOOKUPS: Duration = Duration::from_secs(10);

/// Where syslog listens, and under which facility lines are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    place: Place,
    facility: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Socket(PathBuf),
    Udp(String, u16),
}

/// The facilities as Python knows them.
const FACILITIES: [(&str, u8); 24] = [
    ("KERN", 0),
    ("USER", 1),
    ("MAIL", 2),
    ("DAEMON", 3),
    ("AUTH", 4),
    ("SYSLOG", 5),
    ("LPR", 6),
    ("NEWS", 7),
    ("UUCP", 8),
    ("CRON", 9),
    ("AUTHPRIV", 10),
    ("FTP", 11),
    ("NTP", 12),
    ("SECURITY", 13),
    ("CONSOLE", 14),
    ("SOLCRON", 15),
    ("LOCAL0", 16),
    ("LOCAL1", 17),
    ("LOCAL2", 18),
    ("LOCAL3", 19),
    ("LOCAL4", 20),
    ("LOCAL5", 21),
    ("LOCAL6", 22),
    ("LOCAL7", 23),
];

impl Syslog {
    /// Reads the address in `log_file`; `None` when it is no address of a syslog that can be reached so. The error
    /// is stock's text.
    pub fn parse(address: &str) -> Option<Result<Self, String>> {
        let (scheme, rest) = address.split_once("://")?;
        let at = rest.find('/').unwrap_or(rest.len());
        let (host, path) = rest.split_at(at);
        let path = Path::new(path);
        let last = path.file_stem().unwrap_or_default().to_string_lossy().to_uppercase();
        let (place, facility) = match scheme {
            "file" if last.starts_with("LOG_") => (Place::Socket(path.parent()?.to_owned()), last),
            "file" if path.is_absolute() => (Place::Socket(path.to_owned()), "LOG_USER".to_owned()),
            "udp" => {
                let (host, port) = match host.rsplit_once(':') {
                    Some((host, port)) => (host, port.parse().ok()?),
                    None => (host, 514),
                };
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let facility = if last.is_empty() { "LOG_USER".to_owned() } else { last };
                (Place::Udp(host, port), facility)
            }
            _ => return None,
        };
        let number = FACILITIES.iter().find(|(name, _)| facility.strip_prefix("LOG_") == Some(name));
        Some(match number {
            Some((_, facility)) => Ok(Self { place, facility: *facility }),
            None => Err(format!("The syslog facility '{facility}' is not known")),
        })
    }
}

/// A way to syslog, opened when there is something to send.
#[derive(Debug)]
pub(super) struct SyslogSender {
    to: Syslog,
    socket: Option<Socket>,
    /// Said once for each outage.
    complained: bool,
    /// No attempt before this: looking up a name may take long.
    not_before: Option<Instant>,
}

#[derive(Debug)]
enum Socket {
    Unix(UnixDatagram),
    Udp(UdpSocket),
}

impl SyslogSender {
    pub(super) fn new(to: Syslog) -> Self {
        Self { to, socket: None, complained: false, not_before: None }
    }

    /// Sends a line. Where there is no syslog, stderr is told, in stock's words.
    pub(super) fn send(&mut self, level: Level, line: &str) {
        if self.not_before.is_some_and(|then| Instant::now() < then) {
            return;
        }
        let packet = format!("<{}>{line}\0", self.to.facility << 3 | severity(level));
        // A syslog that was restarted has another socket at the same place: one more attempt.
        let result = self.attempt(packet.as_bytes()).or_else(|_| {
            self.socket = None;
            self.attempt(packet.as_bytes())
        });
        match result {
            Ok(_) => (self.complained, self.not_before) = (false, None),
            Err(e) if e.kind() == io::ErrorKind::NotFound && !self.complained => {
                self.complained = true;
                let text = "[WARNING ] The log_file does not exist. Logging not setup correctly or syslog service not started.";
                let _nobody_left_to_tell = writeln!(io::stderr(), "{text}");
            }
            Err(_) if matches!(self.to.place, Place::Udp(..)) => {
                self.not_before = Some(Instant::now() + BETWEEN_LOOKUPS);
            }
            Err(_) => {}
        }
    }

    fn attempt(&mut self, packet: &[u8]) -> io::Result<usize> {
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => none.insert(open(&self.to.place)?),
        };
        match socket {
            Socket::Unix(socket) => socket.send(packet),
            Socket::Udp(socket) => socket.send(packet),
        }
    }
}

fn open(place: &Place) -> io::Result<Socket> {
    match place {
        Place::Socket(path) => {
            let socket = UnixDatagram::unbound()?;
            socket.connect(path)?;
            // A syslog that does not read must not stop the program.
            socket.set_nonblocking(true)?;
            Ok(Socket::Unix(socket))
        }
        Place::Udp(host, port) => {
            let any = if host.contains(':') { "[::]:0" } else { "0.0.0.0:0" };
            let socket = UdpSocket::bind(any)?;
            socket.connect((host.as_str(), *port))?;
            socket.set_nonblocking(true)?;
            Ok(Socket::Udp(socket))
        }
    }
}

/// Syslog's severity of a level, as Python maps it: what it has no name for is a warning.
fn severity(level: Level) -> u8 {
    match level {
        Level::Critical => 2,
        Level::Error => 3,
        Level::Info => 6,
        Level::Debug => 7,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_in_stock() {
        let socket = |path: &str, facility| Some(Ok(Syslog { place: Place::Socket(path.into()), facility }));
        let udp =
            |host: &str, port, facility| Some(Ok(Syslog { place: Place::Udp(host.into(), port), facility }));
        assert_eq!(Syslog::parse("file:///dev/log"), socket("/dev/log", 1));
        assert_eq!(Syslog::parse("file:///dev/log/LOG_DAEMON"), socket("/dev/log", 3));
        assert_eq!(Syslog::parse("udp://127.0.0.1"), udp("127.0.0.1", 514, 1));
        assert_eq!(Syslog::parse("udp://[::1]:99/LOG_LOCAL3"), udp("::1", 99, 19));
        assert_eq!(
            Syslog::parse("file:///dev/log/LOG_NONE"),
            Some(Err("The syslog facility 'LOG_NONE' is not known".into()))
        );
        for other in ["/var/log/salt/minion", "tcp://h:1", "http://h", "file://x"] {
            assert_eq!(Syslog::parse(other), None, "{other}");
        }
    }

    #[test]
    fn lines_carry_their_priority_and_find_a_restarted_syslog() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut sender = SyslogSender::new(Syslog { place: Place::Socket(path.clone()), facility: 3 });
        sender.send(Level::Error, "lost");
        assert!(sender.complained);
        for text in ["one", "two"] {
            let _ = std::fs::remove_file(&path);
            let server = UnixDatagram::bind(&path).unwrap();
            sender.send(Level::Error, text);
            let mut buffer = [0; 64];
            let n = server.recv(&mut buffer).unwrap();
            assert_eq!(buffer[..n], *format!("<27>{text}\0").as_bytes());
        }
        assert!(!sender.complained);
    }
}
