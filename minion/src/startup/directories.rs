//! The directories a minion needs, made with private modes before anything is written: stock's `verify_env`.

use brine_core::Opts;
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use nix::unistd::{Uid, User};
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown, lchown};
use std::path::{Path, PathBuf};

/// A directory could not be made or handed over.
#[derive(Debug, thiserror::Error)]
#[error("Failed to create directory path \"{}\" - {source}", path.display())]
pub struct DirectoryError {
    path: PathBuf,
    source: io::Error,
}

/// Makes the directories that are missing; as root also gives them to the configured user. The key directory is kept
/// at 0700 unless it is 0750.
pub fn prepare(opts: &Opts, paths: &[PathBuf]) -> Result<(), DirectoryError> {
    let user = User::from_name(opts.str("user")).ok().flatten();
    let pki = opts.path("pki_dir");
    for path in paths.iter().filter(|p| !p.as_os_str().is_empty()) {
        make(path, 0o700).map_err(|source| DirectoryError { path: path.clone(), source })?;
        if let Some(user) = user.as_ref().filter(|_| Uid::effective().is_root()) {
            hand_over(path, user);
        }
        if *path == pki {
            tighten(path);
        }
    }
    Ok(())
}

/// A missing directory with this mode. What is missing above it can be passed through by everybody, or the user we
/// become could not reach it.
fn make(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(above)?;
    }
    fs::DirBuilder::new().mode(mode).create(path)
}

/// A directory of another owner becomes the user's, and what is in it, so that a minion that ran as root before can
/// go on as the user. Links are left alone.
fn hand_over(path: &Path, user: &User) {
    let Ok(meta) = fs::symlink_metadata(path) else { return };
    if meta.is_symlink() || (meta.uid() == user.uid.as_raw() && user.uid.is_root()) {
        return;
    }
    if meta.uid() != user.uid.as_raw() {
        hand_over_one(path, user);
    }
    if meta.is_dir() {
        let Ok(entries) = fs::read_dir(path) else { return };
        for entry in entries.flatten() {
            hand_over(&entry.path(), user);
        }
    }
}

/// Never what a link leads to: the user may have put one there since it was looked at.
fn hand_over_one(path: &Path, user: &User) {
    if let Err(e) = lchown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())) {
        tracing::error!("cannot give {} to {}: {e}", path.display(), user.name);
    }
}

fn tighten(path: &Path) {
    if let Ok(meta) = fs::metadata(path)
        && !matches!(meta.mode() & 0o777, 0o700 | 0o750)
        && let Err(e) = fs::set_permissions(path, fs::Permissions::from_mode(0o700))
    {
        tracing::error!("cannot protect {}: {e}", path.display());
    }
}

/// As root, makes the log file and gives it to the configured user, who could not make it where logs are kept.
pub fn prepare_log_file(opts: &Opts) {
    let path = opts.path("log_file");
    let user = User::from_name(opts.str("user")).ok().flatten().filter(|u| !u.uid.is_root());
    // Anything else than an absolute path names no file.
    let (Some(user), true, true) = (user, Uid::effective().is_root(), path.is_absolute()) else { return };
    // Only a directory of our making: the file may be meant to stand in one that belongs to the system.
    if let Some(dir) = path.parent().filter(|dir| !dir.exists())
        && make(dir, 0o750).is_ok()
    {
        hand_over_one(dir, &user);
    }
    // The directory may be the user's: no link in it is followed, no pipe waited for, and only a file given away.
    let flags = O_NOFOLLOW | O_NONBLOCK;
    let made = fs::OpenOptions::new().append(true).create(true).mode(0o640).custom_flags(flags).open(&path);
    if let Ok(file) = made
        && file.metadata().is_ok_and(|meta| meta.is_file())
        && let Err(e) = fchown(&file, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
    {
        tracing::error!("cannot give {} to {}: {e}", path.display(), user.name);
    }
}

/// What the daemon needs.
pub fn of_daemon(opts: &Opts) -> Vec<PathBuf> {
    let mut paths = of_call(opts);
    paths.push(opts.path("cachedir").join("proc"));
    paths.push(opts.path("sock_dir"));
    paths
}

/// What `salt-call` needs.
pub fn of_call(opts: &Opts) -> Vec<PathBuf> {
    ["pki_dir", "cachedir", "extension_modules"].iter().map(|name| opts.path(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn directories_are_made_and_the_key_directory_is_tightened() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let opts = Opts::new(map! {
            "pki_dir" => at("pki"), "cachedir" => at("a/cache"), "sock_dir" => at("sock"), "user" => "no-such-user",
        });
        fs::create_dir(at("pki")).unwrap();
        fs::set_permissions(at("pki"), fs::Permissions::from_mode(0o755)).unwrap();
        prepare(&opts, &of_daemon(&opts)).unwrap();
        let mode = |name: &str| fs::metadata(at(name)).unwrap().mode() & 0o777;
        assert_eq!((mode("pki"), mode("a/cache/proc"), mode("sock")), (0o700, 0o700, 0o700));
        fs::write(at("file"), "").unwrap();
        assert!(prepare(&opts, &[PathBuf::from(at("file")).join("x")]).is_err());
    }
}
