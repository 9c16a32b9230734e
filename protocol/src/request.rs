//! The master's side of an encrypted request: from ciphertext to a load whose sender is proved, and the reply back.
//!
//! The order of checks is stock's. What the command does is not decided here.

use crate::command::MinionCommand;
use crate::crypt::{AesKey, CryptError, EncAlgo, Nonce, PrivateKey, PublicKey, SigAlgo};
use crate::envelope::{AesEnvelope, RequestError, check_inner_id};
use crate::ids::MinionId;
use crate::pillar;
use crate::replay::{ReplayWindow, VersionRatchet};
use crate::value::{Map, Value};
use std::ops::Deref;

/// What a request or message was proved to come from. Only this crate's checks make one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authenticated<T>(T);

impl<T> Authenticated<T> {
    pub(crate) fn new(proved: T) -> Self {
        Self(proved)
    }

    /// The proved value, without its proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Authenticated<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// How the sender of a request was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By its session key (version 3) or the global key (version 2), and a token of its accepted key.
    Token,
    /// Version 2 without a token: by the key all accepted minions share, the id being a claim among them. Only
    /// where `minimum_auth_version` was lowered, and never for a minion seen with version 3.
    GroupKey,
    /// As `GroupKey`, for a question whose answer is the same for all and that names no sender, as version 2
    /// minions ask them. [`MinionRequest::minion`] is then no minion's id.
    Anonymous,
}

/// The keys a request is checked with. Implementations read accepted keys afresh, since files change under them.
pub trait RequestKeys {
    /// The session key of a minion that authenticated; `None` never makes one up.
    fn session(&self, id: &MinionId) -> Option<AesKey>;
    /// The global key, for version 2.
    fn global(&self) -> AesKey;
    /// The accepted key of a minion.
    fn accepted(&self, id: &MinionId) -> Option<PublicKey>;
}

/// What the master remembers between requests.
#[derive(Debug, Default)]
pub struct RequestMemory {
    /// Nonces used.
    pub replay: ReplayWindow,
    /// Versions seen.
    pub versions: VersionRatchet,
}

/// A decrypted request whose sender is proved.
#[derive(Debug)]
pub struct MinionRequest {
    /// Who sent it.
    pub minion: Authenticated<MinionId>,
    /// How that was proved.
    pub proof: Proof,
    /// The command; `None` for a name that does not exist, which is answered by an empty map.
    pub command: Option<MinionCommand>,
    /// The load without `tok` and `nonce`; its `id` is the proved one.
    pub load: Map,
    /// The protocol version.
    pub version: u8,
    /// What the reply must carry.
    pub nonce: Option<Nonce>,
    key: AesKey,
    enc_algo: Option<EncAlgo>,
    sig_algo: Option<SigAlgo>,
}

/// Opens an encrypted request: [`prove`], then [`Proved::admit`].
///
/// `ttl` is `request_server_ttl` in seconds, 0 for none; `now` is seconds since the epoch.
pub fn open(
    envelope: &AesEnvelope,
    keys: &dyn RequestKeys,
    ttl: u64,
    now: u64,
    memory: &mut RequestMemory,
) -> Result<MinionRequest, RequestError> {
    prove(envelope, keys, ttl, now)?.admit(now, memory)
}

/// A request whose sender is proved, but that may have been seen before.
#[derive(Debug)]
pub struct Proved(MinionRequest);

/// Decrypts a request and proves its sender. All the cryptography is here, and no memory is needed for it, so that
/// nobody waits for a lock while a large request is decrypted.
pub fn prove(
    envelope: &AesEnvelope,
    keys: &dyn RequestKeys,
    ttl: u64,
    now: u64,
) -> Result<Proved, RequestError> {
    let AesEnvelope { id: outer, data, version, enc_algo, sig_algo } = envelope;
    let key = match outer {
        Some(outer) if *version > 2 => keys.session(outer).ok_or(RequestError::NoSession)?,
        _ if *version > 2 => return Err(RequestError::OuterId),
        _ => keys.global(),
    };
    let Value::Map(mut load) = key.loads(data, None).map_err(RequestError::Crypt)? else {
        return Err(RequestError::LoadNotMap);
    };
    check_inner_id(&load)?;
    let nonce = take_nonce(&mut load)?;
    if *version > 2 {
        check_age(&load, ttl, now)?;
        if load.get_str("id") != outer.as_ref().map(MinionId::as_str) {
            return Err(RequestError::IdMismatch);
        }
    }
    let command = load.get_str("cmd").and_then(MinionCommand::parse);
    let nobody = *version == 2 && !load.contains("id") && command.is_some_and(MinionCommand::is_same_for_all);
    let (id, proof) = if nobody {
        (MinionId::nobody(), Proof::Anonymous)
    } else {
        let id = MinionId::parse(load.get_str("id").ok_or(RequestError::InnerId)?);
        let id = id.map_err(|_| RequestError::InnerId)?;
        let proof = check_token(&mut load, &id, *version, keys)?;
        (id, proof)
    };
    Ok(Proved(MinionRequest {
        minion: Authenticated::new(id),
        proof,
        command,
        load,
        version: *version,
        nonce,
        key,
        enc_algo: *enc_algo,
        sig_algo: *sig_algo,
    }))
}

impl Proved {
    /// Who sent it, for choosing the memory to ask.
    pub fn minion(&self) -> &MinionId {
        &self.0.minion
    }

    /// Lets it through unless it was seen before, or its sender once spoke a newer version; and remembers it.
    pub fn admit(self, now: u64, memory: &mut RequestMemory) -> Result<MinionRequest, RequestError> {
        let Self(request) = self;
        let (id, version) = (&*request.minion, request.version);
        let seen = memory.versions.seen(id);
        if version < seen {
            return Err(RequestError::Downgrade { found: version, seen });
        }
        let fresh = match &request.nonce {
            Some(nonce) => memory.replay.fresh(id, nonce, now),
            // A stock version 3 master answers without a prefix then; no stock minion ever leaves the nonce out.
            None if version > 2 => return Err(RequestError::NoNonce),
            None => true,
        };
        if !fresh && !request.command.is_some_and(MinionCommand::is_question) {
            return Err(RequestError::Replayed);
        }
        if request.proof == Proof::Token {
            memory.versions.note(id, version);
        }
        Ok(request)
    }
}

/// Proves the sender of a TCP subscriber's identify frame: `{enc: aes, load: {id, tok}}` under the global key.
pub fn open_identify(body: &Value, keys: &dyn RequestKeys) -> Result<Authenticated<MinionId>, RequestError> {
    if body.get("enc").and_then(Value::as_str) != Some("aes") {
        return Err(RequestError::Enc);
    }
    let data = body.get("load").and_then(Value::as_bytes).ok_or(RequestError::Shape)?;
    let Value::Map(mut load) = keys.global().loads(data, None).map_err(RequestError::Crypt)? else {
        return Err(RequestError::LoadNotMap);
    };
    let id = MinionId::parse(load.get_str("id").ok_or(RequestError::InnerId)?)
        .map_err(|_| RequestError::InnerId)?;
    match check_token(&mut load, &id, 3, keys)? {
        Proof::Token => Ok(Authenticated::new(id)),
        Proof::GroupKey | Proof::Anonymous => Err(RequestError::Token),
    }
}

fn take_nonce(load: &mut Map) -> Result<Option<Nonce>, RequestError> {
    match load.remove("nonce") {
        None | Some(Value::Nil) => Ok(None),
        Some(text) => text.as_str().and_then(Nonce::parse).map(Some).ok_or(RequestError::NoNonce),
    }
}

fn check_age(load: &Map, ttl: u64, now: u64) -> Result<(), RequestError> {
    if ttl == 0 {
        return Ok(());
    }
    let ts = load.get("ts").and_then(Value::as_float).ok_or(RequestError::Expired)?;
    if now as f64 - ts > ttl as f64 { Err(RequestError::Expired) } else { Ok(()) }
}

fn check_token(
    load: &mut Map,
    id: &MinionId,
    version: u8,
    keys: &dyn RequestKeys,
) -> Result<Proof, RequestError> {
    let tok = load.remove("tok").filter(|tok| !tok.is_nil());
    let accepted = keys.accepted(id).ok_or(RequestError::Token)?;
    match tok {
        Some(tok) => {
            let tok = tok.as_bytes().ok_or(RequestError::Token)?;
            accepted.verify_x931(crate::crypt::rsa::TOKEN, tok).map_err(|_| RequestError::Token)?;
            Ok(Proof::Token)
        }
        None if version > 2 => Err(RequestError::Token),
        None => Ok(Proof::GroupKey),
    }
}

impl MinionRequest {
    /// The ordinary reply: encrypted under the key the request came with, carrying its nonce.
    pub fn reply(&self, value: &Value) -> Result<Value, CryptError> {
        Ok(Value::Bytes(self.key.dumps(value, self.nonce.as_ref())?))
    }

    /// The private reply to `_pillar`: encrypted to the minion's own key and signed by the master's.
    pub fn private_reply(
        &self,
        pillar: Value,
        minion_key: &PublicKey,
        master_key: &PrivateKey,
    ) -> Result<Value, CryptError> {
        let (Some(enc), Some(sig)) = (self.enc_algo, self.sig_algo) else {
            return Err(CryptError::Algorithm);
        };
        let Some(nonce) = &self.nonce else {
            return Ok(crate::map! {"error" => "Nonce not included in request"}.into());
        };
        pillar::seal(pillar, nonce, minion_key, enc, master_key, sig)
    }
}
