//! Who is up, who is down, who is connected.

use std::collections::BTreeSet;
use std::time::Duration;

use brine_core::call::{Cx, Result, exec, module};
use brine_core::{COMPAT_VERSION, Map, Value, map};
use brine_store::KeyState;

use crate::client::try_cmd;
use crate::host::master;
use crate::side::{Order, collect};

module! {
    "manage": alived, allowed, bootstrap, bootstrap_psexec, down, joined, key_regen, list_not_state, list_state, not_alived,
    not_allowed, not_joined, not_present, not_reaped, present, reaped, safe_accept, status, up, versions
}

refused! {
    "manage", "salt-ssh, which is not part of Brine", "Sets up minions, or accepts their keys, by way of salt-ssh: refused.": bootstrap, safe_accept
}
refused! { "manage", "PsExec, which is not part of Brine", "Sets up minions by way of PsExec: refused.": bootstrap_psexec }

struct Target {
    tgt: Value,
    tgt_type: String,
    timeout: Option<f64>,
    gather_job_timeout: Option<f64>,
}

/// Who answers a ping, and who does not; both sorted.
fn ping(cx: &Cx, target: Target) -> Result<(Vec<String>, Vec<String>)> {
    let mut order = Order::new(&cx.opts, target.tgt, &target.tgt_type, "test.ping");
    // Zero means the default, as in stock.
    let seconds = |s: Option<f64>| s.filter(|s| *s > 0.0).and_then(|s| Duration::try_from_secs_f64(s).ok());
    order.timeout = seconds(target.timeout).unwrap_or(order.timeout);
    order.gather_timeout = seconds(target.gather_job_timeout).unwrap_or(order.gather_timeout);
    let mut up = BTreeSet::new();
    let ended = collect(&*master(cx)?.side, &order, &mut |id, _| {
        up.insert(id.to_owned());
        Ok(())
    })?;
    let down = ended.minions.into_iter().filter(|id| !up.contains(id)).collect();
    Ok((up.into_iter().collect(), down))
}

/// Ping minions: `up` lists those that answer, `down` those that do not.
///
/// CLI Example: salt-run manage.status
#[exec]
fn status(
    cx: &Cx,
    #[default(true)] output: Value,
    #[default("*")] tgt: Value,
    #[default("glob")] tgt_type: String,
    timeout: Option<f64>,
    gather_job_timeout: Option<f64>,
) -> Result<Map> {
    // Stock ignores it, too.
    let _ = output;
    let (up, down) = ping(cx, Target { tgt, tgt_type, timeout, gather_job_timeout })?;
    Ok(map! {"up" => up, "down" => down})
}

/// The minions that answer a ping.
///
/// CLI Example: salt-run manage.up
#[exec]
fn up(
    cx: &Cx,
    #[default("*")] tgt: Value,
    #[default("glob")] tgt_type: String,
    timeout: Option<f64>,
    gather_job_timeout: Option<f64>,
) -> Result<Vec<String>> {
    Ok(ping(cx, Target { tgt, tgt_type, timeout, gather_job_timeout })?.0)
}

/// The minions that do not answer a ping. With `removekeys`, their keys are deleted.
///
/// CLI Example: salt-run manage.down removekeys=True
#[exec]
fn down(
    cx: &Cx,
    #[default(false)] removekeys: bool,
    #[default("*")] tgt: Value,
    #[default("glob")] tgt_type: String,
    timeout: Option<f64>,
    gather_job_timeout: Option<f64>,
) -> Result<Vec<String>> {
    let (_, down) = ping(cx, Target { tgt, tgt_type, timeout, gather_job_timeout })?;
    if removekeys {
        for id in &down {
            crate::wheel::key::delete_keys(cx, id)?;
        }
    }
    Ok(down)
}

/// Delete all keys: have every minion make itself a new one, and remove what is in the master's `pki_dir`. The master
/// must then be started anew, and every minion's key be accepted again.
///
/// CLI Example: salt-run manage.key_regen
#[exec]
fn key_regen(cx: &Cx) -> Result {
    const DONE: &str = "The minion and master keys have been deleted.  Restart the Salt\n\
        Master within the next 60 seconds!!!\n\n\
        Wait for the minions to reconnect.  Once the minions reconnect\n\
        the new keys will appear in pending and will need to be re-\n\
        accepted by running:\n    salt-key -A\n\n\
        Be advised that minions not currently connected to the master\n\
        will not be able to reconnect and may require manual\n\
        regeneration via a local call to\n    salt-call saltutil.regen_keys";
    if try_cmd(cx, &Order::new(&cx.opts, "*", "glob", "saltutil.regen_keys"))?.is_none() {
        return Ok(false.into());
    }
    let host = master(cx)?;
    let accepted = host.keys.list(KeyState::Accepted)?;
    remove_files(&host.pki_dir, 0);
    for id in accepted {
        host.side.key_gone(KeyState::Accepted, &id);
    }
    Ok(DONE.into())
}

/// Removes the files below a directory, links among them and never what they point to. Directories stay.
fn remove_files(dir: &std::path::Path, depth: u8) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth < 8 {
                remove_files(&entry.path(), depth + 1);
            }
        } else if let Err(e) = std::fs::remove_file(entry.path()) {
            tracing::warn!("{}: {e}", entry.path().display());
        }
    }
}

/// Which versions the minions have that answer, compared with the master's.
///
/// CLI Example: salt-run manage.versions
#[exec]
fn versions(cx: &Cx) -> Result<Map> {
    let mut by_label: Vec<(&str, Map)> =
        ["Minion requires update", "Up to date", "Minion newer than master"].map(|l| (l, Map::new())).into();
    let mut offline = Map::new();
    let ended = collect(&*master(cx)?.side, &Order::new(&cx.opts, "*", "glob", "test.version"), &mut |id, answer| {
        let failed = answer.get("retcode").is_some_and(Value::truthy);
        match answer.get_str("return").filter(|_| !failed) {
            Some(version) => by_label[order_of(version)].1.insert(id, version),
            None => offline.insert(id, false),
        };
        Ok(())
    })?;
    for id in ended.silent {
        offline.insert(id, false);
    }
    let mut all = map! {"Master" => COMPAT_VERSION};
    by_label.push(("Minion offline", offline));
    for (label, mut minions) in by_label {
        if !minions.is_empty() {
            minions.sort_by_key_text();
            all.insert(label, minions);
        }
    }
    Ok(all)
}

/// 0 when the version is older than the master's, 1 when it is the same, 2 when it is newer.
fn order_of(version: &str) -> usize {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect()
    };
    match numbers(version).cmp(&numbers(COMPAT_VERSION)) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => 1,
        std::cmp::Ordering::Greater => 2,
    }
}

/// The connected minions, by id; with addresses where `show_ip`.
fn connected(cx: &Cx, subset: Option<&Vec<Value>>) -> Result<Map> {
    let mut all = master(cx)?.side.connected()?;
    if let Some(subset) = subset.filter(|s| !s.is_empty()) {
        all.retain(|id, _| subset.contains(id));
    }
    all.sort_by_key_text();
    Ok(all)
}

fn state(cx: &Cx, subset: Option<Vec<Value>>, show_ip: bool) -> Result {
    let all = connected(cx, subset.as_ref())?;
    Ok(if show_ip { all.into() } else { all.into_iter().map(|(id, _)| id).collect() })
}

fn not_state(cx: &Cx, subset: Option<Vec<Value>>) -> Result {
    let connected = connected(cx, None)?;
    let accepted = master(cx)?.keys.list(KeyState::Accepted)?;
    let wanted = |id: &str| subset.as_ref().is_none_or(|s| s.iter().any(|v| v.as_str() == Some(id)));
    Ok(accepted.iter().map(|id| id.as_str()).filter(|id| !connected.contains(id) && wanted(id)).collect())
}

macro_rules! presence {
    ($($name:ident, $not:ident;)*) => { $(
        /// The minions with a live connection to the master; nothing is sent to them. With `show_ip`, the address
        /// each connects from.
        ///
        /// CLI Example: salt-run manage.present
        #[exec]
        fn $name(cx: &Cx, subset: Option<Vec<Value>>, #[default(false)] show_ip: bool) -> Result {
            state(cx, subset, show_ip)
        }

        /// The minions with an accepted key and without a live connection to the master; nothing is sent to them.
        ///
        /// CLI Example: salt-run manage.not_present
        #[exec]
        fn $not(cx: &Cx, subset: Option<Vec<Value>>, #[default(false)] show_ip: bool) -> Result {
            let _ = show_ip;
            not_state(cx, subset)
        }
    )* };
}

presence! {
    list_state, list_not_state;
    present, not_present;
    joined, not_joined;
    allowed, not_allowed;
    alived, not_alived;
    reaped, not_reaped;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, call};
    use crate::run::Kind;
    use brine_core::call::Args;

    #[test]
    fn all_keys_go_when_they_are_made_anew() {
        let tmp = tempfile::tempdir().unwrap();
        let fake = Fake::default().answering("saltutil.regen_keys", map! {"m1" => true});
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let outside = tmp.path().join("outside");
        std::fs::write(&outside, "kept").unwrap();
        std::fs::write(tmp.path().join("pki/master.pem"), "k").unwrap();
        std::fs::write(tmp.path().join("pki/minions/m1"), "k").unwrap();
        std::os::unix::fs::symlink(&outside, tmp.path().join("pki/link")).unwrap();
        let text = call(&cx, "manage.key_regen", Args::none()).unwrap();
        assert!(text.as_str().unwrap().starts_with("The minion and master keys have been deleted.  Restart the Salt\nMaster"));
        assert!(!tmp.path().join("pki/master.pem").exists() && !tmp.path().join("pki/minions/m1").exists());
        assert!(outside.exists() && !tmp.path().join("pki/link").exists());
        assert_eq!(fake.record.lock().gone, ["m1"]);
        let refused = call(&cx, "manage.bootstrap", Args::none()).unwrap_err().to_string();
        assert_eq!(refused, "manage.bootstrap needs salt-ssh, which is not part of Brine");
    }

    #[test]
    fn up_and_down_are_told_apart() {
        let tmp = tempfile::tempdir().unwrap();
        let mut fake = Fake::default().answering("test.ping", map! {"b" => true, "a" => true, "c" => Value::Nil});
        fake.connected = map! {"b" => "10.0.0.2", "a" => "10.0.0.1"};
        fake = fake.answering("test.version", map! {"b" => COMPAT_VERSION, "a" => "3000", "c" => Value::Nil});
        let cx = fake.cx(Kind::Runner, tmp.path(), Map::new());
        let text = |ids: &[&str]| Value::from(ids.to_vec());
        let get = |fun: &str, args| call(&cx, fun, args).unwrap();
        let status = map! {"up" => text(&["a", "b"]), "down" => text(&["c"])};
        assert_eq!(get("manage.status", Args::none()), status.into());
        assert_eq!(get("manage.down", Args::none()), text(&["c"]));
        assert_eq!(get("manage.present", Args::none()), text(&["a", "b"]));
        assert_eq!(get("manage.alived", Args::positional(["b"]).with("show_ip", true)), map! {"b" => "10.0.0.2"}.into());
        let versions = map! {
            "Master" => COMPAT_VERSION, "Minion requires update" => map! {"a" => "3000"},
            "Up to date" => map! {"b" => COMPAT_VERSION}, "Minion offline" => map! {"c" => false},
        };
        assert_eq!(get("manage.versions", Args::none()), versions.into());
    }

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(["3006.9", "3006.28", "3007.1", "2019.2.0"].map(order_of), [0, 1, 2, 0]);
    }
}
