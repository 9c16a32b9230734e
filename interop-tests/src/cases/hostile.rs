//! Peers that mean harm: what they get, and that the master serves the others all the while.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::bus::{Bus, Event};
use crate::failure::{Result, hold, same};
use crate::fleet::{Fleet, START};
use crate::side::Side;
use crate::{script, wait};

fn alive(fleet: &Fleet) -> Result {
    let ran = fleet.salt(&["*", "test.ping"])?.ok()?;
    same("m1 afterwards", ran.ret("m1")?, json!(true))?;
    same("m2 afterwards", ran.ret("m2")?, json!(true))
}

/// Each entry of `told` for which `wanted` does not hold.
fn wrong(told: &Map<String, Value>, wanted: impl Fn(&str, &Value) -> bool) -> Result {
    let bad: Vec<String> =
        told.iter().filter(|(name, value)| !wanted(name, value)).map(|(n, v)| format!("{n}: {v}")).collect();
    hold(bad.is_empty(), || format!("answered otherwise: {bad:#?}"))
}

fn denied(value: &Value) -> bool {
    value["error"]["name"] == "AuthenticationError" || value["error"]["name"] == "UserAuthenticationError"
}

/// Commands of a client without the key do nothing.
pub fn no_credentials(fleet: &mut Fleet) -> Result {
    let bus = Bus::listen(fleet)?;
    let told = script::wire(fleet, &["unauthenticated"])?.json()?;
    wrong(&told, |name, value| match name {
        n if n.starts_with("publish") || n.starts_with("wheel") || n.starts_with("runner") => {
            denied(value) || value == "Some exception handling minion payload"
        }
        "mk_token with a bad eauth" => value == "",
        _ => value == &json!({}) || value == &json!(false) || value.is_string(),
    })?;
    alive(fleet)?;
    // A stock client asks for a job that takes long, which makes jobs of its own.
    let asked = |e: &Event| e.data["fun"] == "saltutil.find_job";
    let jobs: Vec<_> = bus.seen().into_iter().filter(|e| e.tag.ends_with("/new") && !asked(e)).collect();
    same("jobs that were started", jobs.len(), 1)
}

/// Protocol versions below 3 are refused in stock's words.
pub fn old_versions(fleet: &mut Fleet) -> Result {
    let told = script::wire(fleet, &["versions"])?.json()?;
    wrong(&told, |_, value| value == "bad load")?;
    hold(!fleet.has_key("minions_pre", "old"), || "its key was stored".into())
}

/// All paths below `dir`.
fn tree(dir: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        into.insert(path.display().to_string());
        if path.is_dir() && !path.is_symlink() {
            tree(&path, into);
        }
    }
}

fn key_tree(fleet: &Fleet) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    tree(&fleet.path("pki"), &mut all);
    tree(&fleet.path("cache/master/sessions"), &mut all);
    all
}

/// Ids that would leave the pki directory are refused and leave no file anywhere.
pub fn names_that_are_paths(fleet: &mut Fleet) -> Result {
    let before = key_tree(fleet);
    let told = script::wire(fleet, &["names"])?.json()?;
    wrong(&told, |_, value| {
        value["ret"] == false || value.as_str().is_some_and(|t| t.starts_with("bad load"))
    })?;
    let after = key_tree(fleet);
    same("new files", after.difference(&before).collect::<Vec<_>>(), Vec::<&String>::new())?;
    hold(!Path::new("/tmp/brine-escaped").exists(), || "a key was written outside the pki directory".into())?;
    alive(fleet)
}

/// Public keys that cannot be used give nobody a key of ours.
pub fn keys_that_are_none(fleet: &mut Fleet) -> Result {
    let told = script::wire(fleet, &["bad-keys"])?.json()?;
    wrong(&told, |_, value| value["aes"] != true)?;
    // Stock stores such a text as pending; what matters is that it is not accepted.
    hold(!fleet.has_key("minions", "badkey"), || "accepted".into())?;
    for state in ["minions_pre", "minions_denied"] {
        let path = fleet.path("pki/master").join(state).join("badkey");
        if path.exists() {
            fs::remove_file(path)?;
        }
    }
    alive(fleet)
}

/// Requests on which a 3006 or 3007 master of stock loses a worker for ever, each of them. There
/// they are not sent, since the fleet would be dead; `tests/wedge.rs` shows what they do.
pub fn requests_that_wedge_stock(fleet: &mut Fleet) -> Result {
    if matches!(fleet.master, Side::Stock(_)) && fleet.master.series() < 3008 {
        return Ok(());
    }
    let told = script::wire(fleet, &["wedging"])?.json()?;
    same("a request afterwards", &told["ping"]["cmd"], &json!("ping"))?;
    wrong(&told, |name, value| name == "ping" || !value.is_null() && value["aes"] != true)?;
    hold(!fleet.has_key("minions", "badkey"), || "accepted".into())?;
    for state in ["minions_pre", "minions_denied"] {
        let _ = fs::remove_file(fleet.path("pki/master").join(state).join("badkey"));
    }
    alive(fleet)
}

/// A genuine request works; replayed it changes nothing (where the master remembers), altered it is refused.
pub fn replayed_and_altered(fleet: &mut Fleet) -> Result {
    let bus = Bus::listen(fleet)?;
    let told = script::wire(fleet, &["session", "m1", "acme/wire"])?.json()?;
    bus.wait("the last genuine event", START, |e| e.tag == "acme/wire/again")?;
    for name in ["genuine", "genuine again"] {
        same(name, &told[name], &json!({"decrypted": null}))?;
    }
    let refused = [
        "flipped byte",
        "other outer id",
        "no outer id",
        "other inner id",
        "no token",
        "wrong token",
        "version 2",
        "path in outer id",
    ];
    for name in refused {
        same(name, &told[name], &json!("bad load"))?;
    }
    for name in ["unknown command", "private command"] {
        same(name, &told[name], &json!({"decrypted": {}}))?;
    }
    // Stock trips over this one and says so in clear; an empty answer is as good.
    let nothing = &told["no command"];
    hold(
        nothing == "Some exception handling minion payload" || nothing == &json!({"decrypted": {}}),
        || format!("no command: {nothing}"),
    )?;
    // The only events are the genuine ones. Stock has no memory of nonces, so there the replay counts.
    let tags: BTreeSet<String> =
        bus.seen().into_iter().map(|e| e.tag).filter(|t| t.starts_with("acme/wire/")).collect();
    same("events", tags, ["acme/wire/again", "acme/wire/genuine"].map(str::to_owned).into())?;
    let times = if fleet.master.is_ours() { 1 } else { 2 };
    same("times the replayed request was obeyed", bus.count("acme/wire/genuine"), times)?;
    // The forger used m1's session; the real m1 goes on.
    wait::until("m1 to answer", START, || Ok(fleet.answers("m1")?.then_some(())))
}

/// Weaknesses of stock that no CVE names: what its master does for a stranger and for a minion that lies, ours does not.
pub fn weaknesses_of_stock(fleet: &mut Fleet) -> Result {
    let stranger = "brine-stranger";
    let bus = Bus::listen(fleet)?;
    script::wire(fleet, &["weaknesses", "m1", stranger])?.json()?;
    bus.wait("the last event", START, |e| e.tag == "acme/weak/done")?;
    // The error of a refused publish, events of others and of the master, a return of another minion.
    let forged = [
        "salt/job/20200101000000000001/error",
        "salt/job/20200101000000000002/ret/m2",
        "salt/minion/m2/start",
        "salt/run/20200101000000000003/new",
        "salt/job/20200101000000000004/ret/m2",
    ];
    let lets_through = !fleet.master.is_ours();
    for tag in forged {
        same(tag, bus.count(tag) > 0, lets_through)?;
    }
    let session = fleet.path("cache/master/sessions").join(stranger);
    same("a session for an id without a key", session.exists(), lets_through)?;
    let _ = fs::remove_file(session);
    alive(fleet)
}

/// Bytes that are no requests, on both ports.
pub fn garbage(fleet: &mut Fleet) -> Result {
    let port = fleet.settings.publish_port.to_string();
    let told = script::wire(fleet, &["garbage", &port])?.json()?;
    let ping = &told["ping"]["cmd"];
    same("a request afterwards", ping, &json!("ping"))?;
    wrong(&told, |name, value| name == "ping" || value["load"].is_null() && value["cmd"].is_null())?;
    alive(fleet)
}
