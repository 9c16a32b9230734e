//! Whom a client of the file server asks.

use brine_core::call::Result;
use brine_core::{Map, Value};

/// The file server, wherever it is: a master behind an encrypted connection, or this process. A request is what stock's
/// minion sends (`cmd` is `_file_find`, `_serve_file` and so on), an answer what stock's master gives.
pub trait Channel: Send + Sync {
    /// One request.
    ///
    /// # Errors
    /// There is no answer.
    fn ask(&self, load: Map) -> Result<Value>;
}
