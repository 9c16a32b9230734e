//! Alerts in this master: what the option `alerts` says, the way from the bus to the thread that looks at events, and what that asks of
//! the master. What an alert is, and who is told, is in `brine_alerts`.

mod log;
mod view;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brine_alerts::conf::{ConfError, Keys};
use brine_alerts::expected;
use brine_alerts::pages::{self, PagesConf};
use brine_alerts::queue::RETRY_TAG;
use brine_alerts::silence::SilenceError;
use brine_alerts::sinks::{self, Sinks, SinksError, Threads};
use brine_alerts::stream::Stream;
use brine_alerts::{Around, Deliver, Intake, SilenceChange, Silences, Worker};
use brine_core::{Opts, Value};
use brine_protocol::ids::MinionId;
use parking_lot::Mutex;

use crate::config::{Config, ConfigError};
use crate::events::Tap;
use crate::expected::Expected;
use crate::fs::Dir;
use crate::master::Master;
use crate::metrics::Beside;

/// What the option `alerts` says.
#[derive(Clone, Debug)]
pub struct AlertsConfig {
    core: brine_alerts::config::Config,
    pages: Option<PagesConf>,
    /// All of it: sinks read their part themselves.
    whole: Value,
    expected: Option<expected::Conf>,
}

/// Why there are no alerts, and so no master.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {
    /// The configuration of sinks is not acceptable, or their queue cannot be used.
    #[error("{file}: {wrong}")]
    Sinks {
        /// The file of the master's options.
        file: String,
        /// What is wrong.
        wrong: SinksError,
    },
    /// Silences cannot be read.
    #[error(transparent)]
    Silences(#[from] SilenceError),
    /// What is kept of alerts cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl AlertsConfig {
    /// As the options say; none where there are to be no alerts.
    ///
    /// # Errors
    /// What is wrong, with the file and the key.
    pub fn from_opts(opts: &Opts) -> Result<Option<Self>, ConfigError> {
        let failed = |wrong| ConfigError::Alerts { file: opts.str("conf_file").to_owned(), wrong };
        match opts.get("alerts") {
            None | Some(Value::Nil | Value::Bool(false)) => Ok(None),
            Some(Value::Bool(true)) => Self::read(&Value::Nil).map(Some).map_err(failed),
            Some(value) => Self::read(value).map(Some).map_err(failed),
        }
    }

    fn read(value: &Value) -> Result<Self, ConfError> {
        let mut keys = Keys::of(value, "alerts")?;
        let core = brine_alerts::config::Config::read(&mut keys)?;
        let pages = PagesConf::read(value)?;
        for key in sinks::CONF_KEYS.iter().chain(&pages::CONF_KEYS) {
            // Read by themselves, sinks when they are started.
            let _ = keys.value(key);
        }
        let expected = expected::Conf::read(&mut keys)?;
        keys.end()?;
        Ok(Self { core, pages, whole: value.clone(), expected })
    }

    /// What is to be shown over HTTP, and where; nothing if nothing is.
    pub fn pages(&self) -> Option<&PagesConf> {
        self.pages.as_ref()
    }
}

/// The way in. Costs nothing where there are no alerts.
#[derive(Debug)]
pub struct Alerts(Option<On>);

#[derive(Debug)]
struct On {
    config: AlertsConfig,
    dir: Dir,
    intake: Intake,
    silences: Silences,
    deliver: Arc<dyn Deliver>,
    sinks: Option<Sinks>,
    threads: Mutex<Threads>,
}

/// The threads that look at events and deliver.
#[derive(Debug, Default)]
pub struct AlertThreads {
    worker: Option<Worker>,
    sinks: Option<(Sinks, Threads)>,
}

impl Alerts {
    /// Opens what is kept of alerts and silences, where there are to be any, and starts the sinks. What comes from now on waits until
    /// [`Alerts::start`].
    ///
    /// # Errors
    /// When it cannot be read, or the configuration of sinks is wrong.
    pub fn open(config: &Config, stream: &Arc<Stream>) -> Result<Self, AlertsError> {
        let Some(own) = config.alerts.clone() else { return Ok(Self(None)) };
        let dir = Dir::at(config.paths.cachedir.join("alerts"));
        let io = |source| AlertsError::Io { path: dir.path().to_owned(), source };
        dir.ensure(0o700).map_err(io)?;
        let intake = Intake::new(&own.core);
        let (deliver, sinks, threads) = deliver(config, &own, &dir, stream)?;
        let (told, waiting) = (deliver.clone(), intake.clone());
        let hear = move |change: &SilenceChange| {
            told.silence(change);
            waiting.silence(change);
        };
        let silences = Silences::open(dir.sub("silences").map_err(io)?, own.core.terms, hear)?;
        let threads = Mutex::new(threads);
        Ok(Self(Some(On { config: own, dir, intake, silences, deliver, sinks, threads })))
    }

    /// Starts looking.
    ///
    /// # Errors
    /// When what was kept cannot be read or written, or there is no thread.
    pub fn start(&self, master: &Arc<Master>) -> Result<AlertThreads, AlertsError> {
        let Some(on) = &self.0 else { return Ok(AlertThreads::default()) };
        let view = Arc::new(view::View::new(master, on.config.core.labels.clone()));
        if let Some(conf) = on.config.expected.clone() {
            let (silences, view, deliver) = (on.silences.clone(), view.clone(), on.deliver.clone());
            let labels = Box::new(move |minion: &str| view.labels(minion));
            let _first = master.expected.set(Expected { conf, silences, labels, deliver });
        }
        let worker = Worker::start(
            on.config.core.clone(),
            on.dir.clone(),
            on.intake.clone(),
            on.silences.clone(),
            view,
            on.deliver.clone(),
        );
        let worker = worker.map_err(|source| AlertsError::Io { path: on.dir.path().to_owned(), source })?;
        // Sinks may not know what became of silences while no master ran.
        let now = SystemTime::now();
        for silence in on.silences.list() {
            let over = silence.is_over(now);
            let id = silence.id.clone();
            on.deliver.silence(&if over { SilenceChange::Expired(id) } else { SilenceChange::Set(silence) });
        }
        let threads = std::mem::take(&mut *on.threads.lock());
        Ok(AlertThreads { worker: Some(worker), sinks: on.sinks.clone().map(|sinks| (sinks, threads)) })
    }

    /// What takes events off the bus.
    pub fn tap(&self) -> Option<Arc<dyn Tap>> {
        self.0.as_ref().map(|on| {
            Arc::new(AlertTap { intake: on.intake.clone(), sinks: on.sinks.clone() }) as Arc<dyn Tap>
        })
    }

    /// The silences, to set and to end them; none where there are no alerts.
    pub fn silences(&self) -> Option<&Silences> {
        self.0.as_ref().map(|on| &on.silences)
    }

    /// The sinks, where there are any.
    pub fn sinks(&self) -> Option<&Sinks> {
        self.0.as_ref().and_then(|on| on.sinks.as_ref())
    }

    /// What is counted of alerts, asked for now.
    pub fn numbers(&self) -> Beside {
        const PATIENCE: Duration = Duration::from_secs(2);
        let Some(on) = &self.0 else { return Beside::default() };
        let mut silences: BTreeMap<&'static str, usize> =
            ["all", "expected", "manual", "place"].into_iter().map(|kind| (kind, 0)).collect();
        for silence in on.silences.standing(SystemTime::now()) {
            *silences.entry(silence.kind.text()).or_default() += 1;
        }
        let report = on.sinks.as_ref().map(Sinks::report).transpose();
        let sinks = report.unwrap_or_else(|e| {
            tracing::error!("{e}");
            None
        });
        Beside {
            sinks: sinks.unwrap_or_default(),
            alerts: on.intake.numbers(PATIENCE).unwrap_or_default().into_iter().collect(),
            silences: silences.into_iter().collect(),
        }
    }

    /// A minion's connection may have come or gone.
    pub fn presence(&self, id: &MinionId) {
        if let Some(on) = &self.0 {
            on.intake.presence(id.as_str());
        }
    }

    /// Connections changed, and it cannot be told whose.
    pub fn sweep(&self) {
        if let Some(on) = &self.0 {
            on.intake.sweep();
        }
    }

    /// What is kept of a minion has changed.
    pub fn labels(&self, id: &MinionId) {
        if let Some(on) = &self.0 {
            on.intake.labels(id.as_str());
        }
    }

    /// Takes nothing more; the thread ends when it has looked at what waits.
    pub fn close(&self) {
        if let Some(on) = &self.0 {
            on.intake.close();
        }
    }
}

impl AlertThreads {
    /// Waits for their end, after [`Alerts::close`]: sinks end when what was still said has come to them.
    pub fn join(self) {
        if let Some(worker) = self.worker {
            worker.join();
        }
        if let Some((sinks, threads)) = self.sinks {
            sinks.close();
            threads.join();
        }
    }
}

/// Whoever delivers, the same as sinks if it is sinks, and their threads.
type Delivering = (Arc<dyn Deliver>, Option<Sinks>, Threads);

/// Whoever delivers: the sinks of the configuration, or else the log.
fn deliver(
    config: &Config,
    own: &AlertsConfig,
    dir: &Dir,
    stream: &Arc<Stream>,
) -> Result<Delivering, AlertsError> {
    if own.whole.get("sinks").is_none_or(|sinks| !sinks.truthy()) {
        return Ok((Arc::new(log::Log), None, Threads::default()));
    }
    let started = Sinks::start(&own.whole, dir.path(), stream);
    let file = || config.opts.str("conf_file").to_owned();
    let (sinks, threads) = started.map_err(|wrong| AlertsError::Sinks { file: file(), wrong })?;
    Ok((Arc::new(sinks.clone()), Some(sinks), threads))
}

#[derive(Debug)]
struct AlertTap {
    intake: Intake,
    sinks: Option<Sinks>,
}

impl Tap for AlertTap {
    fn put(&self, tag: &str, body: &[u8]) {
        self.intake.event(tag, body);
        if tag == RETRY_TAG
            && let Some(sinks) = &self.sinks
        {
            sinks.wake();
        }
    }
}
