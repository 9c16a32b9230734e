//! Reactions: an event of a minion, ours or stock's, makes jobs, runs of runners and wheel functions, in order and with the events
//! that stock's master tells of them; `salt-run reactor.*` manages them. What stock's reactor loses, ours does not: what exceeds
//! `reactor_worker_hwm`, and what had not begun when the master was killed.

use std::fs;
use std::time::Duration;

use brine_interop_tests::bus::{Bus, Event};
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Failure, Fleet, Result, Side, cli, script, wait};
use serde_json::{Value, json};

/// What reacts to `react/all`, from a minion.
const ALL: &str = "
told:
  local.test.arg:
    - tgt: 'G@role:db and N@both'
    - tgt_type: compound
    - arg: ['{{ data.data.n }}', {{ tag }}]
    - kwarg: {from: {{ data.id }}}
    - metadata: {why: reaction}
older:
  cmd.test.ping:
    - tgt: webs
    - tgt_type: nodegroup
run:
  runner.event.send:
    - args:
      - tag: reacted/run
      - data: {n: {{ data.data.n }}, os: {{ grains.kernel }}}
older_run:
  runner.test.arg:
    - a: [1]
listed:
  wheel.key.list:
    - match: acc
";
/// What reacts to `react/order/*`, and to what waits for the pool.
const ORDER: &str = "o:\n  local.test.arg:\n    - tgt: m2\n    - arg: ['{{ data.id }}', {{ data.n }}]\n";
const SLOW: &str = "s:\n  runner.test.sleep:\n    - args:\n      - s_time: {{ data.s }}\n";
const LATE: &str =
    "l:\n  runner.salt.cmd:\n    - arg: [file.touch, '{{ data.dir }}/{{ data.n }}']\n    - kwarg: {}\n";
const LIMIT: Duration = Duration::from_secs(60);

fn fleet(master: &str) -> Result<Fleet> {
    let (master, stock) = (Side::parse(master)?, Side::parse("3006")?);
    let mut fleet = Fleet::new(master, stock)?;
    fs::create_dir_all(fleet.path("srv/tree"))?;
    for (name, text) in [("all.sls", ALL), ("order.sls", ORDER), ("slow.sls", SLOW), ("tree/late.sls", LATE)]
    {
        fs::write(fleet.path("srv").join(name), text)?;
    }
    let srv = fleet.path("srv").display().to_string();
    fleet.settings.master_lines = vec![
        "auto_accept: true".into(),
        format!("file_roots: {{base: ['{srv}/tree']}}"),
        "reactor_worker_threads: 1\nreactor_worker_hwm: 2\nreactor:".into(),
        format!("  - 'react/all': ['{srv}/al?.sls']\n  - 'react/order/*': '{srv}/order.sls'"),
        format!("  - 'react/slow': ['{srv}/slow.sls']\n  - 'react/late': ['salt://late.sls']"),
    ];
    fleet.start_master()?;
    fleet.start_minion_as(if master.is_ours() { Side::Ours } else { stock }, "m1", "m1", &[])?;
    fleet.start_minion_as(stock, "m2", "m2", &[])?;
    for id in ["m1", "m2"] {
        fleet.wait_ping(id, LIMIT)?;
    }
    Ok(fleet)
}

fn fire(fleet: &Fleet, events: impl IntoIterator<Item = (&'static str, Value)>) -> Result {
    let lines: String = events.into_iter().map(|(tag, data)| format!("{}\n", json!([tag, data]))).collect();
    let conf = fleet.path("etc/master").display().to_string();
    let cmd =
        script::prepare(fleet, Side::parse("3006")?, "fire.py", include_str!("../py/fire.py"), &[&conf])?;
    cli::run(cmd, lines.as_bytes(), LIMIT)?.ok().map(drop)
}

fn is(event: &Event, begin: &str, end: &str, fun: &str) -> bool {
    event.tag.starts_with(begin) && event.tag.ends_with(end) && event.data["fun"] == fun
}

/// The events that one event of a minion causes, in stock's words.
fn causes(fleet: &Fleet, bus: &Bus, id: &str) -> Result {
    fleet.salt_call(id, &["event.send", "react/all", r#"{"n": "one"}"#])?.ok()?;
    let told = bus.wait("the job", LIMIT, |e| {
        is(e, "salt/job/", "/new", "test.arg") && e.data["arg"][2]["from"] == id
    })?;
    same("who was told", &told.data["tgt"], &json!("G@role:db and L@m1,m2"))?;
    same("how", &told.data["tgt_type"], &json!("compound"))?;
    same("the minions", &told.data["minions"], &json!(["m2"]))?;
    same("by whom", &told.data["user"], &json!("root"))?;
    same("what", &told.data["arg"], &json!(["one", "react/all", {"__kwarg__": true, "from": id}]))?;
    let jid = told.data["jid"].as_str().unwrap_or_default().to_owned();
    let ret = format!("salt/job/{jid}/ret/m2");
    let ret = bus.wait("its return", LIMIT, |e| e.tag == ret)?;
    same("its arguments", &ret.data["return"]["args"], &json!(["one", "react/all"]))?;
    let by_name = &ret.data["return"]["kwargs"];
    same("those by name", (&by_name["from"], &by_name["__pub_user"]), (&json!(id), &json!("root")))?;
    same("the metadata", &ret.data["metadata"], &json!({"why": "reaction"}))?;
    bus.wait("the job of old", LIMIT, |e| {
        is(e, "salt/job/", "/new", "test.ping")
            && e.data["user"] == "root"
            && e.data["minions"] == json!(["m1"])
    })?;
    let sent = bus.wait("the runner's event", LIMIT, |e| e.tag == "reacted/run")?;
    same("its data", (&sent.data["n"], &sent.data["os"]), (&json!("one"), &json!("Linux")))?;
    for (begin, fun, args) in [
        (
            "salt/run/",
            "runner.event.send",
            json!([{"tag": "reacted/run", "data": {"n": "one", "os": "Linux"}}]),
        ),
        ("salt/run/", "runner.test.arg", json!([{"a": [1]}])),
        ("salt/wheel/", "wheel.key.list", json!(["acc"])),
    ] {
        for end in ["/new", "/ret"] {
            let run = bus.wait(fun, LIMIT, |e| is(e, begin, end, fun))?;
            same("whose run it is", &run.data["user"], &json!("Reactor"))?;
            // By the end, the event that stock's runner fires has put its time among them.
            if end == "/new" {
                same("its arguments", &run.data["fun_args"], &args)?;
            }
        }
    }
    let listed = bus.wait("the wheel's return", LIMIT, |e| is(e, "salt/wheel/", "/ret", "wheel.key.list"))?;
    same("the keys", &listed.data["return"], &json!({"minions": ["m1", "m2"]}))?;
    same("its success", &listed.data["success"], &json!(true))
}

fn orders(fleet: &Fleet, bus: &Bus) -> Result {
    let event = |n: usize| ("react/order/x", json!({"id": (["a", "b", "c"][n % 3]), "n": n}));
    fire(fleet, (0..60).map(event))?;
    let started = || -> Vec<Value> {
        let of = |e: &Event| {
            is(e, "salt/job/", "/new", "test.arg") && e.data["arg"].as_array().map_or(0, Vec::len) == 2
        };
        bus.seen().iter().filter(|e| of(e)).map(|e| e.data["arg"].clone()).collect()
    };
    wait::until("60 jobs", LIMIT, || Ok((started().len() >= 60).then_some(())))?;
    for id in ["a", "b", "c"] {
        let own: Vec<u64> =
            started().iter().filter(|arg| arg[0] == id).filter_map(|arg| arg[1].as_u64()).collect();
        let first = ["a", "b", "c"].iter().position(|other| *other == id).unwrap_or(0) as u64;
        same("the order", own, (0..20).map(|n| n * 3 + first).collect::<Vec<u64>>())?;
    }
    Ok(())
}

/// `salt-run reactor.*` of stock and of ours.
fn managed(fleet: &mut Fleet, bus: &Bus) -> Result {
    let clis: &[Side] =
        if fleet.master.is_ours() { &[Side::Stock("3006.28"), Side::Ours] } else { &[fleet.master] };
    for cli in clis {
        fleet.cli = *cli;
        let last = |words: &[&str]| -> Result<Value> {
            let mut all = vec!["--out=json", "--out-indent=-1"];
            all.extend(words);
            let ran = fleet.tool("salt-run", &all)?.ok()?;
            let line = ran.out.lines().next_back().unwrap_or_default();
            serde_json::from_str(line).map_err(|e| Failure(format!("{e}: {}", ran.out)))
        };
        let file = fleet.path("srv/order.sls").display().to_string();
        same("a list", last(&["reactor.list"])?.as_array().map_or(0, Vec::len), 4)?;
        same(
            "added",
            last(&["reactor.add", "added/*", &file])?,
            json!({"status": true, "comment": "Reactor added."}),
        )?;
        same(
            "again",
            last(&["reactor.add", "added/*", &file])?,
            json!({"status": false, "comment": "Reactor already exists."}),
        )?;
        same("the new one", &last(&["reactor.list"])?[4], &json!({"added/*": [file]}))?;
        let name = format!("{cli:?}");
        fire(fleet, [("added/x", json!({"id": name, "n": 1}))])?;
        bus.wait("its job", LIMIT, |e| e.tag.ends_with("/new") && e.data["arg"] == json!([name, 1]))?;
        same("not the leader", last(&["reactor.set_leader", "False"])?, json!(false))?;
        same("is it", last(&["reactor.is_leader"])?, json!(false))?;
        fire(fleet, [("added/x", json!({"id": name, "n": 2}))])?;
        same("the leader", last(&["reactor.set_leader"])?, json!(true))?;
        fire(fleet, [("added/x", json!({"id": name, "n": 3}))])?;
        bus.wait("a job again", LIMIT, |e| e.tag.ends_with("/new") && e.data["arg"] == json!([name, 3]))?;
        hold(!bus.seen().iter().any(|e| e.data["arg"] == json!([name, 2])), || "it reacted".into())?;
        same(
            "gone",
            last(&["reactor.delete", "added/*"])?,
            json!({"status": true, "comment": "Reactor deleted."}),
        )?;
        same(
            "none",
            last(&["reactor.delete", "added/*"])?,
            json!({"status": false, "comment": "Reactor does not exists."}),
        )?;
    }
    if fleet.master.is_ours() {
        let shown = bus
            .seen()
            .into_iter()
            .find(|e| e.tag.contains("salt/reactors/manage") && !e.data["key"].is_null());
        hold(shown.is_none(), || format!("the key is on the bus: {shown:?}"))?;
    }
    Ok(())
}

/// Has six reactions come late, since one that sleeps has the only thread of the pool.
fn late(fleet: &Fleet, bus: &Bus, sleep: u64) -> Result {
    fire(fleet, [("react/slow", json!({"s": sleep}))])?;
    bus.wait("a run that takes long", LIMIT, |e| is(e, "salt/run/", "/new", "runner.test.sleep"))?;
    fs::create_dir_all(fleet.path("late"))?;
    let dir = fleet.path("late").display().to_string();
    let event = |n: usize| ("react/late", json!({"id": (["a", "b"][n % 2]), "n": n, "dir": dir}));
    fire(fleet, (0..6).map(event))
}

fn came(fleet: &Fleet) -> Result<usize> {
    Ok(fs::read_dir(fleet.path("late"))?.count())
}

#[test]
fn stocks_reactor_is_what_the_test_says() -> Result {
    let mut fleet = fleet("3006")?;
    let bus = Bus::listen(&fleet)?;
    causes(&fleet, &bus, "m1")?;
    orders(&fleet, &bus)?;
    managed(&mut fleet, &bus)?;
    late(&fleet, &bus, 5)?;
    let ended = |e: &Event| is(e, "salt/run/", "/ret", "runner.test.sleep");
    bus.wait("its end", LIMIT, ended)?;
    wait::let_pass(Duration::from_secs(5));
    same("what stock does not drop", came(&fleet)?, 2)
}

#[test]
fn our_reactor_is_stocks_and_loses_nothing() -> Result {
    let mut fleet = fleet("ours")?;
    let bus = Bus::listen(&fleet)?;
    causes(&fleet, &bus, "m1")?;
    causes(&fleet, &bus, "m2")?;
    orders(&fleet, &bus)?;
    managed(&mut fleet, &bus)?;
    late(&fleet, &bus, 300)?;
    wait::let_pass(Duration::from_secs(1));
    hold(came(&fleet)? == 0, || "there is another thread".into())?;
    drop(bus);
    fleet.master_daemon()?.kill()?;
    fleet.stop_master()?;
    fleet.start_master()?;
    wait::until("six late reactions", LIMIT, || Ok((came(&fleet)? == 6).then_some(())))?;
    let left = fs::read_dir(fleet.path("cache/master/reactor"))?.count();
    hold(left <= 2, || format!("{left} files are left"))
}
