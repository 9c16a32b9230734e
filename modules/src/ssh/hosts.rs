//! Hosts that are known: lines of `known_hosts`, read and hashed by `ssh-keygen`, asked for by `ssh-keyscan`.

use super::line::fingerprint;
use super::{owner, user};
use crate::accounts::rewrite;
use crate::tools::{require, said};
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::text::{python_os_error, python_str, splitlines};
use brine_core::{Map, Value, map};
use nix::unistd::Uid;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

fn error(text: impl Into<Value>) -> Map {
    map! { "status" => "error", "error" => text }
}

fn no_host() -> Map {
    error("hostname argument required")
}

/// The file: a user's, or the machine's. `Err`: what is wrong.
fn file_of(cx: &Cx, config: Option<&str>, name: &Value) -> Result<std::result::Result<String, Map>> {
    let given = config.filter(|config| !config.is_empty());
    let config = given.unwrap_or(if name.truthy() { ".ssh/known_hosts" } else { "/etc/ssh/ssh_known_hosts" });
    if config.starts_with('/') {
        return Ok(Ok(config.to_owned()));
    }
    if !name.truthy() {
        return Ok(Err(error("Cannot determine absolute path to file.")));
    }
    let info = user(cx, name)?;
    if info.is_empty() {
        return Ok(Err(error(format!("User {} does not exist", python_str(name)))));
    }
    Ok(Ok(brine_core::posixpath::join(info.get_str("home").unwrap_or_default(), &[config])))
}

/// The host as ssh names it.
fn named(host: &str, port: &Value) -> String {
    if port.truthy() && *port != Value::Int(22) { format!("[{host}]:{}", python_str(port)) } else { host.to_owned() }
}

/// The lines of three words whose last is a key.
fn entries(out: &str, hash: Option<&str>) -> Result<Vec<Map>> {
    let mut found = Vec::new();
    for line in splitlines(out, false).into_iter().map(str::trim).filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [host, enc, key] = words[..] else { continue };
        if let Some(fingerprint) = fingerprint(key, hash)? {
            found.push(map! {"hostname" => host, "key" => key, "enc" => enc, "fingerprint" => fingerprint});
        }
    }
    Ok(found)
}

fn found(cx: &Cx, file: &str, host: &str, port: &Value) -> Result<String> {
    let words = ["ssh-keygen", "-F", &named(host, port), "-f", file].map(Value::from);
    said(cx, words.to_vec(), true)
}

fn list(entries: Vec<Map>) -> Value {
    if entries.is_empty() { Value::Nil } else { entries.into_iter().collect() }
}

/// The lines about a host.
fn known(cx: &Cx, name: &Value, host: &str, config: Option<&str>, port: &Value, hash: Option<&str>) -> Result<std::result::Result<Vec<Map>, Map>> {
    require("ssh-keygen")?;
    match file_of(cx, config, name)? {
        Ok(file) => Ok(Ok(entries(&found(cx, &file, host, port)?, hash)?)),
        Err(error) => Ok(Err(error)),
    }
}

/// What is known of a host: a list, or `None`.
///
/// CLI Example: salt '*' ssh.get_known_host_entries <user> <hostname>
#[exec]
pub(super) fn get_known_host_entries(
    cx: &Cx,
    user: Value,
    hostname: String,
    config: Option<String>,
    port: Option<Value>,
    fingerprint_hash_type: Option<String>,
) -> Result {
    let known = known(cx, &user, &hostname, config.as_deref(), &port.into(), fingerprint_hash_type.as_deref())?;
    Ok(known.map_or_else(Value::Map, list))
}

/// How a host is asked for its keys.
struct Asked<'a> {
    host: &'a str,
    enc: &'a Value,
    port: &'a Value,
    hashed: bool,
    timeout: &'a Value,
    hash: Option<&'a str>,
}

fn receive(cx: &Cx, asked: &Asked<'_>) -> Result<Vec<Map>> {
    require("ssh-keyscan")?;
    let mut words: Vec<Value> = vec!["ssh-keyscan".into()];
    for (option, value) in [("-p", asked.port), ("-t", asked.enc)] {
        if value.truthy() {
            words.extend([option.into(), value.clone()]);
        }
    }
    if asked.hashed {
        words.push("-H".into());
    }
    words.extend(["-T".into(), python_str(asked.timeout).into(), asked.host.into()]);
    let mut out = String::new();
    for _ in 0..5 {
        out = said(cx, words.clone(), false)?;
        if !out.is_empty() {
            break;
        }
    }
    entries(&out, asked.hash)
}

/// The keys that a host shows.
///
/// CLI Example: salt '*' ssh.recv_known_host_entries <hostname> enc=<enc> port=<port>
#[exec]
pub(super) fn recv_known_host_entries(
    cx: &Cx,
    hostname: String,
    enc: Option<Value>,
    port: Option<Value>,
    #[default(true)] hash_known_hosts: bool,
    #[default(5)] timeout: Value,
    fingerprint_hash_type: Option<String>,
) -> Result {
    let asked = Asked {
        host: &hostname,
        enc: &enc.into(),
        port: &port.into(),
        hashed: hash_known_hosts,
        timeout: &timeout,
        hash: fingerprint_hash_type.as_deref(),
    };
    Ok(list(receive(cx, &asked)?))
}

fn holds(entries: &[Map], key: &str, value: &Value) -> bool {
    entries.iter().any(|entry| entry.get(key) == Some(value))
}

/// What would be done to make a host known: `add`, `update`, or nothing (`exists`).
///
/// CLI Example: salt '*' ssh.check_known_host <user> <hostname> key='AAAA...FAaQ=='
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn check_known_host(
    cx: &Cx,
    user: Option<Value>,
    hostname: Option<String>,
    key: Option<Value>,
    fingerprint: Option<Value>,
    config: Option<String>,
    port: Option<Value>,
    fingerprint_hash_type: Option<String>,
) -> Result {
    let Some(host) = hostname.filter(|host| !host.is_empty()) else { return Ok(no_host().into()) };
    let hash = fingerprint_hash_type.as_deref();
    let known = match known(cx, &user.into(), &host, config.as_deref(), &port.into(), hash)? {
        Ok(known) => known,
        Err(error) => return Ok(error.into()),
    };
    let given = |value: Option<Value>| value.filter(Value::truthy);
    let fits = |name: &str, value: Value| if holds(&known, name, &value) { "exists" } else { "update" };
    Ok(match (given(key), given(fingerprint)) {
        _ if known.is_empty() => "add",
        (Some(key), _) => fits("key", key),
        (None, Some(fingerprint)) => fits("fingerprint", fingerprint),
        (None, None) => "exists",
    }
    .into())
}

/// Gives a file that a program has made anew to its user.
fn give(file: &str, info: &Map) -> Result<()> {
    let (uid, gid) = owner(info);
    chown(file, uid, gid).map_err(|e| crate::hashutil::file_error(&e, file))
}

fn is_theirs(name: &Value) -> bool {
    Uid::effective().is_root() && name.truthy()
}

/// Forget a host.
///
/// CLI Example: salt '*' ssh.rm_known_host <user> <hostname>
#[exec]
pub(super) fn rm_known_host(
    cx: &Cx,
    user: Option<Value>,
    hostname: Option<String>,
    config: Option<String>,
    port: Option<Value>,
) -> Result<Map> {
    let name = Value::from(user);
    let Some(host) = hostname.filter(|host| !host.is_empty()) else { return Ok(no_host()) };
    let file = match file_of(cx, config.as_deref(), &name)? {
        Ok(file) => file,
        Err(error) => return Ok(error),
    };
    if !Path::new(&file).is_file() {
        return Ok(error(format!("Known hosts file {file} does not exist")));
    }
    let words = ["ssh-keygen", "-R", &named(&host, &port.into()), "-f", &file].map(Value::from);
    let said = said(cx, words.to_vec(), false)?;
    if is_theirs(&name) {
        give(&file, &super::user(cx, &name)?)?;
    }
    Ok(map! { "status" => "removed", "comment" => said })
}

/// Hide the names of hosts in a file of known ones.
///
/// CLI Example: salt '*' ssh.hash_known_hosts
#[exec]
pub(super) fn hash_known_hosts(cx: &Cx, user: Option<Value>, config: Option<String>) -> Result<Map> {
    require("ssh-keygen")?;
    let name = Value::from(user);
    match file_of(cx, config.as_deref(), &name)? {
        Ok(file) => hide(cx, &file, &name),
        Err(error) => Ok(error),
    }
}

fn hide(cx: &Cx, file: &str, name: &Value) -> Result<Map> {
    if !Path::new(file).is_file() {
        return Ok(error(format!("Known hosts file {file} does not exist")));
    }
    let failed = |e: std::io::Error| crate::hashutil::file_error(&e, file);
    let mode = fs::metadata(file).map_err(failed)?.permissions();
    let said = said(cx, ["ssh-keygen", "-H", "-f", file].map(Value::from).to_vec(), false)?;
    fs::set_permissions(file, mode).map_err(failed)?;
    if is_theirs(name) {
        give(file, &user(cx, name)?)?;
    }
    Ok(map! { "status" => "updated", "comment" => said })
}

/// The numbers of the lines about a host, from what `ssh-keygen -F` says of them.
fn lines_of(out: &str, enc: &Value) -> Result<Vec<usize>> {
    let index = || CallError::exception("IndexError", "list index out of range");
    let mut found = Vec::new();
    for pair in splitlines(out, false).chunks(2) {
        let number = pair[0].split_whitespace().next_back().ok_or_else(index)?;
        let number: usize = number.parse().map_err(|_| {
            let shown = brine_core::text::python_repr(&number.into());
            CallError::exception("ValueError", format!("invalid literal for int() with base 10: {shown}"))
        })?;
        let words: Vec<&str> = pair.get(1).ok_or_else(index)?.split_whitespace().collect();
        let kind = words.len().checked_sub(2).and_then(|at| words.get(at)).ok_or_else(index)?;
        if enc.is_nil() || enc.as_str() == Some(kind) {
            found.push(number);
        }
    }
    Ok(found)
}

/// The lines as they are written, and the entries as they are told of.
fn written(mut new: Vec<Map>, hashed: bool, port: &Value) -> (String, Vec<Map>) {
    let mut text = String::new();
    for entry in &mut new {
        let part = |key: &str| entry.get(key).map(python_str).unwrap_or_default();
        let (host, enc, key) = (part("hostname"), part("enc"), part("key"));
        if hashed || port.is_nil() || *port == Value::Int(22) || host.contains(':') {
            text += &format!("{host} {enc} {key}\n");
        } else {
            text += &format!("[{host}]:{} {enc} {key}\n", python_str(port));
            entry.insert("port", port.clone());
        }
    }
    (text, new)
}

/// Make a host known: by its key, or by the keys it shows, one of which has the fingerprint.
///
/// user: for whom (default: for all). hostname, port: which. fingerprint, key, enc: what it must be. config: the file.
/// hash_known_hosts: hide its name. timeout: seconds until it must have answered.
///
/// CLI Example: salt '*' ssh.set_known_host <user> fingerprint='xx:xx:..:xx' enc='ssh-rsa'
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn set_known_host(
    cx: &Cx,
    user: Option<Value>,
    hostname: Option<String>,
    fingerprint: Option<Value>,
    key: Option<Value>,
    port: Option<Value>,
    enc: Option<Value>,
    config: Option<String>,
    #[default(true)] hash_known_hosts: bool,
    #[default(5)] timeout: Value,
    fingerprint_hash_type: Option<String>,
) -> Result<Map> {
    let (name, port, enc) = (Value::from(user), Value::from(port), Value::from(enc));
    let Some(host) = hostname.filter(|host| !host.is_empty()) else { return Ok(no_host()) };
    if !port.is_nil() && port != Value::Int(22) && hash_known_hosts {
        return Ok(error("argument port can not be used in conjunction with argument hash_known_hosts"));
    }
    let hash = fingerprint_hash_type.as_deref();
    let config = config.as_deref();
    let stored = match known(cx, &name, &host, config, &port, hash)? {
        Ok(stored) => stored,
        Err(error) => return Ok(error),
    };
    let keys = |entries: &[Map], enc: &Value| -> Vec<Value> {
        let fits = |entry: &&Map| enc.is_nil() || entry.get("enc") == Some(enc);
        entries.iter().filter(fits).filter_map(|entry| entry.get("key").cloned()).collect()
    };
    let stored_keys = keys(&stored, &enc);
    let exists = map! { "status" => "exists", "keys" => stored_keys.clone() };
    let wanted = |value: &Option<Value>| value.clone().filter(Value::truthy);
    let (key_given, print_given) = (wanted(&key), wanted(&fingerprint));
    let must = stored.is_empty()
        || print_given.as_ref().is_some_and(|print| !holds(&stored, "fingerprint", print))
        || key_given.as_ref().is_some_and(|key| !stored_keys.contains(key));
    let compare = !must && key.is_none() && fingerprint.is_none();
    if !must && !compare {
        return Ok(exists);
    }
    let new = match &key_given {
        Some(key) => vec![map! { "hostname" => host.as_str(), "enc" => enc.clone(), "key" => key.clone() }],
        None => {
            let asked =
                Asked { host: &host, enc: &enc, port: &port, hashed: hash_known_hosts, timeout: &timeout, hash };
            let shown = receive(cx, &asked)?;
            if shown.is_empty() {
                return Ok(error("Unable to receive remote host keys"));
            }
            if print_given.is_some_and(|print| !holds(&shown, "fingerprint", &print)) {
                return Ok(error(
                    "Remote host public keys found but none of their fingerprints match the one you have provided",
                ));
            }
            let now = keys(&shown, &Value::Nil);
            let same = now.iter().all(|key| stored_keys.contains(key)) && stored_keys.iter().all(|key| now.contains(key));
            if compare && same {
                return Ok(exists);
            }
            shown
        }
    };
    let file = match file_of(cx, config, &name)? {
        Ok(file) => file,
        Err(error) => return Ok(error),
    };
    let (text, new) = written(new, hash_known_hosts, &port);
    put(cx, &file, &name, &text, &lines_of(&if Path::new(&file).is_file() { found(cx, &file, &host, &port)? } else { String::new() }, &enc)?)?;
    if key_given.is_some() && hash_known_hosts {
        hide(cx, &file, &name)?;
    }
    Ok(map! { "status" => "updated", "old" => list(stored), "new" => list(new) })
}

/// The file without some of its lines, and with new ones.
fn put(cx: &Cx, file: &str, name: &Value, text: &str, without: &[usize]) -> Result<()> {
    let at = Path::new(file);
    let info = if name.truthy() { user(cx, name)? } else { Map::new() };
    let folder = at.parent().unwrap_or(Path::new("/"));
    if !folder.is_dir() {
        match fs::create_dir_all(folder) {
            Ok(()) if name.truthy() => {
                give(&folder.to_string_lossy(), &info)?;
                let failed = |e: std::io::Error| crate::hashutil::file_error(&e, &folder.to_string_lossy());
                fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(failed)?;
            }
            Ok(()) => {}
            Err(e) => tracing::error!("Unable to create directory {}: {e}", folder.display()),
        }
    }
    let unable = |e: std::io::Error| {
        CallError::execution(format!("Couldn't append to known hosts file: '{}'", python_os_error(&e, file)))
    };
    let failed = |e: std::io::Error| crate::hashutil::file_error(&e, file);
    if at.is_file() {
        let old = fs::read(at).map_err(unable)?;
        let lines = old.split_inclusive(|byte| *byte == b'\n').enumerate();
        let kept = lines.filter(|(number, _)| !without.contains(&(number + 1))).map(|(_, line)| line);
        let all: Vec<u8> = kept.flatten().copied().chain(text.bytes()).collect();
        rewrite(at, &all)?;
    } else {
        let mut new = tempfile::Builder::new().prefix(".salt.").tempfile_in(folder).map_err(unable)?;
        std::io::Write::write_all(&mut new, text.as_bytes()).map_err(unable)?;
        new.persist(at).map_err(|e| unable(e.error))?;
        fs::set_permissions(at, Permissions::from_mode(0o600)).map_err(failed)?;
    }
    if is_theirs(name) {
        give(file, &info)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_keygen_says_is_read() {
        let out = "# Host a found: line 3\na ssh-rsa AAAA\n# Host a found: line 5\na ssh-ed25519 BBBB";
        assert_eq!(lines_of(out, &Value::Nil).unwrap(), [3, 5]);
        assert_eq!(lines_of(out, &"ssh-rsa".into()).unwrap(), [3]);
        assert_eq!(entries(out, None).unwrap().len(), 2);
        assert_eq!(named("a", &2222.into()), "[a]:2222");
        assert_eq!(named("a", &22.into()), "a");
    }

    #[test]
    fn a_port_stands_with_the_host() {
        let one = || vec![map! {"hostname" => "a", "enc" => "ssh-rsa", "key" => "AAAA"}];
        assert_eq!(written(one(), false, &2222.into()).0, "[a]:2222 ssh-rsa AAAA\n");
        assert_eq!(written(one(), true, &Value::Nil), ("a ssh-rsa AAAA\n".into(), one()));
    }
}
