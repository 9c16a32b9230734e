//! Queues as stock's `sqlite_queue` keeps them: for each a database `<queue>.db` with a table of the queue's name.
//!
//! A queue's name becomes a file's and a table's, so it is an identifier and nothing else; items are bound, never part of
//! a statement.

use std::path::PathBuf;
use std::time::Duration;

use brine_core::Value;
use brine_core::call::{CallError, Result};
use brine_core::text::{python_repr, python_type};
use brine_render::out::json_dumps;
use brine_store::fs::Dir;
use rusqlite::{Connection, ErrorCode};

/// The queues below a directory.
pub(super) struct Queues {
    dir: PathBuf,
}

fn failed(e: rusqlite::Error) -> CallError {
    CallError::exception("sqlite3.OperationalError", e.to_string())
}

impl Queues {
    /// The queues in `sqlite_queue_dir`.
    pub(super) fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    fn open(&self, queue: &str) -> Result<Connection> {
        let mut chars = queue.chars();
        let named = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
            && queue.len() <= 100;
        if !named {
            return Err(CallError::invocation(format!("'{queue}' is no name of a queue")));
        }
        Dir::at(&self.dir).ensure(0o700)?;
        let conn = Connection::open(self.dir.join(format!("{queue}.db"))).map_err(failed)?;
        conn.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
        conn.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS \"{queue}\"(id INTEGER PRIMARY KEY, name TEXT UNIQUE)"
        ))
        .map_err(failed)?;
        Ok(conn)
    }

    /// The names of all queues.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let files = Dir::at(&self.dir).names()?;
        let mut names: Vec<String> = files.iter().filter_map(|f| f.strip_suffix(".db").map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    /// The items of a queue, oldest first.
    pub(super) fn items(&self, queue: &str) -> Result<Vec<String>> {
        let conn = self.open(queue)?;
        select(&conn, queue, -1)
    }

    /// Adds an item, each item of a list, or a dict as an item. `True`, or stock's text about one that is there already;
    /// those before it stay in.
    pub(super) fn insert(&self, queue: &str, items: &Value) -> Result {
        let conn = self.open(queue)?;
        let (items, complaint) = match items {
            Value::List(_) => (texts(items)?, "One or more items already exists in this queue."),
            _ => (texts(items)?, "Item already exists in this queue."),
        };
        let sql = format!("INSERT INTO \"{queue}\"(name) VALUES(?1)");
        let tx = conn.unchecked_transaction().map_err(failed)?;
        let mut complaints = Value::Bool(true);
        for item in items {
            match tx.execute(&sql, [item]) {
                Ok(_) => {}
                Err(e) if e.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    complaints = format!("{complaint} sqlite error: {e}").into();
                    break;
                }
                Err(e) => return Err(failed(e)),
            }
        }
        tx.commit().map_err(failed)?;
        Ok(complaints)
    }

    /// Removes items, given as to [`Queues::insert`].
    pub(super) fn delete(&self, queue: &str, items: &Value) -> Result<bool> {
        let conn = self.open(queue)?;
        let tx = conn.unchecked_transaction().map_err(failed)?;
        for item in texts(items)? {
            tx.execute(&format!("DELETE FROM \"{queue}\" WHERE name = ?1"), [item]).map_err(failed)?;
        }
        tx.commit().map_err(failed)?;
        Ok(true)
    }

    /// Takes the oldest items out; as dicts where they are calls of runners.
    pub(super) fn pop(&self, queue: &str, quantity: &Value, is_runner: bool) -> Result<Vec<Value>> {
        let most = match quantity {
            Value::Str(text) if text == "all" => -1,
            Value::Str(text) => text.trim().parse().map_err(|_| {
                let wrong = format!("invalid literal for int() with base 10: {}", python_repr(quantity));
                CallError::invocation(format!("Quantity must be an integer or \"all\".\nError: \"{wrong}\"."))
            })?,
            other => other.as_float().map_or(1, |number| number as i64),
        };
        let conn = self.open(queue)?;
        let tx = conn.unchecked_transaction().map_err(failed)?;
        let items = select(&tx, queue, most)?;
        for item in &items {
            tx.execute(&format!("DELETE FROM \"{queue}\" WHERE name = ?1"), [item]).map_err(failed)?;
        }
        tx.commit().map_err(failed)?;
        if !is_runner {
            return Ok(items.into_iter().map(Value::from).collect());
        }
        let load = |item: String| {
            // Stored by stock's way with the quotes of the JSON text turned into plain ones.
            serde_json::from_str(&item.replace('\'', "\"")).map(value).map_err(|e| {
                CallError::exception("json.decoder.JSONDecodeError", e.to_string())
            })
        };
        items.into_iter().map(load).collect()
    }
}

fn select(conn: &Connection, queue: &str, most: i64) -> Result<Vec<String>> {
    let mut statement =
        conn.prepare(&format!("SELECT name FROM \"{queue}\" ORDER BY id LIMIT ?1")).map_err(failed)?;
    let rows = statement.query_map([most], |row| row.get(0)).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

/// The items as they are stored. What is neither text, list nor dict is none, as in stock.
fn texts(items: &Value) -> Result<Vec<String>> {
    match items {
        Value::Str(text) => Ok(vec![text.clone()]),
        Value::List(list) => list
            .iter()
            .map(|item| match item {
                Value::Str(text) => Ok(text.clone()),
                other => {
                    let kind = python_type(other);
                    Err(CallError::Arguments(format!("expected string or bytes-like object, got '{kind}'")))
                }
            })
            .collect(),
        Value::Map(_) => {
            let json = json_dumps(items, None, false);
            let json = json.ok_or_else(|| CallError::Arguments("keys must be str, int, float, bool or None".into()))?;
            Ok(vec![json.replace('"', "'")])
        }
        _ => Ok(Vec::new()),
    }
}

fn value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(b) => b.into(),
        serde_json::Value::Number(n) => match n.as_i64() {
            Some(i) => i.into(),
            None => n.as_f64().map_or(Value::Nil, Value::Float),
        },
        serde_json::Value::String(s) => s.into(),
        serde_json::Value::Array(items) => items.into_iter().map(value).collect(),
        serde_json::Value::Object(map) => map.into_iter().map(|(k, v)| (k, value(v))).collect::<brine_core::Map>().into(),
    }
}
