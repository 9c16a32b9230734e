//! What the connection to one master takes from the options, cut out once and typed.

use super::address;
use brine_core::{Map, Opts, Value};
use brine_net::{Backoff, Endpoint, Heartbeat, ReqOptions, SubOptions, TcpOptions};
use brine_protocol::auth::minion::AuthOptions;
use brine_protocol::crypt::{EncAlgo, HashType, SigAlgo};
use brine_protocol::ids::{MinionId, topic};
use bytes::Bytes;
use std::time::Duration;

/// An option's value cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("option {name}: '{value}' is not valid or not supported")]
pub struct BadOption {
    name: &'static str,
    value: String,
}

/// The settings of one link.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// The master as configured.
    pub master: String,
    /// Its request port.
    pub endpoint: Endpoint,
    /// The handshake.
    pub auth: AuthOptions,
    /// `auth_timeout`
    pub auth_timeout: Duration,
    /// `auth_tries`
    pub auth_tries: u32,
    /// `master_sign_key_name`
    pub master_sign_key_name: String,
    /// `minion_sign_messages`
    pub sign_messages: bool,
    /// Sockets of the request port.
    pub req_options: ReqOptions,
}

impl LinkSettings {
    /// Settings of the daemon's link to a master.
    pub fn new(master: &str, id: &MinionId, opts: &Opts, grains: &Map) -> Result<Self, BadOption> {
        let transport = opts.str("transport").to_lowercase();
        if !matches!(transport.as_str(), "" | "zeromq" | "detect") {
            return Err(BadOption { name: "transport", value: transport });
        }
        Ok(Self {
            master: master.to_owned(),
            endpoint: address::request_endpoint(master, opts),
            auth: auth_options(id, opts, grains)?,
            auth_timeout: seconds(opts, "auth_timeout", 5.0),
            auth_tries: tries(opts, "auth_tries", 7),
            master_sign_key_name: opts.str("master_sign_key_name").to_owned(),
            sign_messages: opts.flag("minion_sign_messages"),
            req_options: ReqOptions {
                tcp: tcp(opts),
                backoff: backoff(opts),
                heartbeat: heartbeat(opts),
                ..ReqOptions::default()
            },
        })
    }
}

/// Our PINGs, on both ports: a dead path is noticed after at most 7 s, since a master answers PING whether it sends its
/// own or not. `zmq_heartbeat_ivl` and `zmq_heartbeat_timeout` (milliseconds), stock's options for masters, serve a
/// minion on a metered line; an interval of 0 sends none.
fn heartbeat(opts: &Opts) -> Option<Heartbeat> {
    let millis = |name: &str, default: u64| {
        Duration::from_millis(opts.int(name).and_then(|n| u64::try_from(n).ok()).unwrap_or(default))
    };
    let ivl = millis("zmq_heartbeat_ivl", 2_000);
    (!ivl.is_zero()).then(|| Heartbeat::new(ivl, millis("zmq_heartbeat_timeout", 5_000)))
}

/// Sockets of the publish port.
pub fn sub_options(id: &MinionId, opts: &Opts) -> SubOptions {
    let subscriptions = if opts.flag("zmq_filtering") {
        vec![Bytes::from_static(b"broadcast"), Bytes::from(topic(id))]
    } else {
        vec![Bytes::new()]
    };
    SubOptions {
        subscriptions,
        identity: Bytes::copy_from_slice(id.as_str().as_bytes()),
        backoff: backoff(opts),
        heartbeat: heartbeat(opts),
        tcp: tcp(opts),
        ..SubOptions::default()
    }
}

fn auth_options(id: &MinionId, opts: &Opts, grains: &Map) -> Result<AuthOptions, BadOption> {
    let mut auth = AuthOptions::new(id.clone());
    if opts.flag("encryption_algorithm") {
        auth.enc_algo = parsed(opts, "encryption_algorithm", EncAlgo::parse)?;
    }
    if opts.flag("signing_algorithm") {
        auth.sig_algo = parsed(opts, "signing_algorithm", SigAlgo::parse)?;
    }
    if opts.flag("hash_type") {
        auth.hash_type = parsed(opts, "hash_type", HashType::parse)?;
    }
    if let Some(Value::List(names)) = opts.get("autosign_grains").filter(|v| v.truthy()) {
        let named = names.iter().filter_map(Value::as_str);
        auth.autosign_grains = Some(named.map(|n| (n, grains.get(n).cloned().unwrap_or_default())).collect());
    }
    auth.verify_master_pubkey_sign = opts.flag("verify_master_pubkey_sign");
    auth.always_verify_signature = opts.flag("always_verify_signature");
    // Only the value True itself, as in stock.
    auth.open_mode = opts.get("open_mode") == Some(&Value::Bool(true));
    auth.master_finger = Some(opts.str("master_finger").to_owned()).filter(|f| !f.is_empty());
    Ok(auth)
}

fn parsed<T>(opts: &Opts, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T, BadOption> {
    parse(opts.str(name)).ok_or_else(|| BadOption { name, value: opts.str(name).to_owned() })
}

/// A number of seconds from an option, fractions allowed.
pub fn seconds(opts: &Opts, name: &str, default: f64) -> Duration {
    let value = opts.float(name).filter(|s| *s >= 0.0).unwrap_or(default);
    Duration::try_from_secs_f64(value).unwrap_or(Duration::from_secs_f64(default))
}

/// How long a minion waits before it asks again whether its key is accepted, at first and at most.
pub fn acceptance_waits(opts: &Opts) -> (Duration, Duration) {
    let first = seconds(opts, "acceptance_wait_time", 10.0);
    (first, seconds(opts, "acceptance_wait_time_max", 0.0).max(first))
}

/// A number of attempts from an option; at least one.
pub fn tries(opts: &Opts, name: &str, default: u32) -> u32 {
    opts.int(name).and_then(|n| u32::try_from(n).ok()).unwrap_or(default).max(1)
}

fn tcp(opts: &Opts) -> TcpOptions {
    let positive = |name: &str| opts.int(name).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
    TcpOptions {
        keepalive: opts.get("tcp_keepalive").is_none_or(Value::truthy),
        idle: positive("tcp_keepalive_idle").map(Duration::from_secs),
        intvl: positive("tcp_keepalive_intvl").map(Duration::from_secs),
        cnt: positive("tcp_keepalive_cnt").and_then(|n| u32::try_from(n).ok()),
        ..TcpOptions::default()
    }
}

/// `recon_max` bounds the wait between attempts, yet never above 3 s: a path that is back is to be in use within 10 s.
/// The first wait is short whatever `recon_default` says, since waits grow; they are random unless `recon_randomize` is
/// false.
fn backoff(opts: &Opts) -> Backoff {
    let millis =
        |name: &str, default: u64| opts.int(name).and_then(|n| u64::try_from(n).ok()).map_or(default, |n| n);
    let max = millis("recon_max", 10_000).clamp(200, 3_000);
    let min = millis("recon_default", 1_000).clamp(50, 500).min(max);
    let random = opts.get("recon_randomize").is_none_or(Value::truthy);
    Backoff { min: Duration::from_millis(min), max: Duration::from_millis(max), random }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn options_become_settings() {
        let id = MinionId::parse("m1").unwrap();
        let opts = Opts::new(map! {
            "master_port" => 4606, "auth_timeout" => 2, "encryption_algorithm" => "OAEP-SHA224",
            "tcp_keepalive_idle" => 30, "tcp_keepalive_cnt" => -1, "recon_max" => 1000,
            "autosign_grains" => vec!["uuid", "none"], "open_mode" => 1,
        });
        let s = LinkSettings::new("master", &id, &opts, &map! {"uuid" => "u"}).unwrap();
        assert_eq!(s.endpoint.port, 4606);
        assert_eq!(s.auth_timeout, Duration::from_secs(2));
        assert_eq!(s.auth.enc_algo, EncAlgo::OaepSha224);
        assert_eq!(s.auth.autosign_grains, Some(map! {"uuid" => "u", "none" => Value::Nil}));
        assert!(!s.auth.open_mode);
        assert_eq!(s.req_options.tcp.idle, Some(Duration::from_secs(30)));
        assert_eq!(s.req_options.tcp.cnt, None);
        assert_eq!(s.req_options.backoff.max, Duration::from_secs(1));
        let bad = Opts::new(map! {"signing_algorithm" => "none"});
        assert!(LinkSettings::new("m", &id, &bad, &Map::new()).is_err());
        let tcp = Opts::new(map! {"transport" => "tcp"});
        assert!(LinkSettings::new("m", &id, &tcp, &Map::new()).is_err(), "not passed over in silence");
    }

    #[test]
    fn each_option_of_a_connection_counts() {
        let id = MinionId::parse("m1").unwrap();
        let opts = Opts::new(map! {
            "auth_tries" => 2, "master_sign_key_name" => "n", "minion_sign_messages" => true,
            "recon_default" => 300, "recon_max" => 2000, "recon_randomize" => false, "tcp_keepalive" => false,
            "tcp_keepalive_idle" => 30, "tcp_keepalive_intvl" => 7, "tcp_keepalive_cnt" => 4,
            "verify_master_pubkey_sign" => true, "always_verify_signature" => true, "master_finger" => "ab:cd",
            "open_mode" => true, "hash_type" => "sha512", "signing_algorithm" => "PKCS1v15-SHA224",
        });
        let s = LinkSettings::new("master", &id, &opts, &Map::new()).unwrap();
        assert_eq!((s.auth_tries, s.master_sign_key_name.as_str(), s.sign_messages), (2, "n", true));
        let Backoff { min, max, random } = s.req_options.backoff;
        assert_eq!((min.as_millis(), max.as_millis(), random), (300, 2000, false));
        let tcp = &s.req_options.tcp;
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!((tcp.keepalive, tcp.idle, tcp.intvl, tcp.cnt), (false, seconds(30), seconds(7), Some(4)));
        let auth = &s.auth;
        assert!(auth.verify_master_pubkey_sign && auth.always_verify_signature && auth.open_mode);
        assert_eq!((auth.master_finger.as_deref(), auth.hash_type), (Some("ab:cd"), HashType::Sha512));
        assert_eq!(auth.sig_algo, SigAlgo::Pkcs1v15Sha224);
        let waits = Opts::new(map! {"acceptance_wait_time" => 2, "acceptance_wait_time_max" => 30});
        assert_eq!(acceptance_waits(&waits), (Duration::from_secs(2), Duration::from_secs(30)));
        assert_eq!(tries(&Opts::new(map! {"request_channel_tries" => 5}), "request_channel_tries", 3), 5);
    }

    #[test]
    fn heartbeats_are_frequent_unless_told_otherwise() {
        assert_eq!(heartbeat(&Opts::default()).map(|h| h.ivl), Some(Duration::from_secs(2)));
        let slow = Opts::new(map! {"zmq_heartbeat_ivl" => 60_000, "zmq_heartbeat_timeout" => 90_000});
        assert_eq!(heartbeat(&slow).map(|h| h.timeout), Some(Duration::from_secs(90)));
        assert!(heartbeat(&Opts::new(map! {"zmq_heartbeat_ivl" => 0})).is_none());
    }

    #[test]
    fn topics_only_with_zmq_filtering() {
        let id = MinionId::parse("m1").unwrap();
        assert_eq!(sub_options(&id, &Opts::default()).subscriptions, [Bytes::new()]);
        let filtering = Opts::new(map! {"zmq_filtering" => true});
        assert_eq!(sub_options(&id, &filtering).subscriptions.len(), 2);
    }
}
