//! The job store's thread: takes what has gathered, writes it in one transaction, and tells the senders after the commit.

use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot};

use super::db::{Ask, Caps, JobRow, MinionRow, Stored};
use super::expect::target;
use super::shares::Shares;
use super::sql::{prune, signed};

/// Requests taken into one transaction.
const BATCH: usize = 1024;

/// What the thread owns.
pub(super) struct Writer {
    conn: Connection,
    caps: Caps,
    shares: Shares,
}

type Dones = Vec<(oneshot::Sender<Stored>, Stored)>;

impl Writer {
    /// Over an open database.
    pub(super) fn new(conn: Connection, caps: Caps) -> rusqlite::Result<Self> {
        let shares = Shares::count(&conn, caps.max_bytes)?;
        Ok(Self { conn, caps, shares })
    }

    /// Does what is asked for until nobody can ask any more.
    pub(super) fn run(&mut self, mut rx: mpsc::Receiver<Ask>) {
        let mut batch = Vec::new();
        while let Some(first) = rx.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH
                && let Ok(next) = rx.try_recv()
            {
                batch.push(next);
            }
            self.serve(&mut batch);
        }
    }

    /// Does a batch: runs of writes in one transaction each, everything else in its place between them.
    fn serve(&mut self, batch: &mut Vec<Ask>) {
        let mut writes = Vec::new();
        for ask in batch.drain(..) {
            match ask {
                Ask::Prune { now, done } => {
                    self.write(&mut writes);
                    let gone = self.prune(now).unwrap_or_else(|e| {
                        tracing::error!("job store: pruning failed: {e}");
                        Vec::new()
                    });
                    let _ = done.send(gone);
                }
                Ask::Query(f) => {
                    self.write(&mut writes);
                    f(&self.conn);
                }
                write => writes.push(write),
            }
        }
        self.write(&mut writes);
    }

    fn prune(&mut self, now: u64) -> rusqlite::Result<Vec<String>> {
        let mut gone = prune(&self.conn, now, self.caps)?;
        if !gone.is_empty() {
            self.shares.recount(&self.conn)?;
        }
        gone.extend(self.shares.take_gone());
        Ok(gone)
    }

    fn write(&mut self, writes: &mut Vec<Ask>) {
        if writes.is_empty() {
            return;
        }
        let count = writes.len();
        match self.transaction(writes) {
            Ok(dones) => {
                for (done, stored) in dones {
                    let _ = done.send(stored);
                }
            }
            // The senders see their channels close and answer nothing; minions keep the returns and try again.
            Err(e) => {
                tracing::error!("job store: a batch of {count} was not stored: {e}");
                if let Err(e) = self.shares.recount(&self.conn) {
                    tracing::error!("job store: {e}");
                }
            }
        }
        writes.clear();
    }

    fn transaction(&mut self, writes: &mut Vec<Ask>) -> rusqlite::Result<Dones> {
        let tx = self.conn.unchecked_transaction()?;
        let mut dones = Vec::new();
        for ask in writes.drain(..) {
            match ask {
                Ask::Job { row, now, published } => put_job(&tx, &row, now, published)?,
                Ask::Return { jid, id, data, now, done } => {
                    let stored = put_return(&tx, &mut self.shares, (&jid, &id), &data, now)?;
                    dones.push((done, stored));
                }
                Ask::Minion(MinionRow { id, key, version }) => {
                    tx.prepare_cached(
                        "INSERT OR REPLACE INTO minions (id, key, version) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![id, key, version])?;
                }
                Ask::Audit(row) => super::audit::put(&tx, &row)?,
                Ask::ForgetMinion(id) => {
                    tx.prepare_cached("DELETE FROM minions WHERE id = ?1")?.execute([id])?;
                }
                Ask::Prune { .. } | Ask::Query(_) => {}
            }
        }
        tx.commit()?;
        Ok(dones)
    }
}

fn put_job(conn: &Connection, row: &JobRow, now: u64, published: bool) -> rusqlite::Result<()> {
    let JobRow { jid, load, minions } = row;
    let new = conn
        .prepare_cached(
            "INSERT INTO jobs (jid, created, load, minions, asked) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute(params![jid, signed(now), load, minions, published])?;
    if new == 1 || !published {
        return Ok(());
    }
    // Published once more under the same id, as the parts of a batch are: whom the earlier ones meant is kept aside.
    let before: Vec<u8> =
        conn.prepare_cached("SELECT load FROM jobs WHERE jid = ?1")?.query_row([jid], |r| r.get(0))?;
    let mut part = conn.prepare_cached("INSERT OR IGNORE INTO targets (jid, target) VALUES (?1, ?2)")?;
    for target in [target(&before), target(load)].into_iter().flatten() {
        part.execute(params![jid, target])?;
    }
    conn.prepare_cached("UPDATE jobs SET load = ?2, minions = ?3, asked = 1 WHERE jid = ?1")?
        .execute(params![jid, load, minions])?;
    Ok(())
}

fn put_return(
    conn: &Connection,
    shares: &mut Shares,
    (jid, id): (&str, &str),
    data: &[u8],
    now: u64,
) -> rusqlite::Result<Stored> {
    // A return may outlive its job in the queue or arrive for one that was pruned: an empty job stands in.
    conn.prepare_cached(
        "INSERT INTO jobs (jid, created, load, minions) VALUES (?1, ?2, x'80', x'90') ON CONFLICT DO NOTHING",
    )?
    .execute(params![jid, signed(now)])?;
    let unasked: bool =
        conn.prepare_cached("SELECT NOT asked FROM jobs WHERE jid = ?1")?.query_row([jid], |r| r.get(0))?;
    let new = conn
        .prepare_cached(
            "INSERT INTO returns (jid, id, received, data, unasked) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (jid, id) DO NOTHING",
        )?
        .execute(params![jid, id, signed(now), data, unasked])?;
    if new == 0 {
        return Ok(Stored::Duplicate);
    }
    if unasked {
        shares.add(conn, id, jid, data.len())?;
    }
    Ok(Stored::First)
}
