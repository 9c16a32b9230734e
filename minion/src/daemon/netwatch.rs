//! Watches for changes of this machine's addresses and routes, so that a connection from an address that is gone is
//! given up at once, and a path that is back is used at once. Told by the kernel; nothing is polled.

use super::state::Minion;
use nix::sys::socket::{AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, socket};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixDatagram;

/// One change brings a burst of messages: looked at once it is over.
const SETTLE: Duration = Duration::from_millis(100);
/// A flapping link must not keep a minion busy.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// An attempt to connect gets so long before the next change may start it anew, or steady changes would keep a minion off.
const LEFT_ALONE: Duration = Duration::from_secs(4);

/// rtnetlink's multicast groups: links, and the addresses and routes of both families.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

/// Watches as long as the daemon lives.
pub(super) fn start(minion: &Arc<Minion>) {
    let watch = match Watch::new() {
        Ok(watch) => watch,
        Err(e) => {
            tracing::warn!("changes of the network are not noticed at once: {e}");
            return;
        }
    };
    let minion = minion.clone();
    tokio::spawn(async move {
        while watch.changed().await.is_ok() {
            tokio::time::sleep(SETTLE).await;
            watch.drain();
            let kicked = react(&minion);
            tokio::time::sleep(if kicked { LEFT_ALONE } else { AT_MOST_EVERY }).await;
        }
    });
}

/// Whether any connection was made to start anew.
fn react(minion: &Minion) -> bool {
    let mut kicked = false;
    for attached in minion.attached() {
        let path = attached.path();
        let now = path.as_ref().and_then(|path| source_towards(path.to));
        match answer_to(attached.is_connected(), path.and_then(|path| path.from), now) {
            Answer::Nothing => continue,
            Answer::Redial => attached.redial(),
            Answer::Kick(from) => {
                tracing::info!("the network has changed: connecting to master {} anew", attached.link.name());
                attached.kick(from);
            }
        }
        kicked = true;
    }
    kicked
}

/// What a change of the network means for the connections to one master.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Nothing,
    /// The attempt that waits its turn is made now. A request in flight may well be answered: its path is the same.
    Redial,
    /// What runs from the old address is lost.
    Kick(IpAddr),
}

/// Given our address as the routes chose it for the last connection, and as they choose it now.
fn answer_to(connected: bool, before: Option<IpAddr>, now: Option<IpAddr>) -> Answer {
    match (before, now) {
        (before, Some(now)) if before != Some(now) => Answer::Kick(now),
        // Connected, and no route to the master at the moment: the same address may come back, and TCP outlives that.
        _ if connected => Answer::Nothing,
        _ => Answer::Redial,
    }
}

/// The address that packets to this peer leave from, by the routes of now. Sends nothing.
pub(super) fn source_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(peer).ok()?;
    socket.local_addr().ok().map(|a| a.ip())
}

/// The kernel's routing socket. It is held as a datagram socket, which it is, since tokio knows no netlink.
struct Watch(UnixDatagram);

impl Watch {
    fn new() -> io::Result<Self> {
        let fd = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::NetlinkRoute,
        )?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, GROUPS))?;
        Ok(Self(UnixDatagram::from_std(fd.into())?))
    }

    /// Returns at the next change. What a message says does not matter, only that there is one.
    async fn changed(&self) -> io::Result<()> {
        match self.0.recv(&mut [0; 64]).await {
            // Messages were lost: something has changed.
            Err(e) if e.raw_os_error() == Some(nix::libc::ENOBUFS) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Forgets the messages that are there.
    fn drain(&self) {
        while self.0.try_recv(&mut [0; 64]).is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_path_is_found_without_sending() {
        let loopback = source_towards("127.0.0.1:9".parse().unwrap());
        assert_eq!(loopback, Some("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_connection_is_given_up_only_for_another_address() {
        let ip = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        assert_eq!(answer_to(true, ip(1), ip(1)), Answer::Nothing);
        assert_eq!(answer_to(true, ip(1), ip(2)), Answer::Kick(IpAddr::from([192, 0, 2, 2])));
        assert_eq!(answer_to(false, ip(1), ip(2)), Answer::Kick(IpAddr::from([192, 0, 2, 2])));
        assert_eq!(answer_to(true, ip(1), None), Answer::Nothing);
        assert_eq!(answer_to(false, ip(1), ip(1)), Answer::Redial, "an attempt that waits is made at once");
        assert_eq!(answer_to(false, None, None), Answer::Redial, "never connected");
    }

    #[tokio::test]
    async fn the_kernel_lets_us_listen() {
        Watch::new().unwrap().drain();
    }
}
