//! A run of states that is interrupted: its minion is killed, the job is, or the master vanishes. No file is half of anything, and
//! there is a result that says what happened.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use brine_interop_tests::bus::{Bus, Event};
use brine_interop_tests::cases::jobs;
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::netns::{Cable, MASTER};
use brine_interop_tests::wait::{let_pass, until};
use brine_interop_tests::{Failure, Fleet, Result, Side};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);

/// Our master and our minion with an empty tree.
fn fleet() -> Result<Fleet> {
    let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
    fleet.cli = Side::Ours;
    let srv = fleet.path("srv");
    fs::create_dir_all(&srv)?;
    fs::write(srv.join("top.sls"), "base: {'*': [run]}\n")?;
    fleet.settings.master_lines =
        vec!["auto_accept: true".into(), format!("file_roots: {{base: [{}]}}", srv.display())];
    Ok(fleet)
}

fn started(mut fleet: Fleet, minion: &[String]) -> Result<Fleet> {
    fleet.start_master()?;
    fleet.start_minion("m1", "m1", minion)?;
    fleet.wait_ping("m1", SOON)?;
    Ok(fleet)
}

fn returned(fleet: &Fleet, bus: &Bus, jid: &str) -> Result<Event> {
    let tag = format!("salt/job/{jid}/ret/m1");
    bus.wait("the return", SOON, |e| e.tag == tag).map_err(|e| Failure(format!("{e}\n{}", fleet.logs())))
}

/// The result of the state whose id is `id`.
fn state<'a>(ret: &'a Event, id: &str) -> Result<&'a Value> {
    let states = ret.data["return"].as_object().ok_or_else(|| Failure(format!("no states: {}", ret.data)))?;
    let found = states.values().find(|state| state["__id__"] == id);
    found.ok_or_else(|| Failure(format!("no result of {id}: {}", ret.data)))
}

fn said(ret: &Event, id: &str, result: bool, comment: &str) -> Result {
    let state = state(ret, id)?;
    same(&format!("result of {id}: {state}"), &state["result"], &Value::Bool(result))?;
    let text = state["comment"].as_str().unwrap_or_default();
    hold(text.contains(comment), || format!("{id} says {text:?}, not {comment:?}"))
}

/// How many of the files that [`contents`] tells of are of each kind.
const SMALL: usize = 60;
const LARGE: usize = 6;
const TREE: usize = 30;
const EDITED: usize = 12;

/// What is in each managed file when everything of a version was done.
fn contents(version: usize) -> BTreeMap<String, String> {
    let lines = |name: &str, count: usize| -> String {
        (0..count).fold(String::new(), |mut text, n| {
            let _ = writeln!(text, "{name} of version {version:03}: line {n}");
            text
        })
    };
    let mut all = BTreeMap::new();
    for n in 0..SMALL {
        all.insert(format!("small{n}"), lines("small", 1 + n));
    }
    for n in 0..LARGE {
        all.insert(format!("large{n}"), lines("large", 20_000));
    }
    for n in 0..TREE {
        all.insert(format!("tree/d{}/f{n}", n % 5), lines("tree", 200));
    }
    for n in 0..EDITED {
        all.insert(format!("edited{n}"), lines("edited", 50 * (n + 1)));
    }
    all
}

/// Gives the master a version of the tree.
fn publish(fleet: &Fleet, to: &Path, version: usize) -> Result {
    let (srv, d) = (fleet.path("srv"), to.display());
    let mut sls = String::new();
    for (name, text) in contents(version) {
        let path = srv.join(&name);
        match name.trim_end_matches(char::is_numeric) {
            "small" => {
                let _ =
                    writeln!(sls, "{d}/{name}:\n  file.managed:\n    - makedirs: true\n    - contents: |");
                text.lines().for_each(|line| _ = writeln!(sls, "        {line}"));
                let _ = writeln!(sls, "run {name}:\n  cmd.run: [{{name: 'true'}}]");
            }
            "large" => {
                fs::write(path, text)?;
                let _ = writeln!(sls, "{d}/{name}:\n  file.managed: [{{source: 'salt://{name}'}}]");
            }
            "edited" => {
                let _ = writeln!(
                    sls,
                    "{d}/{name}:\n  file.replace:\n    - pattern: 'version \\d+:'\n    - repl: 'version {version:03}:'\n    - backup: false"
                );
            }
            _ => {
                fs::create_dir_all(path.parent().unwrap_or(&srv))?;
                fs::write(path, text)?;
            }
        }
    }
    let _ = writeln!(sls, "{d}/tree:\n  file.recurse: [{{source: 'salt://tree'}}]");
    Ok(fs::write(srv.join("run.sls"), sls)?)
}

/// All files below a folder, by their names from it.
fn below(dir: &Path, root: &Path, found: &mut Vec<(String, PathBuf)>) -> Result {
    for entry in fs::read_dir(dir)?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            below(&path, root, found)?;
        } else {
            found.push((path.strip_prefix(root).unwrap_or(&path).display().to_string(), path));
        }
    }
    Ok(())
}

/// Every file is whole, of this version or one before. What has another name is one that no program takes for a file of its own.
fn all_whole(to: &Path, versions: &[BTreeMap<String, String>]) -> Result<usize> {
    let (mut found, mut left) = (Vec::new(), 0);
    below(to, to, &mut found)?;
    for (name, path) in found {
        let text = fs::read_to_string(&path)?;
        if versions.iter().any(|version| version.contains_key(&name)) {
            let whole = versions.iter().any(|version| version.get(&name) == Some(&text));
            let ends = (text.lines().next(), text.lines().last(), text.len());
            hold(whole, || format!("{name} is half of something: {ends:?}"))?;
        } else {
            let base = name.rsplit('/').next().unwrap_or_default();
            hold(base.starts_with(".salt.") && base.ends_with(".dpkg-tmp"), || format!("{name} was left"))?;
            left += 1;
        }
    }
    Ok(left)
}

/// A minion that is killed at any moment of a run, 20 times.
#[test]
fn by_kill() -> Result {
    let mut fleet = started(fleet()?, &[])?;
    let to = fleet.path("to");
    fs::create_dir_all(&to)?;
    let mut versions = vec![contents(0)];
    for (name, text) in versions[0].iter().filter(|(name, _)| name.starts_with("edited")) {
        fs::write(to.join(name), text)?;
    }
    let (mut cut, mut left) = (0, 0);
    for round in 1..=20 {
        publish(&fleet, &to, round)?;
        versions.push(contents(round));
        let bus = Bus::listen(&fleet)?;
        let jid = jobs::start(&fleet, &["m1", "state.apply"])?;
        let tag = format!("salt/job/{jid}/ret/m1");
        let proc = fleet.path("m1/cache/proc").join(&jid);
        until("the job", SOON, || Ok((proc.exists() || bus.count(&tag) > 0).then_some(())))?;
        // Numbers without a pattern, below two seconds.
        let_pass(Duration::from_millis(round as u64 * 7919 % 1993));
        fleet.kill_minion("m1")?;
        left += all_whole(&to, &versions).map_err(|e| Failure(format!("round {round}: {e}")))?;
        fleet.start_minion("m1", "m1", &[])?;
        let ret = returned(&fleet, &bus, &jid)?;
        if let Some(text) = ret.data["return"].as_str() {
            let want = "ERROR: The job did not run to its end: the minion was killed, or its machine went down. \
                        Some of it may be done";
            same("what is said of a job that was cut off", text, want)?;
            same("its success", &ret.data["success"], &Value::Bool(false))?;
            cut += 1;
        } else {
            same(
                "the states of a job that was over",
                ret.data["return"].as_object().map(|all| all.len()),
                Some(2 * SMALL + LARGE + EDITED + 1),
            )?;
        }
        fleet.wait_ping("m1", SOON)?;
    }
    eprintln!("     {cut} of 20 jobs were cut off; {left} unfinished files were seen");
    hold(cut > 4, || format!("only {cut} of 20 kills came in the middle"))?;
    let ran = fleet.salt(&["-t", "60", "m1", "state.apply"])?.ok()?;
    same(
        "states at last",
        ran.ret("m1")?.as_object().map(|all| all.len()),
        Some(2 * SMALL + LARGE + EDITED + 1),
    )?;
    all_whole(&to, &versions[20..]).map(drop)
}

/// `kill_job`, `term_job` and `soft_kill` in the middle of a run, and a run after each.
#[test]
fn by_job() -> Result {
    let fleet = started(fleet()?, &[])?;
    let pid = fleet.path("pid");
    let sls = |length: u32| {
        let words = format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep {length}", pid.display());
        let text = format!(
            "first: {{test.nop: []}}\nlong:\n  cmd.run: [{{name: '{words}'}}]\nlast: {{test.nop: []}}\n"
        );
        fs::write(fleet.path("srv/run.sls"), text)
    };
    let bus = Bus::listen(&fleet)?;
    for function in ["saltutil.kill_job", "saltutil.term_job", "state.soft_kill"] {
        let is_soft = function == "state.soft_kill";
        sls(if is_soft { 3 } else { 300 })?;
        let _ = fs::remove_file(&pid);
        let jid = jobs::start(&fleet, &["m1", "state.apply"])?;
        let child = until("the long state", SOON, || Ok(fs::read_to_string(&pid).ok()))?;
        fleet.salt(&["m1", function, &jid])?;
        let ret = returned(&fleet, &bus, &jid)?;
        said(&ret, "first", true, "Success!")?;
        if is_soft {
            // As in stock: what runs goes on, and the rest is not told of.
            said(&ret, "long", true, "run")?;
            hold(state(&ret, "last").is_err(), || format!("{}", ret.data))?;
        } else {
            said(&ret, "long", false, "State was not run to its end because the job was killed")?;
            said(&ret, "last", false, "State was not run because the job was killed")?;
            same("its return code", &ret.data["retcode"], &Value::from(2))?;
        }
        let own = PathBuf::from(format!("/proc/{}", child.trim()));
        until("the program to end", Duration::from_secs(10), || Ok((!own.exists()).then_some(())))?;
        sls(0)?;
        let ran = fleet.salt(&["m1", "state.apply"])?.ok()?.ret("m1")?;
        same(&format!("states after {function}: {ran}"), ran.as_object().map(|all| all.len()), Some(3))?;
        same("returns", bus.count(&format!("salt/job/{jid}/ret/m1")), 1)?;
    }
    let jid = jobs::start(&fleet, &["m1", "cmd.run", "sleep 300"])?;
    until("the job", SOON, || Ok(fleet.path("m1/cache/proc").join(&jid).exists().then_some(())))?;
    fleet.salt(&["m1", "saltutil.term_job", &jid])?;
    let ret = returned(&fleet, &bus, &jid)?;
    let want = "ERROR: The job did not run to its end: it was killed by signal 15";
    same("what a killed command says", ret.data["return"].as_str(), Some(want))
}

/// A master that is gone in the middle of a run, and comes back after it.
fn without_master(
    fleet: &mut Fleet,
    go: &dyn Fn(&mut Fleet) -> Result,
    come: &dyn Fn(&mut Fleet) -> Result,
) -> Result {
    let to = fleet.path("to");
    fs::create_dir_all(&to)?;
    for name in ["old", "new", "late"] {
        let _ = fs::remove_file(to.join(name));
    }
    fs::write(to.join("old"), "the old one\n")?;
    fs::write(fleet.path("srv/far"), "from the master\n")?;
    let d = to.display();
    let sls = format!(
        "long:\n  cmd.run: [{{name: 'touch {d}/began; sleep 2'}}]\n\
         {d}/new:\n  file.managed: [{{contents: done}}, {{require: [{{cmd: long}}]}}]\n\
         {d}/old:\n  file.managed: [{{source: 'salt://far'}}, {{require: [{{cmd: long}}]}}]\n\
         {d}/late:\n  file.managed: [{{contents: done}}, {{order: last}}]\n"
    );
    fs::write(fleet.path("srv/run.sls"), sls)?;
    let bus = Bus::listen(fleet)?;
    let jid = jobs::start(fleet, &["m1", "state.apply"])?;
    until("the long state", SOON, || Ok(to.join("began").exists().then_some(())))?;
    go(fleet)?;
    until("the end of the run", SOON, || Ok(to.join("late").exists().then_some(())))?;
    let spooled = || fs::read_dir(fleet.path("m1/cache/spool")).map_or(0, |dir| dir.count());
    until("the return in the spool", SOON, || Ok((spooled() == 1).then_some(())))?;
    same("a file while the master was away", fs::read_to_string(to.join("old"))?.as_str(), "the old one\n")?;
    same("a file that needs no master", fs::read_to_string(to.join("new"))?.as_str(), "done\n")?;
    fs::remove_file(to.join("began"))?;
    drop(bus);
    // Told before the master is there: it may be given the return at once.
    come(fleet)?;
    let kept = until("the return", SOON, || {
        let ran = fleet.tool("salt-run", &["--out=json", "jobs.lookup_jid", &jid])?;
        Ok(serde_json::from_str::<Value>(&ran.out).ok().filter(|all| all["m1"].is_object()))
    })?;
    let ret = Event { tag: String::new(), data: serde_json::json!({"return": kept["m1"]}), at: 0.0 };
    said(&ret, "long", true, "run")?;
    let name = |name: &str| to.join(name).display().to_string();
    said(&ret, &name("new"), true, "updated")?;
    said(&ret, &name("old"), false, "Unable to manage file")?;
    said(&ret, &name("late"), true, "updated")?;
    until("the spool to be empty", SOON, || {
        Ok((fs::read_dir(fleet.path("m1/cache/spool")).map_or(0, |dir| dir.count()) == 0).then_some(()))
    })?;
    fleet.wait_ping("m1", SOON).map(drop)
}

#[test]
fn by_master() -> Result {
    let cable = Cable::lay()?;
    let mut fleet = fleet()?;
    fleet.settings.address = MASTER.into();
    fleet.master_netns = Some(cable.master.clone());
    fleet.minion_netns = Some(cable.minion.clone());
    let hasty = ["request_channel_timeout: 2".to_owned(), "request_channel_tries: 1".to_owned()];
    let mut fleet = started(fleet, &hasty)?;
    let kill = |fleet: &mut Fleet| {
        fleet.master_daemon()?.kill()?;
        fleet.stop_master()
    };
    without_master(&mut fleet, &kill, &Fleet::start_master)?;
    let bus = Bus::listen(&fleet)?;
    without_master(&mut fleet, &|_| cable.drop_packets(), &|_| cable.pass_packets())?;
    let returns =
        bus.seen().into_iter().filter(|e| e.tag.ends_with("/ret/m1") && e.data["fun"] == "state.apply");
    same("returns of the run", returns.count(), 1)
}
