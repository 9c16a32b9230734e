//! Starting a child: the only place of the minion with unsafe code, since what a child does to itself between
//! `fork` and `exec` (session, terminal, umask, user) has no safe form.

#![expect(unsafe_code, reason = "pre_exec and the terminal ioctl have no safe form")]

use brine_core::Cx;
use nix::unistd::{Gid, Uid};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Who a child runs as.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// The user.
    pub(super) uid: Uid,
    /// The primary group.
    pub(super) gid: Gid,
    /// The supplementary groups.
    pub(super) groups: Vec<Gid>,
}

/// A child that was started.
pub(super) struct Started {
    /// The child.
    pub(super) child: Child,
    /// Whether it leads a session, and so a process group, of its own.
    pub(super) leads: bool,
}

/// Whether children get a session of their own. In a daemon they do, so that a job can be ended with all its processes.
/// Under `salt-call` they stay in the terminal's, as under stock: an interrupt from the keyboard must reach them, and
/// they may talk to the terminal.
pub(super) fn own_session(cx: &Cx) -> bool {
    cx.opts.str("__cli") != "salt-call"
}

/// What to start.
pub(super) struct Launch<'a> {
    /// Program and arguments; the program is looked up in the child's own `PATH`. Not empty.
    pub(super) argv: &'a [String],
    /// The whole environment.
    pub(super) env: &'a BTreeMap<String, OsString>,
    /// Where it runs.
    pub(super) cwd: &'a Path,
    /// Who it becomes, if not who we are.
    pub(super) identity: Option<Identity>,
    /// Its umask, if not ours.
    pub(super) umask: Option<u32>,
    /// Whether it leads a session of its own, see [`own_session`].
    pub(super) session: bool,
    /// Whether its standard input is to become its controlling terminal, for which it must lead a session.
    pub(super) terminal: bool,
}

impl Launch<'_> {
    /// Starts it. An error is the operating system's for the program or directory.
    pub(super) fn start(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> io::Result<Started> {
        let (program, args) = self.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        if program.is_empty() {
            // What Python's search for an empty name ends with: it finds the folders of `PATH`.
            return Err(io::Error::from_raw_os_error(libc::EACCES));
        }
        let mut command = Command::new(program);
        command.args(args).env_clear().envs(self.env).current_dir(self.cwd);
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        let (identity, umask) = (self.identity.clone(), self.umask);
        let (session, terminal) = (self.session, self.terminal);
        // SAFETY: between fork and exec the closure only makes system calls on memory prepared before: it neither
        // allocates nor takes a lock. `TIOCSCTTY` takes a plain integer; `close_range` only sets flags.
        unsafe {
            command.pre_exec(move || {
                if session {
                    nix::unistd::setsid()?;
                }
                // What we inherited ourselves is not the child's either. Kernels before 5.11 do not know this;
                // there nothing is lost but tidiness, since all that we open ourselves is closed on exec.
                libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_int);
                if terminal && libc::ioctl(0, libc::TIOCSCTTY, 0) == -1 {
                    return Err(io::Error::last_os_error());
                }
                if let Some(identity) = &identity {
                    nix::unistd::setgid(identity.gid)?;
                    nix::unistd::setgroups(&identity.groups)?;
                    nix::unistd::setuid(identity.uid)?;
                }
                if let Some(umask) = umask {
                    // The call cannot fail; all bits beyond the permission bits are ignored by the kernel.
                    libc::umask(umask as libc::mode_t);
                }
                Ok(())
            });
        }
        Ok(Started { child: command.spawn()?, leads: session })
    }
}
