//! `postgres`: PostgreSQL, with JSON in columns of text, in the tables of stock's module.

use crate::common::{self, prep_jid, required};
use brine_dial::Fault;
use crate::options::{Spec, options};
use crate::pg_text::text;
use brine_dial::pg::{self, Call, Mode, Settings};
use crate::rows::{self, Row};
use crate::{Returner, json};
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Secret, Value, map};

pub(crate) static RETURNER: Returner = Returner {
    name: "postgres",
    doc: "Writes to a PostgreSQL server, JSON as text, into stock Salt's tables `jids`, `salt_returns` and \
          `salt_events`. Options, as `returner.postgres: {host: ...}` or `returner.postgres.host: ...`:\n\n\
          host: localhost, a directory for a socket; port: 5432; user: salt; passwd: salt; db: salt\n\n\
          To use it: salt '*' test.ping --return postgres",
    returner: Some(returner),
    event_return: Some(event_return),
    prep_jid: Some(prep_jid),
    save_load: Some(save_load),
    save_minions: Some(|_, _, _, _| Ok(())),
    get_load: Some(get_load),
    get_jid: Some(get_jid),
    get_fun: Some(get_fun),
    get_jids: Some(get_jids),
    get_minions: Some(get_minions),
    ..Returner::NOTHING
};

fn settings(cx: &Cx, ret: Option<&Map>) -> Result<Settings> {
    let spec = Spec {
        name: "returner.postgres",
        attrs: &[("host", "host"), ("user", "user"), ("passwd", "passwd"), ("db", "db"), ("port", "port")],
        defaults: map! {"host" => "localhost", "user" => "salt", "passwd" => "salt", "db" => "salt", "port" => 5432},
        profile: None,
    };
    let found = options(cx, ret, &spec)?;
    let text = |key: &str| found.get(key).map(python_str).unwrap_or_default();
    Ok(Settings {
        hosts: text("host"),
        port: common::port(found.get("port"), 5432)?,
        user: text("user"),
        password: Secret::new(text("passwd")),
        db: text("db"),
        connect_timeout: None,
        mode: Mode::default(),
        ca: None,
        crl: None,
        cert: None,
        key: None,
    })
}

const UNREACHABLE: &str = "salt.exceptions.SaltMasterError";

fn connect(cx: &Cx, ret: Option<&Map>) -> Result<Call> {
    let settings = settings(cx, ret)?;
    pg::lend(&settings).map_err(|e| {
        CallError::exception(UNREACHABLE, format!("postgres returner could not connect to database: {e}"))
    })
}

fn returner(cx: &Cx, ret: &Map) -> Result<()> {
    let fields = [
        text(required(ret, "fun")?),
        text(required(ret, "jid")?),
        json(required(ret, "return")?)?,
        text(required(ret, "id")?),
        text(ret.get("success").unwrap_or(&Value::Bool(false))),
        json(&Value::Map(ret.clone()))?,
    ];
    let Ok(mut pg) = connect(cx, Some(ret)).inspect_err(|e| tracing::debug!("{}", crate::reason(e))) else {
        let text = "Could not store return with postgres returner. PostgreSQL server unavailable.";
        tracing::error!(critical = true, "{text}");
        return Ok(());
    };
    pg.query(
        "INSERT INTO salt_returns (fun, jid, return, id, success, full_ret) VALUES ($1, $2, $3, $4, $5, $6)",
        &fields.each_ref().map(String::as_str),
    )?;
    Ok(())
}

fn event_return(cx: &Cx, events: &[Value]) -> Result<()> {
    let mut rows = Vec::new();
    for event in events {
        let data = json(event.get("data").unwrap_or(&"".into()))?;
        rows.push((event.get("tag").map(text).unwrap_or_default(), data));
    }
    let id = cx.opts.str("id");
    Ok(connect(cx, None)?.transaction(|pg| {
        for (tag, data) in &rows {
            pg.query("INSERT INTO salt_events (tag, data, master_id) VALUES ($1, $2, $3)", &[tag, data, id])?;
        }
        Ok(())
    })?)
}

fn save_load(cx: &Cx, jid: &str, load: &Map, _: Option<&[String]>) -> Result<()> {
    let data = json(&Value::Map(load.clone()))?;
    match connect(cx, None)?.query("INSERT INTO jids (jid, load) VALUES ($1, $2)", &[jid, &data]) {
        // A breach of integrity (class 23): the job is there already.
        Err(Fault::Refused { code, .. }) if code.starts_with("23") => Ok(()),
        other => Ok(other.map(drop)?),
    }
}

fn query(cx: &Cx, sql: &str, params: &[&str]) -> Result<Vec<Row>> {
    Ok(connect(cx, None)?.query(sql, params)?)
}

fn get_load(cx: &Cx, jid: &str) -> Result<Map> {
    rows::load(query(cx, "SELECT load FROM jids WHERE jid = $1", &[jid])?)
}

fn get_jid(cx: &Cx, jid: &str) -> Result<Map> {
    rows::returns(query(cx, "SELECT id, full_ret FROM salt_returns WHERE jid = $1", &[jid])?)
}

fn get_fun(cx: &Cx, fun: &str) -> Result<Map> {
    let sql = "SELECT s.id, s.full_ret FROM salt_returns s \
               JOIN (SELECT MAX(jid) AS jid FROM salt_returns GROUP BY fun, id) max ON s.jid = max.jid \
               WHERE s.fun = $1";
    rows::returns(query(cx, sql, &[fun])?)
}

fn get_jids(cx: &Cx) -> Result<Map> {
    rows::jobs(query(cx, "SELECT jid, load FROM jids", &[])?)
}

fn get_minions(cx: &Cx) -> Result<Vec<Value>> {
    Ok(rows::minions(query(cx, "SELECT DISTINCT id FROM salt_returns", &[])?))
}
