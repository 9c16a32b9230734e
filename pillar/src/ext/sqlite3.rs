//! `sqlite3`: queries over a file. One that is missing is not made.

use super::sql::{Database, Fault, Table, fetch, option};
use super::{Asked, Source};
use brine_core::Value;
use brine_python::{Args, Kind, Obj, PyErr, R, float};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::time::Duration;

pub(super) const SOURCE: Source = Source { name: "sqlite3", run };

fn run(asked: &Asked<'_>, args: &Args) -> R {
    fetch(args, asked.id, || connect(asked))
}

struct File(Connection);

/// The file of the options, or the usual one where they do not name one.
fn connect(asked: &Asked<'_>) -> R<File> {
    let options = asked.opts().get("sqlite3").and_then(Value::as_map).filter(|o| o.contains("database"));
    let path = option(options, "database", "/var/lib/salt/pillar.db")?;
    let timeout = match options.and_then(|o| o.get("timeout")) {
        Some(timeout) => float(&Obj::from(timeout))?,
        None => 5.0,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |e: rusqlite::Error| {
        let text = message(&e);
        PyErr::new(Kind::Other("OperationalError"), text.split(": ").next().unwrap_or_default())
    };
    let file = Connection::open_with_flags(path, flags).map_err(failed)?;
    file.busy_timeout(Duration::from_secs_f64(timeout.clamp(0.0, 300.0))).map_err(failed)?;
    Ok(File(file))
}

fn message(e: &rusqlite::Error) -> String {
    match e {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        e => e.to_string(),
    }
}

impl Database for File {
    const NAME: &'static str = "SQLite3";

    fn query(&mut self, sql: &str, id: &str) -> Result<Table, Fault> {
        let refused = |e: rusqlite::Error| Fault::Refused(message(&e));
        let mut statement = self.0.prepare(sql).map_err(refused)?;
        if statement.parameter_count() != 1 {
            let text = format!(
                "Incorrect number of bindings supplied. The current statement uses {}, and there are 1 supplied.",
                statement.parameter_count()
            );
            return Err(Fault::Refused(text));
        }
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = Vec::new();
        let mut found = statement.query([id]).map_err(refused)?;
        while let Some(row) = found.next().map_err(refused)? {
            let mut values = Vec::with_capacity(names.len());
            for place in 0..names.len() {
                values.push(match row.get_ref(place).map_err(refused)? {
                    ValueRef::Null => Obj::None,
                    ValueRef::Integer(i) => Obj::Int(i),
                    ValueRef::Real(x) => Obj::Float(x),
                    ValueRef::Text(text) => Obj::str(
                        brine_python::decode_utf8(text.to_vec())
                            .map_err(|_| Fault::Refused("Could not decode to UTF-8 column".into()))?,
                    ),
                    ValueRef::Blob(bytes) => Obj::bytes(bytes),
                });
            }
            rows.push(values);
        }
        if names.is_empty() {
            return Err(PyErr::ty("'NoneType' object is not iterable").into());
        }
        Ok(Table { names, rows })
    }
}
