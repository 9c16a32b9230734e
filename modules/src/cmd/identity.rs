//! Another user or group for a child: who that is, and the environment a login of theirs gives.

use super::given::Given;
use super::spawn::{Identity, Launch, own_session};
use super::wait::{End, wait};
use super::which;
use crate::python::shlex;
use brine_core::Cx;
use brine_core::call::{CallError, Result};
use nix::unistd::{Gid, Group, Uid, User};
use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// How long a login may take to show its environment; stock's value.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The user of this name.
pub(super) fn user(name: &str) -> Result<Option<User>> {
    User::from_name(name).map_err(os_error)
}

fn os_error(errno: nix::Error) -> CallError {
    std::io::Error::from(errno).into()
}

/// A user's home directory as `os.path.expanduser` finds it; our own without a name.
pub(crate) fn home(name: Option<&str>) -> Result<String> {
    let home = |user: User| user.dir.to_string_lossy().into_owned();
    match name {
        Some(name) => Ok(user(name)?.map_or_else(|| format!("~{name}"), home)),
        None => match std::env::var("HOME") {
            Ok(home) => Ok(home),
            Err(_) => Ok(User::from_uid(Uid::current()).map_err(os_error)?.map_or_else(|| "~".into(), home)),
        },
    }
}

/// Who the child becomes for `runas` and `group`; `None` when that is who we are.
pub(super) fn identity(runas: Option<&User>, group: Option<&Group>) -> Result<Option<Identity>> {
    let us = Uid::effective();
    let other_user = runas.filter(|user| user.uid != us);
    if other_user.is_none() && group.is_none() {
        return Ok(None);
    }
    let user = match other_user {
        Some(user) => user.clone(),
        None => User::from_uid(us)
            .map_err(os_error)?
            .ok_or_else(|| CallError::execution(format!("User '{us}' is not available")))?,
    };
    let name = CString::new(user.name.as_str()).map_err(|_| CallError::invocation("a user name with NUL"))?;
    let groups = nix::unistd::getgrouplist(&name, user.gid).map_err(os_error)?;
    let gid = group.map_or(user.gid, |group| group.gid);
    if !us.is_root() && (user.uid != us || gid != Gid::effective()) {
        // What Python says when the child cannot change itself.
        return Err(CallError::exception("SubprocessError", "Exception occurred in preexec_fn."));
    }
    Ok(Some(Identity { uid: user.uid, gid, groups }))
}

/// The group of a `group` argument, for which stock asks for `sudo`.
pub(super) fn group(given: &Given, runas: Option<&str>) -> Result<Option<Group>> {
    let Some(name) = given.text("group").filter(|name| !name.is_empty()) else { return Ok(None) };
    if which::which("sudo").is_none() {
        return Err(CallError::execution("group argument requires sudo but not found"));
    }
    // Stock names the user here, not the group.
    let missing = || CallError::execution(format!("Group '{}' is not available", runas.unwrap_or("None")));
    Group::from_name(&name).map_err(os_error)?.ok_or_else(missing).map(Some)
}

/// The environment of a fresh login, by `su` or (with a group) `sudo`. Empty when the login fails.
pub(super) fn login_environment(
    cx: &Cx,
    runas: Option<&User>,
    group: Option<&Group>,
    shell: Option<&str>,
) -> Result<BTreeMap<String, OsString>> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|e| CallError::exception("OSError", e.to_string()))?;
    let marker = format!("<<<{:032x}>>>", u128::from_ne_bytes(random));
    // Login scripts may print anything; what counts stands between the markers.
    let script = format!("printf %s '{marker}'; env -0; printf %s '{marker}'");
    let argv = login_command(runas, group, shell, &script);
    let env = crate::environ::current(cx);
    let launch =
        Launch { argv: &argv, env: &env, cwd: Path::new("/"), identity: None, umask: None, session: own_session(cx), terminal: false };
    let (reader, writer) = std::io::pipe()?;
    let child = launch.start(Stdio::null(), writer.into(), Stdio::null());
    let ended = match child {
        Ok(child) => wait(cx, child, None, vec![Box::new(reader)], Some(LOGIN_TIMEOUT), |_, _| ())?,
        Err(e) => return Err(e.into()),
    };
    let End::Exited(_, outputs) = ended else { return Ok(BTreeMap::new()) };
    Ok(match between(&outputs[0], marker.as_bytes()) {
        Some(inside) => inside
            .split(|byte| *byte == 0)
            .filter_map(|entry| {
                let at = entry.iter().position(|byte| *byte == b'=')?;
                let key = String::from_utf8(entry[..at].to_vec()).ok()?;
                Some((key, OsString::from_vec(entry[at + 1..].to_vec())))
            })
            .collect(),
        None => {
            let name = runas.map_or("", |user| user.name.as_str());
            tracing::error!("Environment could not be retrieved for user '{name}'");
            BTreeMap::new()
        }
    })
}

/// What stands between the first two places of `marker`.
fn between<'a>(text: &'a [u8], marker: &[u8]) -> Option<&'a [u8]> {
    let find = |text: &[u8]| text.windows(marker.len()).position(|window| window == marker);
    let inside = &text[find(text)? + marker.len()..];
    Some(&inside[..find(inside)?])
}

fn login_command(
    runas: Option<&User>,
    group: Option<&Group>,
    shell: Option<&str>,
    script: &str,
) -> Vec<String> {
    let mut argv: Vec<String> = Vec::new();
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    if let Some(group) = group {
        add(&["sudo"]);
        if let Some(user) = runas {
            add(&["-u", &user.name]);
        }
        add(&["-g", &group.name]);
        match shell {
            Some(shell) if shell != super::options::default_shell() => {
                add(&["-s", "--", shell, "-c", &shlex::quote(script)]);
            }
            Some(_) => add(&["-i", "--", "sh", "-c", script]),
            None => add(&["--", "sh", "-c", script]),
        }
    } else if let Some(user) = runas {
        add(&["su"]);
        if let Some(shell) = shell {
            add(&["-s", shell]);
        }
        add(&["-", &user.name, "-c", script]);
    }
    argv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_around_the_environment_does_not_matter() {
        assert_eq!(between(b"motd<m>A=1\0B=2\0<m>bye", b"<m>"), Some(&b"A=1\0B=2\0"[..]));
        assert_eq!(between(b"motd<m>A=1", b"<m>"), None);
        assert_eq!(between(b"", b"<m>"), None);
    }
}
