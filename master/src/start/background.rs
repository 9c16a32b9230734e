//! `-d`: the program starts itself again in a session of its own and waits until that one serves or fails, so that the
//! exit code tells which. (Forking is not for a program with threads, and stock's parent cannot tell either.)

use std::io::{self, Read, Write};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Command, Stdio};

/// Tells the second process what it is. Only its own parent sets it.
const CHILD: &str = "BRINE_DAEMON_CHILD";
/// What it prints when it serves.
const READY: u8 = b'+';

/// Whether this process is the one in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// It stays in the foreground.
    No,
    /// It is the second process, and its parent waits for a word.
    Child,
}

impl Background {
    /// Starts the second process with the same arguments; the exit code for this one.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start() -> io::Result<u8> {
        let mut args = std::env::args_os();
        let program = args.next();
        let mut command = Command::new(std::env::current_exe()?);
        if let Some(program) = program {
            use std::os::unix::process::CommandExt;
            command.arg0(program);
        }
        let mut child =
            command.args(args).env(CHILD, "1").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut word = [0];
        let told = child.stdout.take().is_some_and(|mut out| out.read_exact(&mut word).is_ok());
        if told && word[0] == READY {
            return Ok(0);
        }
        let status = child.wait()?;
        Ok(status.code().and_then(|c| u8::try_from(c).ok()).filter(|c| *c != 0).unwrap_or(1))
    }

    /// Tells the waiting parent that we serve, and lets go of its terminal.
    ///
    /// # Errors
    /// As the system has it.
    pub fn ready(self) -> io::Result<()> {
        if self == Background::No {
            return Ok(());
        }
        let mut out = io::stdout();
        out.write_all(&[READY])?;
        out.flush()?;
        let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
        nix::unistd::dup2_stdout(&null)?;
        nix::unistd::dup2_stderr(&null)?;
        Ok(())
    }
}

/// What this process is; the second one leaves the session it was started in.
pub fn detach_if_child() -> Background {
    if std::env::var_os(CHILD).is_none() {
        return Background::No;
    }
    let _ = nix::unistd::setsid();
    Background::Child
}

/// Tells systemd that we serve, where it listens.
pub fn notify_ready() {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let send = || -> io::Result<()> {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::ffi::OsStrExt;
        let address = match path.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&path)?,
        };
        UnixDatagram::unbound()?.send_to_addr(b"READY=1", &address)?;
        Ok(())
    };
    if let Err(e) = send() {
        tracing::warn!("cannot tell systemd that we are ready: {e}");
    }
}
