//! The program `gpg`: fixed words, the message on its standard input.

use super::super::render_error;
use brine_core::Cx;
use brine_python::R;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The largest text that is taken from gpg: a small message can hold a very large one.
const MOST: u64 = 64 << 20;

/// The first `gpg` in the search path.
pub(super) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join("gpg")).find(|file| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    })
}

/// What gpg made of a message, and what it said of it.
///
/// # Errors
/// It cannot be started, gives too much, or the job was cancelled.
pub(super) fn decrypt(cx: &Cx, gpg: &Path, keys: &Path, message: &[u8]) -> R<(Vec<u8>, Vec<u8>)> {
    let failed = |e: std::io::Error| render_error(format!("{}: {e}", gpg.display()));
    let mut child = Command::new(gpg)
        .arg("--homedir")
        .arg(keys)
        .args(["--status-fd", "2", "--no-tty", "-d"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let group = child.id() as i32;
    let tracked = cx.job.track_process(group);
    let kill = move || {
        let _gone =
            nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), nix::sys::signal::Signal::SIGKILL);
    };
    let hook = cx.cancel.on_cancel(kill);
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (clear, said) = std::thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut input) = input {
                // One that reads no more says why.
                let _closed = input.write_all(message);
            }
        });
        let said = scope.spawn(move || all(errors));
        let clear = all(output);
        if clear.len() as u64 > MOST {
            kill();
        }
        (clear, said.join().unwrap_or_default())
    });
    drop(hook);
    drop(tracked);
    child.wait().map_err(failed)?;
    cx.cancel.check().map_err(crate::template::py_error)?;
    if clear.len() as u64 > MOST {
        return Err(render_error(format!("gpg gives more than {MOST} bytes")));
    }
    Ok((clear, said))
}

/// All that can be read, up to the bound and a byte over it.
fn all(from: Option<impl Read>) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(from) = from {
        // What came before a fault is what there is.
        let _read = from.take(MOST + 1).read_to_end(&mut out);
    }
    out
}
