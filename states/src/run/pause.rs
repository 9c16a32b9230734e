//! Runs that `state.pause` and `state.soft_kill` stop, by a file of the job's name.

use super::Runner;
use brine_core::Value;
use brine_protocol::msgpack;
use std::path::PathBuf;
use std::time::{Duration, Instant};

impl Runner {
    /// The file that says which chunks are stopped.
    fn pause_file(&self) -> Option<PathBuf> {
        let jid = self.jid.as_deref().filter(|jid| !jid.is_empty() && !jid.contains('/'))?;
        Some(PathBuf::from(self.cx.opts.str("cachedir")).join("state_pause").join(jid))
    }

    /// Waits as long as a chunk is stopped; whether the run ends before it.
    pub(super) fn is_killed_by_pause(&self, at: usize) -> bool {
        let Some(file) = self.pause_file().filter(|file| file.is_file()) else { return false };
        let began = Instant::now();
        let id = self.low(at).get_str("__id__").unwrap_or_default().to_owned();
        loop {
            let read = std::fs::read(&file).ok().and_then(|bytes| msgpack::decode(&bytes).ok());
            let Some(Value::Map(stopped)) = read else { return false };
            let Some(of) = stopped.get(&id).or_else(|| stopped.get("__all__")) else { return false };
            let length = of.get("duration").and_then(Value::as_float);
            if length.is_some_and(|length| began.elapsed().as_secs_f64() > length) {
                return false;
            }
            if of.get("kill").is_some() {
                return true;
            }
            if self.cx.cancel.sleep(Duration::from_secs(1)).is_err() {
                return false;
            }
        }
    }

    /// Removes the file at the end of the run.
    pub(super) fn forget_pause(&self) {
        if let Some(file) = self.pause_file()
            && file.is_file()
            && let Err(e) = std::fs::remove_file(&file)
        {
            tracing::debug!("{} cannot be removed: {e}", file.display());
        }
    }
}
