//! `salt-call` as people and scripts see it: what it prints where, and its exit codes.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use brine_protocol::{Value, map};
use common::{FakeMaster, MinionProcess, Mood, eventually};
use std::path::Path;
use std::process::{Command, Output};

fn configure(dir: &Path, extra: &str) {
    let config = format!(
        "id: m1\nroot_dir: {}\nsock_dir: /sock\nenable_fqdns_grains: false\nauth_timeout: 1\nauth_tries: 1\n{extra}\n",
        dir.display()
    );
    std::fs::create_dir_all(dir.join("conf")).unwrap();
    std::fs::write(dir.join("conf/minion"), config).unwrap();
}

fn call(dir: &Path, words: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_salt-call"))
        .arg("-c")
        .arg(dir.join("conf"))
        .args(words)
        .env_remove("SALT_CONFIG_DIR")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn local(words: &[&str]) -> (i32, String, String) {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), "");
    call(dir.path(), &[&["--local"], words].concat())
}

#[test]
fn results_go_to_stdout_and_nothing_else_does() {
    assert_eq!(local(&["test.ping"]), (0, "local:\n    True\n".into(), String::new()));
    assert_eq!(
        local(&["--out=json", "--out-indent=-1", "test.echo", "a: b"]),
        (0, "{\"local\": \"a: b\"}\n".into(), String::new())
    );
}

#[test]
fn a_command_that_fails_is_told_of_on_stderr_as_stock_does() {
    let failed = "[ERROR   ] Command 'echo' failed with return code: 3\n";
    let told = format!("{failed}[ERROR   ] stdout: x\n[ERROR   ] retcode: 3\n");
    let (code, _, stderr) = local(&["cmd.run_all", "echo x; exit 3"]);
    assert_eq!((code, stderr.as_str()), (1, told.as_str()));
    let (code, stdout, stderr) = local(&["cmd.run", "echo x; exit 3"]);
    assert_eq!((code, stdout.as_str()), (1, "local:\n    x\n"));
    assert_eq!(stderr, format!("{told}{failed}[ERROR   ] output: x\n"));
}

#[test]
fn a_saltfile_says_where_the_configuration_is() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), "");
    let saltfile = dir.path().join("Saltfile");
    let conf = dir.path().join("conf");
    let text = format!("salt-call:\n  config_dir: {}\n  local: true\n  output: json\n", conf.display());
    std::fs::write(&saltfile, text).unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_salt-call"));
        command.args(words).current_dir(dir.path()).env_remove("SALT_CONFIG_DIR");
        let Output { stdout, .. } = command.env_remove("SALT_SALTFILE").output().unwrap();
        String::from_utf8(stdout).unwrap()
    };
    assert_eq!(run(&["config.get", "id"]), "{\n    \"local\": \"m1\"\n}\n");
    assert_eq!(run(&["--out=txt", "config.get", "id"]), "local: m1\n");
}

#[test]
fn failures_have_stocks_texts_and_codes() {
    assert_eq!(local(&["nope.x"]), (255, String::new(), "'nope.x' is not available.\n".into()));
    let (code, out, err) = local(&["test.ping", "a"]);
    assert_eq!(code, 1);
    assert_eq!(
        err,
        "\nPassed invalid arguments: ping() takes 0 positional arguments but 1 was given.\n\nUsage:\n"
    );
    assert!(out.contains("CLI Example"));
    assert_eq!(
        local(&["test.ping", "a=b"]),
        (1, String::new(), "The following keyword arguments are not valid: a=b\n".into())
    );
    let (code, out, err) = local(&["test.exception", "oh"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.starts_with("Traceback (most recent call last):\n") && err.ends_with("\nException: oh\n"),
        "{err}"
    );
    let (code, _, err) = local(&["--bogus"]);
    assert_eq!(code, 64);
    assert!(err.ends_with("\nsalt-call: error: no such option: --bogus\n"), "{err}");
    assert_eq!(local(&[]).0, 64);
}

#[test]
fn the_function_s_return_code_counts() {
    assert_eq!(local(&["cmd.run", "exit 3"]).0, 1);
    assert_eq!(local(&["--retcode-passthrough", "cmd.run", "exit 3"]).0, 3);
    let (code, out, _) = local(&["--metadata", "--out=json", "--set-metadata", "{a: 1}", "test.echo", "x"]);
    assert_eq!(code, 0);
    for part in ["\"fun\": \"test.echo\"", "\"retcode\": 0", "\"id\": \"m1\"", "\"return\": \"x\""] {
        assert!(out.contains(part), "{part} in {out}");
    }
}

#[test]
fn versions_and_help_need_no_configuration() {
    let run = |words: &[&str]| Command::new(env!("CARGO_BIN_EXE_salt-call")).args(words).output().unwrap();
    assert_eq!(run(&["--version"]).stdout, b"salt-call 3006.28 (Sulfur)\n");
    assert!(run(&["-h"]).stdout.starts_with(b"Usage: salt-call [options] <function> [arguments]\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_a_master_uses_its_pillar_and_gives_the_result_back() {
    let (master, dir) = (FakeMaster::start().await, tempfile::tempdir().unwrap());
    master.memory.lock().unwrap().pillar = map! {"color" => "blue"};
    configure(dir.path(), &format!("master: 127.0.0.1:{}", master.port));
    let path = dir.path().to_owned();
    let (code, out, err) =
        tokio::task::spawn_blocking(move || call(&path, &["config.get", "color"])).await.unwrap();
    assert_eq!((code, out.as_str()), (0, "local:\n    blue\n"), "{err}");
    let ret = &master.loads("_return")[0];
    assert_eq!(ret.get_str("jid"), Some("req"));
    assert_eq!(ret.get_str("return"), Some("blue"));
    assert_eq!(ret.get("fun_args"), Some(&vec!["color"].into()));
    assert_eq!(ret.get("retcode"), Some(&Value::Int(0)));
}

/// Whoever answers for the master cannot choose the pillar, and without its pillar a call fails as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2022_22934_and_2024_37088_a_call_with_a_bad_pillar_fails() {
    let (master, dir) = (FakeMaster::start().await, tempfile::tempdir().unwrap());
    {
        let mut memory = master.memory.lock().unwrap();
        memory.pillar = map! {"color" => "blue"};
        memory.forged_pillar = true;
    }
    configure(dir.path(), &format!("master: 127.0.0.1:{}", master.port));
    let path = dir.path().to_owned();
    let (code, out, err) =
        tokio::task::spawn_blocking(move || call(&path, &["config.get", "color"])).await.unwrap();
    assert_ne!(code, 0, "{out}{err}");
    assert!(!out.contains("blue"), "{out}");
    assert!(master.loads("_return").is_empty(), "nothing was run");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unaccepted_minion_is_told_so() {
    let (master, dir) = (FakeMaster::start().await, tempfile::tempdir().unwrap());
    master.memory.lock().unwrap().mood = Mood::Pend;
    configure(dir.path(), &format!("master: 127.0.0.1:{}", master.port));
    let path = dir.path().to_owned();
    let (code, out, _) = tokio::task::spawn_blocking(move || call(&path, &["test.ping"])).await.unwrap();
    assert_eq!(code, 2);
    assert_eq!(out, "Minion failed to authenticate with the master, has the minion key been accepted?\n");
}

#[test]
fn a_master_that_is_not_there_is_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    // Port 1 is nobody's.
    configure(dir.path(), "master: 127.0.0.1:1");
    let (code, out, err) = call(dir.path(), &["test.ping"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(err, "Attempt to authenticate with the salt master failed with timeout error\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_tells_the_minion_beside_it() {
    let (master, dir) = (FakeMaster::start().await, tempfile::tempdir().unwrap());
    let _minion = MinionProcess::start(dir.path(), &format!("127.0.0.1:{}", master.port), "");
    master.listened_to().await;
    eventually("the first pillar", || (!master.loads("_pillar").is_empty()).then_some(())).await;
    let before = master.loads("_pillar").len();
    let path = dir.path().to_owned();
    let (code, out, err) =
        tokio::task::spawn_blocking(move || call(&path, &["--local", "event.fire", "{}", "pillar_refresh"]))
            .await
            .unwrap();
    assert_eq!((code, out.as_str()), (0, "local:\n    True\n"), "{err}");
    eventually("another pillar", || (master.loads("_pillar").len() > before).then_some(())).await;
}

/// A tree with one file of states, and a local minion for it.
fn tree(sls: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("srv")).unwrap();
    std::fs::write(dir.path().join("srv/a.sls"), sls).unwrap();
    configure(
        dir.path(),
        &format!("file_client: local\nfile_roots: {{base: [{}/srv]}}", dir.path().display()),
    );
    dir
}

#[test]
fn the_log_says_where_a_state_that_failed_is_declared() {
    let sls = "# states\n{% for n in ['x'] %}\nbad-{{ n }}:\n  test.fail_without_changes\n{% endfor %}\n";
    let dir = tree(sls);
    let (_, stdout, stderr) = call(dir.path(), &["--local", "-l", "debug", "state.apply", "a"]);
    assert!(
        stderr.contains("State 'bad-x' in SLS 'a' failed; it is declared in salt://a.sls, line 3\n"),
        "{stderr}"
    );
    assert!(!stdout.contains("line 3"), "{stdout}");
    let dir = tree("\nbad:\n  test.nop: text\n");
    let (_, _, stderr) = call(dir.path(), &["--local", "-l", "debug", "state.apply", "a"]);
    assert!(stderr.contains("ID 'bad' in SLS 'a' is declared in salt://a.sls, line 2\n"), "{stderr}");
}

#[test]
fn a_terminal_shows_which_state_is_run() {
    let dir = tree("slow:\n  cmd.run:\n    - name: sleep 0.7\n");
    let shown = |term: &str, more: &str| {
        let (program, conf) = (env!("CARGO_BIN_EXE_salt-call"), dir.path().join("conf"));
        let line = format!("{program} -c {} --local --no-color {more} state.apply a", conf.display());
        let ran =
            Command::new("script").args(["-qec", &line, "/dev/null"]).env("TERM", term).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    let all = shown("xterm", "");
    assert!(all.contains("\r\x1b[K[1/1] cmd.run: sleep 0.7"), "{all:?}");
    let (line, rest) = all.rsplit_once("\r\x1b[K").unwrap();
    assert!(line.starts_with("\r\x1b[K") && rest.starts_with("local:\r\n"), "{all:?}");
    for quiet in [shown("xterm", "--no-progress"), shown("dumb", ""), shown("xterm", "-l info")] {
        assert!(!quiet.contains("\x1b[K"), "{quiet:?}");
    }
}
