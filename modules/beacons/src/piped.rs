//! A program that runs beside and says what happens, line by line: read as far as it has said something, never waited for.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

/// Bytes that are read in one turn; what is more waits for the next.
const AT_ONCE: usize = 16 << 20;

/// The program. It ends with this.
pub(crate) struct Piped {
    child: Child,
    from: Box<dyn Read + Send>,
    /// A line that has not ended yet.
    rest: Vec<u8>,
}

/// Where it says what it says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pipe {
    Out,
    Err,
}

impl Piped {
    pub(crate) fn start(command: &mut Command, pipe: Pipe) -> io::Result<Self> {
        let of = |this| if this == pipe { Stdio::piped() } else { Stdio::null() };
        let mut child = command.stdin(Stdio::null()).stdout(of(Pipe::Out)).stderr(of(Pipe::Err)).spawn()?;
        let gone = || io::Error::from(ErrorKind::BrokenPipe);
        let from: Box<dyn Read + Send> = match pipe {
            Pipe::Out => Box::new(unblocked(child.stdout.take().ok_or_else(gone)?)?),
            Pipe::Err => Box::new(unblocked(child.stderr.take().ok_or_else(gone)?)?),
        };
        Ok(Self { child, from, rest: Vec::new() })
    }

    /// The lines since this was asked last, and whether the program goes on.
    pub(crate) fn lines(&mut self) -> (Vec<String>, bool) {
        let mut chunk = [0; 64 << 10];
        let mut runs = true;
        while self.rest.len() < AT_ONCE {
            match self.from.read(&mut chunk) {
                Ok(0) => {
                    runs = false;
                    break;
                }
                Ok(n) => self.rest.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => {
                    runs = e.kind() == ErrorKind::WouldBlock;
                    break;
                }
            }
        }
        let whole = self.rest.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let lines = String::from_utf8_lossy(&self.rest[..whole]).lines().map(str::to_owned).collect();
        self.rest.drain(..whole);
        (lines, runs)
    }
}

fn unblocked<T: AsFd>(pipe: T) -> io::Result<T> {
    let flags = OFlag::from_bits_retain(fcntl(&pipe, FcntlArg::F_GETFL)?);
    fcntl(&pipe, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(pipe)
}

impl Drop for Piped {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether there is a program of that name.
pub(crate) fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH")
        .unwrap_or_else(|| "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into());
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}
