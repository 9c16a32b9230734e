//! The log of both programs. A moved log file is noticed by the log itself, so nothing reopens it here.

use brine_core::Opts;
use brine_core::log::{LogConfig, LogError};

/// Starts the log as the options say, with lines on stderr if `console` is set. A log file that cannot be opened (an
/// unprivileged `salt-call`) is done without, and said so.
pub fn start(opts: &Opts, console: bool) {
    let mut config = LogConfig::from_opts(opts, "log_file", console);
    match config.init() {
        Err(e @ LogError::File { .. }) => {
            config.file = None;
            if config.init().is_ok() {
                tracing::warn!("{e}");
            }
        }
        // A second log in one process happens in tests alone; the first one serves.
        Err(LogError::Twice) | Ok(()) => {}
    }
}
