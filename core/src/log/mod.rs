//! Logging as Salt's options describe it: levels, formats, a console, and a file or syslog.
//!
//! Code logs with `tracing`; this turns events into lines. The name of a logger is the module it stands in, with
//! `salt` for `brine_` (`salt.minion.jobs`), so that `log_granular_levels` reads as in stock. A span with a field
//! `jid` puts the job id into `%(jid)s`. An event with the field `critical = true` has the level `critical`.

mod file;
mod format;
mod layer;
mod level;
mod syslog;

pub use file::{LogFile, Rotation};
pub use format::{Format, Record};
pub use layer::SaltLayer;
pub use level::Level;
pub use syslog::Syslog;

use crate::Opts;
use brine_protocol::Value;
use std::path::PathBuf;
use tracing_subscriber::layer::SubscriberExt;

/// One place that lines go to.
#[derive(Clone, Debug)]
pub struct Sink {
    /// The least severe level that is written.
    pub level: Level,
    /// `log_fmt_console` or `log_fmt_logfile`.
    pub format: Format,
}

/// What is logged, and where.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Standard error, if lines go there.
    pub console: Option<Sink>,
    /// A file, if lines go there.
    pub file: Option<(PathBuf, Sink)>,
    /// Syslog, if lines go there; then there is no file.
    pub syslog: Option<(Syslog, Sink)>,
    /// When the file is rotated.
    pub rotation: Rotation,
    /// `log_granular_levels`: levels of loggers whose name begins so.
    pub granular: Vec<(String, Level)>,
    /// What in the options cannot be followed.
    pub warnings: Vec<String>,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log file cannot be opened.
    #[error("cannot open log file {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Logging has been set up before.
    #[error("logging is already set up")]
    Twice,
}

impl LogConfig {
    /// What the options `log_level`, `log_level_logfile`, `log_file`, `log_fmt_console`, `log_fmt_logfile`,
    /// `log_datefmt` (or `log_datefmt_console`), `log_datefmt_logfile`, `log_fmt_jid`, `log_fmt_minion_id`, `log_rotate_max_bytes`,
    /// `log_rotate_backup_count` and `log_granular_levels` say.
    ///
    /// `file_key` names the option with the file (`log_file`, or `key_logfile` for `salt-key`). `console` is false
    /// for a daemon in the background.
    pub fn from_opts(opts: &Opts, file_key: &str, console: bool) -> Self {
        let mut warnings = Vec::new();
        let mut level_of = |key: &str| match opts.get(key) {
            None | Some(Value::Nil) => None,
            Some(value) => Some(Level::of(value).unwrap_or_else(|| {
                warnings.push(format!("option '{key}' is no log level; 'error' is used"));
                Level::Error
            })),
        };
        let level = level_of("log_level").unwrap_or(Level::Warning);
        let file_level = level_of("log_level_logfile").unwrap_or(level);
        let text = |key: &str, default: &str| match opts.str(key) {
            "" => default.to_owned(),
            own => own.to_owned(),
        };
        let jid = text("log_fmt_jid", "[JID: %(jid)s]");
        let minion_id = text("log_fmt_minion_id", "[%(minion_id)s]");
        let date = text("log_datefmt_console", &text("log_datefmt", "%H:%M:%S"));
        let console_format = text("log_fmt_console", "[%(levelname)-8s] %(message)s");
        let console = console.then(|| Sink {
            level,
            format: Format::new(&console_format, &date, &jid, true).minion_id(&minion_id),
        });
        let path = opts.str(file_key);
        let date = text("log_datefmt_logfile", "%Y-%m-%d %H:%M:%S");
        let format = text(
            "log_fmt_logfile",
            "%(asctime)s,%(msecs)03d [%(name)-17s:%(lineno)-4d][%(levelname)-8s][%(process)d] %(message)s",
        );
        let sink = Sink {
            level: file_level,
            format: Format::new(&format, &date, &jid, false).minion_id(&minion_id),
        };
        let number = |key: &str| opts.int(key).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        let rotation = Rotation {
            max_bytes: number("log_rotate_max_bytes"),
            backups: u32::try_from(number("log_rotate_backup_count")).unwrap_or(u32::MAX),
        };
        let (mut file, mut syslog) = (None, None);
        if path.is_empty() || file_level == Level::Quiet {
            // Nothing but the console.
        } else if path.split('/').next().is_some_and(|head| head.ends_with(':')) {
            match Syslog::parse(path) {
                Some(Ok(to)) => syslog = Some((to, sink)),
                Some(Err(e)) => warnings.push(format!("{e}; there is no log file")),
                None => warnings.push(format!("logging to '{path}' is not supported; there is no log file")),
            }
        } else {
            file = Some((PathBuf::from(path), sink));
        }
        let granular = match opts.get("log_granular_levels").and_then(Value::as_map) {
            Some(map) => {
                map.iter().filter_map(|(k, v)| Some((k.as_str()?.to_owned(), Level::of(v)?))).collect()
            }
            None => Vec::new(),
        };
        Self { console, file, syslog, rotation, granular, warnings }
    }

    /// The layer that writes so. Opens the log file; it is made with mode 0640 where it is missing.
    pub fn layer(&self) -> Result<SaltLayer, LogError> {
        let file = match &self.file {
            None => None,
            Some((path, sink)) => {
                let file =
                    LogFile::open(path).map_err(|error| LogError::File { path: path.clone(), error })?;
                Some((file.rotated(self.rotation), sink.clone()))
            }
        };
        Ok(SaltLayer::new(self.console.clone(), file, self.syslog.clone(), self.granular.clone()))
    }

    /// Makes this the program's log, and says the warnings.
    pub fn init(&self) -> Result<(), LogError> {
        let subscriber = tracing_subscriber::registry().with(self.layer()?);
        tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
