//! Free ports below the range the kernel hands to outgoing connections, so that no client
//! can take one between the moment it is chosen and the moment a master binds it.

use std::collections::HashSet;
use std::net::TcpListener;
use std::process;
use std::sync::{Mutex, PoisonError};

use crate::failure::{Failure, Result};

static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

const FIRST: u32 = 15_000;
const SPAN: u32 = 16_000;

/// A port nobody listens on and no other fleet of this process was given.
///
/// # Errors
/// When none is left.
pub fn free() -> Result<u16> {
    let mut guard = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = guard.get_or_insert_with(HashSet::new);
    // Test programs running side by side start in different places.
    let start = process::id().wrapping_mul(613) % SPAN;
    for step in 0..SPAN {
        let Ok(port) = u16::try_from(FIRST + (start + step) % SPAN) else { continue };
        if taken.contains(&port) || TcpListener::bind(("127.0.0.1", port)).is_err() {
            continue;
        }
        taken.insert(port);
        return Ok(port);
    }
    Err(Failure("no free port".into()))
}
