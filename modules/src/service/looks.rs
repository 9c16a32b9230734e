//! What is known of services, changing nothing but that systemd reads its units again where a file is newer.

use super::ctl::{Ask, is_available, rooted, settle, unit};
use super::sysv;
use crate::systemd;
use crate::tools::said;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::target::fnmatch;
use brine_core::{Map, Value};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

fn succeeds(cx: &Cx, words: Vec<Value>) -> Result<bool> {
    let args = Args::positional([words]).with("python_shell", false).with("ignore_retcode", true);
    Ok(cx.call("cmd.retcode", args)?.as_int() == Some(0))
}

fn sorted(names: BTreeSet<String>) -> Vec<String> {
    names.into_iter().collect()
}

/// Units that run.
///
/// CLI Example: salt '*' service.get_running
#[exec]
pub(super) fn get_running(cx: &Cx) -> Result<Vec<String>> {
    let words = Ask::default().words(cx, "--full --no-legend --no-pager", None)?;
    let out = said(cx, words, true)?;
    let mut found = BTreeSet::new();
    for line in out.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.get(3) == Some(&"running") {
            found.extend(sysv::shown(fields[0]));
        }
    }
    Ok(sorted(found))
}

/// Units whose files are in a state.
fn files(cx: &Cx, state: &str, root: Option<&str>) -> Result<BTreeSet<String>> {
    let words = Ask { root, ..Ask::default() }.words(cx, "--full --no-legend --no-pager list-unit-files", None)?;
    let out = said(cx, words, true)?;
    let unit = |line: &str| {
        let mut fields = line.split_whitespace();
        let (name, is) = (fields.next()?, fields.next()?);
        if is == state { sysv::shown(name) } else { None }
    };
    Ok(out.lines().filter_map(unit).collect())
}

fn scripts(cx: &Cx, root: Option<&str>, on: bool) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for name in sysv::scripts(root, None) {
        if sysv::is_enabled(cx, &name, root)? == on {
            found.push(name);
        }
    }
    Ok(found)
}

/// Services that start at boot.
///
/// CLI Example: salt '*' service.get_enabled
#[exec]
pub(super) fn get_enabled(cx: &Cx, root: Option<String>) -> Result<Vec<String>> {
    let mut found = files(cx, "enabled", root.as_deref())?;
    found.extend(scripts(cx, root.as_deref(), true)?);
    Ok(sorted(found))
}

/// Services that do not start at boot.
///
/// CLI Example: salt '*' service.get_disabled
#[exec]
pub(super) fn get_disabled(cx: &Cx, root: Option<String>) -> Result<Vec<String>> {
    let mut found = files(cx, "disabled", root.as_deref())?;
    found.extend(scripts(cx, root.as_deref(), false)?);
    Ok(sorted(found))
}

/// Units that can be neither enabled nor disabled.
///
/// CLI Example: salt '*' service.get_static
#[exec]
pub(super) fn get_static(cx: &Cx, root: Option<String>) -> Result<Vec<String>> {
    Ok(sorted(files(cx, "static", root.as_deref())?))
}

fn all(root: Option<&str>) -> Vec<String> {
    let mut units = sysv::units(root);
    let scripts = sysv::scripts(root, Some(&units));
    units.extend(scripts);
    sorted(units)
}

/// All services, whether they run or not.
///
/// CLI Example: salt '*' service.get_all
#[exec]
pub(super) fn get_all(root: Option<String>) -> Result<Vec<String>> {
    Ok(all(root.as_deref()))
}

/// Whether there is a service of the name.
///
/// CLI Example: salt '*' service.available sshd
#[exec]
pub(super) fn available(cx: &Cx, name: String) -> Result<bool> {
    settle(cx, &name)?;
    is_available(cx, &name)
}

/// Whether there is no service of the name.
///
/// CLI Example: salt '*' service.missing sshd
#[exec]
pub(super) fn missing(cx: &Cx, name: String) -> Result<bool> {
    settle(cx, &name)?;
    Ok(!is_available(cx, &name)?)
}

pub(super) fn is_masked(cx: &Cx, name: &str, runtime: bool, root: Option<&str>) -> Result<bool> {
    settle(cx, name)?;
    let dir = rooted(if runtime { "/run" } else { "/etc" }, root);
    let link = Path::new(&dir).join("systemd/system").join(unit(name));
    match std::fs::read_link(&link) {
        Ok(target) => Ok(target == Path::new("/dev/null")),
        Err(e) => {
            if e.kind() == ErrorKind::InvalidInput {
                tracing::error!("Failed to check mask status for service {name}. Path {} is a file, not a symlink.", link.display());
            }
            Ok(false)
        }
    }
}

/// Whether a service is kept from being started. `runtime`: until the next boot.
///
/// CLI Example: salt '*' service.masked foo runtime=True
#[exec]
pub(super) fn masked(cx: &Cx, name: String, #[default(false)] runtime: bool, root: Option<String>) -> Result<bool> {
    is_masked(cx, &name, runtime, root.as_deref())
}

/// Whether the name stands for many.
fn is_pattern(name: &str) -> bool {
    let brackets = || name.find('[').is_some_and(|at| name.get(at + 2..).is_some_and(|rest| rest.contains(']')));
    name.contains(['*', '?']) || brackets()
}

/// Whether a service runs; with `*`, `?` or `[..]`, of each that fits. `sig` is not looked at.
///
/// CLI Example: salt '*' service.status <service name>
#[exec]
pub(super) fn status(cx: &Cx, name: String, sig: Option<Value>) -> Result {
    let _ = sig;
    let one = |name: &str| {
        settle(cx, name)?;
        succeeds(cx, Ask::default().words(cx, "is-active", Some(name))?)
    };
    if !is_pattern(&name) {
        return Ok(one(&name)?.into());
    }
    let mut found = Map::new();
    for service in all(None).into_iter().filter(|service| fnmatch(service, &name)) {
        found.insert(service.as_str(), one(&service)?);
    }
    Ok(found.into())
}

fn is_enabled(cx: &Cx, name: &str, root: Option<&str>) -> Result<bool> {
    if succeeds(cx, Ask { root, ..Ask::default() }.words(cx, "is-enabled", Some(name))?)? {
        return Ok(true);
    }
    if name.contains('@') {
        // Older ones do not know of instances; the links are there.
        let words = ["find", "/etc/systemd/system", "-name", name, "-type", "l", "-print", "-quit"];
        return Ok(!said(cx, words.map(Value::from).to_vec(), false)?.is_empty());
    }
    if sysv::scripts(root, None).iter().any(|script| script == name) {
        return sysv::is_enabled(cx, name, root);
    }
    Ok(false)
}

/// Whether a service starts at boot.
///
/// CLI Example: salt '*' service.enabled <service name>
#[exec]
pub(super) fn enabled(cx: &Cx, name: String, root: Option<String>, kwargs: KwArgs) -> Result<bool> {
    let _ = kwargs;
    is_enabled(cx, &name, root.as_deref())
}

/// Whether a service does not start at boot.
///
/// CLI Example: salt '*' service.disabled <service name>
#[exec]
pub(super) fn disabled(cx: &Cx, name: String, root: Option<String>) -> Result<bool> {
    Ok(!is_enabled(cx, &name, root.as_deref())?)
}

/// The properties of a unit as they are shown.
fn properties(out: &str) -> Result<Map> {
    let mut all = Map::new();
    for line in out.split('\n') {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        if value.starts_with('{') {
            let mut parts = Map::new();
            for item in value.replace(['{', '}'], "").split(" ; ") {
                let mut words = item.split('=');
                let key = words.next().unwrap_or_default().trim();
                let index = || CallError::exception("IndexError", "list index out of range");
                parts.insert(key, words.next().ok_or_else(index)?.trim());
            }
            all.insert(name, parts);
        } else if ["Before", "After", "Wants"].contains(&name) {
            all.insert(name, value.split_whitespace().collect::<Vec<_>>());
        } else {
            all.insert(name, value);
        }
    }
    Ok(all)
}

fn shown(cx: &Cx, name: &str, root: Option<&str>) -> Result<Map> {
    properties(&said(cx, Ask { root, ..Ask::default() }.words(cx, "show", Some(name))?, false)?)
}

/// The properties of a unit.
///
/// CLI Example: salt '*' service.show <service name>
#[exec]
pub(super) fn show(cx: &Cx, name: String, root: Option<String>) -> Result<Map> {
    shown(cx, &name, root.as_deref())
}

/// The programs that services start.
///
/// CLI Example: salt '*' service.execs
#[exec]
pub(super) fn execs(cx: &Cx, root: Option<String>) -> Result<Map> {
    let mut found = Map::new();
    for service in all(root.as_deref()) {
        let unit = shown(cx, &service, root.as_deref())?;
        match unit.get("ExecStart") {
            None => {}
            Some(Value::Map(start)) => {
                let path = start.get("path").cloned();
                found.insert(service, path.ok_or_else(|| CallError::exception("KeyError", "'path'"))?);
            }
            Some(_) => return Err(CallError::Arguments("string indices must be integers".into())),
        }
    }
    Ok(found)
}

/// Whether there is systemctl, but no systemd to ask.
///
/// CLI Example: salt '*' service.offline
#[exec]
pub(super) fn offline(cx: &Cx) -> Result {
    Ok(systemd::offline(cx))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn properties_are_read() {
        let out = "Id=a.service\nExecStart={ path=/bin/a ; argv[]=/bin/a -x=1 ; ignore_errors=no }\nWants=b c\nX=a=b";
        let start = map! {"path" => "/bin/a", "argv[]" => "/bin/a -x", "ignore_errors" => "no"};
        let want = map! {"Id" => "a.service", "ExecStart" => start, "Wants" => vec!["b", "c"], "X" => "a=b"};
        assert_eq!(properties(out).unwrap(), want);
        assert!(is_pattern("a*") && is_pattern("a[b]") && !is_pattern("a[]") && !is_pattern("a"));
    }
}
