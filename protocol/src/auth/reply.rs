//! The master's signed replies to `_auth`.
//!
//! What to reply is decided in `master`; here the private key is used.

use crate::crypt::{AesKey, CryptError, EncAlgo, HashType, Nonce, PrivateKey, PublicKey, SigAlgo, clean_key};
use crate::msgpack::{self, Dialect};
use crate::value::{Map, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a reply needs to know of its request.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    pub(super) nonce: Nonce,
    pub(super) enc_algo: Option<EncAlgo>,
    pub(super) sig_algo: Option<SigAlgo>,
}

/// The verdict of a refusal, as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ret {
    /// `True`: pending. The truth value is stock's.
    Wait,
    No,
    Full,
}

/// What the master answers with: its key, the global key, and signatures made once for all minions.
#[derive(Debug)]
pub struct MasterCredentials {
    key: PrivateKey,
    pub_pem: String,
    aes: AesKey,
    aes_sig: Vec<u8>,
    publish_port: u16,
    pub_sig: Option<PubSig>,
}

/// The signature over the master's public key (`master_sign_pubkey`).
#[derive(Debug)]
enum PubSig {
    Stored(Vec<u8>),
    Made { sha1: Vec<u8>, sha224: Vec<u8> },
}

impl MasterCredentials {
    /// Prepares to answer under this global key. Costs one private RSA operation.
    pub fn new(key: PrivateKey, pub_pem: &str, aes: AesKey, publish_port: u16) -> Result<Self, CryptError> {
        let aes_sig = sign_key(&key, &aes)?;
        Ok(Self { key, pub_pem: clean_key(pub_pem), aes, aes_sig, publish_port, pub_sig: None })
    }

    /// Signs the public key with the signing key pair, once per algorithm.
    pub fn with_signing_key(mut self, signing: &PrivateKey) -> Result<Self, CryptError> {
        let make = |algo| -> Result<Vec<u8>, CryptError> {
            let sig = signing.sign(self.pub_pem.as_bytes(), algo)?;
            Ok(format!("{}\n", STANDARD.encode(sig)).into_bytes())
        };
        let (sha1, sha224) = (make(SigAlgo::Pkcs1v15Sha1)?, make(SigAlgo::Pkcs1v15Sha224)?);
        self.pub_sig = Some(PubSig::Made { sha1, sha224 });
        Ok(self)
    }

    /// Sends the content of `master_pubkey_signature` (`master_use_pubkey_signature`).
    pub fn with_stored_signature(mut self, content: &str) -> Self {
        self.pub_sig = Some(PubSig::Stored(clean_key(content).into_bytes()));
        self
    }

    /// Changes to a new global key. Costs one private RSA operation.
    pub fn rotate(&mut self, aes: AesKey) -> Result<(), CryptError> {
        self.aes_sig = sign_key(&self.key, &aes)?;
        self.aes = aes;
        Ok(())
    }

    /// The master's private key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The master's public key as it is shown to minions.
    pub fn public_pem(&self) -> &str {
        &self.pub_pem
    }

    /// The global key.
    pub fn aes(&self) -> &AesKey {
        &self.aes
    }

    fn sign(&self, load: &Map, wishes: &Wishes) -> Result<Value, CryptError> {
        let Some(algo) = wishes.sig_algo else { return Ok(unsigned("bad sig algo")) };
        let data = msgpack::encode_map(load, Dialect::Old);
        let sig = self.key.sign(&data, algo)?;
        Ok(crate::map! {"enc" => "clear", "load" => data, "sig" => sig}.into())
    }
}

/// The inner signature holds the hex text of the digest of the key string.
fn sign_key(key: &PrivateKey, aes: &AesKey) -> Result<Vec<u8>, CryptError> {
    key.sign_x931(HashType::Sha256.hex(aes.reveal().as_bytes()).as_bytes())
}

fn unsigned(ret: &str) -> Value {
    crate::map! {"enc" => "clear", "load" => crate::map!{"ret" => ret}}.into()
}

/// A refusal to be signed.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub(super) ret: Ret,
    pub(super) wishes: Wishes,
}

impl Refusal {
    /// The reply. Costs one private RSA operation.
    pub fn reply(&self, master: &MasterCredentials) -> Result<Value, CryptError> {
        let ret: Value = match self.ret {
            Ret::Wait => true.into(),
            Ret::No => false.into(),
            Ret::Full => "full".into(),
        };
        let load = crate::map! {"ret" => ret, "nonce" => self.wishes.nonce.as_str()};
        master.sign(&load, &self.wishes)
    }

    /// Whether this tells the minion to wait for acceptance.
    pub fn is_pending(&self) -> bool {
        self.ret == Ret::Wait
    }
}

/// An acceptance to be answered with the keys.
#[derive(Clone, Debug)]
pub struct Acceptance {
    pub(super) key: PublicKey,
    pub(super) token: Option<Vec<u8>>,
    pub(super) wishes: Wishes,
}

impl Acceptance {
    /// The reply, under the session key of this minion. Costs at most two private RSA operations.
    pub fn reply(&self, master: &MasterCredentials, session: &AesKey) -> Result<Value, CryptError> {
        let Some(enc) = self.wishes.enc_algo else { return Ok(unsigned("bad enc algo")) };
        let Some(sig) = self.wishes.sig_algo else { return Ok(unsigned("bad sig algo")) };
        let mut load = crate::map! {
            "enc" => "pub",
            "pub_key" => &master.pub_pem,
            "publish_port" => master.publish_port,
        };
        match (&master.pub_sig, sig) {
            (Some(PubSig::Stored(sig)), _) => drop(load.insert("pub_sig", sig.clone())),
            (Some(PubSig::Made { sha1, .. }), SigAlgo::Pkcs1v15Sha1) => {
                drop(load.insert("pub_sig", sha1.clone()))
            }
            (Some(PubSig::Made { sha224, .. }), _) => drop(load.insert("pub_sig", sha224.clone())),
            (None, _) => {}
        }
        // A token for another master key does not decrypt; the minion then judges by the missing echo.
        if let Some(Ok(token)) = self.token.as_ref().map(|t| master.key.decrypt(t, enc)) {
            load.insert("token", self.key.encrypt(&token, enc)?);
        }
        load.insert("aes", self.key.encrypt(master.aes.reveal().as_bytes(), enc)?);
        load.insert("session", self.key.encrypt(session.reveal().as_bytes(), enc)?);
        load.insert("sig", master.aes_sig.clone());
        load.insert("nonce", self.wishes.nonce.as_str());
        master.sign(&load, &self.wishes)
    }
}
