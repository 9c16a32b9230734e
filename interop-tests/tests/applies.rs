//! Formulas as their users apply them: in two equal throw-away roots with systemd, by stock's 3006.28 and by ours. What they
//! return, files, accounts, packages and services must be equal; then both apply again, and nothing is to do.
//!
//! The formulas are not ours to keep: `BRINE_FORMULAS` names a folder of configurations as the formulas harness writes
//! them, so this is run by hand (`--ignored`), and docs/fidelity.md has the counts.

use std::path::PathBuf;

use brine_interop_tests::Result;
use brine_interop_tests::roots::{Init, Pair, yaml};
use serde_json::{Map, Value, json};

/// Before systemd boots there is a network: what the states will install is put into apt's cache.
fn download(packages: &str) -> String {
    format!("apt-get update >/dev/null\napt-get install -y --download-only {packages} >/dev/null")
}

/// What is never the same twice: keys and the times of accounts' passwords are looked at otherwise, caches not at all.
const SKIP: &[&str] =
    &["ssh_host_", "/ssl/", "-cache", ".pwd.lock", "/systemd/system/", "ld.so.cache", "machine-id"];

fn formula(name: &str, config: &str, sls: &[&str], packages: &str) -> Result {
    let folder =
        std::env::var("BRINE_FORMULAS").map_err(|_| "BRINE_FORMULAS names no folder of configurations")?;
    let minion = PathBuf::from(folder).join(name).join(config).join("minion");
    let mut pair = Pair::new(Init::Systemd, &download(packages))?;
    let all = yaml(&minion)?;
    let opts = json!({"file_roots": all["file_roots"], "pillar_roots": all["pillar_roots"], "id": "web1.example.com"});
    let mut faults = Vec::new();
    for sls in sls {
        let mut chunks = 0;
        for step in ["test", "apply", "again", "test again"] {
            let mut kwargs = Map::new();
            if step.starts_with("test") {
                kwargs.insert("test".into(), true.into());
            }
            let step = format!("{sls}: {step}");
            match pair.state_sls(&step, sls, &kwargs, &opts, &["pid".to_owned()], &[]) {
                Ok(want) => chunks = want["ret"].as_object().map_or(0, Map::len),
                Err(e) => faults.push(e.to_string()),
            }
            let paths = ["/etc", "/home", "/root", "/custom", "/usr/local", "/var/spool"].map(str::to_owned);
            faults.extend(pair.trees(&step, &paths, SKIP).err().map(|e| e.to_string()));
            for script in [
                "getent passwd; getent group; cut -d: -f1,2,4- /etc/shadow",
                "dpkg-query -W",
                "systemctl list-unit-files --no-legend --no-pager; systemctl is-active ssh rsyslog chrony cron || true",
            ] {
                faults.extend(pair.same_output(&step, "/", script).err().map(|e| e.to_string()));
            }
        }
        eprintln!("{name} {config} {sls}: {chunks} states");
    }
    if faults.is_empty() { Ok(()) } else { Err(brine_interop_tests::Failure(faults.join("\n"))) }
}

#[test]
#[ignore = "needs formulas, see above"]
fn formula_users() -> Result {
    formula("users", "k_default.debian12", &["users"], "sudo")?;
    formula("users", "example.debian12", &["users"], "sudo vim")
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
    formula("rsyslog", "example.debian12", &["rsyslog"], "rsyslog")
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
