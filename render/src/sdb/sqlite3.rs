//! `sqlite3`: a table of keys and values, the values in msgpack, which stock's driver reads and writes as well.

use super::Driver;
use brine_core::call::{CallError, Result};
use brine_core::{Cx, Map, Value};
use brine_protocol::msgpack::{Dialect, decode, encode};
use rusqlite::{Connection, Statement};

pub(super) const DRIVER: Driver = Driver { name: "sqlite3", get, set };

fn failed(e: rusqlite::Error) -> CallError {
    let text = match &e {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        e => e.to_string(),
    };
    CallError::exception("OperationalError", text)
}

/// A name as SQL has it.
fn quoted(name: &str) -> Result<String> {
    if let Some(at) = name.chars().position(|c| c == '\0') {
        let text = format!(
            "'NUL-terminated utf-8' codec can't encode character '\\x00' in position {at}: NUL not allowed"
        );
        return Err(CallError::exception("UnicodeEncodeError", text));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// The database with its table, made unless the profile says otherwise, and the table's name in SQL.
fn connect(profile: &Map) -> Result<(Connection, String)> {
    let file = profile.get_str("database").ok_or_else(|| CallError::exception("KeyError", "'database'"))?;
    let connection = Connection::open(file).map_err(failed)?;
    let name = profile.get_str("table").unwrap_or("sdb");
    let (index, table) = (quoted(&format!("{name}_idx"))?, quoted(name)?);
    let statements = match profile.get("create_statements") {
        Some(Value::List(own)) if !own.is_empty() => {
            own.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ if profile.get("create_table").is_none_or(Value::truthy) => vec![
            format!("CREATE TABLE {table} (key text, value blob)"),
            format!("CREATE UNIQUE INDEX {index} ON {table} (key)"),
        ],
        _ => Vec::new(),
    };
    for statement in statements {
        // What exists already is the usual reason for a failure, and ends this.
        if connection.execute(&statement, []).is_err() {
            break;
        }
    }
    Ok((connection, table))
}

/// Binds the parameters that a statement has; an operator's own statement need not have both.
fn bind(statement: &mut Statement<'_>, key: &str, value: Option<&[u8]>) -> Result<()> {
    if let Some(at) = statement.parameter_index(":key").map_err(failed)? {
        statement.raw_bind_parameter(at, key).map_err(failed)?;
    }
    if let Some(at) = statement.parameter_index(":value").map_err(failed)? {
        statement.raw_bind_parameter(at, value).map_err(failed)?;
    }
    Ok(())
}

fn get(_: &Cx, key: &str, profile: &Map) -> Result {
    let (connection, table) = connect(profile)?;
    let query = match profile.get_str("get_query") {
        Some(own) => own.to_owned(),
        None => format!("SELECT value FROM {table} WHERE key=:key"),
    };
    let mut statement = connection.prepare(&query).map_err(failed)?;
    bind(&mut statement, key, None)?;
    match statement.raw_query().next().map_err(failed)? {
        Some(row) => {
            let bytes = row.get_ref(0).map_err(failed)?;
            let bytes =
                bytes.as_bytes_or_null().map_err(|e| CallError::exception("TypeError", e.to_string()))?;
            decode(bytes.unwrap_or_default())
                .map_err(|e| CallError::exception("UnpackException", e.to_string()))
        }
        None => Ok(Value::Nil),
    }
}

fn set(_: &Cx, key: &str, value: Value, profile: &Map) -> Result {
    let (connection, table) = connect(profile)?;
    let query = match profile.get_str("set_query") {
        Some(own) => own.to_owned(),
        None => format!("INSERT OR REPLACE INTO {table} VALUES (:key, :value)"),
    };
    let mut statement = connection.prepare(&query).map_err(failed)?;
    bind(&mut statement, key, Some(&encode(&value, Dialect::New)))?;
    statement.raw_execute().map_err(failed)?;
    Ok(true.into())
}
