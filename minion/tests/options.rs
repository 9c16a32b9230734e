//! Options that change what a running minion, or `salt-call`, does; several of them on each minion that is started.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use brine_protocol::{Map, Value, map};
use common::{FakeMaster, MinionProcess, Mood, eventually};
use std::fs;
use std::path::Path;
use std::process::Command;

fn start(masters: &str, conf: &str) -> (MinionProcess, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("conf/minion.d")).unwrap();
    fs::write(dir.path().join("conf/minion.d/test.conf"), conf).unwrap();
    let minion = MinionProcess::start(dir.path(), masters, "");
    (minion, dir)
}

async fn pair(conf: &str) -> (FakeMaster, MinionProcess, tempfile::TempDir) {
    let master = FakeMaster::start().await;
    let (minion, dir) = start(&format!("127.0.0.1:{}", master.port), conf);
    master.listened_to().await;
    (master, minion, dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn start_events_and_returns_have_the_form_that_was_asked_for() {
    let conf = "start_event_grains: [id, role]\nenable_legacy_startup_events: false\ngrains: {role: web}\n\
                multifunc_ordered: true\ncache_jobs: true\ngrains_refresh_pre_exec: true\ngrains_refresh_every: 7\n\
                return: rawfile_json\nrawfile_json.filename: HERE/returns\n";
    let here = tempfile::tempdir().unwrap();
    let conf = &conf.replace("HERE", here.path().to_str().unwrap());
    let (master, _minion, dir) = pair(conf).await;
    let first = eventually("the start event", || master.loads("_minion_event").into_iter().next()).await;
    assert_eq!(first.get_str("tag"), Some("salt/minion/m1/start"));
    assert_eq!(first.get("grains"), Some(&map! {"id" => "m1", "role" => "web"}.into()));
    let args = vec![Value::List(vec![]), vec!["hi"].into()];
    let ret = master.run(vec!["test.ping", "test.echo"], args).await;
    assert_eq!(ret.get("return"), Some(&vec![Value::from(true), "hi".into()].into()));
    let cached = dir.path().join("var/cache/salt/minion/minion_jobs").join(ret.get_str("jid").unwrap());
    assert!(cached.join("return.p").exists());
    fs::write(dir.path().join("conf/grains"), "later: 'yes'\n").unwrap();
    let later = master.run("grains.get", vec!["later".into()]).await;
    assert_eq!(later.get_str("return"), Some("yes"));
    let written = || fs::read_to_string(here.path().join("returns")).ok().filter(|text| text.contains("yes"));
    eventually("the returner's file", written).await;
    let all = map! {"show_all" => true, "return_yaml" => false, "__kwarg__" => true};
    let jobs = master.run("schedule.list", vec![all.into()]).await;
    let update = jobs.get("return").and_then(|jobs| jobs.get("__update_grains")).unwrap();
    assert_eq!(update.get("minutes"), Some(&7.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_counted_and_remembered_as_told() {
    let conf = "process_count_max: 1\nminion_jid_queue_hwm: 1\nmine_intervall: 5\nreturn_retry_tries: [x]\n";
    let (master, minion, _dir) = pair(conf).await;
    let file = minion.dir.join("conf/minion.d/test.conf").display().to_string();
    for said in [
        format!("{file}:3: unknown option 'mine_intervall'; did you mean 'mine_interval'?"),
        format!(
            "{file}:4: Config option 'return_retry_tries' with value ['x'] has an invalid type of list, a int is required"
        ),
    ] {
        assert!(minion.log().contains(&said), "{said}");
    }
    let slow = master.publish(&master.job("test.sleep", vec![Value::Int(1)]));
    let after = master.publish(&master.job("test.ping", vec![]));
    master.returned(&slow).await;
    master.returned(&after).await;
    assert!(minion.log().contains("Maximum number of processes reached"), "they ran one after the other");
    // The first job's id was forgotten when the second came.
    let mut again = master.job("test.ping", vec![]);
    again.insert("jid", slow.as_str());
    master.publish(&again);
    eventually("it runs once more", || (master.returns(&slow).len() == 2).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_jobs_are_refused_where_signatures_are_asked_for() {
    for (asked, runs) in [(true, 0), (false, 1)] {
        let master = FakeMaster::start().await;
        master.memory.lock().unwrap().sign = false;
        let conf = format!("sign_pub_messages: {asked}\n");
        let (_minion, _dir) = start(&format!("127.0.0.1:{}", master.port), &conf);
        master.listened_to().await;
        let unsigned = master.publish(&master.job("test.ping", vec![]));
        master.memory.lock().unwrap().sign = true;
        // Jobs start in order, so by this one's end the other has returned.
        master.run("test.sleep", vec![Value::Int(1)]).await;
        assert_eq!(master.returns(&unsigned).len(), runs);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_stay_here_without_pub_ret() {
    let (master, _minion, dir) = pair("pub_ret: false\ncache_jobs: true\n").await;
    let jid = master.publish(&master.job("test.ping", vec![]));
    let cached = dir.path().join("var/cache/salt/minion/minion_jobs").join(&jid).join("return.p");
    eventually("the copy", || cached.exists().then_some(())).await;
    master.publish(&master.job("event.fire_master", vec![Map::new().into(), "my/tag".into()]));
    let tag = |load: &Map| load.get_str("tag") == Some("my/tag");
    eventually("the event", || master.loads("_minion_event").iter().any(tag).then_some(())).await;
    assert!(master.returns(&jid).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minion_may_run_its_schedule_alone_and_start_late() {
    let conf = "scheduler_before_connect: true\nschedule:\n  t:\n    function: cmd.run\n    args: ['touch ran']\n    \
                kwargs: {cwd: HERE}\n    seconds: 1\n    run_on_start: true\n\
                schedule_returner: rawfile_json\nrawfile_json.filename: HERE/returns\n";
    let here = tempfile::tempdir().unwrap();
    let conf = conf.replace("HERE", here.path().to_str().unwrap());
    // Nobody listens there.
    let (_minion, _dir) = start("127.0.0.1:1", &conf);
    let ran = here.path().join("ran");
    eventually("a job before any master", || ran.exists().then_some(())).await;
    eventually("its return", || here.path().join("returns").exists().then_some(())).await;

    // At random up to eleven days; less than it takes to see the job once more has a chance of one in 10^6.
    let master = FakeMaster::start().await;
    let (late, _dir) = start(&format!("127.0.0.1:{}", master.port), "random_startup_delay: 1000000\n");
    fs::remove_file(&ran).unwrap();
    eventually("it has begun", || late.log().contains("Setting up the Salt Minion").then_some(())).await;
    eventually("the job once more", || ran.exists().then_some(())).await;
    assert_eq!(master.sign_ins(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minion_may_watch_before_it_has_a_master() {
    let here = tempfile::tempdir().unwrap();
    let ran = here.path().join("ran");
    let watch = format!(
        "beacons_before_connect: true\nbeacons:\n  salt_monitor:\n  - salt_fun:\n    - cmd.run: {{args: ['touch {}']}}\n",
        ran.display()
    );
    let (_minion, _dir) = start("127.0.0.1:1", &watch);
    eventually("a beacon has looked", || ran.exists().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scheduled_jobs_may_wait_for_each_other() {
    let here = tempfile::tempdir().unwrap();
    let job = |name: &str, command: &str| {
        format!(
            "  {name}: {{function: cmd.run, args: ['{command}'], kwargs: {{cwd: HERE, python_shell: true}}, hours: 5, run_on_start: true}}\n"
        )
    };
    let jobs = job("a", "sleep 1; touch one") + &job("b", "test -e one && touch two");
    let conf =
        format!("run_schedule_jobs_in_background: false\nscheduler_before_connect: true\nschedule:\n{jobs}");
    let (_minion, _dir) = start("127.0.0.1:1", &conf.replace("HERE", here.path().to_str().unwrap()));
    let two = here.path().join("two");
    eventually("the second after the first", || two.exists().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minion_goes_back_to_its_first_master_when_that_is_back() {
    let (mut a, b) = (FakeMaster::start().await, FakeMaster::start().await);
    a.close().await;
    let list = format!("[\"127.0.0.1:{}\", \"127.0.0.1:{}\"]", a.port, b.port);
    let conf = "master_type: failover\nauth_tries: 1\nauth_timeout: 1\nmaster_failback: true\n\
                master_failback_interval: 1\n";
    let (_minion, _dir) = start(&list, conf);
    b.listened_to().await;
    a.open().await;
    a.listened_to().await;
    assert_eq!(a.run("test.ping", vec![]).await.get("return"), Some(&true.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_does_not_accept_the_key_is_left_after_so_many_tries() {
    let (a, b) = (FakeMaster::start().await, FakeMaster::start().await);
    a.memory.lock().unwrap().mood = Mood::Pend;
    let list = format!("[\"127.0.0.1:{}\", \"127.0.0.1:{}\"]", a.port, b.port);
    let (_minion, _dir) = start(&list, "master_type: failover\nauth_retries: 2\nacceptance_wait_time: 0.1\n");
    b.listened_to().await;
}

/// The functions and SLS names that a minion with these options returns of its own accord.
async fn applied_at_the_start(conf: &str) -> (String, Vec<String>) {
    let tree = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("top.sls", "base: {'*': [high]}"),
        ("other.sls", "base: {'*': [topped]}"),
        ("high.sls", "a: {test.nop: []}"),
        ("topped.sls", "a: {test.nop: []}"),
        ("one.sls", "a: {test.nop: []}"),
        ("two.sls", "b: {test.nop: []}"),
    ] {
        fs::write(tree.path().join(name), text).unwrap();
    }
    let roots = tree.path().display();
    let (master, _minion, _dir) =
        pair(&format!("file_client: local\nfile_roots: {{base: [{roots}]}}\n{conf}")).await;
    let returned = || master.loads("_return").into_iter().next();
    let load = eventually("the return of the first states", returned).await;
    assert_eq!(load.get_str("jid"), Some("req"));
    let states = load.get("return").and_then(Value::as_map).unwrap();
    let sls = |state: &Value| state.get("__sls__").and_then(Value::as_str).unwrap().to_owned();
    (load.get_str("fun").unwrap().to_owned(), states.values().map(sls).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn states_are_applied_at_the_start_where_that_is_asked_for() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let got = applied_at_the_start("startup_states: highstate\n").await;
    assert_eq!(got, ("state.highstate".into(), names(&["high"])));
    let got = applied_at_the_start("startup_states: sls\nsls_list: [one, two]\n").await;
    assert_eq!(got, ("state.sls".into(), names(&["one", "two"])));
    let got = applied_at_the_start("startup_states: top\ntop_file: other.sls\n").await;
    assert_eq!(got, ("state.top".into(), names(&["topped"])));
}

#[test]
fn a_call_follows_the_options_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let call = |conf: &str, words: &[&str]| {
        configure(dir.path(), conf);
        let mut command = Command::new(env!("CARGO_BIN_EXE_salt-call"));
        command.arg("-c").arg(dir.path().join("conf")).arg("--local").args(words);
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(call("retcode_passthrough: true", &["cmd.run", "exit 3"]).0, 3);
    assert_eq!(call("output: json", &["test.echo", "x"]).1, "{\n    \"local\": \"x\"\n}\n");
    let file = dir.path().join("out");
    let to = format!("output: txt\noutput_file: {}\noutput_file_append: true", file.display());
    for _ in 0..2 {
        assert_eq!(call(&to, &["test.echo", "x"]), (0, String::new()));
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "local: x\nlocal: x\n");
    assert!(!call("skip_grains: true", &["grains.get", "kernel"]).1.contains("Linux"));
    assert_ne!(call("disable_modules: [test]", &["test.ping"]).0, 0);
    // A user that is not there cannot be become.
    assert_ne!(call("user: no-such-user-here", &["test.ping"]).0, 0);
}

fn configure(dir: &Path, extra: &str) {
    let conf = format!(
        "id: m1\nroot_dir: {}\nsock_dir: /sock\nenable_fqdns_grains: false\n{extra}\n",
        dir.display()
    );
    fs::create_dir_all(dir.join("conf")).unwrap();
    fs::write(dir.join("conf/minion"), conf).unwrap();
}
