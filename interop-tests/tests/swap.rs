//! A live fleet changes sides without a new key: the daemon of one side is stopped, the other's is
//! started on the same configuration, pki directory and caches; and back again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::{Failure, Fleet, Result, Side, user};

/// How soon both minions must answer after a change, measured from the master's start.
const LIMIT: Duration = Duration::from_secs(15);
/// Stock minions wait up to 10 s before they connect again, and up to 10 s more before they sign in.
const STOCK_LIMIT: Duration = Duration::from_secs(60);

/// The content of every key file below the pki directory, links followed.
fn keys(dir: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            keys(&path, into);
        } else if let Ok(bytes) = fs::read(&path) {
            into.insert(path.display().to_string(), bytes);
        }
    }
}

fn accepted(fleet: &Fleet) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    keys(&fleet.path("pki/master/minions"), &mut all);
    keys(&fleet.path("pki/master/minions_pre"), &mut all);
    for file in ["master.pem", "master.pub"] {
        all.insert(file.into(), fs::read(fleet.path("pki/master").join(file)).unwrap_or_default());
    }
    all
}

fn master_becomes(fleet: &mut Fleet, side: Side, limit: Duration) -> Result {
    let before = accepted(fleet);
    fleet.stop_master()?;
    fleet.master = side;
    let start = Instant::now();
    fleet.start_master()?;
    for id in ["m1", "m2"] {
        fleet.wait_ping(id, limit.saturating_sub(start.elapsed()))?;
        eprintln!("     master is now {side}: {id} answers after {:.1} s", start.elapsed().as_secs_f32());
    }
    same("keys", accepted(fleet), before)
}

/// The master's swap with stock's default waits on the minions.
fn swap_master(stock: &str, account: &str) -> Result {
    let stock = Side::parse(stock)?;
    let mut fleet = Fleet::new(stock, stock)?;
    // The minions stay root's: it is the master that drops its privileges.
    fleet.settings.user = account.into();
    fleet.settings.hasty = false;
    // A ping that finds nobody ends soon, and the next one is nearer to the moment of the first answer.
    fleet.settings.master_lines.push("gather_job_timeout: 2".into());
    let mut fleet = fleet.start_accepted()?;
    let outcome = master_becomes(&mut fleet, Side::Ours, LIMIT)
        .and_then(|()| kept_to(&mut fleet, account))
        .and_then(|()| {
            hold(fleet.salt(&["*", "test.ping"])?.code == 0, || "a job after the swap fails".into())
        })
        .and_then(|()| master_becomes(&mut fleet, stock, STOCK_LIMIT));
    outcome.map_err(|e| Failure(format!("{e}\n{}", fleet.logs())))
}

/// The master has become `account` with no way back, what it keeps belongs to that account, and nobody else reads what
/// is secret.
fn kept_to(fleet: &mut Fleet, account: &str) -> Result {
    let entry = nix::unistd::User::from_name(account).ok().flatten().ok_or("no such account")?;
    let (uid, gid) = (entry.uid.as_raw(), entry.gid.as_raw());
    let status = fs::read_to_string(format!("/proc/{}/status", fleet.master_daemon()?.pid()))?;
    for (name, id) in [("Uid:", uid), ("Gid:", gid)] {
        let ids = status.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default();
        same(name, ids.split_whitespace().collect::<Vec<_>>(), vec![id.to_string(); 4])?;
    }
    let mode = |path: &Path| fs::metadata(path).map(|m| m.permissions().mode() & 0o7777);
    same("mode of the pki directory", mode(&fleet.path("pki/master"))?, 0o700)?;
    let mut files = Vec::new();
    for dir in ["pki/master", "cache/master/sessions", "cache/master/job_store", "cache/master/minions"] {
        below(&fleet.path(dir), &mut files);
    }
    hold(files.len() > 5, || format!("too few files to look at: {files:?}"))?;
    files.push(fleet.path("cache/master").join(format!(".{account}_key")));
    for path in files {
        let meta = fs::symlink_metadata(&path)?;
        hold(meta.uid() == uid, || format!("{} belongs to {}", path.display(), meta.uid()))?;
        let secret =
            !path.starts_with(fleet.path("pki/master")) || path.extension().is_some_and(|e| e == "pem");
        let open = mode(&path)? & 0o077 != 0;
        hold(!secret || !open, || format!("{} is open to others", path.display()))?;
    }
    Ok(())
}

/// Every file below `dir`.
fn below(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            below(&entry.path(), into);
        } else {
            into.push(entry.path());
        }
    }
}

/// The minion's swap.
fn swap_minion(stock: &str) -> Result {
    let stock = Side::parse(stock)?;
    let mut fleet = Fleet::new(stock, stock)?.start_accepted()?;
    let before = accepted(&fleet);
    for side in [Side::Ours, stock] {
        fleet.stop_minion("m1")?;
        fleet.start_minion_as(side, "m1", "m1", &[])?;
        let took =
            fleet.wait_ping("m1", LIMIT).map_err(|e| Failure(format!("{side}: {e}\n{}", fleet.logs())))?;
        eprintln!("     minion is now {side}: answers after {:.1} s", took.as_secs_f32());
        same("keys", accepted(&fleet), before.clone())?;
    }
    Ok(())
}

#[test]
fn master_3006_as_root() -> Result {
    swap_master("3006", "root")
}

#[test]
fn master_3007_as_root() -> Result {
    swap_master("3007", "root")
}

#[test]
fn master_3008_as_root() -> Result {
    swap_master("3008", "root")
}

#[test]
fn master_3006_as_an_account() -> Result {
    let _account = user::Account::create()?;
    swap_master("3006", user::NAME)
}

/// The harness itself: the same swap between two runs of stock.
#[test]
fn master_3006_with_itself() -> Result {
    let stock = Side::parse("3006")?;
    let mut fleet = Fleet::new(stock, stock)?;
    fleet.settings.hasty = false;
    let mut fleet = fleet.start_accepted()?;
    master_becomes(&mut fleet, stock, STOCK_LIMIT)
}

#[test]
fn minion_3006() -> Result {
    swap_minion("3006")
}

#[test]
fn minion_3007() -> Result {
    swap_minion("3007")
}

#[test]
fn minion_3008() -> Result {
    swap_minion("3008")
}
