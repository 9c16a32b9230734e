//! A large file on its way to our minion while the link is cut or the master dies: what has come is not fetched again, what is put
//! in place is whole, and a file that does not come leaves the old one as it was.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use brine_interop_tests::bus::Bus;
use brine_interop_tests::cases::jobs;
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::netns::{Cable, MASTER, inside, sys};
use brine_interop_tests::wait::{let_pass, until};
use brine_interop_tests::{Failure, Fleet, Result, Side};
use serde_json::Value;

/// Long enough to be cut in the middle at [`RATE`].
const SIZE: usize = 64 << 20;
const RATE: &str = "130mbit";
/// How much has come when it is cut.
const CUT_AT: u64 = 16 << 20;
/// What more than the rest of a file may come after a cut: what was under way, the ends of packets, other talk.
const SLACK: u64 = 8 << 20;
/// Longer than it takes the minion to see that a path is dead.
const AWAY: Duration = Duration::from_secs(9);
const SOON: Duration = Duration::from_secs(60);

struct Ground {
    cable: Cable,
    fleet: Fleet,
    contents: Vec<u8>,
}

impl Ground {
    fn lay(master: Side) -> Result<Ground> {
        let cable = Cable::lay()?;
        let limit = [
            "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", RATE, "burst", "256kb", "latency",
            "200ms",
        ];
        inside(&cable.master, &limit)?;
        let mut fleet = Fleet::new(master, Side::Ours)?;
        fleet.settings.address = MASTER.into();
        fleet.master_netns = Some(cable.master.clone());
        fleet.minion_netns = Some(cable.minion.clone());
        let srv = fleet.path("srv");
        fs::create_dir_all(&srv)?;
        let contents: Vec<u8> =
            (0..SIZE as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        fs::write(srv.join("large"), &contents)?;
        fleet.settings.master_lines =
            vec!["auto_accept: true".into(), format!("file_roots: {{base: [{}]}}", srv.display())];
        fleet.start_master()?;
        Ok(Ground { cable, fleet, contents })
    }

    /// Bytes that have reached the minion's end.
    fn received(&self) -> Result<u64> {
        let text = sys(&["ip", "-n", &self.cable.minion, "-s", "-j", "link", "show", "eth0"])?;
        let shown: Value = serde_json::from_str(&text)?;
        shown[0]["stats64"]["rx"]["bytes"].as_u64().ok_or_else(|| Failure(format!("no count in {text}")))
    }

    /// The part of the file that is there, with its length.
    fn part(&self) -> Option<(PathBuf, u64)> {
        let parts = fs::read_dir(self.fleet.path("m1/cache/file_parts")).ok()?;
        let known = parts.flatten().map(|entry| entry.path());
        known
            .filter_map(|path| Some((path.clone(), fs::metadata(path).ok()?.len())))
            .max_by_key(|(_, len)| *len)
    }

    /// Starts a job that fetches the file to `to`, and returns when a part of it is there.
    fn begin(&self, to: &str) -> Result<String> {
        let to = self.fleet.path(to).display().to_string();
        let jid = jobs::start(&self.fleet, &["m1", "cp.get_file", "salt://large", &to])?;
        until("a part of the file", SOON, || Ok(self.part().filter(|(_, len)| *len >= CUT_AT)))?;
        Ok(jid)
    }

    /// What a job returned.
    fn returned(&self, bus: &Bus, jid: &str) -> Result<Value> {
        let tag = format!("salt/job/{jid}/ret/m1");
        let event = bus.wait("the return", Duration::from_secs(90), |e| e.tag == tag);
        let event = event.map_err(|e| Failure(format!("{e}\n{}", self.fleet.logs())))?;
        Ok(event.data)
    }

    /// The file came whole, and of it no more after `before` bytes than was missing.
    fn is_whole(&self, to: &str, got: &Value, had: u64, before: u64) -> Result {
        same("the return", &got["return"], &Value::from(self.fleet.path(to).display().to_string()))?;
        hold(fs::read(self.fleet.path(to))? == self.contents, || format!("{to} is not what the master has"))?;
        let came = self.received()? - before;
        let missing = SIZE as u64 - had;
        eprintln!("     {had} bytes were there, {came} came for the other {missing}");
        hold(came < missing + SLACK, || format!("{came} bytes came after {had} of {SIZE} were there"))?;
        hold(self.part().is_none(), || format!("{:?} is left", self.part()))
    }
}

/// A link that is cut while the file comes, and a master that is killed: the same job goes on where it was.
fn goes_on(master: Side) -> Result {
    let mut ground = Ground::lay(master)?;
    ground.fleet.start_minion("m1", "m1", &[])?;
    ground.fleet.wait_ping("m1", SOON)?;

    let bus = Bus::listen(&ground.fleet)?;
    let jid = ground.begin("cut")?;
    ground.cable.drop_packets()?;
    let_pass(AWAY);
    let (had, before) = (ground.part().map_or(0, |(_, len)| len), ground.received()?);
    hold(!ground.fleet.path("cut").exists(), || "a file is in place before it is whole".into())?;
    ground.cable.pass_packets()?;
    let got = ground.returned(&bus, &jid)?;
    ground.is_whole("cut", &got, had, before)?;

    fs::write(ground.fleet.path("dead"), "the old one")?;
    let jid = ground.begin("dead")?;
    ground.fleet.master_daemon()?.kill()?;
    ground.fleet.stop_master()?;
    drop(bus);
    let (had, before) = (ground.part().map_or(0, |(_, len)| len), ground.received()?);
    same("the file that was there", fs::read_to_string(ground.fleet.path("dead"))?.as_str(), "the old one")?;
    ground.fleet.start_master()?;
    let bus = Bus::listen(&ground.fleet)?;
    let got = ground.returned(&bus, &jid)?;
    ground.is_whole("dead", &got, had, before)
}

/// A link that stays away too long: the job says so, what was there is whole, and the next one goes on with what has come; also
/// where that is damaged.
fn comes_back(master: Side) -> Result {
    let mut ground = Ground::lay(master)?;
    let hasty = ["request_channel_timeout: 2".to_owned(), "request_channel_tries: 2".to_owned()];
    ground.fleet.start_minion("m1", "m1", &hasty)?;
    ground.fleet.wait_ping("m1", SOON)?;
    let bus = Bus::listen(&ground.fleet)?;
    for damaged in [false, true] {
        fs::write(ground.fleet.path("to"), "the old one")?;
        let jid = ground.begin("to")?;
        ground.cable.drop_packets()?;
        let_pass(AWAY);
        ground.cable.pass_packets()?;
        let got = ground.returned(&bus, &jid)?;
        let said = got["return"].as_str().unwrap_or_default();
        hold(said.starts_with("ERROR executing 'cp.get_file': "), || format!("it returned {got}"))?;
        same("its success", &got["success"], &Value::Bool(false))?;
        same(
            "the file that was there",
            fs::read_to_string(ground.fleet.path("to"))?.as_str(),
            "the old one",
        )?;
        let (part, had) = ground.part().ok_or("no part was kept")?;
        hold(had >= CUT_AT, || format!("only {had} bytes were kept"))?;
        let before = ground.received()?;
        if damaged {
            OpenOptions::new().write(true).open(&part)?.write_all_at(b"damage", 1 << 20)?;
        }
        let to = ground.fleet.path("to").display().to_string();
        let ran = ground.fleet.salt(&["-t", "90", "m1", "cp.get_file", "salt://large", &to])?.ok()?;
        let got = serde_json::json!({"return": ran.ret("m1")?});
        // Of a damaged one nothing is of use.
        ground.is_whole("to", &got, had, if damaged { before + SIZE as u64 } else { before })?;
    }
    Ok(())
}

#[test]
fn goes_on_with_ours() -> Result {
    goes_on(Side::Ours)
}

#[test]
fn goes_on_with_stock() -> Result {
    goes_on(Side::parse("3006")?)
}

#[test]
fn comes_back_with_ours() -> Result {
    comes_back(Side::Ours)
}

#[test]
fn comes_back_with_stock() -> Result {
    comes_back(Side::parse("3006")?)
}
