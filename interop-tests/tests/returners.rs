//! What minions and masters hand to returners, ours beside stock's: lines of JSON, key by key, and the files of `local_cache`.

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::fleet::START;
use brine_interop_tests::{Failure, Fleet, Result, Side, wait};
use serde_json::{Value, json};

/// A file's lines with what differs between two minions and two runs taken out.
fn lines(path: &Path, id: &str) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| plain(line, id)).collect()
}

fn plain(line: &str, id: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in line.replace(&format!("\"{id}\""), "\"ID\"").chars().chain(['\n']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        // A job id, or a process id after its key.
        let stands_for = match digits.len() {
            20 => "JID",
            _ if out.ends_with("\"pid\": ") => "PID",
            _ => &digits,
        };
        out.push_str(stands_for);
        digits.clear();
        if c != '\n' {
            out.push(c);
        }
    }
    out
}

/// Every file below a directory: path and content.
fn tree(dir: &Path, id: &str, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            tree(&path, id, into);
        } else if let Ok(bytes) = fs::read(&path) {
            let text = path.display().to_string();
            let below = text.rsplit("/jobs/").next().unwrap_or_default().to_owned();
            into.insert(below.replace(&format!("/{id}/"), "/ID/"), bytes);
        }
    }
}

fn minions(fleet: &mut Fleet) -> Result {
    let root = fleet.root().display().to_string();
    fleet.start_both(|id| {
        vec![
            format!("rawfile_json.filename: {root}/{id}/usual"),
            format!("other.rawfile_json: {{filename: {root}/{id}/other}}"),
            "broken.rawfile_json.filename: /nonexistent/file".into(),
            "return: [local_cache]".into(),
            "schedule: {tick: {function: test.echo, args: [x], hours: 1, run_on_start: true, returner: rawfile_json, \
             return_config: other}}"
                .into(),
        ]
    })?;
    let jobs: &[&[&str]] = &[
        &["*", "test.arg", "ä", "k=1", "--return", "rawfile_json"],
        &["*", "test.ping", "--return", "rawfile_json,rawfile_json", "--return_config", "other"],
        &[
            "*",
            "test.echo",
            "x",
            "--return",
            "rawfile_json",
            "--return_kwargs",
            "{new: 1}",
            "--metadata",
            "{a: b}",
        ],
        &["*", "test.ping,test.echo", ",", "x", "--return", "rawfile_json"],
        &["*", "cmd.nothing", "--return", "rawfile_json"],
        &["*", "grains.item", "no such", "--return", "rawfile_json"],
    ];
    for words in jobs {
        // The job that fails has its exit code.
        let answers = fleet.salt(words)?.json()?;
        hold(answers.len() == 2, || format!("{words:?}: {answers:?}"))?;
    }
    let failing = ["*", "test.ping", "--return", "nobody,mongo,rawfile_json", "--return_config", "broken"];
    same(
        "with returners that fail",
        Value::from(fleet.salt(&failing)?.json()?),
        json!({"m1": true, "m2": true}),
    )?;
    let file = |id: &str, name: &str| lines(&fleet.path(id).join(name), id);
    for (name, count) in [("usual", 5), ("other", 2)] {
        wait::until(&format!("{count} lines in {name}"), START, || {
            Ok((file("m1", name).len() >= count && file("m2", name).len() >= count).then_some(()))
        })?;
        let (mut ours, mut stock) = (file("m1", name), file("m2", name));
        // The scheduled job comes when it likes.
        ours.sort();
        stock.sort();
        same(name, ours, stock)?;
        same("lines", file("m1", name).len(), count)?;
    }
    let kept = |id: &str| {
        let mut files = BTreeMap::new();
        tree(&fleet.path(id).join("cache/jobs"), id, &mut files);
        files
    };
    // The pings of the start were for one of them alone. With several functions the option `return` does not count.
    let in_both = || {
        let stock = kept("m2");
        kept("m1")
            .into_iter()
            .filter_map(|(name, ours)| Some((name.clone(), (ours, stock.get(&name)?.clone()))))
            .collect::<Vec<_>>()
    };
    wait::until("the files of local_cache", START, || Ok((in_both().len() > jobs.len()).then_some(())))?;
    for (name, (ours, stock)) in in_both() {
        same(&name, ours, stock)?;
    }
    hold(in_both().iter().any(|(name, _)| name.ends_with("/out.p")), || "no outputter was kept".into())?;

    for id in ["m1", "m2"] {
        let called = fleet.salt_call(id, &["test.echo", "[1, a]", "--return", "nobody,rawfile_json"])?;
        called.ok()?;
    }
    let last = |id: &str| file(id, "usual").last().cloned();
    same("a call's line", last("m1"), last("m2"))?;
    hold(last("m1").is_some_and(|line| line.contains("\"success\": true")), || format!("{:?}", last("m1")))
}

#[test]
fn minions_give_returners_what_stocks_give() -> Result {
    let stock = Side::Stock("3006.28");
    let mut fleet = Fleet::new(stock, stock)?;
    minions(&mut fleet).map_err(|Failure(text)| Failure(format!("{text}\n{}", fleet.logs())))
}

/// A Redis of the test's own.
struct Redis(Child, u16);

impl Redis {
    fn start(dir: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
            ])
            .arg(dir)
            .stdout(Stdio::null())
            .spawn()
            .map_err(|e| Failure(format!("redis-server: {e}; `cargo xtask setup` installs it")))?;
        let redis = Self(child, port);
        wait::until("redis-server", START, || Ok(TcpStream::connect(("127.0.0.1", port)).ok().map(drop)))?;
        Ok(redis)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may already be gone.
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

fn master(fleet: &mut Fleet) -> Result {
    let events = fleet.path("events");
    let redis = Redis::start(fleet.root())?;
    fleet.settings.master_lines.extend([
        "event_return: [rawfile_json]".into(),
        format!("rawfile_json.filename: {}", events.display()),
        "event_return_whitelist: ['salt/event_listen/*', 'salt/job/*', '__schedule_return']".into(),
        "event_return_blacklist: ['*/new']".into(),
        format!("other.rawfile_json.filename: {}", fleet.path("scheduled").display()),
        "schedule: {tick: {function: test.arg, args: [x], hours: 1, run_on_start: true, returner: rawfile_json, \
         return_config: other}}"
            .into(),
        "master_job_cache: redis".into(),
        format!("redis: {{host: 127.0.0.1, port: {}}}", redis.1),
    ]);
    let root = fleet.root().display().to_string();
    fleet.start_both(|id| vec![format!("other.rawfile_json.filename: {root}/{id}/other")])?;
    let answers = fleet.salt(&["*", "test.echo", "hello", "--return", "local_cache"])?.json()?;
    same("answers", Value::from(answers), json!({"m1": "hello", "m2": "hello"}))?;
    let seen = || -> Vec<Value> {
        let text = fs::read_to_string(&events).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let tag = |event: &Value| event["tag"].as_str().unwrap_or_default().to_owned();
    let of = |event: &Value, id: &str| {
        tag(event).ends_with(&format!("/ret/{id}")) && event["data"]["fun"] == "test.echo"
    };
    let echo = |id: &str| seen().into_iter().find(|event| of(event, id));
    let (event, other) =
        wait::until("both returns among the events", START, || Ok(echo("m1").zip(echo("m2"))))?;
    for event in [&event, &other] {
        same("return", &event["data"]["return"], &json!("hello"))?;
        hold(event["data"]["_stamp"].is_string(), || event.to_string())?;
    }
    same("the first event", seen().first().map(tag), Some("salt/event_listen/start".into()))?;
    hold(seen().iter().all(|e| !tag(e).ends_with("/new")), || "an event of the blacklist".into())?;
    for id in ["m1", "m2"] {
        wait::until("the minion's own copy", START, || {
            let mut files = BTreeMap::new();
            tree(&fleet.path(id).join("cache/jobs"), id, &mut files);
            Ok(files.keys().any(|name| name.ends_with("/ID/return.p")).then_some(()))
        })?;
    }
    let scheduled = wait::until("the line of the scheduled job", START, || {
        Ok(lines(&fleet.path("scheduled"), "").into_iter().next())
    })?;
    hold(
        scheduled.contains("\"fun\": \"test.arg\"") && scheduled.contains("\"ret_config\": \"other\""),
        || scheduled,
    )?;
    let words = [
        "*",
        "test.true",
        "--return",
        "rawfile_json",
        "--return_config",
        "other",
        "--return_kwargs",
        "{new: [1]}",
    ];
    fleet.salt(&words)?.ok()?;
    let line = |id: &str| lines(&fleet.path(id).join("other"), id).into_iter().next();
    let (ours, stock) = wait::until("the lines of both minions", START, || Ok(line("m1").zip(line("m2"))))?;
    same("a line", &ours, &stock)?;
    hold(ours.contains("\"ret_kwargs\": {\"new\": [1]}"), || ours)?;
    kept_in_redis(fleet, event["data"]["jid"].as_str().unwrap_or_default())?;

    // Without the database all goes on, and the master's own store has it all.
    drop(redis);
    let answers = fleet.salt(&["*", "test.echo", "again"])?;
    hold(answers.took < Duration::from_secs(10), || format!("{:?} without the database", answers.took))?;
    same("answers", Value::from(answers.json()?), json!({"m1": "again", "m2": "again"}))?;
    let jid = seen()
        .iter()
        .rev()
        .find(|e| of(e, "m1"))
        .map(|e| e["data"]["jid"].as_str().unwrap_or_default().to_owned());
    let words = ["--out=json", "jobs.lookup_jid", &jid.unwrap_or_default(), "ext_source=local_cache"];
    let looked = fleet.tool("salt-run", &words)?.json()?;
    same("in the own store", Value::from(looked), json!({"m1": "again", "m2": "again"}))
}

/// The job is in the database, and stock's `salt-run` finds it there as ours does.
fn kept_in_redis(fleet: &mut Fleet, jid: &str) -> Result {
    let ask = |fleet: &Fleet, words: &[&str]| -> Result<Value> {
        Ok(fleet.tool("salt-run", &[&["--out=json"], words].concat())?.json()?.into())
    };
    let both = json!({"m1": "hello", "m2": "hello"});
    let looked = |fleet: &Fleet| Ok((ask(fleet, &["jobs.lookup_jid", jid])? == both).then_some(()));
    fleet.cli = Side::Ours;
    wait::until("both returns in the database", START, || looked(fleet))?;
    let ours = ask(fleet, &["jobs.list_job", jid])?;
    let all = ask(fleet, &["jobs.list_jobs", "search_function=test.echo"])?;
    fleet.cli = Side::Stock("3006.28");
    looked(fleet)?.ok_or("stock's salt-run does not find the job")?;
    same("jobs.list_job", ours, ask(fleet, &["jobs.list_job", jid])?)?;
    same("jobs.list_jobs", all, ask(fleet, &["jobs.list_jobs", "search_function=test.echo"])?)?;
    fleet.cli = Side::Ours;
    Ok(())
}

#[test]
fn the_master_gives_events_and_jobs_to_returners() -> Result {
    let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
    master(&mut fleet).map_err(|Failure(text)| Failure(format!("{text}\n{}", fleet.logs())))
}
