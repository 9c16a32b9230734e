//! Options of the user's own file (`~/.saltrc`, over the master's) do for our commands what their options on the command
//! line do. One fleet serves all of them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Failure, Fleet, Ran, Result, Side, cli};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Runs one of our commands with this `.saltrc`.
fn run(fleet: &Fleet, program: &str, rc: &str, args: &[&str]) -> Result<Ran> {
    let home = fleet.path("home");
    fs::create_dir_all(&home)?;
    fs::write(home.join(".saltrc"), rc)?;
    let mut cmd = Command::new(Side::Ours.program(program)?);
    cmd.env("HOME", &home).env_remove("XDG_CONFIG_HOME").arg("-c").arg(fleet.path("etc")).args(args);
    cli::run(cmd, b"", Duration::from_secs(60))
}

fn salt(fleet: &Fleet, rc: &str, args: &[&str]) -> Result<Ran> {
    run(fleet, "salt", rc, args)
}

fn batches(fleet: &Fleet) -> Result {
    let ran = salt(fleet, "batch: 1\nbatch_wait: 1\n", &["*", "test.ping"])?.ok()?;
    same("runs", ran.out.matches("Executing run on").count(), 2)?;
    hold(ran.took >= Duration::from_secs(1), || format!("no pause: {:?}", ran.took))?;
    let ran = salt(fleet, "batch_safe_limit: 2\nbatch_safe_size: 1\n", &["*", "test.ping"])?.ok()?;
    same("runs beyond the limit", ran.out.matches("Executing run on").count(), 2)
}

/// Each line of the file against the option of the command line, which prints something else than without either.
fn forms(fleet: &Fleet) -> Result {
    let plain = salt(fleet, "", &["m1", "test.ping"])?.ok()?.out;
    let shape =
        |text: &str| text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>();
    for (rc, option) in [
        ("cli_summary: true", "--summary"),
        ("show_jid: true", "--show-jid"),
        ("progress: true", "--progress"),
    ] {
        let by_file = salt(fleet, rc, &["m1", "test.ping"])?.ok()?;
        let by_option = salt(fleet, "", &[option, "m1", "test.ping"])?.ok()?;
        same(rc, shape(&(by_file.out.clone() + &by_file.err)), shape(&(by_option.out + &by_option.err)))?;
        hold(by_file.out + &by_file.err != plain, || format!("{rc} changes nothing"))?;
    }
    let together = salt(fleet, "static: true\n", &["--out=json", "*", "test.ping"])?.ok()?;
    same("one object", together.out.matches('{').count(), 1)
}

fn waits(fleet: &Fleet, master: u32, minion: u32) -> Result {
    let accepted = fleet.path("pki/master/minions");
    fs::copy(accepted.join("m1"), accepted.join("gone"))?;
    let shown = salt(fleet, "", &["gone", "test.ping"])?;
    hold(shown.out.contains("gone"), || shown.out.clone())?;
    let hidden = salt(fleet, "show_timeout: false\n", &["gone", "test.ping"])?;
    hold(!hidden.out.contains("gone"), || hidden.out.clone())?;
    fs::remove_file(accepted.join("gone"))?;

    let frozen = |pid: u32, rc: &str, tgt: &str| -> Result<Duration> {
        let pid = Pid::from_raw(i32::try_from(pid).unwrap_or(0));
        let signal = |signal| kill(pid, signal).map_err(|e| Failure(e.to_string()));
        signal(Signal::SIGSTOP)?;
        let ran = salt(fleet, rc, &[tgt, "test.ping"]);
        signal(Signal::SIGCONT)?;
        Ok(ran?.took)
    };
    let took = frozen(minion, "timeout: 1\ngather_job_timeout: 1\n", "m2")?;
    hold(took < Duration::from_millis(4500), || format!("a silent minion: {took:?}"))?;
    let took = frozen(master, "publish_timeout: 1\n", "m1")?;
    hold(took < Duration::from_secs(10), || format!("a silent master: {took:?}"))
}

fn files(fleet: &Fleet) -> Result {
    let log = fleet.path("keys.log");
    run(fleet, "salt-key", &format!("key_logfile: {}\n", log.display()), &["-L"])?.ok()?;
    hold(log.exists(), || "no log of salt-key".into())?;
    let (from, to) = (fleet.path("from"), fleet.path("to"));
    // Nothing that can be compressed.
    let bytes: Vec<u8> = (0..3000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(&from, bytes)?;
    let path = |path: &Path| path.display().to_string();
    run(fleet, "salt-cp", "salt_cp_chunk_size: 1000\n", &["--chunked", "m1", &path(&from), &path(&to)])?
        .ok()?;
    let jobs =
        run(fleet, "salt-run", "", &["--out=json", "jobs.list_jobs", "search_function=cp.recv_chunked"])?;
    same("chunks", jobs.ok()?.json()?.len(), 4)
}

#[test]
fn the_users_file_is_as_good_as_the_command_line() {
    let all = || -> Result {
        let mut fleet = Fleet::new(Side::Ours, Side::Ours)?;
        fleet.cli = Side::Ours;
        let mut fleet = fleet.start_accepted()?;
        batches(&fleet)?;
        forms(&fleet)?;
        let (master, minion) = (fleet.master_daemon()?.pid(), fleet.minion_daemon("m2")?.pid());
        waits(&fleet, master, minion)?;
        files(&fleet)
    };
    if let Err(Failure(text)) = all() {
        panic!("{text}");
    }
}
