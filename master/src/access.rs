//! Who a caller on the master's host is, and what he may do. The one place where both are decided; denies by default.

use std::fmt;
use std::net::SocketAddr;

use brine_core::auth_rules::{self, Ask, Call, authorised, rules_of};
use brine_protocol::{Map, Value, map};

use crate::master::Master;

/// A caller who has proved himself.
#[derive(Clone, Debug, PartialEq)]
pub enum Caller {
    /// He holds the key of root or of the master's own user: he may do everything.
    Full,
    /// He may do what these rules say.
    Limited {
        /// The user whose key he holds, or who called sudo.
        name: String,
        /// The rules of `publisher_acl` for that user.
        rules: Vec<Value>,
    },
}

/// Why a request is refused. Callers are told no more than stock tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// He did not prove who he is.
    Unknown(&'static str),
    /// He may not do this.
    Forbidden(String),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denied::Unknown(why) => write!(f, "Authentication failure of type \"user\" occurred: {why}"),
            Denied::Forbidden(what) => write!(f, "not permitted: {what}"),
        }
    }
}

impl Denied {
    /// The `error` of a refused publish.
    pub fn publish_error(&self) -> Map {
        match self {
            Denied::Unknown(_) => {
                map! {"name" => "AuthenticationError", "message" => "Authentication error occurred."}
            }
            Denied::Forbidden(_) => {
                map! {"name" => "AuthorizationError", "message" => "Authorization error occurred."}
            }
        }
    }

    /// The reply to a refused wheel or runner call.
    pub fn reply(&self, kind: &str) -> Value {
        tracing::warn!("{kind}: {self}");
        map! {"error" => map! {
            "name" => "UserAuthenticationError",
            "message" => "Authentication failure of type \"user\" occurred",
        }}
        .into()
    }
}

/// Takes the credentials out of a request and proves its sender.
///
/// # Errors
/// [`Denied::Unknown`].
pub fn authenticate(master: &Master, peer: SocketAddr, load: &mut Map) -> Result<Caller, Denied> {
    let key = load.remove("key");
    let extra = load.get("kwargs").and_then(Value::as_map);
    for key in ["token", "eauth"] {
        if load.contains(key) || extra.is_some_and(|e| e.contains(key)) {
            return Err(Denied::Unknown("external authentication is not available"));
        }
    }
    if !master.config.access.key_from_anywhere && !master.local.contains(peer.ip()) {
        return Err(Denied::Unknown("keys are taken only from this host"));
    }
    let key = key.as_ref().and_then(Value::as_bytes).filter(|k| !k.is_empty());
    let owner = key.and_then(|key| master.users.owner_of(key)).ok_or(Denied::Unknown("no valid key"))?;
    let claimed = match load.get("user") {
        None => None,
        Some(Value::Str(user)) => Some(user.as_str()),
        Some(_) => return Err(Denied::Unknown("malformed user")),
    };
    let acl = &master.config.access.publisher_acl;
    master.vouch_for(peer.ip());
    if owner == "root" || owner == master.config.user {
        // With `sudo_acl` the rules of whoever called sudo hold even for root's key.
        return match claimed.and_then(|c| c.strip_prefix("sudo_")) {
            Some(name) if master.config.access.sudo_acl && !acl.is_empty() => limited(acl, name),
            _ => Ok(Caller::Full),
        };
    }
    // Stock believes anybody's key for `user: root`.
    match claimed {
        Some(name) if name != owner => Err(Denied::Unknown("user and key do not belong together")),
        _ => limited(acl, owner),
    }
}

fn limited(acl: &Map, name: &str) -> Result<Caller, Denied> {
    let rules = rules_of(acl, name, &[], false);
    if rules.is_empty() {
        return Err(Denied::Unknown("no rules for this user"));
    }
    Ok(Caller::Limited { name: name.to_owned(), rules })
}

/// Whether a caller may start this job on these minions.
///
/// # Errors
/// [`Denied::Forbidden`].
pub fn authorize(master: &Master, caller: &Caller, load: &Map, minions: &[String]) -> Result<(), Denied> {
    let malformed = || Denied::Forbidden("fun and arg do not fit each other".into());
    let (fun, arg) = (load.get("fun").ok_or_else(malformed)?, load.get("arg").ok_or_else(malformed)?);
    let calls = auth_rules::calls(fun, arg).ok_or_else(malformed)?;
    let user = load.get_str("user").unwrap_or_default();
    // A list separated by commas is taken for several functions by some.
    let funs = calls.iter().flat_map(|call: &Call<'_>| call.fun.split(','));
    if auth_rules::blacklisted(&master.config.access.blacklist, user, funs.map(str::trim)) {
        return Err(Denied::Forbidden(format!("{user} or what he asks for is blacklisted")));
    }
    match caller {
        Caller::Full => Ok(()),
        Caller::Limited { name, rules } => {
            if authorised(rules, Ask::Publish { calls: &calls, minions, fleet: &master.data }) {
                Ok(())
            } else {
                let funs: Vec<_> = calls.iter().map(|call| call.fun).collect();
                Err(Denied::Forbidden(format!("{name} may not run {}", funs.join(", "))))
            }
        }
    }
}

/// Removes what proves a caller from what is kept and published.
pub fn strip_credentials(extra: &mut Map) {
    for key in ["token", "password", "eauth", "username", "key"] {
        extra.remove(key);
    }
}
