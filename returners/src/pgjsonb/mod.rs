//! `pgjsonb`: PostgreSQL, with JSON in columns of type `jsonb`, in the tables of stock's module.

mod clean;

use crate::common::{self, prep_jid, required};
use brine_dial::Fault;
use crate::options::{Spec, options};
use crate::pg_text::text;
use brine_dial::pg::{self, Call, Mode, Settings};
use crate::rows::{self, Row};
use crate::{Returner, json};
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Secret, Value, clock, map};
use std::time::Duration;

pub(crate) static RETURNER: Returner = Returner {
    name: "pgjsonb",
    doc: "Writes to a PostgreSQL server, JSON as jsonb, into stock Salt's tables `jids`, `salt_returns` and \
          `salt_events`. Options, as `returner.pgjsonb: {host: ...}` or `returner.pgjsonb.host: ...`:\n\n\
          host: localhost, a directory for a socket; port: 5432; user: salt; pass: salt; db: salt;\n\
          connect_timeout: seconds; sslmode: disable, allow, prefer, require, verify-ca or verify-full;\n\
          sslrootcert, sslcert, sslkey, sslcrl: files\n\n\
          Rows older than `keep_jobs_seconds` are removed, or moved to tables whose names end in `_archive` with \
          `archive_jobs: True`. To use it: salt '*' test.ping --return pgjsonb",
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
    clean_old_jobs: Some(clean::clean_old_jobs),
    ..Returner::NOTHING
};

fn settings(cx: &Cx, ret: Option<&Map>) -> Result<Settings> {
    let spec = Spec {
        name: "returner.pgjsonb",
        attrs: &[
            ("host", "host"),
            ("user", "user"),
            ("pass", "pass"),
            ("db", "db"),
            ("port", "port"),
            ("connect_timeout", "connect_timeout"),
            ("sslmode", "sslmode"),
            ("sslcert", "sslcert"),
            ("sslkey", "sslkey"),
            ("sslrootcert", "sslrootcert"),
            ("sslcrl", "sslcrl"),
        ],
        defaults: map! {"host" => "localhost", "user" => "salt", "pass" => "salt", "db" => "salt", "port" => 5432},
        profile: None,
    };
    let found = options(cx, ret, &spec)?;
    let text = |key: &str| found.get(key).map(python_str).unwrap_or_default();
    // Stock's documentation writes `None` for what is not set.
    let given = |key: &str| Some(text(key)).filter(|text| !text.is_empty() && text != "None");
    let file = |key: &str| given(key).map(Into::into);
    let invalid = |what: &str, value: &str| CallError::exception(UNREACHABLE, format!("invalid {what} value: \"{value}\""));
    let mode = given("sslmode").map(|mode| Mode::parse(&mode).ok_or_else(|| invalid("sslmode", &mode)));
    let timeout = given("connect_timeout")
        .map(|s| s.trim().parse::<i64>().map_err(|_| invalid("connect_timeout", &s)))
        .transpose()?;
    Ok(Settings {
        hosts: text("host"),
        port: common::port(found.get("port"), 5432)?,
        user: text("user"),
        password: Secret::new(text("pass")),
        db: text("db"),
        connect_timeout: timeout.and_then(|s| u64::try_from(s).ok()).filter(|s| *s > 0).map(Duration::from_secs),
        mode: mode.transpose()?.unwrap_or_default(),
        ca: file("sslrootcert"),
        crl: file("sslcrl"),
        cert: file("sslcert"),
        key: file("sslkey"),
    })
}

const UNREACHABLE: &str = "salt.exceptions.SaltMasterError";

fn connect(cx: &Cx, ret: Option<&Map>) -> Result<Call> {
    pg::lend(&settings(cx, ret)?).map_err(|e| {
        CallError::exception(UNREACHABLE, format!("pgjsonb returner could not connect to database: {e}"))
    })
}

/// What is told of a return or of events that could not be kept; no error, as in stock.
fn lost(stored: Result<std::result::Result<(), Fault>>, unreachable: &str, failed: &str) {
    match stored {
        Ok(Ok(())) => {}
        Err(e) => {
            tracing::error!(critical = true, "{unreachable}");
            tracing::debug!("{}", crate::reason(&e));
        }
        Ok(Err(e)) => tracing::error!("{failed}\n{e}"),
    }
}

fn returner(cx: &Cx, ret: &Map) -> Result<()> {
    let fields = [
        text(required(ret, "fun")?),
        text(required(ret, "jid")?),
        json(required(ret, "return")?)?,
        text(required(ret, "id")?),
        text(ret.get("success").unwrap_or(&Value::Bool(false))),
        json(&Value::Map(ret.clone()))?,
        clock::unix_now().to_string(),
    ];
    let stored = connect(cx, Some(ret)).map(|mut pg| {
        let sql = "INSERT INTO salt_returns (fun, jid, return, id, success, full_ret, alter_time) \
                   VALUES ($1, $2, $3::text::jsonb, $4, $5, $6::text::jsonb, to_timestamp($7::text::float8))";
        pg.query(sql, &fields.each_ref().map(String::as_str)).map(drop)
    });
    let (jid, id) = (&fields[1], &fields[3]);
    lost(
        stored,
        &format!("pgjsonb: PostgreSQL unavailable, dropping return for jid={jid} id={id}"),
        &format!("pgjsonb: failed to store return for jid={jid} id={id}"),
    );
    Ok(())
}

fn event_return(cx: &Cx, events: &[Value]) -> Result<()> {
    let mut rows = Vec::new();
    for event in events {
        let data = json(event.get("data").unwrap_or(&"".into()))?;
        rows.push((event.get("tag").map(text).unwrap_or_default(), data));
    }
    let (id, now) = (cx.opts.str("id"), clock::unix_now().to_string());
    let sql = "INSERT INTO salt_events (tag, data, master_id, alter_time) \
               VALUES ($1, $2::text::jsonb, $3, to_timestamp($4::text::float8))";
    let stored = connect(cx, None).map(|mut pg| {
        pg.transaction(|pg| rows.iter().try_for_each(|(tag, data)| pg.query(sql, &[tag, data, id, &now]).map(drop)))
    });
    let count = events.len();
    lost(
        stored,
        &format!("pgjsonb: PostgreSQL unavailable, dropping {count} event(s)"),
        &format!("pgjsonb: failed to store {count} event(s)"),
    );
    Ok(())
}

fn save_load(cx: &Cx, jid: &str, load: &Map, _: Option<&[String]>) -> Result<()> {
    let sql = "INSERT INTO jids (jid, load) VALUES ($1, $2::text::jsonb) \
               ON CONFLICT (jid) DO UPDATE SET load = $2::text::jsonb";
    connect(cx, None)?.query(sql, &[jid, &json(&Value::Map(load.clone()))?])?;
    Ok(())
}

fn query(cx: &Cx, sql: &str, params: &[&str]) -> Result<Vec<Row>> {
    Ok(connect(cx, None)?.query(sql, params)?)
}

fn get_load(cx: &Cx, jid: &str) -> Result<Map> {
    rows::load(query(cx, "SELECT load::text FROM jids WHERE jid = $1", &[jid])?)
}

fn get_jid(cx: &Cx, jid: &str) -> Result<Map> {
    rows::returns(query(cx, "SELECT id, full_ret::text FROM salt_returns WHERE jid = $1", &[jid])?)
}

fn get_fun(cx: &Cx, fun: &str) -> Result<Map> {
    let sql = "SELECT DISTINCT ON (id) id, full_ret::text FROM salt_returns WHERE fun = $1 \
               ORDER BY id, alter_time DESC";
    rows::returns(query(cx, sql, &[fun])?)
}

fn get_jids(cx: &Cx) -> Result<Map> {
    rows::jobs(query(cx, "SELECT jid, load::text FROM jids", &[])?)
}

fn get_minions(cx: &Cx) -> Result<Vec<Value>> {
    Ok(rows::minions(query(cx, "SELECT DISTINCT id FROM salt_returns", &[])?))
}
