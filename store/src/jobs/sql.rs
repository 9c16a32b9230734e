//! The tables of the job store and what is done with them whole: opening, growing from an older form, pruning.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::db::{Caps, StoreError};

/// The form the tables had first. What came later is added by [`grow`].
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS jobs (
    jid TEXT NOT NULL PRIMARY KEY, created INTEGER NOT NULL, load BLOB NOT NULL, minions BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_age ON jobs (created);
CREATE TABLE IF NOT EXISTS returns (
    jid TEXT NOT NULL, id TEXT NOT NULL, received INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS returns_by_job ON returns (jid, id);
";

/// `jobs.asked`: somebody here published it. `returns.unasked`: the answer to a job that nobody published.
/// `targets`: whom each of several publishes under one id meant. `minions`: the key a session was made for, and the
/// highest protocol version that key has proved itself with.
const SECOND: &str = "
ALTER TABLE jobs ADD COLUMN asked INTEGER NOT NULL DEFAULT 1;
ALTER TABLE returns ADD COLUMN unasked INTEGER NOT NULL DEFAULT 0;
CREATE INDEX returns_unasked ON returns (id, received) WHERE unasked;
CREATE TABLE targets (jid TEXT NOT NULL, target BLOB NOT NULL, PRIMARY KEY (jid, target)) WITHOUT ROWID;
CREATE TABLE minions (id TEXT NOT NULL PRIMARY KEY, key BLOB NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 2;
";

fn grow(conn: &Connection) -> rusqlite::Result<()> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |r| r.get(0))?;
    let tx = conn.unchecked_transaction()?;
    conn.execute_batch(SCHEMA)?;
    if version < 2 {
        conn.execute_batch(SECOND)?;
    }
    if version < 3 {
        conn.execute_batch(super::audit::TABLE)?;
        conn.execute_batch("PRAGMA user_version = 3;")?;
    }
    tx.commit()
}

pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    // SQLite would make the file with the umask's mode; its side files take the mode of this one.
    std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    let conn = Connection::open(path)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    // Pages freed by pruning go back to the system, in small steps.
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // A commit survives a power cut: minions delete their own copy on its word.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "cache_size", -1024)?;
    grow(&conn)?;
    // Pruning goes by jobs, so a return without one would stay for ever.
    conn.execute(
        "INSERT OR IGNORE INTO jobs (jid, created, load, minions)
         SELECT jid, min(received), x'80', x'90' FROM returns GROUP BY jid",
        [],
    )?;
    Ok(conn)
}

pub(super) fn damaged(e: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(e.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

pub(super) fn signed(x: u64) -> i64 {
    i64::try_from(x).unwrap_or(i64::MAX)
}

pub(super) fn prune(conn: &Connection, now: u64, caps: Caps) -> rusqlite::Result<Vec<String>> {
    let mut gone = Vec::new();
    if caps.max_age > 0 {
        let before = signed(now.saturating_sub(caps.max_age));
        loop {
            let step = oldest(conn, before, 500)?;
            if step.is_empty() {
                break;
            }
            delete(conn, &step)?;
            gone.extend(step);
        }
    }
    while used_bytes(conn)? > caps.max_bytes {
        // A hundredth of the jobs at a time: few commits, and little more gone than must be.
        let jobs: i64 = conn.query_row("SELECT count(*) FROM jobs", [], |r| r.get(0))?;
        let step = oldest(conn, i64::MAX, (jobs / 100).max(1))?;
        if step.is_empty() {
            break;
        }
        delete(conn, &step)?;
        gone.extend(step);
    }
    if !gone.is_empty() {
        vacuum(conn)?;
    }
    Ok(gone)
}

/// Gives all free pages back. Each step of the statement frees one page, so it has to be run to its end.
fn vacuum(conn: &Connection) -> rusqlite::Result<()> {
    let mut statement = conn.prepare("PRAGMA incremental_vacuum")?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")
}

fn oldest(conn: &Connection, before: i64, limit: i64) -> rusqlite::Result<Vec<String>> {
    conn.prepare_cached("SELECT jid FROM jobs WHERE created < ?1 ORDER BY created LIMIT ?2")?
        .query_map(params![before, limit], |r| r.get(0))?
        .collect()
}

fn delete(conn: &Connection, jids: &[String]) -> rusqlite::Result<()> {
    let tx = conn.unchecked_transaction()?;
    for jid in jids {
        tx.prepare_cached("DELETE FROM returns WHERE jid = ?1")?.execute([jid])?;
        tx.prepare_cached("DELETE FROM targets WHERE jid = ?1")?.execute([jid])?;
        tx.prepare_cached("DELETE FROM jobs WHERE jid = ?1")?.execute([jid])?;
    }
    tx.commit()
}

fn used_bytes(conn: &Connection) -> rusqlite::Result<u64> {
    let get = |name: &str| conn.pragma_query_value(None, name, |r| r.get::<_, i64>(0));
    let pages = get("page_count")? - get("freelist_count")?;
    Ok(u64::try_from(pages * get("page_size")?).unwrap_or(0))
}
