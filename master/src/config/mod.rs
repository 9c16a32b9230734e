//! The master's options, cut from stock's `master` file into one small typed config per part of the daemon.
//!
//! Nothing else in this crate reads the option map, but for what is passed on to minions as it stands. Options of later
//! work (TCP, TLS, syndics) are refused or warned about here, never silently ignored where
//! that would weaken security.

mod access;
mod net;
mod paths;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use brine_core::Opts;
use brine_core::options::Daemon;
use brine_protocol::crypt::{HashType, SigAlgo};
use brine_protocol::envelope::version_floor;
use brine_protocol::{Map, Value};

use crate::eauth::EauthConfig;
use crate::fs::Dir;
use crate::jobs::{Caps, JobsConfig};
use crate::keys::{AutoKeyConfig, MasterKeyConfig, UserKeysConfig};
use crate::minion_data::DataConfig;

pub use access::AccessConfig;
pub use net::{BusConfig, NetConfig};
pub use paths::Paths;

/// An option that cannot be used as it stands.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The value is not acceptable.
    #[error("option {key}: {what}")]
    Value {
        /// The option.
        key: &'static str,
        /// What is wrong.
        what: String,
    },
    /// What is said of alerts is not acceptable.
    #[error("{file}: {wrong}")]
    Alerts {
        /// The file of the master's options.
        file: String,
        /// Which key, and why.
        wrong: brine_alerts::conf::ConfError,
    },
}

pub(crate) fn bad(key: &'static str, what: impl Into<String>) -> ConfigError {
    ConfigError::Value { key, what: what.into() }
}

/// Everything the daemon needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// `id`, by default the host's name with `_master`.
    pub id: String,
    /// The user to run as.
    pub user: String,
    /// Directories and files.
    pub paths: Paths,
    /// Listening sockets.
    pub net: NetConfig,
    /// The event bus.
    pub bus: BusConfig,
    /// Who may do what.
    pub access: AccessConfig,
    /// External authentication and tokens.
    pub eauth: EauthConfig,
    /// The master's own keys.
    pub master_key: MasterKeyConfig,
    /// Automatic acceptance.
    pub auto_key: AutoKeyConfig,
    /// Local users' keys.
    pub user_keys: UserKeysConfig,
    /// The handshake.
    pub auth: AuthConfig,
    /// Publishing.
    pub publish: PublishConfig,
    /// The job store.
    pub jobs: JobsConfig,
    /// Cached grains, pillar and mine.
    pub data: DataConfig,
    /// Periodic work.
    pub upkeep: UpkeepConfig,
    /// Alerts, where there are to be any.
    pub alerts: Option<crate::alerts::AlertsConfig>,
    /// The options as read, for `_master_opts` and for runners.
    pub opts: Arc<Opts>,
}

/// Options of the handshake and of minions' requests.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// `open_mode`
    pub open_mode: bool,
    /// `max_minions`, 0 for no limit.
    pub max_minions: usize,
    /// `auth_events`
    pub events: bool,
    /// `auth_events_autosign_grains`: the acts whose events carry the grains that the minion claims.
    pub events_with_grains: BTreeSet<String>,
    /// `minimum_auth_version`
    pub minimum_version: u8,
    /// `request_server_ttl`, seconds; 0 for none.
    pub request_ttl: u64,
    /// `allow_minion_key_revoke`
    pub allow_revoke: bool,
    /// `require_minion_sign_messages`
    pub require_minion_signature: bool,
    /// `drop_messages_signature_fail`
    pub drop_bad_signature: bool,
    /// The algorithm of minions' own signatures (`signing_algorithm`; stock's master has no default for it).
    pub minion_sig_algo: SigAlgo,
    /// Life of a session key, and of the global key when rotated by time (`publish_session`).
    pub session_life: Duration,
}

/// Options of publishing.
#[derive(Clone, Debug)]
pub struct PublishConfig {
    /// `sign_pub_messages`, with `publish_signing_algorithm`.
    pub sign: Option<SigAlgo>,
    /// `zmq_filtering`
    pub filtering: bool,
    /// `master_id`
    pub master_id: Option<Value>,
    /// `nodegroups`
    pub nodegroups: Map,
    /// `unique_jid`
    pub unique_jid: bool,
}

/// Options of periodic work.
#[derive(Clone, Debug)]
pub struct UpkeepConfig {
    /// `loop_interval`
    pub interval: Duration,
    /// `presence_events`
    pub presence_events: bool,
    /// `ping_on_rotate`
    pub ping_on_rotate: bool,
    /// `rotate_aes_key`: whether a deleted or rejected key is followed by a rotation.
    pub rotate_on_delete: bool,
}

impl Config {
    /// Cuts the options apart. Keys that are absent count with their defaults.
    ///
    /// # Errors
    /// When a value cannot be used.
    pub fn from_opts(given: Opts) -> Result<Self, ConfigError> {
        let mut all = Daemon::Master.defaults();
        all.update(given.map().clone());
        let opts = Opts::new(all);
        let paths = Paths::from_opts(&opts);
        let id = match opts.str("id") {
            "" => format!("{}_master", host_name()),
            id => id.to_owned(),
        };
        let hash = HashType::parse(opts.str("hash_type"))
            .ok_or_else(|| bad("hash_type", format!("unknown hash {:?}", opts.str("hash_type"))))?;
        let algo = |key: &'static str| match opts.str(key) {
            "" => Ok(SigAlgo::default()),
            name => SigAlgo::parse(name).ok_or_else(|| bad(key, format!("unknown algorithm {name:?}"))),
        };
        let access = AccessConfig::from_opts(&opts)?;
        let eauth = EauthConfig::from_opts(&opts, Dir::at(&paths.token_dir), hash)?;
        let user = match opts.str("user") {
            "" => "root".to_owned(),
            user => user.to_owned(),
        };
        let seconds = |key: &'static str, default: i64| {
            Duration::from_secs(u64::try_from(opts.int(key).unwrap_or(default)).unwrap_or(0))
        };
        let text = |key: &str| Some(opts.str(key)).filter(|s| !s.is_empty()).map(str::to_owned);
        Ok(Self {
            master_key: MasterKeyConfig {
                pki_dir: paths.pki_dir.clone(),
                own_name: id.strip_suffix("_master").unwrap_or(&id).to_owned(),
                keysize: usize::try_from(opts.int("keysize").unwrap_or(2048)).unwrap_or(2048),
                key_pass: text("key_pass"),
                sign_pubkey: opts.flag("master_sign_pubkey"),
                sign_key_name: text("master_sign_key_name").unwrap_or_else(|| "master_sign".into()),
                signing_key_pass: text("signing_key_pass"),
                use_pubkey_signature: opts.flag("master_use_pubkey_signature"),
                pubkey_signature: text("master_pubkey_signature")
                    .unwrap_or_else(|| "master_pubkey_signature".into()),
            },
            auto_key: AutoKeyConfig {
                auto_accept: opts.flag("auto_accept"),
                autosign_file: text("autosign_file").map(Into::into),
                autoreject_file: text("autoreject_file").map(Into::into),
                autosign_grains_dir: text("autosign_grains_dir").map(Into::into),
                stubs: Dir::at(paths.pki_dir.join("minions_autosign")),
                stub_timeout: u64::try_from(opts.int("autosign_timeout").unwrap_or(120)).unwrap_or(0),
                permissive: opts.flag("permissive_pki_access"),
                groups: crate::start::groups_of(&user),
            },
            user_keys: UserKeysConfig {
                dir: Dir::at(&paths.cachedir),
                master_user: user.clone(),
                acl_users: access.publisher_acl.keys().filter_map(|k| Some(k.as_str()?.to_owned())).collect(),
                verify: opts.flag("client_acl_verify"),
            },
            auth: AuthConfig {
                open_mode: opts.flag("open_mode"),
                max_minions: usize::try_from(opts.int("max_minions").unwrap_or(0)).unwrap_or(0),
                events: opts.flag("auth_events"),
                events_with_grains: opts
                    .get("auth_events_autosign_grains")
                    .and_then(Value::as_list)
                    .map(|acts| acts.iter().filter_map(|act| Some(act.as_str()?.to_owned())).collect())
                    .unwrap_or_default(),
                minimum_version: match opts.int("minimum_auth_version").unwrap_or(3) {
                    version @ 0..=255 => version_floor(version),
                    _ => return Err(bad("minimum_auth_version", "is no protocol version")),
                },
                request_ttl: u64::try_from(opts.int("request_server_ttl").unwrap_or(0)).unwrap_or(0),
                allow_revoke: opts.flag("allow_minion_key_revoke"),
                require_minion_signature: opts.flag("require_minion_sign_messages"),
                drop_bad_signature: opts.flag("drop_messages_signature_fail"),
                minion_sig_algo: algo("signing_algorithm")?,
                session_life: seconds("publish_session", 86400),
            },
            publish: PublishConfig {
                sign: opts
                    .flag("sign_pub_messages")
                    .then(|| algo("publish_signing_algorithm"))
                    .transpose()?,
                filtering: opts.flag("zmq_filtering"),
                master_id: opts.get("master_id").filter(|v| !v.is_nil()).cloned(),
                nodegroups: opts.get("nodegroups").and_then(Value::as_map).cloned().unwrap_or_default(),
                unique_jid: opts.flag("unique_jid"),
            },
            jobs: JobsConfig {
                cachedir: paths.cachedir.clone(),
                hash,
                keep_returns: opts.flag("job_cache"),
                return_files: opts.flag("job_cache_files"),
                caps: Caps {
                    max_age: u64::try_from(opts.keep_jobs_seconds()).unwrap_or(0),
                    max_bytes: u64::try_from(opts.int("job_store_max_size").unwrap_or(2048))
                        .unwrap_or(0)
                        .max(16)
                        << 20,
                },
            },
            data: DataConfig::of(&opts, paths.cachedir.clone()),
            upkeep: UpkeepConfig {
                interval: seconds("loop_interval", 60).max(Duration::from_secs(1)),
                presence_events: opts.flag("presence_events"),
                ping_on_rotate: opts.flag("ping_on_rotate"),
                rotate_on_delete: opts.flag("rotate_aes_key"),
            },
            alerts: crate::alerts::AlertsConfig::from_opts(&opts)?,
            net: NetConfig::from_opts(&opts)?,
            bus: BusConfig::from_opts(&opts, &paths)?,
            access,
            eauth,
            id,
            user,
            paths,
            opts: Arc::new(opts),
        })
    }
}

fn host_name() -> String {
    nix::unistd::gethostname().ok().and_then(|n| n.into_string().ok()).unwrap_or_else(|| "localhost".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;

    #[test]
    fn defaults_are_stocks() {
        let config = Config::from_opts(Opts::default()).unwrap();
        assert!(config.id.ends_with("_master"));
        assert_eq!(config.auth.minimum_version, 3);
        assert_eq!(config.auth.session_life, Duration::from_secs(86400));
        assert!(config.publish.sign.is_some() && !config.publish.filtering);
        assert!(config.auth.allow_revoke && config.auth.events && config.data.enabled);
        assert_eq!(config.jobs.caps.max_age, 86400);
        assert_eq!(config.upkeep.interval, Duration::from_secs(60));
    }

    #[test]
    fn versions_that_sign_nothing_are_never_let_in() {
        let version = |n: i64| {
            let given = Opts::new(map! {"minimum_auth_version" => n});
            Config::from_opts(given).map(|config| config.auth.minimum_version).ok()
        };
        let versions = [-1, 0, 1, 2, 3, 256].map(version);
        assert_eq!(versions, [None, Some(2), Some(2), Some(2), Some(3), None]);
    }

    #[test]
    fn hours_count_when_only_they_were_set() {
        let age = |m| Config::from_opts(Opts::new(m)).unwrap().jobs.caps.max_age;
        assert_eq!(age(map! {"keep_jobs" => 1}), 3600);
        assert_eq!(age(map! {"keep_jobs" => 1, "keep_jobs_seconds" => 7}), 7);
        assert_eq!(age(map! {"keep_jobs_seconds" => 0}), 0);
    }

    #[test]
    fn what_cannot_be_honoured_is_an_error() {
        for m in [
            map! {"hash_type" => "crc32"},
            map! {"publish_signing_algorithm" => "x"},
            map! {"transport" => "tcp"},
            map! {"ssl" => true},
            map! {"event_pub_framing" => 3009},
            map! {"order_masters" => true},
            map! {"cluster_id" => "c"},
            map! {"publisher_acl" => Value::List(vec![])},
            map! {"external_auth" => map! {"pam" => "x"}},
            map! {"minimum_auth_version" => 300},
            map! {"publish_port" => 70000},
        ] {
            assert!(Config::from_opts(Opts::new(m.clone())).is_err(), "{m:?}");
        }
    }
}
