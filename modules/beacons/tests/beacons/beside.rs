//! Beacons with a program that runs beside them: the journal of a real journald, and shells under strace.

use super::both::Both;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

/// What is told until there is so much of it, or nothing more comes.
fn gather(most: usize, mut turn: impl FnMut() -> Json) -> Vec<Json> {
    let end = Instant::now() + Duration::from_secs(20);
    let mut all = Vec::new();
    while all.len() < most && Instant::now() < end {
        let answer = turn();
        all.extend(answer["told"].as_array().unwrap_or_else(|| panic!("{answer}")).clone());
        std::thread::sleep(Duration::from_millis(50));
    }
    all
}

/// A journald with a journal of its own, for this thread and what it starts.
fn journald() -> Running {
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    mount(Some("none"), "/run", Some("tmpfs"), MsFlags::empty(), none).unwrap();
    for dir in ["/run/systemd/journal", "/run/log/journal"] {
        std::fs::create_dir_all(dir).unwrap();
    }
    let mut command = Command::new("/lib/systemd/systemd-journald");
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let end = Instant::now() + Duration::from_secs(20);
    while !Path::new("/run/systemd/journal/stdout").exists() {
        assert!(Instant::now() < end, "journald has not started");
        std::thread::sleep(Duration::from_millis(20));
    }
    running
}

fn say(identifier: &str, priority: &str, text: &str) {
    let words = ["-t", identifier, "-p", priority, "echo", text];
    assert!(Command::new("systemd-cat").args(words).status().unwrap().success());
}

#[test]
fn the_journal_is_told_as_stock_tells_it() {
    let _journald = journald();
    say("probe", "info", "before anybody looked");
    let mut both = Both::start();
    let services = json!({
        "probe": {"SYSLOG_IDENTIFIER": "probe"}, "info": {"SYSLOG_IDENTIFIER": "probe", "PRIORITY": 6},
        "text": {"SYSLOG_IDENTIFIER": "probe", "PRIORITY": "6"}, "no field": {"SYSLOG_IDENTIFIER": "probe", "NO": "x"},
    });
    let config = json!([{"services": services}, {"_beacon_name": "journald"}]);
    let question = json!({"beacon": "journald", "do": "look", "config": config});
    assert_eq!(both.agree(question.clone())["told"], json!([]), "what was there before is not told");
    say("probe", "info", "one");
    say("other", "info", "nobody asked");
    say("probe", "err", "två");
    // The first is told under two names.
    let ours = gather(3, || both.ours(&question));
    let stock = gather(3, || both.stock.ask(&question));
    assert_eq!(ours, stock);
    let tags: Vec<&Json> = ours.iter().map(|event| &event["tag"]).collect();
    assert_eq!(tags, ["probe", "info", "probe"]);
    say("probe", "info", "three");
    assert_eq!(gather(2, || both.ours(&question)).len(), 2);
}

#[test]
fn what_is_started_from_shells_is_told_as_stock_tells_it() {
    let mut both = Both::start();
    let shell = || {
        let shell = Command::new("/bin/bash")
            .args(["--norc", "-s"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        Running(shell.unwrap())
    };
    // Only one may trace a program.
    let mut shells = [shell(), shell()];
    let question = |shell: &Running| {
        let procs = json!({shell.0.id().to_string(): {"cmd": "-bash", "user": "ann"}, "1": {"cmd": "/sbin/init", "user": "root"}});
        json!({
            "beacon": "sh", "do": "look", "config": [{"_beacon_name": "sh"}],
            "answers": {"cmd.shells": ["/bin/sh", "/bin/bash"], "status.procs": procs},
        })
    };
    let questions = [question(&shells[0]), question(&shells[1])];
    assert_eq!(both.ours(&questions[0])["told"], json!([]));
    both.stock.ask(&questions[1]);
    // They attach in their own time.
    std::thread::sleep(Duration::from_secs(1));
    for shell in &mut shells {
        let stdin = shell.0.stdin.as_mut().unwrap();
        stdin.write_all(b"/bin/echo 'a b' c; /bin/true\n").unwrap();
        stdin.flush().unwrap();
    }
    let masked = |told: Vec<Json>, of: usize| -> Vec<Json> {
        let pid = shells[of].0.id().to_string();
        let mask = |mut event: Json| {
            assert_eq!(event["tag"].as_str(), Some(&*pid));
            event["tag"] = json!("pid");
            event
        };
        told.into_iter().map(mask).collect()
    };
    let ours = masked(gather(2, || both.ours(&questions[0])), 0);
    let stock = masked(gather(2, || both.stock.ask(&questions[1])), 1);
    assert_eq!(ours, stock);
    assert_eq!(
        ours[0],
        json!({"tag": "pid", "cmd": "/bin/echo", "args": ["/bin/echo", "a b", "c"], "user": "ann"})
    );
}
