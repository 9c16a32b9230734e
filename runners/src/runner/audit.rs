//! The record of who asked the master for what, and what became of it. Brine's own: stock keeps none.
//!
//! Names, not arguments: those of a job are with the job, and may hold secrets.

use brine_core::call::{CallError, Cx, Result, exec, module};
use brine_core::clock::{Clock, unix_now};
use brine_core::jid::is_jid;
use brine_core::target::fnmatch;
use brine_core::{Map, Value, map};
use brine_store::jobs::{AuditRow, Shelf};

use super::jobs::store_error;
use crate::dates;
use crate::host::master;

module! { "audit": "list" => list_ }

/// What one look shows at most.
const MOST: usize = 10_000;

/// Texts of strangers are among it: none may steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The second since 1970 that a date names on this machine's clock.
fn since(given: &Value) -> Result<u64> {
    let wrong = || CallError::invocation("'since' is a date, or a number of seconds back from now");
    let seconds = match given {
        Value::Int(back) => unix_now() as i64 - i64::try_from(*back).map_err(|_| wrong())?,
        Value::Float(back) => (unix_now() - back) as i64,
        Value::Str(text) => {
            let wall = dates::parse(text, dates::now())?.moment.micros().div_euclid(1_000_000);
            // The clock may have been changed between then and now.
            let near = wall - Clock::local(unix_now() as i64).offset;
            wall - Clock::local(near).offset
        }
        _ => return Err(wrong()),
    };
    Ok(u64::try_from(seconds).unwrap_or(0))
}

/// How many minions returned for a job, and which of them failed.
fn result(shelf: &Shelf, jid: &str) -> Result<Map> {
    let mut failed = Vec::new();
    let returns = shelf.returns(jid).map_err(store_error)?;
    let count = returns.len();
    for (id, load) in returns {
        // A run of the master itself is wrapped once more.
        let run =
            load.get("return").filter(|run| run.get("fun_args").is_some() && run.get("success").is_some());
        let of = |key: &str| run.and_then(|run| run.get(key)).or_else(|| load.get(key)).cloned();
        let code = of("retcode").unwrap_or_default();
        if code.truthy() || of("success") == Some(false.into()) {
            failed.push(id);
        }
    }
    Ok(map! {"returned" => count as i64, "failed" => failed})
}

fn shown(shelf: &Shelf, row: &AuditRow) -> Result<Map> {
    let at = Clock::local(i64::try_from(row.at).unwrap_or(0));
    let mut entry = map! {
        "Time" => at.strftime("%Y-%m-%d %H:%M:%S"), "User" => plain(&row.user), "Auth" => plain(&row.auth),
        "From" => row.address.as_str(), "Kind" => row.kind.as_str(), "Function" => plain(&row.fun),
        "Outcome" => row.outcome.name(),
    };
    if !row.target.is_empty() {
        entry.insert("Target", plain(&row.target));
    }
    if is_jid(&row.jid) {
        entry.insert("JID", row.jid.as_str());
        entry.insert("Result", result(shelf, &row.jid)?);
    }
    Ok(entry)
}

/// Who asked the master for what, the newest first: jobs, runners, wheel functions and tokens, with how the caller proved
/// who he is, from where, and whether he got it (`allowed`, `forbidden`; `unknown` where he did not prove it); of jobs and
/// runs also how many returned and who failed.
///
/// `user`, `fun` and `target` are patterns; questions for running jobs (`saltutil.find_job`) are left out unless `fun` is given; `outcome` is one of the three words; `since` is a date, or a number of
/// seconds back from now; `limit` is how many are shown.
///
/// CLI Example: salt-run audit.list user=fred fun='cmd.*' since='2026-11-25 10:00' limit=20
#[exec]
fn list_(
    cx: &Cx,
    user: Option<String>,
    fun: Option<String>,
    target: Option<String>,
    outcome: Option<String>,
    #[default("")] since: Value,
    #[default(50)] limit: usize,
) -> Result<Vec<Value>> {
    let from = if since.truthy() { self::since(&since)? } else { 0 };
    let fits = |pattern: &Option<String>, text: &str| pattern.as_ref().is_none_or(|p| fnmatch(text, p));
    let wanted = |row: &AuditRow| {
        (fun.is_some() || row.fun != "saltutil.find_job")
            && fits(&user, &row.user)
            && fits(&target, &row.target)
            // A job of several functions is found by any of them.
            && (fits(&fun, &row.fun) || row.fun.split(',').any(|one| fits(&fun, one)))
            && outcome.as_ref().is_none_or(|o| row.outcome.name() == o)
    };
    let shelf = &master(cx)?.jobs;
    let rows = shelf.audit(from, limit.min(MOST), wanted).map_err(store_error)?;
    rows.iter().map(|row| Ok(shown(shelf, row)?.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;
    use brine_store::jobs::{Caps, Db, Outcome};

    fn row(user: &str, at: u64, fun: &str, jid: &str, outcome: Outcome) -> AuditRow {
        AuditRow {
            at,
            user: user.into(),
            auth: "eauth:pam".into(),
            address: "127.0.0.1".into(),
            kind: "publish".into(),
            fun: fun.into(),
            target: "web*".into(),
            jid: jid.into(),
            outcome,
        }
    }

    #[tokio::test]
    async fn the_record_is_searched_and_shown_with_results() {
        let tmp = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(tmp.path().join("cache/job_store")).unwrap();
        let caps = Caps { max_age: 0, max_bytes: 1 << 30 };
        let (db, _thread) = Db::open(&tmp.path().join("cache/job_store/returns.sqlite"), caps).unwrap();
        let jid = "20261125211500000001";
        let now = unix_now() as u64;
        db.record(row("fred", now - 5000, "test.ping", "", Outcome::Allowed));
        db.record(row("fred", now - 10, "cmd.run,test.ping", jid, Outcome::Allowed));
        db.record(row("\u{1b}[31meve", now, "cmd.run", "", Outcome::Unknown));
        for (id, code) in [("web1", 0), ("web2", 3)] {
            let data = map! {"return" => "x", "retcode" => code, "success" => true};
            let data = brine_protocol::msgpack::encode_map(&data, brine_protocol::msgpack::Dialect::New);
            db.put_return(jid.into(), id.into(), data, now).await.unwrap();
        }
        let cx = Fake::default().cx(Kind::Runner, tmp.path(), Map::new());
        let list = |args: Args| match call(&cx, "audit.list", args).unwrap() {
            Value::List(rows) => rows,
            other => panic!("{other:?}"),
        };
        db.record(row("fred", now - 20, "saltutil.find_job", "", Outcome::Allowed));
        db.put_return("9".into(), "web1".into(), Vec::new(), now).await.unwrap();
        let all = list(Args::none());
        assert_eq!(all.len(), 3);
        assert_eq!(all[0].get("User"), Some(&"?[31meve".into()));
        assert_eq!(all[0].get("Outcome"), Some(&"unknown".into()));
        assert_eq!(all[0].get("JID"), None);
        let result = map! {"returned" => 2, "failed" => vec!["web2"]};
        assert_eq!(all[1].get("Result"), Some(&result.into()));
        assert_eq!(list(Args::none().with("user", "fred")).len(), 2);
        assert_eq!(list(Args::none().with("fun", "cmd.*")).len(), 2);
        assert_eq!(list(Args::none().with("fun", "saltutil.*")).len(), 1);
        assert_eq!(list(Args::none().with("fun", "test.*").with("since", 60)).len(), 1);
        assert_eq!(list(Args::none().with("since", "2000-01-01")).len(), 3);
        assert_eq!(list(Args::none().with("since", "9000-01-01")).len(), 0);
        assert_eq!(list(Args::none().with("limit", 1)).len(), 1);
        assert_eq!(list(Args::none().with("outcome", "allowed").with("target", "web?")).len(), 2);
        let wrong = call(&cx, "audit.list", Args::none().with("since", "no date")).unwrap_err();
        assert!(wrong.to_string().starts_with("dateutil.parser._parser.ParserError: "));
    }
}
