//! Lock files as stock makes them: `update.lk` below a remote's working folder holds the process id and the machine's id.
//! Whoever has it fetches; an operator may put one there to stop updates.

use super::conf::Role;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The kinds of locks there are; one of them is taken here, the others may be left over from stock.
const KINDS: &[&str] = &["update", "checkout", "mountpoint"];

/// What stands for the process of a lock that an operator put there.
const NOBODY: u32 = 0;

/// The place of one remote's locks.
#[derive(Clone, Debug)]
pub(crate) struct Locks {
    role: Role,
    id: String,
    dir: PathBuf,
    /// Whether a lock of a process of another machine counts.
    global: bool,
}

/// A lock that is held; dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Held(PathBuf);

impl Drop for Held {
    fn drop(&mut self) {
        if let Err(e) = fs::remove_file(&self.0) {
            tracing::debug!("{}: {e}", self.0.display());
        }
    }
}

impl Locks {
    pub(crate) fn new(role: Role, id: String, dir: PathBuf, global: bool) -> Self {
        Self { role, id, dir, global }
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.dir.join(format!("{kind}.lk"))
    }

    /// Takes the lock for an update; `None` if somebody has it, which is logged.
    pub(crate) fn hold(&self) -> io::Result<Option<Held>> {
        Ok(self.set(std::process::id())?.then(|| Held(self.file("update"))))
    }

    /// Puts a lock there that stays: what was done, or what went wrong. It names no process: stock names the runner's, which
    /// is gone at the next update, and the lock with it.
    pub(crate) fn lock(&self) -> Result<Option<String>, String> {
        match self.set(NOBODY) {
            Ok(false) => Ok(None),
            Ok(true) => Ok(Some(format!(
                "Set update lock for {} remote '{}' on machine_id '{}'",
                self.role.name(),
                self.id,
                machine_id()
            ))),
            Err(e) => Err(format!(
                "Unable to set update lock for {} ({}): {e}",
                self.id,
                self.file("update").display()
            )),
        }
    }

    /// Removes a lock: what was done, if there was one.
    pub(crate) fn clear(&self, kind: &str) -> Result<Option<String>, String> {
        if !KINDS.contains(&kind) {
            return Ok(None);
        }
        let file = self.file(kind);
        let removed = match fs::symlink_metadata(&file) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(&file),
            _ => fs::remove_file(&file),
        };
        match removed {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(format!("Unable to remove update lock for {} ({}): {e} ", self.id, file.display())),
            Ok(()) => Ok(Some(format!(
                "Removed {kind} lock for {} remote '{}' on machine_id '{}'",
                self.role.name(),
                self.id,
                machine_id()
            ))),
        }
    }

    fn set(&self, pid: u32) -> io::Result<bool> {
        let file = self.file("update");
        // Once more after one that was left behind.
        for _ in 0..2 {
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
            match made {
                Ok(mut made) => {
                    let text = format!("{pid}\n{}\n", machine_id());
                    made.write_all(text.as_bytes())?;
                    return Ok(true);
                }
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
            if !self.abandoned(&file) {
                return Ok(false);
            }
            match fs::remove_file(&file) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Whether the process that made a lock is gone. With a global lock it must be one of this machine.
    fn abandoned(&self, file: &Path) -> bool {
        let mut text = String::new();
        let read = OpenOptions::new().read(true).open(file);
        if read.and_then(|file| file.take(4096).read_to_string(&mut text)).is_err() {
            return false;
        }
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default().trim();
        let pid: i32 = first.parse().unwrap_or(0);
        let machine = lines.next().unwrap_or_default().trim();
        let stays = first == NOBODY.to_string() || (pid > 0 && runs(pid));
        let gone = !stays && (!self.global || (pid > 0 && machine == machine_id()));
        let (role, id, at) = (self.role.name(), &self.id, file.display());
        if gone {
            tracing::warn!(
                "Process {pid} has a {role} update lock ({at}) on machine_id {machine}, but this process is not running. \
                 Cleaning up lock file."
            );
        } else {
            tracing::warn!(
                "Update lock file is present for {role} remote '{id}', skipping. If this warning persists, it is possible that \
                 the update process was interrupted, but the lock could also have been manually set. Removing {at} or running \
                 'salt-run cache.clear_git_lock {role} type=update' will allow updates to continue for this remote."
            );
        }
        gone
    }
}

fn runs(pid: i32) -> bool {
    use nix::errno::Errno;
    !matches!(nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None), Err(Errno::ESRCH))
}

/// The machine's id as stock finds it.
fn machine_id() -> String {
    ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "no_machine_id_available".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_lock_and_what_a_dead_process_left_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let locks = |global| Locks::new(Role::Gitfs, "file:///x".into(), dir.path().to_owned(), global);
        let file = dir.path().join("update.lk");
        let held = locks(true).hold().unwrap();
        assert!(held.is_some() && locks(true).hold().unwrap().is_none());
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text, format!("{}\n{}\n", std::process::id(), machine_id()));
        drop(held);
        assert!(!file.exists());

        // A process that has ended, of this machine and of another.
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        fs::write(&file, format!("{}\n{}\n", child.id(), machine_id())).unwrap();
        assert!(locks(true).hold().unwrap().is_some());
        fs::write(&file, format!("{}\nother\n", child.id())).unwrap();
        assert!(locks(true).hold().unwrap().is_none());
        assert!(locks(false).hold().unwrap().is_some());
        // One without a process.
        fs::write(&file, "").unwrap();
        assert!(locks(true).hold().unwrap().is_none());
        assert!(locks(false).hold().unwrap().is_some());
    }

    #[test]
    fn an_operators_lock_stays_until_it_is_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let locks = Locks::new(Role::Pillar, "master file:///x".into(), dir.path().to_owned(), true);
        let set = locks.lock().unwrap().unwrap();
        assert!(set.starts_with("Set update lock for git_pillar remote 'master file:///x' on machine_id '"));
        assert_eq!(locks.lock().unwrap(), None);
        let cleared = locks.clear("update").unwrap().unwrap();
        assert!(
            cleared
                .starts_with("Removed update lock for git_pillar remote 'master file:///x' on machine_id '")
        );
        assert_eq!(locks.clear("update").unwrap(), None);
        assert_eq!(locks.clear("../x").unwrap(), None);
        locks.lock().unwrap();
        for global in [true, false] {
            let locks = Locks::new(Role::Pillar, "x".into(), dir.path().to_owned(), global);
            assert!(locks.hold().unwrap().is_none());
        }
        fs::create_dir_all(dir.path().join("checkout.lk/x")).unwrap();
        assert!(locks.clear("checkout").unwrap().is_some());
    }
}
