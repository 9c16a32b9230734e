//! Files and folders that change under the eyes of both: ours and stock's, which has pyinotify and watchdog.

use super::both::Both;
use brine_testing::{Random, number};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

fn told(answer: &Json) -> Vec<Json> {
    answer["told"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

fn question(beacon: &str, config: Json) -> Json {
    json!({"beacon": beacon, "do": "look", "config": config})
}

/// What was told, without what comes of it that both look into the folders.
fn heard(answer: &Json) -> Vec<Json> {
    let looks = ["IN_OPEN|IN_ISDIR", "IN_ACCESS|IN_ISDIR", "IN_CLOSE_NOWRITE|IN_ISDIR"];
    told(answer).into_iter().filter(|event| !looks.iter().any(|look| event["change"] == *look)).collect()
}

/// Something happens below a folder.
fn stir(random: &mut Random, dir: &Path) {
    let name =
        |random: &mut Random| dir.join(["a", "b", "skip-me", "sub/c", "sub/d", "sub"][random.below(6)]);
    let (one, other) = (name(random), name(random));
    match random.below(7) {
        0 => drop(fs::write(&one, "x")),
        1 => drop(
            fs::OpenOptions::new()
                .append(true)
                .open(&one)
                .map(|mut f| std::io::Write::write_all(&mut f, b"y")),
        ),
        2 => drop(fs::remove_file(&one)),
        3 => drop(fs::rename(&one, &other)),
        4 => drop(fs::create_dir(dir.join("sub"))),
        5 => drop(fs::read(&one)),
        _ => drop(fs::remove_dir_all(dir.join("sub"))),
    }
}

#[test]
fn whatever_happens_to_files_is_told_as_stock_tells_it() {
    let mut random = Random::new(number("BRINE_SEED", 11));
    let masks = [
        json!(null),
        json!(["create", "delete", "modify"]),
        json!(["open", "close_write", "create", "moved_to", "moved_from"]),
        json!(["attrib", "access", "close_nowrite", "delete_self", "move_self", "create"]),
    ];
    let mut both = Both::start();
    let mut events = 0;
    for round in 0..number("BRINE_CASES", 24) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        let mask = &masks[random.below(masks.len())];
        let mut options = json!({"recurse": !random.once_in(3), "auto_add": random.once_in(2)});
        if !mask.is_null() {
            options["mask"] = mask.clone();
        }
        if random.once_in(3) {
            let path = root.to_str().unwrap();
            options["exclude"] = json!([format!("{path}/skip-me"), {format!("{path}/sub/d$"): {"regex": true}}, format!("{path}/*b")]);
        }
        let file = dir.path().join("later");
        let files = json!({root.to_str().unwrap(): options, file.to_str().unwrap(): {"mask": ["modify", "delete_self"]}});
        let config = json!([{"files": files}, {"coalesce": round % 5 == 0}, {"_beacon_name": "i"}]);
        let asked = json!({"beacon": "inotify", "name": round.to_string(), "do": "look", "config": config});
        both.stock.ask(&asked);
        both.ours(&asked);
        for _ in 0..20 {
            for _ in 0..random.below(5) {
                stir(&mut random, &root);
            }
            if random.once_in(4) {
                // One that is not there at first, and gone again.
                drop(if file.exists() { fs::remove_file(&file) } else { fs::write(&file, "") });
            }
            let (stock, ours) = (heard(&both.stock.ask(&asked)), heard(&both.ours(&asked)));
            assert_eq!(ours, stock, "{asked}");
            events += ours.len();
        }
    }
    assert!(events > 250, "{events}");
}

#[test]
fn folders_that_come_are_watched() {
    let mut both = Both::start();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_str().unwrap();
    let asked = question(
        "inotify",
        json!([{"files": {root: {"mask": ["create", "close_write"], "recurse": true, "auto_add": true}}}]),
    );
    both.agree(asked.clone());
    fs::create_dir_all(dir.path().join("d1/d2/d3")).unwrap();
    fs::write(dir.path().join("d1/d2/early"), "x").unwrap();
    let early = told(&both.agree(asked.clone()));
    assert!(early.iter().any(|e| e["path"] == format!("{root}/d1/d2/early")), "{early:?}");
    fs::write(dir.path().join("d1/d2/d3/late"), "x").unwrap();
    let late = told(&both.agree(asked.clone()));
    assert_eq!(late.len(), 2, "{late:?}");
    // Where a folder was moved out of sight.
    fs::rename(dir.path().join("d1/d2"), dir.path().join("d1/d4")).unwrap();
    fs::write(dir.path().join("d1/d4/after"), "x").unwrap();
    both.agree(asked);
}

#[test]
fn a_folder_grows_where_only_changes_are_asked_for() {
    // Stock's second turn makes it blind for new folders, and its first tells of them unasked.
    let mut both = Both::start();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_str().unwrap();
    let asked = question(
        "inotify",
        json!([{"files": {root: {"mask": ["close_write"], "recurse": true, "auto_add": true}}}]),
    );
    both.ours(&asked);
    both.ours(&asked);
    fs::create_dir(dir.path().join("new")).unwrap();
    assert_eq!(told(&both.ours(&asked)).len(), 0);
    fs::write(dir.path().join("new/file"), "x").unwrap();
    let heard = told(&both.ours(&asked));
    assert_eq!(
        heard,
        [
            json!({"tag": format!("{root}/new"), "path": format!("{root}/new/file"), "change": "IN_CLOSE_WRITE"})
        ]
    );
}

#[test]
fn folders_as_the_library_watchdog_sees_them() {
    let mut random = Random::new(number("BRINE_SEED", 5));
    let mut both = Both::start();
    let mut events = 0;
    for round in 0..6 {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        let mask =
            [json!(["create", "modify", "delete", "move"]), json!(["delete"]), json!(["move", "create"])];
        let options = if round == 0 { json!({}) } else { json!({"mask": mask[round % 3]}) };
        let config = json!([{"directories": {dir.path().to_str().unwrap(): options}}, {"_beacon_name": "w"}]);
        let asked =
            json!({"beacon": "watchdog", "name": format!("w{round}"), "do": "look", "config": config});
        assert_eq!(told(&both.agree(asked.clone())).len(), 0);
        std::thread::sleep(Duration::from_millis(200));
        let (mut stock, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            for _ in 0..8 {
                stir(&mut random, dir.path());
            }
            // Stock's has threads of its own, and waits half a second for the other end of a move. What comes twice at once it tells
            // once or twice, as it falls.
            let end = Instant::now() + Duration::from_secs(20);
            std::thread::sleep(Duration::from_millis(700));
            loop {
                stock.extend(told(&both.stock.ask(&asked)));
                ours.extend(told(&both.ours(&asked)));
                stock.dedup();
                ours.dedup();
                if ours == stock || Instant::now() > end {
                    break;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            assert_eq!(ours, stock);
        }
        events += ours.len();
    }
    assert!(events > 10, "{events}");
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let mut both = Both::start();
    let asked = question("watchdog", json!([{"directories": {"/no/such/folder": {}}}]));
    assert_eq!(both.ours(&asked)["raised"], "[Errno 2] No such file or directory: '/no/such/folder'");
}
