//! Whole trees as their users apply them: in two equal throw-away roots with systemd, by stock's 3006.28 and by ours. What
//! they return, files, accounts, packages and services must be equal; then both apply again, and nothing is to do.
//!
//! One tree is ours (`tree/`) and uses every function of states. Formulas are not ours to keep: `BRINE_FORMULAS` names a
//! folder of configurations as the formulas harness writes them, so those are run by hand (`--ignored`), and
//! docs/fidelity.md has the counts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use brine_interop_tests::roots::{Init, Pair, list, yaml};
use brine_interop_tests::{Failure, Result};
use serde_json::{Map, Value, json};

const STEPS: [&str; 4] = ["test", "apply", "again", "test again"];

/// What is never the same twice: keys, what programs keep of when they ran, and a database (of whatever mail server is installed) that holds
/// an id of its file.
const SKIP: &[&str] = &[
    "ssh_host_",
    "/ssl/",
    "-cache",
    ".pwd.lock",
    "ld.so.cache",
    "machine-id",
    "/.git",
    "__pycache__",
    "/etc/aliases.db",
];

fn keywords(step: &str) -> Map<String, Value> {
    step.starts_with("test").then(|| ("test".to_owned(), true.into())).into_iter().collect()
}

/// The chunks of a return: function, id, and what it said.
fn chunks(ret: &Value) -> impl Iterator<Item = (String, &str, &Value)> {
    ret.as_object().into_iter().flatten().map(|(tag, said)| {
        let parts: Vec<&str> = tag.split("_|-").collect();
        let part = |n: usize| parts.get(n).copied().unwrap_or_default();
        (format!("{}.{}", part(0), part(3)), part(1), said)
    })
}

/// Faults, until all is done.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn note<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|e| self.0.push(e.to_string())).ok()
    }

    fn done(self) -> Result {
        if self.0.is_empty() { Ok(()) } else { Err(Failure(self.0.join("\n"))) }
    }
}

/// The tree in `tree/`.
mod whole {
    use super::*;

    const ORCHESTRATES: &str = "is for the master: tests/orchestrate.rs";

    const OF_MINIONS: &str = "asks a running minion: tests/beacons.rs";

    /// Functions that the tree does not use.
    const UNUSED: &[(&str, &str)] = &[
        ("beacon.absent", OF_MINIONS),
        ("beacon.disabled", OF_MINIONS),
        ("beacon.enabled", OF_MINIONS),
        ("beacon.present", OF_MINIONS),
        ("file.mod_run_check_cmd", "is asked by the runner, and takes no name"),
        ("grains.make_hashable", "turns a list into a set, for the other functions"),
        ("ini.sections_present", "fails with stock: docs/differences.md"),
        ("pkg.mod_beacon", "is asked by beacon.present only"),
        ("salt.function", ORCHESTRATES),
        ("salt.parallel_runners", ORCHESTRATES),
        ("salt.runner", ORCHESTRATES),
        ("salt.state", ORCHESTRATES),
        ("salt.wait_for_event", ORCHESTRATES),
        ("salt.wheel", ORCHESTRATES),
        ("service.mod_beacon", "is asked by beacon.present only"),
    ];

    /// Functions that say that they changed something each time; of `pkgrepo.managed` stock says so in test mode, where the line
    /// has options.
    const RESTLESS: &[&str] = &[
        "cmd.run",
        "cmd.script",
        "cmd.wait",
        "cmd.wait_script",
        "cmd.watch",
        "environ.setenv",
        "event.fire_master",
        "event.send",
        "event.wait",
        "file.not_cached",
        "file.touch",
        "iptables.flush",
        "module.run",
        "module.wait",
        "module.watch",
        "pkgrepo.managed",
        "test.configurable_test_state",
        "test.fail_with_changes",
        "test.succeed_with_changes",
    ];

    /// What is compared beside the tree's own folder.
    const LOOK: &[&str] = &[
        "/t",
        "/etc",
        "/home",
        "/root/.ssh",
        "/srv/fstab",
        "/srv/mods",
        "/srv/crontab",
        "/srv/web",
        "/opt/zz-latest",
        "/opt/zz-detached",
        "/opt/zz-cloned",
        "/usr/share/zz-one",
        "/usr/share/zz-two",
        "/usr/share/zz-old",
        "/var/spool/cron",
    ];

    fn texts(folder: &Path, to: &str, files: &mut Map<String, Value>) -> Result {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let to = format!("{to}/{name}");
            if path.is_dir() {
                texts(&path, &to, files)?;
            } else {
                files.insert(to, fs::read_to_string(&path)?.into());
            }
        }
        Ok(())
    }

    #[test]
    fn the_tree_that_uses_every_function() -> Result {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("tree");
        let dump = fs::read_to_string(tree.join("dump.sh"))?;
        let mut pair = Pair::new(Init::Systemd, &fs::read_to_string(tree.join("prepare.sh"))?)?;
        let mut files = Map::new();
        for part in ["states", "pillar"] {
            texts(&tree.join(part), &format!("/srv/four/{part}"), &mut files)?;
        }
        for root in [&mut pair.stock, &mut pair.ours] {
            root.ask(&json!({"do": "write", "files": files}))?;
        }
        let skip: Vec<&str> = SKIP.iter().copied().chain(["/var/spool/cron/"]).collect();
        let mut faults = Faults::default();
        let mut used = BTreeSet::new();
        let mut counts = (0, 0);
        for step in STEPS {
            let start = std::time::Instant::now();
            let all =
                pair.call(step, &["state.highstate"], &keywords(step), &json!({}), &["pid".to_owned()], &[]);
            let paths: Vec<String> = LOOK.iter().map(|path| (*path).to_owned()).collect();
            counts.1 = faults.note(pair.trees(step, &paths, &skip)).unwrap_or_default();
            faults.note(pair.same_output(step, "/", &dump));
            eprintln!("{step}: {:.0} s", start.elapsed().as_secs_f64());
            let Some(all) = faults.note(all) else { continue };
            counts.0 = chunks(&all["ret"]).count();
            for (function, id, said) in chunks(&all["ret"]) {
                let changed = said["changes"].as_object().is_some_and(|changes| !changes.is_empty());
                let restless = RESTLESS.contains(&function.as_str()) || id.ends_with(".mod_watch");
                if step.ends_with("again") && changed && !restless {
                    faults.0.push(format!("{step}: {id} ({function}) changes something: {said}"));
                }
                used.extend(id.ends_with(".mod_watch").then(|| id.to_owned()));
                used.insert(function);
            }
        }
        eprintln!("{} states, {} files", counts.0, counts.1);
        let known = list(&pair.of_ours("sys.list_state_functions")?);
        let unused: Vec<&String> = known.iter().filter(|name| !used.contains(*name)).collect();
        let excused: Vec<&str> = UNUSED.iter().map(|(name, _)| *name).collect();
        if unused != excused {
            faults.0.push(format!("not used are {unused:?}, where it should be {excused:?}"));
        }
        faults.done()
    }
}

/// Before systemd boots there is a network: what the states will install is put into a repository, which is then the only one.
fn download(packages: &str) -> String {
    format!(
        "apt-get -qq update >/dev/null\napt-get -qq -y install --download-only {packages} >/dev/null\nmkdir /srv/repo\n\
         mv /var/cache/apt/archives/*.deb /srv/repo || true\ncd /srv/repo\ndpkg-scanpackages -m . > Packages 2>/dev/null\n\
         rm -rf /etc/apt/sources.list.d /var/lib/apt/lists\n\
         echo 'deb [trusted=yes] copy:/srv/repo ./' > /etc/apt/sources.list\napt-get -qq update"
    )
}

fn formula(name: &str, config: &str, sls: &[&str], packages: &str) -> Result {
    let folder =
        std::env::var("BRINE_FORMULAS").map_err(|_| "BRINE_FORMULAS names no folder of configurations")?;
    let minion = PathBuf::from(folder).join(name).join(config).join("minion");
    let mut pair = Pair::new(Init::Systemd, &download(packages))?;
    let all = yaml(&minion)?;
    let opts = json!({"file_roots": all["file_roots"], "pillar_roots": all["pillar_roots"], "id": "web1.example.com"});
    // Names are hashed there, each with a salt of its own.
    let skip: Vec<&str> = SKIP.iter().copied().chain(["/.ssh/known_hosts"]).collect();
    let mut faults = Faults::default();
    for sls in sls {
        let (mut states, mut files, before) = (0, 0, faults.0.len());
        for step in STEPS {
            let named = format!("{name} {config} {sls}: {step}");
            let call = ["state.sls", sls];
            if let Some(want) = faults.note(pair.call(
                &named,
                &call,
                &keywords(step),
                &opts,
                &["pid".to_owned()],
                &["comment".to_owned()],
            )) {
                states = chunks(&want["ret"]).count();
                let changes = chunks(&want["ret"]).filter(|(_, _, said)| {
                    said["changes"].as_object().is_some_and(|changes| !changes.is_empty())
                });
                let changes: Vec<String> =
                    changes.map(|(function, id, _)| format!("{id} ({function})")).collect();
                eprintln!("{named}: {} of {states} change something {changes:?}", changes.len());
            }
            let paths =
                ["/etc", "/home", "/root/.ssh", "/root/.vimrc", "/custom", "/usr/local/etc", "/var/spool"]
                    .map(str::to_owned);
            files = faults.note(pair.trees(&named, &paths, &skip)).unwrap_or(files);
            for script in [
                "getent passwd; getent group; cut -d: -f1,2,4- /etc/shadow",
                "dpkg-query -W",
                "systemctl list-unit-files --no-legend --no-pager; systemctl is-active ssh rsyslog chrony cron || true",
            ] {
                faults.note(pair.same_output(&named, "/", script));
            }
        }
        eprintln!(
            "{name} {config} {sls}: {states} states, {files} files, {} differences",
            faults.0.len() - before
        );
    }
    faults.done()
}

#[test]
#[ignore = "needs formulas, see above"]
fn formula_users() -> Result {
    formula("users", "k_default.debian12", &["users"], "sudo libpam-google-authenticator")?;
    formula("users", "example.debian12", &["users"], "sudo vim libpam-google-authenticator")
}

#[test]
#[ignore = "needs formulas, see above"]
fn formula_openssh() -> Result {
    formula("openssh", "k_default.debian12", &["openssh", "openssh.config"], "openssh-server")?;
    formula("openssh", "example.debian12", &["openssh", "openssh.config", "openssh.banner"], "openssh-server")
}

#[test]
#[ignore = "needs formulas, see above"]
fn formula_logrotate() -> Result {
    formula("logrotate", "k_default.debian12", &["logrotate"], "logrotate cron")?;
    formula("logrotate", "example.debian12", &["logrotate"], "logrotate cron")
}

#[test]
#[ignore = "needs formulas, see above"]
fn formula_rsyslog() -> Result {
    formula("rsyslog", "none.debian12", &["rsyslog"], "rsyslog")?;
    let modules = ["elasticsearch", "gnutls", "gssapi", "kafka", "mysql", "pgsql", "relp"];
    let packages = modules.map(|module| format!("rsyslog-{module}")).join(" ");
    formula("rsyslog", "example.debian12", &["rsyslog"], &format!("rsyslog {packages}"))
}

#[test]
#[ignore = "needs formulas, see above"]
fn formula_chrony() -> Result {
    formula("chrony", "k_default.debian12", &["chrony"], "chrony")?;
    formula("chrony", "example.debian12", &["chrony"], "chrony")
}

/// Stock against itself would say whether a difference is ours; this says that the roots are equal before.
#[test]
fn roots_are_equal() -> Result {
    let mut pair = Pair::new(Init::Systemd, "")?;
    let paths = ["/etc".to_owned()];
    pair.trees("nothing was done", &paths, SKIP)?;
    pair.same_output("nothing was done", "/", "dpkg-query -W; getent passwd")?;
    let answer: Value =
        pair.ours.ask(&json!({"do": "sh", "script": "systemctl is-system-running || true"}))?;
    brine_interop_tests::failure::hold(answer["out"] != "", || format!("{answer}"))
}
