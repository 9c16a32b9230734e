//! Times as they are written to disk.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, as files keep it.
pub(crate) fn now() -> SystemTime {
    time(millis(SystemTime::now()))
}

/// Milliseconds since 1970; what was before is 1970 itself.
pub(crate) fn millis(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// The time so many milliseconds after 1970; one that cannot be is 1970 itself.
pub(crate) fn time(millis: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}
