//! The database alone: what stays, what goes, and in which order.

use super::*;
use rusqlite::Connection;

const CAPS: Caps = Caps { max_age: 100, max_bytes: 1 << 30 };

fn row(jid: &str) -> JobRow {
    JobRow { jid: jid.into(), load: b"load".to_vec(), minions: b"\x90".to_vec() }
}

#[tokio::test]
async fn the_first_return_stays_and_survives_a_restart() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("s.sqlite");
    let (db, thread) = Db::open(&path, CAPS).unwrap();
    db.put_job(row("j1"), 10, true).await.unwrap();
    let put = |data: &str| db.put_return("j1".into(), "m1".into(), data.into(), 11);
    assert_eq!(put("one").await.unwrap(), Stored::First);
    assert_eq!(put("two").await.unwrap(), Stored::Duplicate);
    let other = JobRow { load: b"other".to_vec(), ..row("j1") };
    db.put_job(other.clone(), 12, false).await.unwrap();
    assert_eq!(db.job("j1".into()).await.unwrap(), Some(row("j1")));
    db.put_job(other, 12, true).await.unwrap();
    db.put_job(row("j1"), 12, true).await.unwrap();
    drop(db);
    thread.join();
    let (db, thread) = Db::open(&path, CAPS).unwrap();
    assert_eq!(db.job("j1".into()).await.unwrap(), Some(row("j1")));
    assert_eq!(db.job("j2".into()).await.unwrap(), None);
    assert_eq!(db.returns("j1".into()).await.unwrap(), [("m1".to_owned(), b"one".to_vec())]);
    drop(db);
    thread.join();
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn age_and_size_are_capped_oldest_first() {
    let tmp = tempfile::tempdir().unwrap();
    let caps = Caps { max_age: 100, max_bytes: 600 << 10 };
    let (db, _thread) = Db::open(&tmp.path().join("s.sqlite"), caps).unwrap();
    for n in 0..10u64 {
        db.put_job(row(&format!("j{n}")), n * 20, true).await.unwrap();
        db.put_return(format!("j{n}"), "m".into(), vec![0; 100 << 10], n * 20).await.unwrap();
    }
    let gone = db.prune(180).await.unwrap();
    assert_eq!(gone[..4], ["j0", "j1", "j2", "j3"].map(String::from), "older than 100");
    assert!(gone.len() < 10);
    assert!(db.returns("j9".into()).await.unwrap().len() == 1);
    assert!(db.returns("j0".into()).await.unwrap().is_empty());
    let free = db.query(|conn| conn.pragma_query_value(None, "freelist_count", |r| r.get::<_, i64>(0)));
    assert_eq!(free.await.unwrap(), 0, "what was freed has gone back to the system");
    assert!(db.prune(181).await.unwrap().is_empty());
    assert_eq!(db.prune(1000).await.unwrap().len(), 10 - gone.len());
}

#[tokio::test]
async fn returns_without_a_job_are_pruned_and_take_no_others_along() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("s.sqlite");
    let (db, thread) = Db::open(&path, CAPS).unwrap();
    db.put_return("j1".into(), "m".into(), vec![0; 10], 10).await.unwrap();
    assert_eq!(db.job("j1".into()).await.unwrap().unwrap().load, b"\x80");
    // As earlier versions left them.
    db.put_return("j0".into(), "m".into(), vec![0; 10], 5).await.unwrap();
    db.query(|conn| conn.execute("DELETE FROM jobs WHERE jid = 'j0'", [])).await.unwrap();
    drop(db);
    thread.join();
    let (db, _thread) = Db::open(&path, CAPS).unwrap();
    db.put_job(row("j2"), 100, true).await.unwrap();
    assert_eq!(db.prune(150).await.unwrap(), ["j0", "j1"]);
    assert!(db.returns("j0".into()).await.unwrap().is_empty());
    assert!(db.job("j2".into()).await.unwrap().is_some());
}

#[tokio::test]
async fn each_publish_under_one_id_leaves_its_target() {
    let tmp = tempfile::tempdir().unwrap();
    let (db, _thread) = Db::open(&tmp.path().join("s.sqlite"), CAPS).unwrap();
    let load = |n: usize| {
        let load =
            brine_protocol::map! {"tgt" => vec![format!("m{n}")], "tgt_type" => "list", "arg" => "long"};
        brine_protocol::msgpack::encode_map(&load, brine_protocol::msgpack::Dialect::New)
    };
    for n in [1, 2, 3, 2] {
        db.put_job(JobRow { load: load(n), ..row("j") }, 1, true).await.unwrap();
    }
    assert_eq!(db.targets("j".into()).await.unwrap().len(), 3);
    db.put_job(JobRow { load: load(1), ..row("one") }, 1, true).await.unwrap();
    assert!(db.targets("one".into()).await.unwrap().is_empty(), "one publish needs nothing beside it");
    db.prune(1000).await.unwrap();
    assert!(db.targets("j".into()).await.unwrap().is_empty());
}

#[tokio::test]
async fn one_minion_fills_its_share_and_takes_nothing_from_others() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("s.sqlite");
    let caps = Caps { max_age: 0, max_bytes: 8 << 20 };
    let (db, thread) = Db::open(&path, caps).unwrap();
    db.put_job(row("asked"), 1, true).await.unwrap();
    db.put_return("asked".into(), "greedy".into(), vec![0; 500 << 10], 1).await.unwrap();
    db.put_job(row("other"), 1, false).await.unwrap();
    db.put_return("other".into(), "modest".into(), vec![0; 500 << 10], 1).await.unwrap();
    for n in 0..30 {
        let jid = format!("own{n}");
        db.put_job(row(&jid), 2, false).await.unwrap();
        let stored = db.put_return(jid, "greedy".into(), vec![0; 100 << 10], 2).await.unwrap();
        assert_eq!(stored, Stored::First);
    }
    let mut kept = 0;
    for n in 0..30 {
        kept += db.returns(format!("own{n}")).await.unwrap().len();
    }
    assert_eq!(kept, 10, "an eighth of 8 MiB");
    assert!(
        db.job("own0".into()).await.unwrap().is_none() && db.job("own29".into()).await.unwrap().is_some()
    );
    for jid in ["asked", "other"] {
        assert_eq!(db.returns(jid.into()).await.unwrap().len(), 1, "{jid}");
    }
    assert_eq!(db.prune(3).await.unwrap().len(), 20, "their files go too");
    // What is there is counted again after a restart.
    drop(db);
    thread.join();
    let (db, _thread) = Db::open(&path, caps).unwrap();
    db.put_job(row("last"), 4, false).await.unwrap();
    db.put_return("last".into(), "greedy".into(), vec![0; 100 << 10], 4).await.unwrap();
    assert!(db.returns("own20".into()).await.unwrap().is_empty());
    // Even one that is larger than the share is kept, alone.
    db.put_job(row("huge"), 5, false).await.unwrap();
    db.put_return("huge".into(), "greedy".into(), vec![0; 2 << 20], 5).await.unwrap();
    assert!(db.returns("last".into()).await.unwrap().is_empty());
    assert_eq!(db.returns("huge".into()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_store_of_the_first_form_grows() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("s.sqlite");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "CREATE TABLE jobs (jid TEXT NOT NULL PRIMARY KEY, created INTEGER NOT NULL, load BLOB NOT NULL, minions BLOB NOT NULL);
         CREATE TABLE returns (jid TEXT NOT NULL, id TEXT NOT NULL, received INTEGER NOT NULL, data BLOB NOT NULL);
         INSERT INTO jobs VALUES ('j', 1, x'80', x'90'); INSERT INTO returns VALUES ('j', 'm', 1, x'01');
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(conn);
    for _ in 0..2 {
        let (db, thread) = Db::open(&path, CAPS).unwrap();
        assert_eq!(db.returns("j".into()).await.unwrap(), [("m".to_owned(), vec![1])]);
        let known = MinionRow { id: "m".into(), key: vec![1, 2], version: 3 };
        db.put_minion(known.clone());
        db.forget_minion("n".into());
        drop(db);
        thread.join();
        let (_, thread) = Db::open(&path, CAPS).unwrap();
        assert_eq!(thread.minions, [known]);
    }
}

#[tokio::test]
async fn a_damaged_file_is_set_aside() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("s.sqlite");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    let (db, _thread) = Db::open(&path, CAPS).unwrap();
    db.put_job(row("j"), 1, false).await.unwrap();
    assert!(db.job("j".into()).await.unwrap().is_some());
    assert!(path.with_extension("damaged").exists());
}
