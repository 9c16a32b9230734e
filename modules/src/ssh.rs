//! The `ssh` execution module: keys that may log in (`ssh/auth.rs`), hosts that are known (`ssh/hosts.rs`), and keys that lie
//! on this machine (here). Lines of key files are read in `ssh/line.rs`.

mod auth;
mod hosts;
mod line;

use auth::*;
use brine_core::call::{Args, CallError, Cx, Result, exec, module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use hosts::*;
use std::path::Path;

module! {
    "ssh": auth_keys, check_key, check_key_file, check_known_host, get_known_host_entries, hash_known_hosts, host_keys,
    key_is_encrypted, recv_known_host_entries, rm_auth_key, rm_auth_key_from_file, rm_known_host, set_auth_key,
    set_auth_key_from_file, set_known_host, user_keys
}

/// What is known of a user.
fn user(cx: &Cx, name: &Value) -> Result<Map> {
    Ok(cx.call("user.info", Args::positional([name.clone()]))?.as_map().cloned().unwrap_or_default())
}

/// Their number and that of their group.
fn owner(user: &Map) -> (Option<u32>, Option<u32>) {
    let number = |key: &str| user.get(key).and_then(Value::as_int).and_then(|id| u32::try_from(id).ok());
    (number("uid"), number("gid"))
}

/// All names, where one or none is given; and whether one was.
fn users(cx: &Cx, user: Option<Value>) -> Result<(Vec<Value>, bool)> {
    match user.filter(Value::truthy) {
        Some(Value::List(all)) => Ok((all, false)),
        Some(one) => Ok((vec![one], true)),
        None => match cx.call("user.list_users", Args::none())? {
            Value::List(all) => Ok((all, false)),
            one => Ok((vec![one], true)),
        },
    }
}

/// The kind of a host's key by the name of its file, and whether it is a public one, or a certificate.
fn host_key(name: &str) -> Option<(String, bool, bool)> {
    let rest = name.strip_prefix("ssh_host_")?;
    // As far to the right as it goes.
    let at = rest.rfind("_key").filter(|at| *at > 0)?;
    let (kind, end) = (&rest[..at], &rest[at + 4..]);
    Some(match end {
        _ if end.starts_with("-cert.pub") => (format!("{kind}-cert.pub"), true, true),
        _ if end.starts_with(".pub") => (format!("{kind}.pub"), true, false),
        _ => (kind.to_owned(), false, false),
    })
}

/// The keys of this host by kind. `private`: those that are secret too. `certs`: certificates too.
///
/// CLI Example: salt '*' ssh.host_keys keydir=/etc/ssh
#[exec]
fn host_keys(
    keydir: Option<String>,
    #[default(true)] private: Value,
    #[default(true)] certs: Value,
) -> Result<Map> {
    let dir = keydir.filter(|dir| !dir.is_empty()).unwrap_or_else(|| "/etc/ssh".into());
    let entries = std::fs::read_dir(&dir).map_err(|e| crate::hashutil::file_error(&e, &dir))?;
    let mut keys = Map::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((kind, public, certificate)) = host_key(&name) else { continue };
        if !public && private == Value::Bool(false) {
            tracing::info!("Skipping private key file {name} as private is set to False");
            continue;
        }
        if certificate && certs == Value::Bool(false) {
            tracing::info!("Skipping key file {name} as certs is set to False");
            continue;
        }
        let text = std::fs::read(entry.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // Of the oldest format, only the first line is text.
        let text = match text.strip_prefix("SSH PRIVATE KEY FILE FORMAT 1.1\n") {
            Some(_) => "SSH PRIVATE KEY FILE FORMAT 1.1",
            None => text.trim(),
        };
        keys.insert(kind, text);
    }
    Ok(keys)
}

/// The keys in the homes of users. `pubfile`, `prvfile`: the names of the files (`False`: none of that kind).
///
/// CLI Example: salt '*' ssh.user_keys user='["user1","user2"]' prvfile=False
#[exec]
fn user_keys(cx: &Cx, user: Option<Value>, pubfile: Option<Value>, prvfile: Option<Value>) -> Result<Map> {
    let kinds = ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];
    let mut files = Vec::new();
    for (file, end) in [(pubfile, ".pub"), (prvfile, "")] {
        match file {
            Some(file) if file.truthy() => files.push(python_str(&file)),
            Some(Value::Bool(false)) => {}
            _ => files.extend(kinds.map(|kind| format!("{kind}{end}"))),
        }
    }
    let mut keys = Map::new();
    for name in users(cx, user)?.0 {
        let info = self::user(cx, &name)?;
        let Some(home) = info.get_str("home") else { continue };
        let mut found = Map::new();
        for file in &files {
            let (name, path) = match file.starts_with('/') {
                true => (file.rsplit('/').next().unwrap_or_default(), file.clone()),
                false => (file.as_str(), format!("{home}/.ssh/{file}")),
            };
            if let Ok(text) = std::fs::read(path) {
                found.insert(name, String::from_utf8_lossy(&text).trim());
            }
        }
        if !found.is_empty() {
            keys.insert(name, found);
        }
    }
    Ok(keys)
}

/// Whether a text is that of a private key.
fn is_private(text: &str) -> bool {
    text.match_indices("BEGIN ").any(|(at, begin)| {
        text[at + begin.len()..].split_once("PRIVATE KEY").is_some_and(|(words, _)| {
            let plain = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_');
            words.is_empty() || words.ends_with(char::is_whitespace) && words.split_whitespace().all(plain)
        })
    })
}

/// Whether a private key needs a passphrase.
///
/// CLI Example: salt '*' ssh.key_is_encrypted /root/id_rsa
#[exec]
fn key_is_encrypted(key: String) -> Result<bool> {
    let text = std::fs::read(Path::new(&key)).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => CallError::execution(format!("{key} does not exist")),
        std::io::ErrorKind::PermissionDenied => {
            CallError::execution(format!("Permission denied reading from {key}"))
        }
        _ => CallError::execution(format!(
            "Error {} encountered reading from {key}: {e}",
            e.raw_os_error().unwrap_or_default()
        )),
    })?;
    let text = String::from_utf8_lossy(&text);
    if !is_private(&text) {
        return Err(CallError::execution(format!("{key} is not a private key")));
    }
    Ok(text.contains("ENCRYPTED"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_host_keys_are_told_by_name() {
        assert_eq!(host_key("ssh_host_rsa_key"), Some(("rsa".into(), false, false)));
        assert_eq!(host_key("ssh_host_ed25519_key.pub"), Some(("ed25519.pub".into(), true, false)));
        assert_eq!(host_key("ssh_host_rsa_key-cert.pub"), Some(("rsa-cert.pub".into(), true, true)));
        assert_eq!(host_key("sshd_config"), None);
        assert!(is_private("-----BEGIN OPENSSH PRIVATE KEY-----") && is_private("BEGIN PRIVATE KEY"));
        assert!(!is_private("-----BEGIN PUBLIC KEY-----"));
    }
}
