//! A process that puts notices is killed at random points, and so are its connections: every notice that was put ends delivered,
//! and the counts say so at each moment.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant, UNIX_EPOCH};

use brine_alerts::queue::{Ledger, SinkReport};
use brine_alerts::sinks::Sinks;
use brine_alerts::stream::Stream;
use brine_alerts::{Deliver, Labels, Notice, Status};
use brine_core::{Value, map};
use brine_testing::{Mood, Random, Receiver};

/// The directory of the child; set for it alone.
const CHILD: &str = "BRINE_ALERTS_KILLED";
const KILLS: usize = 12;
/// What the last child puts beyond what the others did.
const LAST: usize = 60;

fn conf(dir: &Path, port: u16, refused: u16) -> Value {
    let file = dir.join("alerts.json").display().to_string();
    let quick = |url: String| {
        map! {"kind" => "webhook", "url" => url, "batch" => 4, "retry_first" => "10ms", "retry_most" => "80ms"}
    };
    Value::Map(map! {"sinks" => map! {
        "hook" => quick(format!("http://127.0.0.1:{port}/")),
        "refuses" => quick(format!("http://127.0.0.1:{refused}/")),
        "jsonlines" => map! {"path" => file},
    }})
}

fn notice(n: usize) -> Notice {
    let labels: Labels = [("alertname".to_owned(), format!("A{}", n % 5))].into();
    let annotations: Labels = [("n".to_owned(), n.to_string())].into();
    Notice { status: Status::Firing, labels, annotations, starts_at: UNIX_EPOCH, ends_at: None }
}

fn put_before(dir: &Path) -> Vec<usize> {
    let text = std::fs::read_to_string(dir.join("put")).unwrap_or_default();
    // What was being written when it was killed counts as not written.
    text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')?.parse().ok()).collect()
}

/// What the child does: not a test of its own.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let dir = Path::new(&dir);
    let ports: Vec<u16> = std::fs::read_to_string(dir.join("ports"))
        .unwrap()
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let conf = conf(dir, ports[0], ports[1]);
    let (sinks, _threads) = Sinks::start(&conf, &dir.join("queue"), &Stream::new(false)).unwrap();
    let most: Option<usize> =
        std::fs::read_to_string(dir.join("most")).ok().map(|text| text.parse().unwrap());
    let mut log = std::fs::OpenOptions::new().create(true).append(true).open(dir.join("put")).unwrap();
    let mut n = put_before(dir).last().map_or(0, |last| last + 1);
    while most.is_none_or(|most| n < most) {
        sinks.put(&notice(n));
        log.write_all(format!("{n}\n").as_bytes()).unwrap();
        n += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn start(dir: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child", "--exact", "--nocapture"]).env(CHILD, dir);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
}

/// The id of an alert that came, its name and its number.
fn parts(alert: &serde_json::Value) -> (String, String, usize) {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let number = text(&alert["annotations"]["n"]).parse().unwrap();
    (text(&alert["id"]), text(&alert["labels"]["alertname"]), number)
}

fn reports(dir: &Path) -> BTreeMap<String, SinkReport> {
    let ledger = Ledger::beside(&dir.join("queue")).unwrap();
    let all = ledger.map(|ledger| ledger.report().unwrap()).unwrap_or_default();
    all.into_iter().map(|report| (report.sink.clone(), report)).collect()
}

#[test]
fn nothing_that_was_put_is_lost_over_kills() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // A batch that is refused is tried one by one, and those are dead: moods other than that are for the other receiver.
    let bad = Receiver::start(Mood::Refuses);
    let receiver = Receiver::start(Mood::Any);
    std::fs::write(dir.join("ports"), format!("{}\n{}\n", receiver.port(), bad.port())).unwrap();
    let mut random = Random::of_now();
    for _ in 0..KILLS {
        let mut child = start(dir);
        std::thread::sleep(Duration::from_millis(60 + random.below(300) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        let put = put_before(dir).len() as u64;
        for (name, report) in reports(dir) {
            assert_eq!(report.put, report.delivered + report.queued + report.dead, "{name}: {report:?}");
            // One may have been put, and its process killed before it could write that down.
            assert!(report.put >= put && report.put <= put + KILLS as u64, "{name}: {put} {report:?}");
        }
    }
    let before = put_before(dir).len();
    assert!(before > KILLS, "only {before} were put: the kills came too early");
    receiver.mood(Mood::Good);
    std::fs::write(dir.join("most"), (put_before(dir).last().unwrap() + 1 + LAST).to_string()).unwrap();
    let mut child = start(dir);
    let begun = Instant::now();
    let done = || {
        let all = reports(dir);
        put_before(dir).len() >= before + LAST && all.values().all(|report| report.queued == 0)
    };
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", reports(dir));
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let all = reports(dir);
    let put = all["hook"].put;
    let came: Vec<(String, String, usize)> = receiver.came().iter().map(parts).collect();
    let died: BTreeSet<String> = {
        let ledger = Ledger::beside(&dir.join("queue")).unwrap().unwrap();
        ledger.dead(Some("hook"), 10_000).unwrap().into_iter().map(|dead| dead.id).collect()
    };
    let ids: BTreeSet<&str> = came.iter().map(|(id, ..)| id.as_str()).collect();
    // Some were refused; one whose answer was lost may have come and still be refused the next time.
    let both = died.iter().filter(|id| ids.contains(id.as_str())).count();
    assert_eq!(died.len() as u64, all["hook"].dead);
    assert_eq!((ids.len() - both) as u64, all["hook"].delivered);
    assert_eq!(put, all["hook"].delivered + all["hook"].dead);
    let numbers: BTreeSet<usize> = came.iter().map(|(.., n)| *n).collect();
    let dead_numbers = died.len();
    let missing = put_before(dir).into_iter().filter(|n| !numbers.contains(n)).count();
    assert!(missing <= dead_numbers, "{missing} are nowhere, {dead_numbers} are dead");
    assert_eq!((all["refuses"].delivered, all["refuses"].dead), (0, put));

    // Each alert's notices came first in their order.
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (id, alert, n) in came.iter() {
        if seen.insert(id) {
            let before = last.insert(alert, *n);
            assert!(before.is_none_or(|before| before <= *n), "{alert}: {n} after {before:?}");
        }
    }

    // What comes twice into a file is known by its id.
    let text = std::fs::read_to_string(dir.join("alerts.json")).unwrap();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let ids: BTreeSet<String> = lines.map(|line| line["event"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len() as u64, put);
    println!(
        "{put} put over {KILLS} kills; {} came {} times, {} dead; {} lines for {put} in the file",
        all["hook"].delivered,
        came.len(),
        all["hook"].dead,
        text.lines().count()
    );
}
