//! How systemctl is asked: the words of a call, and what is asked before each of them.

use crate::cmd::which::which;
pub(super) use crate::settings::code;
use crate::systemd;
use brine_core::call::{CallError, Cx, Result};
use brine_core::{Map, Value};
use nix::unistd::{AccessFlags, access};
use std::path::Path;

/// What a unit's name ends with.
pub(super) const TYPES: [&str; 9] =
    ["service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer"];

/// The name of the unit.
pub(super) fn unit(name: &str) -> String {
    if TYPES.iter().any(|kind| name.ends_with(kind)) { name.to_owned() } else { format!("{name}.service") }
}

/// A path in another root.
pub(super) fn rooted(path: &str, root: Option<&str>) -> String {
    match root.filter(|root| !root.is_empty()) {
        Some(root) => format!("{}/{}", root.trim_end_matches('/'), path.trim_start_matches('/')),
        None => path.to_owned(),
    }
}

/// How one call is made.
#[derive(Default)]
pub(super) struct Ask<'a> {
    /// In a scope of its own, if the machine and the options have it so.
    pub(super) scope: bool,
    /// Without waiting.
    pub(super) no_block: bool,
    /// In another system's directory.
    pub(super) root: Option<&'a str>,
}

impl Ask<'_> {
    /// The command.
    pub(super) fn words(&self, cx: &Cx, action: &str, name: Option<&str>) -> Result<Vec<Value>> {
        let mut words: Vec<Value> = Vec::new();
        if self.scope && systemd::wants_scope(cx)? {
            let Some(run) = which("systemd-run") else {
                return Err(CallError::execution(
                    "systemd-run is required for running systemctl with --scope, but it was not found on the system. Make \
                     sure systemd-run is installed and in the system's PATH or disable it using the 'systemd.scope' config \
                     option.",
                ));
            };
            words.extend([run.into(), "--scope".into()]);
        }
        words.push(which("systemctl").unwrap_or_else(|| "systemctl".into()).into());
        if self.no_block {
            words.push("--no-block".into());
        }
        if let Some(root) = self.root.filter(|root| !root.is_empty()) {
            words.extend(["--root".into(), root.into()]);
        }
        words.extend(action.split(' ').map(Value::from));
        if let Some(name) = name {
            words.push(unit(name).into());
        }
        if words.iter().any(|word| word.as_str() == Some("status")) {
            words.extend(["-n".into(), "0".into()]);
        }
        Ok(words)
    }
}

/// What `systemctl status` says.
pub(super) fn status(cx: &Cx, name: &str) -> Result<Map> {
    let words = Ask::default().words(cx, "status", Some(name))?;
    systemd::run_all(cx, words, true, true)
}

/// Whether there is such a unit.
pub(super) fn is_available(cx: &Cx, name: &str) -> Result<bool> {
    if systemd::offline(cx).truthy() {
        return Err(CallError::execution(format!(
            "Cannot run in offline mode. Failed to get information on unit '{name}'"
        )));
    }
    let status = status(cx, name)?;
    if systemd::version(cx).is_some_and(|version| version >= 231) {
        return Ok((0..4).contains(&code(&status)));
    }
    // Older ones say it in words.
    let out = status.get_str("stdout").unwrap_or_default().to_lowercase();
    if out.contains("could not be found") {
        return Ok(false);
    }
    loaded(&out).ok_or_else(|| CallError::execution(format!("Failed to get information on unit '{name}'")))
}

/// What the line `Loaded:` says.
fn loaded(out: &str) -> Option<bool> {
    let rest = out.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix("loaded:")?;
        (line.starts_with(char::is_whitespace) && rest.starts_with(char::is_whitespace)).then_some(rest)
    })?;
    Some(rest.split_whitespace().next()? != "not-found")
}

/// Has systemd read its units again.
pub(super) fn reload(cx: &Cx) -> Result<bool> {
    let words = Ask::default().words(cx, "--system daemon-reload", None)?;
    let out = systemd::run_all(cx, words, true, false)?;
    if code(&out) == 0 {
        return Ok(true);
    }
    Err(CallError::execution(format!(
        "Problem performing systemctl daemon-reload: {}",
        out.get_str("stdout").unwrap_or_default()
    )))
}

/// Has systemd read its units again if this one is new or its file has changed.
pub(super) fn settle(cx: &Cx, name: &str) -> Result<()> {
    let own = Path::new("/etc/systemd/system").join(unit(name));
    let is_new = access(&own, AccessFlags::R_OK).is_ok() && !is_available(cx, name)?;
    let has_changed = |status: Map| {
        status.get_str("stdout").is_some_and(|out| out.to_lowercase().contains("'systemctl daemon-reload'"))
    };
    if is_new || has_changed(status(cx, name)?) {
        reload(cx)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_states_of_units() {
        assert_eq!(unit("cron"), "cron.service");
        assert_eq!(unit("a.timer"), "a.timer");
        assert_eq!(rooted("/etc/systemd/system", Some("/mnt/")), "/mnt/etc/systemd/system");
        assert_eq!(loaded("x\n   loaded: not-found (reason)\n"), Some(false));
        assert_eq!(loaded("   loaded: loaded (/lib)\n"), Some(true));
        assert_eq!(loaded("nothing"), None);
    }
}
