//! A program on a terminal of its own, and a person who waits for its questions and types answers.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};

use crate::cli::Ran;
use crate::failure::{Failure, Result};

/// Runs `cmd` on a terminal of 24 lines and 80 columns. For each of `talk`, waits for its first text and then types its
/// second. All the program printed, on standard output and error alike, is in `out`, with `\n` for `\r\n`.
///
/// # Errors
/// When it cannot be started, does not ask what it should, or runs longer than `limit`.
pub fn run(cmd: &Command, talk: &[(&str, &str)], limit: Duration) -> Result<Ran> {
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let ends = openpty(&size, None).map_err(|e| Failure(format!("no terminal: {e}")))?;
    // The terminal is the program's controlling one: passwords are read from `/dev/tty`.
    let mut outer = Command::new("setsid");
    outer.args(["--ctty", "--wait"]).arg(cmd.get_program()).args(cmd.get_args());
    outer.env("TERM", "xterm").env_remove("COLUMNS").env_remove("NO_COLOR");
    let slave = || ends.slave.try_clone().map(Stdio::from);
    outer.stdin(slave()?).stdout(slave()?).stderr(slave()?);
    let start = Instant::now();
    let mut child = outer.spawn()?;
    drop((outer, ends.slave));
    let mut keyboard = File::from(ends.master);
    let screen = watch(keyboard.try_clone()?);
    let mut seen = String::new();
    let mut result = Ok(());
    for (question, answer) in talk {
        let from = seen.len();
        result = until(&screen, &mut seen, start + limit, |s| s[from.min(s.len())..].contains(question));
        if result.is_err() {
            break;
        }
        keyboard.write_all(answer.as_bytes())?;
    }
    // Python loses a Ctrl-C that comes just before it begins to read: it is typed again, and shown once.
    let interrupts = talk.last().is_some_and(|(_, answer)| *answer == "\x03");
    while result.is_ok() {
        let patience = if interrupts { Instant::now() + Duration::from_secs(10) } else { start + limit };
        result = until(&screen, &mut seen, patience.min(start + limit), |_| false);
        if result.is_ok() || Instant::now() >= start + limit {
            break;
        }
        result = Ok(keyboard.write_all(b"\x03")?);
    }
    while seen.contains("^C^C") {
        seen = seen.replace("^C^C", "^C");
    }
    if let Err(e) = result {
        let _ = child.kill();
        let _ = child.wait();
        return Err(Failure(format!("{e}\n      seen {seen:?}")));
    }
    let code = child.wait()?.code().unwrap_or(-1);
    let line = format!("{cmd:?}");
    Ok(Ran { line, code, out: seen.replace("\r\n", "\n"), err: String::new(), took: start.elapsed() })
}

/// Reads until `enough` of what was seen, or the end of the program's output.
fn until(
    screen: &Receiver<Vec<u8>>,
    seen: &mut String,
    deadline: Instant,
    enough: impl Fn(&str) -> bool,
) -> Result {
    while !enough(seen) {
        match screen.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(bytes) => seen.push_str(&String::from_utf8_lossy(&bytes)),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => return Err(Failure("it waits too long".into())),
        }
    }
    Ok(())
}

fn watch(mut screen: File) -> Receiver<Vec<u8>> {
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        loop {
            match screen.read(&mut bytes) {
                Ok(0) => return,
                Ok(n) => {
                    if tell.send(bytes[..n].to_vec()).is_err() {
                        return;
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // The kernel's way to say that nobody has the terminal open any more.
                Err(_) => return,
            }
        }
    });
    told
}
