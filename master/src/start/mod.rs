//! What a daemon does before it serves: directories and owners, its process id, its user, its place in the background.
//!
//! The order matters and is kept by [`crate::daemon`]: everything that needs root comes first.

mod background;
mod env;

pub use background::{Background, detach_if_child, notify_ready};
pub use brine_core::user::{UserError, become_user, groups_of};
pub use env::{EnvError, verify_env};

use std::io;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Writes the process id, owned by the master's user as stock has it.
///
/// # Errors
/// As the system has it; stock goes on then, and so may callers.
pub fn write_pidfile(path: &Path, user: &str) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    std::fs::write(path, std::process::id().to_string())?;
    give_file(path, user);
    Ok(())
}

/// As root, gives a file to a user; where that fails the user will say so when he cannot write it.
pub fn give_file(path: &Path, user: &str) {
    if nix::unistd::Uid::effective().is_root()
        && let Ok(Some(user)) = nix::unistd::User::from_name(user)
    {
        let _ = std::os::unix::fs::lchown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()));
    }
}

/// Raises the number of files this process may open to `wanted`, as far as the system lets it (`max_open_files`).
pub fn raise_open_files(wanted: u64) {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    let wanted = wanted.min(hard);
    if soft < wanted
        && let Err(e) = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)
    {
        tracing::warn!("cannot raise the limit of open files to {wanted}: {e}");
    }
}
