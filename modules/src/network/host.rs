//! Functions of `network` about the machine's names.

use super::interfaces;
use crate::grains_core::{names, read};
use crate::tools;
use brine_core::call::{Cx, Result, exec};
use brine_core::{Map, map};
use std::path::Path;

/// Get hostname.
///
/// CLI Example: salt '*' network.get_hostname
#[exec]
fn get_hostname() -> Result<String> {
    Ok(names::hostname())
}

/// Get fully qualified domain name.
///
/// CLI Example: salt '*' network.get_fqdn
#[exec]
fn get_fqdn() -> Result<String> {
    Ok(names::getfqdn(&names::hostname()))
}

/// Return all known FQDNs for the system by enumerating all interfaces and then trying to reverse resolve them
/// (excluding the loopback interface).
///
/// CLI Example: salt '*' network.fqdns
#[exec]
fn fqdns() -> Result<Map> {
    Ok(map! {"fqdns" => names::fqdns_of_this_host(&interfaces::all())})
}

/// Modify hostname: the running one, `/etc/hosts` and the file the distribution keeps it in.
///
/// CLI Example: salt '*' network.mod_hostname master.saltstack.com
#[exec]
fn mod_hostname(cx: &Cx, hostname: Option<String>) -> Result<bool> {
    let Some(hostname) = hostname else { return Ok(false) };
    let old = if read::which("hostnamectl").is_some() {
        let status = tools::run_all(cx, &["hostnamectl", "status"])?;
        let known = status.get_str("stdout").unwrap_or("").lines().find_map(|l| {
            let (key, value) = l.split_once(':')?;
            key.contains("Static hostname").then(|| value.trim().to_owned())
        });
        if tools::run_all(cx, &["hostnamectl", "set-hostname", &hostname])?.get("retcode") != Some(&0.into())
        {
            return Ok(false);
        }
        known.unwrap_or_else(names::hostname)
    } else {
        let old = names::getfqdn(&names::hostname());
        tools::run(cx, &["hostname", &hostname])?;
        old
    };
    let hosts = Path::new("/etc/hosts");
    replace(hosts, &with_host_renamed(&std::fs::read_to_string(hosts)?, &old, &hostname))?;
    match cx.grains.get_str("os_family") {
        Some("RedHat") => {
            let path = Path::new("/etc/sysconfig/network");
            replace(path, &with_network_renamed(&std::fs::read_to_string(path)?, &hostname))?;
        }
        Some("Debian" | "NILinuxRT") => replace(Path::new("/etc/hostname"), &format!("{hostname}\n"))?,
        _ => {}
    }
    Ok(true)
}

/// Mount points and links stay.
fn replace(path: &Path, text: &str) -> Result<()> {
    Ok(brine_files::put_bytes(text.as_bytes(), path)?)
}

/// A hosts file with the first mention of a name on each line replaced. As in stock, words end up one tab apart.
fn with_host_renamed(hosts: &str, old: &str, new: &str) -> String {
    hosts
        .lines()
        .map(|line| {
            let mut words: Vec<&str> = line.split_whitespace().collect();
            if let Some(word) = words.iter_mut().find(|w| **w == old) {
                *word = new;
            }
            words.join("\t") + "\n"
        })
        .collect()
}

/// Red Hat's network file with `HOSTNAME` replaced, in the quotes it had.
fn with_network_renamed(text: &str, new: &str) -> String {
    text.lines()
        .map(|line| match line.split_once('=') {
            Some((key, old)) if key.starts_with("HOSTNAME") => {
                let old = old.trim_end();
                let quote = ['"', '\'']
                    .into_iter()
                    .find(|q| old.len() > 1 && old.starts_with(*q) && old.ends_with(*q));
                let quote = quote.map(String::from).unwrap_or_default();
                format!("HOSTNAME={quote}{}{quote}\n", new.trim_matches(['"', '\'']))
            }
            _ => format!("{line}\n"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_where_they_stand() {
        assert_eq!(
            with_host_renamed("127.0.0.1 localhost\n10.0.0.1  a.example a\n\n", "a.example", "b.example"),
            "127.0.0.1\tlocalhost\n10.0.0.1\tb.example\ta\n\n"
        );
        assert_eq!(
            with_network_renamed("NETWORKING=yes\nHOSTNAME=\"a\"\n", "b"),
            "NETWORKING=yes\nHOSTNAME=\"b\"\n"
        );
    }
}
