//! Sinks as they are configured, with receivers that fail, stall and come back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

use brine_core::{Map, map};
use brine_serve::{Config, Request, Response, Server};

use super::*;
use crate::{Labels, Status};

const LONG: Duration = Duration::from_secs(30);

fn notice(name: &str, n: usize) -> Notice {
    let pairs = [("alertname", name.to_owned()), ("n", n.to_string())];
    let labels: Labels = pairs.map(|(name, value)| (name.to_owned(), value)).into();
    Notice {
        status: Status::Firing,
        labels,
        annotations: Labels::new(),
        starts_at: UNIX_EPOCH,
        ends_at: None,
    }
}

fn conf(sinks: Map) -> Value {
    Value::Map(map! {"sinks" => sinks})
}

fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < LONG, "it does not come about");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A receiver that answers as it is told to, and remembers the bodies it took.
fn receiver(answers: Vec<Response>) -> (Server, Arc<Mutex<Vec<Request>>>) {
    let asked: Arc<Mutex<Vec<Request>>> = Arc::default();
    let (seen, answers) = (Arc::clone(&asked), Mutex::new(answers.into_iter()));
    let server = Server::start(Config::new("127.0.0.1:0".parse().unwrap()), move |request: Request| {
        seen.lock().unwrap().push(request);
        answers.lock().unwrap().next().unwrap_or_else(|| Response::status(200))
    });
    (server.unwrap(), asked)
}

fn counts(sinks: &Sinks, name: &str) -> (u64, u64, u64, u64) {
    let all = sinks.report().unwrap();
    let one = all.iter().find(|report| report.sink == name).unwrap();
    (one.put, one.delivered, one.queued, one.dead)
}

#[test]
fn a_receiver_that_fails_gets_everything_in_order_and_a_dead_one_slows_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let stumbles = vec![
        Response::status(500),
        Response::status(429).with("retry-after", "1"),
        Response::status(503),
        Response::text(400, "not this one"),
    ];
    let (server, asked) = receiver(stumbles);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let quick = |url: String| {
        map! {"kind" => "webhook", "url" => url, "batch" => 1, "retry_first" => "10ms", "retry_most" => "50ms"}
    };
    let conf = conf(map! {
        "good" => quick(format!("http://{}/x", server.addr())), "dead" => quick(format!("http://{closed}/x")),
    });
    let (sinks, threads) = Sinks::start(&conf, dir.path(), &Stream::new(false)).unwrap();
    let start = Instant::now();
    for n in 0..20 {
        sinks.put(&notice("A", n));
    }
    assert!(start.elapsed() < Duration::from_secs(5));
    until(|| counts(&sinks, "good") == (20, 19, 0, 1));
    // The 429 asked for a second.
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(counts(&sinks, "dead"), (20, 0, 20, 0));
    let report = sinks.report().unwrap();
    let error = report.iter().find(|one| one.sink == "dead").and_then(|one| one.error.clone()).unwrap().0;
    assert!(error.contains("could not connect"), "{error}");
    let mut ids: Vec<String> = Vec::new();
    for request in asked.lock().unwrap().iter() {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        ids.push(body["alerts"][0]["id"].as_str().unwrap().to_owned());
    }
    // What comes again has the same id.
    assert_eq!(ids.len(), 23);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);

    let told = sinks.deliveries(&notice("A", 19).fingerprint());
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].sink.as_str(), &told[0].outcome), ("good", &Ok(())));
    sinks.close();
    threads.join();
}

#[test]
fn one_alert_is_told_in_its_order() {
    let dir = tempfile::tempdir().unwrap();
    let (server, asked) = receiver((0..6).map(|_| Response::status(500)).collect());
    let conf = conf(map! {"webhook" => map! {
        "url" => format!("http://{}/x", server.addr()), "batch" => 2, "retry_first" => "10ms", "retry_most" => "20ms",
    }});
    let (sinks, threads) = Sinks::start(&conf, dir.path(), &Stream::new(false)).unwrap();
    for n in 0..12u64 {
        let mut one = notice(["A", "B"][usize::try_from(n % 2).unwrap()], 0);
        one.annotations.insert("n".into(), format!("{n:02}"));
        sinks.put(&one);
    }
    until(|| counts(&sinks, "webhook").1 == 12);
    sinks.close();
    threads.join();
    let mut order: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for request in asked.lock().unwrap().iter().skip(6) {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        for alert in body["alerts"].as_array().unwrap() {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            order
                .entry(text(&alert["labels"]["alertname"]))
                .or_default()
                .push(text(&alert["annotations"]["n"]));
        }
    }
    assert_eq!(order["A"], ["00", "02", "04", "06", "08", "10"]);
    assert_eq!(order["B"], ["01", "03", "05", "07", "09", "11"]);
}

#[test]
fn a_request_is_signed_and_templated() {
    let dir = tempfile::tempdir().unwrap();
    let (server, asked) = receiver(Vec::new());
    for (name, text) in [("key", "Jefe\n"), ("token", "t0ken")] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let file = |name: &str| dir.path().join(name).display().to_string();
    let conf = conf(map! {"hook" => map! {
        "kind" => "webhook", "url" => format!("http://{}/x", server.addr()), "template" => "{{ alert.summary }}",
        "hmac_file" => file("key"), "token_file" => file("token"), "headers" => map! {"X-Team" => "blue"},
        "content_type" => "text/plain",
    }});
    let (sinks, threads) = Sinks::start(&conf, dir.path(), &Stream::new(false)).unwrap();
    let mut one = notice("A", 1);
    one.annotations.insert("summary".into(), "what do ya want for nothing?".into());
    sinks.put(&one);
    until(|| counts(&sinks, "hook").1 == 1);
    sinks.close();
    threads.join();
    let asked = asked.lock().unwrap();
    let header = |name: &str| asked[0].header(name).unwrap().to_owned();
    assert_eq!(&*asked[0].body, b"what do ya want for nothing?");
    assert!(header("x-brine-signature-256").starts_with("sha256=5bdcc146bf60754e"));
    assert_eq!(header("authorization"), "Bearer t0ken");
    assert_eq!((header("x-team"), header("content-type")), ("blue".into(), "text/plain".into()));
}

#[test]
fn a_group_is_one_message_and_a_rate_makes_them_wait() {
    let dir = tempfile::tempdir().unwrap();
    let (server, asked) = receiver(Vec::new());
    std::fs::write(dir.path().join("url"), format!("http://{}/services/secret", server.addr())).unwrap();
    let conf = conf(map! {"slack" => map! {
        "url_file" => dir.path().join("url").display().to_string(), "group_by" => vec!["alertname"],
        "group_wait" => "300ms", "rate" => "1/1s",
    }});
    let (sinks, threads) = Sinks::start(&conf, dir.path(), &Stream::new(false)).unwrap();
    let start = Instant::now();
    for (name, n) in [("A", 1), ("B", 2), ("A", 3), ("A<", 4)] {
        sinks.put(&notice(name, n));
    }
    until(|| counts(&sinks, "slack").1 == 4);
    assert!(start.elapsed() >= Duration::from_millis(2300), "{:?}", start.elapsed());
    sinks.close();
    threads.join();
    let bodies: Vec<serde_json::Value> =
        asked.lock().unwrap().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    assert_eq!(bodies.len(), 3);
    assert_eq!(bodies[0]["text"], "[FIRING:2] A");
    assert_eq!(bodies[0]["attachments"].as_array().unwrap().len(), 2);
    assert_eq!(bodies[2]["text"], "[FIRING:1] A&lt; n=4");
}

#[test]
fn a_receiver_that_never_answers_costs_its_own_thread_alone() {
    let dir = tempfile::tempdir().unwrap();
    // It accepts, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (server, _asked) = receiver(Vec::new());
    let url = |addr| map! {"kind" => "webhook", "url" => format!("http://{addr}/")};
    let conf = conf(map! {"silent" => url(silent.local_addr().unwrap()), "good" => url(server.addr())});
    let (sinks, _threads) = Sinks::start(&conf, dir.path(), &Stream::new(false)).unwrap();
    let mut worst = Duration::ZERO;
    for n in 0..200 {
        let start = Instant::now();
        sinks.put(&notice("A", n));
        worst = worst.max(start.elapsed());
    }
    assert!(worst < Duration::from_secs(2), "{worst:?}");
    until(|| counts(&sinks, "good").1 == 200);
    assert_eq!(counts(&sinks, "silent"), (200, 0, 200, 0));
    sinks.close();
}

#[test]
fn what_waits_is_bounded_and_the_newest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let conf = conf(map! {"webhook" => map! {"url" => "http://127.0.0.1:1/", "queue" => 5}});
    let (sinks, threads) = Sinks::start(&conf, dir.path(), &Stream::new(false)).unwrap();
    for n in 0..12 {
        sinks.put(&notice("A", n));
    }
    assert_eq!(counts(&sinks, "webhook"), (12, 0, 5, 7));
    sinks.close();
    threads.join();
    let dead = crate::queue::Ledger::beside(dir.path()).unwrap().unwrap().dead(None, 100).unwrap();
    assert!(dead.iter().all(|one| one.why == "the queue was full"));
    let numbers: Vec<_> = dead.iter().map(|one| one.notice.as_ref().unwrap().labels["n"].clone()).collect();
    assert_eq!(numbers, ["6", "5", "4", "3", "2", "1", "0"]);
}

#[test]
fn what_is_too_old_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let conf = conf(map! {"webhook" => map! {
        "url" => "http://127.0.0.1:1/", "retry_first" => "50ms", "retry_most" => "50ms", "give_up" => "300ms",
    }});
    let (sinks, threads) = Sinks::start(&conf, dir.path(), &Stream::new(false)).unwrap();
    sinks.put(&notice("A", 1));
    until(|| counts(&sinks, "webhook") == (1, 0, 0, 1));
    let told = sinks.deliveries(&notice("A", 1).fingerprint());
    assert!(told[0].outcome.as_ref().unwrap_err().starts_with("given up after its time: "));
    sinks.close();
    threads.join();
}

#[test]
fn a_configuration_that_is_wrong_is_refused_by_key() {
    let dir = tempfile::tempdir().unwrap();
    let error =
        |sinks: Map| Sinks::start(&conf(sinks), dir.path(), &Stream::new(false)).err().unwrap().to_string();
    for (sinks, says) in [
        (map! {"a" => map! {}}, "alerts:sinks:a:kind: there is no kind \"a\""),
        (
            map! {"slack" => map! {"url" => "https://hooks/secret"}},
            "alerts:sinks:slack:url: a secret does not stand",
        ),
        (map! {"webhook" => map! {}}, "alerts:sinks:webhook:url: is needed"),
        (
            map! {"webhook" => map! {"url" => "http://h", "hmac" => "secret"}},
            "alerts:sinks:webhook:hmac: a secret does not stand",
        ),
        (
            map! {"webhook" => map! {"url" => "http://h", "headers" => map! {"Authorization" => "secret"}}},
            "alerts:sinks:webhook:headers:Authorization: a secret does not stand",
        ),
        (
            map! {"webhook" => map! {"url" => "http://h", "group_by" => "x"}},
            "alerts:sinks:webhook:group_by: the kind",
        ),
        (
            map! {"webhook" => map! {"url" => "http://h", "rate" => "x"}},
            "alerts:sinks:webhook:rate: has to be",
        ),
        (
            map! {"webhook" => map! {"url" => "http://h", "ur" => "x"}},
            "alerts:sinks:webhook:ur: is not known",
        ),
        (map! {"alertmanager" => map! {}}, "alerts:sinks:alertmanager:urls: has to be"),
        (
            map! {"smtp" => map! {"host" => "h", "from" => "a@b", "to" => "c@d", "security" => "none", "username" => "u",
            "password_env" => "PATH"}},
            "alerts:sinks:smtp:security: no password is told in clear",
        ),
        (
            map! {"smtp" => map! {"host" => "h", "from" => "a@b", "to" => "c@d\nx"}},
            "alerts:sinks:smtp:to: has to be",
        ),
        (map! {"syslog" => map! {"to" => "h:1"}}, "alerts:sinks:syslog:to: has to be"),
        (
            map! {"jsonlines" => map! {"path" => "x/y"}},
            "alerts:sinks:jsonlines:path: has to be an absolute path",
        ),
    ] {
        let error = error(sinks);
        assert!(error.starts_with(says), "{error}");
        assert!(!error.contains("hooks/secret"), "{error}");
    }
}

#[test]
fn each_kind_is_in_the_table_once_and_says_what_it_reads() {
    let mut names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    assert!(names.is_sorted());
    names.dedup();
    assert_eq!(names.len(), KINDS.len());
    for kind in KINDS {
        assert!(kind.doc.ends_with('.') && kind.keys.iter().all(|(_, doc)| !doc.is_empty()), "{}", kind.name);
    }
}
