//! Old rows go, or move to the archive.

use brine_dial::mysql::Client;
use super::connect;
use brine_dial::Fault;
use brine_core::call::{CallError, Cx, Result};

/// Which rows of each table are old; those of `jids` first, since they are found by their returns.
const OLD: [(&str, &str); 3] = [
    ("jids", "`jid` IN (SELECT DISTINCT `jid` FROM `salt_returns` WHERE `alter_time` < ?)"),
    ("salt_returns", "`alter_time` < ?"),
    ("salt_events", "`alter_time` < ?"),
];

pub(super) fn clean_old_jobs(cx: &Cx) -> Result<()> {
    let keep = cx.opts.keep_jobs_seconds();
    if keep <= 0 {
        return Ok(());
    }
    let mut client = connect(cx, None)?;
    let sql = "SELECT CAST(DATE_SUB(NOW(), INTERVAL ? SECOND) AS CHAR)";
    let found = client.execute(sql, &[&keep.to_string()]).map_err(|e| {
        failed("Mysql returner was unable to get timestamp for purge/archive of jobs", &e)
    })?;
    let stamp = found.into_iter().flatten().next().flatten();
    let stamp = stamp.ok_or(Fault::Nonsense("no time"))?;
    if cx.opts.flag("archive_jobs") {
        archive(&mut client, &stamp)?;
    }
    for (table, old) in OLD {
        let text = format!("mysql returner archiver was unable to delete contents of table '{table}'");
        step(&mut client, &format!("DELETE FROM `{table}` WHERE {old}"), &[&stamp], &text)?;
    }
    Ok(())
}

fn archive(client: &mut Client, stamp: &str) -> Result<()> {
    for (table, _) in OLD {
        let text = "mysql returner archiver was unable to create the archive tables.";
        step(client, &format!("CREATE TABLE IF NOT EXISTS {table}_archive LIKE {table}"), &[], text)?;
    }
    for (table, old) in OLD {
        let text = format!("mysql returner archiver was unable to copy contents of table '{table}'");
        let sql = format!("INSERT INTO `{table}_archive` SELECT * FROM `{table}` WHERE {old}");
        step(client, &sql, &[stamp], &text)?;
    }
    Ok(())
}

fn step(client: &mut Client, sql: &str, params: &[&str], text: &str) -> Result<()> {
    client.execute(sql, params).and_then(|_| client.simple("COMMIT")).map_err(|e| failed(text, &e))
}

fn failed(text: &str, e: &Fault) -> CallError {
    tracing::error!("{text}");
    tracing::error!("{e}");
    CallError::exception("salt.exceptions.SaltRunnerError", e.to_string())
}
