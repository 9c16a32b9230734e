//! Whom a client of the file server asks.

use super::ahead::Coming;
use crate::Found;
use brine_core::call::Result;
use brine_core::{Map, Value};
use brine_protocol::ids::{RelPath, SaltEnv};
use std::sync::Arc;

/// The file server, wherever it is: a master behind an encrypted connection, or this process. A request is what stock's
/// minion sends (`cmd` is `_file_find`, `_serve_file` and so on), an answer what stock's master gives.
pub trait Channel: Send + Sync {
    /// One request.
    ///
    /// # Errors
    /// There is no answer.
    fn ask(&self, load: Map) -> Result<Value>;

    /// Sends one request without waiting for its answer; none where that cannot be, or gains nothing.
    fn begin(&self, _load: Map) -> Option<Coming> {
        None
    }

    /// The file itself, where the server's files lie on this machine: it need not be sent. The outer `None` is that of a server
    /// elsewhere, the inner that of a file that is not there.
    fn here(&self, _path: &RelPath, _saltenv: &SaltEnv) -> Option<Result<Option<Found>>> {
        None
    }
}

impl<T: Channel + ?Sized> Channel for Arc<T> {
    fn ask(&self, load: Map) -> Result<Value> {
        (**self).ask(load)
    }

    fn begin(&self, load: Map) -> Option<Coming> {
        (**self).begin(load)
    }

    fn here(&self, path: &RelPath, saltenv: &SaltEnv) -> Option<Result<Option<Found>>> {
        (**self).here(path, saltenv)
    }
}
