//! Alerts in this master: what the option `alerts` says, the way from the bus to the thread that looks at events, and what that asks of
//! the master. What an alert is, and who is told, is in `brine_alerts`.

mod log;
mod view;

use std::io;
use std::sync::Arc;

use brine_alerts::conf::{ConfError, Keys};
use brine_alerts::silence::SilenceError;
use brine_alerts::{Deliver, Intake, SilenceChange, Silences, Worker};
use brine_core::{Opts, Value};
use brine_protocol::ids::MinionId;

use crate::config::{Config, ConfigError};
use crate::events::Tap;
use crate::fs::Dir;
use crate::master::Master;

/// What the option `alerts` says.
#[derive(Clone, Debug)]
pub struct AlertsConfig {
    core: brine_alerts::config::Config,
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
        keys.end()?;
        Ok(Self { core })
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
}

/// The thread that looks at events.
#[derive(Debug, Default)]
pub struct AlertThread(Option<Worker>);

impl Alerts {
    /// Opens what is kept of alerts and silences, where there are to be any. What comes from now on waits until [`Alerts::start`].
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(config: &Config) -> io::Result<Self> {
        let Some(own) = config.alerts.clone() else { return Ok(Self(None)) };
        let dir = Dir::at(config.paths.cachedir.join("alerts"));
        dir.ensure(0o700)?;
        let intake = Intake::new(&own.core);
        let deliver: Arc<dyn Deliver> = Arc::new(log::Log);
        let (sinks, waiting) = (deliver.clone(), intake.clone());
        let told = move |change: &SilenceChange| {
            sinks.silence(change);
            waiting.silence(change);
        };
        let failed = |e: SilenceError| io::Error::other(e.to_string());
        let silences = Silences::open(dir.sub("silences")?, own.core.terms, told).map_err(failed)?;
        Ok(Self(Some(On { config: own, dir, intake, silences, deliver })))
    }

    /// Starts looking.
    ///
    /// # Errors
    /// When what was kept cannot be read or written, or there is no thread.
    pub fn start(&self, master: &Arc<Master>) -> io::Result<AlertThread> {
        let Some(on) = &self.0 else { return Ok(AlertThread(None)) };
        let view = view::View::new(master, on.config.core.labels.clone());
        let worker = Worker::start(
            on.config.core.clone(),
            on.dir.clone(),
            on.intake.clone(),
            on.silences.clone(),
            Arc::new(view),
            on.deliver.clone(),
        )?;
        Ok(AlertThread(Some(worker)))
    }

    /// What takes events off the bus.
    pub fn tap(&self) -> Option<Arc<dyn Tap>> {
        self.0.as_ref().map(|on| Arc::new(AlertTap(on.intake.clone())) as Arc<dyn Tap>)
    }

    /// The silences, to set and to end them; none where there are no alerts.
    pub fn silences(&self) -> Option<&Silences> {
        self.0.as_ref().map(|on| &on.silences)
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

impl AlertThread {
    /// Waits for its end, after [`Alerts::close`].
    pub fn join(self) {
        if let Some(worker) = self.0 {
            worker.join();
        }
    }
}

#[derive(Debug)]
struct AlertTap(Intake);

impl Tap for AlertTap {
    fn put(&self, tag: &str, body: &[u8]) {
        self.0.event(tag, body);
    }
}
