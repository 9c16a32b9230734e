//! Orchestrations: `salt-run state.orchestrate` and its kin print what they print where all is stock, end with the same codes, and tell
//! the same on the event bus. What is run is in `orch/`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use brine_interop_tests::bus::Bus;
use brine_interop_tests::cli::{self, Ran, steady};
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Failure, Fleet, Result, Side, wait};
use serde_json::Value;

/// One run: its words, and whether the order of its lines is left to chance in stock too.
struct Case {
    words: &'static [&'static str],
    loose: bool,
}

const fn run(words: &'static [&'static str]) -> Case {
    Case { words, loose: false }
}

const CASES: &[Case] = &[
    run(&["state.orchestrate", "orch.ok", "test=True"]),
    run(&["state.orchestrate", "orch.ok"]),
    run(&["state.orch", "orch.ok", "pillar={tmp: $TMP, text: three}"]),
    run(&["--out=json", "state.sls", "orch.ok"]),
    run(&["state.orchestrate", "orch.bad"]),
    run(&["state.orchestrate", "orch.nobody"]),
    run(&["state.orchestrate", "orch.missing"]),
    run(&["state.orchestrate", "orch.functions"]),
    run(&["state.orchestrate", "orch.functions", "test=True"]),
    run(&["state.orchestrate", "orch.order"]),
    run(&["state.orchestrate", "orch.nested"]),
    run(&["--state-output=changes", "state.orchestrate", "orch.nested", "exclude=orch.inner"]),
    run(&["state.orchestrate", "orch.master"]),
    run(&["state.orchestrate", "orch.master", "test=True"]),
    run(&["state.orchestrate", "orch.no_dict"]),
    run(&["state.orchestrate", "orch.events"]),
    run(&["state.orchestrate", "orch.events", "test=True"]),
    run(&["state.orchestrate", "orch.some"]),
    Case { words: &["state.orchestrate", "orch.two"], loose: true },
    run(&["state.orchestrate", "orch.not_there"]),
    run(&["state.orchestrate", "work.no_render", "saltenv=base"]),
    run(&["state.orchestrate", "orch.inner", "saltenv=none"]),
    run(&["state.orchestrate", "orch.inner", "pillar=text"]),
    run(&[
        "state.orchestrate",
        "orch.inner,work.quiet",
        "exclude=work.quiet",
        "pillar={text: x}",
        "pillarenv=base",
    ]),
    run(&["state.orchestrate"]),
    run(&["state.orchestrate_single", "fun=salt.wheel", "name=key.list_all"]),
    run(&["state.orchestrate_single", "salt.function", "test.ping", "tgt=m1"]),
    run(&[
        "state.orchestrate_high",
        "{a: {salt.function: [{name: test.ping}, {tgt: m1}]}, b: {test.nop: [{require: [{salt: a}]}]}}",
    ]),
    run(&["--out=json", "state.orch_show_sls", "orch.inner", "pillar={text: shown}"]),
    run(&["--out=json", "state.orchestrate_show_sls", "work.quiet"]),
    run(&["state.pause", "20300101000000000000", "some", "5"]),
    run(&["state.resume", "20300101000000000000"]),
    run(&["state.rm_pause", "20300101000000000000"]),
    run(&["state.soft_kill", "20300101000000000001", "some"]),
];

fn copy(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn fleet(master: &str, minion: &str) -> Result<Fleet> {
    let mut fleet = Fleet::new(Side::parse(master)?, Side::parse(minion)?)?;
    fleet.cli = fleet.master;
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("orch"), &fleet.path("srv"))?;
    let tmp = fleet.path("to");
    for dir in [&tmp, &fleet.path("pillar")] {
        fs::create_dir_all(dir)?;
    }
    fs::write(fleet.path("pillar/top.sls"), "base: {'*': [data]}\n")?;
    fs::write(
        fleet.path("pillar/data.sls"),
        format!("tmp: {}\nof_master: {{{{ grains.id }}}}\n", tmp.display()),
    )?;
    fleet.settings.master_lines = vec![
        "auto_accept: true".into(),
        format!("file_roots: {{base: [{}]}}", fleet.path("srv").display()),
        format!("pillar_roots: {{base: [{}]}}", fleet.path("pillar").display()),
    ];
    fleet.start_master()?;
    for id in ["m1", "m2", "m3"] {
        fleet.start_minion(id, id, &[])?;
    }
    for id in ["m1", "m2", "m3"] {
        fleet.wait_ping(id, Duration::from_secs(60))?;
    }
    fleet.stop_minion("m3")?;
    Ok(fleet)
}

/// What is the same in each run: without times, job ids, addresses of errors within Python, and the name of the scratch directory.
fn even(text: &str, fleet: &Fleet) -> String {
    lines(text, &fleet.root().display().to_string())
}

fn lines(text: &str, root: &str) -> String {
    let text = text.replace(root, "$R");
    let times = [
        "Started:",
        "Duration:",
        "Total run time:",
        "duration:",
        "start_time:",
        "_stamp:",
        "\"duration\":",
        "\"start_time\":",
        "'duration':",
        "'start_time':",
    ];
    let mut kept: Vec<String> = Vec::new();
    let mut value_of_time = false;
    let text = steady(&text);
    for line in without_source(&text) {
        let bare = line.trim();
        let skip = value_of_time && bare.chars().any(|c| c.is_ascii_digit());
        value_of_time = ["duration:", "start_time:", "_stamp:"].contains(&bare);
        if skip || times.iter().any(|word| bare.starts_with(word)) {
            continue;
        }
        let line = match (line.find("All events seen in "), line.find(" seconds.")) {
            (Some(from), Some(to)) => format!("{}{}", &line[..from + 19], &line[to..]),
            _ => line.to_owned(),
        };
        kept.push(line.trim_end().to_owned());
        if bare == "Usage:" {
            // Documentation is in everybody's own words.
            break;
        }
    }
    kept.join("\n")
}

/// Of tracebacks only their last lines: what stands between is Python's source.
fn without_source(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut margin = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if line.trim_start().starts_with("File \"") {
            margin = margin.or(Some(indent.saturating_sub(2)));
        }
        match margin {
            Some(at) if indent > at => continue,
            _ => margin = None,
        }
        out.push(line);
    }
    out
}

/// The events of runs: tag, and data without what is never the same.
fn told(bus: &Bus, from: usize, fleet: &Fleet) -> Vec<String> {
    let of_run = |tag: &str| tag.starts_with("salt/run/") || tag.starts_with("salt/wheel/");
    let seen = bus.seen();
    let own = seen.iter().skip(from).filter(|event| of_run(&event.tag));
    own.map(|event| {
        let mut data = event.data.clone();
        if let Some(all) = data.as_object_mut() {
            // What is returned is compared as it is printed.
            for key in ["_stamp", "return", "data"] {
                all.remove(key);
            }
        }
        even(&format!("{} {}", event.tag, sorted(data)), fleet)
    })
    .collect()
}

/// Waits until the end of a run has been told.
fn settled(bus: &Bus, from: usize) -> Result {
    let mut before = 0;
    wait::until("the end of a run to be told", Duration::from_secs(20), || {
        let seen = bus.seen();
        let ends = |tag: &str| tag.starts_with("salt/run/") && tag.ends_with("/ret");
        let quiet = seen.len() == std::mem::replace(&mut before, seen.len());
        std::thread::sleep(Duration::from_millis(200));
        Ok((quiet && seen.iter().skip(from).any(|event| ends(&event.tag))).then_some(()))
    })
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let all: std::collections::BTreeMap<String, Value> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            all.into_iter().collect()
        }
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn shown(case: &Case, ran: &Ran, fleet: &Fleet) -> String {
    let text = match serde_json::from_str::<Value>(&ran.out) {
        Ok(value) => format!("{:#}", sorted(value)),
        Err(_) => ran.out.clone(),
    };
    let mut lines: Vec<String> = even(&text, fleet).lines().map(str::to_owned).collect();
    if case.loose {
        // Even within a line the order of minions is that of their returns.
        lines = lines.iter().map(|line| line.replace("m2, m1", "m1, m2")).collect();
        lines.sort();
    }
    format!("{}\nexit code {}", lines.join("\n"), ran.code)
}

fn all(master: &str, minion: &str) -> Result<Vec<(String, String)>> {
    let fleet = fleet(master, minion)?;
    let tmp = fleet.path("to").display().to_string();
    let chosen = std::env::var("BRINE_CASES").unwrap_or_default();
    let bus = Bus::listen(&fleet)?;
    let mut all = Vec::new();
    for case in CASES {
        let words: Vec<String> = case.words.iter().map(|word| word.replace("$TMP", &tmp)).collect();
        let name = case.words.join(" ");
        if !chosen.split(',').any(|word| name.contains(word)) {
            continue;
        }
        let from = bus.seen().len();
        let words: Vec<&str> = ["--no-color"].into_iter().chain(words.iter().map(String::as_str)).collect();
        let ran = fleet.tool("salt-run", &words)?;
        settled(&bus, from)?;
        all.push((name.clone(), shown(case, &ran, &fleet)));
        if !case.loose {
            all.push((format!("events of {name}"), told(&bus, from, &fleet).join("\n")));
        }
    }
    Ok(all)
}

fn compare(master: &str, minion: &str, want: &[(String, String)]) -> Result<usize> {
    let mut different = 0;
    for (got, want) in all(master, minion)?.iter().zip(want) {
        let what = format!("{minion} on {master}: {}", want.0);
        if let Err(failure) = same_lines(&what, &got.1, &want.1) {
            eprintln!("{failure}");
            different += 1;
        }
    }
    Ok(different)
}

/// The first line that differs, with those around it.
fn same_lines(what: &str, got: &str, want: &str) -> Result {
    let at = got.lines().zip(want.lines()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| text.lines().skip(at.saturating_sub(6)).take(14).collect::<Vec<_>>().join("\n");
    let differ = got.lines().count() != want.lines().count() || at < want.lines().count();
    same(
        &format!("{what}: line {at}"),
        if differ { from(got) } else { String::new() },
        if differ { from(want) } else { String::new() },
    )
}

#[test]
fn as_all_stock() -> Result {
    let want = all("3006", "3006")?;
    let mut different = 0;
    for minion in ["3006", "ours"] {
        different += compare("ours", minion, &want)?;
    }
    same("orchestrations that differ", different, 0)
}

/// Stock's runners beside each other end in a TypeError; ours do what is documented.
#[test]
fn runners_run_beside_each_other() -> Result {
    let fleet = fleet("ours", "ours")?;
    let ran = fleet.tool("salt-run", &["--no-color", "state.orchestrate", "orch.parallel"])?.code(1)?;
    let text = even(&ran.out, &fleet);
    for said in [
        "Runner second failed with return value:",
        "One of the runners raised an exception: The following keyword arguments are not valid: nothing=known",
        "Comment: All runner functions executed successfully.",
        "Succeeded: 1 (changed=2)\nFailed:    2",
    ] {
        hold(text.contains(said), || format!("{said:?} is not in\n{text}"))?;
    }
    Ok(())
}

/// The files of a packed run, as salt-ssh makes one.
const PACKED: &[(&str, &str)] = &[
    (
        "lowstate.json",
        r#"[{"state": "file", "fun": "managed", "name": "$TO/packed", "source": "salt://x.txt", "template": "jinja", "__id__": "a",
             "__sls__": "s", "__env__": "base", "order": 10000},
            {"state": "test", "fun": "succeed_with_changes", "name": "b", "__id__": "b", "__sls__": "s", "__env__": "base",
             "order": 10001, "require": [{"file": "a"}]},
            {"state": "test", "fun": "fail_without_changes", "name": "c", "__id__": "c", "__sls__": "s", "__env__": "base",
             "order": 10002}]"#,
    ),
    ("pillar.json", r#"{"word": "packed"}"#),
    ("base/x.txt", "{{ pillar.word }} {{ opts.file_client }}\n"),
];

/// Runs `salt-call --local` with a tree of its own; what is printed, and the exit code.
fn alone(side: Side, root: &Path) -> Result<Vec<String>> {
    let dir = root.join(side.to_string());
    let (srv, to) = (dir.join("srv"), dir.join("to"));
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("orch"), &srv)?;
    for dir in [&to, &dir.join("pack/base")] {
        fs::create_dir_all(dir)?;
    }
    let d = dir.display();
    let conf = format!(
        "root_dir: {d}\nid: m1\nfile_client: local\nfile_roots: {{base: [{d}/srv]}}\npillar_roots: {{base: [{d}/none]}}\n\
         sock_dir: {d}/s\nenable_fqdns_grains: false\nenable_gpu_grains: false\nlog_file: {d}/log\n"
    );
    fs::write(dir.join("minion"), conf)?;
    let mut names = Vec::new();
    for (name, text) in PACKED {
        fs::write(dir.join("pack").join(name), text.replace("$TO", &to.display().to_string()))?;
        names.push(*name);
    }
    let archive = dir.join("p.tgz").display().to_string();
    let mut tar = std::process::Command::new("tar");
    tar.arg("-czf").arg(&archive).arg("-C").arg(dir.join("pack")).args(&names);
    cli::run(tar, b"", Duration::from_secs(60))?.ok()?;
    let sum = cli::run(
        {
            let mut sum = std::process::Command::new("md5sum");
            sum.arg(&archive);
            sum
        },
        b"",
        Duration::from_secs(60),
    )?;
    let sum = sum.out.split(' ').next().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for words in [
        &["state.orchestrate", "orch.alone", "test=True"][..],
        &["state.orchestrate", "orch.alone"],
        &["--out=json", "state.orchestrate", "orch.alone", "exclude=orch.alone"],
        &["state.pkg", &archive, &sum, "md5", "test=True"],
        &["state.pkg", &archive, &sum, "md5"],
        &["--retcode-passthrough", "state.pkg", &archive, &sum, "md5"],
        &["state.pkg", &archive, "00", "md5"],
        &["state.pkg", "/not/there", &sum, "md5"],
    ] {
        let mut cmd = std::process::Command::new(side.program("salt-call")?);
        cmd.arg("-c").arg(&dir).args(["--local", "--no-color"]).args(words);
        let ran = cli::run(cmd, b"", Duration::from_secs(120))?;
        let out = lines(&ran.out, &dir.display().to_string()).replace(&sum, "SUM");
        let err = ran.err.lines().last().unwrap_or_default().to_owned();
        let err = if ran.out.is_empty() { err } else { String::new() };
        all.push(format!(
            "{} -> {}\n{out}\n{err}",
            words[..2].join(" ").replace(&d.to_string(), "$R"),
            ran.code
        ));
    }
    all.push(fs::read_to_string(to.join("packed"))?);
    Ok(all)
}

#[test]
fn without_a_master_as_stock() -> Result {
    let root = tempfile::tempdir()?;
    let want = alone(Side::parse("3006")?, root.path())?;
    let got = alone(Side::Ours, root.path())?;
    for (got, want) in got.iter().zip(&want) {
        same_lines(want.lines().next().unwrap_or_default(), got, want)?;
    }
    same("files", got.last(), want.last())
}

/// Whoever watches a minion's bus by `state.event` sees what is fired there.
#[test]
fn events_of_a_minion_are_printed_as_stocks() -> Result {
    let mut seen = Vec::new();
    for side in ["3006", "ours"] {
        let mut fleet = Fleet::new(Side::parse("ours")?, Side::parse(side)?)?;
        fleet.settings.master_lines = vec!["auto_accept: true".into()];
        fleet.start_master()?;
        fleet.start_minion("m1", "m1", &[])?;
        fleet.wait_ping("m1", Duration::from_secs(60))?;
        let (out, fired) = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| fleet.salt_call("m1", &["state.event", "my/*", "count=2"]));
            // It is fired until it has been seen: when the watcher listens is not known.
            let mut fired = Ok(());
            for _ in 0..60 {
                if watcher.is_finished() {
                    break;
                }
                fired = fleet.salt(&["m1", "event.fire", "{\"n\": 1, \"b\": [x]}", "my/tag"]).map(drop);
            }
            (watcher.join(), fired)
        });
        fired?;
        let out = out.map_err(|_| Failure("the watcher panicked".into()))??;
        let plain = |line: &str| line.split("\"_stamp\"").next().unwrap_or_default().to_owned();
        seen.push((out.code, out.out.lines().map(plain).collect::<Vec<_>>()));
    }
    same("events", &seen[1], &seen[0])
}
