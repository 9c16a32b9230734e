//! What all parts of the running master share.
//!
//! One value, made at start and handed around by reference count. Each field guards itself; nothing here holds two locks
//! at once, but for the publisher, which takes the key while it holds its counter.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use brine_core::jid::JidSource;
use brine_files::FileServer;
use brine_net::{PubServer, Vouch};
use brine_protocol::auth::master::MasterCredentials;
use brine_protocol::crypt::{AesKey, PublicKey};
use brine_protocol::envelope::RequestError;
use brine_protocol::ids::{Jid, MinionId};
use brine_protocol::replay::{ReplayWindow, VersionRatchet};
use brine_protocol::request::{MinionRequest, Proof, Proved, RequestKeys, RequestMemory};
use parking_lot::{Mutex, RwLock};

use crate::alerts::Alerts;
use crate::config::Config;
use crate::eauth::Service;
use crate::events::Events;
use crate::expected::{Expected, Watched};
use crate::gate::AuthGate;
use crate::inventory::Owed;
use crate::jobs::{Jobs, MinionRow};
use crate::keys::{AutoKey, KeyMark, KeyState, KeyStore, UserKeys};
use crate::metrics::Metrics;
use crate::minion_data::MinionData;
use crate::nonces::{Nonces, Seen};
use crate::pillar_pool::PillarPool;
use crate::presence::Presence;
use crate::publish::Publisher;
use crate::records::Records;
use crate::returners::Outlets;
use crate::runs::Runs;
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
    /// External authentication and tokens.
    pub eauth: Service,
    /// The job store.
    pub jobs: Jobs,
    /// The file server.
    pub files: Arc<FileServer>,
    /// The event bus.
    pub events: Events,
    /// Returners that get jobs, returns and events beside store and bus.
    pub outlets: Outlets,
    /// What matters to people, and silences.
    pub alerts: Alerts,
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
    /// What is known of minions' keys.
    pub records: Records,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What runs of runners and wheel functions share.
    pub(crate) runs: Runs,
    /// Compiles pillar.
    pub(crate) pillar_pool: PillarPool,
    /// Who is to fetch its pillar.
    pub(crate) owed: Owed,
    /// Keeps quiet about what jobs disturb, if the options want it.
    pub(crate) expected: OnceLock<Expected>,
    /// Jobs whose end is waited for.
    pub(crate) watched: Watched,
    nonces: Nonces,
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
    /// Returners beside store and bus.
    pub outlets: Outlets,
    /// Alerts and silences.
    pub alerts: Alerts,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The publish port.
    pub port: Arc<PubServer>,
    /// How to vouch for addresses at the request port.
    pub vouch: Vouch,
    /// What the store knows of minions' keys.
    pub minions: Vec<MinionRow>,
    /// The nonces seen, and those from before the start.
    pub nonces: (Nonces, Vec<Seen>),
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
        let mut memory: Box<[RequestMemory]> = (0..SHARDS).map(|_| memory()).collect();
        let (nonces, seen) = parts.nonces;
        for Seen { shard, at, key } in seen {
            if let Some(memory) = memory.get_mut(usize::from(shard)) {
                memory.replay.restore(key, at);
            }
        }
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Self {
            auto_key: AutoKey::new(config.auto_key.clone()),
            credentials: RwLock::new(parts.credentials),
            sessions: Sessions::at(
                crate::fs::Dir::at(config.paths.cachedir.join("sessions")),
                config.auth.session_life,
            ),
            users: parts.users,
            eauth: Service::new(config.eauth.clone()),
            records: Records::new(parts.minions, parts.jobs.clone()),
            jobs: parts.jobs,
            files: FileServer::new(&config.opts),
            events: parts.events,
            outlets: parts.outlets,
            alerts: parts.alerts,
            metrics: parts.metrics,
            publisher: Publisher::new(parts.port.clone(), config.publish.clone()),
            port_vouch: parts.port.vouching(),
            port: parts.port,
            vouch: parts.vouch,
            presence: Presence::default(),
            data: MinionData::new(config.data.clone(), keys.clone(), config.publish.nodegroups.clone()),
            gate: AuthGate::new(cpus / 2),
            local: LocalAddrs,
            jids: JidSource::new(config.publish.unique_jid.then(std::process::id)),
            memory: memory.into_iter().map(Mutex::new).collect(),
            nonces,
            keys,
            runs: Runs::new(config.opts.clone()),
            pillar_pool: PillarPool::default(),
            owed: Owed::default(),
            expected: OnceLock::new(),
            watched: Watched::default(),
            config,
        })
    }

    /// A job id nobody has had yet.
    pub fn new_jid(&self) -> Jid {
        self.jids.next(SystemTime::now())
    }

    /// Lets a proved request through, or not: see [`Proved::admit`]. What has to be remembered of it is on disk then.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn admit(
        &self,
        proved: Proved,
        key: Option<KeyMark>,
        now: u64,
    ) -> Result<MinionRequest, RequestError> {
        let id = proved.minion().clone();
        let shard = shard_of(&id);
        let (request, seen) = {
            let mut memory = self.memory[shard].lock();
            if let Some(key) = key {
                // What counts is known of this key and outlives a restart.
                memory.versions.forget(&id);
                memory.versions.note(&id, self.records.version(&id, key));
            }
            let before = memory.replay.newest();
            let request = proved.admit(now, &mut memory)?;
            (request, memory.replay.newest().filter(|newest| Some(*newest) != before))
        };
        if let Some((hash, at)) = seen {
            self.nonces.note(Seen { shard: u8::try_from(shard).unwrap_or(u8::MAX), at, key: hash });
        }
        if let Some(key) = key.filter(|_| request.proof == Proof::Token) {
            self.records.note(&id, key, request.version);
        }
        Ok(request)
    }

    /// Keeps the file of nonces from growing without end.
    pub fn tidy_nonces(&self) {
        self.nonces.tidy(2 * SHARDS * NONCES, || {
            let parts = self.memory.iter().enumerate();
            let seen = parts.flat_map(|(n, memory)| {
                let shard = u8::try_from(n).unwrap_or(u8::MAX);
                let memory = memory.lock();
                memory.replay.held().map(|(key, at)| Seen { shard, at, key }).collect::<Vec<_>>()
            });
            seen.collect()
        });
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
        self.memory[shard_of(id)].lock().versions.forget(id);
        self.records.forget(id);
    }
}

/// The same for the same minion, also after a restart.
fn shard_of(id: &MinionId) -> usize {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or(0)
}

/// The keys one request is checked with. A minion's key is read from its file afresh, and once, so that all checks of a
/// request are about the same key.
#[derive(Debug)]
pub struct Keys<'a> {
    master: &'a Master,
    read: RefCell<Option<(MinionId, Option<String>)>>,
}

impl<'a> Keys<'a> {
    /// For one request.
    pub fn new(master: &'a Master) -> Self {
        Self { master, read: RefCell::new(None) }
    }

    fn with_pem<T>(&self, id: &MinionId, f: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let mut read = self.read.borrow_mut();
        if !matches!(&*read, Some((known, _)) if known == id) {
            *read = Some((id.clone(), self.master.keys.read(KeyState::Accepted, id).ok().flatten()));
        }
        f(read.as_ref()?.1.as_deref()?)
    }

    /// Which key is accepted.
    pub fn mark(&self, id: &MinionId) -> Option<KeyMark> {
        self.with_pem(id, |pem| Some(KeyMark::of(pem)))
    }
}

impl RequestKeys for Keys<'_> {
    fn session(&self, id: &MinionId) -> Option<AesKey> {
        let key = self.mark(id)?;
        self.master.sessions.get(id, key, self.master.records.fits(id, key))
    }

    fn global(&self) -> AesKey {
        self.master.credentials.read().aes().clone()
    }

    fn accepted(&self, id: &MinionId) -> Option<PublicKey> {
        self.with_pem(id, |pem| PublicKey::from_pem(pem).ok())
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
