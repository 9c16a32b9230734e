//! Minion keys: the states they go through, and what a minion with the wrong one gets.

use std::fs;
use std::time::Duration;

use crate::bus::Bus;
use crate::failure::{Result, hold, same};
use crate::fleet::{Fleet, START};
use crate::wait;

/// A new key is pending, does not answer, is accepted, answers.
pub fn pending_then_accepted(fleet: &mut Fleet) -> Result {
    let listed = fleet.salt_key(&["-l", "un", "--out=json"])?.ok()?;
    same("pending", &listed.json()?["minions_pre"], &serde_json::json!(["m1", "m2"]))?;
    fleet.salt(&["m1", "test.ping"])?.code(2)?;
    fleet.salt_key(&["-y", "-a", "m1"])?.ok()?;
    fleet.salt_key(&["-y", "-A"])?.ok()?;
    for id in ["m1", "m2"] {
        hold(fleet.has_key("minions", id) && !fleet.has_key("minions_pre", id), || {
            format!("{id} is not moved")
        })?;
        fleet.wait_ping(id, START)?;
    }
    let listed = fleet.salt_key(&["-l", "acc", "--out=json"])?.ok()?;
    same("accepted", &listed.json()?["minions"], &serde_json::json!(["m1", "m2"]))
}

/// Both ends show the same fingerprints. 3008's `salt-key` hashes another text (the armour too), so
/// there only the minion's two views are compared.
pub fn fingerprints_agree(fleet: &mut Fleet) -> Result {
    let local = fleet.salt_call("m1", &["--local", "key.finger"])?.ok()?.ret("local")?;
    hold(local.as_str().is_some_and(|f| f.len() == 95), || format!("not a sha256 fingerprint: {local}"))?;
    let remote = fleet.salt(&["m1", "key.finger"])?.ok()?.ret("m1")?;
    same("through the master", &remote, &local)?;
    if fleet.cli.series() < 3008 {
        let shown = fleet.salt_key(&["-f", "m1", "--out=json"])?.ok()?.json()?;
        same("salt-key -f", &shown["minions"]["m1"], &local)?;
        let master = fleet.salt(&["m1", "key.finger_master"])?.ok()?.ret("m1")?;
        let shown = fleet.salt_key(&["-F", "master", "--out=json"])?.ok()?.json()?;
        same("salt-key -F master.pub", &shown["local"]["master.pub"], &master)?;
    }
    Ok(())
}

fn spare(fleet: &mut Fleet, name: &str, id: &str) -> Result {
    // A refused minion of stock ends unless told to try again.
    fleet.start_minion(name, id, &["rejected_retry: true".into()])
}

/// Rejected, it is refused; deleted, it is pending again; accepted, it answers; deleted, it is out.
pub fn rejected_deleted_accepted(fleet: &mut Fleet) -> Result {
    spare(fleet, "m3", "m3")?;
    fleet.wait_key("minions_pre", "m3")?;
    let bus = Bus::listen(fleet)?;
    fleet.salt_key(&["-y", "-r", "m3"])?.ok()?;
    hold(fleet.has_key("minions_rejected", "m3"), || "not in minions_rejected".into())?;
    bus.wait("the refusal", START, |e| {
        e.tag == "salt/auth" && e.data["id"] == "m3" && e.data["result"] == false
    })?;
    fleet.salt_key(&["-y", "-d", "m3"])?.ok()?;
    fleet.wait_key("minions_pre", "m3")?;
    fleet.salt_key(&["-y", "-a", "m3"])?.ok()?;
    fleet.wait_ping("m3", START)?;
    fleet.salt_key(&["-y", "-d", "m3"])?.ok()?;
    fleet.salt(&["m3", "test.ping"])?.code(2)?;
    // What it sends on its own is not believed any more either.
    let before = bus.count("acme/after/delete");
    let _ = fleet.salt_call("m3", &["--retcode-passthrough", "event.send", "acme/after/delete"]);
    same("events of a deleted minion", bus.count("acme/after/delete"), before)?;
    fleet.stop_minion("m3")?;
    if fleet.has_key("minions_pre", "m3") {
        fleet.salt_key(&["-y", "-d", "m3"])?.ok()?;
    }
    Ok(())
}

/// Another key under an accepted id is denied, and the accepted minion is not disturbed.
pub fn denied(fleet: &mut Fleet) -> Result {
    let accepted = fs::read(fleet.path("pki/master/minions/m1"))?;
    spare(fleet, "impostor", "m1")?;
    fleet.wait_key("minions_denied", "m1")?;
    same("the accepted key", fs::read(fleet.path("pki/master/minions/m1"))?, accepted)?;
    let ran = fleet.salt(&["m1", "test.ping"])?.ok()?;
    same("m1", ran.ret("m1")?, serde_json::json!(true))?;
    let theirs = fleet.salt(&["m1", "config.get", "pki_dir"])?.ok()?.ret("m1")?;
    same("who answers", theirs, serde_json::json!(fleet.path("m1/pki").display().to_string()))?;
    fleet.stop_minion("impostor")?;
    // Deleting "m1" would delete the accepted key as well.
    Ok(fs::remove_file(fleet.path("pki/master/minions_denied/m1"))?)
}

/// A minion that knows another master's key refuses this one.
pub fn wrong_master_key(fleet: &mut Fleet) -> Result {
    let pki = fleet.path("m4/pki");
    fs::create_dir_all(&pki)?;
    // Any other RSA public key serves; m2's is at hand.
    let wrong = fs::read(fleet.path("m2/pki/minion.pub"))?;
    fs::write(pki.join("minion_master.pub"), &wrong)?;
    spare(fleet, "m4", "m4")?;
    fleet.wait_key("minions_pre", "m4")?;
    fleet.salt_key(&["-y", "-a", "m4"])?.ok()?;
    wait::throughout("m4 does not answer", Duration::from_secs(4), || Ok(!fleet.answers("m4")?))?;
    same("the key it trusts", fs::read(pki.join("minion_master.pub"))?, wrong)?;
    fleet.stop_minion("m4")?;
    // The same minion without the wrong key answers: it was the key.
    fs::remove_file(pki.join("minion_master.pub"))?;
    spare(fleet, "m4", "m4")?;
    fleet.wait_ping("m4", START)?;
    fleet.stop_minion("m4")?;
    fleet.salt_key(&["-y", "-d", "m4"])?.ok().map(drop)
}
