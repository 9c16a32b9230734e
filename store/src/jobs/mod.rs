//! Jobs and their returns: what was asked, who answered, and for how long that is kept.
//!
//! Three parts: the database that keeps everything ([`Db`]), the files that stock's tools read ([`JobFiles`]), and a
//! small memory of recent jobs that says who may answer ([`RecentJobs`]). Not here: sending jobs out, and events.

mod audit;
mod db;
mod expect;
mod files;
mod shares;
mod shelf;
mod sql;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brine_protocol::crypt::HashType;
use brine_protocol::ids::{Jid, MinionId};
use brine_protocol::msgpack::{Dialect, decode, encode, encode_map};
use brine_protocol::{Map, Value};
use parking_lot::Mutex;

pub use audit::{AuditRow, Outcome};
pub use db::{Caps, Db, DbThread, JobRow, MinionRow, StoreError, Stored};
pub use expect::{Expect, Recent, RecentJobs};
pub use files::JobFiles;
pub use shelf::{Came, Job, Shelf};

/// How jobs are kept.
#[derive(Clone, Debug)]
pub struct JobsConfig {
    /// `cachedir`
    pub cachedir: PathBuf,
    /// `hash_type`, for the names of directories.
    pub hash: HashType,
    /// Whether returns are kept at all (`job_cache`).
    pub keep_returns: bool,
    /// Whether returns are also written as files (`job_cache_files`).
    pub return_files: bool,
    /// Age and size caps.
    pub caps: Caps,
}

/// Whether a minion may answer a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may, and the answer is kept.
    Keep,
    /// It may, but the job asked not to keep answers.
    Pass,
    /// The job was for others.
    Refuse,
}

/// The job store.
#[derive(Clone, Debug)]
pub struct Jobs {
    db: Db,
    files: JobFiles,
    recent: Arc<Mutex<RecentJobs>>,
    stored: Arc<tokio::sync::watch::Sender<()>>,
    config: Arc<JobsConfig>,
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

impl Jobs {
    /// Opens the store below `cachedir`.
    ///
    /// # Errors
    /// When the directory or the database cannot be used.
    pub fn open(config: JobsConfig) -> Result<(Self, DbThread), StoreError> {
        let dir = crate::fs::Dir::at(config.cachedir.join("job_store"));
        dir.ensure_exactly(0o700)?;
        let (db, thread) = Db::open(&dir.path().join("returns.sqlite"), config.caps)?;
        let files = JobFiles::at(config.cachedir.join("jobs"), config.hash);
        let jobs =
            Self { db, files, recent: Arc::default(), stored: Arc::default(), config: Arc::new(config) };
        Ok((jobs, thread))
    }

    /// Keeps a job that is about to be published. When this returns, its files are there.
    ///
    /// # Errors
    /// When the files cannot be written or the store is closed.
    pub async fn begin(
        &self,
        jid: &Jid,
        load: &Map,
        minions: &[String],
        nocache: bool,
    ) -> Result<(), StoreError> {
        self.recent.lock().put(jid.as_str(), Recent { expect: Expect::of(load), nocache });
        self.files.write_job(jid, load, minions, nocache)?;
        self.put(jid, load, minions, true).await
    }

    async fn put(
        &self,
        jid: &Jid,
        load: &Map,
        minions: &[String],
        published: bool,
    ) -> Result<(), StoreError> {
        let list: Value = minions.iter().map(String::as_str).collect();
        let row = JobRow {
            jid: jid.as_str().to_owned(),
            load: encode_map(load, Dialect::New),
            minions: encode(&list, Dialect::New),
        };
        self.db.put_job(row, now(), published).await
    }

    /// Keeps a job nobody published: a minion's own (`salt-call`, schedules), known by its return alone.
    ///
    /// # Errors
    /// When the store is closed.
    pub async fn adopt(&self, jid: &Jid, load: &Map, id: &MinionId) -> Result<(), StoreError> {
        let minions = [id.as_str().to_owned()];
        if self.config.return_files {
            self.files.write_job(jid, load, &minions, false)?;
        }
        self.put(jid, load, &minions, false).await
    }

    /// Whether this minion may answer this job, and whether the job is known at all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn verdict(&self, jid: &Jid, id: &MinionId) -> Result<(Verdict, bool), StoreError> {
        let recent = self.recent.lock().get(jid.as_str());
        // What is remembered may be a later part alone of a job that was published in several: before somebody is
        // turned away the database is asked.
        let recent = match recent {
            Some(recent) if recent.expect.allows(id) => recent,
            known => match (self.stored_expect(jid).await?, known) {
                (Some(expect), _) => {
                    let nocache = self.files.is_nocache(jid);
                    self.recent.lock().replace(jid.as_str(), Recent { expect, nocache })
                }
                (None, Some(known)) => known,
                (None, None) => return Ok((Verdict::Keep, false)),
            },
        };
        let verdict = match recent.expect.allows(id) {
            false => Verdict::Refuse,
            true if recent.nocache => Verdict::Pass,
            true => Verdict::Keep,
        };
        Ok((verdict, true))
    }

    /// Who may answer a job by what is stored of it, all its publishes together; None: nothing is stored.
    async fn stored_expect(&self, jid: &Jid) -> Result<Option<Expect>, StoreError> {
        let of = |bytes: &[u8]| match decode(bytes) {
            Ok(Value::Map(load)) => Expect::of(&load),
            _ => Expect::Any,
        };
        let Some(row) = self.db.job(jid.as_str().to_owned()).await? else { return Ok(None) };
        let parts = self.db.targets(jid.as_str().to_owned()).await?;
        let all = parts.iter().map(|part| of(part)).reduce(|all, part| all.or(part));
        Ok(Some(all.unwrap_or_else(|| of(&row.load))))
    }

    /// Keeps what is known of a minion's key.
    pub fn put_minion(&self, row: MinionRow) {
        self.db.put_minion(row);
    }

    /// Forgets what is known of a minion's key.
    pub fn forget_minion(&self, id: &MinionId) {
        self.db.forget_minion(id.as_str().to_owned());
    }

    /// Keeps a return. When this is done the return is on disk and the minion may forget it.
    ///
    /// # Errors
    /// When it could not be stored; the minion must keep it then.
    pub async fn store(&self, jid: &Jid, id: &MinionId, load: &Map) -> Result<Stored, StoreError> {
        if !self.config.keep_returns {
            return Ok(Stored::First);
        }
        let data = encode_map(load, Dialect::New);
        let stored = self.db.put_return(jid.as_str().to_owned(), id.as_str().to_owned(), data, now()).await?;
        self.stored.send_replace(());
        if self.config.return_files && stored == Stored::First {
            self.files.write_return(jid, id, load)?;
        }
        Ok(stored)
    }

    /// Puts on record who asked for what. Written soon; a record that waits too long for the store to have room is lost
    /// only with the master.
    pub fn record(&self, row: AuditRow) {
        self.db.record(row);
    }

    /// The newest of the record, newest first, at most `limit`; of one user where one is named.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit(&self, limit: u32, user: Option<String>) -> Result<Vec<AuditRow>, StoreError> {
        self.db.audit(limit, user).await
    }

    /// Wakes whenever a return has been stored.
    pub fn watch(&self) -> tokio::sync::watch::Receiver<()> {
        self.stored.subscribe()
    }

    /// What the minions returned for a job: id to the value of `return`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn returns(&self, jid: &Jid) -> Result<Vec<(String, Map)>, StoreError> {
        let rows = self.db.returns(jid.as_str().to_owned()).await?;
        Ok(rows
            .into_iter()
            .filter_map(|(id, data)| match decode(&data) {
                Ok(Value::Map(load)) => Some((id, load)),
                _ => None,
            })
            .collect())
    }

    /// The load of a job, if it is known.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn load(&self, jid: &Jid) -> Result<Option<Map>, StoreError> {
        let row = self.db.job(jid.as_str().to_owned()).await?;
        Ok(row.and_then(|row| match decode(&row.load) {
            Ok(Value::Map(load)) => Some(load),
            _ => None,
        }))
    }

    /// Applies the caps to the database and to the files.
    pub async fn prune(&self) {
        match self.db.prune(now()).await {
            Ok(gone) => {
                let files = self.files.clone();
                let max_age = self.config.caps.max_age;
                let pruned = tokio::task::spawn_blocking(move || {
                    gone.iter().for_each(|jid| files.remove(jid));
                    if max_age > 0 {
                        files.prune(SystemTime::now(), Duration::from_secs(max_age))
                    } else {
                        Ok(0)
                    }
                });
                if let Ok(Err(e)) = pruned.await {
                    tracing::warn!("job cache: {e}");
                }
            }
            Err(e) => tracing::warn!("{e}"),
        }
    }
}
