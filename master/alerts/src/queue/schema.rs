//! The tables, and how the file is opened.

use std::path::Path;
use std::time::Duration;

use brine_store::fs::Dir;
use rusqlite::{Connection, OpenFlags};

use super::QueueError;

/// The file's name within its directory.
const FILE: &str = "alerts_queue.db";
/// How long a process waits for the other that writes.
const BUSY: Duration = Duration::from_secs(10);

/// `put`, `delivered` and `died` only grow, but that what is taken back from the dead is taken off `died`; so always
/// put = delivered + died + rows of `waiting`.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS sink (
    name TEXT PRIMARY KEY, put INTEGER NOT NULL DEFAULT 0, delivered INTEGER NOT NULL DEFAULT 0,
    died INTEGER NOT NULL DEFAULT 0, error TEXT, error_at INTEGER, delivered_at INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS waiting (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, alert TEXT NOT NULL, party TEXT NOT NULL,
    put_at INTEGER NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, id TEXT NOT NULL,
    body TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS waiting_sink ON waiting (sink, seq);
CREATE INDEX IF NOT EXISTS waiting_due ON waiting (sink, due);
CREATE INDEX IF NOT EXISTS waiting_party ON waiting (sink, party, due);
CREATE TABLE IF NOT EXISTS dead (
    seq INTEGER PRIMARY KEY, sink TEXT NOT NULL, alert TEXT NOT NULL, party TEXT NOT NULL, put_at INTEGER NOT NULL,
    died_at INTEGER NOT NULL, tries INTEGER NOT NULL, id TEXT NOT NULL, why TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS dead_sink ON dead (sink, seq);
CREATE TABLE IF NOT EXISTS told (
    sink TEXT NOT NULL, alert TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, why TEXT,
    PRIMARY KEY (sink, alert)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (
    sink TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (sink, name)) STRICT, WITHOUT ROWID;
";

/// Opens the queue's file for a daemon: made if it is missing, and set aside if it is damaged.
pub(super) fn open(dir: &Path) -> Result<Connection, QueueError> {
    let path = dir.join(FILE);
    let failed = |why: String| QueueError::Open(path.clone(), why);
    Dir::at(dir).ensure(0o700).map_err(|e| failed(e.to_string()))?;
    match prepare(&path) {
        Ok(connection) => Ok(connection),
        Err(e) if is_damage(&e) => {
            // A queue without its past is better than no alerts.
            tracing::error!("{}: {e}; it is set aside, and a new one begun", path.display());
            for end in ["", "-wal", "-shm"] {
                let from = dir.join(format!("{FILE}{end}"));
                let _absent = std::fs::rename(&from, dir.join(format!("{FILE}{end}.damaged")));
            }
            prepare(&path).map_err(|e| failed(e.to_string()))
        }
        Err(e) => Err(failed(e.to_string())),
    }
}

fn is_damage(e: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(e.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

fn prepare(path: &Path) -> rusqlite::Result<Connection> {
    use std::os::unix::fs::OpenOptionsExt;
    // Notices hold names of minions and more: nobody else reads them. What SQLite makes beside it gets the same mode.
    let _made = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

/// Opens the file of a daemon that may be running; `None` if there is none.
pub(super) fn beside(dir: &Path) -> Result<Option<Connection>, QueueError> {
    let path = dir.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let failed = |e: rusqlite::Error| QueueError::Open(path.clone(), e.to_string());
    let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    Ok(Some(connection))
}
