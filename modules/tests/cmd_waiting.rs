//! Commands and the job around them: cancellation, process groups, output of any size, and what stays behind.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use brine_core::call::{Args, CallError, Cx, Registry, Result};
use brine_core::host::NoHost;
use brine_core::{Opts, Value, map};
use std::sync::Arc;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

fn cx() -> Cx {
    let opts = Opts::new(map! { "id" => "m1", "file_client" => "local" });
    Cx::new(Arc::new(opts), Arc::new(Registry::new(brine_modules::ALL.iter().copied())), Arc::new(NoHost))
}

fn shell(cx: &Cx, fun: &str, cmd: &str) -> Result {
    cx.call(
        fun,
        Args::positional([cmd]).with("python_shell", true).with("shell", "/bin/sh").with("cwd", "/tmp"),
    )
}

/// Polls until it holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn alive(pid: i64) -> bool {
    // A zombie has ended.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Starts a command that starts another and tells both process ids, and waits until it has.
fn start(cx: &Cx, folder: &std::path::Path) -> (std::thread::JoinHandle<Result>, Vec<i64>) {
    let path = folder.join("pids");
    let cmd = format!("sleep 300 & echo $$ $! > {0}.new; mv {0}.new {0}; wait", path.display());
    let job = std::thread::spawn({
        let cx = cx.clone();
        move || shell(&cx, "cmd.run", &cmd)
    });
    until("the command starts", || path.exists());
    let text = std::fs::read_to_string(path).unwrap();
    (job, text.split_whitespace().map(|pid| pid.parse().unwrap()).collect())
}

#[test]
fn a_cancelled_job_ends_at_once_with_all_its_processes() {
    let (cx, folder) = (cx(), tempfile::tempdir().unwrap());
    let (job, pids) = start(&cx, folder.path());
    assert_eq!(pids.len(), 2);
    cx.cancel.cancel();
    assert!(matches!(job.join().unwrap(), Err(CallError::Cancelled)));
    until("both processes end", || !pids.iter().any(|pid| alive(*pid)));
    until("the job forgets them", || {
        let mut tracked = 0;
        cx.job.for_each_process(|_| tracked += 1);
        tracked == 0
    });
}

#[test]
fn a_cancelled_command_may_tidy_up() {
    let (cx, folder) = (cx(), tempfile::tempdir().unwrap());
    let (ready, tidy) = (folder.path().join("ready"), folder.path().join("tidy"));
    let cmd = format!(
        "trap 'echo > {}; exit' TERM; echo > {}; while :; do sleep 0.01; done",
        tidy.display(),
        ready.display()
    );
    let job = std::thread::spawn({
        let cx = cx.clone();
        move || shell(&cx, "cmd.run", &cmd)
    });
    until("the command starts", || ready.exists());
    cx.cancel.cancel();
    assert!(matches!(job.join().unwrap(), Err(CallError::Cancelled)));
    until("the command tidies up", || tidy.exists());
}

#[test]
fn a_job_knows_its_process_group_and_a_signal_to_it_ends_the_command() {
    let (cx, folder) = (cx(), tempfile::tempdir().unwrap());
    let (job, pids) = start(&cx, folder.path());
    let mut groups = Vec::new();
    cx.job.for_each_process(|pid| groups.push(i64::from(pid)));
    assert_eq!(groups, [pids[0]]);
    let group = nix::unistd::Pid::from_raw(pids[0] as i32);
    nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(job.join().unwrap().unwrap(), Value::from(""));
    assert_eq!(cx.job.context("retcode"), Some((-15).into()));
}

#[test]
fn a_timeout_ends_the_whole_process_group() {
    let (cx, folder) = (cx(), tempfile::tempdir().unwrap());
    let pids = folder.path().join("pids");
    let cmd = format!("sleep 300 & echo $! > {}; wait", pids.display());
    let args =
        Args::positional([cmd.as_str()]).with("python_shell", true).with("timeout", 1).with("cwd", "/tmp");
    let text = cx.call("cmd.run", args).unwrap();
    assert_eq!(text, Value::from(format!("{cmd} : Timed out after 1 seconds")));
    let pid: i64 = std::fs::read_to_string(pids).unwrap().trim().parse().unwrap();
    until("the process below ends", || !alive(pid));
}

#[test]
fn much_output_on_both_streams_and_much_input() {
    let cx = cx();
    let input = "x".repeat(3 << 20);
    let args = Args::positional(["tee /dev/stderr"]).with("stdin", input.as_str()).with("python_shell", true);
    let result = cx.call("cmd.run_all", args.with("cwd", "/tmp").with("shell", "/bin/sh")).unwrap();
    assert_eq!(result.get("stdout").and_then(Value::as_str).map(str::len), Some(input.len()));
    assert_eq!(result.get("stderr").and_then(Value::as_str).map(str::len), Some(input.len()));
}

#[test]
fn a_command_that_never_stops_writing_is_stopped() {
    let failed = shell(&cx(), "cmd.run", "cat /dev/zero").unwrap_err();
    assert!(matches!(failed, CallError::Execution(text) if text.contains("wrote more than")));
}

#[test]
fn a_command_leads_a_session_of_its_own_and_inherits_no_files() {
    let cx = cx();
    let result =
        shell(&cx, "cmd.run_all", "cut -d' ' -f1,5,6 /proc/$$/stat; ls /proc/$$/fd | wc -l").unwrap();
    let text = result.get("stdout").and_then(Value::as_str).unwrap().to_owned();
    let numbers: Vec<i64> = text.split_whitespace().map(|n| n.parse().unwrap()).collect();
    assert_eq!(numbers[0], numbers[1], "leads its group");
    assert_eq!(numbers[0], numbers[2], "leads its session");
    assert_eq!(numbers[3], 3, "has standard streams only");
}

#[test]
fn under_salt_call_a_command_stays_in_the_session_of_the_terminal() {
    let mut cx = cx();
    cx.opts = Arc::new(Opts::new(map! { "id" => "m1", "file_client" => "local", "__cli" => "salt-call" }));
    let text = shell(&cx, "cmd.run", "cut -d' ' -f5,6 /proc/$$/stat").unwrap();
    let (group, session) = (nix::unistd::getpgrp(), nix::unistd::getsid(None).unwrap());
    assert_eq!(text, Value::from(format!("{group} {session}")));
    let args = Args::positional(["sleep 300"]).with("timeout", 0.2).with("cwd", "/tmp");
    let text = cx.call("cmd.run", args).unwrap();
    assert_eq!(text, Value::from("['sleep', '300'] : Timed out after 0.2 seconds"));
}

#[test]
fn scripts_leave_nothing_behind() {
    let (cx, folder) = (cx(), tempfile::tempdir().unwrap());
    let script = folder.path().join("s.sh");
    std::fs::write(&script, "#!/bin/sh\n[ \"$1\" ] && stat -c '%a %n' \"$0\"\n").unwrap();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    for background in [false, true] {
        let args = Args::positional([script.to_str().unwrap()])
            .with("cwd", work.to_str().unwrap())
            .with("shell", "/bin/sh")
            .with("args", if background { Value::Nil } else { "show".into() })
            .with("bg", background);
        let result = cx.call("cmd.script", args).unwrap();
        if !background {
            let stdout = result.get("stdout").and_then(Value::as_str).unwrap();
            assert!(stdout.starts_with("500 ") && stdout.ends_with(".sh"), "{stdout}");
        }
        until("the copy goes", || std::fs::read_dir(&work).unwrap().count() == 0);
    }
}

#[test]
fn a_sleeping_job_can_be_cancelled() {
    let cx = cx();
    let job = std::thread::spawn({
        let cx = cx.clone();
        move || cx.call("test.sleep", Args::positional([300]))
    });
    cx.cancel.cancel();
    assert!(matches!(job.join().unwrap(), Err(CallError::Cancelled)));
}
