//! `use_vt`: a command on pseudo terminals, whose output is also shown as it comes.

use super::given::Given;
use super::options::Options;
use super::run::judged;
use super::spawn::Launch;
use super::wait::{End, Source, return_code, wait};
use crate::python::shlex;
use brine_core::call::{Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

/// Runs the command in a shell on a terminal of its own; error output has a second one, so that it stays apart.
pub(super) fn run(cx: &Cx, options: &Options, given: &Given) -> Result<Map> {
    let argv = shell_argv(options, given.get("cmd"));
    let (out, out_end) = terminal()?;
    let (err, err_end) = terminal()?;
    let launch = Launch {
        argv: &argv,
        env: &options.env,
        cwd: &options.cwd,
        identity: options.identity.clone(),
        umask: options.umask,
        session: true,
        terminal: true,
    };
    let stdin = out_end.try_clone()?;
    let child = launch.start(stdin.into(), out_end.into(), err_end.into())?;
    let pid = child.child.id();
    let sources: Vec<Source> = vec![Box::new(out), Box::new(err)];
    let ended = wait(cx, child, None, sources, options.timeout, show)?;
    let text = |outputs: &[Vec<u8>], which: usize| {
        String::from_utf8_lossy(outputs.get(which).map_or(&[][..], Vec::as_slice)).replace("\r\n", "\n")
    };
    Ok(match ended {
        End::Exited(status, outputs) => {
            let (stdout, stderr) = (text(&outputs, 0), text(&outputs, 1));
            let retcode = judged(options, return_code(status), &stdout, &stderr);
            map! { "pid" => pid, "stdout" => stdout, "stderr" => stderr, "retcode" => retcode }
        }
        End::TimedOut(outputs) => {
            let timeout = given.get("timeout").map(python_str).unwrap_or_default();
            let stderr = format!("SALT: Timeout after {timeout}s\n{}", text(&outputs, 1));
            map! { "pid" => pid, "stdout" => text(&outputs, 0), "stderr" => stderr, "retcode" => Value::Nil }
        }
    })
}

/// A new pseudo terminal: our end and the child's. Neither leaks into other children.
fn terminal() -> io::Result<(PtyMaster, File)> {
    let ours = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname_r(&ours)?;
    let theirs =
        File::options().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(name)?;
    Ok((ours, theirs))
}

/// A terminal always has a shell; a list becomes one line for it.
fn shell_argv(options: &Options, cmd: Option<&Value>) -> Vec<String> {
    let line = match cmd {
        Some(Value::List(words)) => {
            words.iter().map(|word| shlex::quote(&python_str(word))).collect::<Vec<_>>().join(" ")
        }
        other => python_str(other.unwrap_or(&Value::Nil)),
    };
    vec![options.shell.clone().unwrap_or_else(|| "/bin/sh".into()), "-c".into(), line]
}

/// Passes output on as it comes; nobody may be looking.
fn show(which: usize, bytes: &[u8]) {
    let _ = match which {
        0 => std::io::stdout().write_all(bytes).and_then(|()| std::io::stdout().flush()),
        _ => std::io::stderr().write_all(bytes),
    };
}
