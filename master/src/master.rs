//! What all parts of the running master share.
//!
//! One value, made at start and handed around by reference count. Each field guards itself; nothing here holds two locks
//! at once, but for the publisher, which takes the key while it holds its counter.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use brine_core::jid::JidSource;
use brine_net::{PubServer, Vouch};
use brine_protocol::auth::master::MasterCredentials;
use brine_protocol::crypt::{AesKey, PublicKey};
use brine_protocol::ids::{Jid, MinionId};
use brine_protocol::replay::{ReplayWindow, VersionRatchet};
use brine_protocol::request::{RequestKeys, RequestMemory};
use parking_lot::{Mutex, RwLock};

use crate::config::Config;
use crate::events::Events;
use crate::gate::AuthGate;
use crate::jobs::Jobs;
use crate::keys::{AutoKey, KeyState, KeyStore, UserKeys};
use crate::minion_data::MinionData;
use crate::presence::Presence;
use crate::publish::Publisher;
use crate::sessions::Sessions;

/// Independent parts of what is remembered of requests, so that they do not wait for each other.
const SHARDS: usize = 16;
/// Nonces remembered in each.
const NONCES: usize = 4096;
/// How long, in seconds.
const NONCE_LIFE: u64 = 86_400;

/// The running master.
#[derive(Debug)]
pub struct Master {
    /// The options.
    pub config: Config,
    /// Minions' keys.
    pub keys: KeyStore,
    /// Automatic acceptance.
    pub auto_key: AutoKey,
    /// The master's key and the global key.
    pub credentials: RwLock<MasterCredentials>,
    /// Session keys.
    pub sessions: Sessions,
    /// Local users' keys.
    pub users: UserKeys,
    /// The job store.
    pub jobs: Jobs,
    /// The event bus.
    pub events: Events,
    /// The publish port.
    pub port: Arc<PubServer>,
    /// Tells the request port from where minions have proved themselves.
    pub vouch: Vouch,
    port_vouch: Vouch,
    /// Sends jobs out.
    pub publisher: Publisher,
    /// Who is connected.
    pub presence: Presence,
    /// Grains, pillar and mine.
    pub data: MinionData,
    /// The gate before `_auth`.
    pub gate: AuthGate,
    /// Addresses of this host.
    pub local: LocalAddrs,
    jids: JidSource,
    memory: Box<[Mutex<RequestMemory>]>,
}

/// What [`Master::new`] puts together, beside the options.
#[derive(Debug)]
pub struct Parts {
    /// The master's key and the global key.
    pub credentials: MasterCredentials,
    /// Local users' keys.
    pub users: UserKeys,
    /// The job store.
    pub jobs: Jobs,
    /// The event bus.
    pub events: Events,
    /// The publish port.
    pub port: Arc<PubServer>,
    /// How to vouch for addresses at the request port.
    pub vouch: Vouch,
}

impl Master {
    /// Notes that somebody has proved himself from this address: both ports bear with it from now on.
    pub fn vouch_for(&self, from: IpAddr) {
        self.vouch.vouch(from);
        self.port_vouch.vouch(from);
    }

    /// Puts the parts together.
    pub fn new(config: Config, parts: Parts) -> Arc<Self> {
        let keys = KeyStore::at(&config.paths.pki_dir);
        let memory = || RequestMemory {
            replay: ReplayWindow::new(NONCES, NONCE_LIFE),
            versions: VersionRatchet::default(),
        };
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Self {
            auto_key: AutoKey::new(config.auto_key.clone()),
            credentials: RwLock::new(parts.credentials),
            sessions: Sessions::at(
                crate::fs::Dir::at(config.paths.cachedir.join("sessions")),
                config.auth.session_life,
            ),
            users: parts.users,
            jobs: parts.jobs,
            events: parts.events,
            publisher: Publisher::new(parts.port.clone(), config.publish.clone()),
            port_vouch: parts.port.vouching(),
            port: parts.port,
            vouch: parts.vouch,
            presence: Presence::default(),
            data: MinionData::new(config.data.clone(), keys.clone(), config.publish.nodegroups.clone()),
            gate: AuthGate::new(cpus / 2),
            local: LocalAddrs,
            jids: JidSource::new(config.publish.unique_jid.then(std::process::id)),
            memory: (0..SHARDS).map(|_| Mutex::new(memory())).collect(),
            keys,
            config,
        })
    }

    /// A job id nobody has had yet.
    pub fn new_jid(&self) -> Jid {
        let text = self.jids.next(SystemTime::now());
        Jid::parse(&text).unwrap_or_else(|_| Jid::from_micros(0))
    }

    /// What is remembered of the requests of one minion.
    pub fn memory(&self, id: &MinionId) -> &Mutex<RequestMemory> {
        let mut hasher = DefaultHasher::new();
        id.as_str().hash(&mut hasher);
        let n = usize::try_from(hasher.finish() % self.memory.len() as u64).unwrap_or(0);
        &self.memory[n]
    }

    /// Removes a minion's accepted key and what hangs on it: its session, its data unless told to preserve them, and
    /// what was remembered. Other states of the key stay.
    ///
    /// # Errors
    /// When the key cannot be removed.
    pub fn delete_key(&self, id: &MinionId, preserve_data: bool) -> std::io::Result<bool> {
        let was = self.keys.remove(KeyState::Accepted, id)?;
        self.forget_key(id);
        if !preserve_data {
            self.data.forget(id);
        }
        Ok(was)
    }

    /// What hangs on an accepted key that was taken away: the session, and what was remembered of the minion.
    pub fn forget_key(&self, id: &MinionId) {
        self.sessions.end(id);
        self.presence.forget(id);
        self.memory(id).lock().versions.forget(id);
    }
}

/// The keys a request is checked with, read afresh.
#[derive(Debug)]
pub struct Keys<'a>(pub &'a Master);

impl RequestKeys for Keys<'_> {
    fn session(&self, id: &MinionId) -> Option<AesKey> {
        self.0.sessions.get(id)
    }

    fn global(&self) -> AesKey {
        self.0.credentials.read().aes().clone()
    }

    fn accepted(&self, id: &MinionId) -> Option<PublicKey> {
        let pem = self.0.keys.read(KeyState::Accepted, id).ok()??;
        PublicKey::from_pem(&pem).ok()
    }
}

/// The addresses of this host.
#[derive(Clone, Copy, Debug)]
pub struct LocalAddrs;

impl LocalAddrs {
    /// Whether an address is one of this host's own. The system is asked each time: addresses come and go.
    pub fn contains(self, addr: IpAddr) -> bool {
        let addr = addr.to_canonical();
        if addr.is_loopback() {
            return true;
        }
        let Ok(interfaces) = nix::ifaddrs::getifaddrs() else { return false };
        interfaces.filter_map(|i| i.address).any(|a| {
            let own = a
                .as_sockaddr_in()
                .map(|a| IpAddr::from(a.ip()))
                .or_else(|| a.as_sockaddr_in6().map(|a| IpAddr::from(a.ip())));
            own == Some(addr)
        })
    }
}
