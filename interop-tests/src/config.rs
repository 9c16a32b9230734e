//! The configuration files of a fleet: stock's keys, everything below one scratch directory,
//! and the waits shortened where stock lets them be.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::failure::Result;
use crate::side::Side;

/// What the files of one fleet have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address the master listens on and minions dial.
    pub address: String,
    /// Publish port.
    pub publish_port: u16,
    /// Request port.
    pub ret_port: u16,
    /// Account the master runs as.
    pub user: String,
    /// Account the minions run as.
    pub minion_user: String,
    /// Whether waits are stock's defaults (`false`) or shortened (`true`).
    pub hasty: bool,
    /// Lines added to the master's file.
    pub master_lines: Vec<String>,
    /// Lines added to every minion's file.
    pub minion_lines: Vec<String>,
}

/// Framing of the event bus that the CLI of `cli` understands; our CLI takes either.
fn framing(cli: Side) -> &'static str {
    match cli {
        Side::Stock(v) if !v.starts_with("3006") => "3007",
        _ => "3006",
    }
}

/// Writes `<root>/etc/master`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_master(root: &Path, s: &Settings, cli: Side) -> Result {
    let r = root.display();
    let mut text = format!(
        "root_dir: {r}\nuser: {}\nid: brine-test\ninterface: {}\npublish_port: {}\nret_port: {}\n\
         pki_dir: {r}/pki/master\ncachedir: {r}/cache/master\nsock_dir: {r}/s\nlog_file: {r}/log/master\n\
         key_logfile: {r}/log/key\npidfile: {r}/run/master.pid\ntoken_dir: {r}/cache/master/tokens\n\
         event_pub_framing: {}\nenable_gpu_grains: false\n",
        s.user,
        s.address,
        s.publish_port,
        s.ret_port,
        framing(cli)
    );
    if s.hasty {
        text.push_str("worker_threads: 3\nloop_interval: 1\ngather_job_timeout: 2\n");
    }
    text.push_str("nodegroups:\n  webs: 'G@role:web'\n  both: 'L@m1,m2'\n");
    for line in &s.master_lines {
        let _ = writeln!(text, "{line}");
    }
    for dir in ["etc", "etc/master.d", "log", "run", "s"] {
        fs::create_dir_all(root.join(dir))?;
    }
    Ok(fs::write(root.join("etc/master"), text)?)
}

/// Writes `<root>/<name>/minion` for minion `id`, whose state lives below `<root>/<name>`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_minion(root: &Path, name: &str, id: &str, s: &Settings, extra: &[String]) -> Result {
    let dir = root.join(name);
    let d = dir.display();
    let role = if id == "m1" { "web" } else { "db" };
    let mut text = format!(
        "root_dir: {d}\nuser: {}\nid: {id}\nmaster: {}\npublish_port: {}\nmaster_port: {}\n\
         pki_dir: {d}/pki\ncachedir: {d}/cache\nsock_dir: {d}/s\nlog_file: {d}/log/minion\n\
         pidfile: {d}/run/minion.pid\nenable_fqdns_grains: false\nenable_gpu_grains: false\n\
         grains:\n  role: {role}\n  rack: {{row: 7, tags: [blue, {id}]}}\n",
        s.minion_user, s.address, s.publish_port, s.ret_port,
    );
    if s.hasty {
        text.push_str(
            "acceptance_wait_time: 1\nacceptance_wait_time_max: 1\nrandom_reauth_delay: 1\n\
             recon_default: 100\nrecon_max: 1000\nmaster_tries: -1\n",
        );
    }
    for line in s.minion_lines.iter().chain(extra) {
        let _ = writeln!(text, "{line}");
    }
    for sub in ["minion.d", "log", "run", "s"] {
        fs::create_dir_all(dir.join(sub))?;
    }
    Ok(fs::write(dir.join("minion"), text)?)
}
