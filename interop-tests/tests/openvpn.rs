//! A minion whose only way out is a real OpenVPN tunnel over TCP 443: jobs, a large return, the
//! tunnel killed, restarted, and back with another address, in the middle of a highstate too; and nothing to connect to on its
//! side.

use std::fs;
use std::time::{Duration, SystemTime};

use brine_interop_tests::beat::Beat;
use brine_interop_tests::bus::Bus;
use brine_interop_tests::cases::returns;
use brine_interop_tests::cli;
use brine_interop_tests::daemon::command;
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::netns::{Cable, inside};
use brine_interop_tests::tunnel::{TUNNEL_MASTER, Tunnel};
use brine_interop_tests::wait::{let_pass, until};
use brine_interop_tests::{Failure, Fleet, Result, Side};

const FIRST: &str = "10.99.0.6";
const SECOND: &str = "10.99.0.7";

/// Connects to every TCP port of an address and prints those that accept.
const SCAN: &str = "
import socket, sys
for port in range(1, 65536):
    with socket.socket() as s:
        s.settimeout(0.5)
        if s.connect_ex((sys.argv[1], port)) == 0:
            print(port)
";

/// Nothing listens on the minion's side, seen from inside and from the other end.
fn nothing_listens(cable: &Cable, address: &str) -> Result {
    same("sockets that listen", inside(&cable.minion, &["ss", "-ltunH"])?.trim(), "")?;
    let mut cmd = command(Some(&cable.master), &Side::Stock("3006.28").program("python3")?);
    cmd.args(["-c", SCAN, address]);
    let open = cli::run(cmd, b"", Duration::from_secs(120))?.ok()?;
    same("ports that accept", open.out.trim(), "")
}

/// The whole story; gives the time from the tunnel's return to the first answer, with the address
/// kept and changed. `None` is no answer within `limit`.
fn story(master: Side, minion: Side, limit: Duration) -> Result<[Option<Duration>; 2]> {
    let cable = Cable::lay()?;
    let mut fleet = Fleet::new(master, minion)?;
    let mut tunnel = Tunnel::open(&cable, &fleet.path("vpn"), FIRST)?;
    fleet.settings.address = TUNNEL_MASTER.into();
    fleet.settings.hasty = false;
    for lines in [&mut fleet.settings.master_lines, &mut fleet.settings.minion_lines] {
        lines.push("max_event_size: 100000000".into());
    }
    fleet.settings.minion_lines.push("acceptance_wait_time: 1".into());
    fleet.master_netns = Some(cable.master.clone());
    fleet.minion_netns = Some(cable.minion.clone());
    fleet.start_master()?;
    fleet.start_minion("m1", "m1", &[])?;
    fleet.wait_key("minions_pre", "m1")?;
    fleet.salt_key(&["-y", "-a", "m1"])?.ok()?;
    fleet.wait_ping("m1", Duration::from_secs(40))?;
    same("a job", fleet.salt(&["m1", "cmd.run", "echo tunnel"])?.ok()?.ret("m1")?, "tunnel")?;
    returns::sized(&fleet, 16 << 20)?;
    nothing_listens(&cable, FIRST)?;
    let beat = Beat::start(&fleet, "m1")?;
    let mut times = [None, None];
    for (time, address) in times.iter_mut().zip([FIRST, SECOND]) {
        tunnel.kill()?;
        let_pass(Duration::from_secs(6));
        tunnel.connect(&cable, address)?;
        *time = beat.answer_after(SystemTime::now(), limit)?;
        eprintln!(
            "     master {master} x minion {minion}: tunnel back as {address}: answer after {time:.2?}"
        );
        if time.is_none() && minion.is_ours() {
            return Err(Failure(format!(
                "no answer within {limit:?} of the tunnel's return\n{}",
                fleet.logs()
            )));
        }
    }
    Ok(times)
}

fn ours_on(master: &str) -> Result {
    let limit = Duration::from_secs(10);
    let times = story(Side::parse(master)?, Side::Ours, limit)?;
    hold(times.iter().all(Option::is_some), || format!("{times:?}"))
}

#[test]
fn ours_on_stock_3006() -> Result {
    ours_on("3006")
}

#[test]
fn ours_on_stock_3008() -> Result {
    ours_on("3008")
}

#[test]
fn ours_on_ours() -> Result {
    ours_on("ours")
}

/// Stock's minion on the same tunnel: the jobs must work, the recovery is printed.
#[test]
fn stock_3006_on_itself() -> Result {
    let stock = Side::parse("3006")?;
    story(stock, stock, Duration::from_secs(20)).map(drop)
}

/// A highstate while the tunnel is cut: once it is back before the run ends and a file is fetched after it, once the run ends
/// while it is cut. Either completes, and its return arrives once.
fn highstate(master: Side, minion: Side) -> Result {
    let cable = Cable::lay()?;
    let mut fleet = Fleet::new(master, minion)?;
    let mut tunnel = Tunnel::open(&cable, &fleet.path("vpn"), FIRST)?;
    fleet.settings.address = TUNNEL_MASTER.into();
    let srv = fleet.path("srv");
    fs::create_dir_all(&srv)?;
    fleet.settings.master_lines =
        vec!["auto_accept: true".into(), format!("file_roots: {{base: [{}]}}", srv.display())];
    fleet.master_netns = Some(cable.master.clone());
    fleet.minion_netns = Some(cable.minion.clone());
    let to = fleet.path("to").display().to_string();
    fs::write(srv.join("top.sls"), "base: {'*': [run]}\n")?;
    fs::write(srv.join("late"), "fetched\n")?;
    fleet.start_master()?;
    fleet.start_minion("m1", "m1", &[])?;
    fleet.wait_ping("m1", Duration::from_secs(120))?;
    for (turn, cut, rest) in [("back before", 4, 12), ("back after", 12, 4)] {
        let last = if cut < rest { "source: salt://late" } else { "contents: fetched" };
        let sls = format!(
            "{to}/first:\n  file.managed: [{{contents: '{turn}'}}, {{makedirs: true}}]\nlong:\n  cmd.run: [{{name: 'touch {to}/began; sleep {rest}'}}]\n\
             {to}/last:\n  file.managed:\n    - {last}\n    - require: [{{cmd: long}}]\n"
        );
        fs::write(srv.join("run.sls"), sls)?;
        let bus = Bus::listen(&fleet)?;
        let ran = fleet.salt(&["--async", "m1", "state.apply"])?.ok()?;
        let jid = ran.out.split_whitespace().last().ok_or("no job id")?.to_owned();
        until("the long state", Duration::from_secs(60), || {
            Ok(fleet.path("to/began").exists().then_some(()))
        })?;
        tunnel.kill()?;
        let_pass(Duration::from_secs(cut));
        if cut > rest {
            hold(fleet.path("to/last").exists(), || "the run did not go on while the tunnel was cut".into())?;
        }
        tunnel.connect(&cable, FIRST)?;
        let tag = format!("salt/job/{jid}/ret/m1");
        let returned = bus.wait("its return", Duration::from_secs(60), |event| event.tag == tag)?;
        let_pass(Duration::from_secs(8));
        let count = bus.count(&tag);
        // Stock's minion may send it again, as it has no answer to the first.
        hold(count == 1 || !minion.is_ours(), || format!("{turn}: it was returned {count} times"))?;
        eprintln!("     master {master} x minion {minion}: {turn}: returned {count} times");
        let states = returned.data["return"].as_object().cloned().unwrap_or_default();
        same(&format!("{turn}: states"), states.len(), 3)?;
        for (name, state) in &states {
            hold(state["result"] == true, || format!("{turn}: {name}: {state}"))?;
        }
        fs::remove_dir_all(&to)?;
        same("a job after it", fleet.salt(&["m1", "test.ping"])?.ok()?.ret("m1")?, true)?;
    }
    Ok(())
}

#[test]
fn highstate_of_stock_on_ours() -> Result {
    highstate(Side::Ours, Side::parse("3006")?)
}

#[test]
fn highstate_of_ours() -> Result {
    highstate(Side::Ours, Side::Ours)
}

#[test]
fn highstate_of_ours_on_stock() -> Result {
    highstate(Side::parse("3006")?, Side::Ours)
}
