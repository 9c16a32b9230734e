//! Functions of `system` about the machine's description, and NI Linux RT's note that a reboot is due.

use crate::grains_core::read;
use crate::tools;
use brine_core::Value;
use brine_core::call::{CallError, Cx, Result, exec};
use std::path::Path;

const MACHINE_INFO: &str = "/etc/machine-info";
const WITNESS: &str = "/var/volatile/tmp/salt/reboot_witnessed";

/// Get PRETTY_HOSTNAME value stored in /etc/machine-info; `False` if there is none.
///
/// CLI Example: salt '*' system.get_computer_desc
#[exec]
fn get_computer_desc(cx: &Cx) -> Result {
    let raw = if read::which("hostnamectl").is_some() {
        Some(tools::run(cx, &["hostnamectl", "status", "--pretty"])?)
    } else {
        described(&read::text(MACHINE_INFO).unwrap_or_default())
    };
    Ok(match raw {
        Some(text) => unescape(&text).into(),
        None => Value::Bool(false),
    })
}

fn unescape(text: &str) -> String {
    text.replace(r"\\", r"\").replace("\\\"", "\"").replace(r"\n", "\n").replace(r"\t", "\t")
}

fn described(text: &str) -> Option<String> {
    let value =
        text.lines().filter_map(|l| l.trim_start().strip_prefix("PRETTY_HOSTNAME=")).next_back()?.trim();
    let bare = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q)).unwrap_or(value);
    Some(bare.to_owned())
}

/// Set PRETTY_HOSTNAME value stored in /etc/machine-info. This will create the file if necessary. Returns whether it
/// succeeded.
///
/// CLI Example: salt '*' system.set_computer_desc "Michael's laptop"
#[exec]
fn set_computer_desc(cx: &Cx, desc: String) -> Result<bool> {
    let desc = desc.replace('"', "\\\"").replace('\n', r"\n").replace('\t', r"\t");
    if read::which("hostnamectl").is_some() {
        return Ok(tools::retcode(cx, &["hostnamectl", "set-hostname", "--pretty", &desc])? == 0);
    }
    let text = with_description(&read::text(MACHINE_INFO).unwrap_or_default(), &desc);
    Ok(brine_files::put_bytes(text.as_bytes(), std::path::Path::new(MACHINE_INFO)).is_ok())
}

/// The file with the description in the place of the old one, or at its end.
fn with_description(text: &str, desc: &str) -> String {
    let line = format!("PRETTY_HOSTNAME=\"{desc}\"");
    let mut lines: Vec<&str> = text.lines().collect();
    match lines.iter_mut().find(|l| l.trim_start().starts_with("PRETTY_HOSTNAME=")) {
        Some(old) => *old = &line,
        None => lines.push(&line),
    }
    lines.join("\n") + "\n"
}

fn only_nilrt(cx: &Cx, name: &str) -> Result<()> {
    if cx.grains.get_str("os_family") == Some("NILinuxRT") {
        return Ok(());
    }
    // Stock takes the function out of the module elsewhere.
    Err(CallError::NotAvailable(format!("'system.{name}' is not available.")))
}

/// Sets a note that a reboot is due, on NI Linux RT only; it is gone after the reboot. Returns whether it was set.
///
/// CLI Example: salt '*' system.set_reboot_required_witnessed
#[exec]
fn set_reboot_required_witnessed(cx: &Cx) -> Result<bool> {
    only_nilrt(cx, "set_reboot_required_witnessed")?;
    let path = Path::new(WITNESS);
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)
            .map_err(|e| CallError::invocation(format!("Error creating {}: {e}", dir.display())))?;
    }
    Ok(std::fs::OpenOptions::new().create(true).append(true).open(path).is_ok())
}

/// Whether a reboot is due, on NI Linux RT only.
///
/// CLI Example: salt '*' system.get_reboot_required_witnessed
#[exec]
fn get_reboot_required_witnessed(cx: &Cx) -> Result<bool> {
    only_nilrt(cx, "get_reboot_required_witnessed")?;
    Ok(Path::new(WITNESS).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_kept_in_the_file() {
        let text = with_description("CHASSIS=vm\nPRETTY_HOSTNAME=old\n", "a b");
        assert_eq!(text, "CHASSIS=vm\nPRETTY_HOSTNAME=\"a b\"\n");
        assert_eq!(described(&text).as_deref(), Some("a b"));
        assert_eq!(with_description("", "x"), "PRETTY_HOSTNAME=\"x\"\n");
        assert_eq!(described("CHASSIS=vm\n"), None);
        assert_eq!(unescape(r"a\tb\nc"), "a\tb\nc");
    }
}
