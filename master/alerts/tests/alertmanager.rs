//! Debian's Alertmanager: alerts that stay while they fire, silences that stand while they are wanted, over its restarts and ours;
//! and the configuration of the documentation, with its inhibit rules.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use brine_alerts::silence::{Kind, Silence};
use brine_alerts::sinks::{Sinks, Threads};
use brine_alerts::stream::Stream;
use brine_alerts::{Deliver, Labels, Matcher, NOWHERE, Notice, SilenceChange, Status};
use brine_core::{Value, map};
use brine_dial::http::{Http, Way};
use brine_testing::service::{Service, free_port, run};
use serde_json::Value as Json;

const LONG: Duration = Duration::from_secs(30);

/// The configuration that the documentation shows.
fn documented() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/alerts-sinks.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("```yaml\n# alertmanager.yml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Starts it with nothing in its store.
fn alertmanager(port: u16) -> Service {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("alertmanager.yml");
    std::fs::write(&config, documented()).unwrap();
    let said = run(Command::new("amtool").arg("check-config").arg(&config));
    assert!(said.contains("SUCCESS"), "{said}");
    let storage = dir.path().join("data");
    let mut command = Command::new("prometheus-alertmanager");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", storage.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=");
    Service::start(dir, port, &mut command).up(|service| get(service.port, "/-/ready").is_some())
}

fn get(port: u16, path: &str) -> Option<Json> {
    let http = Http::new(&Way::default(), "test").unwrap();
    let reply = http.send::<&str>("GET", &format!("http://127.0.0.1:{port}{path}"), &[], None).ok()?;
    (reply.status == 200).then(|| serde_json::from_str(&reply.body).unwrap_or(Json::Null))
}

fn until<T>(what: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(done) = what() {
            return done;
        }
        assert!(start.elapsed() < LONG, "it does not come about");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The states of the alerts there, by name and site.
fn alerts(port: u16) -> Vec<(String, String)> {
    let all = get(port, "/api/v2/alerts").unwrap();
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let one = |alert: &Json| {
        let labels = &alert["labels"];
        let name = format!("{} {}", text(&labels["alertname"]), text(&labels["site"]));
        (name, text(&alert["status"]["state"]))
    };
    let mut all: Vec<_> = all.as_array().unwrap().iter().map(one).collect();
    all.sort();
    all
}

/// How many silences stand there; those that are over are kept there for a while.
fn silences(port: u16) -> usize {
    let all = get(port, "/api/v2/silences").unwrap();
    all.as_array().unwrap().iter().filter(|one| one["status"]["state"] == "active").count()
}

fn notice(status: Status, pairs: &[(&str, &str)]) -> Notice {
    let labels: Labels =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let now = SystemTime::now();
    let starts_at = now - Duration::from_secs(5);
    let ends_at = (status == Status::Resolved).then_some(now);
    let annotations = [("summary".to_owned(), "a \"summary\"".to_owned())].into();
    Notice { status, labels, annotations, starts_at, ends_at }
}

fn sinks(dir: &Path, port: u16) -> (Sinks, Threads) {
    let conf = map! {"sinks" => map! {"alertmanager" => map! {
        "urls" => vec![format!("http://127.0.0.1:{port}")], "resend" => "1s", "retry_first" => "50ms",
        "retry_most" => "200ms",
    }}};
    Sinks::start(&Value::Map(conf), dir, &Stream::new(false)).unwrap()
}

fn named(name: &str, state: &str) -> (String, String) {
    (name.to_owned(), state.to_owned())
}

#[test]
fn alerts_and_silences_stand_there_as_they_do_here() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let (first, threads) = sinks(dir.path(), port);
    let disk = [("alertname", "DiskFull"), ("site", "akl"), ("severity", "warning")];
    // Nobody is there yet.
    first.put(&notice(Status::Firing, &disk));
    let silence = Silence {
        author: "ann".into(),
        ..Silence::new(Kind::Expected, vec![Matcher::parse("site=wlg").unwrap()], LONG * 10, "").unwrap()
    };
    first.silence(&SilenceChange::Set(silence.clone()));
    assert!(!first.silence_stands(&silence.id, Duration::from_millis(100)));

    let server = alertmanager(port);
    assert!(first.silence_stands(&silence.id, LONG));
    assert_eq!(silences(port), 1);
    until(|| (alerts(port) == [named("DiskFull akl", "active")]).then_some(()));
    let down =
        |site| notice(Status::Firing, &[("alertname", "MinionDown"), ("site", site), ("minion", "m1")]);
    first.put(&down("wlg"));
    first.put(&down("akl"));
    until(|| {
        let wanted = [
            named("DiskFull akl", "active"),
            named("MinionDown akl", "active"),
            named("MinionDown wlg", "suppressed"),
        ];
        (alerts(port) == wanted).then_some(())
    });

    // It forgets all, and is told all again.
    drop(server);
    let server = alertmanager(port);
    until(|| (alerts(port).len() == 3 && silences(port) == 1).then_some(()));

    // We are killed, as far as it can tell, and know our silence again.
    first.close();
    threads.join();
    let (second, threads) = sinks(dir.path(), port);
    second.put(&notice(Status::Resolved, &disk));
    until(|| (alerts(port).len() == 2).then_some(()));
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(silences(port), 1);
    // It is changed: one stands, whether it is the same there or another. Then it is ended.
    let longer = Silence { ends_at: silence.ends_at + LONG, ..silence.clone() };
    second.silence(&SilenceChange::Set(longer));
    assert!(second.silence_stands(&silence.id, LONG));
    assert_eq!(silences(port), 1);
    second.silence(&SilenceChange::Expired(silence.id.clone()));
    until(|| (silences(port) == 0).then_some(()));
    until(|| (alerts(port).iter().all(|(_, state)| state == "active")).then_some(()));

    // One whose id we never learned, since we were killed at that moment, is found and ended.
    second.close();
    threads.join();
    let lost =
        Silence::new(Kind::Place, vec![Matcher::parse("site=akl").unwrap()], LONG * 10, "ann").unwrap();
    let body = serde_json::json!({
        "matchers": [{"name": "site", "value": "akl", "isRegex": false, "isEqual": true}], "createdBy": "ann",
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z", "comment": format!("x [brine {}]", lost.id),
    });
    let http = Http::new(&Way::default(), "test").unwrap();
    let url = format!("http://127.0.0.1:{port}/api/v2/silences");
    let made =
        http.send("POST", &url, &[("Content-Type", "application/json")], Some(&body.to_string())).unwrap();
    assert_eq!(made.status, 200, "{}", made.body);
    let (third, threads) = sinks(dir.path(), port);
    let other = Silence::new(Kind::Place, vec![Matcher::parse("site=zzz").unwrap()], LONG, "ann").unwrap();
    third.silence(&SilenceChange::Set(other.clone()));
    assert!(third.silence_stands(&other.id, LONG));
    until(|| (silences(port) == 1).then_some(()));

    // A silence of everything is one that it takes.
    let all = Silence::new(Kind::All, Vec::new(), LONG, "ann").unwrap();
    third.silence(&SilenceChange::Set(all.clone()));
    assert!(third.silence_stands(&all.id, LONG));
    until(|| (alerts(port).iter().all(|(_, state)| state == "suppressed")).then_some(()));
    third.close();
    threads.join();
    drop(server);
}

#[test]
fn maintenance_and_a_site_that_is_down_hold_back_what_the_documentation_says() {
    let dir = tempfile::tempdir().unwrap();
    let server = alertmanager(free_port());
    let port = server.port;
    let (sinks, threads) = sinks(dir.path(), port);
    let (key, nowhere) = NOWHERE;
    let fire = |pairs: &[(&str, &str)]| sinks.put(&notice(Status::Firing, pairs));
    fire(&[("alertname", "MaintenanceActive"), ("kind", "place"), ("site", "akl"), (key, nowhere)]);
    fire(&[("alertname", "SiteDown"), ("site", "wlg"), ("severity", "critical")]);
    for site in ["akl", "wlg", "chc"] {
        fire(&[("alertname", "MinionDown"), ("site", site), ("minion", "m1"), ("severity", "critical")]);
    }
    fire(&[("alertname", "DiskFull"), ("site", "wlg"), ("severity", "warning")]);
    until(|| {
        let wanted = [
            named("DiskFull wlg", "active"),
            named("MaintenanceActive akl", "active"),
            named("MinionDown akl", "suppressed"),
            named("MinionDown chc", "active"),
            named("MinionDown wlg", "suppressed"),
            named("SiteDown wlg", "active"),
        ];
        (alerts(port) == wanted).then_some(())
    });
    sinks.close();
    threads.join();
}
