//! Functions that only look, called here and with stock Salt 3006.28 in one process of its Python, on the same files.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use brine_core::call::{Args, Cx, Registry, Result};
use brine_core::options::Daemon;
use brine_core::text::python_repr;
use brine_core::{CallError, Opts};
use brine_testing::{Around, map, value};
use serde_json::{Value as Json, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// A call as stock and we are asked for it.
fn call(name: &str, args: Json) -> Json {
    json!([name, args, {}])
}

fn files(dir: &Path) {
    for (path, text) in [
        ("a/one.txt", "one\r\n  two\nTHREE\n"),
        ("a/b/two.txt", "needle in hay\n"),
        ("a/empty", ""),
        ("salt/top.sls", "base: {}\n"),
        ("salt/web/init.sls", "a: 1\n"),
        ("salt/web/port.sls", "b: 2\n"),
        ("salt/web/files/x.conf", "x={{ 1 + 1 }}\n"),
        ("salt/web/defaults.yaml", "port: 80\nhosts: {a: [1, 2]}\n"),
        ("dev/only.txt", "dev\n"),
    ] {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir_all(dir.join("salt/nothing")).unwrap();
    fs::write(dir.join("bin"), b"a\0\xff").unwrap();
    std::os::unix::fs::symlink("one.txt", dir.join("a/link")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.join("a/broken")).unwrap();
}

fn calls(dir: &Path) -> Vec<Json> {
    let at = |path: &str| dir.join(path).to_string_lossy().into_owned();
    let mut calls = Vec::new();
    let paths: Vec<String> =
        ["a", "a/", "a/one.txt", "a/link", "a/broken", "a/none", "a/empty", "bin", "a/b/../one.txt"]
            .iter()
            .map(|path| at(path))
            .chain(["", "x", "~root", "/dev/null", "//a/../b/", "relative/x"].map(str::to_owned))
            .collect();
    for path in &paths {
        for name in [
            "basename",
            "dirname",
            "normpath",
            "directory_exists",
            "file_exists",
            "path_exists_glob",
            "is_link",
            "is_hardlink",
            "is_chrdev",
            "is_blkdev",
            "is_fifo",
            "get_devmm",
            "get_mode",
            "get_uid",
            "get_gid",
            "get_user",
            "get_group",
            "read",
            "readlink",
            "readdir",
            "get_sum",
            "get_hash",
            "diskusage",
            "list_backups",
        ] {
            if name == "readdir" && path.starts_with(&at("a")) && Path::new(path).is_dir() {
                continue;
            }
            calls.push(call(&format!("file.{name}"), json!([path])));
        }
        for (name, more) in [
            ("stats", json!(["md5"])),
            ("stats", json!([null, false])),
            ("contains", json!([" two "])),
            ("contains", json!([""])),
            ("contains_regex", json!(["^two", " "])),
            ("contains_regex", json!(["^TH"])),
            ("contains_glob", json!(["*two*"])),
            ("search", json!(["^THREE$"])),
            ("search", json!(["^three$", ["IGNORECASE", "m"]])),
            ("search", json!(["x", "BAD"])),
            ("access", json!(["r"])),
            ("access", json!(["q"])),
            ("check_hash", json!(["abc"])),
            ("seek_read", json!([3, 1])),
            ("check_hash", json!(["md5=d41d8cd98f00b204e9800998ecf8427e"])),
            ("readlink", json!([true])),
            ("get_hash", json!(["nohash"])),
        ] {
            let args: Vec<Json> =
                [json!(path)].into_iter().chain(more.as_array().unwrap().iter().cloned()).collect();
            calls.push(call(&format!("file.{name}"), json!(args)));
        }
    }
    for args in [json!(["/", "usr", "local"]), json!(["a", "/b", "c/"]), json!(["a", ""]), json!([""])] {
        calls.push(call("file.join", args));
    }
    for id in [json!(0), json!("0"), json!("root"), json!(987_654), json!("nobodyofthisname"), json!(null)] {
        for name in ["gid_to_group", "group_to_gid", "uid_to_user", "user_to_uid"] {
            // A text that is no number, and None, end in a TypeError that says less than our answer.
            if (name == "uid_to_user" && !id.is_number()) || (name == "gid_to_group" && id.is_null()) {
                continue;
            }
            calls.push(call(&format!("file.{name}"), json!([id])));
        }
    }
    for kwargs in [
        json!({"type": "f"}),
        json!({"type": "d", "maxdepth": 0}),
        json!({"name": "*.txt"}),
        json!({"iname": "ONE*", "print": "name,size,type"}),
        json!({"regex": "^t"}),
        json!({"size": "+5"}),
        json!({"size": "1k"}),
        json!({"mtime": "-1d"}),
        json!({"mtime": "x"}),
        json!({"owner": "nosuchuser"}),
        json!({"grep": "needle"}),
        json!({"type": "q"}),
        json!({"nope": 1}),
        json!({"name": ""}),
        json!({"mindepth": 2}),
        json!({"print": "md5", "type": "f"}),
        json!({"type": "l", "print": "path mode user group"}),
        json!({"owner": "root", "type": "f"}),
        json!({"size": "bad"}),
    ] {
        calls.push(json!(["file.find", [at("a")], kwargs]));
    }
    for path in [
        "salt://top.sls",
        "salt://web/files/x.conf",
        "salt://none",
        "salt://only.txt",
        "salt://only.txt?saltenv=dev",
        "salt://../x",
        "/etc/hostname",
    ] {
        for name in ["cache_file", "get_file_str", "hash_file", "is_cached", "cache_dest"] {
            // No name leads out of the cache here.
            if !(name == "cache_dest" && path.contains("..")) {
                calls.push(call(&format!("cp.{name}"), json!([path])));
            }
        }
    }
    for name in ["list_states", "list_master", "list_master_dirs"] {
        calls.push(call(&format!("cp.{name}"), json!([])));
    }
    for args in [
        json!(["salt://web"]),
        json!(["salt://web", null, false, "*.sls"]),
        json!(["salt://web", null, false, null, "E@port"]),
    ] {
        calls.push(call("cp.cache_dir", args));
    }
    calls.push(call("cp.cache_files", json!(["salt://top.sls,salt://none"])));
    calls.push(call("cp.list_master", json!(["base", "web"])));
    calls.push(call("cp.list_states", json!(["dev"])));
    calls.push(call("cp.get_file", json!(["salt://top.sls", at("got")])));
    calls.push(call("cp.get_file", json!(["salt://none", at("got2")])));
    calls.push(call("cp.get_file", json!(["salt://top.sls", at("new/folder/x")])));
    calls.push(json!(["cp.get_file", ["salt://top.sls", at("new/folder/x")], {"makedirs": true}]));
    calls.push(call("cp.get_dir", json!(["salt://web", at("copied")])));
    calls.push(call("cp.get_url", json!(["salt://top.sls", at("url")])));
    calls.push(call("cp.get_url", json!(["salt://top.sls", null])));
    calls.push(call("cp.get_template", json!(["salt://web/files/x.conf", at("rendered")])));
    calls.push(call("file.read", json!([at("rendered")])));
    for key in ["web:port", "web:hosts:a:1", "web:none", "web", "nosuch", "nosuch:x"] {
        calls.push(call("defaults.get", json!([key])));
        calls.push(call("defaults.get", json!([key, "dflt"])));
    }
    for (name, args) in [
        ("user.info", json!(["root"])),
        ("user.info", json!(["nosuchuser"])),
        ("user.list_groups", json!(["root"])),
        ("user.list_users", json!([])),
        ("user.primary_group", json!(["root"])),
        ("group.info", json!(["root"])),
        ("group.info", json!(["nosuchgroup"])),
        ("group.getent", json!([])),
        ("alternatives.show_current", json!(["awk"])),
        ("alternatives.show_current", json!(["nosuch"])),
        ("alternatives.show_link", json!(["awk"])),
        ("alternatives.check_installed", json!(["awk", "/usr/bin/mawk"])),
        ("alternatives.display", json!(["nosuch"])),
        ("pkg.version", json!(["bash"])),
        ("pkg.version", json!(["nosuchpkg"])),
        ("pkg.version", json!(["bash", "nosuchpkg"])),
        ("pkg.version", json!(["bas*"])),
        ("pkg.list_pkgs", json!([])),
        ("pkg.list_pkgs", json!([true])),
        ("pkg_resource.version", json!([])),
        ("pkg.normalize_name", json!(["zsh:amd64"])),
        ("pkg.parse_arch", json!(["zsh:i386"])),
        ("pkg.parse_arch", json!(["zsh"])),
        ("data.load", json!([])),
        ("data.update", json!(["k", [1, 2]])),
        ("data.get", json!(["k"])),
        ("data.get", json!([["k", "q"]])),
        ("data.get", json!([["k", "q"], 0])),
        ("data.cas", json!(["k", 1, 2])),
        ("data.pop", json!(["k"])),
        ("data.keys", json!([])),
        ("data.has_key", json!(["k"])),
        ("data.clear", json!([])),
        ("log.info", json!(["x"])),
        ("pillar.get", json!(["a:b"])),
        ("pillar.get", json!(["a:c", 5])),
        ("pillar.get", json!(["a", {"z": 1}, true])),
        ("pillar.get", json!(["l", [2, 3], true])),
        ("pillar.item", json!(["a", "zz"])),
        ("pillar.raw", json!([])),
        ("pillar.raw", json!(["l"])),
        ("pillar.keys", json!(["a"])),
        ("pillar.keys", json!(["l"])),
        ("pillar.keys", json!(["zz"])),
        ("pillar.filter_by", json!([{"w*": 1, "default": 2}, "role"])),
        ("pillar.get", json!(["l:1"])),
        ("pillar.get", json!(["a:b:c:d"])),
    ] {
        calls.push(call(name, args));
    }
    for (a, b) in [
        ("1.0", "1.0-1"),
        ("1:0", "2"),
        ("1.0~rc1", "1.0"),
        ("a", "b"),
        ("1.2+x", "1.2a"),
        ("", "1"),
        ("1 2", "1"),
        ("x:1", "1"),
        ("9", "10"),
        ("1-", "1"),
    ] {
        calls.push(call("pkg.version_cmp", json!([a, b])));
    }
    calls
}

fn shown(result: Result) -> String {
    match result {
        Ok(value) => python_repr(&value),
        Err(CallError::Exception { kind, message }) => format!("{kind}: {message}"),
        Err(CallError::Arguments(text)) => format!("TypeError: {text}"),
        Err(CallError::Execution(text)) => format!("CommandExecutionError: {text}"),
        Err(CallError::Invocation(text)) => format!("SaltInvocationError: {text}"),
        Err(other) => format!("{other:?}"),
    }
}

#[test]
fn looking_shows_what_stock_shows() {
    let (own, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let opts = |dir: &Path| {
        let at = |path: &str| dir.join(path).to_string_lossy().into_owned();
        json!({
            "id": "m1", "file_client": "local", "cachedir": at("cache"), "extension_modules": at("ext"), "saltenv": null,
            "file_roots": {"base": [at("salt")], "dev": [at("dev")]}, "pillar_roots": {"base": [at("pillar")]},
            "grains": {"os_family": "Debian", "os": "Debian", "osarch": "amd64", "cpuarch": "x86_64", "kernel": "Linux", "id": "m1"},
            "pillar": {"a": {"b": 1, "c": {"d": [1]}}, "l": [1, 2], "role": "web1"},
        })
    };
    for dir in [own.path(), theirs.path()] {
        files(dir);
        fs::create_dir_all(dir.join("cache")).unwrap();
    }
    let stock = PathBuf::from(
        std::env::var_os("BRINE_STOCK_DIR").expect("BRINE_STOCK_DIR: where stock Salt is installed"),
    );
    let mut child = Command::new(stock.join("3006.28/bin/python"))
        .args(["-B", "-W", "ignore", "-c", include_str!("data/stock_calls.py")])
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut lines = from.lines();
    writeln!(to, "{}", opts(theirs.path())).unwrap();

    let settled = opts(own.path());
    let mut all = Daemon::Minion.defaults();
    all.update(map(&settled));
    let all = Opts::new(all);
    let host = Around::files(Arc::new(brine_files::Client::of_this_machine(&all)));
    let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
    let mut cx = Cx::new(Arc::new(all), registry, Arc::new(host));
    cx.grains = Arc::new(map(&settled["grains"]));
    cx.pillar = Arc::new(map(&settled["pillar"]));

    let mut wrong = Vec::new();
    let (ours, stocks) = (calls(own.path()), calls(theirs.path()));
    for (ours, stocks) in ours.iter().zip(&stocks) {
        writeln!(to, "{stocks}").unwrap();
        let answer: String = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let args = Args {
            positional: ours[1].as_array().unwrap().iter().map(value).collect(),
            keyword: map(&ours[2]),
        };
        let got = shown(cx.call(ours[0].as_str().unwrap(), args));
        let plain = |text: &str, dir: &Path| text.replace(&*dir.to_string_lossy(), "DIR");
        let (got, answer) = (plain(&got, own.path()), plain(&answer, theirs.path()));
        if moving(&got) != moving(&answer) {
            wrong.push(format!(
                "{} {}\n    stock {answer}\n    ours  {got}",
                ours[0],
                plain(&ours[1].to_string(), own.path())
            ));
        }
    }
    drop(to);
    child.wait().unwrap();
    println!("{} calls compared", ours.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Without what differs between two copies of a file: inode and times.
fn moving(text: &str) -> String {
    let mut out = text.to_owned();
    for key in ["'inode': ", "time': "] {
        let mut rest = String::new();
        for (n, part) in out.split(key).enumerate() {
            let part = if n == 0 {
                part
            } else {
                part.trim_start_matches(|c: char| c.is_ascii_digit() || ".e-".contains(c))
            };
            rest.push_str(if n == 0 { "" } else { key });
            rest.push_str(part);
        }
        out = rest;
    }
    out
}
