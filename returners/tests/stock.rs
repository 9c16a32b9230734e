//! Our returners against those of stock Salt 3006.28, in one process of its Python. `BRINE_STOCK_DIR` holds its
//! virtualenv.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use brine_core::call::Cx;
use brine_core::host::NoHost;
use brine_core::{Map, Opts, Registry, Value, map};
use brine_returners::{Profile, Returner, Spec, find, options};
use common::Stock;
use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const JID: &str = "20261125120000000001";

fn cx(opts: Map) -> Cx {
    Cx::new(Arc::new(Opts::new(opts)), Arc::new(Registry::default()), Arc::new(NoHost))
}

fn ours(name: &str) -> &'static Returner {
    find(&Opts::default(), name, "").unwrap()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn ret(id: &str, value: impl Into<Value>) -> Map {
    map! {
        "success" => true, "return" => value.into(), "retcode" => 0, "jid" => JID, "fun" => "test.echo",
        "fun_args" => vec![Value::from("ä\"\n"), 1.into(), map! {"__kwarg__" => true, "k" => Value::Nil}.into()],
        "user" => "root", "id" => id,
    }
}

#[test]
fn options_are_found_where_stock_finds_them() {
    let mut stock = Stock::start(None);
    let attrs = [("host", "host"), ("port", "port"), ("db", "db"), ("nodes", "cluster.nodes")];
    let profile = [("from", "jid"), ("pass", "password")];
    let opts = [
        map! {},
        map! {"redis.host" => "flat", "redis.port" => 0, "redis.cluster.nodes" => vec!["n"]},
        map! {"redis" => map! {"host" => "nested", "db" => ""}, "redis.host" => "flat", "redis.db" => 4},
        map! {"other.redis.host" => "other", "redis.host" => "usual", "other.redis" => map! {"port" => 0, "db" => 9}},
        map! {"redis.profile" => "mine", "mine" => map! {"redis.jid" => "me", "jid" => "no"}, "redis.db" => "2"},
        map! {"redis" => "text"},
        map! {"redis.host" => Value::Nil, "redis.port" => false, "other.redis.port" => 7},
    ];
    let rets = [
        map! {},
        map! {"ret_config" => "other"},
        map! {"ret_config" => "", "ret_kwargs" => map! {"db" => "argument", "new" => Value::Nil}},
        map! {"ret_config" => "nowhere", "ret_kwargs" => Map::new()},
    ];
    let pillar = map! {"redis.host" => "pillar", "master" => map! {"redis.nodes" => "m", "redis.cluster.nodes" => "m"}};
    let (mut questions, mut own) = (Vec::new(), Vec::new());
    for opts in &opts {
        for ret in &rets {
            for pillar in [Map::new(), pillar.clone()] {
                for defaults in [Map::new(), map! {"host" => "default", "port" => 1, "nodes" => Value::Nil}] {
                    let names: Map = attrs.iter().chain([&("profile", "profile")]).copied().collect();
                    questions.push(map! {
                        "name" => "redis", "opts" => opts.clone(), "pillar" => pillar.clone(), "ret" => ret.clone(),
                        "attrs" => names, "defaults" => defaults.clone(), "profile" => map! {
                            "profile_attr" => "profile", "profile_attrs" => profile.iter().copied().collect::<Map>(),
                        },
                    });
                    let mut cx = cx(opts.clone());
                    cx.pillar = Arc::new(pillar.clone());
                    let all: Vec<_> = attrs.into_iter().chain([("profile", "profile")]).collect();
                    let profile = Some(Profile { attr: "profile", attrs: &profile });
                    let spec = Spec { name: "redis", attrs: &all, defaults, profile };
                    own.push(options(&cx, Some(ret), &spec));
                }
            }
        }
    }
    let answers = stock.ask(&questions);
    assert_eq!(answers.len(), opts.len() * rets.len() * 4);
    for ((question, answer), own) in questions.iter().zip(&answers).zip(own) {
        match (answer.get("result"), own) {
            (Some(want), Ok(found)) => assert_eq!(*want, Value::Map(found), "{question:?}"),
            (None, Err(_)) => {}
            (want, found) => panic!("{want:?} but {found:?} for {question:?}"),
        }
    }
}

#[test]
fn files_of_json_are_the_same() {
    let tmp = tempfile::tempdir().unwrap();
    let (theirs, own) = (tmp.path().join("theirs"), tmp.path().join("own"));
    let opts = |path: &Path| map! {"rawfile_json.filename" => text(path)};
    let values = [
        Value::from(1.5),
        true.into(),
        "a\u{7f}\u{1f600}\\".into(),
        map! {"x" => Value::Nil, "y" => vec!["1"]}.into(),
    ];
    let events: Vec<Value> = values
        .iter()
        .map(|v| map! {"data" => map! {"return" => v.clone()}, "tag" => "salt/job/1"}.into())
        .collect();
    let mut stock = Stock::start(None);
    let rawfile = ours("rawfile_json");
    let cx = cx(opts(&own));
    for value in values {
        let ret = ret("m1", value);
        let ask = map! {"module" => "rawfile_json", "fun" => "returner", "args" => vec![Value::Map(ret.clone())], "opts" => opts(&theirs)};
        assert_eq!(stock.ask(&[ask])[0], map! {"result" => Value::Nil}.into());
        rawfile.returner.unwrap()(&cx, &ret).unwrap();
    }
    let ask = map! {"module" => "rawfile_json", "fun" => "event_return", "args" => vec![Value::List(events.clone())], "opts" => opts(&theirs)};
    stock.ask(&[ask]);
    rawfile.event_return.unwrap()(&cx, &events).unwrap();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(&theirs), read(&own));
    assert_eq!(read(&own).lines().count(), 8);

    // What stock cannot write is an error, and a job names no file.
    let bytes = ret("m1", Value::Bytes(vec![1]));
    assert!(
        rawfile.returner.unwrap()(&cx, &bytes)
            .unwrap_err()
            .to_string()
            .contains("bytes is not JSON serializable")
    );
    let mut other = ret("m1", true);
    other.insert("ret_kwargs", map! {"filename" => text(&tmp.path().join("other"))});
    rawfile.returner.unwrap()(&cx, &other).unwrap();
    assert!(!tmp.path().join("other").exists());
    assert_eq!(read(&own).lines().count(), 9);
}

/// Every file below a directory with what it holds.
fn tree(dir: &Path, below: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(below).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => tree(dir, &path, into),
            path => drop(into.insert(text(path.strip_prefix(dir).unwrap()), std::fs::read(&path).unwrap())),
        }
    }
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut into = BTreeMap::new();
    tree(dir, dir, &mut into);
    into
}

#[test]
fn a_job_cache_of_files_is_the_same_and_each_reads_the_others() {
    let (theirs, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let opts = |dir: &Path| map! {"cachedir" => text(dir), "hash_type" => "sha256", "job_cache_store_endtime" => true};
    let mut stock = Stock::start(None);
    let mut call = |fun: &str, args: Vec<Value>, dir: &Path| {
        stock.ask(&[map! {"module" => "local_cache", "fun" => fun, "args" => args, "opts" => opts(dir)}])[0]
            .clone()
    };
    let local = ours("local_cache");
    let here = cx(opts(own.path()));
    let load = map! {
        "fun" => "test.echo", "jid" => JID, "tgt" => "*", "tgt_type" => "glob", "user" => "ann", "arg" => vec!["ä"],
        "kwargs" => map! {"metadata" => map! {"a" => 1}},
    };
    let minions = ["m2".to_owned(), "m1".to_owned()];
    let find_job = map! {"fun" => "saltutil.find_job", "jid" => "20261125120000000002", "tgt" => "", "arg" => Value::List(vec![])};
    call("prep_jid", vec![false.into(), JID.into()], theirs.path());
    call("save_load", vec![JID.into(), load.clone().into(), minions.to_vec().into()], theirs.path());
    call("save_load", vec!["20261125120000000002".into(), find_job.clone().into()], theirs.path());
    call("save_minions", vec![JID.into(), vec!["s1", "m1"].into(), "syndic".into()], theirs.path());
    call("update_endtime", vec![JID.into(), "then".into()], theirs.path());
    local.prep_jid.unwrap()(&here, false, Some(JID)).unwrap();
    local.save_load.unwrap()(&here, JID, &load, Some(&minions)).unwrap();
    local.save_load.unwrap()(&here, "20261125120000000002", &find_job, None).unwrap();
    local.save_minions.unwrap()(&here, JID, &["s1".into(), "m1".into()], Some("syndic")).unwrap();
    local.update_endtime.unwrap()(&here, JID, "then").unwrap();
    let mut shown = ret("m2", map! {"s" => 1});
    shown.insert("out", "highstate");
    // The second return of a minion changes nothing.
    for ret in [ret("m1", "ä"), shown, ret("m1", "again")] {
        call("returner", vec![ret.clone().into()], theirs.path());
        local.returner.unwrap()(&here, &ret).unwrap();
    }
    assert_eq!(files(theirs.path()), files(own.path()));
    assert_eq!(files(own.path()).len(), 9);

    let there = cx(opts(theirs.path()));
    let list = |value: Vec<Value>| Value::List(value);
    let read = [
        ("get_load", vec![JID.into()], Value::from(local.get_load.unwrap()(&there, JID).unwrap())),
        ("get_load", vec!["1".into()], local.get_load.unwrap()(&there, "1").unwrap().into()),
        ("get_jid", vec![JID.into()], local.get_jid.unwrap()(&there, JID).unwrap().into()),
        ("get_jids", vec![], local.get_jids.unwrap()(&there).unwrap().into()),
        ("get_jids_filter", vec![5.into()], list(local.get_jids_filter.unwrap()(&there, 5, true).unwrap())),
        (
            "get_jids_filter",
            vec![1.into(), false.into()],
            list(local.get_jids_filter.unwrap()(&there, 1, false).unwrap()),
        ),
        ("get_endtime", vec![JID.into()], local.get_endtime.unwrap()(&there, JID).unwrap().into()),
    ];
    for (fun, args, found) in read {
        assert_eq!(call(fun, args, own.path()).get("result"), Some(&found), "{fun}");
    }
    // A job that is not to be kept.
    local.prep_jid.unwrap()(&here, true, Some("20261125120000000003")).unwrap();
    let mut more = ret("m1", 1);
    more.insert("jid", "20261125120000000003");
    local.returner.unwrap()(&here, &more).unwrap();
    assert!(local.get_jid.unwrap()(&here, "20261125120000000003").unwrap().is_empty());
}

/// The messages with process id and time taken out.
fn received(socket: &UnixDatagram) -> String {
    let mut buffer = vec![0; 1 << 16];
    let n = socket.recv(&mut buffer).unwrap();
    let text = String::from_utf8(buffer[..n].to_vec()).unwrap();
    let (priority, rest) = text.split_once('>').unwrap();
    // `Nov 25 21:19:57 ` is the form of the time.
    let (time, rest) = rest.split_at(16);
    assert!(time.as_bytes()[3] == b' ' && time.as_bytes()[9] == b':' && time.ends_with(' '), "{text}");
    match (rest.split_once('['), rest.split_once("]: ")) {
        (Some((tag, _)), Some((_, rest))) if tag.len() < 33 => format!("{priority}>{tag}[PID]: {rest}"),
        _ => format!("{priority}>{rest}"),
    }
}

#[test]
fn messages_to_syslog_are_the_same() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("log");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut stock = Stock::start(Some(&path));
    let cases = [
        map! {"syslog.tag" => "mysalt"},
        map! {"syslog" => map! {"level" => "LOG_ERR", "facility" => "LOG_DAEMON", "tag" => "mysalt", "options" => vec!["LOG_PID"]}},
        map! {"syslog.tag" => "t", "syslog.facility" => "LOG_KERN", "syslog.options" => vec!["LOG_NDELAY", "LOG_PID"]},
        map! {"syslog.tag" => "t", "syslog.facility" => "LOG_LOCAL7", "syslog.level" => "LOG_EMERG"},
        map! {"syslog.tag" => "t", "syslog.level" => "LOG_CRON"},
    ];
    for opts in cases {
        let ret = ret("m1", map! {"a" => "ä\n[x]: y"});
        let ask = map! {"module" => "syslog_return", "fun" => "returner", "args" => vec![Value::Map(ret.clone())], "opts" => opts.clone()};
        assert_eq!(stock.ask(&[ask])[0], map! {"result" => Value::Nil}.into());
        let theirs = received(&socket);
        let cx = cx(opts.clone());
        brine_returners::syslog_to(&cx, &ret, &path).unwrap();
        assert_eq!(theirs, received(&socket), "{opts:?}");
    }
    // What cannot be used is said, and nothing is sent; the last message shows that nothing came before it.
    let bad = [
        map! {"syslog.level" => "LOG_LOUD"},
        map! {"syslog.facility" => "openlog"},
        map! {"syslog.options" => vec!["LOG_NONE"]},
        map! {"syslog.tag" => "x".repeat(33)},
        map! {"syslog.tag" => 5},
    ];
    for opts in bad {
        let ask = map! {"module" => "syslog_return", "fun" => "returner", "args" => vec![Value::Map(ret("m1", 1))], "opts" => opts.clone()};
        stock.ask(&[ask]);
        brine_returners::syslog_to(&cx(opts), &ret("m1", 1), &path).unwrap();
    }
    brine_returners::syslog_to(&cx(map! {"syslog.tag" => "last"}), &map! {"a" => 1}, &path).unwrap();
    assert_eq!(received(&socket), "<14>last: {\"a\": 1}");
}
