//! Where the minion's own event bus is, and firing on it and reading it from another program. The daemon's side is `daemon::bus`.

use brine_core::call::{CallError, Result};
use brine_core::host::Events;
use brine_core::schedule::reply_tag;
use brine_core::{Map, Opts, Value, map};
use brine_net::ipc::{Framing, encode_frame, read_frame};
use brine_protocol::crypt::HashType;
use brine_protocol::message::events::Event;
use bytes::BytesMut;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// The daemon reads at once, or something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Stock's patience for an answer.
const ANSWER: Duration = Duration::from_secs(30);

/// Bytes of an event, at most.
const LARGEST: usize = 8 << 20;

/// The sockets: to read events from, and to fire them to. Named after a hash of the id, which may be longer than a
/// socket's path can be.
pub(crate) fn paths(opts: &Opts) -> (PathBuf, PathBuf) {
    let hash = HashType::parse(opts.str("hash_type")).unwrap_or_default();
    let hex = hash.hex(opts.str("id").as_bytes());
    let short = hex.get(..10).unwrap_or(&hex);
    let dir = opts.path("sock_dir");
    (dir.join(format!("minion_event_{short}_pub.ipc")), dir.join(format!("minion_event_{short}_pull.ipc")))
}

/// An event as every sender makes it: with the time in its data.
pub(crate) fn stamped(tag: &str, mut data: Map) -> Event {
    data.insert("_stamp", Value::from(brine_core::jid::stamp(SystemTime::now())));
    Event::new(tag, data)
}

/// Fires an event at the daemon of these options, if it runs.
pub(crate) fn fire(opts: &Opts, tag: &str, data: Map) -> io::Result<()> {
    let mut stream = UnixStream::connect(paths(opts).1)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&encode_frame(&stamped(tag, data).to_body(), Framing::Prefixed))
}

/// Hands a request to the schedule of the daemon of these options, if it runs; returns the data of its answer, or None for a
/// request that has none.
pub(crate) fn ask_schedule(opts: &Opts, request: Map) -> io::Result<Option<Map>> {
    let answer = request.get_str("func").and_then(reply_tag);
    ask(opts, "manage_schedule", answer, request)
}

/// The same for its beacons.
pub(crate) fn ask_beacons(opts: &Opts, request: Map) -> io::Result<Option<Map>> {
    let answer = request.get_str("func").and_then(brine_beacons::manage::reply_tag);
    ask(opts, "manage_beacons", answer, request)
}

fn ask(opts: &Opts, what: &str, answer: Option<&str>, request: Map) -> io::Result<Option<Map>> {
    let Some(tag) = answer else {
        return fire(opts, what, request).map(|()| None);
    };
    let mut ears = Ears::at(&paths(opts).0)?;
    // That it hears us tells nothing of whether we hear it: it must have taken both connections.
    let call = format!("salt_call/{}/{}", std::process::id(), brine_core::jid::gen_jid(SystemTime::now()));
    let deadline = Instant::now() + PATIENCE;
    while ears.answer(&call, Duration::from_millis(50))?.is_none() {
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        fire(opts, &call, map! {})?;
    }
    fire(opts, what, request)?;
    ears.answer(tag, ANSWER)?.map(Some).ok_or_else(|| io::ErrorKind::TimedOut.into())
}

/// Reads the events of a bus on this machine: that of the daemon of these options, or a master's (`node`).
///
/// # Errors
/// When nobody serves there.
pub(crate) fn watch(opts: &Opts, node: &str, sock_dir: Option<&str>) -> Result<Box<dyn Events>> {
    let mut opts = opts.clone();
    if let Some(dir) = sock_dir {
        opts.map_mut().insert("sock_dir", dir);
    }
    let path = match node {
        "minion" => paths(&opts).0,
        "master" => opts.path("sock_dir").join("master_event_pub.ipc"),
        other => return Err(CallError::invocation(format!("there is no bus of a {other}"))),
    };
    let ears = Ears::at(&path).map_err(|e| CallError::Client(format!("{}: {e}", path.display())))?;
    Ok(Box::new(ears))
}

/// A reader of events.
struct Ears {
    stream: UnixStream,
    buffer: BytesMut,
}

impl Ears {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { stream: UnixStream::connect(path)?, buffer: BytesMut::new() })
    }

    /// The data of the next event of this tag, or None when the time is over.
    fn answer(&mut self, tag: &str, within: Duration) -> io::Result<Option<Map>> {
        let deadline = Instant::now() + within;
        while let Some(event) = self.event(deadline)? {
            if event.tag == tag {
                return Ok(Some(event.data));
            }
        }
        Ok(None)
    }

    /// The next event, or None when the time is over. What is no event is skipped.
    fn event(&mut self, deadline: Instant) -> io::Result<Option<Event>> {
        loop {
            while let Some(body) = read_frame(&mut self.buffer, LARGEST).map_err(io::Error::other)? {
                if let Ok(event) = Event::from_body(&body) {
                    return Ok(Some(event));
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut chunk = [0; 8192];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => self.buffer.extend_from_slice(&chunk[..n]),
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

impl Events for Ears {
    fn next(&mut self, until: Instant) -> Result<Option<(String, Map)>> {
        match self.event(until) {
            Ok(event) => Ok(event.map(|event| (event.tag, event.data))),
            Err(e) => Err(CallError::Client(format!("the event bus has ended: {e}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_named_as_stock_names_them() {
        let opts = Opts::new(map! {"id" => "m1", "hash_type" => "sha256", "sock_dir" => "/run/salt/minion"});
        // sha256("m1")
        let (publish, pull) = paths(&opts);
        assert_eq!(publish.to_str(), Some("/run/salt/minion/minion_event_ca0df2c95a_pub.ipc"));
        assert!(pull.to_str().unwrap().ends_with("_pull.ipc"));
    }
}
