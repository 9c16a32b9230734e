//! Where masters are: what the options `master`, `master_port` and the `source_*` ones say. Names are resolved by the
//! sockets, anew at each attempt.

use brine_core::{Opts, Value};
use brine_net::Endpoint;
use std::net::{IpAddr, Ipv6Addr};

/// The options say nothing usable about the master.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddressError {
    /// `master` is empty or no text, list of texts.
    #[error(
        "Master address: '{0}' could not be resolved. Invalid or unresolveable address. Set 'master' value in minion config."
    )]
    NoMaster(String),
    /// `master_type` is none that exists.
    #[error("Invalid keyword '{0}' for variable 'master_type'")]
    MasterType(String),
    /// `master_type: func` needs a Python execution module.
    #[error("master_type 'func' is not supported: give 'master' as text or list")]
    Func,
}

/// How several masters are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Masters {
    /// `master_type: disable`: none.
    Disabled,
    /// Each on its own, all at once.
    Hot(Vec<String>),
    /// One at a time, in this order.
    Failover(Vec<String>),
}

/// Reads `master` and `master_type`.
pub fn masters(opts: &Opts) -> Result<Masters, AddressError> {
    let kind = opts.get("master_type").and_then(Value::as_str).unwrap_or("str");
    if kind == "disable" {
        return Ok(Masters::Disabled);
    }
    let text = |v: &Value| brine_core::text::python_str(v);
    let list: Vec<String> = match opts.get("master") {
        Some(Value::List(list)) => list.iter().map(text).filter(|m| !m.is_empty()).collect(),
        Some(Value::Str(one)) if !one.is_empty() => vec![one.clone()],
        _ => Vec::new(),
    };
    if list.is_empty() {
        return Err(AddressError::NoMaster(opts.get("master").map(text).unwrap_or_default()));
    }
    match kind {
        "str" => Ok(Masters::Hot(list)),
        "failover" => Ok(Masters::Failover(list)),
        "distributed" => Ok(Masters::Failover(distributed(list, opts.str("id")))),
        "func" => Err(AddressError::Func),
        other => Err(AddressError::MasterType(other.to_owned())),
    }
}

/// The list led by the master that this id's checksum picks.
fn distributed(list: Vec<String>, id: &str) -> Vec<String> {
    let preferred = list[crc32(id.as_bytes()) as usize % list.len()].clone();
    let rest = list.into_iter().filter(|m| *m != preferred);
    std::iter::once(preferred.clone()).chain(rest).collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
    })
}

/// Host and request port of a master as written in the options: `host`, `host:port`, `[v6]:port`, or a bare address.
pub fn host_port(master: &str, opts: &Opts) -> (String, u16) {
    let port = port_option(opts, "master_port").unwrap_or(4506);
    if opts.str("master_uri_format") == "ip_only" || master.parse::<Ipv6Addr>().is_ok() {
        return (master.to_owned(), port);
    }
    if let Some(rest) = master.strip_prefix('[')
        && let Some((host, tail)) = rest.split_once(']')
    {
        return (host.to_owned(), tail.strip_prefix(':').and_then(|p| p.parse().ok()).unwrap_or(port));
    }
    match master.rsplit_once(':') {
        Some((host, own)) if !host.contains(':') => match own.parse() {
            Ok(own) => (host.to_owned(), own),
            Err(_) => (master.to_owned(), port),
        },
        _ => (master.to_owned(), port),
    }
}

fn port_option(opts: &Opts, name: &str) -> Option<u16> {
    opts.int(name).and_then(|p| u16::try_from(p).ok())
}

/// The request port of a master, dialled from where the options say.
pub fn request_endpoint(master: &str, opts: &Opts) -> Endpoint {
    let (host, port) = host_port(master, opts);
    let source_port = port_option(opts, "source_ret_port").unwrap_or(0);
    Endpoint::new(host, port).from_source(source(opts), source_port)
}

/// The publish port of a master, given what its auth reply said: the minion's own option counts only where it differs
/// from its odd default 4506.
pub fn publish_endpoint(master: &str, opts: &Opts, announced: u16) -> Endpoint {
    let own = port_option(opts, "publish_port").filter(|p| *p != 4506);
    let source_port = port_option(opts, "source_publish_port").unwrap_or(0);
    Endpoint::new(host_port(master, opts).0, own.unwrap_or(announced)).from_source(source(opts), source_port)
}

/// `source_interface_name`, else `source_address`.
fn source(opts: &Opts) -> Option<IpAddr> {
    let interface = opts.str("source_interface_name");
    if interface.is_empty() {
        return opts.str("source_address").parse().ok();
    }
    let want_v6 = opts.flag("ipv6");
    let found = nix::ifaddrs::getifaddrs().ok()?.filter(|i| i.interface_name == interface).find_map(|i| {
        let address = i.address?;
        if want_v6 {
            address.as_sockaddr_in6().map(|a| IpAddr::V6(a.ip()))
        } else {
            address.as_sockaddr_in().map(|a| IpAddr::V4(a.ip()))
        }
    });
    if found.is_none() {
        tracing::warn!("{interface} is not a valid interface. Ignoring.");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    fn opts(map: brine_core::Map) -> Opts {
        Opts::new(map)
    }

    #[test]
    fn every_way_to_write_a_master() {
        let o = opts(map! {"master_port" => 4506});
        for (text, host, port) in [
            ("salt", "salt", 4506),
            ("salt:4606", "salt", 4606),
            ("192.0.2.1:1", "192.0.2.1", 1),
            ("[2001:db8::1]:77", "2001:db8::1", 77),
            ("[2001:db8::1]", "2001:db8::1", 4506),
            ("2001:db8::1", "2001:db8::1", 4506),
        ] {
            assert_eq!(host_port(text, &o), (host.to_owned(), port), "{text}");
        }
    }

    #[test]
    fn the_announced_publish_port_counts_unless_the_option_is_set() {
        assert_eq!(publish_endpoint("m", &opts(map! {"publish_port" => 4506}), 4505).port, 4505);
        assert_eq!(publish_endpoint("m", &opts(map! {"publish_port" => 5000}), 4505).port, 5000);
    }

    #[test]
    fn a_master_is_dialled_from_where_the_options_say() {
        let o = opts(map! {
            "source_address" => "127.0.0.2", "source_ret_port" => 4001, "source_publish_port" => 4002,
            "master_uri_format" => "ip_only", "master_port" => 4606,
        });
        let from = |port| Endpoint::new("m", 4606).from_source("127.0.0.2".parse().ok(), port);
        assert_eq!(request_endpoint("m", &o), from(4001));
        assert_eq!(publish_endpoint("m", &o, 4606), from(4002));
        assert_eq!(host_port("m:77", &o), ("m:77".to_owned(), 4606), "the whole text is the address");
        let interface = opts(map! {"source_interface_name" => "lo", "source_address" => "127.0.0.2"});
        let from = Endpoint::new("m", 4506).from_source("127.0.0.1".parse().ok(), 0);
        assert_eq!(request_endpoint("m", &interface), from);
    }

    #[test]
    fn kinds_of_masters() {
        let list = || vec!["a", "b"];
        assert_eq!(masters(&opts(map! {"master" => "a"})), Ok(Masters::Hot(vec!["a".into()])));
        assert_eq!(masters(&opts(map! {"master" => list()})), Ok(Masters::Hot(vec!["a".into(), "b".into()])));
        assert_eq!(
            masters(&opts(map! {"master" => list(), "master_type" => "failover"})),
            Ok(Masters::Failover(vec!["a".into(), "b".into()]))
        );
        assert_eq!(masters(&opts(map! {"master" => "a", "master_type" => "disable"})), Ok(Masters::Disabled));
        assert!(matches!(masters(&opts(map! {"master" => ""})), Err(AddressError::NoMaster(_))));
        assert!(masters(&opts(map! {"master" => "a", "master_type" => "x"})).is_err());
    }

    #[test]
    fn distributed_follows_the_checksum_of_the_id() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let list = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let chosen = distributed(list, "m1");
        assert_eq!(chosen.len(), 3);
        assert_eq!(chosen[0], ["a", "b", "c"][crc32(b"m1") as usize % 3]);
    }
}
