//! Key pairs and signatures that are made for somebody.
//!
//! Where files are written, it is into `pki_dir` under one plain name, and nothing that is there is replaced; a person in
//! a process of his own may name other places.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use brine_core::call::{CallError, Cx, Result, exec};
use brine_core::{Map, Value, map};
use brine_protocol::crypt::{HashType, PrivateKey, SigAlgo, clean_key, pem_finger};
use brine_protocol::ids::MinionId;
use brine_store::KeyState;
use brine_store::fs::Dir;

use super::LONGEST;
use crate::host::master;
use crate::places::own_path;

/// No larger key is made: it would take minutes.
const LARGEST: i64 = 8192;

fn failed(e: impl std::fmt::Display) -> CallError {
    CallError::execution(e.to_string())
}

struct Pair {
    private: String,
    public: String,
}

fn make(bits: i64) -> Result<Pair> {
    if bits > LARGEST {
        return Err(CallError::invocation(format!("Keys have at most {LARGEST} bits")));
    }
    let key = PrivateKey::generate(usize::try_from(bits.max(2048)).unwrap_or(2048)).map_err(failed)?;
    let private = key.to_pem().map_err(failed)?.to_string();
    Ok(Pair { private, public: key.public().to_pem().map_err(failed)? })
}

/// A name or id without what has no place in one: Salt's sanitizers.
fn clean(text: &str, keep: impl Fn(char) -> bool) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(CallError::execution("Empty value during sanitation"));
    }
    let base = text.rsplit('/').next().unwrap_or_default();
    Ok(base.chars().filter(|c| keep(*c)).collect())
}

/// A key pair for a minion, which is stored nowhere: `priv` and `pub`.
///
/// Example: `wheel.cmd("key.gen")`
#[exec(name = "gen")]
pub(super) fn gen_pair(id__: Option<String>, #[default(2048)] keysize: i64) -> Result<Map> {
    // Stock names its passing files by it; a name that is none is an error there too.
    if let Some(id) = id__ {
        clean(&id, |_| true)?;
    }
    let pair = make(keysize)?;
    Ok(map! {"priv" => pair.private, "pub" => pair.public})
}

/// A key pair for a minion, whose public half is accepted at once. An empty dict if the id has an accepted key already,
/// unless `force` replaces it.
///
/// Example: `wheel.cmd("key.gen_accept", ["foo"])`
#[exec]
pub(super) fn gen_accept(
    cx: &Cx,
    id__: String,
    #[default(2048)] keysize: i64,
    #[default(false)] force: bool,
) -> Result<Map> {
    let host = master(cx)?;
    let id = id__.trim();
    if id.is_empty() {
        return Err(CallError::execution("Empty value during sanitation"));
    }
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
    let id = MinionId::parse(id.trim_matches('.')).map_err(|e| CallError::invocation(e.to_string()))?;
    if host.keys.is_accepted(&id) && !force {
        return Ok(Map::new());
    }
    let pair = make(keysize)?;
    host.keys.write(KeyState::Accepted, &id, &pair.public)?;
    host.side.key_gone(KeyState::Accepted, &id);
    Ok(map! {"priv" => pair.private, "pub" => pair.public})
}

/// Where a pair or signature goes: `pki_dir`, or the directory that somebody in his own process names.
fn directory(cx: &Cx, given: Option<String>, argument: &str) -> Result<PathBuf> {
    let own = &master(cx)?.pki_dir;
    match given.filter(|dir| !dir.is_empty()).map(PathBuf::from) {
        Some(dir) if dir != *own => {
            own_path(cx, argument)?;
            Ok(dir)
        }
        _ => Ok(own.clone()),
    }
}

/// The pair `name` in a directory, made if there is none; its public half.
fn stored(dir: &Path, name: &str, bits: i64, user: Option<&str>) -> Result<String> {
    let place = Dir::at(dir);
    let (private, public) = (format!("{name}.pem"), format!("{name}.pub"));
    if place.has(&private) {
        let bytes = place.read(&public, LONGEST)?.unwrap_or_default();
        return String::from_utf8(bytes).map_err(failed);
    }
    if place.has_other(&private) || place.has(&public) || place.has_other(&public) {
        return Err(CallError::execution(format!("{name} is taken in {}", dir.display())));
    }
    let pair = make(bits)?;
    place.write(&private, pair.private.as_bytes(), 0o400)?;
    place.write(&public, pair.public.as_bytes(), 0o644)?;
    if let Some(user) = user.and_then(|user| nix::unistd::User::from_name(user).ok().flatten()) {
        for file in [private, public] {
            // Stock leaves the files to whoever runs this, where it may not give them away.
            if let Err(e) = nix::unistd::chown(&dir.join(&file), Some(user.uid), None) {
                tracing::warn!("{file}: {e}");
            }
        }
    }
    Ok(pair.public)
}

/// The option `keysize`, which no table has, or stock's default.
fn size(cx: &Cx, given: Option<i64>) -> i64 {
    given.filter(|bits| *bits > 0).or_else(|| cx.opts.int("keysize")).unwrap_or(2048)
}

/// A key pair in `pki_dir` under a name; returns the fingerprint of its public half. A pair that is there is kept.
///
/// Example: `wheel.cmd("key.gen_keys", kwarg={"keyname": "web1"})`
#[exec]
pub(super) fn gen_keys(
    cx: &Cx,
    keydir: Option<String>,
    keyname: Option<String>,
    keysize: Option<i64>,
    user: Option<String>,
) -> Result<String> {
    let dir = directory(cx, keydir, "keydir")?;
    if user.is_some() {
        own_path(cx, "user")?;
    }
    let name = keyname.filter(|name| !name.is_empty()).unwrap_or_else(|| "minion".to_owned());
    MinionId::parse(&name).map_err(|e| CallError::invocation(format!("keyname: {e}")))?;
    Ok(pem_finger(&stored(&dir, &name, size(cx, keysize), user.as_deref())?, HashType::Sha256))
}

/// Signs the master's public key, for minions with `verify_master_pubkey_sign`. `False` if the signature is there already;
/// text if a key is missing.
///
/// Example: `wheel.cmd("key.gen_signature", ["", "", ""], kwarg={"auto_create": True})`
#[exec]
pub(super) fn gen_signature(
    cx: &Cx,
    priv_: Option<String>,
    pub_: Option<String>,
    signature_path: Option<String>,
    #[default(false)] auto_create: bool,
    keysize: Option<i64>,
) -> Result {
    let host = master(cx)?;
    let given = |path: Option<String>| path.filter(|path| !path.is_empty()).map(PathBuf::from);
    let (private, public) = (given(priv_), given(pub_));
    if private.is_some() || public.is_some() {
        own_path(cx, if private.is_some() { "priv" } else { "pub" })?;
    }
    let dir = directory(cx, signature_path, "signature_path")?;
    let option = |key: &str, default: &str| match cx.opts.str(key) {
        "" => default.to_owned(),
        name => name.to_owned(),
    };
    let sign_name = option("master_sign_key_name", "master_sign");
    for (path, kind) in [(&public, "Public"), (&private, "Private")] {
        if let Some(path) = path.as_ref().filter(|path| !path.is_file()) {
            return Ok(format!("{kind}-key {} does not exist", path.display()).into());
        }
    }
    let private = private.unwrap_or_else(|| host.pki_dir.join(format!("{sign_name}.pem")));
    if !private.is_file() {
        if !auto_create {
            return Ok("No usable private-key found".into());
        }
        stored(&host.pki_dir, &sign_name, size(cx, keysize), None)?;
    }
    let public = public.unwrap_or_else(|| host.pki_dir.join("master.pub"));
    if !public.is_file() {
        return Ok("No usable public-key found".into());
    }
    let passphrase = cx.opts.get("signing_key_pass").and_then(Value::as_str);
    let key = PrivateKey::from_pem(&std::fs::read_to_string(&private)?, passphrase).map_err(failed)?;
    let text = clean_key(&std::fs::read_to_string(&public)?);
    let place = Dir::at(&dir);
    let name = option("master_pubkey_signature", "master_pubkey_signature");
    if place.has(&name) || place.has_other(&name) {
        return Ok(false.into());
    }
    let signature = key.sign(text.as_bytes(), SigAlgo::default()).map_err(failed)?;
    let encoded = format!("{}\n", base64::engine::general_purpose::STANDARD.encode(signature));
    place.write(&name, encoded.as_bytes(), 0o644)?;
    Ok(true.into())
}
