//! How one gets in at a remote: the checks that stock makes before anything is fetched.

use super::{ConfigError, Role, url};
use brine_core::Secret;
use brine_core::Value;
use brine_core::text::python_str;
use std::path::PathBuf;

/// The options of authentication.
pub(super) const PARAMS: &[&str] = &["user", "password", "pubkey", "privkey", "passphrase", "insecure_auth"];

/// How one gets in.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// As git does without being told: agents, keys and helpers of the user.
    None,
    /// Name and password over HTTP.
    Password {
        user: String,
        password: Secret,
        /// Scheme, host and port that may have it.
        origin: String,
    },
    /// A key over SSH.
    Key { privkey: PathBuf, passphrase: Secret },
}

/// Reads the options of one remote.
pub(super) fn read<'a>(
    role: Role,
    id: &str,
    url: &str,
    get: impl Fn(&str) -> Option<&'a Value>,
) -> Result<Auth, ConfigError> {
    let set = |name: &str| get(name).filter(|value| value.truthy());
    let text = |name: &str| set(name).map(python_str).unwrap_or_default();
    let name = role.name();
    let fail = |detail: String| Err(ConfigError::new(role, detail));
    let incomplete = |required: [&str; 2]| {
        let missing: Vec<&str> = required.into_iter().filter(|param| set(param).is_none()).collect();
        fail(format!(
            "Incomplete authentication information for {name} remote '{id}'. Missing parameters: {}",
            missing.join(", ")
        ))
    };
    if url.starts_with('/') || PARAMS.iter().all(|param| set(param).is_none()) {
        return Ok(Auth::None);
    }
    let (transport, address) = url::transport(url);
    match transport.as_str() {
        "git" | "file" => Ok(Auth::None),
        "ssh" => {
            if !address.contains('@') {
                return fail(format!(
                    "Keypair specified for {name} remote '{id}', but remote URL is missing a username"
                ));
            }
            if set("pubkey").is_none() || set("privkey").is_none() {
                return incomplete(["pubkey", "privkey"]);
            }
            for kind in ["pubkey", "privkey"] {
                let path = text(kind);
                if !PathBuf::from(&path).is_file() {
                    return fail(format!(
                        "SSH {kind} ({path}) for {name} remote '{id}' could not be found, path may be incorrect. Note that it \
                         may be necessary to clear git_pillar locks to proceed once this is resolved and the master has been \
                         started back up. A warning will be logged if this is the case, with instructions."
                    ));
                }
            }
            Ok(Auth::Key { privkey: text("privkey").into(), passphrase: Secret::new(text("passphrase")) })
        }
        "http" | "https" => {
            if set("user").is_none() && set("password").is_none() {
                return Ok(Auth::None);
            }
            if set("user").is_none() || set("password").is_none() {
                return incomplete(["user", "password"]);
            }
            if transport == "http" && set("insecure_auth").is_none() {
                return fail(format!(
                    "Invalid configuration for {name} remote '{id}'. Authentication is disabled by default on http remotes. \
                     Either set {name}_insecure_auth to True in the master configuration file, set a per-remote config option \
                     named 'insecure_auth' to True, or use https or ssh-based authentication."
                ));
            }
            Ok(Auth::Password {
                user: text("user"),
                password: Secret::new(text("password")),
                origin: url::origin(url),
            })
        }
        other => {
            fail(format!("Invalid configuration for {name} remote '{id}'. Unsupported transport '{other}'."))
        }
    }
}
