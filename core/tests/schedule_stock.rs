//! The schedule against stock's: what `schedule_stock/measure.py` measured, replayed without a clock. Stock looks once a
//! second; here only when there is something to see, so this also shows that no moment is slept through.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use brine_core::schedule::{Cron, Moment, SECOND, Schedule, World, parse_date, strptime};
use brine_core::{Map, Value, map};
use serde_json::Value as Json;

const ISO: &str = "%Y-%m-%dT%H:%M:%S";

fn now() -> Moment {
    Moment::new((2026, 11, 25), (14, 30, 0), 300_000).unwrap()
}

fn iso(text: &str) -> Moment {
    strptime(text, ISO).unwrap()
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => n.as_i64().unwrap().into(),
        Json::String(s) => s.as_str().into(),
        Json::Array(list) => Value::List(list.iter().map(value).collect()),
        Json::Object(map) => {
            Value::Map(map.iter().map(|(k, v)| (Value::from(k.as_str()), value(v))).collect())
        }
    }
}

fn as_map(json: &Json) -> Map {
    match value(json) {
        Value::Map(map) => map,
        other => panic!("{other:?} is no map"),
    }
}

fn read(text: &str) -> Vec<Json> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn dates_are_read_as_dateutil_reads_them() {
    let mut wrong = Vec::new();
    for case in read(include_str!("schedule_stock/dates.json")) {
        let text = case[0].as_str().unwrap();
        let want = case[1].as_str().map(|t| strptime(t, "%Y-%m-%dT%H:%M:%S.%f").unwrap());
        // Stock's machine was in UTC; this one is where it is.
        let want = want.map(|m| if case[2] == Json::Bool(true) { Moment::local(m.micros()) } else { m });
        let got = parse_date(text, now());
        if got != want {
            let show = |m: Option<Moment>| m.map(|m| m.strftime("%Y-%m-%dT%H:%M:%S.%f"));
            wrong.push(format!("{text:?}: {:?}, stock {:?}", show(got), show(want)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cron_expressions_mean_what_they_mean_to_croniter() {
    let mut wrong = Vec::new();
    for case in read(include_str!("schedule_stock/cron.json")) {
        let text = case[0].as_str().unwrap();
        let want: Option<Vec<&str>> =
            case[1].as_array().map(|list| list.iter().filter_map(Json::as_str).collect());
        let got = Cron::parse(text).and_then(|cron| {
            let mut at = now();
            (0..6)
                .map(|_| {
                    at = cron.after(at)?;
                    Some(at.strftime(ISO))
                })
                .collect::<Option<Vec<String>>>()
        });
        if got.as_deref().map(|l| l.iter().map(String::as_str).collect::<Vec<_>>()) != want {
            wrong.push(format!("{text:?}: {got:?}, stock {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn jobs_run_when_stock_runs_them() {
    let mut wrong = Vec::new();
    for case in read(include_str!("schedule_stock/jobs.json")) {
        let mut job = as_map(&case["job"]);
        job.insert("function", "test.ping");
        let mut opts = map! { "job" => job };
        opts.update(as_map(&case["more"]));
        let pillar = as_map(&case["pillar"]);
        let mut schedule = Schedule::new(opts);
        let end = now().plus(case["span"].as_i64().unwrap() * SECOND);
        let (mut ran, mut looks, mut at) = (Vec::new(), 0, now());
        let mut most = |_: i64, high: i64| high;
        while at <= end {
            let mut world = World {
                loop_interval: SECOND,
                whens: [pillar.get("whens"), None],
                running: &|_| 0,
                random: &mut most,
            };
            let due = schedule.eval(at, &mut world);
            ran.extend(due.into_iter().map(|d| (at.strftime(ISO), d.function.unwrap())));
            looks += 1;
            let Some(next) = schedule.next_look(at, &world) else { break };
            assert!(next > at);
            // Noticed when stock notices it: at the next three tenths of a second.
            at = now().plus((next.micros() - now().micros() + SECOND - 1) / SECOND * SECOND);
        }
        let want: Vec<(String, String)> = serde_json::from_value(case["ran"].clone()).unwrap();
        let days = case["span"].as_i64().unwrap() / 86_400 + 1;
        let bound = 20 + 10 * want.len() as i64 + 10 * days;
        let name = &case["name"];
        if ran != want {
            wrong.push(format!("{name}: {ran:?}, stock {want:?}"));
        } else if looks > bound && name != "disabled" && name != "all_disabled" && looks > 100 {
            wrong.push(format!("{name}: looked {looks} times for {} runs", ran.len()));
        }
        let merged = schedule.merged();
        let data = merged.get("job").and_then(Value::as_map).unwrap();
        let text = |key: &str| data.get(key).and_then(Value::as_str).map(str::to_owned);
        if text("_error").as_deref() != case["error"].as_str() {
            wrong.push(format!("{name}: {:?}, stock {}", text("_error"), case["error"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where our state differs on purpose: a `skip_function` does not stay, a time is not noted twice, one look is enough for one run.
const OTHER_STATE: &[&str] = &["skip_function", "skip_during_range_after"];

#[test]
fn the_state_of_jobs_is_stocks() {
    let definitions = read(include_str!("schedule_stock/jobs.json"));
    let mut wrong = Vec::new();
    for (looks, case) in read(include_str!("schedule_stock/looks.json")).iter().zip(&definitions) {
        let name = looks["name"].as_str().unwrap();
        assert_eq!(looks["name"], case["name"]);
        if OTHER_STATE.contains(&name) {
            continue;
        }
        let mut job = as_map(&case["job"]);
        job.insert("function", "test.ping");
        let given = as_map(&case["job"]);
        let mut opts = map! { "job" => job };
        opts.update(as_map(&case["more"]));
        let pillar = as_map(&case["pillar"]);
        let mut schedule = Schedule::new(opts);
        let mut most = |_: i64, high: i64| high;
        for state in looks["states"].as_array().unwrap() {
            let at = now().plus(state[0].as_i64().unwrap() * SECOND);
            let mut world = World {
                loop_interval: SECOND,
                whens: [pillar.get("whens"), None],
                running: &|_| 0,
                random: &mut most,
            };
            let ran = !schedule.eval(at, &mut world).is_empty();
            let mut data = schedule.merged().get("job").and_then(Value::as_map).unwrap().clone();
            data.retain(|key, _| given.get_key(key).is_none());
            for (_, value) in data.iter_mut() {
                if let Value::DateTime(d) = value {
                    *value = Moment::from(*d).strftime("%Y-%m-%dT%H:%M:%S.%f").into();
                }
            }
            let want = as_map(&state[2]);
            if data != want || Json::Bool(ran) != state[1] {
                data.retain(|key, value| want.get_key(key) != Some(value));
                let missing: Vec<_> =
                    want.iter().filter(|(k, v)| data.get_key(k).is_some_and(|d| d != *v)).collect();
                wrong.push(format!(
                    "{name} after {}: ran {ran}, stock {}: {data:?}, stock {missing:?} of {want:?}",
                    state[0], state[1]
                ));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_job_that_runs_as_often_as_it_may_waits_for_its_next_turn() {
    let mut schedule = Schedule::new(map! {
        "a" => map! { "function" => "f", "seconds" => 10 },
        "b" => map! { "function" => "f", "seconds" => 10, "maxrunning" => 2 },
        "c" => map! { "function" => "f", "seconds" => 10, "jid_include" => false },
    });
    let mut none = |_, _| 1;
    let mut world = World { loop_interval: SECOND, whens: [None, None], running: &|_| 1, random: &mut none };
    assert!(schedule.eval(now(), &mut world).is_empty());
    let names = |due: Vec<brine_core::schedule::Due>| due.into_iter().map(|d| d.name).collect::<Vec<_>>();
    let ten = now().plus(10 * SECOND);
    assert_eq!(names(schedule.eval(ten, &mut world)), ["b", "c"]);
    let merged = schedule.merged();
    let a = merged.get("a").unwrap();
    assert_eq!(a.get("_skip_reason"), Some(&"maxrunning".into()));
    assert_eq!(a.get("_next_fire_time"), Some(&Value::DateTime(ten.plus(10 * SECOND).into())));
}

#[test]
fn a_look_between_finds_nothing_twice() {
    for job in [
        map! { "when" => "2:31pm" },
        map! { "once" => "2026-11-25T14:31:00" },
        map! { "cron" => "31 * * * *" },
    ] {
        let mut schedule = Schedule::new(map! { "job" => job.clone() });
        let mut none = |_, _| 1;
        let mut world =
            World { loop_interval: SECOND, whens: [None, None], running: &|_| 0, random: &mut none };
        let mut ran = 0;
        for tenth in 0..20 {
            ran += schedule.eval(iso("2026-11-25T14:30:59").plus(tenth * SECOND / 10 + 1), &mut world).len();
        }
        ran += schedule.eval(iso("2026-11-25T14:31:02"), &mut world).len();
        assert_eq!(ran, 1, "{job:?}");
    }
}
