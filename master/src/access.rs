//! Who a caller is, and what he may do. The one place where both are decided; denies by default.
//!
//! A caller proves himself by a local user's key, by a name and a password that a backend of `external_auth` knows, or
//! by a token that was made for such a login. All three travel in clear, so they count only from an address of this
//! host, unless `clear_commands_from_anywhere` says otherwise. Whatever comes of it is put on record ([`record`]).

mod denied;
mod on_master;
mod record;

use std::net::SocketAddr;

use brine_core::auth_rules::{self, Ask, Call, authorised, authorised_together, rules_of};
use brine_protocol::{Map, Value};

use crate::eauth::{Login, Proved};
use crate::master::Master;

pub use denied::{Denied, Kind};
pub use on_master::{admit_master, authorize_master, master_args};
pub use record::{Act, record, record_minion, refused};

/// A caller who has proved himself.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The user whom his key, password or token stands for; for sudo whoever called it.
    pub name: String,
    /// How he proved it.
    pub proof: Proof,
    /// From where.
    pub from: SocketAddr,
    /// None: he holds the key of root or of the master's own user and may do everything.
    rules: Option<Vec<Value>>,
}

/// How a caller proved who he is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By the key of a local user.
    Key,
    /// By a password, to this backend.
    Eauth(String),
    /// By a token made for a login to this backend.
    Token(String),
}

impl Proof {
    fn kind(&self) -> Kind {
        match self {
            Self::Key => Kind::User,
            Self::Eauth(_) => Kind::Eauth,
            Self::Token(_) => Kind::Token,
        }
    }
}

impl std::fmt::Display for Proof {
    /// As the record has it: `key`, `eauth:pam`, `token:pam`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key => f.write_str("key"),
            Self::Eauth(backend) => write!(f, "eauth:{backend}"),
            Self::Token(backend) => write!(f, "token:{backend}"),
        }
    }
}

impl Caller {
    /// Whether he may do everything.
    pub fn is_full(&self) -> bool {
        self.rules.is_none()
    }

    fn denied(&self, what: String) -> Denied {
        Denied::forbidden(self.proof.kind(), &self.name, what)
    }
}

/// Whether credentials from this address are looked at.
pub fn trusts(master: &Master, peer: SocketAddr) -> bool {
    master.config.access.key_from_anywhere || master.local.contains(peer.ip())
}

/// Takes the credentials out of a request and proves its sender. Passwords and tokens of a publish stand in its
/// `kwargs`, those of other commands in the request itself; keys always there.
///
/// # Errors
/// [`Denied`].
pub async fn authenticate(master: &Master, peer: SocketAddr, load: &mut Map) -> Result<Caller, Denied> {
    let key = load.remove("key");
    let publish = load.get_str("cmd") == Some("publish");
    let mut creds = Map::new();
    let mut pick = |map: &mut Map, keep: bool| {
        for name in SECRETS {
            if let Some(value) = map.remove(name).filter(|_| keep) {
                creds.insert(name, value);
            }
        }
    };
    if let Some(Value::Map(extra)) = load.get_mut("kwargs") {
        pick(extra, publish);
    }
    pick(load, !publish);
    let trusted = trusts(master, peer);
    let elsewhere = "credentials are taken only from this host";
    if let Some(token) = creds.get("token") {
        let deny = |why| Denied::unknown(Kind::Token, "UNKNOWN", why);
        if !trusted {
            return Err(deny(elsewhere));
        }
        let proved = master.eauth.token(token).await.ok_or_else(|| deny("no valid token"))?;
        return Ok(vouched(master, peer, load, proved, Proof::Token));
    }
    if creds.contains("eauth") {
        let name = creds.get_str("username").unwrap_or("UNKNOWN").to_owned();
        let deny = |why| Denied::unknown(Kind::Eauth, &name, why);
        if !trusted {
            return Err(deny(elsewhere));
        }
        let login = Login::take(&mut creds).ok_or_else(|| deny("malformed credentials"))?;
        let proved =
            master.eauth.login(peer.ip(), login).await.ok_or_else(|| deny("not the right password"))?;
        return Ok(vouched(master, peer, load, proved, Proof::Eauth));
    }
    by_key(master, peer, load, key, trusted)
}

/// What proves a caller, beside his key.
const SECRETS: [&str; 4] = ["token", "password", "eauth", "username"];

fn vouched(
    master: &Master,
    peer: SocketAddr,
    load: &mut Map,
    proved: Proved,
    proof: fn(String) -> Proof,
) -> Caller {
    master.vouch_for(peer.ip());
    // What he called himself is of no account.
    load.insert("user", proved.name.as_str());
    Caller { name: proved.name, proof: proof(proved.eauth), from: peer, rules: Some(proved.rules) }
}

fn by_key(
    master: &Master,
    peer: SocketAddr,
    load: &Map,
    key: Option<Value>,
    trusted: bool,
) -> Result<Caller, Denied> {
    let claimed = match load.get("user") {
        None => None,
        Some(Value::Str(user)) => Some(user.as_str()),
        Some(_) => return Err(Denied::unknown(Kind::User, "UNKNOWN", "malformed user")),
    };
    let deny = |why| Denied::unknown(Kind::User, claimed.unwrap_or("UNKNOWN"), why);
    if !trusted {
        return Err(deny("keys are taken only from this host"));
    }
    let key = key.as_ref().and_then(Value::as_bytes).filter(|k| !k.is_empty());
    let owner = key.and_then(|key| master.users.owner_of(key)).ok_or_else(|| deny("no valid key"))?;
    let acl = &master.config.access.publisher_acl;
    let caller = |name: &str, rules| Caller { name: name.into(), proof: Proof::Key, from: peer, rules };
    let limited = |name: &str| {
        // As in stock the rules of all names that match count, those of `*` too.
        let rules = rules_of(acl, name, &[], true);
        if rules.is_empty() { Err(deny("no rules for this user")) } else { Ok(caller(name, Some(rules))) }
    };
    master.vouch_for(peer.ip());
    if owner == "root" || owner == master.config.user {
        // With `sudo_acl` the rules of whoever called sudo hold even for root's key.
        return match claimed.and_then(|c| c.strip_prefix("sudo_")) {
            Some(name) if master.config.access.sudo_acl && !acl.is_empty() => limited(name),
            Some(name) => Ok(caller(name, None)),
            None => Ok(caller(owner, None)),
        };
    }
    // Stock believes anybody's key for `user: root`.
    match claimed {
        Some(name) if name != owner => Err(deny("user and key do not belong together")),
        _ => limited(owner),
    }
}

/// Whether a caller may start this job on these minions.
///
/// # Errors
/// [`Denied`].
pub fn authorize(master: &Master, caller: &Caller, load: &Map, minions: &[String]) -> Result<(), Denied> {
    let malformed = || caller.denied("fun and arg do not fit each other".into());
    let (fun, arg) = (load.get("fun").ok_or_else(malformed)?, load.get("arg").ok_or_else(malformed)?);
    let calls = auth_rules::calls(fun, arg).ok_or_else(malformed)?;
    let user = load.get_str("user").unwrap_or_default();
    // A list separated by commas is taken for several functions by some.
    let funs = || calls.iter().flat_map(|call: &Call<'_>| call.fun.split(',')).map(str::trim);
    let blacklist = &master.config.access.blacklist;
    if [user, &caller.name].iter().any(|name| auth_rules::blacklisted(blacklist, name, funs())) {
        return Err(caller.denied(format!("{user} or what he asks for is blacklisted")));
    }
    let Some(rules) = &caller.rules else { return Ok(()) };
    let fleet = &master.data;
    let allowed = if master.config.access.spread_rules {
        authorised_together(rules, &calls, minions, fleet)
    } else {
        authorised(rules, Ask::Publish { calls: &calls, minions, fleet })
    };
    if allowed {
        return Ok(());
    }
    let funs: Vec<_> = calls.iter().map(|call| call.fun).collect();
    Err(caller.denied(format!("{} may not run {}", caller.name, funs.join(", "))))
}

/// The reply to `mk_token`.
pub async fn make_token(master: &Master, peer: SocketAddr, load: &mut Map) -> Value {
    let user = load.get_str("username").unwrap_or("UNKNOWN").to_owned();
    let backend = load.get_str("eauth").unwrap_or_default().to_owned();
    let act = Act { kind: "mk_token", ..Act::default() };
    let made = if trusts(master, peer) { master.eauth.make_token(peer.ip(), load).await } else { "".into() };
    if made.truthy() {
        master.vouch_for(peer.ip());
        let caller = Caller { name: user, proof: Proof::Eauth(backend), from: peer, rules: Some(Vec::new()) };
        record(master, &caller, &act);
    } else {
        refused(master, peer, &Denied::unknown(Kind::Eauth, &user, "no token is made"), &act);
    }
    made
}

/// Whether a field of a request proves who sent it.
fn is_credential(key: &str) -> bool {
    SECRETS.contains(&key) || key == "key"
}

/// Removes what proves a caller from what is kept and published.
pub fn strip_credentials(extra: &mut Map) {
    extra.retain(|key, _| !key.as_str().is_some_and(is_credential));
}
