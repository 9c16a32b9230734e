//! `cmd.run_chroot`: a command in another directory tree. The mounts are the module `mount`'s work.

use super::given::Given;
use super::run::{Stderr, run as run_command};
use super::variants::hide;
use crate::python::shlex;
use brine_core::Value;
use brine_core::call::{Args, Cx, Result};
use brine_core::text::python_str;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};

/// Mounts, runs, ends what is left, unmounts, and returns what `cmd.run_all` does.
pub(super) fn run(cx: &Cx, mut given: Given) -> Result {
    let root = PathBuf::from(given.text("root").unwrap_or_default());
    let binds: Vec<String> = match given.take("binds") {
        Value::List(list) => list.iter().map(python_str).collect(),
        Value::Nil => Vec::new(),
        one => vec![python_str(&one)],
    };
    let inside = |path: &str| root.join(path.trim_start_matches('/')).to_string_lossy().into_owned();
    for (name, device, kind) in [("dev", "devtmpfs", "devtmpfs"), ("proc", "proc", "proc"), ("sys", "sysfs", "sysfs")]
    {
        let args = Args::positional([inside(name), device.to_owned()]).with("fstype", kind);
        cx.call("mount.mount", args)?;
    }
    for bind in &binds {
        let args = Args::positional([inside(bind), bind.clone()]).with("opts", "default,bind");
        cx.call("mount.mount", args)?;
    }
    let shell = if root.join("bin/bash").is_file() { "/bin/bash" } else { "/bin/sh" };
    let cmd = match given.take("cmd") {
        Value::List(list) => list.iter().map(python_str).collect::<Vec<_>>().join(" "),
        other => python_str(&other),
    };
    // User and group are those of the tree inside, so they are `chroot`'s to find.
    let user = given.take("runas");
    let group = given.take("group");
    let user = if user.truthy() {
        let group = if group.truthy() { python_str(&group) } else { String::new() };
        format!("--userspec {}:{group}", python_str(&user))
    } else {
        String::new()
    };
    given.set("cmd", format!("chroot {user} {} {shell} -c {}", root.display(), shlex::quote(&cmd)));
    given.set("redirect_stderr", false);
    let result = run_command(cx, &given, Stderr::Apart);
    end_processes(&root);
    for place in binds.iter().map(String::as_str).chain(["sys", "proc", "dev"]) {
        cx.call("mount.umount", Args::positional([inside(place)]))?;
    }
    let mut result = result?;
    hide(&given, &mut result);
    Ok(result.into())
}

/// Ends what still runs below `root`: asked three times, then told three times.
fn end_processes(root: &Path) {
    for attempt in 0..6 {
        let pids = processes(root);
        if pids.is_empty() {
            return;
        }
        let signal = if attempt < 3 { Signal::SIGTERM } else { Signal::SIGKILL };
        for pid in pids {
            // It may have ended by itself.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
    if !processes(root).is_empty() {
        tracing::error!("Processes running in chroot could not be killed, filesystem will remain mounted");
    }
}

fn processes(root: &Path) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| std::fs::read_link(format!("/proc/{pid}/root")).is_ok_and(|link| link.starts_with(root)))
        .collect()
}
