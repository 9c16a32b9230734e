//! Returns are not lost: masters that do not answer, and minions that are killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use brine_minion::spool::Spool;
use brine_protocol::Value;
use brine_protocol::command::MinionCommand;
use common::{FakeMaster, MinionProcess, eventually};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

fn start(master: &FakeMaster, dir: &tempfile::TempDir) -> MinionProcess {
    MinionProcess::start(dir.path(), &format!("127.0.0.1:{}", master.port), "")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_waits_for_its_master_through_a_kill() {
    let (mut master, dir) = (FakeMaster::start().await, tempfile::tempdir().unwrap());
    let mut minion = start(&master, &dir);
    master.listened_to().await;
    let jid = master.publish(&master.job("test.sleep", vec![Value::Int(5)]));
    let proc = dir.path().join("var/cache/salt/minion/proc").join(&jid);
    eventually("the job runs", || proc.exists().then_some(())).await;
    master.close().await;
    eventually("the return is in the spool", || (minion.spooled() == 1).then_some(())).await;
    minion.kill();
    master.open().await;
    minion.launch();
    assert_eq!(master.returned(&jid).await.get("return"), Some(&Value::Bool(true)));
    eventually("the spool is empty", || (minion.spooled() == 0).then_some(())).await;
    assert_eq!(master.returns(&jid).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_minion_is_killed_or_stopped_returns_that() {
    let (master, dir) = (FakeMaster::start().await, tempfile::tempdir().unwrap());
    let mut minion = start(&master, &dir);
    for (killed, said) in [
        (true, "the minion was killed, or its machine went down. Some of it may be done"),
        (false, "the minion was stopped"),
    ] {
        master.listened_to().await;
        let jid = master.publish(&master.job("test.sleep", vec![Value::Int(60)]));
        let proc = dir.path().join("var/cache/salt/minion/proc").join(&jid);
        eventually("the job runs", || proc.exists().then_some(())).await;
        if killed {
            minion.kill();
        } else {
            minion.signal(nix::sys::signal::Signal::SIGTERM);
            eventually("the minion's end", || minion.ended()).await;
        }
        minion.launch();
        let ret = master.returned(&jid).await;
        assert_eq!(ret.get_str("return"), Some(&*format!("ERROR: The job did not run to its end: {said}")));
        assert_eq!(
            (ret.get("retcode"), ret.get("success")),
            (Some(&Value::Int(1)), Some(&Value::Bool(false)))
        );
        eventually("the spool is empty", || (minion.spooled() == 0).then_some(())).await;
        assert!(!proc.exists());
        assert_eq!(master.returns(&jid).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_without_answer_is_sent_again() {
    let (master, dir) = (FakeMaster::start().await, tempfile::tempdir().unwrap());
    let minion = start(&master, &dir);
    master.listened_to().await;
    master.memory.lock().unwrap().deaf_to = Some(MinionCommand::Return);
    let jid = master.publish(&master.job("test.ping", vec![]));
    master.returned(&jid).await;
    assert_eq!(minion.spooled(), 1, "no answer, so the master may not have it");
    master.memory.lock().unwrap().deaf_to = None;
    eventually("the spool is empty", || (minion.spooled() == 0).then_some(())).await;
    assert!(master.returns(&jid).len() >= 2);
}

/// The job ids of the returns that a dead minion has in its spool: what it owes.
fn owed(dir: &Path) -> Vec<String> {
    let key = dir.join("etc/salt/pki/minion/minion_spool.key");
    let spool = Spool::open(&dir.join("var/cache/salt/minion/spool"), &key, u64::MAX).unwrap();
    let jid = |seq| spool.get(seq).unwrap().load.get_str("jid").unwrap().to_owned();
    spool.pending().into_iter().map(jid).collect()
}

/// Kills a minion at many points of its work, and looks after each kill what it owes. In the end the master must have
/// every return that ever was in the spool.
async fn kill_at_random(rounds: usize) {
    let (master, dir) = (FakeMaster::start().await, tempfile::tempdir().unwrap());
    let mut minion = start(&master, &dir);
    let mut promised = HashSet::new();
    for round in 0..rounds {
        master.listened_to().await;
        // Every third round the master answers no return, so that they pile up.
        master.memory.lock().unwrap().deaf_to = (round % 3 == 2).then_some(MinionCommand::Return);
        for _ in 0..4 {
            master.publish(&master.job("test.ping", vec![]));
        }
        // Spread over the time that four jobs take.
        tokio::time::sleep(Duration::from_micros(round as u64 * 7919 % 30_000)).await;
        minion.kill();
        promised.extend(owed(dir.path()));
        minion.launch();
    }
    master.memory.lock().unwrap().deaf_to = None;
    eventually("the spool is empty", || (minion.spooled() == 0).then_some(())).await;
    assert!(!promised.is_empty(), "no kill came while a return was in the spool");
    let lost: Vec<_> = promised.iter().filter(|jid| master.returns(jid).is_empty()).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), promised.len());
    eprintln!("{rounds} kills, {} returns owed at one of them, 0 lost", promised.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_a_minion_is_killed() {
    kill_at_random(20).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes"]
async fn nothing_is_lost_when_a_minion_is_killed_200_times() {
    kill_at_random(200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_goes_to_the_master_that_asked() {
    let (mut a, b) = (FakeMaster::start().await, FakeMaster::start().await);
    let dir = tempfile::tempdir().unwrap();
    let list = format!("[\"127.0.0.1:{}\", \"127.0.0.1:{}\"]", a.port, b.port);
    let mut minion = MinionProcess::start(dir.path(), &list, "");
    a.listened_to().await;
    b.listened_to().await;
    let jid = a.publish(&a.job("test.sleep", vec![Value::Int(5)]));
    let proc = dir.path().join("var/cache/salt/minion/proc").join(&jid);
    eventually("the job runs", || proc.exists().then_some(())).await;
    a.close().await;
    eventually("the return is in the spool", || (minion.spooled() == 1).then_some(())).await;
    minion.kill();
    minion.launch();
    b.listened_to().await;
    // The other master is there and must not be given what it did not ask for.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(b.loads("_return").is_empty());
    a.open().await;
    a.returned(&jid).await;
}
