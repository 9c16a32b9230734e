//! A disk that is full in the middle of a run: the file that was there is whole, the state says what stock's says, and the return is
//! not lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use brine_interop_tests::cases::jobs;
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::small::Small;
use brine_interop_tests::wait::{let_pass, until};
use brine_interop_tests::{Failure, Fleet, Result, Side, cli, config, daemon};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);
/// What the new files have. There is room for less.
const NEW: usize = 256 << 10;
const FULL: &str = "No space left on device";

fn lines(text: &str, bytes: usize) -> String {
    format!("{text}\n").repeat(bytes / (text.len() + 1))
}

/// What was in the files before.
fn before() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("managed", lines("the old one", NEW / 2)),
        ("contents", lines("the old one", NEW / 2)),
        ("replaced", lines("a", NEW / 4)),
        ("appended", lines("the old one", 1000)),
        ("prepended", lines("the old one", 1000)),
        ("block", format!("{}# START\n# END\n", lines("the old one", 1000))),
        ("copied", lines("the old one", 1000)),
        ("tree/f", lines("the old one", 1000)),
    ])
}

const SLS: &str = "
managed: {file.managed: [{name: $D/managed}, {source: 'salt://large'}]}
contents: {file.managed: [{name: $D/contents}, {contents_pillar: large}]}
replaced: {file.replace: [{name: $D/replaced}, {pattern: '^a$'}, {repl: aaaaaaaaaaaaaaaaaaaaaaaa}, {show_changes: false}]}
appended: {file.append: [{name: $D/appended}, {source: 'salt://some'}]}
prepended: {file.prepend: [{name: $D/prepended}, {source: 'salt://some'}]}
block: {file.blockreplace: [{name: $D/block}, {marker_start: '# START'}, {marker_end: '# END'}, {source: 'salt://large'}, {show_changes: false}]}
copied: {file.copy: [{name: $D/copied}, {source: $S/large}, {force: true}]}
tree: {file.recurse: [{name: $D/tree}, {source: 'salt://tree'}]}
room: {file.managed: [{name: $D/room}, {contents: there is room for this}]}
command: {cmd.run: [{name: 'head -c 4000000 /dev/zero > $D/zeros'}]}
";

/// Runs the states on a file system that fills, and gives what each said.
fn run(fleet: &Fleet, side: Side, name: &str) -> Result<BTreeMap<String, (Value, String)>> {
    let to = fleet.path(name).join("to");
    let small = Small::mount(&to, 4 * NEW as u64)?;
    for (file, text) in before() {
        let path = to.join(file);
        fs::create_dir_all(path.parent().unwrap_or(&to))?;
        fs::write(path, text)?;
    }
    small.fill(16 << 10)?;
    config::write_minion(fleet.root(), name, name, &fleet.settings, &[])?;
    let srv = fleet.path("srv");
    let sls = SLS.replace("$D", &to.display().to_string()).replace("$S", &srv.display().to_string());
    fs::write(srv.join("run.sls"), sls)?;
    let mut cmd = daemon::command(None, &side.program("salt-call")?);
    cmd.arg("-c").arg(fleet.path(name)).args([
        "--local",
        "--out",
        "json",
        "-l",
        "quiet",
        "state.apply",
        "run",
    ]);
    let ran = cli::run(cmd, b"", Duration::from_secs(120))?;
    let ret = ran.ret("local")?;
    let states = ret.as_object().ok_or_else(|| ran.failure("no states"))?;
    let steady = |text: &str| -> String {
        let text = text.replace(&to.display().to_string(), "$D");
        // What follows are the names of temporary files.
        text.split_inclusive(FULL).next().unwrap_or_default().to_owned()
    };
    let said = states.values().map(|state| {
        let text = state["comment"].as_str().unwrap_or_default();
        // Of a trace the last line is what is said.
        let text =
            if text.contains("Traceback") { text.trim().lines().last().unwrap_or_default() } else { text };
        (state["__id__"].as_str().unwrap_or_default().to_owned(), (state["result"].clone(), steady(text)))
    });
    let said = said.collect();
    if side.is_ours() {
        for (file, text) in before() {
            let now = fs::read_to_string(to.join(file))?;
            let ends =
                (now.lines().next().unwrap_or_default(), now.lines().last().unwrap_or_default(), now.len());
            hold(now == text, || format!("{file} is not what it was: {ends:?}"))?;
        }
        same("a small file", fs::read_to_string(to.join("room"))?.as_str(), "there is room for this\n")?;
        let left: Vec<String> =
            names(&to)?.into_iter().filter(|n| n.contains("tmp") || n.starts_with(".salt")).collect();
        same("what was left", left, Vec::<String>::new())?;
    }
    Ok(said)
}

fn names(dir: &Path) -> Result<Vec<String>> {
    Ok(fs::read_dir(dir)?.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
}

/// A target that is full: what was there is whole, and what is said is what stock says.
#[test]
fn of_the_target() -> Result {
    let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
    let srv = fleet.path("srv");
    fs::create_dir_all(srv.join("tree"))?;
    fs::write(srv.join("large"), lines("the new one", NEW))?;
    fs::write(srv.join("some"), lines("the new one", NEW / 8))?;
    fs::write(srv.join("tree/f"), lines("the new one", NEW))?;
    let pillar = fleet.path("pillar");
    fs::create_dir_all(&pillar)?;
    fs::write(pillar.join("top.sls"), "base: {'*': [data]}\n")?;
    fs::write(
        pillar.join("data.sls"),
        format!("large: |\n  {}\n", lines("the new one", NEW).trim().replace('\n', "\n  ")),
    )?;
    fleet.settings.minion_lines = vec![
        format!("file_roots: {{base: [{}]}}", srv.display()),
        format!("pillar_roots: {{base: [{}]}}", pillar.display()),
        "file_client: local".into(),
    ];
    let stock = run(&fleet, Side::Stock("3006.28"), "stock")?;
    same("stock's own", &stock["managed"].0, &Value::Bool(false))?;
    let ours = run(&fleet, Side::Ours, "brine")?;
    let mut differ = Vec::new();
    for (id, want) in &stock {
        let got = ours.get(id);
        let same = match id.as_str() {
            // Stock has left so many temporary files by then that there is none.
            "room" => got.is_some_and(|(result, _)| *result == true),
            // Stock's says too that the file may be truncated, and where a copy is.
            "replaced" => got.is_some_and(|(result, text)| *result == false && text.ends_with(FULL)),
            _ => got == Some(want),
        };
        if !same {
            differ.push(format!("{id}\n  stock {want:?}\n  ours  {got:?}"));
        }
    }
    if differ.is_empty() { Ok(()) } else { Err(Failure(differ.join("\n"))) }
}

/// A `cachedir` that is full, and so the spool: runs say so, and returns reach the master all the same, also one that was away.
#[test]
fn of_the_cache() -> Result {
    let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
    fleet.cli = Side::Ours;
    let (srv, to) = (fleet.path("srv"), fleet.path("to"));
    fs::create_dir_all(&srv)?;
    fs::write(srv.join("large"), lines("the new one", NEW))?;
    let sls = format!("{}:\n  file.managed: [{{source: 'salt://large'}}]\n", to.display());
    fs::write(srv.join("run.sls"), sls)?;
    fleet.settings.master_lines =
        vec!["auto_accept: true".into(), format!("file_roots: {{base: [{}]}}", srv.display())];
    let small = Small::mount(&fleet.path("m1/cache"), 8 << 20)?;
    fleet.start_master()?;
    let hasty = ["return_retry_timer: 1", "return_retry_timer_max: 1", "request_channel_timeout: 2"]
        .map(str::to_owned);
    fleet.start_minion("m1", "m1", &hasty)?;
    fleet.wait_ping("m1", SOON)?;
    fs::write(&to, "the old one\n")?;

    // There is room for the SLS file and not for what it names.
    small.fill(128 << 10)?;
    let ran = fleet.salt(&["-t", "60", "m1", "state.apply", "run"])?;
    hold(ran.out.contains(FULL), || ran.failure("it says nothing of the disk").to_string())?;
    // None at all.
    small.fill(0)?;
    let ran = fleet.salt(&["-t", "60", "m1", "state.apply", "run"])?;
    hold(ran.out.contains(FULL), || ran.failure("it says nothing of the disk").to_string())?;
    same("a file that was there", fs::read_to_string(&to)?.as_str(), "the old one\n")?;
    same("a job that needs no disk", fleet.salt(&["m1", "test.ping"])?.ok()?.ret("m1")?, true)?;

    let jid = jobs::start(&fleet, &["m1", "cmd.run", "sleep 8; echo done"])?;
    until("the job", SOON, || {
        let ran = fleet.salt(&["m1", "saltutil.find_job", &jid])?;
        Ok(ran.out.contains("cmd.run").then_some(()))
    })?;
    fleet.master_daemon()?.kill()?;
    fleet.stop_master()?;
    // Longer than a return is tried that nobody keeps.
    let_pass(Duration::from_secs(15));
    fleet.start_master()?;
    let lookup = |fleet: &Fleet| {
        let ran = fleet.tool("salt-run", &["--out=json", "jobs.lookup_jid", &jid])?;
        Ok(serde_json::from_str::<Value>(&ran.out).ok().filter(|all| all["m1"] == "done").map(drop))
    };
    until("the return of a job whose master was away", SOON, || lookup(&fleet))?;

    small.free()?;
    // The return came by another connection than the one that brings jobs.
    fleet.wait_ping("m1", SOON)?;
    let ran = fleet.salt(&["-t", "60", "m1", "state.apply", "run"])?.ok()?;
    hold(ran.out.contains("updated"), || ran.failure("the file was not updated").to_string())?;
    same("the file", fs::read_to_string(&to)?, lines("the new one", NEW))?;
    Ok(())
}
