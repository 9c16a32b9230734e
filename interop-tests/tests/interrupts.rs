//! What an interrupted `salt` says, ours and stock's, on our master.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use brine_interop_tests::cli::steady;
use brine_interop_tests::daemon::command;
use brine_interop_tests::failure::same;
use brine_interop_tests::{Failure, Fleet, Result, Side, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const STOCK: Side = Side::Stock("3006.28");

/// What `salt` says when it gets `signal` that long after its job has begun: exit code, output and errors.
fn interrupted(
    fleet: &Fleet,
    side: Side,
    signal: Signal,
    hard: bool,
    after: u64,
) -> Result<(Option<i32>, String, String)> {
    let marker = fleet.path("began");
    let _ = fs::remove_file(&marker);
    let mut cmd = command(None, &side.program("salt")?);
    cmd.arg("-c").arg(fleet.path("etc"));
    cmd.args(["m1", "cmd.run", &format!("touch {}; sleep 60", marker.display())]);
    cmd.args(hard.then_some("--hard-crash"));
    cmd.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = cmd.spawn()?;
    wait::until("the job to begin", Duration::from_secs(60), || Ok(marker.exists().then_some(())))?;
    wait::let_pass(Duration::from_secs(after));
    kill(Pid::from_raw(child.id().cast_signed()), signal).map_err(|e| Failure(e.to_string()))?;
    let out = child.wait_with_output()?;
    let text = |bytes: &[u8]| steady(&String::from_utf8_lossy(bytes));
    Ok((out.status.code(), text(&out.stdout), text(&out.stderr)))
}

#[test]
fn signals() -> Result {
    let fleet = Fleet::new(Side::Ours, Side::Ours)?.start_accepted()?;
    for (signal, hard) in [(Signal::SIGINT, false), (Signal::SIGINT, true), (Signal::SIGTERM, false)] {
        let ours = interrupted(&fleet, Side::Ours, signal, hard, 0)?;
        // While stock still loads modules it says nothing, or where the signal found it. Nobody can see when it is done.
        let mut compared = Ok(());
        for after in [4, 12, 30] {
            let stock = interrupted(&fleet, STOCK, signal, hard, after)?;
            // A trace of Python's follows where it crashes hard.
            let first = stock.2.split("Traceback").next().unwrap_or_default();
            compared = same("the exit code", ours.0, stock.0)
                .and_then(|()| same("what an interrupted salt says", ours.2.trim_end(), first.trim_end()))
                .and_then(|()| same("what it has printed", &ours.1, &stock.1));
            if compared.is_ok() {
                break;
            }
        }
        compared?;
    }
    Ok(())
}
