//! Old rows go, or move to the archive. A failure is logged and is no error, as in stock.

use super::connect;
use brine_dial::Fault;
use brine_dial::pg::Pg;
use brine_core::call::{Cx, Result};

/// Which rows of each table are old. A job is when all of its returns are, and none before it has any.
const OLD: [(&str, &str); 3] = [
    (
        "jids",
        "EXISTS (SELECT 1 FROM salt_returns r WHERE r.jid = t.jid) AND NOT EXISTS \
         (SELECT 1 FROM salt_returns r WHERE r.jid = t.jid AND r.alter_time >= $1::text::timestamptz)",
    ),
    ("salt_returns", "alter_time < $1::text::timestamptz"),
    ("salt_events", "alter_time < $1::text::timestamptz"),
];

pub(super) fn clean_old_jobs(cx: &Cx) -> Result<()> {
    let keep = cx.opts.keep_jobs_seconds();
    if keep <= 0 {
        return Ok(());
    }
    match connect(cx, None) {
        Err(e) => tracing::error!("{}", crate::reason(&e)),
        Ok(mut pg) => {
            if let Err(e) = clean(&mut pg, keep, cx.opts.flag("archive_jobs")) {
                tracing::error!("{e}");
            }
        }
    }
    Ok(())
}

fn clean(pg: &mut Pg, keep: i64, archive: bool) -> std::result::Result<(), Fault> {
    let sql = "SELECT (NOW() - $1::text::float8 * INTERVAL '1 second')::text";
    let found = pg.query(sql, &[&keep.to_string()])?;
    let stamp = found.into_iter().flatten().next().flatten().ok_or(Fault::Nonsense("no time"))?;
    if archive {
        for (table, _) in OLD {
            pg.simple(&format!("CREATE TABLE IF NOT EXISTS {table}_archive (LIKE {table})"))
                .inspect_err(|_| tracing::error!("pgjsonb: failed to create archive table for {table}"))?;
        }
        for (table, old) in OLD {
            pg.query(&format!("INSERT INTO {table}_archive SELECT t.* FROM {table} t WHERE {old}"), &[&stamp])
                .inspect_err(|_| tracing::error!("pgjsonb: failed to archive {table}"))?;
        }
    }
    for (table, old) in OLD {
        pg.query(&format!("DELETE FROM {table} t WHERE {old}"), &[&stamp])
            .inspect_err(|_| tracing::error!("pgjsonb: failed to purge {table}"))?;
    }
    Ok(())
}
