//! What a request says of the file it is about.

use brine_core::Value;
use brine_protocol::ids::{RelPath, SaltEnv};

/// The file of a request.
pub(super) struct Asked {
    pub(super) path: RelPath,
    pub(super) saltenv: SaltEnv,
}

/// What was asked for.
pub(super) enum Request {
    /// A file there may be.
    File(Asked),
    /// What can name no file.
    Nothing,
    /// What stock's master fails at: no text.
    Bad,
}

/// Reads a path and the environment that goes with it. `|` in front takes the rest as it stands, otherwise what follows the first `?`
/// may name another environment.
pub(super) fn read(path: &Value, saltenv: &str) -> Request {
    let path = match path {
        Value::Str(text) => text,
        _ => return Request::Bad,
    };
    let (path, saltenv) = match path.strip_prefix('|') {
        Some(plain) => (plain.trim_start_matches('|'), saltenv),
        None => {
            let mut parts = path.split('?');
            let path = parts.next().unwrap_or_default();
            let query = parts.next().unwrap_or_default();
            let own = query.split('&').filter_map(|part| part.strip_prefix("saltenv=")).next_back();
            (path, own.unwrap_or(saltenv))
        }
    };
    if path.starts_with('/') || path.contains("../") {
        return Request::Nothing;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    match (RelPath::parse(&parts.join("/")), SaltEnv::parse(saltenv)) {
        (Ok(path), Ok(saltenv)) => Request::File(Asked { path, saltenv }),
        _ => Request::Nothing,
    }
}
