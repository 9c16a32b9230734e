//! Options that change what a state run does.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Args, Cx, Registry};
use brine_core::files::Files;
use brine_core::options::Daemon;
use brine_core::{CallError, Map, Opts, Value, map};
use brine_files::Client;
use brine_testing::Around;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `cmd.run_all` that only keeps what it is asked for, and says what a program would.
mod programs {
    use brine_core::call::{Cx, KwArgs, Result, exec, module};
    use brine_core::{Map, Value, map};

    module! { "cmd": run_all }

    /// Keep the command.
    #[exec]
    fn run_all(cx: &Cx, cmd: Vec<String>, kwargs: KwArgs) -> Result<Map> {
        let _unread = kwargs;
        let mut asked = match cx.job.context("asked") {
            Some(Value::List(asked)) => asked,
            _ => Vec::new(),
        };
        asked.push(cmd.join(" ").into());
        cx.job.set_context("asked", asked);
        Ok(map! {"retcode" => 0, "stdout" => "17\n", "stderr" => ""})
    }
}

/// A minion without a master over a tree with these files.
fn cx(dir: &Path, more: Map, files: &[(&str, &str)]) -> Cx {
    let root = dir.join("srv");
    std::fs::create_dir_all(&root).unwrap();
    for (name, text) in files {
        std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        std::fs::write(root.join(name), text).unwrap();
    }
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let mut all = Daemon::Minion.defaults();
    all.update(map! {
        "id" => "m1", "file_client" => "local", "local" => true, "cachedir" => at("cache"), "extension_modules" => at("ext"),
        "file_roots" => map! {"base" => vec![at("srv")]}, "__cli" => "salt-call",
    });
    all.update(more);
    let opts = Opts::new(all);
    let files: Arc<dyn Files> = Arc::new(Client::of_this_machine(&opts));
    let registry = Registry::new(brine_modules::ALL.iter().copied())
        .with_states(brine_state_modules::ALL.iter().copied());
    let mut cx = Cx::new(Arc::new(opts), Arc::new(registry), Arc::new(Around::files(files)));
    cx.grains = Arc::new(map! {"os" => "Debian", "id" => "m1"});
    cx
}

fn apply(cx: &Cx, mods: &str) -> Map {
    match cx.call("state.apply", Args::positional([mods])).unwrap() {
        Value::Map(results) => results,
        other => panic!("{other:?}"),
    }
}

/// The names of results, in their order.
fn names(results: &Map) -> Vec<&str> {
    results.values().filter_map(|ret| ret.get("name")).filter_map(Value::as_str).collect()
}

const TWO: (&str, &str) = ("two.sls", "z: test.fail_without_changes\na: test.succeed_with_changes\n");

#[test]
fn a_failure_ends_a_run_where_failhard_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let run = |failhard: bool| {
        let cx = cx(dir.path(), map! {"failhard" => failhard}, &[TWO]);
        apply(&cx, "two").len()
    };
    assert_eq!(run(false), 2);
    assert_eq!(run(true), 1);
}

#[test]
fn states_have_the_order_of_their_names_without_state_auto_order() {
    let dir = tempfile::tempdir().unwrap();
    let run = |auto: bool| {
        let results = apply(&cx(dir.path(), map! {"state_auto_order" => auto}, &[TWO]), "two");
        names(&results).join(" ")
    };
    assert_eq!(run(true), "z a");
    assert_eq!(run(false), "a z");
}

#[test]
fn nothing_is_changed_where_the_option_test_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let run = |test: bool| {
        let results = apply(&cx(dir.path(), map! {"test" => test}, &[TWO]), "two");
        let result = results.values().find(|ret| ret.get("name") == Some(&"a".into())).unwrap();
        result.get("result").cloned().unwrap()
    };
    assert_eq!(run(false), true.into());
    assert_eq!(run(true), Value::Nil);
}

#[test]
fn another_environment_is_refused_where_it_is_locked() {
    let dir = tempfile::tempdir().unwrap();
    let run = |lock: bool| {
        let cx = cx(dir.path(), map! {"lock_saltenv" => lock}, &[TWO]);
        cx.call("state.apply", Args::positional(["two"]).with("saltenv", "dev"))
    };
    assert!(run(false).is_ok());
    let refused = run(true).unwrap_err();
    assert!(
        matches!(&refused, CallError::Execution(text) if text == "lock_saltenv is enabled, saltenv cannot be changed"),
        "{refused:?}"
    );
}

#[test]
fn parallel_states_wait_for_each_other_where_they_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let sleeper = |id: &str| format!("{id}:\n  cmd.run:\n    - name: sleep 0.3\n    - parallel: true\n");
    let text: String = ["a", "b", "c"].map(sleeper).concat();
    let run = |most: i64| {
        let cx = cx(dir.path(), map! {"state_max_parallel" => most}, &[("three.sls", &text)]);
        let began = std::time::Instant::now();
        let results = apply(&cx, "three");
        assert!(results.values().all(|ret| ret.get("result") == Some(&true.into())), "{results:?}");
        began.elapsed().as_millis()
    };
    let bounded = run(1);
    assert!(bounded >= 900, "{bounded}");
}

#[test]
fn a_run_waits_for_others_where_state_queue_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let run = |queue: bool| {
        let mut cx = cx(dir.path(), map! {"state_queue" => queue}, &[TWO]);
        let asked = AtomicUsize::new(0);
        let other = map! {"fun" => "state.highstate", "jid" => "20200101000000000000", "pid" => 7, "ret" => "", "tgt" => "*"};
        let jobs = move || match asked.fetch_add(1, Ordering::Relaxed) {
            0 => vec![other.clone()],
            _ if queue => Vec::new(),
            _ => vec![other.clone()],
        };
        let files = cx.host.files();
        cx.host = Arc::new(Around::files(files).and_jobs(jobs));
        cx.call("state.apply", Args::positional(["two"])).unwrap()
    };
    assert!(matches!(run(true), Value::Map(_)));
    assert!(matches!(run(false), Value::List(_)));
}

#[test]
fn snapshots_are_made_around_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let asked = |opts: Map| {
        let mut cx = cx(dir.path(), opts, &[TWO]);
        let modules = brine_modules::ALL
            .iter()
            .copied()
            .filter(|module| module.name != "cmd")
            .chain([&programs::MODULE]);
        cx.registry = Arc::new(Registry::new(modules).with_states(brine_state_modules::ALL.iter().copied()));
        apply(&cx, "two");
        let asked = cx.job.context("asked").unwrap_or_default();
        asked
            .as_list()
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let made = |config: &str, kind: &str| {
        format!(
            "snapper --config {config} create --type {kind} --cleanup-algorithm number --description Salt State run for jid called localy --userdata salt_jid=called localy"
        )
    };
    assert!(asked(map! {}).is_empty());
    assert_eq!(
        asked(map! {"snapper_states" => true, "snapper_states_config" => "srv"}),
        [made("srv", "pre --print-number"), made("srv", "post --pre-number 17")]
    );
    assert!(asked(map! {"snapper_states" => true, "test" => true}).is_empty());
}

#[test]
fn custom_modules_are_copied_kept_and_removed_as_told() {
    const FILES: &[(&str, &str)] = &[("_modules/a.py", "A"), ("_modules/b.py", "B"), ("_modules/c.py", "C")];
    let run = |opts: Map| {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("own/modules");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("old.py"), "old").unwrap();
        let mut all = map! {"extension_modules" => dir.path().join("own").to_str().unwrap()};
        all.update(opts);
        let args = Args::none().with("saltenv", "base").with("refresh", false);
        let synced = cx(dir.path(), all, FILES).call("saltutil.sync_modules", args).unwrap();
        let mut there: Vec<String> = std::fs::read_dir(own)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        (synced, there.join(" "))
    };
    let names = |names: &[&str]| names.iter().map(|name| format!("modules.{name}")).collect::<Value>();
    assert_eq!(run(map! {}), (names(&["a", "b", "c"]), "a.py b.py c.py".into()));
    let some = || map! {"modules" => vec!["a", "b"]};
    assert_eq!(run(map! {"extmod_whitelist" => some()}), (names(&["a", "b"]), "a.py b.py".into()));
    assert_eq!(run(map! {"extmod_blacklist" => some()}), (names(&["c"]), "c.py".into()));
    let kept = run(map! {"extmod_blacklist" => some(), "clean_dynamic_modules" => false});
    assert_eq!(kept, (names(&["c"]), "c.py old.py".into()));
}
