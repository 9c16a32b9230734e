//! Beacons look at real things, and say of them what stock's say.

use super::both::Both;
use serde_json::{Value as Json, json};
use std::fs;
use std::process::Command;

fn run(program: &str, words: &[&str]) {
    let out = Command::new(program).args(words).output().unwrap();
    assert!(out.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&out.stderr));
}

fn told(answer: &Json) -> &Vec<Json> {
    answer["told"].as_array().unwrap_or_else(|| panic!("{answer}"))
}

/// The machine changes between two looks: they must agree once.
fn agree_soon(both: &mut Both, question: Json) -> Json {
    for _ in 0..50 {
        let (stock, ours) = (both.stock.ask(&question), both.ours(&question));
        if stock == ours {
            return ours;
        }
    }
    both.agree(question)
}

#[test]
fn disks_memory_and_swap() {
    let mut both = Both::start();
    for (bound, some) in [("0%", true), ("101", false)] {
        let disks = json!({"beacon": "diskusage", "do": "look", "config": [{"/": bound}, {"^/proc.*$": "200%"}, {"_beacon_name": "d"}]});
        assert_eq!(!told(&agree_soon(&mut both, disks)).is_empty(), some);
        for kind in ["memusage", "swapusage"] {
            let config = json!([{"percent": bound}, {"_beacon_name": kind}]);
            let answer = agree_soon(&mut both, json!({"beacon": kind, "do": "look", "config": config}));
            assert_eq!(!told(&answer).is_empty(), some, "{kind}");
        }
    }
    for config in [json!([{"/": "x%"}]), json!([{"/": null}]), json!([{"/(": 0}]), json!([{}])] {
        let wrong = json!({"beacon": "diskusage", "do": "look", "config": config});
        assert!(both.stock.ask(&wrong)["raised"].is_string(), "{wrong}");
        assert!(both.ours(&wrong)["raised"].is_string(), "{wrong}");
    }
    both.agree(json!({"beacon": "memusage", "do": "look", "config": [{"percent": "many"}]}));
    both.agree(json!({"beacon": "memusage", "do": "look", "config": [{"percent": null}]}));
}

#[test]
fn programs_by_name() {
    let mut both = Both::start();
    let dir = tempfile::tempdir().unwrap();
    // The kernel cuts its name.
    let long = dir.path().join("a-program-with-a-long-name");
    fs::copy("/bin/sleep", &long).unwrap();
    let mut child = Command::new(&long).arg("60").spawn().unwrap();
    let processes = json!({
        "a-program-with-a-long-name": "running", "python": "stopped", "no-such-program": "stopped", "none": "running",
        "not-there": "gone", "cargo": 5,
    });
    let answer = both.agree(
        json!({"beacon": "ps", "do": "look", "config": [{"processes": processes}, {"_beacon_name": "ps"}]}),
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(told(&answer).contains(&json!({"a-program-with-a-long-name": "Running"})), "{answer}");
    assert!(told(&answer).contains(&json!({"not-there": false})), "{answer}");
}

#[test]
fn counters_of_interfaces() {
    let mut both = Both::start();
    for options in [
        json!({"type": "greater", "bytes_recv": -1}),
        json!({"type": "equal", "errin": "0"}),
        json!({"dropin": 1_000_000_000}),
        json!({"errout": "x"}),
    ] {
        let config = json!([{"interfaces": {"lo": options, "no0": {"type": "greater", "errin": 0}}}]);
        agree_soon(&mut both, json!({"beacon": "network_info", "do": "look", "config": config}));
    }
}

#[test]
fn a_log_is_read_on() {
    let mut both = Both::start();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, "before: good-bye\n").unwrap();
    let question = json!({"beacon": "log", "do": "look", "config": [
        {"file": path.to_str().unwrap()},
        {"tags": {"bye/world": {"regex": ".*good-bye.*"}, "hello": {"regex": "hello (\\w+)$"}, "bad": {"regex": "("}, "none": {}}},
        {"_beacon_name": "log"},
    ]});
    assert_eq!(told(&both.agree(question.clone())).len(), 0);
    assert_eq!(told(&both.agree(question.clone())).len(), 1, "only that one expression is none");
    let mut log = fs::OpenOptions::new().append(true).open(&path).unwrap();
    use std::io::Write;
    write!(log, "x\nsay good-bye\nhello you\n say hello you\ntab\x0bgood-bye\u{2028}hello me\nhalf good-bye")
        .unwrap();
    let answer = both.agree(question.clone());
    assert_eq!(told(&answer).len(), 6, "{answer}");
    fs::remove_file(&path).unwrap();
    both.agree(question.clone());
    // A new file, as a rotation leaves it, is read from its beginning, where stock goes on from where the old one ended.
    fs::write(&path, "good-bye to the old\n").unwrap();
    assert_eq!(told(&both.ours(&question)).len(), 2);
}

#[test]
fn services_and_their_changes() {
    let mut both = Both::start();
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    fs::write(&pid, "1").unwrap();
    let pid = pid.to_str().unwrap();
    let mut random = brine_testing::Random::new(brine_testing::number("BRINE_SEED", 3));
    let mut events = 0;
    for round in 0..12 {
        let name = format!("service{round}");
        let mut config = || {
            let mut options = serde_json::Map::new();
            for (key, values) in [
                ("onchangeonly", vec![json!(true), json!(true), json!(false)]),
                ("emitatstartup", vec![json!(true), json!(false)]),
                ("uncleanshutdown", vec![json!(pid), json!("/no/such")]),
            ] {
                if !random.once_in(3) {
                    options.insert(key.to_owned(), values[random.below(values.len())].clone());
                }
            }
            json!([{"services": {"a": options, "b": {}}}, {"_beacon_name": name}])
        };
        let config = config();
        let mut running = [true, true];
        for _ in 0..30 {
            running = running.map(|on| on ^ random.once_in(4));
            let answers = json!({"service.status": {"by": {"a": running[0], "b": running[1]}}});
            let question = json!({"beacon": "service", "name": name, "do": "look", "config": config, "answers": answers});
            events += told(&both.agree(question)).len();
        }
    }
    assert!(events > 50, "{events}");
}

#[test]
fn packages_come_go_and_age() {
    let mut both = Both::start();
    let config = json!([{"pkgs": ["zsh", "apache2"]}, {"refresh": true}, {"_beacon_name": "pkg"}]);
    let mut events = Vec::new();
    for (zsh, latest) in
        [("5.9", ""), ("5.9", ""), ("5.9", "5.10"), ("5.10", ""), ("", ""), ("", "5.10"), ("5.10", "")]
    {
        let answers = json!({"pkg.version": {"by": {"zsh": zsh, "apache2": "2"}}, "pkg.latest_version": {"by": {"zsh": latest, "apache2": ""}}});
        let answer = both.agree(json!({"beacon": "pkg", "do": "look", "config": config, "answers": answers}));
        events.extend(told(&answer).iter().map(|event| event["status"].clone()));
    }
    assert_eq!(events, ["upgrade", "installed", "not-installed", "installed"]);
}

#[test]
fn functions_and_what_they_return() {
    let mut both = Both::start();
    for (config, ping) in [
        (json!([{"salt_fun": "test.ping"}]), json!(true)),
        (json!([{"salt_fun": "test.ping"}]), json!(false)),
        (
            json!([{"salt_fun": ["test.ping", {"test.echo": {"args": ["x"], "kwargs": [{"a": 1}, {"b": 2}]}}]}]),
            json!({"a": 1}),
        ),
        (json!([{"salt_fun": ["test.ping", {"test.echo": {"args": []}}]}]), json!([])),
        (json!([{"salt_fun": ["test.ping"]}]), json!({"fails": "no"})),
        (json!([{"other": ["test.ping"]}]), json!(true)),
    ] {
        let answers = json!({"test.ping": ping, "test.echo": "x"});
        both.agree(json!({"beacon": "salt_monitor", "do": "look", "config": config, "answers": answers}));
    }
}

#[test]
fn numbers_of_the_machine() {
    let mut both = Both::start();
    let answers = json!({
        "status.loadavg": {"1-min": 0.5, "5-min": 0.25, "15-min": 1.0}, "status.time": "Thu", "status.w": [{"user": "a"}, {"user": "b"}],
        "status.meminfo": {"fails": "not here"}, "status.uptime": 5,
    });
    for config in [
        json!([{"loadavg": ["all"]}, {"time": ["all"]}, {"_beacon_name": "s"}]),
        json!([{"loadavg": ["1-min", "5-min"], "w": [0, "1"]}]),
        json!([{"loadavg": ["no"]}]),
        json!([{"loadavg": "1-min"}, {"time": [0, "2"]}]),
        json!([{"w": [5]}]),
        json!([{"meminfo": ["all"]}]),
        json!([{"nothing": ["all"]}]),
        json!([{"loadavg": ["1-min"]}, {"_x": 1}]),
        json!([{"uptime": ["a"]}]),
        json!([{"w": ["x"]}]),
    ] {
        let asked = json!({"beacon": "status", "do": "look", "config": config, "answers": answers});
        let (mut stock, mut ours) = (both.stock.ask(&asked), both.ours(&asked));
        for answer in [&mut stock, &mut ours] {
            for event in answer["told"].as_array_mut().into_iter().flatten() {
                // The tag is the time.
                let tag = event["tag"].take();
                assert_eq!((tag.as_str().unwrap().len(), &tag.as_str().unwrap()[10..11]), (26, "T"), "{tag}");
            }
        }
        assert_eq!(ours, stock, "{asked}");
    }
}

#[test]
fn certificates_of_all_kinds() {
    let mut both = Both::start();
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let make = |name: &str, words: &[&str]| {
        let (key, path) = (file("key"), file(name));
        let mut all = vec!["req", "-x509", "-nodes", "-keyout", &key, "-out", &path];
        all.extend(words);
        run("openssl", &all);
        path
    };
    let long = make(
        "long.pem",
        &[
            "-newkey",
            "rsa:2048",
            "-days",
            "400",
            "-subj",
            "/C=SE/ST=Stockholm/L=Kista/O=Example AB/OU=IT/CN=example.com/emailAddress=a@example.com",
            "-addext",
            "subjectAltName=DNS:example.com,DNS:*.example.com,IP:192.0.2.1,IP:2001:db8::1,email:a@example.com,URI:https://example.com/",
            "-addext",
            "keyUsage=digitalSignature,keyAgreement,encipherOnly",
            "-addext",
            "extendedKeyUsage=clientAuth,serverAuth,1.2.3.4",
        ],
    );
    let short = make(
        "short.pem",
        &[
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-days",
            "5",
            "-subj",
            "/CN=kort å",
            "-utf8",
        ],
    );
    let plain = make(
        "plain.pem",
        &["-newkey", "ed25519", "-days", "44", "-subj", "/DC=org/DC=example/CN=x", "-set_serial", "7"],
    );
    // Behind its key, as some programs want it.
    let behind = file("behind.pem");
    fs::write(&behind, [fs::read(file("key")).unwrap(), fs::read(&plain).unwrap()].concat()).unwrap();
    let junk = file("junk");
    fs::write(&junk, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let files =
        json!([long, {short.clone(): {"notify_days": 1}}, {plain.clone(): {}}, behind, junk, file("none")]);
    for (days, some) in [(json!(-1), 4), (json!(45), 2), (json!(1000), 3)] {
        let config = json!([{"files": files}, {"notify_days": days}, {"_beacon_name": "c"}]);
        let answer = both.agree(json!({"beacon": "cert_info", "do": "look", "config": config}));
        assert_eq!(
            told(&answer)[0]["certificates"].as_array().unwrap().len(),
            some - usize::from(days == -1),
            "{answer}"
        );
    }
    both.agree(json!({"beacon": "cert_info", "do": "look", "config": [{"files": [long]}]}));
    both.agree(json!({"beacon": "cert_info", "do": "look", "config": [{"files": [{short: null}]}]}));
}
