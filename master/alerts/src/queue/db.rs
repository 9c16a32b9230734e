//! The steps of a notice through the queue, each one transaction.

use std::path::Path;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::ledger::{self, SinkReport};
use super::{Item, QueueError, Taken, Waiting, body_of, millis, schema, take};
use crate::Notice;
use crate::deliver::Delivery;

/// How many of the dead are kept with all that they are, for each sink. All are counted.
const DEAD_KEPT: i64 = 1000;
/// Of how many alerts it is known what became of their last notice, for each sink.
const TOLD_KEPT: i64 = 10_000;

/// The queues of all sinks.
#[derive(Debug)]
pub struct Queue(Mutex<Connection>);

impl Queue {
    /// Opens the file in a directory of its own, or makes both.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn open(dir: &Path) -> Result<Self, QueueError> {
        Ok(Self(Mutex::new(schema::open(dir)?)))
    }

    fn step<T>(&self, f: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, QueueError> {
        let mut db = self.0.lock();
        let step = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let done = f(&step)?;
        step.commit()?;
        Ok(done)
    }

    /// Makes a sink known: its counts begin, or go on.
    ///
    /// # Errors
    /// As the database has it.
    pub fn know(&self, sink: &str) -> Result<(), QueueError> {
        self.step(|db| db.execute("INSERT OR IGNORE INTO sink (name) VALUES (?)", [sink]).map(drop))
    }

    /// Puts a notice into the queues of sinks; it outlives this process when this returns.
    ///
    /// # Errors
    /// As the database has it: then it is in none of them.
    pub fn put(
        &self,
        notice: &Notice,
        sinks: &[(&str, &Waiting)],
        now: SystemTime,
    ) -> Result<(), QueueError> {
        let (alert, body, at) = (notice.fingerprint(), body_of(notice), millis(now));
        self.step(|db| {
            for (sink, how) in sinks {
                let party = party(notice, how);
                let due = due(db, sink, how, &party, at)?;
                db.prepare_cached(
                    "INSERT INTO waiting (sink, alert, party, put_at, due, id, body) VALUES (?, ?, ?, ?, ?, '', ?)",
                )?
                .execute(params![sink, alert, party, at, due, body])?;
                let seq = db.last_insert_rowid();
                db.prepare_cached("UPDATE waiting SET id = ? WHERE seq = ?")?
                    .execute(params![format!("{alert}-{at:x}-{seq:x}"), seq])?;
                db.prepare_cached("UPDATE sink SET put = put + 1 WHERE name = ?")?.execute([sink])?;
                // What became of the notice before this one is not what becomes of this one.
                db.prepare_cached("DELETE FROM told WHERE sink = ? AND alert = ?")?.execute([sink, &alert.as_str()])?;
                make_room(db, sink, how, at)?;
            }
            Ok(())
        })
    }

    /// What is next for a sink; see [`Taken`]. `longest` is how far away a time can be.
    ///
    /// # Errors
    /// As the database has it.
    pub fn take(
        &self,
        sink: &str,
        how: &Waiting,
        longest: Duration,
        now: SystemTime,
    ) -> Result<Taken, QueueError> {
        Ok(take::take(&self.0.lock(), sink, how, longest, now)?)
    }

    /// The receiver has them.
    ///
    /// # Errors
    /// As the database has it: they will be sent again.
    pub fn delivered(&self, sink: &str, items: &[Item], now: SystemTime) -> Result<(), QueueError> {
        self.step(|db| {
            let mut gone = 0i64;
            for item in items {
                let there = db.prepare_cached("DELETE FROM waiting WHERE seq = ?")?.execute([item.seq])? > 0;
                gone += i64::from(there);
                tell(db, sink, item, now, None)?;
            }
            db.prepare_cached("UPDATE sink SET delivered = delivered + ?, delivered_at = ? WHERE name = ?")?
                .execute(params![gone, millis(now), sink])?;
            Ok(())
        })
    }

    /// They were not taken, and wait until a time.
    ///
    /// # Errors
    /// As the database has it.
    pub fn later(
        &self,
        sink: &str,
        items: &[Item],
        until: SystemTime,
        why: &str,
        now: SystemTime,
    ) -> Result<(), QueueError> {
        self.step(|db| {
            for item in items {
                db.prepare_cached("UPDATE waiting SET tries = tries + 1, due = ? WHERE seq = ?")?
                    .execute(params![millis(until), item.seq])?;
            }
            complain(db, sink, why, now)
        })
    }

    /// All that waits since it was not taken may be tried again now.
    ///
    /// # Errors
    /// As the database has it.
    pub fn hurry(&self, sink: &str, now: SystemTime) -> Result<(), QueueError> {
        self.step(|db| {
            let sql = "UPDATE waiting SET due = ?2 WHERE sink = ?1 AND tries > 0 AND due > ?2";
            db.execute(sql, params![sink, millis(now)]).map(drop)
        })
    }

    /// They are given up.
    ///
    /// # Errors
    /// As the database has it.
    pub fn dead(&self, sink: &str, items: &[Item], why: &str, now: SystemTime) -> Result<(), QueueError> {
        self.step(|db| {
            for item in items {
                die(db, sink, item.seq, why, millis(now))?;
                tell(db, sink, item, now, Some(why))?;
            }
            complain(db, sink, why, now)
        })
    }

    /// What became of the last notice of an alert at each sink; nothing of one where it waits.
    ///
    /// # Errors
    /// As the database has it.
    pub fn deliveries(&self, alert: &str) -> Result<Vec<Delivery>, QueueError> {
        let db = self.0.lock();
        let mut rows = db.prepare_cached("SELECT sink, why FROM told WHERE alert = ? ORDER BY sink")?;
        let told = rows.query_map([alert], |row| {
            let why: Option<String> = row.get(1)?;
            Ok(Delivery { sink: row.get(0)?, outcome: why.map_or(Ok(()), Err) })
        })?;
        Ok(told.collect::<rusqlite::Result<_>>()?)
    }

    /// The counts of all sinks.
    ///
    /// # Errors
    /// As the database has it.
    pub fn report(&self) -> Result<Vec<SinkReport>, QueueError> {
        Ok(ledger::report(&self.0.lock())?)
    }

    /// What a sink keeps beside its queue, by name.
    ///
    /// # Errors
    /// As the database has it.
    pub fn kept(&self, sink: &str) -> Result<Vec<(String, String)>, QueueError> {
        let db = self.0.lock();
        let mut rows = db.prepare_cached("SELECT name, body FROM kept WHERE sink = ? ORDER BY name")?;
        let all = rows.query_map([sink], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(all.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps texts under names, or, where there is none, forgets them.
    ///
    /// # Errors
    /// As the database has it: then nothing has changed.
    pub fn keep(&self, sink: &str, all: &[(String, Option<String>)]) -> Result<(), QueueError> {
        self.step(|db| {
            for (name, body) in all {
                match body {
                    Some(body) => db
                        .prepare_cached("INSERT OR REPLACE INTO kept (sink, name, body) VALUES (?, ?, ?)")?
                        .execute([sink, name, body])?,
                    None => db
                        .prepare_cached("DELETE FROM kept WHERE sink = ? AND name = ?")?
                        .execute([sink, name.as_str()])?,
                };
            }
            Ok(())
        })
    }
}

/// Which notices a notice is told with.
fn party(notice: &Notice, how: &Waiting) -> String {
    let names = how.group_by.as_deref().unwrap_or_default();
    let values = names.iter().map(|name| notice.labels.get(name).map_or("", String::as_str));
    // A control character keeps values apart that would run together.
    values.collect::<Vec<_>>().join("\u{1f}")
}

/// When it is due: with others of its party that wait for company, else after the wait that begins now.
fn due(db: &Connection, sink: &str, how: &Waiting, party: &str, now: i64) -> rusqlite::Result<i64> {
    let wait = i64::try_from(how.group_wait.as_millis()).unwrap_or(0);
    if how.group_by.is_none() || wait == 0 {
        return Ok(now);
    }
    let sql = "SELECT min(due) FROM waiting WHERE sink = ?1 AND party = ?2 AND tries = 0 AND due > ?3 AND due <= ?3 + ?4";
    let others: Option<i64> =
        db.prepare_cached(sql)?.query_row(params![sink, party, now, wait], |row| row.get(0))?;
    Ok(others.unwrap_or(now + wait))
}

/// Lets the oldest die while more wait than may.
fn make_room(db: &Connection, sink: &str, how: &Waiting, now: i64) -> rusqlite::Result<()> {
    let waiting: i64 = db
        .prepare_cached("SELECT put - delivered - died FROM sink WHERE name = ?")?
        .query_row([sink], |row| row.get(0))?;
    let over = waiting - i64::try_from(how.most).unwrap_or(i64::MAX);
    for _ in 0..over {
        let sql = "SELECT seq FROM waiting WHERE sink = ? ORDER BY seq LIMIT 1";
        let oldest: Option<i64> = db.prepare_cached(sql)?.query_row([sink], |row| row.get(0)).optional()?;
        let Some(oldest) = oldest else { break };
        die(db, sink, oldest, "the queue was full", now)?;
    }
    Ok(())
}

/// From the waiting to the dead. One that is not there any more is not counted.
fn die(db: &Connection, sink: &str, seq: i64, why: &str, now: i64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO dead (seq, sink, alert, party, put_at, died_at, tries, id, why, body) \
               SELECT seq, sink, alert, party, put_at, ?2, tries, id, ?3, body FROM waiting WHERE seq = ?1";
    if db.prepare_cached(sql)?.execute(params![seq, now, why])? == 0 {
        return Ok(());
    }
    db.prepare_cached("DELETE FROM waiting WHERE seq = ?")?.execute([seq])?;
    db.prepare_cached("UPDATE sink SET died = died + 1 WHERE name = ?")?.execute([sink])?;
    let sql = "DELETE FROM dead WHERE sink = ?1 AND seq <= \
               (SELECT seq FROM dead WHERE sink = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)";
    db.prepare_cached(sql)?.execute(params![sink, DEAD_KEPT])?;
    Ok(())
}

/// Notes what became of an alert's last notice.
fn tell(
    db: &Connection,
    sink: &str,
    item: &Item,
    now: SystemTime,
    why: Option<&str>,
) -> rusqlite::Result<()> {
    let alert = item.notice.fingerprint();
    // A newer one that waits has the say.
    let newer = "SELECT 1 FROM waiting WHERE sink = ? AND alert = ? AND seq > ? LIMIT 1";
    if db.prepare_cached(newer)?.exists(params![sink, alert, item.seq])? {
        return Ok(());
    }
    db.prepare_cached("INSERT OR REPLACE INTO told (sink, alert, seq, at, why) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![sink, alert, item.seq, millis(now), why])?;
    if item.seq % 1000 == 0 {
        let sql = "DELETE FROM told WHERE sink = ?1 AND seq <= \
                   (SELECT seq FROM told WHERE sink = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)";
        db.prepare_cached(sql)?.execute(params![sink, TOLD_KEPT])?;
    }
    Ok(())
}

fn complain(db: &Connection, sink: &str, why: &str, now: SystemTime) -> rusqlite::Result<()> {
    let sql = "UPDATE sink SET error = ?, error_at = ? WHERE name = ?";
    db.prepare_cached(sql)?.execute(params![why, millis(now), sink]).map(drop)
}
