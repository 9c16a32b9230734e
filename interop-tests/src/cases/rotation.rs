//! Rotation of the master's AES key.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::time::Duration;

use crate::bus::Bus;
use crate::failure::{Result, hold};
use crate::fleet::{Fleet, START};
use crate::wait;

/// A drop file makes the master take a new key; the minions follow without help.
pub fn drop_file(fleet: &mut Fleet) -> Result {
    let bus = Bus::listen(fleet)?;
    let path = fleet.path("cache/master/.dfn");
    let next = fleet.path("cache/master/.dfn-next");
    // 3007 and 3008 want the master's id in it, 3006 looks at the mode alone.
    let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o400).open(&next)?;
    file.write_all(b"brine-test")?;
    drop(file);
    if fleet.settings.user != "root" {
        let owner = nix::unistd::User::from_name(&fleet.settings.user).ok().flatten();
        chown(&next, owner.map(|u| u.uid.as_raw()), None)?;
    }
    fs::rename(&next, &path)?;
    wait::until("the drop file to be used", Duration::from_secs(70), || Ok((!path.exists()).then_some(())))?;
    bus.wait("the rotation event", START, |e| e.tag == "key" && e.data["rotate_aes_key"] == true)?;
    for id in ["m1", "m2"] {
        let took = fleet.wait_ping(id, START)?;
        hold(took < Duration::from_secs(20), || format!("{id} answered only after {took:?}"))?;
    }
    Ok(())
}
