//! Where the master listens: the two ports, and the event bus.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use brine_core::Opts;
use brine_net::ipc::Framing;
use brine_net::{Heartbeat, TcpOptions};
use brine_protocol::Value;

use super::{ConfigError, Paths, bad};

/// Bytes that a reader of the bus may be behind at most.
const MOST_BEHIND: usize = 128 << 20;

/// The two ports.
#[derive(Clone, Debug)]
pub struct NetConfig {
    /// Where minions subscribe (`interface`, `publish_port`).
    pub publish: SocketAddr,
    /// Where requests come in (`interface`, `ret_port`).
    pub request: SocketAddr,
    /// TCP options of the publish port.
    pub publish_tcp: TcpOptions,
    /// TCP options of the request port.
    pub request_tcp: TcpOptions,
    /// PINGs to subscribers.
    pub heartbeat: Option<Heartbeat>,
    /// `pub_hwm`; where that is 0, for no limit, more than anybody will queue.
    pub hwm: usize,
    /// `max_open_files`
    pub max_open_files: u64,
}

/// The event bus.
#[derive(Clone, Debug)]
pub struct BusConfig {
    /// `master_event_pub.ipc`
    pub pub_path: PathBuf,
    /// `master_event_pull.ipc`
    pub pull_path: PathBuf,
    /// Mode of the first.
    pub pub_mode: u32,
    /// `event_pub_framing`
    pub framing: Framing,
    /// Largest event taken from other processes.
    pub max_body: usize,
    /// `ipc_write_buffer`: bytes that a reader may be behind before it is dropped.
    pub max_behind: usize,
    /// `max_event_size`: bytes above which large values in the master's own events are cut.
    pub max_event: usize,
}

impl NetConfig {
    pub(super) fn from_opts(opts: &Opts) -> Result<Self, ConfigError> {
        match opts.str("transport") {
            "zeromq" | "" => {}
            other => return Err(bad("transport", format!("{other:?} is not supported yet, only zeromq"))),
        }
        if opts.flag("ssl") {
            return Err(bad(
                "ssl",
                "is not supported yet, and running without it would not be what was asked",
            ));
        }
        if opts.str("ipc_mode") == "tcp" {
            return Err(bad("ipc_mode", "tcp is not supported: local sockets have owners, ports have none"));
        }
        if opts.flag("transport_opts") {
            return Err(bad("transport_opts", "is not supported yet; there is one transport, zeromq"));
        }
        if opts.flag("cluster_id") {
            return Err(bad("cluster_id", "clusters of masters are not supported"));
        }
        if opts.flag("order_masters") {
            return Err(bad("order_masters", "syndics are not supported yet"));
        }
        let interface = match opts.str("interface") {
            "" => "0.0.0.0".to_owned(),
            text => text.trim_matches(['[', ']']).to_owned(),
        };
        let interface = if interface == "0.0.0.0" && opts.flag("ipv6") { "::".into() } else { interface };
        let port = |key: &'static str, default: i64| {
            u16::try_from(opts.int(key).unwrap_or(default)).map_err(|_| bad(key, "is no port number"))
        };
        let ip =
            resolve(&interface).ok_or_else(|| bad("interface", format!("{interface:?} has no address")))?;
        let publish_tcp = tcp(opts, TcpOptions::default());
        let request_tcp = TcpOptions { backlog: publish_tcp.backlog, ..TcpOptions::request_server() };
        let millis = |key: &str, default: i64| {
            Duration::from_millis(u64::try_from(opts.int(key).unwrap_or(default)).unwrap_or(0))
        };
        let ivl = millis("zmq_heartbeat_ivl", 10_000);
        Ok(Self {
            publish: SocketAddr::new(ip, port("publish_port", 4505)?),
            request: SocketAddr::new(ip, port("ret_port", 4506)?),
            publish_tcp,
            request_tcp,
            heartbeat: (!ivl.is_zero()).then(|| Heartbeat::new(ivl, millis("zmq_heartbeat_timeout", 30_000))),
            hwm: match usize::try_from(opts.int("pub_hwm").unwrap_or(1000)).unwrap_or(1000) {
                // No limit to ZeroMQ.
                0 => 1 << 20,
                n => n,
            },
            max_open_files: u64::try_from(opts.int("max_open_files").unwrap_or(100_000)).unwrap_or(100_000),
        })
    }
}

fn resolve(interface: &str) -> Option<IpAddr> {
    interface
        .parse()
        .ok()
        .or_else(|| (interface, 0).to_socket_addrs().ok().and_then(|mut a| a.next()).map(|a| a.ip()))
}

/// Salt's `tcp_keepalive*` and `zmq_backlog`; -1 leaves the system's value.
fn tcp(opts: &Opts, default: TcpOptions) -> TcpOptions {
    let positive = |key: &str| opts.int(key).and_then(|n| u64::try_from(n).ok());
    let count = |n: u64| u32::try_from(n).ok();
    TcpOptions {
        keepalive: opts.get("tcp_keepalive").is_none_or(Value::truthy),
        idle: positive("tcp_keepalive_idle").map(Duration::from_secs),
        intvl: positive("tcp_keepalive_intvl").map(Duration::from_secs),
        cnt: positive("tcp_keepalive_cnt").and_then(count),
        backlog: positive("zmq_backlog").and_then(count).unwrap_or(default.backlog),
        ..default
    }
}

impl BusConfig {
    pub(super) fn from_opts(opts: &Opts, paths: &Paths) -> Result<Self, ConfigError> {
        let framing = match opts.get("event_pub_framing") {
            None | Some(Value::Nil) => Framing::Prefixed,
            Some(_) => match opts.int("event_pub_framing") {
                Some(3006) => Framing::Prefixed,
                Some(3007 | 3008) => Framing::Bare,
                _ => return Err(bad("event_pub_framing", "must be 3006 or 3007")),
            },
        };
        let shared = opts.flag("publisher_acl") || opts.flag("external_auth");
        Ok(Self {
            pub_path: paths.socket("master_event_pub.ipc"),
            pull_path: paths.socket("master_event_pull.ipc"),
            pub_mode: if shared || framing == Framing::Bare { 0o660 } else { 0o600 },
            framing,
            max_body: 100 << 20,
            // To stock 0 is no bound; a reader that has stopped would then take all memory.
            max_behind: match opts.int("ipc_write_buffer").and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
            {
                0 => MOST_BEHIND,
                n => n.min(MOST_BEHIND),
            },
            max_event: match opts.int("max_event_size").unwrap_or(1 << 20) {
                // No bound from 3007 on; to 3006 everything is larger than nothing.
                0 if framing == Framing::Bare => usize::MAX,
                n => usize::try_from(n).unwrap_or(0),
            },
        })
    }
}
