//! The master's side of `_auth`: what to do with a key that knocks.
//!
//! The decision is pure and cheap; only making the reply costs private RSA operations (one for a refusal, two for
//! an acceptance), so a caller decides first and bounds how many replies are made at once.

use crate::auth::reply::{Ret, Wishes};
use crate::crypt::{EncAlgo, Nonce, PublicKey, SigAlgo, clean_key};
use crate::envelope::RequestError;
use crate::ids::MinionId;
use crate::value::{Map, Value};

pub use crate::auth::reply::{Acceptance, MasterCredentials, Refusal};

/// No key text is longer (RSA of 16384 bits takes 2.8 kB); checked before it is parsed, kept waiting or stored.
const LONGEST_KEY: usize = 4 * 1024;

/// A parsed `_auth` load.
#[derive(Clone, Debug)]
pub struct AuthRequest {
    /// Who it claims to be.
    pub id: MinionId,
    /// The key as sent.
    pub pub_pem: String,
    /// What the minion claims for the grains of `autosign_grains`.
    pub autosign_grains: Option<Map>,
    /// The protocol version.
    pub version: u8,
    key: Option<PublicKey>,
    token: Option<Vec<u8>>,
    wishes: Wishes,
}

/// An `_auth` load that cannot be decided on.
#[derive(Clone, Debug)]
pub enum BadAuth {
    /// Refused without a signature.
    Malformed(RequestError),
    /// The id is not valid: a signed refusal, and nothing is stored or fired.
    Id(Refusal),
}

impl AuthRequest {
    /// Reads the load of a clear `_auth`.
    pub fn parse(load: &Map, version: u8) -> Result<Self, BadAuth> {
        let field = |name| BadAuth::Malformed(RequestError::AuthField(name));
        let id = load.get_str("id").ok_or_else(|| field("id"))?;
        let nonce = load.get_str("nonce").and_then(Nonce::parse).ok_or_else(|| field("nonce"))?;
        let wishes = Wishes {
            nonce,
            enc_algo: load.get("enc_algo").map_or(Some(EncAlgo::default()), |v| EncAlgo::parse(v.as_str()?)),
            sig_algo: load.get("sig_algo").map_or(Some(SigAlgo::default()), |v| SigAlgo::parse(v.as_str()?)),
        };
        let Ok(id) = MinionId::parse(id) else {
            return Err(BadAuth::Id(Refusal { ret: Ret::No, wishes }));
        };
        let pub_pem = load.get_str("pub").ok_or_else(|| field("pub"))?;
        if pub_pem.len() > LONGEST_KEY {
            return Err(field("pub"));
        }
        Ok(Self {
            id,
            pub_pem: pub_pem.to_owned(),
            autosign_grains: load.get("autosign_grains").and_then(Value::as_map).cloned(),
            version,
            key: PublicKey::from_pem(pub_pem).ok(),
            token: load.get("token").and_then(Value::as_bytes).map(<[u8]>::to_vec),
            wishes,
        })
    }
}

/// What the key store holds under one id.
#[derive(Clone, Debug, Default)]
pub struct StoredKeys {
    /// The accepted key.
    pub accepted: Option<String>,
    /// The pending key.
    pub pending: Option<String>,
    /// Whether a rejected key is there.
    pub rejected: bool,
    /// Whether the path of the pending key is a directory.
    pub pending_is_directory: bool,
}

/// What options and files say about one id at this moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuthRules {
    /// `max_minions` is exceeded and this id is not connected.
    pub full: bool,
    /// `open_mode`
    pub open_mode: bool,
    /// `autoreject_file` names the id.
    pub autoreject: bool,
    /// `auto_accept`, or one of the autosign inputs matches.
    pub autosign: bool,
}

/// A change to the key store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAction {
    /// Write to `minions/`.
    WriteAccepted(String),
    /// Write to `minions_pre/`.
    WritePending(String),
    /// Write to `minions_rejected/`.
    WriteRejected(String),
    /// Write to `minions_denied/`.
    WriteDenied(String),
    /// Remove from `minions_pre/`.
    RemovePending,
    /// Move from `minions_pre/` to `minions_rejected/`.
    MovePendingToRejected,
}

/// What to do about a request.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Changes to the key store, in order. If one fails, the request fails.
    pub actions: Vec<KeyAction>,
    /// Data of the `salt/auth` event, if one is due (and `auth_events` is on).
    pub event: Option<Map>,
    /// How to answer.
    pub verdict: Verdict,
}

/// How to answer.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// With the keys. Only now may a session be made for the id.
    Accept(Acceptance),
    /// With a signed refusal.
    Refuse(Refusal),
}

/// Decides on a request, in stock's order of checks.
///
/// Unlike stock, a key that is no acceptable RSA key is refused before anything is stored.
pub fn decide(request: &AuthRequest, stored: &StoredKeys, rules: AuthRules) -> Decision {
    use KeyAction::*;
    let pem = || request.pub_pem.clone();
    if rules.full {
        return request.refuse(Ret::Full, false, Some("full"), vec![]);
    }
    let Some(key) = &request.key else {
        return request.refuse(Ret::No, false, Some("error"), vec![]);
    };
    let mut actions = Vec::new();
    if rules.open_mode {
        if stored.accepted.as_ref() != Some(&request.pub_pem) {
            actions.push(WriteAccepted(pem()));
        }
    } else if stored.rejected {
        return request.refuse(Ret::No, false, None, vec![]);
    } else if let Some(accepted) = &stored.accepted {
        if !same(accepted, &request.pub_pem) {
            return request.refuse(Ret::No, false, Some("denied"), vec![WriteDenied(pem())]);
        }
    } else if let Some(pending) = &stored.pending {
        if rules.autoreject {
            return request.refuse(Ret::No, false, Some("reject"), vec![MovePendingToRejected]);
        }
        match (same(pending, &request.pub_pem), rules.autosign) {
            (false, false) => {
                return request.refuse(Ret::No, false, Some("denied"), vec![WriteDenied(pem())]);
            }
            // Stock's event lacks `act` on this branch.
            (false, true) => return request.refuse(Ret::No, false, None, vec![WriteDenied(pem())]),
            (true, false) => return request.refuse(Ret::Wait, true, Some("pend"), vec![]),
            (true, true) => actions.extend([RemovePending, WriteAccepted(pem())]),
        }
    } else if stored.pending_is_directory {
        return request.refuse(Ret::No, false, None, vec![]);
    } else if rules.autoreject {
        return request.refuse(Ret::No, false, Some("reject"), vec![WriteRejected(pem())]);
    } else if !rules.autosign {
        return request.refuse(Ret::Wait, true, Some("pend"), vec![WritePending(pem())]);
    } else {
        actions.push(WriteAccepted(pem()));
    }
    Decision {
        actions,
        event: Some(request.event(true, Some("accept"))),
        verdict: Verdict::Accept(Acceptance {
            key: key.clone(),
            token: request.token.clone(),
            wishes: request.wishes.clone(),
        }),
    }
}

fn same(a: &str, b: &str) -> bool {
    clean_key(a) == clean_key(b)
}

impl AuthRequest {
    fn event(&self, result: bool, act: Option<&str>) -> Map {
        let mut event = crate::map! {"result" => result};
        if let Some(act) = act {
            event.insert("act", act);
        }
        event.insert("id", &self.id);
        event.insert("pub", &self.pub_pem);
        event
    }

    fn refuse(&self, ret: Ret, result: bool, act: Option<&str>, actions: Vec<KeyAction>) -> Decision {
        let verdict = Verdict::Refuse(Refusal { ret, wishes: self.wishes.clone() });
        Decision { actions, event: Some(self.event(result, act)), verdict }
    }
}
