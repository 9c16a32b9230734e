//! `mysql` and `postgres`: queries over a server. In a query, `%s` is the minion's id and `%%` a percent sign; the id is bound as a
//! parameter. What has no place in pillar comes as text: decimal numbers, times of day.

use super::sql::{Database, Fault, Table, fetch, marked, option};
use super::{Asked, Source};
use brine_core::{Map, Secret, Value};
use brine_dial::{Cell, Check, Selected, Tls, mysql, pg};
use brine_python::{Kind, Obj, PyErr, R};

pub(super) const MYSQL: Source =
    Source { name: "mysql", run: |asked, args| fetch(args, asked.id, || connect_mysql(asked)) };
pub(super) const POSTGRES: Source =
    Source { name: "postgres", run: |asked, args| fetch(args, asked.id, || connect_postgres(asked)) };

fn options<'a>(asked: &'a Asked<'_>, name: &str) -> Option<&'a Map> {
    asked.opts().get(name).and_then(Value::as_map)
}

fn port(options: Option<&Map>, usual: u16) -> R<u16> {
    let Some(port) = options.and_then(|options| options.get("port")) else { return Ok(usual) };
    let number = brine_python::int(&Obj::from(port), None)?;
    let Obj::Int(number) = number else { return Err(PyErr::overflow("port must be 0-65535.")) };
    u16::try_from(number).map_err(|_| PyErr::overflow("port must be 0-65535."))
}

fn unreachable(e: brine_dial::Fault) -> PyErr {
    PyErr::new(Kind::Other("OperationalError"), e.to_string())
}

struct Mysql(mysql::Call);

fn connect_mysql(asked: &Asked<'_>) -> R<Mysql> {
    let given = options(asked, "mysql");
    let settings = mysql::Settings {
        host: option(given, "host", "localhost")?,
        port: port(given, 3306)?,
        user: option(given, "user", "salt")?,
        password: Secret::new(option(given, "pass", "salt")?),
        db: option(given, "db", "salt")?,
        tls: given.and_then(|given| given.get("ssl")).and_then(Value::as_map).and_then(tls),
    };
    mysql::lend(&settings).map(Mysql).map_err(unreachable)
}

/// `ssl` of the options, if there is anything in it.
fn tls(ssl: &Map) -> Option<Tls> {
    if ssl.is_empty() {
        return None;
    }
    let file = |key: &str| ssl.get_str(key).map(Into::into);
    let check = if ssl.contains("ca") { Check::Full } else { Check::Nothing };
    Some(Tls { ca: file("ca"), crl: None, cert: file("cert"), key: file("key"), check })
}

impl Database for Mysql {
    const NAME: &'static str = "MySQL";

    fn query(&mut self, sql: &str, id: &str) -> Result<Table, Fault> {
        match marked(sql, "?")? {
            (sql, 1) => table(self.0.select(&sql, &[id])),
            _ => Err(Fault::Refused("another number of parameters than the one that there is".into())),
        }
    }
}

struct Postgres(pg::Call);

fn connect_postgres(asked: &Asked<'_>) -> R<Postgres> {
    let given = options(asked, "postgres");
    let settings = pg::Settings {
        hosts: option(given, "host", "localhost")?,
        port: port(given, 5432)?,
        user: option(given, "user", "salt")?,
        password: Secret::new(option(given, "pass", "salt")?),
        db: option(given, "db", "salt")?,
        connect_timeout: None,
        mode: pg::Mode::default(),
        ca: None,
        crl: None,
        cert: None,
        key: None,
    };
    pg::lend(&settings).map(Postgres).map_err(unreachable)
}

impl Database for Postgres {
    const NAME: &'static str = "POSTGRES";

    fn query(&mut self, sql: &str, id: &str) -> Result<Table, Fault> {
        match marked(sql, "$1")? {
            (sql, 0) => table(self.0.select(&sql, &[])),
            (sql, 1) => table(self.0.select(&sql, &[id])),
            _ => Err(PyErr::new(Kind::IndexError, "tuple index out of range").into()),
        }
    }
}

fn table(selected: Result<Selected, brine_dial::Fault>) -> Result<Table, Fault> {
    let selected = selected.map_err(|e| match e {
        brine_dial::Fault::Refused { text, .. } => Fault::Refused(text),
        e => Fault::Failed(unreachable(e)),
    })?;
    if selected.names.is_empty() {
        return Err(PyErr::ty("'NoneType' object is not iterable").into());
    }
    let mut rows = Vec::with_capacity(selected.rows.len());
    for row in selected.rows {
        let mut values = Vec::with_capacity(row.len());
        for cell in row {
            values.push(match cell {
                Cell::Value(value) => Obj::from(&value),
                Cell::Json(text) => brine_render::json::loads(&text)?,
            });
        }
        rows.push(values);
    }
    Ok(Table { names: selected.names, rows })
}
