//! The life of the daemon: start in the order that needs root first, serve, stop in the reverse order.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use brine_alerts::pages::{Pages, PagesError};
use brine_net::{Limits, NetError, PubOptions, PubServer, ReqServer, ReqServerOptions};
use brine_protocol::crypt::AesKey;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::alerts::{AlertThreads, Alerts, AlertsError};
use crate::config::Config;
use crate::engines::Engines;
use crate::events::{Events, Tap};
use crate::fs::Dir;
use crate::jobs::{DbThread, Jobs, StoreError};
use crate::keys::{MasterKeyError, UserKeys, load_credentials};
use crate::master::{Master, Parts};
use crate::metrics::{Metrics, Shown};
use crate::nonces::Nonces;
use crate::requests;
use crate::returners::{OutletThreads, Outlets};
use crate::start::{self, EnvError, UserError};
use crate::{inventory, preflight, schedule, updates, upkeep};

/// Bytes of requests that are held for addresses from which nobody has proved himself yet. Whoever is to send a large
/// return has signed in or asked for something before.
const STRANGERS_BYTES: usize = 8 << 20;
/// How long a stop may take before what is unsent is given up.
const STOP: Duration = Duration::from_secs(5);

/// How long subscribers have for what was sent to them before the stop.
const LAST_JOBS: Duration = Duration::from_secs(2);

/// Why the master does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be served.
    #[error("{0}\nMaster failed pre flight checks, exiting\n")]
    Preflight(String),
    /// The user cannot be taken on.
    #[error(transparent)]
    User(#[from] UserError),
    /// A directory cannot be used.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The master's key cannot be used.
    #[error(transparent)]
    Key(#[from] MasterKeyError),
    /// A port or socket cannot be listened on.
    #[error("{0}; Is there another salt-master running?")]
    Net(#[from] NetError),
    /// The job store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Alerts cannot be looked for, or told.
    #[error(transparent)]
    Alerts(#[from] AlertsError),
    /// Nothing can be shown over HTTP.
    #[error(transparent)]
    Pages(#[from] PagesError),
    /// There is no randomness.
    #[error(transparent)]
    Crypt(#[from] brine_protocol::crypt::CryptError),
    /// A file cannot be written.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl StartError {
    /// The exit code stock uses for it.
    pub fn exit_code(&self) -> u8 {
        match self {
            StartError::Net(_) => 4,
            StartError::User(_) => 67,
            _ => 1,
        }
    }
}

/// What needs root: directories, owners, the process id file, and then the user itself.
///
/// # Errors
/// When the environment is not fit.
pub fn prepare(config: &Config) -> Result<(), StartError> {
    let paths = &config.paths;
    // As stock: whoever finds the ports taken must not touch the files of the master that holds them.
    for addr in [config.net.publish, config.net.request] {
        if let Err(source) = std::net::TcpListener::bind(addr) {
            return Err(NetError::Bind { addr: addr.to_string(), source }.into());
        }
    }
    let sub = |dir: &PathBuf, name: &str| dir.join(name);
    if paths.verify_env {
        let mut dirs = vec![paths.pki_dir.clone()];
        for name in ["minions", "minions_pre", "minions_denied", "minions_autosign", "minions_rejected"] {
            dirs.push(sub(&paths.pki_dir, name));
        }
        dirs.push(paths.cachedir.clone());
        for name in ["jobs", "proc", "sessions", "job_store"] {
            dirs.push(sub(&paths.cachedir, name));
        }
        dirs.extend([
            paths.sock_dir.clone(),
            paths.token_dir.clone(),
            paths.syndic_dir.clone(),
            paths.queue_dir.clone(),
        ]);
        let dirs: Vec<_> = dirs.iter().map(PathBuf::as_path).collect();
        start::verify_env(&dirs, &config.user, &paths.pki_dir, paths.permissive)?;
    }
    start::raise_open_files(config.net.max_open_files);
    if let Err(e) = start::write_pidfile(&paths.pidfile, &config.user) {
        tracing::warn!("cannot write {}: {e}", paths.pidfile.display());
    }
    start::become_user(&config.user)?;
    Ok(())
}

/// A master that serves.
#[derive(Debug)]
pub struct Running {
    /// What its parts share.
    pub master: Arc<Master>,
    /// Where it takes requests.
    pub request_addr: std::net::SocketAddr,
    /// Where it publishes.
    pub publish_addr: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    requests: JoinSet<()>,
    others: JoinSet<()>,
    store: DbThread,
    outlets: OutletThreads,
    alerts: AlertThreads,
    pages: Option<Pages>,
    engines: Engines,
}

impl Running {
    /// Starts serving. The environment must have been prepared.
    ///
    /// # Errors
    /// When any part cannot start; the parts that did are stopped.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let io = |path: PathBuf| move |source| StartError::Io { path, source };
        // The ports first, for the same reason as in `prepare`.
        let net = &config.net;
        let port = PubServer::bind(
            &[net.publish],
            PubOptions {
                tcp: net.publish_tcp.clone(),
                heartbeat: net.heartbeat,
                hwm: net.hwm,
                ..PubOptions::default()
            },
        )?;
        let server = ReqServer::bind(
            &[net.request],
            ReqServerOptions {
                tcp: net.request_tcp.clone(),
                heartbeat: net.heartbeat,
                limits: Limits { max_buffered_strangers: STRANGERS_BYTES, ..Limits::default() },
            },
        )?;
        let publish_addr = port.local_addrs().first().copied().unwrap_or(net.publish);
        let request_addr = server.local_addrs().first().copied().unwrap_or(net.request);
        for name in ["sessions", "job_store"] {
            let path = config.paths.cachedir.join(name);
            Dir::at(&path).ensure_exactly(0o700).map_err(io(path))?;
        }
        let (outlets, outlet_threads) = Outlets::start(&config.opts).map_err(io("returners".into()))?;
        let shown = Shown::new(config.alerts.as_ref().and_then(|alerts| alerts.pages().cloned()));
        let metrics = Arc::new(Metrics::default());
        let alerts = Alerts::open(&config, shown.stream())?;
        let mut engines = Engines::open(&config.opts).map_err(io(config.paths.cachedir.join("reactor")))?;
        let taps = outlets.tap().map(|tap| Arc::new(tap) as Arc<dyn Tap>).into_iter();
        let taps = taps.chain(alerts.tap()).chain(shown.tap(&metrics)).chain(engines.taps());
        let (events, fired) = Events::bind(&config.bus, taps.collect())?;
        let credentials = load_credentials(&config.master_key, AesKey::generate()?, publish_addr.port())?;
        let users =
            UserKeys::create(&config.user_keys).map_err(io(config.user_keys.dir.path().to_owned()))?;
        open_cachedir(&config);
        let (jobs, mut store) = Jobs::open(config.jobs.clone())?;
        mark_sockets(&config);
        let port = Arc::new(port);
        let cachedir = &config.paths.cachedir;
        let parts = Parts {
            credentials,
            users,
            jobs,
            events: events.clone(),
            outlets,
            alerts,
            metrics,
            port,
            vouch: server.vouching(),
            minions: std::mem::take(&mut store.minions),
            nonces: Nonces::open(Dir::at(cachedir)).map_err(io(cachedir.clone()))?,
        };
        let master = Master::new(config, parts);
        let alerts = master.alerts.start(&master)?;
        let pages = shown.start(&master)?;
        requests::check_tops(&master.config.opts);
        preflight::check(&master.config.opts, &master.files).map_err(StartError::Preflight)?;
        crate::known::restore(&Dir::at(&master.config.paths.cachedir))
            .into_iter()
            .for_each(|addr| master.vouch_for(addr));

        if master.outlets.tap().is_some() {
            master.events.fire("salt/event_listen/start", brine_core::Map::new());
        }
        let (stop, stopped) = watch::channel(false);
        let (mut requests, mut others) = (JoinSet::new(), JoinSet::new());
        requests.spawn(requests::serve(master.clone(), server, stopped));
        others.spawn(events.relay(fired));
        others.spawn(upkeep::follow_peers(master.clone()));
        others.spawn(upkeep::run(master.clone()));
        others.spawn(updates::run(master.clone()));
        others.spawn(inventory::run(master.clone()));
        others.spawn(schedule::run(master.clone()));
        others.spawn(crate::expected::resume(master.clone()));
        engines.start(&master);
        Ok(Self {
            master,
            engines,
            request_addr,
            publish_addr,
            stop,
            requests,
            others,
            store,
            outlets: outlet_threads,
            alerts,
            pages,
        })
    }

    /// Where numbers and events are shown, if they are.
    pub fn pages_addr(&self) -> Option<std::net::SocketAddr> {
        self.pages.as_ref().and_then(Pages::addr)
    }

    /// Answers what is in work, puts what was taken in on disk, and closes everything.
    pub async fn stop(mut self) {
        drop(self.pages.take());
        let _ = self.stop.send(true);
        let _ =
            tokio::time::timeout(STOP, async { while self.requests.join_next().await.is_some() {} }).await;
        self.requests.shutdown().await;
        let engines = self.engines;
        let _ = tokio::task::spawn_blocking(move || engines.close()).await;
        self.others.shutdown().await;
        for name in MARKED_SOCKETS {
            let _ = Dir::at(&self.master.config.paths.sock_dir).remove(name);
        }
        crate::known::keep(&Dir::at(&self.master.config.paths.cachedir), &self.master.vouch);
        self.master.outlets.close();
        self.master.alerts.close();
        let port = self.master.port.clone();
        // The last handle of the store goes with the master; its thread ends then.
        drop(self.master);
        // Jobs that are on their way go out whole, and subscribers see an orderly end. Where something still works for
        // the master, what it holds is cut off later.
        if let Some(port) = Arc::into_inner(port) {
            port.shutdown(LAST_JOBS).await;
        }
        let (store, outlets, alerts) = (self.store, self.outlets, self.alerts);
        let _ = tokio::time::timeout(STOP, tokio::task::spawn_blocking(move || alerts.join())).await;
        let _ = tokio::time::timeout(STOP, tokio::task::spawn_blocking(move || store.join())).await;
        // What waits for a database that does not answer is given up; the store has it.
        let _ = tokio::time::timeout(STOP, tokio::task::spawn_blocking(move || outlets.join())).await;
    }
}

/// Paths whose mere existence tells stock's tools that a master runs. Nothing of ours listens there.
const MARKED_SOCKETS: [&str; 2] = ["publish_pull.ipc", "workers.ipc"];

fn mark_sockets(config: &Config) {
    let dir = Dir::at(&config.paths.sock_dir);
    for name in MARKED_SOCKETS {
        if let Err(e) = dir.write(name, b"", 0o600) {
            tracing::warn!("cannot write {name}: {e}");
        }
    }
}

/// With rules for other users, those must get at their key files: search permission on `cachedir`, as in stock.
fn open_cachedir(config: &Config) {
    use std::os::unix::fs::PermissionsExt;
    if config.access.publisher_acl.is_empty() && !config.opts.flag("external_auth") {
        return;
    }
    if let Ok(meta) = std::fs::metadata(&config.paths.cachedir) {
        let mode = meta.permissions().mode() & 0o7777;
        if mode & 0o001 == 0 {
            let open = std::fs::Permissions::from_mode(mode | 0o001);
            if let Err(e) = std::fs::set_permissions(&config.paths.cachedir, open) {
                tracing::warn!("cannot open {} to local users: {e}", config.paths.cachedir.display());
            }
        }
    }
}
