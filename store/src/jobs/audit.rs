//! The record of who asked for what: rows of the table `audit`, the oldest of each outcome going first.

use rusqlite::{Connection, Row, params};

use super::sql::signed;

/// Rows kept of each outcome, so that strangers who are refused push out nothing but each other.
const KEPT: i64 = 50_000;
/// Rows after which the oldest are looked for.
const STEP: i64 = 256;

/// The table. `n` rises and is never used twice.
pub(super) const TABLE: &str = "
CREATE TABLE audit (
    n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, user TEXT NOT NULL, auth TEXT NOT NULL,
    address TEXT NOT NULL, kind TEXT NOT NULL, fun TEXT NOT NULL, target TEXT NOT NULL, jid TEXT NOT NULL,
    outcome TEXT NOT NULL);
CREATE INDEX audit_by_outcome ON audit (outcome, n);
";

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Allowed,
    /// Whoever asked proved who he is, and may not.
    Forbidden,
    /// Whoever asked did not prove who he is.
    Unknown,
}

impl Outcome {
    /// As the table has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Forbidden => "forbidden",
            Self::Unknown => "unknown",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "allowed" => Self::Allowed,
            "forbidden" => Self::Forbidden,
            _ => Self::Unknown,
        }
    }
}

/// One request for something that needs a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// Who, as he proved it, or as he said where he did not.
    pub user: String,
    /// How he proved it: `key`, `eauth:<backend>`, `token:<backend>`; without the backend where he did not. `minion` for
    /// one that asked others by `peer`.
    pub auth: String,
    /// From which address; empty for a minion.
    pub address: String,
    /// `publish`, `runner`, `wheel` or `mk_token`.
    pub kind: String,
    /// The function, or several with commas between them.
    pub fun: String,
    /// The target of a publish.
    pub target: String,
    /// The job that came of it, or empty.
    pub jid: String,
    /// What became of it.
    pub outcome: Outcome,
}

pub(super) fn put(conn: &Connection, row: &AuditRow) -> rusqlite::Result<()> {
    let AuditRow { at, user, auth, address, kind, fun, target, jid, outcome } = row;
    conn.prepare_cached(
        "INSERT INTO audit (at, user, auth, address, kind, fun, target, jid, outcome)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![signed(*at), user, auth, address, kind, fun, target, jid, outcome.name()])?;
    if conn.last_insert_rowid() % STEP == 0 { cut(conn, KEPT) } else { Ok(()) }
}

/// Removes the oldest of each outcome beyond `kept`.
fn cut(conn: &Connection, kept: i64) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "DELETE FROM audit WHERE outcome = ?1 AND n <=
         (SELECT n FROM audit WHERE outcome = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2)",
    )?;
    for outcome in [Outcome::Allowed, Outcome::Forbidden, Outcome::Unknown] {
        statement.execute(params![outcome.name(), kept])?;
    }
    Ok(())
}

fn read(r: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        at: u64::try_from(r.get::<_, i64>(0)?).unwrap_or(0),
        user: r.get(1)?,
        auth: r.get(2)?,
        address: r.get(3)?,
        kind: r.get(4)?,
        fun: r.get(5)?,
        target: r.get(6)?,
        jid: r.get(7)?,
        outcome: Outcome::parse(&r.get::<_, String>(8)?),
    })
}

/// The newest rows, newest first, at most `limit`; of one user where one is named.
pub(super) fn newest(conn: &Connection, limit: u32, user: Option<&str>) -> rusqlite::Result<Vec<AuditRow>> {
    conn.prepare_cached(
        "SELECT at, user, auth, address, kind, fun, target, jid, outcome FROM audit
         WHERE ?2 IS NULL OR user = ?2 ORDER BY n DESC LIMIT ?1",
    )?
    .query_map(params![limit, user], read)?
    .collect()
}

/// The newest rows that are wanted and not older than `since`, newest first, at most `limit`.
pub(super) fn search(
    conn: &Connection,
    since: u64,
    limit: usize,
    mut wanted: impl FnMut(&AuditRow) -> bool,
) -> rusqlite::Result<Vec<AuditRow>> {
    let mut statement = conn.prepare(
        "SELECT at, user, auth, address, kind, fun, target, jid, outcome FROM audit WHERE at >= ?1 ORDER BY n DESC",
    )?;
    let mut rows = statement.query([signed(since)])?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(next) = rows.next()?
    {
        let row = read(next)?;
        if wanted(&row) {
            found.push(row);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(user: &str, at: u64, outcome: Outcome) -> AuditRow {
        AuditRow {
            at,
            user: user.into(),
            auth: "eauth:pam".into(),
            address: "127.0.0.1".into(),
            kind: "publish".into(),
            fun: "test.ping".into(),
            target: "*".into(),
            jid: "1".into(),
            outcome,
        }
    }

    #[test]
    fn the_newest_are_kept_of_each_outcome() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(TABLE).unwrap();
        put(&conn, &row("fred", 1, Outcome::Allowed)).unwrap();
        for at in 2..8 {
            put(&conn, &row("eve", at, Outcome::Unknown)).unwrap();
        }
        cut(&conn, 2).unwrap();
        let all = newest(&conn, 10, None).unwrap();
        assert_eq!(all.iter().map(|r| r.at).collect::<Vec<_>>(), [7, 6, 1]);
        assert_eq!(newest(&conn, 1, None).unwrap(), [row("eve", 7, Outcome::Unknown)]);
        assert_eq!(newest(&conn, 10, Some("fred")).unwrap(), [row("fred", 1, Outcome::Allowed)]);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(TABLE).unwrap();
        let tx = conn.unchecked_transaction().unwrap();
        for at in 0..u64::try_from(KEPT + 2 * STEP).unwrap() {
            put(&conn, &row("eve", at, Outcome::Unknown)).unwrap();
        }
        tx.commit().unwrap();
        let count: i64 = conn.query_row("SELECT count(*) FROM audit", [], |r| r.get(0)).unwrap();
        assert!((KEPT..KEPT + STEP).contains(&count), "{count}");
    }
}
