//! Services that are scripts in `/etc/init.d` and no units.

use super::ctl::{TYPES, rooted};
use crate::cmd::which::which;
use brine_core::call::{Args, CallError, Cx, Result};
use brine_core::text::python_str;
use nix::unistd::{AccessFlags, access};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Where units are.
const UNITS: [&str; 3] = ["/lib/systemd/system", "/usr/lib/systemd/system", "/etc/systemd/system"];

fn names(dir: &str) -> std::io::Result<Vec<String>> {
    Ok(fs::read_dir(dir)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// The name under which a unit is shown: services without their ending; `None` for what is no unit.
pub(super) fn shown(full: &str) -> Option<String> {
    let (name, kind) = full.rsplit_once('.')?;
    TYPES.contains(&kind).then(|| if kind == "service" { name.to_owned() } else { full.to_owned() })
}

/// Units that have a file.
pub(super) fn units(root: Option<&str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for dir in UNITS {
        let dir = rooted(dir, root);
        let path = Path::new(&dir);
        if access(path, AccessFlags::R_OK).is_ok() && !path.is_symlink() {
            found.extend(names(&dir).unwrap_or_default().iter().filter_map(|name| shown(name)));
        }
    }
    found
}

/// Scripts without a unit of their name.
pub(super) fn scripts(root: Option<&str>, units: Option<&BTreeSet<String>>) -> Vec<String> {
    let dir = rooted("/etc/init.d", root);
    let all = match names(&dir) {
        Ok(all) => all,
        Err(e) => {
            if e.kind() == ErrorKind::PermissionDenied {
                tracing::error!("Unable to check sysvinit scripts, permission denied to {dir}");
            } else if e.kind() != ErrorKind::NotFound {
                tracing::error!("Error {e} encountered trying to check sysvinit scripts");
            }
            return Vec::new();
        }
    };
    let own;
    let units = match units {
        Some(units) => units,
        None => {
            own = self::units(root);
            &own
        }
    };
    let runs = |name: &String| access(&Path::new(&dir).join(name), AccessFlags::X_OK).is_ok();
    all.into_iter().filter(|name| runs(name) && !units.contains(name)).collect()
}

/// The program that switches scripts on and off.
pub(super) fn tool(cx: &Cx) -> Result<String> {
    const KEY: &str = "systemd._get_service_exec";
    if let Some(known) = cx.job.context(KEY) {
        return Ok(python_str(&known));
    }
    let found = ["update-rc.d", "chkconfig"].into_iter().find_map(which).ok_or_else(|| {
        CallError::execution("Unable to find sysv service manager (tried update-rc.d, chkconfig)")
    })?;
    cx.job.set_context(KEY, found.as_str());
    Ok(found)
}

/// The runlevel that boots lead to, as files of older init systems say.
fn default_runlevel() -> String {
    let Ok(upstart) = fs::read_to_string("/etc/init/rc-sysinit.conf") else { return "2".into() };
    let last = |line: &str| line.rsplit('=').next().unwrap_or_default().trim().to_owned();
    let Some(mut level) = upstart.lines().rfind(|line| line.starts_with("env DEFAULT_RUNLEVEL")).map(last) else {
        return "2".into();
    };
    let tab = fs::read_to_string("/etc/inittab").unwrap_or_default();
    for line in tab.lines().filter(|line| !line.starts_with('#') && line.contains("initdefault")) {
        level = line.split(':').nth(1).map_or(level, str::to_owned);
    }
    let kernel = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let known = ["0", "1", "2", "3", "4", "5", "6", "s", "S", "-s", "single"];
    kernel.split_whitespace().find(|word| known.contains(word)).map_or(level, str::to_owned)
}

fn runlevel(cx: &Cx) -> Result<String> {
    const KEY: &str = "systemd._runlevel";
    if let Some(known) = cx.job.context(KEY) {
        return Ok(python_str(&known));
    }
    let level = match which("runlevel") {
        None => default_runlevel(),
        Some(program) => {
            let args = Args::positional([program]).with("python_shell", false).with("ignore_retcode", true);
            let out = python_str(&cx.call("cmd.run", args)?);
            out.split_whitespace().nth(1).map_or_else(default_runlevel, str::to_owned)
        }
    };
    cx.job.set_context(KEY, level.as_str());
    Ok(level)
}

/// Whether a link's name is that of the script: `S`, up to two digits, the name.
fn starts(link: &str, name: &str) -> bool {
    let Some(rest) = link.strip_prefix('S').filter(|rest| rest.ends_with(name)) else { return false };
    let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    (0..=digits).any(|count| rest[count..].starts_with(name))
}

/// Whether a script runs at boot.
pub(super) fn is_enabled(cx: &Cx, name: &str, root: Option<&str>) -> Result<bool> {
    let dir = rooted(&format!("/etc/rc{}.d", runlevel(cx)?), root);
    Ok(names(&dir).unwrap_or_default().iter().any(|link| starts(link, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_scripts_own() {
        assert!(starts("S01cron", "cron") && starts("Scron", "cron"));
        assert!(!starts("S01anacron", "cron") && !starts("K01cron", "cron") && !starts("S012cron", "cron"));
        assert_eq!(shown("a.b.service").as_deref(), Some("a.b"));
        assert_eq!(shown("x.timer").as_deref(), Some("x.timer"));
        assert_eq!(shown("x.wants"), None);
    }
}
