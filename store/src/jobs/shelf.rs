//! The job database seen from beside its thread: what runners read, in the master's own process or in `salt-run`'s, and
//! the one thing they write: a run of their own.
//!
//! A connection of its own for each question: SQLite lets any number of processes read while one writes.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use brine_protocol::msgpack::{Dialect, decode, encode, encode_map};
use brine_protocol::{Map, Value};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::StoreError;
use brine_core::CallError;
use brine_core::host::JobStore;

use super::audit::{self, AuditRow};
pub use brine_core::host::KeptJob as Job;

/// A return as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Came {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// For which job.
    pub jid: String,
    /// From whom.
    pub id: String,
    /// The whole load.
    pub load: Map,
}

/// A way to the database of a master's `cachedir`.
#[derive(Clone, Debug)]
pub struct Shelf {
    path: PathBuf,
}

impl Shelf {
    /// The database below `cachedir`. It need not be there yet.
    pub fn at(cachedir: &Path) -> Self {
        Self { path: cachedir.join("job_store").join("returns.sqlite") }
    }

    /// Whether a master of ours has kept jobs here.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    fn open(&self, write: bool) -> Result<Option<Connection>, StoreError> {
        if !self.exists() {
            return Ok(None);
        }
        // Even a reader has to write to the file of shared memory beside the database.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.path, flags)?;
        conn.busy_timeout(Duration::from_secs(5))?;
        conn.pragma_update(None, "query_only", !write)?;
        Ok(Some(conn))
    }

    /// One job, if it is stored.
    ///
    /// # Errors
    /// As the database has it.
    pub fn job(&self, jid: &str) -> Result<Option<Job>, StoreError> {
        let Some(conn) = self.open(false)? else { return Ok(None) };
        let row = conn
            .prepare("SELECT jid, load, minions FROM jobs WHERE jid = ?1")?
            .query_row([jid], row)
            .optional()?;
        Ok(row.map(job))
    }

    /// Every job whose load `wanted` takes, oldest first; of those the newest `most`.
    ///
    /// # Errors
    /// As the database has it.
    pub fn jobs(&self, most: usize, mut wanted: impl FnMut(&Job) -> bool) -> Result<Vec<Job>, StoreError> {
        let Some(conn) = self.open(false)? else { return Ok(Vec::new()) };
        let mut statement = conn.prepare("SELECT jid, load, minions FROM jobs ORDER BY jid DESC")?;
        let mut rows = statement.query([])?;
        let mut jobs = Vec::new();
        while jobs.len() < most
            && let Some(next) = rows.next()?
        {
            let job = job(row(next)?);
            if wanted(&job) {
                jobs.push(job);
            }
        }
        jobs.reverse();
        Ok(jobs)
    }

    /// What the minions returned for a job: id and the whole return load, by id.
    ///
    /// # Errors
    /// As the database has it.
    pub fn returns(&self, jid: &str) -> Result<Vec<(String, Map)>, StoreError> {
        let Some(conn) = self.open(false)? else { return Ok(Vec::new()) };
        let mut statement = conn.prepare("SELECT id, data FROM returns WHERE jid = ?1 ORDER BY id")?;
        let rows = statement.query_map([jid], |r| Ok((r.get::<_, String>(0)?, r.get::<_, Vec<u8>>(1)?)))?;
        let mut returns = Vec::new();
        for row in rows {
            let (id, data) = row?;
            if let Ok(Value::Map(load)) = decode(&data) {
                returns.push((id, load));
            }
        }
        Ok(returns)
    }

    /// The returns that came since a moment (seconds since the epoch), in the order in which they came; of those the newest `most`.
    ///
    /// # Errors
    /// As the database has it.
    pub fn came_since(&self, since: u64, most: usize) -> Result<Vec<Came>, StoreError> {
        let Some(conn) = self.open(false)? else { return Ok(Vec::new()) };
        let mut statement =
            conn.prepare("SELECT received, jid, id, data FROM returns ORDER BY rowid DESC")?;
        let mut rows = statement.query([])?;
        let mut came = Vec::new();
        while came.len() < most
            && let Some(row) = rows.next()?
        {
            let at = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
            if at < since {
                break;
            }
            if let Ok(Value::Map(load)) = decode(&row.get::<_, Vec<u8>>(3)?) {
                came.push(Came { at, jid: row.get(1)?, id: row.get(2)?, load });
            }
        }
        came.reverse();
        Ok(came)
    }

    /// The newest of the record of who asked for what that are wanted and not older than `since` (seconds since the epoch),
    /// newest first, at most `limit`.
    ///
    /// # Errors
    /// As the database has it.
    pub fn audit(
        &self,
        since: u64,
        limit: usize,
        wanted: impl FnMut(&AuditRow) -> bool,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let Some(conn) = self.open(false)? else { return Ok(Vec::new()) };
        Ok(audit::search(&conn, since, limit, wanted)?)
    }

    /// When the last return of a job came, to the second.
    ///
    /// # Errors
    /// As the database has it.
    pub fn ended(&self, jid: &str) -> Result<Option<SystemTime>, StoreError> {
        let Some(conn) = self.open(false)? else { return Ok(None) };
        let mut statement = conn.prepare("SELECT max(received) FROM returns WHERE jid = ?1")?;
        let last: Option<i64> = statement.query_row([jid], |r| r.get(0))?;
        let seconds = last.and_then(|at| u64::try_from(at).ok());
        Ok(seconds.map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at)))
    }

    /// Keeps the return of a runner or wheel function under its own id, as stock does with `runner_returns`: a job for
    /// nobody, whose target is the master itself. Without a database (no master has run here yet) nothing is kept.
    ///
    /// # Errors
    /// As the database has it.
    pub fn keep_run(&self, jid: &str, id: &str, ret: &Map) -> Result<(), StoreError> {
        let mut job = brine_protocol::map! {"id" => id, "tgt" => id, "jid" => jid};
        for key in ["fun", "user"] {
            if let Some(value) = ret.get(key) {
                job.insert(key, value.clone());
            }
        }
        self.keep(jid, id, &job, &brine_protocol::map! {"id" => id, "jid" => jid, "return" => ret.clone()})
    }

    /// Keeps a return, and what is known of its job, which may be nothing.
    fn keep(&self, jid: &str, id: &str, job: &Map, load: &Map) -> Result<(), StoreError> {
        let Some(mut conn) = self.open(true)? else { return Ok(()) };
        let now = i64::try_from(super::now()).unwrap_or(i64::MAX);
        let tx = conn.transaction()?;
        tx.execute(
            "INSERT INTO jobs (jid, created, load, minions) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            params![jid, now, encode_map(job, Dialect::New), encode(&Value::List(Vec::new()), Dialect::New)],
        )?;
        tx.execute(
            "INSERT INTO returns (jid, id, received, data) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (jid, id) DO NOTHING",
            params![jid, id, now, encode_map(load, Dialect::New)],
        )?;
        tx.commit()?;
        Ok(())
    }
}

fn failed(e: StoreError) -> CallError {
    CallError::exception("salt.exceptions.SaltCacheError", e.to_string())
}

impl JobStore for Shelf {
    fn job(&self, jid: &str) -> Result<Option<Job>, CallError> {
        self.job(jid).map_err(failed)
    }

    fn jobs(&self, most: usize, wanted: &mut dyn FnMut(&Map) -> bool) -> Result<Vec<Job>, CallError> {
        self.jobs(most, |job| wanted(&job.load)).map_err(failed)
    }

    fn returns(&self, jid: &str) -> Result<Vec<(String, Map)>, CallError> {
        self.returns(jid).map_err(failed)
    }

    fn ended(&self, jid: &str) -> Result<Option<SystemTime>, CallError> {
        self.ended(jid).map_err(failed)
    }

    fn keep(&self, jid: &str, id: &str, load: &Map) -> Result<(), CallError> {
        self.keep(jid, id, &Map::new(), load).map_err(failed)
    }
}

type Row = (String, Vec<u8>, Vec<u8>);

fn row(r: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?))
}

fn job((jid, load, minions): Row) -> Job {
    let load = match decode(&load) {
        Ok(Value::Map(load)) => load,
        _ => Map::new(),
    };
    let minions = decode(&minions).unwrap_or_default();
    let minions = minions.as_list().unwrap_or_default();
    Job { jid, load, minions: minions.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{Caps, Db, JobRow};
    use brine_protocol::map;

    fn published(jid: &str, fun: &str) -> JobRow {
        JobRow {
            jid: jid.into(),
            load: encode_map(&map! {"fun" => fun}, Dialect::New),
            minions: encode(&vec!["m1"].into(), Dialect::New),
        }
    }

    #[tokio::test]
    async fn the_shelf_reads_beside_the_writer_and_keeps_runs() {
        let tmp = tempfile::tempdir().unwrap();
        let shelf = Shelf::at(tmp.path());
        assert_eq!(shelf.job("1").unwrap(), None);
        assert!(shelf.jobs(9, |_| true).unwrap().is_empty());
        shelf.keep_run("0", "master", &Map::new()).unwrap();
        std::fs::create_dir(tmp.path().join("job_store")).unwrap();
        let caps = Caps { max_age: 0, max_bytes: 1 << 30 };
        let (db, _thread) = Db::open(&tmp.path().join("job_store/returns.sqlite"), caps).unwrap();
        db.put_job(published("1", "test.ping"), 1, true).await.unwrap();
        db.put_job(published("2", "test.echo"), 2, true).await.unwrap();
        let data = encode_map(&map! {"return" => true}, Dialect::New);
        db.put_return("1".into(), "m1".into(), data, 3).await.unwrap();
        assert_eq!(shelf.returns("1").unwrap(), [("m1".to_owned(), map! {"return" => true})]);
        let newest = shelf.jobs(1, |_| true).unwrap();
        assert_eq!(newest[0].load, map! {"fun" => "test.echo"});
        assert_eq!(newest[0].minions, ["m1"]);
        let pings = shelf.jobs(9, |job| job.load.get_str("fun") == Some("test.ping")).unwrap();
        assert_eq!(pings.iter().map(|j| j.jid.as_str()).collect::<Vec<_>>(), ["1"]);
        shelf.keep_run("3", "master", &map! {"fun" => "runner.x", "return" => 5}).unwrap();
        assert_eq!(shelf.returns("3").unwrap()[0].1.get("return").unwrap().get("return"), Some(&5.into()));
        let run = shelf.job("3").unwrap().unwrap();
        assert_eq!(run.load, map! {"id" => "master", "tgt" => "master", "jid" => "3", "fun" => "runner.x"});
        assert!(run.minions.is_empty());
        assert_eq!(shelf.ended("1").unwrap(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(3)));
        assert_eq!(shelf.ended("2").unwrap(), None);
    }
}
