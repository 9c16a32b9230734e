//! Alerts: which there are and why nobody is told, which are the noisiest, and whether one would reach anybody. Brine's own.

mod sinks;

use std::time::{Duration, Instant, SystemTime};

use brine_alerts::config::Builtin;
use brine_alerts::core::tags;
use brine_alerts::silence::SilenceId;
use brine_alerts::state::Alert;
use brine_core::call::{CallError, Cx, KwArgs, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};

use crate::alerting::{config, kept, labels, silences, span, user, when, why as reason};
use crate::host::master;
use sinks::{exec_dead_letters, exec_retry_dead, exec_sinks};

module! { "alerts": confirm, dead_letters, "list" => list_, noisiest, retry_dead, sinks, test, why }

/// The alerts that there are: firing, pending (not so for long enough yet) and suppressed (held back, with what does it); `state` shows
/// one of the three alone.
///
/// CLI Example: salt-run alerts.list
#[exec]
fn list_(cx: &Cx, state: Option<String>) -> Result<Map> {
    if let Some(state) = state.as_deref().filter(|s| !["firing", "pending", "suppressed"].contains(s)) {
        return Err(CallError::invocation(format!("There is no state '{state}': firing, pending or suppressed")));
    }
    let (kept, silences, now) = (kept(cx)?, silences(cx)?, SystemTime::now());
    let mut shown = Map::new();
    for wanted in ["firing", "pending", "suppressed"] {
        if state.as_ref().is_some_and(|state| state != wanted) {
            continue;
        }
        let mut alerts: Vec<(&String, &Alert)> =
            kept.alerts.iter().filter(|(_, alert)| alert.state() == wanted).collect();
        alerts.sort_by_key(|(_, alert)| alert.since);
        let row = |alert: &Alert| {
            let mut row = map! {
                "labels" => labels(&alert.labels), "since" => when(alert.since),
                "for" => span(now.duration_since(alert.since).unwrap_or_default()),
            };
            if let Some(summary) = alert.annotations.get("summary") {
                row.insert("summary", summary.as_str());
            }
            if !alert.hush.is_empty() {
                row.insert("by", alert.hush.iter().map(|why| reason(why, &silences, &kept)).collect::<Value>());
            }
            row
        };
        let rows: Map =
            alerts.into_iter().map(|(key, alert)| (Value::from(key.as_str()), Value::from(row(alert)))).collect();
        if !rows.is_empty() {
            shown.insert(wanted, rows);
        }
    }
    Ok(shown)
}

/// All that is known of an alert, by its fingerprint (or how that begins) or its name: what it says, how often it was said, who was told,
/// and what holds it back.
///
/// CLI Example: salt-run alerts.why 5f0c8d1e2a3b4c5d
#[exec]
fn why(cx: &Cx, alert: String) -> Result<Map> {
    let (kept, silences) = (kept(cx)?, silences(cx)?);
    let meant = |key: &str, one: &Alert| !alert.is_empty() && (key.starts_with(&alert) || one.name() == alert);
    let mut shown = Map::new();
    for (key, one) in kept.alerts.iter().filter(|(key, one)| meant(key, one)) {
        let by: Value = one.hush.iter().map(|why| reason(why, &silences, &kept)).collect();
        let members: Value =
            one.members.values().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty()).collect();
        let mut row = map! {
            "state" => one.state(), "labels" => labels(&one.labels), "annotations" => labels(&one.annotations),
            "since" => when(one.since), "last" => when(one.last), "times" => one.count,
            "told" => one.told, "members" => members, "by" => by,
        };
        if let Some(until) = one.pending {
            row.insert("counts_from", when(until));
        }
        shown.insert(key.as_str(), row);
    }
    if shown.is_empty() {
        return Err(CallError::execution(format!("There is no alert '{alert}'")));
    }
    Ok(shown)
}

/// The alerts that fired most in the last days, the noisiest first: what to work on next. `by='about'` tells minions and sites apart.
///
/// CLI Example: salt-run alerts.noisiest days=7 limit=10
#[exec]
fn noisiest(
    cx: &Cx,
    #[default(7)] days: u64,
    #[default(10)] limit: usize,
    #[default("alert")] by: String,
) -> Result<Vec<Value>> {
    let counts = kept(cx)?.counts.since(SystemTime::now(), days.max(1));
    let mut rows = std::collections::BTreeMap::new();
    for ((name, about), count) in counts {
        let about = match by.as_str() {
            "alert" => String::new(),
            "about" => about,
            other => return Err(CallError::invocation(format!("'by' is alert or about, not {other}"))),
        };
        let sum: &mut brine_alerts::state::Count = rows.entry((name, about)).or_default();
        *sum = sum.plus(count);
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse((count.told, count.fired)));
    let row = |((name, about), count): ((String, String), brine_alerts::state::Count)| {
        let mut row = map! {
            "alert" => name, "fired" => count.fired, "told" => count.told,
            "suppressed" => count.hushed, "hours" => (count.seconds as f64 / 360.0).round() / 10.0,
        };
        if !about.is_empty() {
            row.insert("about", about);
        }
        Value::from(row)
    };
    Ok(rows.into_iter().take(limit).map(row).collect())
}

/// How long an answer is waited for before it is asked again: a bus takes a new reader on a moment after it has connected.
const AGAIN: Duration = Duration::from_millis(500);

/// Fire an alert that says that it is a test, and wait until each sink that is to get it has taken it or given it up; with `confirm=True`
/// until somebody confirms it (`alerts.confirm`), too. Labels can be given, to be routed by. Fails if a sink does, if there is none, or if
/// nobody answers within `timeout` seconds.
///
/// CLI Example: salt-run alerts.test site=akl confirm=True timeout=300
#[exec]
fn test(
    cx: &Cx,
    #[default(60)] timeout: u64,
    #[default(false)] confirm: bool,
    name: Option<String>,
    named: KwArgs,
) -> Result<Map> {
    config(cx)?;
    let test = match name {
        Some(name) => name,
        None => SilenceId::fresh()?.to_string(),
    };
    let named = named.clean();
    let given: Map = named.iter().map(|(key, value)| (key.clone(), Value::from(python_str(value)))).collect();
    let side = &master(cx)?.side;
    let mut bus = side.watch("master", None)?;
    let ask = map! {"test" => test.as_str(), "author" => user(cx), "labels" => given};
    side.fire(tags::TEST, ask.clone())?;
    let end = Instant::now() + Duration::from_secs(timeout.min(3600));
    let mut waiting: Option<Vec<String>> = None;
    let (mut sinks, mut failed, mut confirmed) = (Map::new(), false, false);
    while waiting.as_ref().is_none_or(|waiting| !waiting.is_empty()) || (confirm && !confirmed) {
        let until = if waiting.is_some() { end } else { end.min(Instant::now() + AGAIN) };
        let Some((tag, data)) = bus.next(until)? else {
            if Instant::now() >= end {
                break;
            }
            side.fire(tags::TEST, ask.clone())?;
            continue;
        };
        if data.get_str("test") != Some(test.as_str()) {
            continue;
        }
        match tag.as_str() {
            tags::SENT => {
                let names = data.get("sinks").and_then(Value::as_list).unwrap_or_default();
                waiting = Some(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect());
                if data.get("suppressed") == Some(&true.into()) {
                    return Err(CallError::execution("The test is silenced: see salt-run silence.why"));
                }
            }
            tags::DELIVERED => {
                let sink = data.get_str("sink").unwrap_or_default().to_owned();
                if let Some(waiting) = &mut waiting {
                    waiting.retain(|name| *name != sink);
                }
                let delivered = data.get("delivered") == Some(&true.into());
                failed |= !delivered;
                let why = data.get_str("why").unwrap_or("given up");
                sinks.insert(sink, if delivered { "delivered" } else { why });
            }
            tags::CONFIRM => confirmed = true,
            _ => {}
        }
    }
    let Some(waiting) = waiting else {
        return Err(CallError::execution("No master that has alerts has answered"));
    };
    for sink in &waiting {
        sinks.insert(sink.as_str(), "not delivered yet");
    }
    let nobody = sinks.is_empty();
    let mut said = map! {"test" => test, "sinks" => sinks};
    if confirm {
        said.insert("confirmed", confirmed);
    }
    if failed || nobody || !waiting.is_empty() || (confirm && !confirmed) {
        cx.job.set_context("retcode", 1);
    }
    Ok(said)
}

/// Say that a test has reached you. It is over then.
///
/// CLI Example: salt-run alerts.confirm 5f0c8d1e2a3b4c5d
#[exec]
fn confirm(cx: &Cx, test: String) -> Result<bool> {
    config(cx)?;
    let is_it = |alert: &Alert| alert.labels.get("test") == Some(&test) && alert.name() == Builtin::AlertTest.name();
    if !kept(cx)?.alerts.values().any(is_it) {
        return Err(CallError::execution(format!("There is no test '{test}', or it is over")));
    }
    master(cx)?.side.fire(tags::CONFIRM, map! {"test" => test, "by" => user(cx)})?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call, list};
    use crate::run::Kind;
    use brine_alerts::state::{Count, Counts, Journal, Why};
    use brine_alerts::{Labels, silence::Silence};
    use brine_core::call::Args;
    use brine_store::fs::Dir;
    use std::collections::BTreeMap;

    fn alert(name: &str, hush: Vec<Why>, pending: bool) -> Alert {
        let now = SystemTime::now();
        Alert {
            labels: Labels::from([("alertname".into(), name.into()), ("site".into(), "akl".into())]),
            annotations: Labels::from([("summary".into(), "s".into())]),
            since: now - Duration::from_secs(125),
            pending: pending.then_some(now),
            last: now,
            count: 3,
            members: BTreeMap::from([("k".into(), ("m1".into(), now))]),
            told: true,
            hush,
        }
    }

    #[test]
    fn alerts_are_shown_by_state_and_with_what_holds_them_back() {
        let (tmp, fake) = (tempfile::tempdir().unwrap(), Fake::default());
        let cx = fake.cx(Kind::Runner, tmp.path(), map! {"alerts" => true});
        let dir = Dir::at(tmp.path().join("cache/alerts"));
        let matchers = vec![brine_alerts::Matcher::parse("site=akl").unwrap()];
        let silence =
            Silence::new(brine_alerts::silence::Kind::Place, matchers, Duration::from_secs(60), "ann").unwrap();
        brine_alerts::silence::file::write(&dir.sub("silences").unwrap(), &silence).unwrap();
        let held = alert("B", vec![Why::Silence(silence.id.clone())], false);
        let mut counts = Counts::default();
        counts.add(SystemTime::now(), "A", "m1", Count { fired: 2, told: 1, ..Count::default() });
        counts.add(SystemTime::now(), "A", "m2", Count { fired: 2, told: 1, ..Count::default() });
        let row = counts.add(SystemTime::now(), "B", "m1", Count { fired: 1, hushed: 1, ..Count::default() });
        let lines: Vec<_> = [&alert("A", vec![], false), &held, &alert("C", vec![], true)]
            .iter()
            .map(|alert| serde_json::json!({"alert": alert.to_json()}))
            .chain(counts.all().map(|row| serde_json::json!({"count": row})))
            .collect();
        assert!(lines.len() == 6 && row[2] == "m1");
        Journal::open(dir).unwrap().append(&lines).unwrap();
        let all = call(&cx, "alerts.list", Args::none()).unwrap();
        let names: Vec<String> = all.as_map().unwrap().keys().map(python_str).collect();
        assert_eq!(names, ["firing", "pending", "suppressed"]);
        let one = call(&cx, "alerts.list", Args::none().with("state", "suppressed")).unwrap();
        assert_eq!(one.as_map().unwrap().len(), 1);
        assert!(call(&cx, "alerts.list", Args::none().with("state", "x")).is_err());
        let why = call(&cx, "alerts.why", Args::positional(["B"])).unwrap();
        let by = why.get(&held.fingerprint()).unwrap().get("by").unwrap().as_list().unwrap()[0].clone();
        assert!(by.as_str().unwrap().starts_with(&format!("silence {} (site=akl) by ann until", silence.id)));
        assert!(call(&cx, "alerts.why", Args::positional(["none"])).is_err());
        let held = call(&cx, "silence.why", Args::none().with("site", "akl")).unwrap();
        assert_eq!(held.as_map().unwrap().len(), 1);
        let noisy = call(&cx, "alerts.noisiest", Args::none()).unwrap();
        let noisy = noisy.as_list().unwrap();
        assert_eq!((noisy.len(), noisy[0].get("fired")), (2, Some(&4.into())));
        let noisy = call(&cx, "alerts.noisiest", Args::none().with("by", "about")).unwrap();
        assert_eq!(noisy.as_list().unwrap().len(), 3);
    }

    #[test]
    fn a_test_ends_when_each_sink_has_it_or_has_given_up() {
        let tmp = tempfile::tempdir().unwrap();
        let delivered = |sink: &str, delivered: bool| {
            let data = map! {"test" => "t", "sink" => sink, "delivered" => delivered, "why" => "refused"};
            (tags::DELIVERED.to_owned(), data)
        };
        let sent = (tags::SENT.to_owned(), map! {"test" => "t", "sinks" => list(["a", "b"]), "suppressed" => false});
        let other = (tags::CONFIRM.to_owned(), map! {"test" => "other"});
        let run = |events: Vec<(String, Map)>, args: Args| {
            let fake = Fake { events, ..Fake::default() };
            let cx = fake.cx(Kind::Runner, tmp.path(), map! {"alerts" => true});
            let said = call(&cx, "alerts.test", args.with("name", "t").with("timeout", 0));
            (said, cx.job.context("retcode"))
        };
        let both = vec![sent.clone(), delivered("a", true), delivered("b", true)];
        let (said, code) = run(both.clone(), Args::none());
        let sinks = map! {"a" => "delivered", "b" => "delivered"};
        assert_eq!((said.unwrap().get("sinks"), code), (Some(&sinks.into()), None));
        let (said, code) = run(vec![sent.clone(), delivered("a", true), delivered("b", false)], Args::none());
        assert_eq!(said.unwrap().get("sinks").unwrap().get("b"), Some(&"refused".into()));
        assert_eq!(code, Some(1.into()));
        let (said, code) = run(vec![sent, delivered("a", true), other], Args::none());
        assert_eq!(said.unwrap().get("sinks").unwrap().get("b"), Some(&"not delivered yet".into()));
        assert_eq!(code, Some(1.into()));
        let (said, code) = run(both, Args::none().with("confirm", true));
        assert_eq!((said.unwrap().get("confirmed"), code), (Some(&false.into()), Some(1.into())));
        assert!(run(vec![], Args::none()).0.is_err());
        let none = map! {"test" => "t", "sinks" => list([]), "suppressed" => false};
        assert_eq!(run(vec![(tags::SENT.to_owned(), none)], Args::none()).1, Some(1.into()));
    }
}
