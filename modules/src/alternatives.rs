//! The `alternatives` execution module: which of several programs a name stands for.

use crate::tools;
use brine_core::call::{Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::path::Path;

module! {
    "alternatives": auto, check_exists, check_installed, display, install, remove, set, show_current, show_link
}

/// The command has a name of its own on Red Hat's systems.
fn command(cx: &Cx) -> &'static str {
    if cx.grains.get_str("os_family") == Some("RedHat") { "alternatives" } else { "update-alternatives" }
}

fn text(out: &Map, key: &str) -> String {
    out.get(key).map(python_str).unwrap_or_default()
}

fn code(out: &Map) -> i128 {
    out.get("retcode").and_then(Value::as_int).unwrap_or(0).into()
}

/// What the command says: its errors where it fails.
fn said(out: &Map) -> String {
    text(out, if code(out) > 0 { "stderr" } else { "stdout" })
}

/// What a name stands for now, by the link in `/etc/alternatives`.
fn link(name: &str) -> Option<String> {
    // The name is a file's, not a path's.
    let plain = !name.is_empty() && !name.contains(['/', '\0']) && name != "..";
    let target = std::fs::read_link(Path::new("/etc/alternatives").join(name)).ok().filter(|_| plain)?;
    Some(target.to_string_lossy().into_owned())
}

/// What the alternatives of a name are.
///
/// CLI Example: salt '*' alternatives.display editor
#[exec]
fn display(cx: &Cx, name: String) -> Result<String> {
    let out = tools::run_quietly(cx, &[command(cx), "--display", &name])?;
    let errors = text(&out, "stderr");
    Ok(if code(&out) > 0 && !errors.is_empty() { errors } else { text(&out, "stdout") })
}

/// The path at which a name is found: the link that leads to the alternatives.
///
/// CLI Example: salt '*' alternatives.show_link editor
#[exec]
fn show_link(cx: &Cx, name: String) -> Result {
    let dir = match cx.grains.get_str("os_family") {
        Some("RedHat") => "/var/lib/alternatives",
        Some("Suse") => "/var/lib/rpm/alternatives",
        _ => {
            let out = tools::run_quietly(cx, &[command(cx), "--query", &name])?;
            if code(&out) > 0 && !text(&out, "stderr").is_empty() {
                return Ok(false.into());
            }
            let stdout = text(&out, "stdout");
            let block = stdout.split("\n\n").next().unwrap_or_default();
            let found = block.lines().find_map(|line| line.strip_prefix("Link:"));
            return Ok(found.map_or(Value::Bool(false), |link| link.trim().into()));
        }
    };
    let plain = !name.contains(['/', '\0']) && name != "..";
    match std::fs::read_to_string(Path::new(dir).join(&name)).ok().filter(|_| plain) {
        Some(contents) => match contents.lines().nth(1) {
            Some(line) => Ok(line.into()),
            None => {
                tracing::error!("alternatives: unable to get master link for {name}. Exception: list index out of range");
                Ok(false.into())
            }
        },
        None => {
            tracing::error!("alternatives: {name} does not exist");
            Ok(false.into())
        }
    }
}

/// What a name stands for now.
///
/// CLI Example: salt '*' alternatives.show_current editor
#[exec]
fn show_current(name: String) -> Result {
    Ok(link(&name).map_or_else(
        || {
            tracing::error!("alternative: {name} does not exist");
            Value::Bool(false)
        },
        Value::Str,
    ))
}

/// Whether a path is one of the alternatives of a name.
///
/// CLI Example: salt '*' alternatives.check_exists name path
#[exec]
fn check_exists(cx: &Cx, name: String, path: String) -> Result<bool> {
    let out = tools::run_quietly(cx, &[command(cx), "--display", &name])?;
    if code(&out) > 0 && !text(&out, "stderr").is_empty() {
        return Ok(false);
    }
    Ok(text(&out, "stdout").lines().any(|line| line.starts_with(&path)))
}

/// Whether a name stands for a path now.
///
/// CLI Example: salt '*' alternatives.check_installed name path
#[exec]
fn check_installed(name: String, path: String) -> Result<bool> {
    Ok(link(&name) == Some(path))
}

/// Add an alternative with a priority.
///
/// CLI Example: salt '*' alternatives.install editor /usr/bin/editor /usr/bin/emacs23 50
#[exec]
fn install(cx: &Cx, name: String, link: String, path: String, priority: Value) -> Result<String> {
    let words = [command(cx), "--install", &link, &name, &path, &python_str(&priority)];
    let out = tools::run_all(cx, &words)?;
    let errors = text(&out, "stderr");
    Ok(if code(&out) > 0 && !errors.is_empty() { errors } else { text(&out, "stdout") })
}

/// Remove an alternative.
///
/// CLI Example: salt '*' alternatives.remove name path
#[exec]
fn remove(cx: &Cx, name: String, path: String) -> Result<String> {
    Ok(said(&tools::run_all(cx, &[command(cx), "--remove", &name, &path])?))
}

/// Let priorities say what a name stands for.
///
/// CLI Example: salt '*' alternatives.auto name
#[exec]
fn auto(cx: &Cx, name: String) -> Result<String> {
    Ok(said(&tools::run_all(cx, &[command(cx), "--auto", &name])?))
}

/// Say what a name stands for.
///
/// CLI Example: salt '*' alternatives.set name path
#[exec(name = "set")]
fn set(cx: &Cx, name: String, path: String) -> Result<String> {
    Ok(said(&tools::run_all(cx, &[command(cx), "--set", &name, &path])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        assert_eq!(link("../passwd"), None);
        assert_eq!(link(""), None);
        assert_eq!(show_current("nosuchname".into()).unwrap(), Value::Bool(false));
    }
}
