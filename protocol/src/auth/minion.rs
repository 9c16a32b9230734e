//! The minion's side of `_auth`: the request, and the checks on the reply in stock's order.
//!
//! Nothing an unauthenticated stranger can send is told apart from a temporary failure: outcomes say whether they
//! were signed by a master known before, and only such may end a minion.

use crate::crypt::fingerprint::same_finger;
use crate::crypt::{
    AesKey, CryptError, EncAlgo, HashType, Nonce, PrivateKey, PublicKey, SigAlgo, clean_key, pem_finger,
};
use crate::envelope::Envelope;
use crate::ids::MinionId;
use crate::msgpack;
use crate::value::{Map, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use subtle::ConstantTimeEq;

/// The options of the handshake.
#[derive(Clone, Debug)]
pub struct AuthOptions {
    /// Our id.
    pub id: MinionId,
    /// `encryption_algorithm`
    pub enc_algo: EncAlgo,
    /// `signing_algorithm`
    pub sig_algo: SigAlgo,
    /// The grains named by `autosign_grains`, when that option is set.
    pub autosign_grains: Option<Map>,
    /// `verify_master_pubkey_sign`: demand a signature over the master's key when it is new.
    pub verify_master_pubkey_sign: bool,
    /// `always_verify_signature`: demand it at each authentication.
    pub always_verify_signature: bool,
    /// `open_mode`: take whatever key the master shows.
    pub open_mode: bool,
    /// `master_finger`, if set.
    pub master_finger: Option<String>,
    /// `hash_type`, for the fingerprint.
    pub hash_type: HashType,
}

impl AuthOptions {
    /// Stock's defaults for an id.
    pub fn new(id: MinionId) -> Self {
        Self {
            id,
            enc_algo: EncAlgo::default(),
            sig_algo: SigAlgo::default(),
            autosign_grains: None,
            verify_master_pubkey_sign: false,
            always_verify_signature: false,
            open_mode: false,
            master_finger: None,
            hash_type: HashType::default(),
        }
    }
}

/// One attempt to authenticate: made anew for each, since nonce and token are used once.
pub struct AuthAttempt<'a> {
    options: &'a AuthOptions,
    key: &'a PrivateKey,
    stored: Option<(String, PublicKey)>,
    signing: Option<&'a PublicKey>,
    nonce: Nonce,
    /// The secret the master must echo; sent only to a master whose key we hold.
    secret: Option<AesKey>,
    load: Map,
}

impl fmt::Debug for AuthAttempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthAttempt({})", self.options.id)
    }
}

/// What a reply to `_auth` means.
#[derive(Debug)]
pub enum Outcome {
    /// We are in.
    Accepted(Box<Credentials>),
    /// Our key waits for acceptance: ask again after `acceptance_wait_time`.
    Pending,
    /// Our key is refused. `authenticated` when a master whose key was stored before signed that: only then may
    /// a minion without `rejected_retry` exit.
    Rejected {
        /// Whether a known master said so.
        authenticated: bool,
    },
    /// The master takes no more minions.
    Full,
    /// The master does not know our `encryption_algorithm` (never signed).
    BadEncAlgo,
    /// The master does not know our `signing_algorithm` (never signed).
    BadSigAlgo,
    /// Bare text in place of a map: the master could not or would not read the request.
    Refused(String),
    /// The master shows another key than the stored one, without a valid signature over it.
    WrongMasterKey,
    /// One side signs or verifies the master's key and the other does not.
    PubSigPolicy {
        /// Whether the master sent a signature.
        sent: bool,
    },
    /// The signature over the master's key is wrong, or there is no key to check it with.
    PubSig,
    /// The master's key does not have the configured fingerprint.
    Finger {
        /// What `master_finger` says.
        configured: String,
        /// What the master's key has.
        found: String,
    },
    /// The master could not decrypt our token: it does not own the stored key.
    Token,
    /// The keys sent do not decrypt, or the inner signature over the global key is wrong.
    Keys(CryptError),
    /// The signature over the reply is wrong.
    Signature,
    /// The reply answers another request.
    Nonce,
    /// The reply has not the form of one.
    Garbage(&'static str),
}

/// What an accepted minion got.
pub struct Credentials {
    /// The global key, for publishes.
    pub aes: AesKey,
    /// Our session key, for requests.
    pub session: AesKey,
    /// Where to subscribe.
    pub publish_port: u16,
    /// The master's key.
    pub master: PublicKey,
    /// The master's key as cleaned PEM.
    pub master_pem: String,
    /// Whether the stored key is missing or another and must be written with `master_pem`.
    pub store: bool,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials(port {}, store {})", self.publish_port, self.store)
    }
}

impl<'a> AuthAttempt<'a> {
    /// Prepares the request.
    ///
    /// `stored` is the text of `minion_master.pub` if the file is there; `signing` the key of `master_sign.pub`.
    pub fn new(
        options: &'a AuthOptions,
        key: &'a PrivateKey,
        stored: Option<&str>,
        signing: Option<&'a PublicKey>,
    ) -> Result<Self, CryptError> {
        let stored =
            stored.map(clean_key).map(|pem| PublicKey::from_pem(&pem).map(|k| (pem, k))).transpose()?;
        let nonce = Nonce::generate()?;
        let mut load = crate::map! {
            "cmd" => "_auth",
            "id" => &options.id,
            "nonce" => nonce.as_str(),
            "enc_algo" => options.enc_algo.name(),
            "sig_algo" => options.sig_algo.name(),
        };
        if let Some(grains) = &options.autosign_grains {
            load.insert("autosign_grains", grains.clone());
        }
        let mut secret = None;
        if let Some((_, master)) = &stored {
            let token = AesKey::generate()?;
            load.insert("token", master.encrypt(token.reveal().as_bytes(), options.enc_algo)?);
            secret = Some(token);
        }
        load.insert("pub", clean_key(&key.public().to_pem()?));
        Ok(Self { options, key, stored, signing, nonce, secret, load })
    }

    /// An attempt whose request was made by another implementation, to judge the reply it got.
    #[cfg(test)]
    pub(crate) fn resume(
        options: &'a AuthOptions,
        key: &'a PrivateKey,
        stored: Option<&str>,
        signing: Option<&'a PublicKey>,
        load: Map,
        secret: Option<AesKey>,
    ) -> Self {
        let stored = stored.map(|pem| (clean_key(pem), PublicKey::from_pem(pem).unwrap()));
        let nonce = Nonce::parse(load.get_str("nonce").unwrap()).unwrap();
        Self { options, key, stored, signing, nonce, secret, load }
    }

    /// The request body, to be sent in clear.
    pub fn request(&self) -> Map {
        Envelope::clear(self.load.clone())
    }

    /// Judges the reply.
    pub fn finish(&self, reply: &Value) -> Outcome {
        self.check(reply).unwrap_or_else(|refusal| refusal)
    }

    /// The checks in stock's order; a refusal leaves by `Err`.
    fn check(&self, reply: &Value) -> Result<Outcome, Outcome> {
        let (data, signature) = match reply {
            Value::Str(text) => return Err(Outcome::Refused(text.chars().take(200).collect())),
            Value::Map(reply) => unsigned(reply)?,
            _ => return Err(Outcome::Garbage("not a map")),
        };
        let Ok(Value::Map(load)) = msgpack::decode(data) else {
            return Err(Outcome::Garbage("signed load is not a map"));
        };
        let accepted = if load.contains("pub_key") { Some(self.accepted(&load)?) } else { None };
        let master = accepted.as_ref().map(|a| &a.master).or(self.stored.as_ref().map(|(_, key)| key));
        // On first contact without a key shown there is nothing to verify with, and nothing to believe.
        if let Some(master) = master {
            master.verify(data, signature, self.options.sig_algo).map_err(|_| Outcome::Signature)?;
        }
        let authenticated = master.is_some() && master == self.stored.as_ref().map(|(_, key)| key);
        let nonce = load.get("nonce").and_then(Value::as_bytes).unwrap_or_default();
        if !bool::from(nonce.ct_eq(self.nonce.as_str().as_bytes())) {
            return Err(Outcome::Nonce);
        }
        if let Some(ret) = load.get("ret") {
            return Ok(match ret {
                Value::Str(text) if text == "full" => Outcome::Full,
                ret if ret.truthy() => Outcome::Pending,
                _ => Outcome::Rejected { authenticated },
            });
        }
        let credentials = accepted.ok_or(Outcome::Garbage("neither key nor verdict"))?;
        if let Some(configured) = self.options.master_finger.as_ref().filter(|f| !f.is_empty()) {
            let found = pem_finger(&credentials.master_pem, self.options.hash_type);
            if !same_finger(&configured.to_ascii_lowercase(), &found) {
                return Err(Outcome::Finger { configured: configured.clone(), found });
            }
        }
        Ok(Outcome::Accepted(Box::new(credentials)))
    }

    /// The master's key and the keys it sent, each checked; not believed before the outer signature is.
    fn accepted(&self, load: &Map) -> Result<Credentials, Outcome> {
        let shown = clean_key(load.get_str("pub_key").ok_or(Outcome::Garbage("pub_key is not text"))?);
        let same = self.stored.as_ref().is_some_and(|(stored, _)| *stored == shown);
        let known = self.stored.is_some() && !self.options.open_mode;
        let pub_sig = load.get("pub_sig").and_then(Value::as_bytes);
        let verifies = self.options.verify_master_pubkey_sign;
        if pub_sig.is_some() != verifies {
            return Err(Outcome::PubSigPolicy { sent: pub_sig.is_some() });
        }
        if known && !same && !verifies {
            return Err(Outcome::WrongMasterKey);
        }
        let must_verify = if known && same { self.options.always_verify_signature } else { verifies };
        if must_verify {
            // Signed is the key as sent, not as cleaned.
            let message = load.get_str("pub_key").unwrap_or_default();
            self.check_pub_sig(message, pub_sig.ok_or(Outcome::PubSigPolicy { sent: false })?)?;
        }
        let master = PublicKey::from_pem(&shown).map_err(Outcome::Keys)?;
        let aes = self.global_key(load, &master)?;
        if known && same {
            self.check_token(load)?;
        }
        let session = self.decrypt(load, "session").and_then(|s| AesKey::parse(&s).map_err(Outcome::Keys))?;
        let port = load.get("publish_port").and_then(Value::as_int).and_then(|p| u16::try_from(p).ok());
        let publish_port = port.ok_or(Outcome::Garbage("publish_port"))?;
        Ok(Credentials { aes, session, publish_port, master, master_pem: shown, store: !same })
    }

    /// Decrypts the global key and checks the master's signature over its digest.
    fn global_key(&self, load: &Map, master: &PublicKey) -> Result<AesKey, Outcome> {
        let text = self.decrypt(load, "aes")?;
        let sig = load.get("sig").and_then(Value::as_bytes).ok_or(Outcome::Garbage("no sig over aes"))?;
        let digest = HashType::Sha256.hex(&text);
        master.verify_x931(digest.as_bytes(), sig).map_err(Outcome::Keys)?;
        AesKey::parse(&text).map_err(Outcome::Keys)
    }

    fn check_token(&self, load: &Map) -> Result<(), Outcome> {
        let Some(secret) = &self.secret else { return Ok(()) };
        let echoed = self.decrypt(load, "token").map_err(|_| Outcome::Token)?;
        if bool::from(echoed.as_slice().ct_eq(secret.reveal().as_bytes())) {
            Ok(())
        } else {
            Err(Outcome::Token)
        }
    }

    fn check_pub_sig(&self, message: &str, pub_sig: &[u8]) -> Result<(), Outcome> {
        let signing = self.signing.ok_or(Outcome::PubSig)?;
        let compact: Vec<u8> = pub_sig.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        let sig = STANDARD.decode(compact).map_err(|_| Outcome::PubSig)?;
        signing.verify(message.as_bytes(), &sig, self.options.sig_algo).map_err(|_| Outcome::PubSig)
    }

    fn decrypt(&self, load: &Map, field: &'static str) -> Result<zeroize::Zeroizing<Vec<u8>>, Outcome> {
        let data = load.get(field).and_then(Value::as_bytes).ok_or(Outcome::Garbage(field))?;
        self.key.decrypt(data, self.options.enc_algo).map_err(Outcome::Keys)
    }
}

/// Recognises the replies that are never signed, else gives the signed bytes and their signature.
fn unsigned(reply: &Map) -> Result<(&[u8], &[u8]), Outcome> {
    let load = reply.get("load").ok_or(Outcome::Garbage("no load"))?;
    if let Some(map) = load.as_map() {
        return Err(match map.get("ret") {
            Some(Value::Str(s)) if s == "bad enc algo" => Outcome::BadEncAlgo,
            Some(Value::Str(s)) if s == "bad sig algo" => Outcome::BadSigAlgo,
            _ => Outcome::Garbage("unsigned load"),
        });
    }
    let data = load.as_bytes().ok_or(Outcome::Garbage("load is not bytes"))?;
    let signature = reply.get("sig").and_then(Value::as_bytes).ok_or(Outcome::Garbage("no signature"))?;
    Ok((data, signature))
}
