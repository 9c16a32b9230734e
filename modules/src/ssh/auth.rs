//! Keys that may log in as a user: the lines of their `authorized_keys`. Files are replaced as a whole.

use super::line::{Entry, entries, fingerprint, format as line_of, key_of};
use super::{owner, user, users};
use crate::accounts::rewrite;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::ssh::split;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use nix::unistd::Uid;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown, fchown};
use std::path::Path;

/// Where the keys of a user are unless told otherwise.
const CONFIG: &str = ".ssh/authorized_keys";

/// The whole name of a kind of key.
fn kind(enc: &str) -> Result<&str> {
    Ok(match enc {
        "r" | "rsa" | "ssh-rsa" => "ssh-rsa",
        "d" | "dsa" | "dss" | "ssh-dss" => "ssh-dss",
        "e" | "ecdsa" => "ecdsa-sha2-nistp256",
        "ed25519" => "ssh-ed25519",
        "ecdsa-sha2-nistp521"
        | "ecdsa-sha2-nistp384"
        | "ecdsa-sha2-nistp256"
        | "ssh-ed25519"
        | "rsa-sha2-512"
        | "rsa-sha2-256"
        | "rsa-sha2-512-cert-v01@openssh.com"
        | "rsa-sha2-256-cert-v01@openssh.com"
        | "ssh-rsa-cert-v01@openssh.com"
        | "ecdsa-sha2-nistp256-cert-v01@openssh.com"
        | "ecdsa-sha2-nistp384-cert-v01@openssh.com"
        | "ecdsa-sha2-nistp521-cert-v01@openssh.com"
        | "sk-ecdsa-sha2-nistp256@openssh.com"
        | "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com"
        | "ssh-ed25519-cert-v01@openssh.com"
        | "sk-ssh-ed25519@openssh.com"
        | "sk-ssh-ed25519-cert-v01@openssh.com" => enc,
        _ => return Err(CallError::execution(format!("Incorrect encryption key type '{enc}'."))),
    })
}

/// A path with the tokens of sshd's option filled in.
fn expand(path: &str, user: &str, home: &str) -> Result<String> {
    let mut out = String::new();
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('%') => out.push('%'),
            Some('u') => out += user,
            Some('h') => out += home,
            Some(other) => {
                return Err(CallError::execution(format!(
                    "AuthorizedKeysFile path: unknown token character \"%{other}\""
                )));
            }
            None => {
                return Err(CallError::execution("AuthorizedKeysFile path: Last character can't be escape character"));
            }
        }
    }
    Ok(out)
}

/// The file of a user's keys.
fn file_of(cx: &Cx, name: &Value, config: &str) -> Result<String> {
    let info = user(cx, name)?;
    let shown = python_str(name);
    if info.is_empty() {
        return Err(CallError::execution(format!("User '{shown}' does not exist")));
    }
    let home = info.get_str("home").unwrap_or_default();
    let config = expand(config, &shown, home)?;
    Ok(if config.starts_with('/') { config } else { brine_core::posixpath::join(home, &[&config]) })
}

/// The keys of a file.
fn keys_of(path: &str, hash: Option<&str>) -> Result<Vec<Entry>> {
    let text =
        fs::read(path).map_err(|_| CallError::execution(format!("Problem reading ssh key file {path}")))?;
    entries(&String::from_utf8_lossy(&text), hash)
}

/// The keys of a user; none where there is no such user or file.
fn current(cx: &Cx, name: &Value, config: &str, hash: Option<&str>) -> Result<Vec<Entry>> {
    match file_of(cx, name, config) {
        Ok(path) if Path::new(&path).is_file() => keys_of(&path, hash),
        Ok(_) | Err(CallError::Execution(_)) => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

fn shown(keys: &[Entry]) -> Map {
    let entry = |entry: &Entry| {
        map! {
            "enc" => &*entry.enc,
            "comment" => &*entry.comment,
            "options" => entry.options.clone(),
            "fingerprint" => &*entry.fingerprint,
        }
    };
    keys.iter().map(|key| (key.key.as_str(), entry(key))).collect()
}

/// The keys that may log in as a user, or as each of some, or of all.
///
/// CLI Example: salt '*' ssh.auth_keys root
#[exec]
pub(super) fn auth_keys(
    cx: &Cx,
    user: Option<Value>,
    #[default(CONFIG)] config: String,
    fingerprint_hash_type: Option<String>,
) -> Result<Map> {
    let hash = fingerprint_hash_type.as_deref();
    let (names, one) = users(cx, user)?;
    if let (true, [name]) = (one, &names[..]) {
        return Ok(shown(&current(cx, name, &config, hash)?));
    }
    let mut all = Map::new();
    for name in names {
        if file_of(cx, &name, &config).is_ok_and(|path| Path::new(&path).is_file()) {
            let keys = shown(&current(cx, &name, &config, hash)?);
            all.insert(name, keys);
        }
    }
    Ok(all)
}

fn texts(options: &Value) -> Vec<String> {
    match options {
        Value::List(list) => list.iter().map(python_str).collect(),
        Value::Str(text) => text.chars().map(String::from).collect(),
        _ => Vec::new(),
    }
}

/// One key as it is wished, of one user's file.
struct Wish<'a> {
    user: &'a Value,
    key: &'a str,
    enc: &'a str,
    comment: &'a str,
    options: Vec<String>,
    config: &'a str,
    hash: Option<&'a str>,
}

impl Wish<'_> {
    fn line(&self) -> String {
        line_of(self.key, self.enc, self.comment, &self.options)
    }

    /// What is to be done: `add`, `update`, or nothing (`exists`).
    fn check(&self, cx: &Cx) -> Result<&'static str> {
        let keys = current(cx, self.user, self.config, self.hash)?;
        Ok(match keys.iter().find(|known| known.key == self.key) {
            None => "add",
            Some(known) if line_of(&known.key, &known.enc, &known.comment, &known.options) == self.line() => "exists",
            Some(_) => "update",
        })
    }
}

/// What would be done to make a key one that may log in: `add`, `update`, or nothing (`exists`).
///
/// CLI Example: salt '*' ssh.check_key <user> <key> <enc> <comment> <options>
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn check_key(
    cx: &Cx,
    user: Value,
    key: String,
    enc: String,
    comment: String,
    options: Value,
    #[default(CONFIG)] config: String,
    cache_keys: Option<Value>,
    fingerprint_hash_type: Option<String>,
) -> Result<&'static str> {
    let _unread_by_stock_too = cache_keys;
    let wish = Wish {
        user: &user,
        key: &key,
        enc: kind(&enc)?,
        comment: &comment,
        options: texts(&options),
        config: &config,
        hash: fingerprint_hash_type.as_deref(),
    };
    wish.check(cx)
}

/// The keys of a file of the master's, or of a URL; `None`: there is no such file.
fn fetched(cx: &Cx, source: &Value, saltenv: &str, hash: Option<&str>) -> Result<Option<Vec<Entry>>> {
    let path = cx.call("cp.cache_file", Args::positional([source.clone(), saltenv.into()]))?;
    let Some(path) = path.as_str().filter(|path| !path.is_empty()) else { return Ok(None) };
    if !Path::new(path).is_file() {
        return Ok(None);
    }
    let keys = keys_of(path, hash)?;
    if keys.is_empty() {
        let text = format!("No keys detected in {}. Is file properly formatted?", python_str(source));
        tracing::error!("{text}");
        cx.job.set_context("ssh_auth.error", text);
    }
    Ok(Some(keys))
}

fn unfetched() -> CallError {
    CallError::execution("Failed to pull key file from salt file server")
}

/// What would be done with each key of a file.
///
/// CLI Example: salt '*' ssh.check_key_file root salt://ssh/keyfile
#[exec]
pub(super) fn check_key_file(
    cx: &Cx,
    user: Value,
    source: Value,
    #[default(CONFIG)] config: String,
    #[default("base")] saltenv: String,
    fingerprint_hash_type: Option<String>,
) -> Result<Map> {
    let hash = fingerprint_hash_type.as_deref();
    let mut found = Map::new();
    for entry in fetched(cx, &source, &saltenv, hash)?.unwrap_or_default() {
        let wish = Wish {
            user: &user,
            key: &entry.key,
            enc: kind(&entry.enc)?,
            comment: &entry.comment,
            options: entry.options.clone(),
            config: &config,
            hash,
        };
        found.insert(entry.key.as_str(), wish.check(cx)?);
    }
    Ok(found)
}

/// Lines of a file without blanks around them and without empty ones; what `each` makes of those that are no comments.
fn mended(text: &str, mut each: impl FnMut(&str) -> Option<String>) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let kept = lines.filter_map(|line| {
        let line = format!("{line}\n");
        if line.starts_with('#') { Some(line) } else { each(&line) }
    });
    kept.collect()
}

fn remove(cx: &Cx, name: &Value, key: &str, config: &str, hash: Option<&str>) -> Result<String> {
    if !current(cx, name, config, hash)?.iter().any(|known| known.key == key) {
        return Ok("Key not present".into());
    }
    let path = file_of(cx, name, config)?;
    let done = fs::read(&path).map_err(CallError::from).and_then(|text| {
        let text = mended(&String::from_utf8_lossy(&text), |line| {
            let (_, rest) = split(line)?;
            (rest.split_whitespace().nth(1) != Some(key)).then(|| line.to_owned())
        });
        rewrite(Path::new(&path), text.as_bytes())
    });
    Ok(match done {
        Ok(()) => "Key removed".into(),
        Err(e) => {
            tracing::warn!("Could not read/write key file: {e}");
            "Key not removed".into()
        }
    })
}

/// Take a key away.
///
/// CLI Example: salt '*' ssh.rm_auth_key <user> <key>
#[exec]
pub(super) fn rm_auth_key(
    cx: &Cx,
    user: Value,
    key: String,
    #[default(CONFIG)] config: String,
    fingerprint_hash_type: Option<String>,
) -> Result<String> {
    remove(cx, &user, &key, &config, fingerprint_hash_type.as_deref())
}

/// Take the keys of a file away.
///
/// CLI Example: salt '*' ssh.rm_auth_key_from_file <user> salt://ssh_keys/<user>.id_rsa.pub
#[exec]
pub(super) fn rm_auth_key_from_file(
    cx: &Cx,
    user: Value,
    source: Value,
    #[default(CONFIG)] config: String,
    #[default("base")] saltenv: String,
    fingerprint_hash_type: Option<String>,
) -> Result<&'static str> {
    let hash = fingerprint_hash_type.as_deref();
    let keys = fetched(cx, &source, &saltenv, hash)?.ok_or_else(unfetched)?;
    if keys.is_empty() {
        return Ok("fail");
    }
    let mut said = String::new();
    for entry in keys {
        said += &remove(cx, &user, &entry.key, &config, hash)?;
    }
    let first = ["Key not removed", "Key removed"].into_iter().find(|word| said.contains(word));
    Ok(first.unwrap_or("Key not present"))
}

/// Puts a line behind what is in the file, which is made if it is not there.
fn append(path: &str, line: &str, (uid, gid): (Option<u32>, Option<u32>)) -> std::io::Result<()> {
    let at = Path::new(path);
    let root = Uid::effective().is_root();
    if at.is_file() {
        let mut text = fs::read(at)?;
        if text.last().is_some_and(|byte| *byte != b'\n') {
            text.push(b'\n');
        }
        text.extend_from_slice(line.as_bytes());
        return rewrite(at, &text).map_err(|e| std::io::Error::other(e.to_string()));
    }
    let folder = at.parent().unwrap_or(Path::new("/"));
    if !folder.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(0o777).create(folder.parent().unwrap_or(Path::new("/")))?;
        fs::DirBuilder::new().mode(0o700).create(folder)?;
        if root {
            chown(folder, uid, gid)?;
        }
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    let mut new = tempfile::Builder::new().prefix(".salt.").tempfile_in(folder)?;
    new.write_all(line.as_bytes())?;
    if root {
        fchown(new.as_file(), uid, gid)?;
    }
    new.as_file().set_permissions(Permissions::from_mode(0o600))?;
    // A link that leads nowhere stays one.
    match fs::symlink_metadata(at).is_ok_and(|meta| meta.is_symlink()) {
        true => brine_files::put(new.path(), at),
        false => new.persist(at).map(drop).map_err(|e| e.error),
    }
}

fn add(cx: &Cx, wish: &Wish<'_>) -> Result<&'static str> {
    if wish.key.split_whitespace().count() > 1 {
        return Ok("invalid");
    }
    let info = user(cx, wish.user)?;
    if info.is_empty() {
        return Ok("fail");
    }
    if fingerprint(wish.key, wish.hash)?.is_none() {
        return Ok("Invalid public key");
    }
    match wish.check(cx)? {
        "exists" => return Ok("no change"),
        "update" => {
            let path = file_of(cx, wish.user, wish.config)?;
            let problem = |e: String| CallError::execution(format!("Problem reading or writing to key file: {e}"));
            let text = fs::read(&path).map_err(|e| problem(brine_core::text::python_os_error(&e, &path)))?;
            let text = mended(&String::from_utf8_lossy(&text), |line| {
                Some(if key_of(line) == Some(wish.key) { wish.line() } else { line.to_owned() })
            });
            rewrite(Path::new(&path), text.as_bytes()).map_err(|e| problem(e.to_string()))?;
            return Ok("replace");
        }
        _ => {}
    }
    let path = file_of(cx, wish.user, wish.config)?;
    let home = info.get_str("home").unwrap_or_default();
    if path.starts_with(home) && !Path::new(home).is_dir() {
        return Ok("fail");
    }
    append(&path, &wish.line(), owner(&info)).map_err(|e| {
        let text = brine_core::text::python_os_error(&e, &path);
        CallError::execution(format!("Could not write to key file: {text}"))
    })?;
    Ok("new")
}

/// Let a key log in.
///
/// CLI Example: salt '*' ssh.set_auth_key <user> '<key>' enc='dsa'
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
pub(super) fn set_auth_key(
    cx: &Cx,
    user: Value,
    key: String,
    #[default("ssh-rsa")] enc: String,
    #[default("")] comment: String,
    options: Option<Value>,
    #[default(CONFIG)] config: String,
    cache_keys: Option<Value>,
    fingerprint_hash_type: Option<String>,
) -> Result<&'static str> {
    let _unread_by_stock_too = cache_keys;
    if key.split_whitespace().count() > 1 {
        return Ok("invalid");
    }
    let wish = Wish {
        user: &user,
        key: &key,
        enc: kind(&enc)?,
        comment: &comment,
        options: texts(&options.into()),
        config: &config,
        hash: fingerprint_hash_type.as_deref(),
    };
    add(cx, &wish)
}

/// Let the keys of a file log in. `options`: for all of them, in place of their own.
///
/// CLI Example: salt '*' ssh.set_auth_key_from_file <user> salt://ssh_keys/<user>.id_rsa.pub
#[exec]
pub(super) fn set_auth_key_from_file(
    cx: &Cx,
    user: Value,
    source: Value,
    #[default(CONFIG)] config: String,
    #[default("base")] saltenv: String,
    fingerprint_hash_type: Option<String>,
    kwargs: KwArgs,
) -> Result<&'static str> {
    let hash = fingerprint_hash_type.as_deref();
    let keys = fetched(cx, &source, &saltenv, hash)?.ok_or_else(unfetched)?;
    if keys.is_empty() {
        return Ok("fail");
    }
    let options = kwargs.0.get("options").filter(|options| options.truthy()).map(texts);
    let mut said = Vec::new();
    for entry in keys {
        let wish = Wish {
            user: &user,
            key: &entry.key,
            enc: kind(&entry.enc)?,
            comment: &entry.comment,
            options: options.clone().unwrap_or(entry.options.clone()),
            config: &config,
            hash,
        };
        said.push(add(cx, &wish)?);
    }
    let said = said.concat();
    Ok(["fail", "replace", "new"].into_iter().find(|word| said.contains(word)).unwrap_or("no change"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_kinds() {
        assert_eq!(expand("/etc/%u/%h/%%", "me", "/home/me").unwrap(), "/etc/me//home/me/%");
        assert!(expand("%x", "", "").is_err() && expand("%", "", "").is_err());
        assert_eq!(kind("e").unwrap(), "ecdsa-sha2-nistp256");
        assert!(kind("x").is_err());
    }

    #[test]
    fn a_line_goes_behind_the_last_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d/keys");
        let path = path.to_str().unwrap();
        append(path, "a\n", (None, None)).unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(path, "x").unwrap();
        append(path, "b\n", (None, None)).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "x\nb\n");
        assert_eq!(mended(" # c \n\n x \n", |line| Some(line.to_owned())), "# c\nx\n");
    }
}
