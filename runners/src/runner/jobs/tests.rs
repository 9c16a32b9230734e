//! The job store as runners show it.

use brine_core::call::{Args, Cx};
use brine_core::{Map, Value, map};
use brine_protocol::msgpack::{Dialect, encode, encode_map};
use brine_store::jobs::{Caps, Db, JobRow};

use crate::fake::{Fake, call, list};
use crate::run::Kind;

const FIRST: &str = "20150318220000000000";
const SECOND: &str = "20150319120000000000";
const FIND: &str = "20150320120000000000";

async fn store(dir: &std::path::Path) {
    std::fs::create_dir_all(dir.join("cache/job_store")).unwrap();
    let caps = Caps { max_age: 0, max_bytes: 1 << 30 };
    let (db, thread) = Db::open(&dir.join("cache/job_store/returns.sqlite"), caps).unwrap();
    let load = |fun: &str, tgt: Value, more: Map| {
        let mut load = map! {"fun" => fun, "arg" => list(["x"]), "tgt" => tgt, "tgt_type" => "glob", "user" => "ann"};
        load.update(more);
        load
    };
    for (jid, load, minions) in [
        (FIRST, load("test.ping", "web*".into(), map! {"kwargs" => map! {"metadata" => map! {"a" => 1}}}), list(["web2", "web1"])),
        (SECOND, load("cmd.run", list(["db1"]), Map::new()), list(["db1"])),
        (FIND, load("saltutil.find_job", "*".into(), Map::new()), list([])),
    ] {
        let row = JobRow {
            jid: jid.into(),
            load: encode_map(&load, Dialect::New),
            minions: encode(&minions, Dialect::New),
        };
        db.put_job(row, 1, true).await.unwrap();
    }
    let ret = map! {"id" => "web1", "jid" => FIRST, "fun" => "test.ping", "success" => true, "retcode" => 0, "return" => true};
    db.put_return(FIRST.into(), "web1".into(), encode_map(&ret, Dialect::New), 1_426_716_005).await.unwrap();
    let ret = map! {"id" => "db1", "return" => map! {"s" => 1}, "retcode" => 2, "success" => false, "out" => "highstate"};
    db.put_return(SECOND.into(), "db1".into(), encode_map(&ret, Dialect::New), 5).await.unwrap();
    drop(db);
    thread.join();
}

fn with_store(more: Map, test: impl FnOnce(&Fake, &Cx)) {
    let tmp = tempfile::tempdir().unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(store(tmp.path()));
    let fake = Fake::default().answering(
        "saltutil.running",
        map! {
            "web1" => vec![Value::from(map! {"jid" => FIRST, "fun" => "test.ping", "pid" => 7, "tgt" => "*", "arg" => list([])})],
            "web2" => vec![Value::from(map! {"jid" => FIRST, "fun" => "test.ping", "pid" => 8})], "off" => Value::Nil,
        },
    );
    let cx = fake.cx(Kind::Runner, tmp.path(), more);
    test(&fake, &cx);
}

fn first() -> Map {
    map! {
        "Function" => "test.ping", "Arguments" => list(["x"]), "Target" => "web*", "Target-type" => "glob", "User" => "ann",
        "Metadata" => map! {"a" => 1},
    }
}

fn keys(value: &Value) -> Vec<String> {
    value.as_map().unwrap().keys().map(|k| k.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_job_is_shown_whole() {
    with_store(map! {"job_cache_store_endtime" => true}, |_, cx| {
        let mut want = map! {"jid" => FIRST};
        want.update(first());
        want.insert("Minions", list(["web1", "web2"]));
        want.insert("StartTime", "2015, Mar 18 22:00:00.000000");
        let result = map! {"web1" => map! {"return" => true, "retcode" => 0, "success" => true}};
        want.insert("Result", result.clone());
        want.insert("EndTime", "2015, Mar 18 22:00:05.000000");
        let got = call(cx, "jobs.list_job", Args::positional([FIRST])).unwrap();
        assert_eq!(keys(&got), want.keys().map(|k| k.as_str().unwrap()).collect::<Vec<_>>());
        assert_eq!(got, want.clone().into());
        want.remove("jid");
        assert_eq!(call(cx, "jobs.print_job", Args::positional([FIRST])).unwrap(), map! {FIRST => want}.into());
        let none = call(cx, "jobs.print_job", Args::positional(["1"])).unwrap();
        let error = "Cannot contact returner or no job with this jid";
        assert_eq!(none, map! {"1" => map! {"Error" => error, "StartTime" => "", "Result" => Map::new()}}.into());
    });
}

#[test]
fn returns_are_looked_up() {
    with_store(Map::new(), |fake, cx| {
        let look = |args| call(cx, "jobs.lookup_jid", args).unwrap();
        assert_eq!(look(Args::positional([FIRST])), map! {"web1" => true}.into());
        let both = map! {"web1" => true, "web2" => "Minion did not return"};
        assert_eq!(look(Args::positional([FIRST]).with("missing", true)), both.into());
        let missing = Args::positional([FIRST]).with("missing", true).with("returned", false);
        assert_eq!(look(missing), map! {"web2" => "Minion did not return"}.into());
        let packed = map! {"outputter" => "highstate", "data" => map! {"db1" => map! {"s" => 1}}};
        assert_eq!(look(Args::positional([SECOND])), packed.into());
        look(Args::positional([FIRST]).with("display_progress", true));
        assert_eq!(fake.record.lock().fired[0].1, map! {"message" => "Querying returner: local_cache"});
        let success = call(cx, "jobs.exit_success", Args::positional([FIRST])).unwrap();
        assert_eq!(success, map! {"web1" => true, "web2" => false}.into());
        let other = call(cx, "jobs.lookup_jid", Args::positional([FIRST, "mongo"])).unwrap_err();
        assert!(other.to_string().contains("'mongo'"));
    });
}

#[test]
fn what_local_cache_is_given_is_kept() {
    with_store(Map::new(), |_, cx| {
        let jid = "20150321120000000000";
        let ret = map! {"jid" => jid, "id" => "m", "fun" => "test.arg", "return" => 5, "retcode" => 0, "success" => true};
        let give = brine_returners::find(&cx.opts, "local_cache", "").unwrap().returner.unwrap();
        give(cx, &ret).unwrap();
        give(cx, &map! {"jid" => jid, "id" => "m", "return" => 6}).unwrap();
        let look = |fun: &str| call(cx, fun, Args::positional([jid])).unwrap();
        assert_eq!(look("jobs.lookup_jid"), map! {"m" => 5}.into());
        // Nobody published it, so nothing is known of it, as in stock.
        assert!(look("jobs.list_job").get("Error").is_some());
    });
}

#[test]
fn jobs_are_found_by_what_they_were() {
    with_store(Map::new(), |_, cx| {
        let found = |args: Args| keys(&call(cx, "jobs.list_jobs", args).unwrap());
        let with = |key: &str, value: Value| Args::none().with(key, value);
        assert_eq!(found(Args::none()), [FIRST, SECOND, FIND]);
        let all = call(cx, "jobs.list_jobs", Args::none()).unwrap();
        let mut want = first();
        want.insert("StartTime", "2015, Mar 18 22:00:00.000000");
        assert_eq!(all.get(FIRST), Some(&want.into()));
        assert_eq!(found(with("search_function", "test.*,cmd.run".into())), [FIRST, SECOND]);
        assert_eq!(found(with("search_function", list(["cmd.*"]))), [SECOND]);
        assert_eq!(found(with("search_target", "db*".into())), [SECOND]);
        assert_eq!(found(with("search_metadata", map! {"b" => 2, "a" => 1}.into())), [FIRST]);
        assert!(found(with("search_metadata", "a".into())).is_empty());
        assert_eq!(found(with("start_time", "2015, Mar 19".into())), [SECOND, FIND]);
        assert_eq!(found(with("end_time", "2015, Mar 18 22:00:00.000000".into())), [FIRST]);
        assert_eq!(found(with("start_time", "2015-03-19".into()).with("end_time", "20150319T23")), [SECOND]);
        let error = |args| call(cx, "jobs.list_jobs", args).unwrap_err().to_string();
        assert!(error(with("start_time", "soon".into())).ends_with("Unknown string format: soon"));
        assert!(error(with("start_time", "2015-03-19T10:00Z".into())).contains("offset-aware"));
        assert!(error(with("start_time", 5.into())).ends_with("not int"));
        let packed = call(cx, "jobs.list_jobs", with("outputter", "json".into())).unwrap();
        assert_eq!(keys(&packed), ["outputter", "data"]);
        let newest = call(cx, "jobs.list_jobs_filter", Args::positional([1])).unwrap();
        let newest = &newest.as_list().unwrap()[0];
        assert_eq!(newest.get("JID"), Some(&SECOND.into()));
        assert_eq!(keys(newest)[5..], ["JID", "StartTime"]);
        let questions = Args::positional([1]).with("filter_find_job", false);
        let newest = call(cx, "jobs.list_jobs_filter", questions).unwrap();
        assert_eq!(newest.as_list().unwrap()[0].get("JID"), Some(&FIND.into()));
        let last = call(cx, "jobs.last_run", with("function", "test.*".into())).unwrap();
        assert_eq!(keys(&last), [FIRST]);
        assert_eq!(call(cx, "jobs.last_run", with("target", "x".into())).unwrap(), false.into());
    });
}

#[test]
fn what_runs_is_asked_of_the_minions() {
    with_store(Map::new(), |fake, cx| {
        let active = call(cx, "jobs.active", Args::none()).unwrap();
        let job = active.get(FIRST).unwrap();
        let running = vec![Value::from(map! {"web1" => 7}), map! {"web2" => 8}.into()];
        assert_eq!(job.get("Running"), Some(&running.into()));
        assert_eq!(job.get("Returned"), Some(&list(["web1"])));
        assert_eq!(keys(job)[5..], ["StartTime", "Running", "Returned"]);
        assert_eq!(fake.record.lock().published[0].get_str("fun"), Some("saltutil.running"));
        assert_eq!(call(cx, "jobs.master", Args::none()).unwrap(), list([]));
    });
}

/// A job as a stock master keeps it.
fn stocks(cache: &std::path::Path, jid: &str, load: &Map, returns: &[(&str, Map)]) {
    let hex = brine_protocol::crypt::HashType::default().hex(jid.as_bytes());
    let dir = cache.join("jobs").join(&hex[..2]).join(&hex[2..]);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("jid"), jid).unwrap();
    std::fs::write(dir.join(".load.p"), encode_map(load, Dialect::New)).unwrap();
    for (id, ret) in returns {
        std::fs::create_dir(dir.join(id)).unwrap();
        std::fs::write(dir.join(id).join("return.p"), encode_map(ret, Dialect::New)).unwrap();
    }
}

#[test]
fn jobs_that_a_stock_master_kept_are_shown_too() {
    const OLD: &str = "20150318230000000000";
    with_store(Map::new(), |_, cx| {
        let cache = cx.opts.path("cachedir");
        let load = map! {"jid" => OLD, "fun" => "test.echo", "arg" => list(["x"]), "tgt" => "old*", "tgt_type" => "glob", "user" => "bob"};
        stocks(&cache, OLD, &load, &[("old1", map! {"return" => "x", "retcode" => 0, "success" => true})]);
        // What the store has is not asked for in files: ours are there for stock's commands alone.
        stocks(&cache, FIRST, &map! {"jid" => FIRST, "fun" => "wrong"}, &[("web9", map! {"return" => 9})]);
        let all = call(cx, "jobs.list_jobs", Args::default()).unwrap();
        assert_eq!(keys(&all), [FIRST, OLD, SECOND, FIND]);
        assert_eq!(all.get(FIRST).unwrap().get("Function"), Some(&"test.ping".into()));
        assert_eq!(all.get(OLD).unwrap().get("User"), Some(&"bob".into()));
        let last = call(cx, "jobs.list_jobs_filter", Args::positional([Value::from(2)])).unwrap();
        let ids = |job: &Value| job.get("JID").and_then(Value::as_str).unwrap().to_owned();
        assert_eq!(last.as_list().unwrap().iter().map(ids).collect::<Vec<_>>(), [OLD, SECOND]);
        let old = call(cx, "jobs.lookup_jid", Args::positional([OLD])).unwrap();
        assert_eq!(old, map! {"old1" => "x"}.into());
        let first = call(cx, "jobs.lookup_jid", Args::positional([FIRST])).unwrap();
        assert_eq!(first, map! {"web1" => true}.into());
        let job = call(cx, "jobs.list_job", Args::positional([OLD])).unwrap();
        assert_eq!(job.get("Target"), Some(&"old*".into()));
    });
}
