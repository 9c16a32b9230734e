//! The inventory of the demo: a rack and the system in it that the demo's minion is; what `pj` says of it, the minion's part as pillar,
//! and a change, which reaches the minion by itself.

use crate::fleet::Fleet;
use crate::run::{Result, output, target_dir};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What is changed, and to what.
const CHANGED: (&str, &str) = ("rack/r1/location.yaml", "location: {floor: 3, row: 7}\n");

fn folder(dir: &Path) -> PathBuf {
    dir.join("inventory")
}

/// Writes the inventory below a folder; the line of the master's configuration that names it.
pub(super) fn plant(dir: &Path) -> std::io::Result<String> {
    let at = folder(dir);
    for (name, text) in [
        ("transforms.yaml", "- net.dns.fqdn:\n  - synthesize: \"#[pallet.system]\"\n"),
        (
            "_config/PalletJack2Salt/minion.yaml",
            "pillar:\n  per-minion:\n    each-subtree: {system: system, location: location}\n",
        ),
        ("rack/r1/location.yaml", "location: {floor: 2, row: 7}\n"),
        ("system/demo/role.yaml", "system: {role: [web-server]}\n"),
    ] {
        let file = at.join(name);
        std::fs::create_dir_all(file.parent().unwrap_or(dir))?;
        std::fs::write(file, text)?;
    }
    std::os::unix::fs::symlink("../../rack/r1", at.join("system/demo/rack"))?;
    Ok(format!("ext_pillar: [{{palletjack: {{warehouse: {}, nodegroups: true}}}}]", at.display()))
}

/// Shows it.
pub(super) fn tour(fleet: &Fleet) -> Result {
    super::say(
        "The inventory is a folder that says what there is. Is it well, and where does a value come from?",
    );
    for words in [&["lint"][..], &["where", "location.floor", "demo"]] {
        eprintln!("$ pj {}", words.join(" "));
        let mut pj = Command::new(target_dir("demo").join("pj"));
        eprint!("{}", output(pj.args(words).current_dir(folder(&fleet.dir)))?);
    }
    super::say("What the minion has of it, and the minions by what it says:");
    fleet.tool("salt", &["*", "pillar.get", "palletjack"])?;
    fleet.tool("salt", &["-I", "palletjack:system:role:web-server", "test.ping"])?;
    fleet.tool("salt", &["-N", "rack/r1", "test.ping"])?;
    super::say("A file is changed. The master reads it and tells the minions that it concerns:");
    let (file, text) = CHANGED;
    eprintln!("$ echo '{}' > {file}", text.trim_end());
    std::fs::write(folder(&fleet.dir).join(file), text).map_err(|e| format!("{file}: {e}"))?;
    let words = ["demo", "pillar.get", "palletjack:location:floor", "--out=txt"];
    let end = Instant::now() + Duration::from_secs(20);
    while !output(fleet.command("salt").args(words)).is_ok_and(|said| said.contains("demo: 3")) {
        if Instant::now() > end {
            return Err("the change has not reached the minion".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    fleet.tool("salt", &["*", "pillar.get", "palletjack:location"])?;
    Ok(())
}
