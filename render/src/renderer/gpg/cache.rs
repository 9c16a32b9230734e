//! What was decrypted, kept for `gpg_cache_ttl` seconds. In memory: secrets have no place on a disk, so `gpg_cache_backend`
//! makes no difference.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How many messages are kept at most; then the cache begins anew.
const MOST: usize = 10_000;

type Kept = HashMap<(PathBuf, Vec<u8>), (Instant, Zeroizing<Vec<u8>>)>;

static CACHE: Mutex<Option<Kept>> = Mutex::new(None);

/// What a message was, if that is known.
pub(super) fn get(keys: &Path, message: &[u8]) -> Option<Vec<u8>> {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = cache.as_mut()?;
    let key = (keys.to_owned(), message.to_vec());
    let (until, clear) = cache.get(&key)?;
    if *until > Instant::now() {
        return Some(clear.to_vec());
    }
    cache.remove(&key);
    None
}

/// Keeps what a message was for so many seconds.
pub(super) fn put(keys: &Path, message: Vec<u8>, clear: &[u8], ttl: f64) {
    let Some(until) = Duration::try_from_secs_f64(ttl).ok().and_then(|ttl| Instant::now().checked_add(ttl))
    else {
        return;
    };
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = cache.get_or_insert_default();
    if cache.len() >= MOST {
        cache.clear();
    }
    cache.insert((keys.to_owned(), message), (until, Zeroizing::new(clear.to_vec())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_kept_for_its_time() {
        let keys = Path::new("/k");
        put(keys, b"a".to_vec(), b"clear", 60.0);
        assert_eq!(get(keys, b"a").as_deref(), Some(b"clear".as_slice()));
        assert_eq!(get(Path::new("/other"), b"a"), None);
        put(keys, b"b".to_vec(), b"clear", 0.0);
        assert_eq!(get(keys, b"b"), None);
        put(keys, b"c".to_vec(), b"clear", -1.0);
        assert_eq!(get(keys, b"c"), None);
    }
}
