//! The numbers of a master that serves, as Prometheus reads them, and the dashboard that is made of them.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use brine_dial::http::{Http, Way};
use brine_protocol::map;
use support::*;

fn conf(dir: &Path) -> brine_protocol::Map {
    std::fs::write(dir.join("token"), "letmein\n").unwrap();
    map! {"alerts" => map! {
        "listen" => "127.0.0.1:0", "listen_token_file" => dir.join("token").display().to_string(),
        "settle" => "1s",
        "sinks" => map! {
            "log" => map! {"kind" => "jsonlines", "path" => dir.join("alerts.json").display().to_string()},
            "sse" => map! {},
        },
    }}
}

async fn get(master: &TestMaster, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", master.running().pages_addr().unwrap());
    tokio::task::spawn_blocking(move || {
        let http = Http::new(&Way::default(), "test").unwrap();
        let reply = http.send("GET", &url, &[("Authorization", "Bearer letmein")], None).unwrap();
        (reply.status, reply.body)
    })
    .await
    .unwrap()
}

/// The numbers of a name, by labels.
fn number(text: &str, row: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(row)?.trim().parse().ok())
}

/// What `promtool` says against a text.
fn lint(text: &str) -> String {
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, which `cargo xtask setup` installs");
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let out = tool.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    if out.status.success() { said } else { format!("{} {said}", out.status) }
}

/// The metrics that a dashboard asks for.
fn asked(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut names = BTreeSet::new();
    let mut rest = vec![&dashboard];
    while let Some(value) = rest.pop() {
        match value {
            serde_json::Value::Array(all) => rest.extend(all),
            serde_json::Value::Object(map) => {
                for key in ["expr", "query"] {
                    let words = map.get(key).and_then(|query| query.as_str()).unwrap_or_default();
                    let words = words.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                    names.extend(words.filter(|word| word.starts_with("brine_")).map(str::to_owned));
                }
                rest.extend(map.values());
            }
            _ => {}
        }
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_are_what_happened_and_the_dashboard_asks_for_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let master = TestMaster::start(conf(dir.path())).await;
    let m1 = master.accepted("m1", key(0)).await;
    for (jid, code) in [(1, 0), (2, 0), (3, 2)] {
        let mut load = m1.return_load(&format!("2026010100000000{jid:04}"), "x");
        load.insert("retcode", code);
        m1.request(load).await;
    }
    let text = {
        let mut tries = 0;
        loop {
            let (status, text) = get(&master, "/metrics").await;
            assert_eq!(status, 200);
            let told = number(&text, "brine_sink_delivered_total{sink=\"log\"}").is_some_and(|n| n >= 1.0);
            if told || tries == 200 {
                break text;
            }
            tries += 1;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    for (row, expected) in [
        ("brine_keys{state=\"accepted\"}", 1.0),
        ("brine_keys{state=\"pending\"}", 0.0),
        ("brine_job_returns_total{result=\"success\"}", 2.0),
        ("brine_job_returns_total{result=\"failure\"}", 1.0),
        ("brine_events_total{kind=\"return\"}", 3.0),
        ("brine_alerts{alertname=\"JobFailed\",state=\"firing\"}", 1.0),
        ("brine_alerts{alertname=\"Watchdog\",state=\"firing\"}", 1.0),
        ("brine_silences{kind=\"all\"}", 0.0),
        ("brine_minions_drifted", 0.0),
    ] {
        assert_eq!(number(&text, row), Some(expected), "{row} in\n{text}");
    }
    let at_least = |row: &str, least: f64| {
        assert!(number(&text, row).is_some_and(|n| n >= least), "{row} in\n{text}");
    };
    at_least("brine_auth_total{verdict=\"accepted\"}", 1.0);
    at_least("brine_request_seconds_count{kind=\"minion\"}", 3.0);
    at_least("brine_request_seconds_bucket{kind=\"auth\",le=\"+Inf\"}", 1.0);
    at_least("brine_sink_put_total{sink=\"sse\"}", 1.0);
    at_least("brine_store_bytes{store=\"jobs\"}", 1.0);
    at_least("brine_store_bytes{store=\"alerts\"}", 1.0);
    at_least("brine_disk_free_bytes", 1.0);
    at_least("brine_process_memory_bytes", 1.0);
    assert_eq!(lint(&text), "");
    // A linter that finds nothing wrong anywhere would be none.
    assert_ne!(lint("# TYPE a counter\na 1\n"), "");

    let dashboard = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/dashboards/fleet.json");
    let asked = asked(&dashboard);
    assert!(asked.len() > 20);
    let there = |name: &String| {
        text.lines()
            .any(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} ")))
    };
    let absent: Vec<_> = asked.iter().filter(|name| !there(name)).collect();
    assert!(absent.is_empty(), "{absent:?}");
    // And it shows all that there is.
    let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let unseen: Vec<_> = names.filter(|name| !asked.iter().any(|one| one.starts_with(name))).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shown_unless_the_option_says_where_and_a_wrong_word_there_is_an_error() {
    let master = TestMaster::start(map! {"alerts" => true}).await;
    assert!(master.running().pages_addr().is_none());
    let opts = |listen: &str| {
        brine_core::Opts::new(map! {"alerts" => map! {"listen" => listen}, "conf_file" => "/x/master"})
    };
    let error = brine_master::config::Config::from_opts(opts("here"))
        .err()
        .map(|e| e.to_string())
        .unwrap_or_default();
    assert!(error.contains("/x/master") && error.contains("alerts:listen"), "{error}");
}
