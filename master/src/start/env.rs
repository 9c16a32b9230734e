//! The directories of a master: made where missing, and owned by its user. The rules are those of stock's `verify_env`, so
//! that either master can take over from the other, but links are never followed: root must not give away what a link
//! in the user's own directory points to.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

/// A directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// Stock's words.
    #[error("Failed to create directory path \"{path}\" - {source}")]
    Create {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The user does not exist.
    #[error(transparent)]
    User(#[from] super::UserError),
}

/// Whose the directories are to be.
struct Owner {
    uid: u32,
    gid: u32,
    /// Groups that may own as well (`permissive_pki_access`).
    groups: Vec<u32>,
}

impl Owner {
    fn owns(&self, meta: &fs::Metadata) -> bool {
        (meta.uid() == self.uid && meta.gid() == self.gid) || self.groups.contains(&meta.gid())
    }
}

/// Makes `dirs`, and as root gives them and what is in them to `user`; `pki_dir` gets mode 0700 unless it has 0750.
///
/// # Errors
/// When a directory cannot be made or there is no such user.
pub fn verify_env(dirs: &[&Path], user: &str, pki_dir: &Path, permissive: bool) -> Result<(), EnvError> {
    let entry =
        User::from_name(user).ok().flatten().ok_or_else(|| super::UserError::Unknown(user.to_owned()))?;
    let owner = Owner {
        uid: entry.uid.as_raw(),
        gid: entry.gid.as_raw(),
        groups: if permissive { super::groups_of(user) } else { Vec::new() },
    };
    let root = Uid::effective().is_root();
    for dir in dirs {
        if !dir.is_dir() {
            let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(dir);
            made.map_err(|source| EnvError::Create { path: dir.to_path_buf(), source })?;
        }
        if root {
            if fs::metadata(dir).is_ok_and(|meta| !owner.owns(&meta)) {
                let _ = lchown(dir, Some(owner.uid), Some(owner.gid));
            }
            give(dir, &owner);
        }
        if *dir == pki_dir {
            tighten(dir);
        }
    }
    Ok(())
}

/// The content of each sub-directory; the entries of `dir` itself keep their owners, jobs and dot files too, as in stock.
fn give(dir: &Path, owner: &Owner) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name.to_string_lossy().contains("jobs") && entry.file_type().is_ok_and(|t| t.is_dir()) {
            give_all(&entry.path(), owner);
        }
    }
}

fn give_all(dir: &Path, owner: &Owner) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        if !entry.file_name().to_string_lossy().starts_with('.')
            && !kind.is_symlink()
            && fs::symlink_metadata(&path).is_ok_and(|meta| !owner.owns(&meta))
        {
            let _ = lchown(&path, Some(owner.uid), Some(owner.gid));
        }
        if kind.is_dir() {
            give_all(&path, owner);
        }
    }
}

fn tighten(pki_dir: &Path) {
    let Ok(meta) = fs::metadata(pki_dir) else { return };
    if !matches!(meta.mode() & 0o7777, 0o700 | 0o750)
        && fs::set_permissions(pki_dir, fs::Permissions::from_mode(0o700)).is_err()
    {
        tracing::error!("Unable to securely set the permissions of \"{}\".", pki_dir.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_made_and_the_keys_are_private() {
        let tmp = tempfile::tempdir().unwrap();
        let user = User::from_uid(Uid::effective()).unwrap().unwrap().name;
        let (pki, cache) = (tmp.path().join("a/pki"), tmp.path().join("cache"));
        let mode = || fs::metadata(&pki).unwrap().mode() & 0o7777;
        verify_env(&[&pki, &cache], &user, &pki, false).unwrap();
        assert!(cache.is_dir());
        assert_eq!(mode(), 0o700);
        fs::set_permissions(&pki, fs::Permissions::from_mode(0o750)).unwrap();
        verify_env(&[&pki], &user, &pki, false).unwrap();
        assert_eq!(mode(), 0o750);
        fs::set_permissions(&pki, fs::Permissions::from_mode(0o777)).unwrap();
        verify_env(&[&pki], &user, &pki, false).unwrap();
        assert_eq!(mode(), 0o700);
        assert!(verify_env(&[&pki], "no-such-user-here", &pki, false).is_err());
    }

    #[test]
    fn files_change_hands_and_links_do_not() {
        if !Uid::effective().is_root() {
            return;
        }
        let Ok(Some(nobody)) = User::from_name("nobody") else { return };
        let tmp = tempfile::tempdir().unwrap();
        let cache = tmp.path().join("cache");
        let target = tmp.path().join("target");
        fs::write(&target, "root's").unwrap();
        for dir in ["minions/m1", "jobs/aa"] {
            fs::create_dir_all(cache.join(dir)).unwrap();
        }
        fs::write(cache.join("minions/m1/data.p"), "x").unwrap();
        fs::write(cache.join("minions/.hidden"), "x").unwrap();
        fs::write(cache.join("jobs/aa/f"), "x").unwrap();
        std::os::unix::fs::symlink(&target, cache.join("minions/link")).unwrap();
        verify_env(&[&cache], "nobody", Path::new("/none"), false).unwrap();
        let uid = |p: &str| fs::symlink_metadata(tmp.path().join(p)).unwrap().uid();
        let given = nobody.uid.as_raw();
        assert_eq!(
            (uid("cache"), uid("cache/minions/m1"), uid("cache/minions/m1/data.p")),
            (given, given, given)
        );
        assert_eq!((uid("cache/minions/.hidden"), uid("cache/jobs/aa/f"), uid("target")), (0, 0, 0));
    }
}
