//! The minion's side of an encrypted request: wraps a load, and opens the reply that belongs to it.
//!
//! Sending, retrying and authenticating again belong to the caller; [`ReplyError::wants_auth`] tells when.

use crate::crypt::{AesKey, CryptError, EncAlgo, Nonce, PrivateKey, PublicKey, SigAlgo};
use crate::envelope::VERSION;
use crate::ids::MinionId;
use crate::message::returns;
use crate::pillar::{self, PillarError};
use crate::value::{Map, Value};

/// What a minion needs to talk to one master once it is authenticated.
#[derive(Debug)]
pub struct MinionChannel {
    id: MinionId,
    session: AesKey,
    token: Vec<u8>,
    enc_algo: EncAlgo,
    sig_algo: SigAlgo,
}

/// Why a reply was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// Bare text in place of ciphertext: the master could not or would not read the request.
    #[error("master answered: {0}")]
    Refused(String),
    /// Neither ciphertext nor text.
    #[error("reply of unexpected shape")]
    Shape,
    /// A cryptographic check failed.
    #[error("{0}")]
    Crypt(#[from] CryptError),
}

impl ReplyError {
    /// Whether authenticating again, and asking once more, may help.
    pub fn wants_auth(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Shape => true,
            Self::Crypt(e) => matches!(e, CryptError::Mac | CryptError::Length),
        }
    }
}

impl MinionChannel {
    /// A channel under the session key an `_auth` gave. Makes the token, one private RSA operation.
    pub fn new(
        id: MinionId,
        session: AesKey,
        key: &PrivateKey,
        enc_algo: EncAlgo,
        sig_algo: SigAlgo,
    ) -> Result<Self, CryptError> {
        Ok(Self { id, session, token: key.token()?, enc_algo, sig_algo })
    }

    /// Takes the session key of a later `_auth`.
    pub fn rekey(&mut self, session: AesKey) {
        self.session = session;
    }

    /// Our id.
    pub fn id(&self) -> &MinionId {
        &self.id
    }

    /// Wraps a command map at time `now` (seconds since the epoch). `sign` is our key under
    /// `minion_sign_messages`. Returns the request body and the nonce its reply must carry.
    pub fn request(
        &self,
        load: Map,
        now: u64,
        sign: Option<&PrivateKey>,
    ) -> Result<(Map, Nonce), CryptError> {
        let nonce = Nonce::generate()?;
        Ok((self.request_with_nonce(load, now, sign, &nonce)?, nonce))
    }

    /// As [`Self::request`], with a nonce used before: to ask a question again under a new session.
    pub fn request_with_nonce(
        &self,
        mut load: Map,
        now: u64,
        sign: Option<&PrivateKey>,
        nonce: &Nonce,
    ) -> Result<Map, CryptError> {
        load.insert("nonce", nonce.as_str());
        load.insert("ts", now);
        load.insert("tok", self.token.clone());
        load.insert("id", &self.id);
        if let Some(key) = sign {
            returns::sign(&mut load, key, self.sig_algo)?;
        }
        Ok(crate::map! {
            "enc" => "aes",
            "load" => self.session.dumps(&load.into(), None)?,
            "version" => i32::from(VERSION),
            "id" => &self.id,
            "enc_algo" => self.enc_algo.name(),
            "sig_algo" => self.sig_algo.name(),
        })
    }

    /// Opens the ordinary reply.
    pub fn open(&self, reply: &Value, nonce: &Nonce) -> Result<Value, ReplyError> {
        match reply {
            Value::Bytes(data) => Ok(self.session.loads(data, Some(nonce))?),
            // Ciphertext may by chance be valid UTF-8; a refusal never is long or authentic.
            Value::Str(text) => match self.session.loads(text.as_bytes(), Some(nonce)) {
                Ok(value) => Ok(value),
                Err(CryptError::Nonce) => Err(CryptError::Nonce.into()),
                Err(_) => Err(ReplyError::Refused(text.chars().take(200).collect())),
            },
            _ => Err(ReplyError::Shape),
        }
    }

    /// Opens the private reply to `_pillar`.
    pub fn open_private(
        &self,
        reply: &Value,
        nonce: &Nonce,
        key: &PrivateKey,
        master: &PublicKey,
    ) -> Result<Value, PillarError> {
        pillar::open(reply, nonce, key, self.enc_algo, master, self.sig_algo)
    }

    /// The frame by which a TCP subscriber tells the master who it is, under the global key.
    pub fn identify(&self, global: &AesKey) -> Result<Map, CryptError> {
        let load = crate::map! {"id" => &self.id, "tok" => self.token.clone()};
        Ok(
            crate::map! {"enc" => "aes", "load" => global.dumps(&load.into(), None)?, "version" => i32::from(VERSION)},
        )
    }
}
