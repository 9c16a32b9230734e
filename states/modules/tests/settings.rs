//! Files of settings made up at random, read and rewritten by functions here and by stock Salt 3006.28: what they return
//! and what the files hold afterwards is equal.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose others and more.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Args, CallError, Cx, Registry};
use brine_core::host::NoHost;
use brine_core::options::Daemon;
use brine_core::state::Step;
use brine_core::{Opts, Value};
use brine_testing::{Random, Stock, map, number, value};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Both sides, each with a folder of its own.
struct Pair {
    stock: Stock,
    ours: Cx,
    theirs: tempfile::TempDir,
    here: tempfile::TempDir,
    /// The file it is about: its name, and what it held first.
    file: (String, String),
}

fn options(dir: &Path) -> Json {
    let at = |name: &str| dir.join(name).to_string_lossy().into_owned();
    json!({
        "id": "m1", "file_client": "local", "cachedir": at("cache"), "extension_modules": at("ext"),
        "hosts.file": at("hosts"), "aliases.file": at("aliases"), "integration.test": true,
    })
}

impl Pair {
    fn new() -> Self {
        let (theirs, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let grains = json!({
            "os": "Debian", "os_family": "Debian", "kernel": "Linux", "osmajorrelease": 12, "id": "m1", "systemd": {},
        });
        let mut stock = Stock::start(include_str!("settings_stock.py"));
        assert_eq!(stock.ask(&json!({"opts": options(theirs.path()), "grains": grains})), json!(true));
        let mut opts = Daemon::Minion.defaults();
        opts.update(map(&options(here.path())));
        let registry = Registry::new(brine_modules::ALL.iter().copied())
            .with_states(brine_state_modules::ALL.iter().copied());
        let mut ours = Cx::new(Arc::new(Opts::new(opts)), Arc::new(registry), Arc::new(NoHost));
        ours.grains = Arc::new(map(&grains));
        ours.step = Some(Arc::new(Step::default()));
        for dir in [&theirs, &here] {
            fs::create_dir(dir.path().join("cache")).unwrap();
        }
        Self { stock, ours, theirs, here, file: Default::default() }
    }

    fn dirs(&self) -> [&Path; 2] {
        [self.theirs.path(), self.here.path()]
    }

    fn write(&mut self, name: &str, text: &str) {
        self.file = (name.to_owned(), text.to_owned());
        for dir in self.dirs() {
            fs::write(dir.join(name), text).unwrap();
        }
    }

    /// A call by both: `{dir}` in it is each side's folder.
    fn check(&mut self, state: bool, test: bool, fun: &str, args: Json, kwargs: Json) {
        let [theirs, here] = self.dirs().map(|dir| dir.to_string_lossy().into_owned());
        let asked = json!({"fun": fun, "args": args, "kwargs": kwargs, "state": state, "test": test});
        let of =
            |dir: &str| -> Json { serde_json::from_str(&asked.to_string().replace("{dir}", dir)).unwrap() };
        let want = self.stock.ask(&of(&theirs));
        let question = of(&here);
        let positional = question["args"].as_array().unwrap().iter().map(value).collect();
        let args = Args { positional, keyword: map(&question["kwargs"]) };
        self.ours.test = test;
        let got = match if state { self.ours.call_state(fun, args) } else { self.ours.call(fun, args) } {
            Ok(value) => json!({"ret": plain(&value)}),
            Err(e) => json!({"error": named(&e)}),
        };
        let steady = |json: Json, dir: &str| -> Json {
            serde_json::from_str(&json.to_string().replace(dir, "{dir}")).unwrap()
        };
        let (want, got) = (steady(want, &theirs), steady(got, &here));
        let (name, around) = &self.file;
        let read = |dir: &str| {
            fs::read(Path::new(dir).join(name)).ok().map(|bytes| String::from_utf8(bytes).unwrap())
        };
        let (file, want_file) = (read(&here), read(&theirs));
        assert_eq!(sorted(got), sorted(want), "{asked}\nfile {around:?}");
        assert_eq!(file, want_file, "{asked}\nfile {around:?}");
    }
}

/// As JSON.
fn plain(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => json!(i64::try_from(*i).unwrap()),
        Value::Float(x) => json!(x),
        Value::Str(s) => s.as_str().into(),
        Value::List(list) => list.iter().map(plain).collect(),
        Value::Map(all) => {
            let all = all.iter().map(|(k, v)| (brine_core::text::python_str(k), plain(v)));
            Json::Object(all.collect())
        }
        other => panic!("{other:?}"),
    }
}

fn named(e: &CallError) -> Json {
    let kind = match e {
        CallError::Execution(_) => "CommandExecutionError",
        CallError::Invocation(_) => "SaltInvocationError",
        CallError::CommandNotFound(_) => "CommandNotFoundError",
        CallError::Arguments(_) => "TypeError",
        CallError::Exception { kind, .. } => kind,
        _ => "other",
    };
    json!([kind, e.text()])
}

/// Comments of several lines and lists of warnings come from Python's sets: their order is left open.
fn sorted(mut answer: Json) -> Json {
    if let Some(text) = answer["ret"]["comment"].as_str().map(str::to_owned) {
        let mut lines: Vec<&str> = text.split('\n').collect();
        lines.sort_unstable();
        answer["ret"]["comment"] = json!(lines);
    }
    answer
}

fn rounds() -> u64 {
    number("BRINE_CASES", 60)
}

fn random() -> Random {
    Random::new(number("BRINE_SEED", 7))
}

/// Lines of pieces, now and then without an end or with a strange one.
fn text(random: &mut Random, line: impl Fn(&mut Random) -> String) -> String {
    let mut out = String::new();
    for _ in 0..random.below(7) {
        out += &line(random);
        out += random.pick(&["\n", "\n", "\n", "\n", "\r\n", "\n\n"]);
    }
    if random.once_in(5) {
        out += &line(random);
    }
    out
}

const IPS: &[&str] = &["10.0.0.1", "10.0.0.2", "::1", "bad", "10.0.0.0/8"];
const NAMES: &[&str] = &["a", "b.c", "a.example.org", "b"];

fn hosts_line(random: &mut Random) -> String {
    let mut line = random.pick(&["", "", "", "  ", "#", "# "]).to_owned();
    line += random.pick(IPS);
    for _ in 0..random.below(4) {
        line += random.pick(&[" ", "\t", "  "]);
        line += random.pick(NAMES);
    }
    line + random.pick(&["", "", " ", " # note", "#x", " #"])
}

#[test]
fn hosts_files_are_read_and_rewritten_as_by_stock() {
    let (mut pair, mut random) = (Pair::new(), random());
    for _ in 0..rounds() {
        let before = text(&mut random, hosts_line);
        pair.write("hosts", &before);
        for _ in 0..4 {
            let (ip, name) = (random.pick(IPS).to_owned(), random.pick(NAMES).to_owned());
            let more = random.pick(NAMES).to_owned();
            let (fun, args) = match random.below(9) {
                0 => ("hosts.list_hosts", json!([])),
                1 => ("hosts.get_ip", json!([name])),
                2 => ("hosts.get_alias", json!([ip])),
                3 => ("hosts.has_pair", json!([ip, [name, more]])),
                4 => ("hosts.set_host", json!([ip, format!("{name} {more}")])),
                5 => ("hosts.set_host", json!([ip, random.pick(&["", " "]), "why"])),
                6 => ("hosts.rm_host", json!([ip, name])),
                7 => ("hosts.add_host", json!([ip, name])),
                _ => ("hosts.set_comment", json!([ip, "new"])),
            };
            pair.check(false, false, fun, args, json!({}));
            let test = random.once_in(3);
            let (fun, kwargs) = match random.below(4) {
                0 => ("host.present", json!({"name": name, "ip": ip})),
                1 => {
                    // Stock adds several in no order.
                    let ips = [ip.as_str(), if test { random.pick(&IPS[..3]) } else { &ip }];
                    let comment = random.pick(&["", "note", "other"]);
                    (
                        "host.present",
                        json!({"name": name, "ip": ips, "clean": random.once_in(2), "comment": comment}),
                    )
                }
                2 => ("host.absent", json!({"name": name, "ip": [ip]})),
                _ => ("host.only", json!({"name": ip, "hostnames": [name, more]})),
            };
            pair.check(true, test, fun, json!([]), kwargs);
        }
    }
}

fn alias_line(random: &mut Random) -> String {
    let name = random.pick(&["root", "root", "me", "x", "#c", ""]);
    let middle = random.pick(&[": ", ":", ":\t", " ", ""]);
    let target = random.pick(&["me", "a, b", "|/bin/x y", ":include:/f", "", "m@h.org"]);
    format!("{name}{middle}{target}{}", random.pick(&["", "", " # note", "  #", "#x"]))
}

#[test]
fn aliases_are_read_and_rewritten_as_by_stock() {
    let (mut pair, mut random) = (Pair::new(), random());
    for _ in 0..rounds() {
        let before = text(&mut random, alias_line);
        pair.write("aliases", &before);
        for _ in 0..4 {
            let name = random.pick(&["root", "me", "x", "new", ""]).to_owned();
            let target = match random.below(5) {
                0 => json!(["a", "b"]),
                1 => json!(""),
                _ => json!(random.pick(&["me", "a, b", "other"])),
            };
            let (fun, args) = match random.below(5) {
                0 => ("aliases.list_aliases", json!([])),
                1 => ("aliases.get_target", json!([name])),
                2 => ("aliases.has_target", json!([name, target])),
                3 => ("aliases.set_target", json!([name, target])),
                _ => ("aliases.rm_alias", json!([name])),
            };
            pair.check(false, false, fun, args, json!({}));
            let test = random.once_in(3);
            let (fun, kwargs) = match random.below(2) {
                0 => ("alias.present", json!({"name": name, "target": target})),
                _ => ("alias.absent", json!({"name": name})),
            };
            pair.check(true, test, fun, json!([]), kwargs);
        }
    }
}

fn sysctl_line(random: &mut Random) -> String {
    let key = random.pick(&["kernel.ostype", "vm.swappiness", "a.b", "# x", "#a.b", " ; c"]);
    let middle = random.pick(&["=", " = ", "\t=", " ", "=="]);
    format!("{key}{middle}{}", random.pick(&["1", "Linux", "1 2", "60", ""]))
}

#[test]
fn files_of_kernel_parameters_are_read_and_rewritten_as_by_stock() {
    let (mut pair, mut random) = (Pair::new(), random());
    for _ in 0..rounds() {
        let before = text(&mut random, sysctl_line);
        pair.write("sysctl", &before);
        for _ in 0..2 {
            // One of them is not there, one is and cannot be changed.
            let name = random.pick(&["a.b", "kernel.ostype"]).to_owned();
            let value = random.pick(&["1", "Linux", "1  2"]).to_owned();
            let config = json!({"config": "{dir}/sysctl"});
            pair.check(false, false, "sysctl.show", json!(["{dir}/sysctl"]), json!({}));
            pair.check(true, true, "sysctl.present", json!([name, value]), config.clone());
            pair.check(false, false, "sysctl.persist", json!([name, value]), config.clone());
            pair.check(true, false, "sysctl.present", json!([name, value]), config);
        }
    }
}

fn fstab_line(random: &mut Random) -> String {
    let device = random.pick(&["/dev/x1", "tmpfs", "UUID=ab", "#", "/dev/x2", "none"]);
    let name = random.pick(&["/a", "/b", "none", "/a/b c"]);
    let opts = random.pick(&["defaults", "ro,noatime", "noatime,ro", "bind", ""]);
    let fstype = random.pick(&["ext4", "tmpfs", "swap", "nfs"]);
    let end = random.pick(&["", " 0", " 0 0", " 0 1", " 1 2 3"]);
    format!("{}{device}\t{name} {fstype}  {opts}{end}", random.pick(&["", "", "", " ", "#"]))
}

#[test]
fn fstab_is_read_and_rewritten_as_by_stock() {
    let (mut pair, mut random) = (Pair::new(), random());
    for _ in 0..rounds() {
        let before = text(&mut random, fstab_line);
        pair.write("fstab", &before);
        for _ in 0..4 {
            let device = random.pick(&["/dev/x1", "tmpfs", "UUID=ab", "/dev/with\\ space"]).to_owned();
            let name = random.pick(&["/a", "/b", "/a/"]).to_owned();
            let fstype = random.pick(&["ext4", "tmpfs", "nfs"]).to_owned();
            let match_on = match random.below(5) {
                0 => json!(["name", "device"]),
                1 => json!("name"),
                2 => json!(["opts"]),
                3 => json!(7),
                _ => json!("auto"),
            };
            let opts = match random.below(2) {
                0 => json!(["ro", "noatime"]),
                _ => json!("defaults"),
            };
            let config = "{dir}/fstab";
            let test = random.once_in(3);
            let (fun, args, kwargs) = match random.below(5) {
                0 => ("mount.fstab", json!([config]), json!({})),
                1 => ("mount.vfstab", json!([config]), json!({})),
                2 => ("mount.rm_fstab", json!([name, device, config]), json!({})),
                3 => (
                    "mount.set_vfstab",
                    json!([name, device, fstype]),
                    json!({"config": config, "opts": opts, "match_on": "name"}),
                ),
                _ => (
                    "mount.set_fstab",
                    json!([name, device, fstype, opts, 0, 1]),
                    json!({"config": config, "match_on": match_on, "test": test, "not_change": random.once_in(4)}),
                ),
            };
            pair.check(false, false, fun, args, kwargs);
            let (fun, kwargs) = match random.below(4) {
                0 => (
                    "mount.mounted",
                    json!({"name": name, "device": device, "fstype": fstype, "opts": opts, "mount": false, "config": config}),
                ),
                1 => (
                    "mount.fstab_present",
                    json!({"name": device, "fs_file": name, "fs_vfstype": fstype, "fs_mntops": opts, "config": config,
                        "mount": test, "match_on": "auto", "not_change": random.once_in(3)}),
                ),
                2 => ("mount.fstab_absent", json!({"name": device, "fs_file": name, "config": config})),
                _ => (
                    "mount.unmounted",
                    json!({"name": name, "device": device, "persist": true, "config": config}),
                ),
            };
            pair.check(true, test, fun, json!([]), kwargs);
        }
    }
}

fn automount_line(random: &mut Random) -> String {
    let name = random.pick(&["/../a", "/../b", "#", "/a"]);
    let opts = random.pick(&["-fstype=nfs,ro", "-fstype=nfs,", "-fstype=smbfs,ro", ""]);
    format!("{name}\t{opts} {}", random.pick(&["nfs:/x", "nfs:h:/x", "x:/x", "://u@h/x"]))
}

#[test]
fn maps_of_the_automounter_are_read_and_rewritten_as_by_stock() {
    let (mut pair, mut random) = (Pair::new(), random());
    for _ in 0..rounds() {
        let before = text(&mut random, automount_line);
        pair.write("auto", &before);
        for _ in 0..3 {
            let name = random.pick(&["/a", "/b", "/c"]).to_owned();
            let fstype = random.pick(&["nfs", "smbfs"]).to_owned();
            let (fun, args) = match random.below(3) {
                0 => ("mount.automaster", json!(["{dir}/auto"])),
                1 => ("mount.rm_automaster", json!([name, "/x", "{dir}/auto"])),
                _ => {
                    let opts = random.pick(&["ro", "", "rw,soft"]);
                    let (test, keep) = (random.once_in(3), random.once_in(4));
                    ("mount.set_automaster", json!([name, "/x", fstype, opts, "{dir}/auto", test, keep]))
                }
            };
            pair.check(false, false, fun, args, json!({}));
        }
    }
}
