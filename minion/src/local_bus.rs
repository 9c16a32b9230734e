//! Where the minion's own event bus is, and firing on it from another program. The daemon's side is `daemon::bus`.

use brine_core::{Map, Opts, Value};
use brine_net::ipc::{Framing, encode_frame};
use brine_protocol::crypt::HashType;
use brine_protocol::message::events::Event;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// The daemon reads at once, or something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(5);

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

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn sockets_are_named_as_stock_names_them() {
        let opts = Opts::new(map! {"id" => "m1", "hash_type" => "sha256", "sock_dir" => "/run/salt/minion"});
        // sha256("m1")
        let (publish, pull) = paths(&opts);
        assert_eq!(publish.to_str(), Some("/run/salt/minion/minion_event_ca0df2c95a_pub.ipc"));
        assert!(pull.to_str().unwrap().ends_with("_pull.ipc"));
    }
}
