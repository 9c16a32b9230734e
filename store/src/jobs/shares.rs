//! How much of the store one minion may fill with answers that nobody asked for: to jobs that no user of ours published,
//! as its own schedule and `salt-call` make them. Above its share its own oldest answers go, never anybody else's.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

/// Answers of one minion at most, besides their bytes.
const MOST: u64 = 10_000;
/// The part of the store that one minion may fill.
const PART: u64 = 8;

/// What the minions have in the store unasked.
#[derive(Debug)]
pub(super) struct Shares {
    used: HashMap<String, Used>,
    most_bytes: u64,
    most: u64,
    /// Jobs that went with their last answer, until somebody asks for them.
    gone: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Used {
    answers: u64,
    bytes: u64,
}

fn unsigned(x: i64) -> u64 {
    u64::try_from(x).unwrap_or(0)
}

impl Shares {
    /// Counts what is there, in a store of `max_bytes`.
    pub(super) fn count(conn: &Connection, max_bytes: u64) -> rusqlite::Result<Self> {
        let mut shares =
            Self { used: HashMap::new(), most_bytes: max_bytes / PART, most: MOST, gone: Vec::new() };
        shares.recount(conn)?;
        Ok(shares)
    }

    /// Counts anew, after the store was pruned.
    pub(super) fn recount(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let sql = "SELECT id, count(*), sum(length(data)) FROM returns WHERE unasked GROUP BY id";
        let mut statement = conn.prepare_cached(sql)?;
        let rows = statement.query_map([], |r| {
            Ok((r.get(0)?, Used { answers: unsigned(r.get(1)?), bytes: unsigned(r.get(2)?) }))
        })?;
        self.used = rows.collect::<rusqlite::Result<_>>()?;
        Ok(())
    }

    /// Notes an answer that was just stored, and makes room for it among its minion's own.
    pub(super) fn add(&mut self, conn: &Connection, id: &str, jid: &str, len: usize) -> rusqlite::Result<()> {
        let used = self.used.entry(id.to_owned()).or_default();
        used.answers += 1;
        used.bytes += len as u64;
        let mut removed = 0;
        while used.answers > self.most || used.bytes > self.most_bytes {
            let oldest = conn
                .prepare_cached(
                    "SELECT rowid, jid, length(data) FROM returns WHERE unasked AND id = ?1 AND jid <> ?2
                     ORDER BY received, rowid LIMIT 1",
                )?
                .query_row(params![id, jid], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?, r.get(2)?)))
                .optional()?;
            // The newest stays, however large.
            let Some((row, old, bytes)) = oldest else { break };
            conn.prepare_cached("DELETE FROM returns WHERE rowid = ?1")?.execute([row])?;
            let sql = "DELETE FROM jobs WHERE jid = ?1 AND NOT asked
                       AND NOT EXISTS (SELECT 1 FROM returns WHERE jid = ?1)";
            if conn.prepare_cached(sql)?.execute([&old])? > 0 {
                self.gone.push(old);
            }
            used.answers -= 1;
            used.bytes = used.bytes.saturating_sub(unsigned(bytes));
            removed += 1;
        }
        if removed > 0 {
            tracing::warn!(
                "job store: {id} stores more answers to jobs of its own than its share ({} of them, {} MiB); \
                 {removed} of its oldest are gone",
                self.most,
                self.most_bytes >> 20
            );
        }
        Ok(())
    }

    /// The jobs that went since the last time.
    pub(super) fn take_gone(&mut self) -> Vec<String> {
        std::mem::take(&mut self.gone)
    }
}
