//! What the queue's file says, for other processes and for numbers: counts, the dead, and their return among the waiting.

use std::path::Path;
use std::time::SystemTime;

use rusqlite::{Connection, Row, params};

use super::item::notice_of;
use super::{QueueError, at_millis, millis, schema};
use crate::Notice;

/// The counts of a sink: always put = delivered + queued + dead.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkReport {
    /// The sink, by name.
    pub sink: String,
    /// Notices that it was to get, ever.
    pub put: u64,
    /// That its receiver has.
    pub delivered: u64,
    /// That wait.
    pub queued: u64,
    /// That were given up.
    pub dead: u64,
    /// Since when the oldest waits.
    pub oldest: Option<SystemTime>,
    /// The last thing that went wrong, and when.
    pub error: Option<(String, SystemTime)>,
    /// When anything was delivered last.
    pub delivered_at: Option<SystemTime>,
}

/// A notice that was given up.
#[derive(Clone, Debug, PartialEq)]
pub struct Dead {
    /// Its sink.
    pub sink: String,
    /// What receivers would have known it by.
    pub id: String,
    /// Why it was given up.
    pub why: String,
    /// When it was put.
    pub put_at: SystemTime,
    /// When it was given up.
    pub died_at: SystemTime,
    /// How often it was tried.
    pub tries: u32,
    /// The notice; `None` of one that cannot be read.
    pub notice: Option<Notice>,
}

/// The file, beside the daemon that it belongs to.
#[derive(Debug)]
pub struct Ledger(Connection);

impl Ledger {
    /// Opens the file in a directory; `None` if no daemon has made one.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn beside(dir: &Path) -> Result<Option<Self>, QueueError> {
        Ok(schema::beside(dir)?.map(Self))
    }

    /// The counts of all sinks.
    ///
    /// # Errors
    /// As the database has it.
    pub fn report(&self) -> Result<Vec<SinkReport>, QueueError> {
        Ok(report(&self.0)?)
    }

    /// The newest of the dead, of one sink or of all.
    ///
    /// # Errors
    /// As the database has it.
    pub fn dead(&self, sink: Option<&str>, most: usize) -> Result<Vec<Dead>, QueueError> {
        let mut rows = self.0.prepare(
            "SELECT sink, id, why, put_at, died_at, tries, body FROM dead WHERE ?1 IS NULL OR sink = ?1 \
             ORDER BY seq DESC LIMIT ?2",
        )?;
        let all = rows.query_map(params![sink, i64::try_from(most).unwrap_or(i64::MAX)], |row| {
            Ok(Dead {
                sink: row.get(0)?,
                id: row.get(1)?,
                why: row.get(2)?,
                put_at: at_millis(row.get(3)?),
                died_at: at_millis(row.get(4)?),
                tries: row.get(5)?,
                notice: notice_of(&row.get::<_, String>(6)?),
            })
        })?;
        Ok(all.collect::<rusqlite::Result<_>>()?)
    }

    /// Lets the dead wait again, as if they had just been put; how many. They keep their ids and their order, before all
    /// that was put since.
    ///
    /// # Errors
    /// As the database has it: then nothing has changed.
    pub fn revive(&mut self, sink: Option<&str>, now: SystemTime) -> Result<usize, QueueError> {
        let step = self.0.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let count = "UPDATE sink SET died = died - (SELECT count(*) FROM dead WHERE dead.sink = sink.name) \
                     WHERE ?1 IS NULL OR name = ?1";
        step.execute(count, [sink])?;
        let back = "INSERT INTO waiting (seq, sink, alert, party, put_at, due, id, body) \
                    SELECT seq, sink, alert, party, ?2, ?2, id, body FROM dead WHERE ?1 IS NULL OR sink = ?1";
        let revived = step.execute(back, params![sink, millis(now)])?;
        step.execute("DELETE FROM dead WHERE ?1 IS NULL OR sink = ?1", [sink])?;
        step.commit()?;
        Ok(revived)
    }
}

/// A count, which is never below nothing.
fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}

pub(super) fn report(db: &Connection) -> rusqlite::Result<Vec<SinkReport>> {
    let mut rows = db.prepare_cached(
        "SELECT name, put, delivered, died, error, error_at, delivered_at, \
         (SELECT count(*) FROM waiting WHERE waiting.sink = name), \
         (SELECT put_at FROM waiting WHERE waiting.sink = name ORDER BY seq LIMIT 1) FROM sink ORDER BY name",
    )?;
    let at = |at: Option<i64>| at.map(at_millis);
    let all = rows.query_map([], |row| {
        let error: Option<String> = row.get(4)?;
        Ok(SinkReport {
            sink: row.get(0)?,
            put: count(row, 1)?,
            delivered: count(row, 2)?,
            dead: count(row, 3)?,
            error: error.zip(at(row.get(5)?)),
            delivered_at: at(row.get(6)?),
            queued: count(row, 7)?,
            oldest: at(row.get(8)?),
        })
    })?;
    all.collect()
}
