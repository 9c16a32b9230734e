//! Trees made up at random, served here and by stock Salt 3006.28 in one process of its Python: every request gets the same answer.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::text::python_repr;
use brine_core::{Opts, Value};
use brine_files::FileServer;
use brine_protocol::command::MinionCommand;
use brine_testing::{Random, Stock, map, number};
use flate2::read::GzDecoder;
use serde_json::{Value as Json, json};
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;

const NAMES: &[&str] = &[
    "a",
    "b",
    "c.sls",
    "top.sls",
    ".hid",
    "a b",
    "x|y",
    "q'\"",
    "ünï",
    "a\\b",
    "new\nline",
    "..x",
    "y..",
    "a?b",
    "|p",
    "z.pyc",
    "t\x01",
    "é",
    " sp ",
];

fn path(random: &mut Random) -> String {
    let depth = 1 + random.below(3);
    (0..depth).map(|_| random.pick(NAMES)).collect::<Vec<_>>().join("/")
}

/// Files, empty folders and links; no circles, which stock follows until the system gives up.
fn plant(random: &mut Random, root: &Path) -> Vec<String> {
    let mut planted = Vec::new();
    fs::create_dir_all(root).unwrap();
    for _ in 0..4 + random.below(10) {
        let name = path(random);
        let at = root.join(&name);
        if fs::create_dir_all(at.parent().unwrap()).is_err() || at.symlink_metadata().is_ok() {
            continue;
        }
        match random.below(8) {
            0 => drop(fs::create_dir_all(&at)),
            1 => {
                let to = random.pick(&[
                    "a",
                    "../a",
                    "none",
                    "../../outside",
                    "/etc/hostname",
                    "c.sls",
                    "../outside/deep",
                    "b",
                ]);
                drop(symlink(to, &at));
            }
            2 => fs::write(&at, "").unwrap(),
            3 => nix::unistd::mkfifo(&at, nix::sys::stat::Mode::S_IRUSR).unwrap(),
            _ => fs::write(&at, format!("{name}\n").repeat(1 + random.below(30))).unwrap(),
        }
        planted.push(name);
    }
    planted
}

fn ask(random: &mut Random, planted: &[String]) -> (MinionCommand, &'static str, Json) {
    use MinionCommand as C;
    let some = |random: &mut Random| {
        if planted.is_empty() || random.below(4) == 0 {
            path(random)
        } else {
            planted[random.below(planted.len())].clone()
        }
    };
    let mut load = json!({"saltenv": random.pick(&["base", "base", "base", "dev", "other", "__env__", "../base", "no"])});
    let (command, name) = match random.below(9) {
        0 => (C::FileFind, "_find_file"),
        1 => (C::FileHash, "file_hash"),
        2 => (C::FileHashAndStat, "file_hash_and_stat"),
        3 | 4 => (C::ServeFile, "serve_file"),
        5 => (C::FileList, "file_list"),
        6 => (C::FileListEmptydirs, "file_list_emptydirs"),
        7 => (C::DirList, "dir_list"),
        _ => [(C::SymlinkList, "symlink_list"), (C::FileEnvs, "file_envs")][random.below(2)],
    };
    match name {
        "file_envs" => {
            load = [json!({}), json!({"back": "roots"}), json!({"back": "git"}), json!({"sources": true})]
                [random.below(4)]
            .clone();
        }
        "file_list" | "file_list_emptydirs" | "dir_list" | "symlink_list" => {
            match random.below(5) {
                0 => load["prefix"] = random.pick(NAMES).into(),
                1 => load["prefix"] = format!("/{}/", some(random)).into(),
                2 => {
                    load["fsbackend"] =
                        json!(["roots", "git", "roots,git", "-git", "-roots"][random.below(4)])
                }
                _ => {}
            }
            if random.below(20) == 0 {
                load = json!({});
            }
        }
        _ => {
            let path = some(random);
            load["path"] = match random.below(12) {
                0 => format!("|{path}"),
                1 => format!("/{path}"),
                2 => format!("x/../{path}"),
                3 => format!("./{path}/"),
                4 => format!("{path}?x=1&y"),
                5 => format!("../base/{path}"),
                6 if name != "serve_file" => format!("{path}?saltenv=dev"),
                _ => path,
            }
            .into();
            if name == "serve_file" {
                load["loc"] = [0, 0, 0, 3, 64, 100_000][random.below(6)].into();
                match random.below(8) {
                    0 => load["gzip"] = 5.into(),
                    1 => load["gzip"] = 0.into(),
                    2 => load["gzip"] = 50.into(),
                    3 => load["loc"] = (-1).into(),
                    _ => {}
                }
            }
            match random.below(25) {
                0 => drop(load.as_object_mut().unwrap().remove("path")),
                1 => load["path"] = Json::Null,
                2 => load["path"] = 5.into(),
                _ => {}
            }
        }
    }
    (command, name, load)
}

/// As the script shows it: bytes as text, the time of the last reading left out.
fn plain(answer: Value) -> Value {
    match answer {
        Value::Map(mut map) => {
            if let Some(Value::Bytes(data)) = map.get("data").cloned() {
                let mut text = String::new();
                match map.get("gzip") {
                    Some(_) => drop(GzDecoder::new(&data[..]).read_to_string(&mut text).unwrap()),
                    None => text = String::from_utf8(data).unwrap(),
                }
                map.insert("data", text);
            }
            if let Some(Value::List(mut stat)) = map.get("stat").cloned() {
                stat[7] = 0.into();
                map.insert("stat", Value::List(stat));
            }
            map.into()
        }
        Value::List(list) => {
            let numbers = |v: &Value| matches!(v, Value::List(stat) if stat.len() == 10);
            let without = |v: Value| match v {
                Value::List(mut stat) => {
                    stat[7] = 0.into();
                    Value::List(stat)
                }
                other => other,
            };
            Value::List(list.into_iter().map(|v| if numbers(&v) { without(v) } else { v }).collect())
        }
        other => other,
    }
}

#[test]
fn every_request_is_answered_as_by_stock() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random::new(number("BRINE_SEED", 1));
    let mut stock = Stock::start(include_str!("data/stock_fileserver.py"));
    let mut wrong = Vec::new();
    for n in 0..number("BRINE_CASES", 60) {
        let at = |name: &str| dir.path().join(n.to_string()).join(name).to_string_lossy().into_owned();
        let mut planted = Vec::new();
        for root in ["r1", "r2", "r3", "envs/other"] {
            planted.extend(plant(&mut random, Path::new(&at(root))));
        }
        fs::create_dir_all(at("outside/deep")).unwrap();
        fs::write(at("outside/deep/secret"), "s").unwrap();
        let mut roots = json!({"base": [at("r1"), at("r2")], "dev": [at("r3"), at("none")]});
        if random.below(2) == 0 {
            roots["__env__"] = json!([at("envs/__env__")]);
        }
        let hash_type = random.pick(&[
            "sha256", "md5", "sha512", "sha1", "sha224", "sha384", "blake2b", "sha3_256", "nonsense",
        ]);
        let globs = [json!([]), json!(["*.pyc", "*/b/*"])];
        let regexes = [json!([]), json!(["/\\.hid($|/)", "^ünï"])];
        let sizes = [64, 1_048_576];
        let opts = json!({
            "file_roots": roots, "cachedir": at("cache"), "sock_dir": at("sock"), "pki_dir": at("pki"),
            "extension_modules": at("ext"), "fileserver_backend": ["roots"], "hash_type": hash_type,
            "fileserver_followsymlinks": random.below(2) == 0, "fileserver_ignoresymlinks": random.below(3) == 0,
            "file_ignore_glob": globs[random.below(2)],
            "file_ignore_regex": regexes[random.below(2)],
            "file_buffer_size": sizes[random.below(2)],
        });
        let server = FileServer::new(&Opts::new(map(&opts)));
        let asked: Vec<_> = (0..40).map(|_| ask(&mut random, &planted)).collect();
        let requests: Vec<_> = asked.iter().map(|(_, name, load)| json!([name, load])).collect();
        let theirs = stock.ask(&json!({"opts": opts, "asked": requests}));
        let theirs: Vec<String> = serde_json::from_value(theirs).unwrap();
        for ((command, name, load), theirs) in asked.iter().zip(theirs) {
            let ours = python_repr(&plain(server.answer(*command, &map(load))));
            if ours != theirs {
                wrong.push(format!("{n} {name} {load}\n  stock {theirs}\n  ours  {ours}\n  {opts}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n"));
}
