//! Configuration files against the options that stock was measured to make of them.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use brine_core::options::Daemon;
use brine_protocol::{Map, Value, map};
use brine_render::config::{self, ConfigError, FoundId, Loaded};
use common::{data, untag};
use serde_json::Value as Json;
use std::path::Path;

/// Options of stock that depend on the version, or that we leave out on purpose.
const SKIP: &[&str] = &["conf_file", "user"];

fn load(daemon: Daemon, path: &Path) -> Result<Loaded, ConfigError> {
    let env = |_: &str| None;
    let find: config::FindId<'_> = &|_| Ok(FoundId { id: "host".into(), is_address: false });
    match daemon {
        Daemon::Master => config::master_config(path, &env, find),
        Daemon::Minion => config::minion_config(path, &env, find),
    }
}

fn daemon(name: &str) -> Daemon {
    if name == "master" { Daemon::Master } else { Daemon::Minion }
}

fn map(json: &Json) -> Map {
    let Value::Map(map) = untag(json) else { panic!("a map") };
    map
}

/// Writes files into a directory and loads them; `@` stands for the directory.
fn with_files(daemon: Daemon, files: &[(&str, &str)]) -> (Result<Loaded, ConfigError>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().to_str().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace('@', base)).unwrap();
    }
    (load(daemon, &dir.path().join(daemon.name())), dir)
}

fn placeholders(value: &Value, base: &str) -> Value {
    match value {
        Value::Str(s) => s.replace(base, "@").into(),
        Value::List(l) => l.iter().map(|v| placeholders(v, base)).collect(),
        Value::Map(m) => m.iter().map(|(k, v)| (k.clone(), placeholders(v, base))).collect::<Map>().into(),
        other => other.clone(),
    }
}

#[test]
fn pallets_of_an_inventory_are_groups_where_a_source_says_so() {
    let groups = |options: &str| {
        let text = format!(
            "nodegroups: {{web: w*}}\next_pillar: [{{palletjack: {{warehouse: /srv/w{options}}}}}]\n"
        );
        let loaded = with_files(Daemon::Master, &[("master", &text)]).0.unwrap();
        loaded.opts.get("nodegroups").and_then(Value::as_map).unwrap().clone()
    };
    let (key, word) = brine_core::target::INVENTORY;
    assert_eq!(groups(", nodegroups: true"), map! {"web" => "w*", key => word});
    assert_eq!(groups(", nodegroups: [rack]"), map! {"web" => "w*", key => word});
    assert_eq!(groups(", nodegroups: false"), map! {"web" => "w*"});
    assert_eq!(groups(""), map! {"web" => "w*"});
}

#[test]
fn the_kept_schedule_is_read_job_by_job_and_cannot_stop_the_start() {
    let kept = "schedule:\n  a: {function: f, seconds: 5}\n  b: {function: f, seconds: 6}\n";
    let later = "schedule:\n  a: {function: f, cron: '* * * * *'}\n";
    let files =
        [("minion", "schedule: {c: {}}\n"), ("minion.d/_schedule.conf", kept), ("minion.d/z.conf", later)];
    let (loaded, _dir) = with_files(Daemon::Minion, &files);
    let want = map! { "a" => map! { "function" => "f", "cron" => "* * * * *" },
    "b" => map! { "function" => "f", "seconds" => 6 } };
    assert_eq!(loaded.unwrap().opts.get("schedule"), Some(&want.into()));
    let (loaded, dir) = with_files(Daemon::Minion, &[("minion", ""), ("minion.d/_schedule.conf", "a: [\n")]);
    let loaded = loaded.unwrap();
    assert!(loaded.warnings.iter().any(|w| w.starts_with("Renaming to ")), "{:?}", loaded.warnings);
    assert!(dir.path().join("minion.d/_schedule.confYAMLError").exists());
}

#[test]
fn options_are_stocks() {
    let measured = data(include_str!("data/config.json"));
    let mut wrong = Vec::new();
    for case in measured["cases"].as_array().unwrap() {
        let daemon = daemon(case["daemon"].as_str().unwrap());
        let files: Vec<(&str, &str)> = case["files"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str().unwrap()))
            .collect();
        let mut expected = map(&measured["defaults"][daemon.name()]);
        expected.update(map(&case["opts"]));
        let text = case["files"].to_string();
        // Stock goes on with values of wrong types, as it can; here they stop the program.
        if ["grains: [x]", "auto_accept: 'True'", "auto_accept: 1"].iter().any(|bad| text.contains(bad)) {
            continue;
        }
        // Stock takes the file server's directories where pillar_roots is no map: that would publish files as
        // pillar.
        if text.contains("pillar_roots: nope") {
            continue;
        }
        // A relative root stands below the directory the program was started in.
        if text.contains("root_dir: rel") {
            continue;
        }
        let (loaded, dir) = with_files(daemon, &files);
        let opts = match loaded {
            Ok(loaded) => placeholders(&Value::Map(loaded.opts.map().clone()), dir.path().to_str().unwrap()),
            Err(e) => {
                wrong.push(format!("{text}: {e}"));
                continue;
            }
        };
        for (key, stock) in &expected {
            let key = key.as_str().unwrap();
            let ours = opts.get(key);
            if ours != Some(stock) && !SKIP.contains(&key) {
                wrong.push(format!("{text}: {key}\n  stock: {stock:?}\n  ours: {ours:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_bad_value_names_file_key_and_line_and_what_is_used() {
    let text =
        "id: m1\n\nlog_level: [debug]\npeer: true\ninterface: 5\nauto_accept: \"yes\"\nping_on_rotate: 1\n";
    let (loaded, dir) = with_files(Daemon::Master, &[("master", text)]);
    let place = dir.path().join("master");
    let loaded = loaded.unwrap();
    let wrong = |line: u8, key: &str, value: &str, found: &str, wanted: &str, used: &str| {
        format!(
            "{}:{line}: Config option '{key}' with value {value} has an invalid type of {found}, a {wanted} is \
             required for this option; {used} is used",
            place.display()
        )
    };
    assert_eq!(
        loaded.warnings,
        [
            wrong(3, "log_level", "['debug']", "list", "str", "the default"),
            wrong(4, "peer", "True", "bool", "dict", "the default"),
            wrong(6, "auto_accept", "yes", "str", "bool", "auto_accept: False"),
            wrong(7, "ping_on_rotate", "1", "int", "bool", "ping_on_rotate: True"),
        ]
    );
    assert_eq!(loaded.opts.str("log_level"), "warning");
    assert_eq!(loaded.opts.get("peer"), Some(&map! {}.into()));
    assert_eq!(loaded.opts.str("interface"), "5");
    assert!(!loaded.opts.flag("auto_accept") && loaded.opts.flag("ping_on_rotate"));
    let (loaded, _dir) = with_files(Daemon::Master, &[("master", "id: m1\nkey_pass: [hush]\nmine_get:\n")]);
    let loaded = loaded.unwrap();
    assert!(!loaded.warnings.concat().contains("hush") && loaded.opts.str("key_pass").contains("hush"));
    // No rule at all would open the whole mine.
    assert_eq!(loaded.opts.get("mine_get"), Some(&map! {}.into()));
    // In an included file, and for an option that has no effect: a warning.
    let files = [("minion", "id: m1\n"), ("minion.d/x.conf", "# one\nwinrepo_dir: [a]\n")];
    let (loaded, dir) = with_files(Daemon::Minion, &files);
    let warnings = loaded.unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with(&format!("{}:2: ", dir.path().join("minion.d/x.conf").display())));
}

#[test]
fn an_unknown_key_is_a_warning_with_a_near_miss() {
    let (loaded, dir) = with_files(
        Daemon::Minion,
        &[("minion", "id: m1\nmastr: x\nsomething_own: 1\na.b: 2\nredis: {host: h}\n")],
    );
    let loaded = loaded.unwrap();
    let place = dir.path().join("minion");
    assert_eq!(
        loaded.warnings,
        [
            format!("{}:2: unknown option 'mastr'; did you mean 'master'?", place.display()),
            format!("{}:3: unknown option 'something_own'", place.display()),
        ]
    );
    assert_eq!(loaded.opts.int("something_own"), Some(1));
}

#[test]
fn what_is_no_configuration_stops() {
    let (loaded, dir) = with_files(Daemon::Minion, &[("minion", "id: m1\n bad: x\n")]);
    let place = dir.path().join("minion");
    let place = place.display();
    assert_eq!(
        loaded.unwrap_err().to_string(),
        format!(
            "Error parsing configuration file: {place} - mapping values are not allowed in this context\n  in \
             \"{place}\", line 2, column 5"
        )
    );
    let (loaded, dir) = with_files(Daemon::Minion, &[("minion", "just text\n")]);
    assert_eq!(
        loaded.unwrap_err().to_string(),
        format!(
            "Error parsing configuration file: {} - conf should be a document, not <class 'str'>.",
            dir.path().join("minion").display()
        )
    );
    for text in ["id: m1\ninclude: minion\n", "id: m1\nencryption_algorithm: ROT13\n"] {
        let (loaded, _dir) = with_files(Daemon::Minion, &[("minion", text)]);
        assert!(loaded.is_err(), "{text}");
    }
    // Stock's master skips an included file that is broken, and starts without what it says.
    let files = [("master", "id: m1\n"), ("master.d/x.conf", "a: [\n")];
    assert!(with_files(Daemon::Master, &files).0.is_err());
}

#[test]
fn a_key_whose_values_are_commented_out_keeps_its_default() {
    let (loaded, _dir) =
        with_files(Daemon::Master, &[("master", "id: m1\nfile_roots:\n#  base: x\nlog_level:\n")]);
    let loaded = loaded.unwrap();
    assert_eq!(loaded.opts.str("log_level"), "warning");
    assert!(loaded.opts.get("file_roots").unwrap().get("base").is_some());
}

#[test]
fn the_environment_replaces_only_the_default_path() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master");
    std::fs::write(&path, "id: from_env\n").unwrap();
    let named = path.to_str().unwrap().to_owned();
    let base = dir.path().to_str().unwrap().to_owned();
    let find: config::FindId<'_> = &|_| Ok(FoundId { id: "host".into(), is_address: false });
    let default = config::config_file(Daemon::Master, None);
    let by_file = |name: &str| (name == "SALT_MASTER_CONFIG").then(|| named.clone());
    let by_dir = |name: &str| (name == "SALT_CONFIG_DIR").then(|| base.clone());
    assert_eq!(config::master_config(&default, &by_file, find).unwrap().opts.str("id"), "from_env");
    assert_eq!(config::master_config(&default, &by_dir, find).unwrap().opts.str("id"), "from_env");
    std::fs::write(dir.path().join("minion"), "id: minion_from_env\n").unwrap();
    let default_minion = config::config_file(Daemon::Minion, None);
    let minion = dir.path().join("minion").to_str().unwrap().to_owned();
    let minion_by_file = |name: &str| (name == "SALT_MINION_CONFIG").then(|| minion.clone());
    for env in [&minion_by_file as config::Env<'_>, &by_dir] {
        assert_eq!(
            config::minion_config(&default_minion, env, find).unwrap().opts.str("id"),
            "minion_from_env"
        );
    }
    let other = dir.path().join("none/master");
    assert_eq!(config::master_config(&other, &by_file, find).unwrap().opts.str("id"), "host_master");
}

#[test]
fn a_client_overlays_its_own_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("master"), "id: m1\ntimeout: 9\n").unwrap();
    std::fs::write(dir.path().join(".saltrc"), "timeout: 3\ntoken_file: ~/tok\n").unwrap();
    let home = dir.path().to_str().unwrap().to_owned();
    let env = |name: &str| (name == "HOME").then(|| home.clone());
    let find: config::FindId<'_> = &|_| Ok(FoundId { id: "host".into(), is_address: false });
    let opts = config::client_config(&dir.path().join("master"), &env, find).unwrap().opts;
    assert_eq!(opts.int("timeout"), Some(3));
    assert_eq!(opts.str("interface"), "127.0.0.1");
    assert_eq!(opts.str("token_file"), format!("{home}/tok"));
}

/// Options whose effect is on other options: each case has what is in the files, and what follows from it.
#[test]
fn options_decide_about_other_options() {
    use Daemon::{Master, Minion};
    let get = |daemon: Daemon, files: &[(&str, &str)], key: &str| {
        let (loaded, dir) = with_files(daemon, files);
        let value = loaded.unwrap().opts.get(key).cloned().unwrap_or_default();
        placeholders(&value, dir.path().to_str().unwrap())
    };
    let one = |daemon: Daemon, text: &str, key: &str| get(daemon, &[(daemon.name(), text)], key);
    for (daemon, text, key, want) in [
        (Master, "root_dir: @/r\n", "pki_dir", "@/r/etc/salt/pki/master"),
        (Minion, "root_dir: @/r\n", "pidfile", "@/r/var/run/salt-minion.pid"),
        (Master, "cachedir: @/c\n", "token_dir", "@/c/tokens"),
        (Minion, "cachedir: @/c\n", "cachedir", "@/c"),
        (Master, "pki_dir: @/p\n", "pki_dir", "@/p"),
        (Minion, "pki_dir: @/p\n", "pki_dir", "@/p"),
        (Master, "sock_dir: /s\n", "sock_dir", "/s"),
        (Minion, "sock_dir: /s\n", "sock_dir", "/s"),
        (Master, "pidfile: @/x\n", "pidfile", "@/x"),
        (Minion, "pidfile: @/x\n", "pidfile", "@/x"),
        (Master, "log_file: @/l\n", "log_file", "@/l"),
        (Minion, "log_file: @/l\n", "log_file", "@/l"),
        (Minion, "log_dir: @/logs\n", "log_file", "@/logs/minion"),
        (Minion, "environment: dev\n", "saltenv", "dev"),
        (Minion, "id: m1\nappend_domain: x.org\n", "id", "m1.x.org"),
        (Minion, "append_minionid_config_dirs: [pki_dir]\nid: m1\npki_dir: @/p\n", "pki_dir", "@/p/m1"),
        (Master, "id: m\n", "id", "m"),
        (Minion, "id: m\n", "id", "m"),
        (Master, "hash_type: SHA512\n", "hash_type", "sha512"),
    ] {
        assert_eq!(one(daemon, text, key), want.into(), "{text}");
    }
    let included = [("master", "include: more/*.x\n"), ("more/a.x", "id: of_include\n")];
    assert_eq!(get(Master, &included, "id"), "of_include".into());
    for daemon in [Master, Minion] {
        let files = [(daemon.name(), "default_include: here/*.conf\n"), ("here/a.conf", "id: of_default\n")];
        assert_eq!(get(daemon, &files, "id"), "of_default".into());
    }
    assert_eq!(one(Master, "external_auth: {rest: {}}\n", "keep_acl_in_token"), true.into());
}
