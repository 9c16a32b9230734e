//! What tells one state of a file or a folder from another without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// What the system says of it: which it is, its size and its times. A change within one step of the kernel's clock may leave
/// all of it as it was; whoever must not miss one looks at the age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Device and inode.
    file: (u64, u64),
    size: u64,
    /// When the contents changed, as whoever may write says it: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// When anything changed, as the kernel says it.
    pub changed: (i64, i64),
}

impl Stamp {
    /// Of what was found.
    #[must_use]
    pub fn of(meta: &Metadata) -> Self {
        Self {
            file: (meta.dev(), meta.ino()),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}
