//! The job store's database: one SQLite file, one thread that owns it.
//!
//! All writes go through that thread in the order they were asked for. It takes whatever has gathered in its queue into
//! one transaction, so thousands of returns cost a handful of commits, and it tells each sender only after the commit:
//! a minion forgets a return once we say that we have it. Not here: files for stock's tools, and what a load means.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait for the thread; further senders wait their turn.
const QUEUE: usize = 4096;
/// Requests taken into one transaction.
const BATCH: usize = 1024;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused.
    #[error("job store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The directory or a file cannot be used.
    #[error("job store: {0}")]
    Io(#[from] std::io::Error),
    /// The thread is gone, which happens only at shutdown.
    #[error("the job store is closed")]
    Closed,
}

/// What became of a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is the first of this minion for this job, and on disk.
    First,
    /// There was one already, which stays.
    Duplicate,
}

/// Limits on what is kept.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Age of a job, in seconds, after which it goes; 0 keeps jobs for ever (`keep_jobs_seconds`).
    pub max_age: u64,
    /// Bytes of the database, after which the oldest jobs go.
    pub max_bytes: u64,
}

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Job id.
    pub jid: String,
    /// The load, msgpack.
    pub load: Vec<u8>,
    /// Ids expected to answer, msgpack list.
    pub minions: Vec<u8>,
}

type Query = Box<dyn FnOnce(&Connection) + Send>;

enum Ask {
    Job { row: JobRow, now: u64, published: bool },
    Return { jid: String, id: String, data: Vec<u8>, now: u64, done: oneshot::Sender<Stored> },
    Prune { now: u64, done: oneshot::Sender<Vec<String>> },
    Query(Query),
}

/// A handle to the database thread. Dropping the last one ends the thread after all that was asked is done.
#[derive(Clone, Debug)]
pub struct Db {
    tx: mpsc::Sender<Ask>,
}

/// Ends when the thread has.
#[derive(Debug)]
pub struct DbThread(thread::JoinHandle<()>);

impl DbThread {
    /// Waits until everything asked for is on disk. The handles must have been dropped.
    pub fn join(self) {
        let _ = self.0.join();
    }
}

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS jobs (
    jid TEXT NOT NULL PRIMARY KEY, created INTEGER NOT NULL, load BLOB NOT NULL, minions BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_age ON jobs (created);
CREATE TABLE IF NOT EXISTS returns (
    jid TEXT NOT NULL, id TEXT NOT NULL, received INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS returns_by_job ON returns (jid, id);
PRAGMA user_version = 1;
";

impl Db {
    /// Opens or makes the database file and starts its thread.
    ///
    /// # Errors
    /// When the file cannot be used. A damaged file is not an error: it is set aside and a new one begun.
    pub fn open(path: &Path, caps: Caps) -> Result<(Self, DbThread), StoreError> {
        let conn = match connect(path) {
            Err(StoreError::Sqlite(e)) if damaged(&e) => {
                let aside = path.with_extension("damaged");
                tracing::error!("{} is damaged ({e}); it is kept as {}", path.display(), aside.display());
                std::fs::rename(path, &aside)?;
                for ext in ["sqlite-wal", "sqlite-shm"] {
                    let _ = std::fs::remove_file(path.with_extension(ext));
                }
                connect(path)?
            }
            other => other?,
        };
        let (tx, rx) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new().name("job-store".into()).spawn(move || run(conn, rx, caps))?;
        Ok((Self { tx }, DbThread(thread)))
    }

    async fn ask(&self, ask: Ask) -> Result<(), StoreError> {
        self.tx.send(ask).await.map_err(|_| StoreError::Closed)
    }

    /// Stores a job. Returns when it is in the queue: a return for it, asked for later, is stored later. One that was
    /// `published` replaces what is known of that id; one that is only inferred from a return does not.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn put_job(&self, row: JobRow, now: u64, published: bool) -> Result<(), StoreError> {
        self.ask(Ask::Job { row, now, published }).await
    }

    /// Stores a return; done when it is committed.
    ///
    /// # Errors
    /// [`StoreError::Closed`], also when the commit failed: the sender must keep the return then.
    pub async fn put_return(
        &self,
        jid: String,
        id: String,
        data: Vec<u8>,
        now: u64,
    ) -> Result<Stored, StoreError> {
        let (done, stored) = oneshot::channel();
        self.ask(Ask::Return { jid, id, data, now, done }).await?;
        stored.await.map_err(|_| StoreError::Closed)
    }

    /// Applies the caps; the ids of the jobs that went.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub async fn prune(&self, now: u64) -> Result<Vec<String>, StoreError> {
        let (done, gone) = oneshot::channel();
        self.ask(Ask::Prune { now, done }).await?;
        gone.await.map_err(|_| StoreError::Closed)
    }

    async fn query<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, result) = oneshot::channel();
        self.ask(Ask::Query(Box::new(move |conn| {
            let _ = done.send(f(conn));
        })))
        .await?;
        Ok(result.await.map_err(|_| StoreError::Closed)??)
    }

    /// A job, if it is stored.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn job(&self, jid: String) -> Result<Option<JobRow>, StoreError> {
        self.query(move |conn| {
            conn.prepare_cached("SELECT jid, load, minions FROM jobs WHERE jid = ?1")?
                .query_row([jid], |r| Ok(JobRow { jid: r.get(0)?, load: r.get(1)?, minions: r.get(2)? }))
                .optional()
        })
        .await
    }

    /// The returns of a job: minion id and the return load, msgpack.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn returns(&self, jid: String) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.query(move |conn| {
            conn.prepare_cached("SELECT id, data FROM returns WHERE jid = ?1 ORDER BY id")?
                .query_map([jid], |r| Ok((r.get(0)?, r.get(1)?)))?
                .collect()
        })
        .await
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
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
    conn.execute_batch(SCHEMA)?;
    // Pruning goes by jobs, so a return without one would stay for ever.
    conn.execute(
        "INSERT OR IGNORE INTO jobs (jid, created, load, minions)
         SELECT jid, min(received), x'80', x'90' FROM returns GROUP BY jid",
        [],
    )?;
    Ok(conn)
}

fn damaged(e: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(e.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

fn run(conn: Connection, mut rx: mpsc::Receiver<Ask>, caps: Caps) {
    let mut batch = Vec::new();
    while let Some(first) = rx.blocking_recv() {
        batch.push(first);
        while batch.len() < BATCH
            && let Ok(next) = rx.try_recv()
        {
            batch.push(next);
        }
        serve(&conn, &mut batch, caps);
    }
}

/// Does a batch: runs of writes in one transaction each, everything else in its place between them.
fn serve(conn: &Connection, batch: &mut Vec<Ask>, caps: Caps) {
    let mut writes = Vec::new();
    for ask in batch.drain(..) {
        match ask {
            Ask::Job { .. } | Ask::Return { .. } => writes.push(ask),
            Ask::Prune { now, done } => {
                write(conn, &mut writes);
                let gone = prune(conn, now, caps).unwrap_or_else(|e| {
                    tracing::error!("job store: pruning failed: {e}");
                    Vec::new()
                });
                let _ = done.send(gone);
            }
            Ask::Query(f) => {
                write(conn, &mut writes);
                f(conn);
            }
        }
    }
    write(conn, &mut writes);
}

fn write(conn: &Connection, writes: &mut Vec<Ask>) {
    if writes.is_empty() {
        return;
    }
    let count = writes.len();
    match transaction(conn, writes) {
        Ok(dones) => {
            for (done, stored) in dones {
                let _ = done.send(stored);
            }
        }
        // The senders see their channels close and answer nothing; minions keep the returns and try again.
        Err(e) => tracing::error!("job store: a batch of {count} was not stored: {e}"),
    }
    writes.clear();
}

type Dones = Vec<(oneshot::Sender<Stored>, Stored)>;

fn transaction(conn: &Connection, writes: &mut Vec<Ask>) -> rusqlite::Result<Dones> {
    let tx = conn.unchecked_transaction()?;
    let mut dones = Vec::new();
    {
        let mut job = tx.prepare_cached(
            "INSERT INTO jobs (jid, created, load, minions) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (jid) DO UPDATE
             SET load = excluded.load, minions = excluded.minions WHERE ?5",
        )?;
        // A return may outlive its job in the queue or arrive for one that was pruned: an empty job stands in.
        let mut stand_in = tx.prepare_cached(
            "INSERT INTO jobs (jid, created, load, minions) VALUES (?1, ?2, x'80', x'90') ON CONFLICT DO NOTHING",
        )?;
        let mut ret = tx.prepare_cached(
            "INSERT INTO returns (jid, id, received, data) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (jid, id) DO NOTHING",
        )?;
        for ask in writes.drain(..) {
            match ask {
                Ask::Job { row, now, published } => {
                    job.execute(params![row.jid, signed(now), row.load, row.minions, published])?;
                }
                Ask::Return { jid, id, data, now, done } => {
                    stand_in.execute(params![jid, signed(now)])?;
                    let new = ret.execute(params![jid, id, signed(now), data])?;
                    dones.push((done, if new == 1 { Stored::First } else { Stored::Duplicate }));
                }
                Ask::Prune { .. } | Ask::Query(_) => {}
            }
        }
    }
    tx.commit()?;
    Ok(dones)
}

fn signed(x: u64) -> i64 {
    i64::try_from(x).unwrap_or(i64::MAX)
}

fn prune(conn: &Connection, now: u64, caps: Caps) -> rusqlite::Result<Vec<String>> {
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
        tx.prepare_cached("DELETE FROM jobs WHERE jid = ?1")?.execute([jid])?;
    }
    tx.commit()
}

fn used_bytes(conn: &Connection) -> rusqlite::Result<u64> {
    let get = |name: &str| conn.pragma_query_value(None, name, |r| r.get::<_, i64>(0));
    let pages = get("page_count")? - get("freelist_count")?;
    Ok(u64::try_from(pages * get("page_size")?).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    async fn a_damaged_file_is_set_aside() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("s.sqlite");
        std::fs::write(&path, vec![b'x'; 8192]).unwrap();
        let (db, _thread) = Db::open(&path, CAPS).unwrap();
        db.put_job(row("j"), 1, false).await.unwrap();
        assert!(db.job("j".into()).await.unwrap().is_some());
        assert!(path.with_extension("damaged").exists());
    }
}
