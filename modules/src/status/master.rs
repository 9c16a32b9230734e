//! Functions of `status` about the minion's master; the minion's own schedule calls them.

use crate::grains_core::read;
use crate::network::tcp_row;
use brine_core::call::{Cx, Result, exec};
use brine_core::{Value, map};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The addresses of a host, if it has any.
fn addresses(host: &str, port: u16) -> Vec<std::net::SocketAddr> {
    (host, port).to_socket_addrs().map(Iterator::collect).unwrap_or_default()
}

/// Fires an event if the minion gets disconnected from its master, or connected anew: if what is (a connection to
/// the publish port) is not what `connected` expects.
///
/// CLI Example: salt '*' status.master master
#[exec]
fn master(cx: &Cx, master: Option<String>, #[default(true)] connected: Value) -> Result {
    let Some(master) = master.filter(|m| !m.is_empty()) else { return Ok(Value::Nil) };
    let port = cx.opts.int("publish_port").and_then(|p| u16::try_from(p).ok()).unwrap_or(4505);
    let wanted: Vec<IpAddr> = addresses(&master, port).iter().map(|a| a.ip()).collect();
    if wanted.is_empty() {
        return Ok(Value::Nil);
    }
    let is = remotes_on(port).iter().any(|ip| wanted.contains(ip));
    if connected != Value::Bool(is) {
        let tag = if is { "__master_connected" } else { "__master_disconnected" };
        tell(cx, tag, &master);
    }
    Ok(is.into())
}

/// Fires an event for the minion around; that there is none is no failure.
fn tell(cx: &Cx, tag: &str, master: &str) {
    if let Err(e) = cx.host.fire_local(tag, map! {"master" => master}) {
        tracing::debug!("{tag} was not fired: {e}");
    }
}

/// Where established connections to this port of others go.
fn remotes_on(port: u16) -> Vec<IpAddr> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(read::text)
        .flat_map(|t| t.lines().skip(1).filter_map(tcp_row).collect::<Vec<_>>())
        .filter(|row| row.state == 1 && row.remote.1 == port)
        .filter_map(|row| row.remote.0.parse().ok())
        .collect()
}

/// Whether a master's request port takes connections. If it does, fires the event that takes a failed-over minion
/// back to it.
///
/// CLI Example: salt '*' status.ping_master localhost
#[exec]
fn ping_master(cx: &Cx, master: Option<String>) -> Result<bool> {
    let Some(master) = master.filter(|m| !m.is_empty()) else { return Ok(false) };
    let default = cx.opts.int("master_port").and_then(|p| u16::try_from(p).ok()).unwrap_or(4506);
    let (host, port) = split_port(&master, default);
    let seconds =
        cx.opts.int("auth_timeout").and_then(|s| u64::try_from(s).ok()).filter(|s| *s > 0).unwrap_or(60);
    let each = Duration::from_secs(seconds.min(60));
    let answers = addresses(host, port).iter().take(4).any(|a| TcpStream::connect_timeout(a, each).is_ok());
    if answers {
        tell(cx, "__master_failback", &master);
    }
    Ok(answers)
}

/// `host:port` or `[v6]:port` taken apart.
fn split_port(master: &str, default: u16) -> (&str, u16) {
    match master.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => {
            (host.trim_matches(['[', ']']), port.parse().unwrap_or(default))
        }
        _ => (master.trim_matches(['[', ']']), default),
    }
}

/// Forces proxy minion reconnection when not alive. This minion is no proxy, so there is nothing to connect.
///
/// CLI Example: salt '*' status.proxy_reconnect rest_sample
#[exec]
fn proxy_reconnect(proxy_name: String, opts: Option<Value>) -> Result<bool> {
    let _asked = (proxy_name, opts);
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::call::Registry;
    use brine_core::host::NoHost;
    use brine_core::{Opts, map};
    use std::sync::Arc;

    #[test]
    fn a_connection_to_the_master_is_seen() {
        const HERE: &str = "127.77.3.9";
        let listener = std::net::TcpListener::bind((HERE, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let opts = Opts::new(map! {"publish_port" => i64::from(port), "master_port" => i64::from(port)});
        let cx = Cx::new(Arc::new(opts), Arc::new(Registry::default()), Arc::new(NoHost));
        let ask = || master(&cx, Some(HERE.into()), true.into()).unwrap();
        assert_eq!(ask(), false.into());
        let connection = TcpStream::connect((HERE, port)).unwrap();
        assert_eq!(ask(), true.into());
        drop(connection);
        assert!(ping_master(&cx, Some(HERE.into())).unwrap());
        drop(listener);
        // A program that a test beside this starts has the socket until it is another program.
        let gone = || !ping_master(&cx, Some(format!("{HERE}:{port}"))).unwrap();
        let pause = || std::thread::sleep(std::time::Duration::from_millis(20));
        assert!((0..100).any(|_| gone() || (pause(), false).1));
        assert_eq!(master(&cx, None, true.into()).unwrap(), Value::Nil);
    }

    #[test]
    fn masters_may_have_ports() {
        assert_eq!(split_port("a:1", 9), ("a", 1));
        assert_eq!(split_port("[::1]:2", 9), ("::1", 2));
        assert_eq!(split_port("::1", 9), ("::1", 9));
    }
}
