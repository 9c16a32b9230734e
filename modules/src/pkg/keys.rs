//! Keys that repositories are signed with: `apt-key` where there is one, else files of keys in `/etc/apt/keyrings`.

use super::apt::{ask, call, code, text, words};
use super::debian;
use crate::cmd::which::which;
use brine_core::call::{Args, CallError, Cx, KwArgs, Result, exec};
use brine_core::posixpath::{basename, join};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Where files of keys are.
const KEYRINGS: &str = "/etc/apt/keyrings";

/// Whether `apt-key` is to be used: only where it exists.
pub(super) fn uses_apt_key(wanted: bool) -> bool {
    wanted && which("apt-key").is_some()
}

fn folder(keydir: Option<&Value>) -> String {
    keydir.filter(|dir| dir.truthy()).map_or_else(|| KEYRINGS.to_owned(), python_str)
}

fn missing(dir: &str) -> bool {
    let missing = !Path::new(dir).is_dir();
    if missing {
        tracing::error!("The directory {dir} does not exist. Please create this directory only writable by root");
    }
    missing
}

/// The keys of gpg's colon-separated output.
fn parse(out: &str) -> Result<Map> {
    let index = || CallError::exception("IndexError", "list index out of range");
    let mut keys: Vec<Map> = Vec::new();
    for line in out.lines().filter(|line| !line.trim().is_empty()) {
        let items: Vec<Value> = line
            .split(':')
            .map(|item| match item.trim() {
                "" => Value::Nil,
                text => text.parse::<i128>().map_or_else(|_| Value::from(text), Value::Int),
            })
            .collect();
        if items.len() < 2 {
            continue;
        }
        let at = |i: usize| items.get(i).cloned().ok_or_else(index);
        match items[0].as_str() {
            Some(kind @ ("pub" | "sub")) => {
                let key = map! {
                    "algorithm" => at(3)?, "bits" => at(2)?, "capability" => at(11)?, "date_creation" => at(5)?,
                    "date_expiration" => at(6)?, "keyid" => python_str(&at(4)?), "validity" => at(1)?,
                };
                if kind == "pub" {
                    keys.push(key);
                } else {
                    keys.last_mut().ok_or_else(index)?.insert("subkey", key);
                }
            }
            Some("fpr") => {
                let key = keys.last_mut().ok_or_else(index)?;
                match key.get_mut("subkey") {
                    Some(Value::Map(subkey)) => subkey.insert("fingerprint", at(9)?),
                    _ => key.insert("fingerprint", at(9)?),
                };
            }
            Some("uid") => {
                let key = keys.last_mut().ok_or_else(index)?;
                key.insert("uid", at(9)?);
                key.insert("uid_hash", at(7)?);
            }
            _ => {}
        }
    }
    Ok(keys.into_iter().map(|key| (key.get("keyid").cloned().unwrap_or_default(), Value::from(key))).collect())
}

/// What gpg shows of the keys in a file.
fn listed(cx: &Cx, file: &str) -> Result<String> {
    let command =
        ["gpg", "--no-default-keyring", "--keyring", file, "--list-keys", "--with-colons"].map(Value::from);
    Ok(cx.call("cmd.run_all", Args::positional([Value::List(command.to_vec())]))?.get("stdout").map(python_str).unwrap_or_default())
}

fn files(dir: &str) -> Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(dir)?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Ok(names.iter().map(|name| join(dir, &[name])).collect())
}

/// The known keys; `None` where the folder does not exist.
pub(super) fn known(cx: &Cx, apt_key: bool, dir: &str) -> Result<Option<Map>> {
    if !apt_key {
        if missing(dir) {
            return Ok(None);
        }
        let all: Result<Vec<String>> = files(dir)?.iter().map(|file| listed(cx, file)).collect();
        return parse(&all?.join(" ")).map(Some);
    }
    let command = [
        "apt-key", "adv", "--batch", "--list-public-keys", "--with-fingerprint", "--with-fingerprint", "--with-colons",
        "--fixed-list-mode",
    ];
    let out = ask(cx, &command)?;
    if code(&out) != 0 {
        tracing::error!("{}", text(&out, "stderr"));
        let unbound = "local variable 'ret' referenced before assignment";
        return Err(CallError::exception("UnboundLocalError", unbound));
    }
    parse(&text(&out, "stdout")).map(Some)
}

/// The keys that repositories are signed with, by id.
///
/// aptkey: whether to ask `apt-key`, where there is one
/// keydir: where files of keys are
///
/// CLI Example: salt '*' pkg.get_repo_keys
#[exec]
fn get_repo_keys(cx: &Cx, #[default(true)] aptkey: Value, keydir: Option<Value>) -> Result {
    debian(cx)?;
    let keys = known(cx, uses_apt_key(aptkey.truthy()), &folder(keydir.as_ref()))?;
    Ok(keys.map_or(Value::Bool(false), Value::from))
}

/// A file of keys without armour, unless it is to be an `.asc`; `None` where gpg is missing.
fn without_armour(cx: &Cx, key: &str, dest: &str) -> Result<Option<String>> {
    let contents = std::fs::read(key)?;
    let armoured = std::str::from_utf8(&contents).is_ok_and(|text| text.trim_matches('-').starts_with("BEGIN PGP"));
    if !armoured || dest.ends_with(".asc") {
        return Ok(Some(key.to_owned()));
    }
    if which("gpg").is_none() {
        tracing::error!(
            "Detected an ASCII armored key {key} and the gpg binary is not available. Not decrypting the key."
        );
        return Ok(None);
    }
    let bare = format!("{key}.decrypted");
    let command = ["gpg", "--yes", "--output", &bare, "--dearmor", key].map(Value::from);
    let out = cx.call("cmd.run_all", Args::positional([Value::List(command.to_vec())]))?;
    if out.get("retcode").and_then(Value::as_int) != Some(0) {
        tracing::error!("Failed to decrypt the key {key}");
    }
    Ok(Some(bare))
}

/// Puts a file of keys into place, for everybody to read: apt checks signatures as a user of its own.
fn place(from: &str, to: &str) -> Result<()> {
    let contents = std::fs::read(from)?;
    let dir = Path::new(to).parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".keyring").tempfile_in(dir)?;
    file.write_all(&contents)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.persist(to).map_err(|e| CallError::from(e.error))?;
    Ok(())
}

/// What is known of a key to be added.
#[derive(Default)]
pub(super) struct NewKey {
    /// A path or URL of a file with it.
    pub(super) path: Option<String>,
    /// The key itself.
    pub(super) text: Option<String>,
    /// The server that has it.
    pub(super) keyserver: Option<String>,
    /// Its id.
    pub(super) keyid: Option<String>,
    /// The environment of `path`.
    pub(super) saltenv: Value,
    /// Where files of keys are.
    pub(super) keydir: String,
    /// The name of the file it becomes.
    pub(super) keyfile: Option<String>,
}

/// Adds a key; whether that went well.
pub(super) fn add(cx: &Cx, key: NewKey, aptkey: bool) -> Result<bool> {
    let dir = key.keydir;
    if !aptkey && missing(&dir) {
        return Ok(false);
    }
    let apt_key = uses_apt_key(aptkey);
    if let Some(id) = &key.keyid {
        let present = match known(cx, apt_key, &dir)? {
            Some(keys) => keys.keys().map(python_str).any(|known| known.ends_with(id)),
            None => return Err(CallError::exception("TypeError", "'bool' object is not iterable")),
        };
        if present {
            return Ok(true);
        }
    }
    let mut made = None;
    let mut more = Map::new();
    let command = if let Some(path) = key.path {
        let cached = cx.call("cp.cache_file", Args::positional([path.as_str().into(), key.saltenv]))?;
        let Some(cached) = cached.as_str().filter(|cached| !cached.is_empty()) else {
            tracing::error!("Unable to get cached copy of file: {path}");
            return Ok(false);
        };
        if !apt_key {
            let dest = key.keyfile.unwrap_or_else(|| basename(cached).to_owned());
            let Some(bare) = without_armour(cx, cached, &dest)? else { return Ok(false) };
            place(&bare, &join(&dir, &[&dest]))?;
            return Ok(true);
        }
        words(&["apt-key", "add", cached])
    } else if let Some(text) = key.text {
        more.insert("stdin", text);
        words(&["apt-key", "add", "-"])
    } else if let Some(server) = key.keyserver {
        let Some(id) = key.keyid else {
            let text = format!("No keyid or keyid too short for keyserver: {server}");
            return Err(CallError::invocation(text));
        };
        if apt_key {
            words(&["apt-key", "adv", "--batch", "--keyserver", &server, "--recv", &id])
        } else {
            let Some(file) = key.keyfile else {
                tracing::error!("You must define the name of the key file to save the key. See keyfile argument");
                return Ok(false);
            };
            let ring = join(&dir, &[&file]);
            let command =
                words(&["gpg", "--no-default-keyring", "--keyring", &ring, "--keyserver", &server, "--recv-keys", &id]);
            made = Some(ring);
            command
        }
    } else if let Some(id) = key.keyid {
        return Err(CallError::invocation(format!("No keyserver specified for keyid: {id}")));
    } else {
        return Err(CallError::Arguments("add_repo_key() takes at least 1 argument (0 given)".into()));
    };
    let out = call(cx, &command, true, &more)?;
    if code(&out) != 0 {
        tracing::error!("Unable to add repo key: {}", text(&out, "stderr"));
        return Ok(false);
    }
    if let Some(ring) = made {
        std::fs::set_permissions(ring, std::fs::Permissions::from_mode(0o644))?;
    }
    Ok(true)
}

/// Add a key that repositories are signed with; whether it is there afterwards.
///
/// path: a file with the key, a path or URL
/// text: the key
/// keyserver: the server that has it
/// keyid: its id
/// saltenv: the environment that path is in
/// aptkey: whether to use `apt-key`, where there is one
/// keydir: where files of keys are (`/etc/apt/keyrings`)
/// keyfile: the name of the file it becomes
///
/// CLI Example: salt '*' pkg.add_repo_key keyserver='keyserver.example' keyid='0000AAAA'
#[exec]
#[expect(clippy::too_many_arguments, reason = "the signature is stock's")]
fn add_repo_key(
    cx: &Cx,
    path: Option<Value>,
    text: Option<Value>,
    keyserver: Option<Value>,
    keyid: Option<Value>,
    #[default("base")] saltenv: Value,
    #[default(true)] aptkey: Value,
    keydir: Option<Value>,
    keyfile: Option<Value>,
) -> Result<bool> {
    debian(cx)?;
    let filled = |value: Option<Value>| value.filter(Value::truthy).map(|value| python_str(&value));
    let keydir = folder(keydir.as_ref());
    let (path, text, keyserver, keyid) = (filled(path), filled(text), filled(keyserver), filled(keyid));
    let key = NewKey { path, text, keyserver, keyid, saltenv, keydir, keyfile: filled(keyfile) };
    add(cx, key, aptkey.truthy())
}

/// The file in which a key is.
fn file_of(cx: &Cx, dir: &str, id: &str) -> Result<Option<String>> {
    if !matches!(id.chars().count(), 8 | 16) {
        tracing::error!("The keyid needs to be either 8 or 16 characters");
        return Ok(None);
    }
    for file in files(dir)? {
        if parse(&listed(cx, &file)?)?.keys().any(|known| python_str(known).ends_with(id)) {
            return Ok(Some(file));
        }
    }
    tracing::error!("Could not find the key file for keyid: {id}");
    Ok(None)
}

/// Remove a key that repositories are signed with.
///
/// name: the `ppa:` that the key is of, with `keyid_ppa`
/// aptkey: whether to use `apt-key`, where there is one
/// keydir: where files of keys are (`/etc/apt/keyrings`)
///
/// Further arguments: keyid, or keyid_ppa=True for the key of a PPA.
///
/// CLI Example: salt '*' pkg.del_repo_key keyid=0123ABCD
#[exec]
fn del_repo_key(
    cx: &Cx,
    name: Option<Value>,
    #[default(true)] aptkey: Value,
    keydir: Option<Value>,
    kwargs: KwArgs,
) -> Result {
    debian(cx)?;
    let dir = folder(keydir.as_ref());
    if !aptkey.truthy() && missing(&dir) {
        return Ok(false.into());
    }
    let id = if kwargs.0.get("keyid_ppa").is_some_and(Value::truthy) {
        let name = name.as_ref().and_then(Value::as_str);
        let ppa = name.and_then(|name| name.strip_prefix("ppa:")).and_then(|ppa| ppa.split_once('/'));
        let Some((owner, ppa)) = ppa else {
            return Err(CallError::invocation("keyid_ppa requires that a PPA be passed"));
        };
        let fingerprint = launchpad(cx, owner, ppa)?.get("signing_key_fingerprint").map(python_str).unwrap_or_default();
        let skipped = fingerprint.chars().count().saturating_sub(8);
        Value::from(fingerprint.chars().skip(skipped).collect::<String>())
    } else {
        let missing = || CallError::invocation("keyid or keyid_ppa and PPA name must be passed");
        kwargs.0.get("keyid").cloned().ok_or_else(missing)?
    };
    if uses_apt_key(aptkey.truthy()) {
        let out = ask(cx, &["apt-key", "del", &python_str(&id)])?;
        if code(&out) != 0 {
            // Stock leaves the placeholder in its message.
            let errors = text(&out, "stderr");
            let errors = if errors.is_empty() { errors } else { format!(": {errors}") };
            return Err(CallError::execution(format!("Failed to remove keyid {{0}}{errors}")));
        }
    } else {
        let Value::Str(wanted) = &id else {
            let text = format!("object of type '{}' has no len()", brine_core::text::python_type(&id));
            return Err(CallError::exception("TypeError", text));
        };
        let Some(file) = file_of(cx, &dir, wanted)? else { return Ok(false.into()) };
        std::fs::remove_file(file)?;
    }
    Ok(id)
}

/// What Launchpad tells of a personal package archive.
pub(super) fn launchpad(cx: &Cx, owner: &str, name: &str) -> Result<Map> {
    let url = format!("https://launchpad.net/api/1.0/~{owner}/+archive/{name}");
    let args = Args::positional([url])
        .with("header_dict", map! {"Accept" => "application/json"})
        .with("decode", true)
        .with("decode_type", "json");
    let got = cx.call("http.query", args)?;
    match got.get("dict") {
        Some(Value::Map(info)) => Ok(info.clone()),
        _ => {
            let why = got.get("error").map(python_str).unwrap_or_default();
            Err(CallError::execution(format!("Launchpad does not know about {owner}/{name}: {why}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_with_subkeys_and_owners() {
        let out = "tru::1:1:0:3:1:5\npub:-:4096:1:64CBBC8173D76B3F:1668000000:::-:::scESC::::::23::0:\n\
                   fpr:::::::::10857FFDD3F91EAE577A21D664CBBC8173D76B3F:\n\
                   uid:-::::1668000000::ABCDEF::A B <a@b.c>::::::::::0:\n\
                   sub:-:4096:1:0A1B:1668000000::::::e::::::23:\nfpr:::::::::FFEE:\n";
        let keys = parse(out).unwrap();
        let key = keys.get("64CBBC8173D76B3F").unwrap();
        assert_eq!(key.get("bits"), Some(&Value::Int(4096)));
        assert_eq!(key.get("fingerprint"), Some(&"10857FFDD3F91EAE577A21D664CBBC8173D76B3F".into()));
        assert_eq!(key.get("uid"), Some(&"A B <a@b.c>".into()));
        assert_eq!(key.get("subkey").unwrap().get("fingerprint"), Some(&"FFEE".into()));
        assert!(parse("fpr::x\n").is_err());
    }
}
