//! The job store's database: one SQLite file, one thread that owns it.
//!
//! All writes go through that thread in the order they were asked for. It takes whatever has gathered in its queue into
//! one transaction, so thousands of returns cost a handful of commits, and it tells each sender only after the commit:
//! a minion forgets a return once we say that we have it. The few facts about keys that must outlive a restart are in it
//! too. Not here: files for stock's tools.

use std::path::Path;
use std::thread;

use rusqlite::{Connection, OptionalExtension};
use tokio::sync::{mpsc, oneshot};

use super::audit::{self, AuditRow};
use super::sql::{connect, damaged};
use super::writer::Writer;

/// Requests that may wait for the thread; further senders wait their turn.
const QUEUE: usize = 4096;

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

/// What is known of a minion's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinionRow {
    /// The minion.
    pub id: String,
    /// Which key: see [`crate::keys::KeyMark`].
    pub key: Vec<u8>,
    /// The highest protocol version it has proved itself with; 0: none yet.
    pub version: u8,
}

pub(super) type Query = Box<dyn FnOnce(&Connection) + Send>;

/// What the thread is asked for.
pub(super) enum Ask {
    Job { row: JobRow, now: u64, published: bool },
    Return { jid: String, id: String, data: Vec<u8>, now: u64, done: oneshot::Sender<Stored> },
    Prune { now: u64, done: oneshot::Sender<Vec<String>> },
    Minion(MinionRow),
    Audit(AuditRow),
    ForgetMinion(String),
    Query(Query),
}

/// A handle to the database thread. Dropping the last one ends the thread after all that was asked is done.
#[derive(Clone, Debug)]
pub struct Db {
    tx: mpsc::Sender<Ask>,
}

/// Ends when the thread has.
#[derive(Debug)]
pub struct DbThread {
    thread: thread::JoinHandle<()>,
    /// The minions that were known when the store was opened.
    pub minions: Vec<MinionRow>,
}

impl DbThread {
    /// Waits until everything asked for is on disk. The handles must have been dropped.
    pub fn join(self) {
        let _ = self.thread.join();
    }
}

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
        let minions = minions(&conn)?;
        let mut writer = Writer::new(conn, caps)?;
        let (tx, rx) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new().name("job-store".into()).spawn(move || writer.run(rx))?;
        Ok((Self { tx }, DbThread { thread, minions }))
    }

    async fn ask(&self, ask: Ask) -> Result<(), StoreError> {
        self.tx.send(ask).await.map_err(|_| StoreError::Closed)
    }

    /// Keeps what is known of a minion's key; when it is not, because the store is closing, the minion is new again
    /// after the restart.
    pub fn put_minion(&self, row: MinionRow) {
        self.post(Ask::Minion(row));
    }

    /// Forgets a minion.
    pub fn forget_minion(&self, id: String) {
        self.post(Ask::ForgetMinion(id));
    }

    /// Asks from where nothing can wait. With a full queue, which is rare, it comes a little later.
    fn post(&self, ask: Ask) {
        if let Err(mpsc::error::TrySendError::Full(ask)) = self.tx.try_send(ask) {
            let tx = self.tx.clone();
            tokio::spawn(async move { drop(tx.send(ask).await) });
        }
    }

    /// Queues a row of the record.
    pub fn record(&self, row: AuditRow) {
        self.post(Ask::Audit(row));
    }

    /// The newest rows of the record, of one user where one is named.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn audit(&self, limit: u32, user: Option<String>) -> Result<Vec<AuditRow>, StoreError> {
        self.query(move |conn| audit::newest(conn, limit, user.as_deref())).await
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

    /// The targets of a job that was published more than once, msgpack of `tgt` and `tgt_type` each.
    ///
    /// # Errors
    /// As the database has it.
    pub async fn targets(&self, jid: String) -> Result<Vec<Vec<u8>>, StoreError> {
        self.query(move |conn| {
            conn.prepare_cached("SELECT target FROM targets WHERE jid = ?1")?
                .query_map([jid], |r| r.get(0))?
                .collect()
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

fn minions(conn: &Connection) -> rusqlite::Result<Vec<MinionRow>> {
    conn.prepare("SELECT id, key, version FROM minions")?
        .query_map([], |r| Ok(MinionRow { id: r.get(0)?, key: r.get(1)?, version: r.get(2)? }))?
        .collect()
}

#[cfg(test)]
#[path = "db_tests.rs"]
mod tests;
