//! `mysql`: MySQL or MariaDB, in the tables of stock's module.

mod clean;

use crate::common::{map_of, prep_jid, required};
use crate::describe::describe_jid_ext;
use brine_dial::{Fault, Tls};
use crate::options::{Spec, options};
use crate::rows::{self, Row, pair};
use crate::{Returner, common, json};
use brine_core::call::{CallError, Cx, Result};
use brine_core::text::python_str;
use brine_core::{Map, Secret, Value, map};
use brine_dial::mysql::{Call, Settings};

pub(crate) static RETURNER: Returner = Returner {
    name: "mysql",
    doc: "Writes to a MySQL or MariaDB server, into stock Salt's tables `jids`, `salt_returns` and `salt_events`. \
          Options, as `mysql: {host: ...}` or `mysql.host: ...`:\n\n\
          host: salt; user: salt; pass: salt; db: salt; port: 3306;\n\
          ssl_ca, ssl_cert, ssl_key: files; any of them asks for TLS\n\n\
          Rows older than `keep_jobs_seconds` are removed, or moved to tables whose names end in `_archive` with \
          `archive_jobs: True`. To use it: salt '*' test.ping --return mysql",
    returner: Some(returner),
    event_return: Some(event_return),
    prep_jid: Some(prep_jid),
    save_load: Some(save_load),
    save_minions: Some(|_, _, _, _| Ok(())),
    get_load: Some(get_load),
    get_jid: Some(get_jid),
    get_fun: Some(get_fun),
    get_jids: Some(get_jids),
    get_jids_filter: Some(get_jids_filter),
    get_minions: Some(get_minions),
    clean_old_jobs: Some(clean::clean_old_jobs),
    ..Returner::NOTHING
};

/// What MySQL's clients hold for a breach of integrity: a key that is there already, a missing value, ...
const INTEGRITY: [&str; 10] = ["1048", "1062", "1169", "1215", "1216", "1217", "1364", "1451", "1452", "1557"];

fn settings(cx: &Cx, ret: Option<&Map>) -> Result<Settings> {
    let spec = Spec {
        name: "mysql",
        attrs: &[
            ("host", "host"),
            ("user", "user"),
            ("pass", "pass"),
            ("db", "db"),
            ("port", "port"),
            ("ssl_ca", "ssl_ca"),
            ("ssl_cert", "ssl_cert"),
            ("ssl_key", "ssl_key"),
        ],
        defaults: map! {"host" => "salt", "user" => "salt", "pass" => "salt", "db" => "salt", "port" => 3306},
        profile: None,
    };
    let found = options(cx, ret, &spec)?;
    // The word None, in any case, is as good as nothing.
    let text = |key: &str| {
        found.get(key).filter(|v| v.truthy()).map(python_str).filter(|text| !text.eq_ignore_ascii_case("none"))
    };
    // By name the host is reached through its socket, where the server may believe whoever the minion runs as: not for a
    // job that names it.
    let by_job = ret.and_then(|ret| ret.get("ret_kwargs")?.get("host")).is_some();
    let host = text("host").unwrap_or_else(|| "localhost".into());
    let host = if by_job && host == "localhost" { "127.0.0.1".into() } else { host };
    let file = |key: &str| text(key).map(Into::into);
    let tls = Tls { ca: file("ssl_ca"), cert: file("ssl_cert"), key: file("ssl_key"), ..Tls::default() };
    Ok(Settings {
        host,
        port: common::port(found.get("port"), 3306)?,
        user: text("user").unwrap_or_default(),
        password: text("pass").map(Secret::new).unwrap_or_default(),
        db: text("db").unwrap_or_default(),
        tls: (tls.ca.is_some() || tls.cert.is_some() || tls.key.is_some()).then_some(tls),
    })
}

fn connect(cx: &Cx, ret: Option<&Map>) -> Result<Call> {
    brine_dial::mysql::lend(&settings(cx, ret)?).map_err(|e| {
        CallError::exception(
            "salt.exceptions.SaltMasterError",
            format!("MySQL returner could not connect to database: {e}"),
        )
    })
}

/// Rows of a query.
fn query(cx: &Cx, sql: &str, params: &[&str]) -> Result<Vec<Row>> {
    Ok(connect(cx, None)?.execute(sql, params)?)
}

/// Text as the drivers put a value into a statement: a boolean is a number to them. A list is its members with commas.
fn text(value: &Value) -> String {
    match value {
        Value::Bool(b) => i32::from(*b).to_string(),
        Value::List(list) => list.iter().map(python_str).collect::<Vec<_>>().join(","),
        other => python_str(other),
    }
}

fn returner(cx: &Cx, ret: &Map) -> Result<()> {
    let mut ret = ret.clone();
    // A job that a minion made by itself has no id yet.
    if ret.get_str("jid") == Some("req") {
        let jid = prep_jid(cx, ret.get("nocache").is_some_and(Value::truthy), None)?;
        ret.insert("jid", jid.as_str());
        save_load(cx, &jid, &ret, None)?;
    }
    let fields = [
        text(required(&ret, "fun")?),
        text(required(&ret, "jid")?),
        json(required(&ret, "return")?)?,
        text(required(&ret, "id")?),
        text(ret.get("success").unwrap_or(&Value::Bool(false))),
        json(&Value::Map(ret.clone()))?,
    ];
    let mut client = match connect(cx, Some(&ret)) {
        Ok(client) => client,
        Err(e) => {
            tracing::error!(critical = true, "{}", crate::reason(&e));
            let text = "Could not store return with MySQL returner. MySQL server unavailable.";
            tracing::error!(critical = true, "{text}");
            return Ok(());
        }
    };
    client.execute(
        "INSERT INTO `salt_returns` (`fun`, `jid`, `return`, `id`, `success`, `full_ret`) VALUES (?, ?, ?, ?, ?, ?)",
        &fields.each_ref().map(String::as_str),
    )?;
    Ok(client.simple("COMMIT")?)
}

fn event_return(cx: &Cx, events: &[Value]) -> Result<()> {
    let mut client = connect(cx, None)?;
    let id = cx.opts.str("id");
    for event in events {
        let tag = event.get("tag").map(text).unwrap_or_default();
        let data = json(event.get("data").unwrap_or(&"".into()))?;
        client.execute(
            "INSERT INTO `salt_events` (`tag`, `data`, `master_id`) VALUES (?, ?, ?)",
            &[&tag, &data, id],
        )?;
    }
    Ok(client.simple("COMMIT")?)
}

fn save_load(cx: &Cx, jid: &str, load: &Map, _: Option<&[String]>) -> Result<()> {
    let data = json(&Value::Map(load.clone()))?;
    let mut client = connect(cx, None)?;
    match client.execute("INSERT INTO `jids` (`jid`, `load`) VALUES (?, ?)", &[jid, &data]) {
        Ok(_) => Ok(client.simple("COMMIT")?),
        // The job is there already.
        Err(Fault::Refused { code, .. }) if INTEGRITY.contains(&code.as_str()) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

fn get_load(cx: &Cx, jid: &str) -> Result<Map> {
    rows::load(query(cx, "SELECT `load` FROM `jids` WHERE `jid` = ?", &[jid])?)
}

fn get_jid(cx: &Cx, jid: &str) -> Result<Map> {
    rows::returns(query(cx, "SELECT `id`, `full_ret` FROM `salt_returns` WHERE `jid` = ?", &[jid])?)
}

fn get_fun(cx: &Cx, fun: &str) -> Result<Map> {
    let sql = "SELECT s.`id`, s.`full_ret` FROM `salt_returns` s \
               JOIN (SELECT MAX(`jid`) AS jid FROM `salt_returns` GROUP BY `fun`, `id`) max ON s.`jid` = max.jid \
               WHERE s.`fun` = ?";
    rows::returns(query(cx, sql, &[fun])?)
}

fn get_jids(cx: &Cx) -> Result<Map> {
    rows::jobs(query(cx, "SELECT DISTINCT `jid`, `load` FROM `jids`", &[])?)
}

fn get_jids_filter(cx: &Cx, count: usize, filter_find_job: bool) -> Result<Vec<Value>> {
    let filter = if filter_find_job { r#"WHERE `load` NOT LIKE '%"fun": "saltutil.find_job"%'"# } else { "" };
    let sql = format!(
        "SELECT * FROM (SELECT DISTINCT `jid`, `load` FROM `jids` {filter} ORDER BY `jid` DESC LIMIT {count}) `tmp` \
         ORDER BY `jid`"
    );
    let each = |(jid, load): (String, String)| Ok(describe_jid_ext(&jid, &map_of(&load)?).into());
    query(cx, &sql, &[])?.into_iter().map(pair).map(each).collect()
}

fn get_minions(cx: &Cx) -> Result<Vec<Value>> {
    Ok(rows::minions(query(cx, "SELECT DISTINCT `id` FROM `salt_returns`", &[])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::host::NoHost;
    use brine_core::{Opts, Registry};
    use std::sync::Arc;

    #[test]
    fn a_job_does_not_get_to_the_socket() {
        let opts = Arc::new(Opts::new(map! {"mysql.host" => "localhost", "mysql.pass" => "None"}));
        let cx = Cx::new(opts, Arc::new(Registry::default()), Arc::new(NoHost));
        let host = |ret: Map| settings(&cx, Some(&ret)).unwrap().host;
        assert_eq!(host(Map::new()), "localhost");
        assert_eq!(host(map! {"ret_kwargs" => map! {"db" => "x"}}), "localhost");
        assert_eq!(host(map! {"ret_kwargs" => map! {"host" => "localhost"}}), "127.0.0.1");
    }
}
