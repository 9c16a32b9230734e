//! The sinks of alerts, by what their queues on disk say: no running master is asked.

use std::time::SystemTime;

use brine_alerts::queue::{Ledger, QueueError, RETRY_TAG};
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::{Map, Value, map};

use crate::alerting::{dir, labels, span, when};
use crate::host::master;

/// Dead letters that are shown where nobody says how many.
const SHOWN: i64 = 50;

/// The queues; nothing where no master has had sinks.
fn ledger(cx: &Cx) -> Result<Option<Ledger>> {
    Ledger::beside(dir(cx).path()).map_err(failed)
}

fn failed(e: QueueError) -> CallError {
    CallError::execution(e.to_string())
}

fn count(n: u64) -> Value {
    i64::try_from(n).unwrap_or(i64::MAX).into()
}

/// The sinks, also former ones: how many notices each was to tell (`put`), and how many of these were delivered, wait (`queued`, and
/// for how long) or were given up (`dead`); and what went wrong last.
///
/// CLI Example: salt-run alerts.sinks
#[exec]
pub(super) fn sinks(cx: &Cx) -> Result<Map> {
    let Some(ledger) = ledger(cx)? else { return Ok(Map::new()) };
    let now = SystemTime::now();
    let row = |report: brine_alerts::queue::SinkReport| {
        let mut row = map! {
            "put" => count(report.put), "delivered" => count(report.delivered), "queued" => count(report.queued),
            "dead" => count(report.dead),
        };
        if let Some(oldest) = report.oldest {
            row.insert("waits_for", span(now.duration_since(oldest).unwrap_or_default()));
        }
        if let Some(at) = report.delivered_at {
            row.insert("last_delivered", when(at));
        }
        if let Some((error, at)) = report.error {
            row.insert("last_error", error);
            row.insert("last_error_at", when(at));
        }
        (Value::from(report.sink), Value::from(row))
    };
    Ok(ledger.report().map_err(failed)?.into_iter().map(row).collect())
}

/// The notices that were given up, of one sink or of all, the newest first, with the reason. The last thousand of each sink are kept.
///
/// CLI Example: salt-run alerts.dead_letters mail limit=10
#[exec]
pub(super) fn dead_letters(cx: &Cx, sink: Option<String>, limit: Option<i64>) -> Result<Value> {
    let limit = usize::try_from(limit.unwrap_or(SHOWN));
    let limit = limit.map_err(|_| CallError::invocation("limit has to be a number of letters"))?;
    let Some(ledger) = ledger(cx)? else { return Ok(Value::List(Vec::new())) };
    let rows = ledger.dead(sink.as_deref(), limit).map_err(failed)?.into_iter().map(|dead| {
        let mut row = map! {
            "sink" => dead.sink, "id" => dead.id, "why" => dead.why, "put" => when(dead.put_at),
            "given_up" => when(dead.died_at), "tries" => i64::from(dead.tries),
        };
        if let Some(notice) = dead.notice {
            row.insert("status", notice.status.text());
            row.insert("labels", labels(&notice.labels));
            row.insert("annotations", labels(&notice.annotations));
        }
        Value::from(row)
    });
    Ok(rows.collect())
}

/// Lets the notices that were given up wait again, of one sink or of all, as if they had just been put; how many.
///
/// CLI Example: salt-run alerts.retry_dead mail
#[exec]
pub(super) fn retry_dead(cx: &Cx, sink: Option<String>) -> Result<i64> {
    let Some(mut ledger) = ledger(cx)? else { return Ok(0) };
    if let Some(sink) = &sink {
        let known: Vec<String> = ledger.report().map_err(failed)?.into_iter().map(|one| one.sink).collect();
        if !known.contains(sink) {
            return Err(CallError::invocation(format!("There is no sink '{sink}': {}", known.join(", "))));
        }
    }
    let revived = ledger.revive(sink.as_deref(), SystemTime::now()).map_err(failed)?;
    if revived > 0
        && let Err(e) = master(cx)?.side.fire(RETRY_TAG, map! {})
    {
        tracing::warn!("no master was told; one that starts will send them: {e}");
    }
    Ok(i64::try_from(revived).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use brine_alerts::queue::{Queue, Taken, Waiting};
    use brine_alerts::{Labels, Notice, Status};
    use brine_core::call::Args;

    use super::*;
    use crate::Kind as RunKind;
    use crate::fake::{Fake, call};

    #[test]
    fn what_was_given_up_is_shown_and_waits_again() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cx = fake.cx(RunKind::Runner, tmp.path(), map! {"alerts" => true});
        assert_eq!(call(&cx, "alerts.sinks", Args::none()).unwrap(), Map::new().into());
        assert_eq!(call(&cx, "alerts.retry_dead", Args::none()).unwrap(), 0.into());

        let queue = Queue::open(dir(&cx).path()).unwrap();
        queue.know("mail").unwrap();
        let how = Waiting { most: 9, group_by: None, group_wait: Duration::ZERO, batch: 9 };
        let labels: Labels = [("alertname".to_owned(), "A".to_owned())].into();
        let notice = Notice {
            status: Status::Firing,
            labels,
            annotations: Labels::new(),
            starts_at: UNIX_EPOCH,
            ends_at: None,
        };
        let now = SystemTime::now();
        queue.put(&notice, &[("mail", &how)], now).unwrap();
        let Taken::Items(items) = queue.take("mail", &how, Duration::ZERO, now).unwrap() else { panic!() };
        queue.dead("mail", &items, "no such box", now).unwrap();

        let sinks = call(&cx, "alerts.sinks", Args::none()).unwrap();
        let of = |key: &str| sinks.get("mail").unwrap().get(key).cloned();
        assert_eq!((of("put"), of("dead"), of("queued")), (Some(1.into()), Some(1.into()), Some(0.into())));
        assert_eq!(of("last_error"), Some("no such box".into()));
        let dead = call(&cx, "alerts.dead_letters", Args::positional(["mail"])).unwrap();
        let dead = &dead.as_list().unwrap()[0];
        assert_eq!((dead.get("why"), dead.get("status")), (Some(&"no such box".into()), Some(&"firing".into())));
        assert!(call(&cx, "alerts.retry_dead", Args::positional(["male"])).is_err());
        assert!(fake.record.lock().fired.is_empty());
        assert_eq!(call(&cx, "alerts.retry_dead", Args::positional(["mail"])).unwrap(), 1.into());
        assert_eq!(fake.record.lock().fired.len(), 1);
        assert_eq!(queue.report().unwrap()[0].queued, 1);
    }
}
