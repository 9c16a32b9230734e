//! `syslog`: messages of RFC 5424, over a unix socket, UDP (RFC 5426), TCP (RFC 6587, counted) or TLS (RFC 5425).
//!
//! Syslog has no answers: what a connection took before it broke may be lost, and only a unix socket says that nobody is there.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use brine_dial::Wire;

use crate::conf::{ConfError, Keys};
use crate::queue::Item;
use crate::sinks::text::{date, label, one_line, summary};
use crate::sinks::{Around, Kind, Outcome, Sink};
use crate::{Notice, Status};

pub(super) static KIND: Kind = Kind {
    name: "syslog",
    doc: "Sends a message of RFC 5424 for each alert.",
    keys: &[
        ("to", "unix:/dev/log (the default), udp://host:514, tcp://host:601 or tls://host:6514"),
        ("facility", "daemon, user, local0 to local7, auth, ... (daemon)"),
        ("app", "the name of the program in the message (brine)"),
        ("ca, cert, key, verify", "TLS"),
    ],
    batch: 100,
    group_wait: None,
    rate: None,
    make,
};

const CONNECT: Duration = Duration::from_secs(5);
/// What every receiver has to take over UDP is 480 bytes, what it should take 2048 (RFC 5424, 6.1).
const LONGEST: usize = 2048;

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "security", "console", "clock", "local0", "local1", "local2", "local3", "local4", "local5",
    "local6", "local7",
];

enum To {
    Unix(PathBuf),
    Udp(String),
    Stream { host: String, port: u16, tls: Option<Arc<rustls::ClientConfig>>, open: Option<Wire> },
}

struct Syslog {
    to: To,
    facility: usize,
    app: String,
    host: String,
}

fn make(keys: &mut Keys<'_>, _: &Around) -> Result<Box<dyn Sink>, ConfError> {
    let to = keys.text("to")?.unwrap_or_else(|| "unix:/dev/log".into());
    let named = keys.text("facility")?.unwrap_or_else(|| "daemon".into());
    let facility = FACILITIES.iter().position(|name| *name == named);
    let facility = facility.ok_or_else(|| keys.error("facility", format!("there is no {named:?}")))?;
    let app = keys.text("app")?.unwrap_or_else(|| "brine".into());
    if app.is_empty() || app.len() > 48 || !app.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(keys.error("app", "has to be a word of at most 48 letters"));
    }
    let tls = keys.tls()?.config().map_err(|e| ConfError::new(keys.at(), e.to_string()))?;
    let to = destination(&to, tls).ok_or_else(|| {
        keys.error("to", "has to be unix:/path, udp://host:port, tcp://host:port or tls://host:port")
    })?;
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let host = host.filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic()));
    Ok(Box::new(Syslog { to, facility, app, host: host.unwrap_or_else(|| "-".into()) }))
}

fn destination(text: &str, tls: Arc<rustls::ClientConfig>) -> Option<To> {
    if let Some(path) = text.strip_prefix("unix:") {
        return path.starts_with('/').then(|| To::Unix(path.into()));
    }
    let (scheme, rest) = text.split_once("://")?;
    let (host, port) = rest.rsplit_once(':')?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return None;
    }
    match scheme {
        "udp" => Some(To::Udp(rest.to_owned())),
        "tcp" => Some(To::Stream { host: host.to_owned(), port, tls: None, open: None }),
        "tls" => Some(To::Stream { host: host.to_owned(), port, tls: Some(tls), open: None }),
        _ => None,
    }
}

fn severity(notice: &Notice) -> usize {
    match (notice.status, label(notice, "severity")) {
        (Status::Resolved, _) => 5,
        (Status::Firing, "critical" | "page") => 2,
        (Status::Firing, "error") => 3,
        (Status::Firing, "info") => 6,
        (Status::Firing, _) => 4,
    }
}

/// A parameter of structured data: a name of at most 32 letters, and a value with `"`, `\` and `]` escaped.
fn param(out: &mut String, name: &str, value: &str) {
    let name: String =
        name.chars().filter(|c| c.is_ascii_graphic() && !"=]\"".contains(*c)).take(32).collect();
    if name.is_empty() {
        return;
    }
    *out += &format!(" {name}=\"");
    for c in one_line(value).chars() {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

impl Syslog {
    fn message(&self, item: &Item) -> String {
        let notice = &item.notice;
        let pri = self.facility * 8 + severity(notice);
        // 32473 is the number for examples (RFC 5612): we have none of our own.
        let mut data = "[alert@32473".to_owned();
        param(&mut data, "id", &item.id);
        param(&mut data, "status", notice.status.text());
        for (name, value) in &notice.labels {
            let before = data.len();
            param(&mut data, name, value);
            if data.len() > LONGEST / 2 {
                data.truncate(before);
                break;
            }
        }
        data.push(']');
        let mut text = format!(
            "<{pri}>1 {} {} {} {} alert {data} {}: {}",
            date(item.put_at),
            self.host,
            self.app,
            std::process::id(),
            notice.status.text(),
            summary(notice),
        );
        text.truncate(text.floor_char_boundary(LONGEST));
        text
    }

    fn write(&mut self, messages: &[String]) -> Result<(), String> {
        match &mut self.to {
            To::Unix(path) => {
                let failed = |e: std::io::Error| format!("{}: {e}", path.display());
                let socket = UnixDatagram::unbound().map_err(failed)?;
                socket.set_write_timeout(Some(CONNECT)).map_err(failed)?;
                messages
                    .iter()
                    .try_for_each(|text| socket.send_to(text.as_bytes(), &*path).map(drop))
                    .map_err(failed)
            }
            To::Udp(to) => {
                let failed = |e: std::io::Error| format!("{to}: {e}");
                let address = std::net::ToSocketAddrs::to_socket_addrs(&*to).map_err(failed)?.next();
                let address = address.ok_or_else(|| format!("{to}: the name has no address"))?;
                let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any).map_err(failed)?;
                messages
                    .iter()
                    .try_for_each(|text| socket.send_to(text.as_bytes(), address).map(drop))
                    .map_err(failed)
            }
            To::Stream { host, port, tls, open } => {
                // One that has gone away is noticed before anything is lost to it.
                let kept = open.take().and_then(|mut wire| wire.is_open().then_some(wire));
                let mut wire = match kept {
                    Some(wire) => wire,
                    None => {
                        let wire = Wire::tcp(host, *port, CONNECT).map_err(|e| e.to_string())?;
                        match tls {
                            None => wire,
                            Some(tls) => wire.start_tls(host, Arc::clone(tls)).map_err(|e| e.to_string())?,
                        }
                    }
                };
                let all: String = messages.iter().map(|text| format!("{} {text}", text.len())).collect();
                wire.send(all.as_bytes()).map_err(|e| e.to_string())?;
                *open = Some(wire);
                Ok(())
            }
        }
    }
}

impl Sink for Syslog {
    fn send(&mut self, batch: &[Item]) -> Outcome {
        let messages: Vec<String> = batch.iter().map(|item| self.message(item)).collect();
        match self.write(&messages) {
            Ok(()) => Outcome::Delivered,
            Err(why) => Outcome::Retry(None, why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::text::tests::item;
    use std::io::Read;

    fn sink(to: To) -> Syslog {
        Syslog { to, facility: 3, app: "brine".into(), host: "h".into() }
    }

    #[test]
    fn a_message_is_that_of_the_rfc() {
        let one =
            item(7, Status::Firing, &[("alertname", "A"), ("severity", "critical"), ("x", "a]\"\\\nb")]);
        let text = sink(To::Unix("/x".into())).message(&one);
        let pid = std::process::id();
        assert_eq!(
            text,
            format!(
                "<26>1 2023-11-14T22:13:20Z h brine {pid} alert [alert@32473 id=\"id-7\" status=\"firing\" alertname=\"A\" \
                 severity=\"critical\" x=\"a\\]\\\"\\\\ b\"] firing: A severity=critical x=a]\"\\ b"
            )
        );
        let long = item(7, Status::Firing, &[("alertname", &"\u{e4}".repeat(3000))]);
        assert!(sink(To::Unix("/x".into())).message(&long).len() <= LONGEST);
    }

    #[test]
    fn every_way_takes_whole_messages() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let one = [
            item(1, Status::Firing, &[("alertname", "A")]),
            item(2, Status::Resolved, &[("alertname", "A")]),
        ];
        let mut unix = sink(To::Unix(path.clone()));
        // Nobody is there yet.
        assert!(matches!(unix.send(&one), Outcome::Retry(None, _)));
        let socket = UnixDatagram::bind(&path).unwrap();
        assert_eq!(unix.send(&one), Outcome::Delivered);
        let mut buffer = [0; 4096];
        let read = socket.recv(&mut buffer).unwrap();
        assert!(std::str::from_utf8(&buffer[..read]).unwrap().contains("id-1"));

        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(sink(To::Udp(udp.local_addr().unwrap().to_string())).send(&one), Outcome::Delivered);
        let read = udp.recv(&mut buffer).unwrap();
        assert!(buffer[..read].starts_with(b"<28>1 "));

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tcp = sink(To::Stream { host: "127.0.0.1".into(), port, tls: None, open: None });
        for _ in 0..2 {
            assert_eq!(tcp.send(&one), Outcome::Delivered);
            let mut stream = listener.accept().unwrap().0;
            let read = stream.read(&mut buffer).unwrap();
            let text = std::str::from_utf8(&buffer[..read]).unwrap();
            let (count, rest) = text.split_once(' ').unwrap();
            let (first, second) = rest.split_at(count.parse().unwrap());
            assert!(first.starts_with("<28>1 ") && second.contains(" <29>1 "), "{text}");
            // A server that went away is noticed before anything is lost to it.
            drop(stream);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    #[test]
    fn a_destination_is_one_of_four() {
        let tls = brine_dial::Tls::default().config().unwrap();
        for good in ["unix:/dev/log", "udp://h:514", "tcp://[::1]:601", "tls://h:6514"] {
            assert!(destination(good, Arc::clone(&tls)).is_some(), "{good}");
        }
        for bad in ["/dev/log", "unix:log", "udp://h", "tcp://:1", "http://h:1", "tls://h:0"] {
            assert!(destination(bad, Arc::clone(&tls)).is_none(), "{bad}");
        }
    }
}
