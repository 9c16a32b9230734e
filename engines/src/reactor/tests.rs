//! The reactor with a daemon that writes down what is called.

use super::*;
use brine_core::call::{Function, Module, Param, ParamKind};
use brine_core::host::NoHost;
use brine_core::options::Daemon;
use parking_lot::Condvar;
use std::path::Path;
use std::sync::atomic::AtomicUsize;

/// A daemon whose runs end when they are let go.
#[derive(Default)]
struct Fake {
    calls: Mutex<Vec<String>>,
    changed: Condvar,
    /// Whether runs may end.
    free: AtomicBool,
    made: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
    fired: Mutex<Vec<(String, Map)>>,
}

const ARG: Function = Function {
    name: "arg",
    doc: "",
    params: &[Param { name: "x", kind: ParamKind::Required }],
    run: |_, _| Ok(Value::Nil),
};
const TEST: Module = Module { name: "test", functions: &[ARG] };

impl Fake {
    fn holding() -> Arc<Self> {
        Arc::new(Self::default())
    }

    fn free() -> Arc<Self> {
        Arc::new(Self { free: AtomicBool::new(true), ..Self::default() })
    }

    fn note(&self, what: String) {
        self.calls.lock().push(what);
        self.changed.notify_all();
    }

    /// Waits until so many calls were made.
    fn until(&self, count: usize) -> Vec<String> {
        let mut calls = self.calls.lock();
        while calls.len() < count {
            let late = self.changed.wait_for(&mut calls, Duration::from_secs(20)).timed_out();
            assert!(!late, "{} of {count}: {calls:?}", calls.len());
        }
        calls.clone()
    }
}

impl Site for Fake {
    fn surroundings(&self) -> Result<Cx, String> {
        self.made.fetch_add(1, Ordering::SeqCst);
        let opts = Opts::new(Daemon::Minion.defaults());
        Ok(Cx::new(Arc::new(opts), Arc::new(Registry::new([&TEST])), Arc::new(NoHost)))
    }

    fn functions(&self, _: Kind) -> Option<Arc<Registry>> {
        Some(Arc::new(Registry::new([&TEST])))
    }

    fn local(&self, load: Map) -> Result<(), String> {
        self.note(brine_core::text::python_str(load.get("arg").unwrap_or(&Value::Nil)));
        Ok(())
    }

    fn master(&self, _: Kind, _: &str, args: Args, begun: &mut dyn FnMut()) {
        begun();
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.note(format!("run {}", brine_core::text::python_str(&args.keyword.into())));
        while !self.free.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
    }

    fn may_manage(&self, key: &str) -> bool {
        key == "secret"
    }

    fn fire(&self, tag: &str, data: Map) {
        self.fired.lock().push((tag.to_owned(), data));
    }
}

const LOCAL: &str = "a:\n  local.test.arg:\n    - tgt: x\n    - arg: ['{{ data.id }}', {{ data.n }}]\n";
const RUN: &str = "a:\n  runner.test.arg:\n    - args:\n      - x: '{{ data.id }} {{ data.n }}'\n";

fn opts(dir: &Path, files: &str, more: Map) -> Opts {
    let path = dir.join("react.sls");
    std::fs::write(&path, files).unwrap();
    let reactor: Value = vec![Value::from(map! {"my/*" => path.to_string_lossy().into_owned()})].into();
    let mut all = map! {"id" => "m", "reactor" => reactor};
    all.update(more);
    Opts::new(all)
}

fn open(dir: &Path, opts: &Opts) -> Arc<Reactor> {
    Reactor::open(opts, &Map::new(), Dir::at(dir.join("journal"))).unwrap()
}

fn put(reactor: &Arc<Reactor>, tag: &str, data: Map) {
    reactor.put(tag, &Event::new(tag, data).to_body());
}

fn settled(reactor: &Reactor) {
    down_to(reactor, 0);
}

/// Waits until no more events wait.
fn down_to(reactor: &Reactor, count: usize) {
    let until = Instant::now() + Duration::from_secs(20);
    while reactor.waiting() > count {
        assert!(Instant::now() < until, "{} wait", reactor.waiting());
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn reactor_says_which_files_react_to_what_and_events_of_one_minion_are_in_order() {
    let tmp = tempfile::tempdir().unwrap();
    let reactor = open(tmp.path(), &opts(tmp.path(), LOCAL, Map::new()));
    let fake = Fake::free();
    reactor.start(fake.clone());
    for n in 0..300_i64 {
        put(&reactor, "my/event", map! {"id" => format!("m{}", n % 7), "n" => n});
        put(&reactor, "other/event", map! {"id" => "m0", "n" => n});
        put(&reactor, "my/own", map! {"id" => "m0", "n" => n, "user" => "Reactor"});
    }
    let calls = fake.until(300);
    settled(&reactor);
    assert_eq!(fake.calls.lock().len(), 300);
    for minion in 0..7_i64 {
        let own: Vec<String> =
            calls.iter().filter(|c| c.contains(&format!("'m{minion}'"))).cloned().collect();
        let want: Vec<String> =
            (0..300).filter(|n| n % 7 == minion).map(|n| format!("['m{minion}', {n}]")).collect();
        assert_eq!(own, want);
    }
    reactor.close(Duration::from_secs(5));
}

#[test]
fn reactor_worker_threads_run_at_once_and_no_more() {
    let tmp = tempfile::tempdir().unwrap();
    let reactor = open(tmp.path(), &opts(tmp.path(), RUN, map! {"reactor_worker_threads" => 3}));
    let fake = Fake::holding();
    reactor.start(fake.clone());
    for n in 0..8_i64 {
        put(&reactor, "my/event", map! {"id" => "m", "n" => n});
    }
    fake.until(3);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!((fake.calls.lock().len(), fake.running.load(Ordering::SeqCst)), (3, 3));
    fake.free.store(true, Ordering::SeqCst);
    fake.until(8);
    settled(&reactor);
    assert_eq!(fake.most.load(Ordering::SeqCst), 3);
    reactor.close(Duration::from_secs(5));
}

#[test]
fn beyond_reactor_worker_hwm_a_minions_events_wait_on_disk_and_others_do_not() {
    let tmp = tempfile::tempdir().unwrap();
    let more = map! {"reactor_worker_threads" => 1, "reactor_worker_hwm" => 2};
    let all = opts(tmp.path(), RUN, more);
    let reactor = open(tmp.path(), &all);
    let local = tmp.path().join("local.sls");
    std::fs::write(&local, LOCAL).unwrap();
    let files: Value = local.to_string_lossy().into_owned().into();
    assert!(reactor.rules.write().add(&"your/*".into(), files).get("status").unwrap().truthy());
    let fake = Fake::holding();
    reactor.start(fake.clone());
    for n in 0..40_i64 {
        put(&reactor, "my/event", map! {"id" => format!("m{}", n % 4), "n" => n});
    }
    fake.until(1);
    // One runs, two wait in the pool; none of the rest is lost, and others are not held up.
    for n in 0..20_i64 {
        put(&reactor, "your/event", map! {"id" => "other", "n" => n});
    }
    fake.until(21);
    down_to(&reactor, 39);
    assert_eq!(reactor.works.tasks(), 2);
    fake.free.store(true, Ordering::SeqCst);
    let calls = fake.until(60);
    settled(&reactor);
    assert_eq!(fake.calls.lock().len(), 60);
    for minion in 0..4_i64 {
        let own: Vec<&String> = calls.iter().filter(|c| c.contains(&format!("m{minion} "))).collect();
        let want: Vec<String> =
            (0..40).filter(|n| n % 4 == minion).map(|n| format!("run {{'x': 'm{minion} {n}'}}")).collect();
        assert_eq!(own, want.iter().collect::<Vec<_>>());
    }
    reactor.close(Duration::from_secs(5));
}

#[test]
fn what_has_not_begun_begins_after_the_next_start() {
    let tmp = tempfile::tempdir().unwrap();
    let all = opts(tmp.path(), RUN, map! {"reactor_worker_threads" => 1});
    let reactor = open(tmp.path(), &all);
    let fake = Fake::holding();
    reactor.start(fake.clone());
    for n in 0..5_i64 {
        put(&reactor, "my/event", map! {"id" => "m", "n" => n});
    }
    fake.until(1);
    reactor.close(Duration::from_secs(5));
    put(&reactor, "my/event", map! {"id" => "m", "n" => 5});
    assert_eq!(reactor.waiting(), 5);
    // As after a kill: what the first one had is not known to the second.
    let again = open(tmp.path(), &all);
    let second = Fake::free();
    again.start(second.clone());
    let calls = second.until(5);
    let want: Vec<String> = (1..6).map(|n| format!("run {{'x': 'm {n}'}}")).collect();
    assert_eq!(calls, want);
    settled(&again);
    again.close(Duration::from_secs(5));
    assert_eq!(open(tmp.path(), &all).waiting(), 0);
    fake.free.store(true, Ordering::SeqCst);
}

#[test]
fn what_ends_the_daemon_three_times_is_given_up() {
    let tmp = tempfile::tempdir().unwrap();
    let all = opts(tmp.path(), LOCAL, Map::new());
    put(&open(tmp.path(), &all), "my/event", map! {"id" => "m", "n" => 1});
    for attempt in 0..3 {
        let (journal, found) = Journal::open(Dir::at(tmp.path().join("journal")), Bounds::default()).unwrap();
        assert_eq!((found.len(), found[0].begun), (1, attempt));
        journal.begin(found[0].place);
    }
    assert_eq!(open(tmp.path(), &all).waiting(), 0);
}

#[test]
fn surroundings_are_made_anew_after_reactor_refresh_interval() {
    let made = |seconds: i64| {
        let tmp = tempfile::tempdir().unwrap();
        let all = opts(tmp.path(), LOCAL, map! {"reactor_refresh_interval" => seconds});
        let reactor = open(tmp.path(), &all);
        let fake = Fake::free();
        reactor.start(fake.clone());
        for n in 0..4_i64 {
            put(&reactor, "my/event", map! {"id" => "m", "n" => n});
            fake.until(usize::try_from(n).unwrap() + 1);
        }
        reactor.close(Duration::from_secs(5));
        assert!(reactor.surroundings.lock().is_none(), "what has been closed must not keep its daemon");
        fake.made.load(Ordering::SeqCst)
    };
    assert_eq!((made(3600), made(0)), (1, 4));
}

#[test]
fn a_reactor_is_managed_by_whoever_has_the_key() {
    let tmp = tempfile::tempdir().unwrap();
    let reactor = open(tmp.path(), &opts(tmp.path(), LOCAL, Map::new()));
    let fake = Fake::free();
    reactor.start(fake.clone());
    let ask = |what: &str, data: Map| {
        reactor.manage(&format!("salt/run/1/salt/reactors/manage/{what}"), &data);
        fake.fired.lock().pop()
    };
    assert_eq!(ask("list", map! {"key" => "wrong"}), None);
    assert_eq!(ask("list", Map::new()), None);
    let (tag, listed) = ask("list", map! {"key" => "secret"}).unwrap();
    assert_eq!(tag, "salt/reactors/manage/list-results");
    assert_eq!(listed.get("reactors").and_then(Value::as_list).unwrap().len(), 1);
    let (tag, added) =
        ask("add", map! {"key" => "secret", "event" => "n", "reactors" => vec!["/x"]}).unwrap();
    assert_eq!(tag, "salt/reactors/manage/add-complete");
    assert_eq!(added.get("result"), Some(&map! {"status" => true, "comment" => "Reactor added."}.into()));
    assert_eq!(added.get("reactors").and_then(Value::as_list).unwrap().len(), 2);
    let (tag, gone) = ask("delete", map! {"key" => "secret", "event" => "n"}).unwrap();
    assert_eq!(tag, "salt/reactors/manage/delete-complete");
    assert_eq!(gone.get("reactors").and_then(Value::as_list).unwrap().len(), 1);
    let leader = |data: Map| ask("set_leader", data).unwrap().1.get("result").cloned().unwrap();
    assert_eq!(leader(map! {"key" => "secret", "id" => "other", "value" => false}), true.into());
    assert_eq!(leader(map! {"key" => "secret", "id" => "m", "value" => false}), false.into());
    put(&reactor, "my/event", map! {"id" => "m", "n" => 1});
    assert_eq!(reactor.waiting(), 0);
    assert_eq!(leader(map! {"key" => "secret", "id" => "m", "value" => true}), true.into());
    put(&reactor, "my/event", map! {"id" => "m", "n" => 2});
    assert_eq!(fake.until(1), ["['m', 2]"]);
    reactor.close(Duration::from_secs(5));
}

#[test]
fn callers_functions_run_here_and_a_fault_of_one_file_is_not_that_of_others() {
    let tmp = tempfile::tempdir().unwrap();
    let both =
        format!("c:\n  caller.test.arg:\n    - args:\n      - x: 1\nu:\n  caller.no.such: []\n{LOCAL}");
    let reactor = open(tmp.path(), &opts(tmp.path(), &both, Map::new()));
    let fake = Fake::free();
    reactor.start(fake.clone());
    put(&reactor, "my/event", map! {"id" => "m", "n" => 1});
    assert_eq!(fake.until(1), ["['m', 1]"]);
    settled(&reactor);
    reactor.close(Duration::from_secs(5));
}
