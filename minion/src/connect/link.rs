//! The request side of one master: signs in when needed, sends commands, reads pillar. Publishes are not seen here.

use super::settings::LinkSettings;
use crate::identity::pki::{Pki, PkiError};
use brine_core::{Map, Value};
use brine_net::{Disconnect, ReqClient, ReqError, RequestClient};
use brine_protocol::auth::minion::{AuthAttempt, Credentials, Outcome};
use brine_protocol::channel::{MinionChannel, ReplyError};
use brine_protocol::crypt::{AesKey, CryptError, PublicKey};
use brine_protocol::msgpack::{self, Dialect};
use brine_protocol::pillar::PillarError;
use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What one sign-in gave.
pub struct Session {
    /// Counts sign-ins on this link, from 1.
    pub generation: u64,
    /// The global key, for publishes.
    pub aes: AesKey,
    /// The master's key.
    pub master: PublicKey,
    /// Where the master says it publishes.
    pub publish_port: u16,
    channel: MinionChannel,
}

/// A sign-in did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The master did not answer.
    #[error("Attempt to authenticate with the salt master failed with timeout error ({0})")]
    NoAnswer(ReqError),
    /// The master keeps our key for acceptance.
    #[error("the key of this minion waits to be accepted")]
    Pending,
    /// The master refuses our key.
    #[error("The Salt Master has rejected this minion's public key!")]
    Rejected {
        /// Whether a master known before said so, with its signature.
        authenticated: bool,
    },
    /// The key shown is not the one we know, or lacks the fingerprint or signature we demand.
    #[error("Invalid master key: {0}")]
    MasterKey(String),
    /// Any other answer, none of which proves anything.
    #[error("Sign-in attempt failed: {0}")]
    Refused(String),
    /// Our own files or randomness.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// Our own keys.
    #[error("{0}")]
    Crypt(#[from] CryptError),
}

/// A command got no usable reply.
#[derive(Debug, thiserror::Error)]
pub enum RequestFailed {
    /// No reply.
    #[error("{0}")]
    Req(#[from] ReqError),
    /// Not signed in.
    #[error("{0}")]
    Auth(#[from] AuthError),
    /// The reply is not one of this master to this request.
    #[error("{0}")]
    Reply(#[from] ReplyError),
    /// As above, for pillar.
    #[error("{0}")]
    Pillar(#[from] PillarError),
    /// The request could not be made.
    #[error("{0}")]
    Crypt(#[from] CryptError),
}

impl RequestFailed {
    /// Whether only our own change of address stands between this request and its answer.
    pub fn is_kick(&self) -> bool {
        matches!(self, Self::Req(ReqError::Disconnected(Disconnect::Kicked)))
    }
}

/// One master's request port and our standing with it.
pub struct MasterLink {
    settings: LinkSettings,
    pki: Arc<Pki>,
    req: ReqClient,
    session: Mutex<Option<Arc<Session>>>,
    /// One sign-in at a time: a burst of failures makes one.
    signing_in: tokio::sync::Mutex<u64>,
}

impl MasterLink {
    /// A link to this master; connects in the background.
    pub fn new(settings: LinkSettings, pki: Arc<Pki>) -> Self {
        let req = ReqClient::new(settings.endpoint.clone(), settings.req_options.clone());
        Self { settings, pki, req, session: Mutex::default(), signing_in: tokio::sync::Mutex::new(0) }
    }

    /// The master as configured.
    pub fn name(&self) -> &str {
        &self.settings.master
    }

    /// What the link was made with.
    pub fn settings(&self) -> &LinkSettings {
        &self.settings
    }

    /// The standing from the last sign-in, if there was one.
    pub fn session(&self) -> Option<Arc<Session>> {
        self.session.lock().clone()
    }

    /// Connections are made anew, for when our address has changed. A request in flight fails at once.
    pub fn kick(&self) {
        self.req.kick();
    }

    /// Idle connections are made anew and waiting attempts are made now, for when the path may have changed.
    pub fn redial(&self) {
        self.req.redial();
    }

    /// Signs in, unless somebody has since the sign-in numbered `seen` (0: never).
    pub async fn sign_in(&self, seen: u64) -> Result<Arc<Session>, AuthError> {
        let mut count = self.signing_in.lock().await;
        if let Some(session) = self.session().filter(|s| s.generation > seen) {
            return Ok(session);
        }
        let credentials = self.attempt().await?;
        if credentials.store {
            self.pki.store_master(&credentials.master_pem)?;
        }
        let auth = &self.settings.auth;
        let channel = MinionChannel::new(
            auth.id.clone(),
            credentials.session,
            &self.pki.key(),
            auth.enc_algo,
            auth.sig_algo,
        )?;
        *count += 1;
        let session = Arc::new(Session {
            generation: *count,
            aes: credentials.aes,
            master: credentials.master,
            publish_port: credentials.publish_port,
            channel,
        });
        *self.session.lock() = Some(session.clone());
        Ok(session)
    }

    async fn attempt(&self) -> Result<Credentials, AuthError> {
        let stored = self.pki.master()?;
        let signing = match self.settings.auth.verify_master_pubkey_sign {
            true => self.pki.signing(&self.settings.master_sign_key_name)?,
            false => None,
        };
        let key = self.pki.key();
        let attempt = AuthAttempt::new(&self.settings.auth, &key, stored.as_deref(), signing.as_ref())?;
        let body = Bytes::from(msgpack::encode_map(&attempt.request(), Dialect::Old));
        let mut tries = self.settings.auth_tries;
        let reply = loop {
            match self.req.request(body.clone(), self.settings.auth_timeout).await {
                Ok(reply) => break reply,
                Err(e) if tries <= 1 => return Err(AuthError::NoAnswer(e)),
                Err(_) => tries -= 1,
            }
        };
        let reply = msgpack::decode(&reply).map_err(|e| AuthError::Refused(e.to_string()))?;
        match attempt.finish(&reply) {
            Outcome::Accepted(credentials) => Ok(*credentials),
            other => Err(refused(other)),
        }
    }

    /// Sends a command and waits for its reply, `tries` times at most, each with this timeout. Signs in first if that
    /// never happened, and once more if the master no longer understands us.
    pub async fn request(&self, load: &Map, timeout: Duration, tries: u32) -> Result<Value, RequestFailed> {
        let mut session = self.standing().await?;
        let mut renewed = false;
        loop {
            let (reply, nonce) = self.exchange(&session, load, timeout, tries).await?;
            match session.channel.open(&reply, &nonce) {
                Ok(value) => return Ok(value),
                Err(e) if e.wants_auth() && !renewed => {
                    renewed = true;
                    session = self.sign_in(session.generation).await?;
                }
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// As [`MasterLink::request`], for `_pillar`, whose reply is sealed to this minion's own key.
    pub async fn pillar(&self, load: &Map, timeout: Duration, tries: u32) -> Result<Value, RequestFailed> {
        let mut session = self.standing().await?;
        let mut renewed = false;
        loop {
            let (reply, nonce) = self.exchange(&session, load, timeout, tries).await?;
            match session.channel.open_private(&reply, &nonce, &self.pki.key(), &session.master) {
                Ok(value) => return Ok(value),
                Err(_) if !renewed => {
                    renewed = true;
                    session = self.sign_in(session.generation).await?;
                }
                Err(e) => return Err(e.into()),
            }
        }
    }

    async fn standing(&self) -> Result<Arc<Session>, AuthError> {
        match self.session() {
            Some(session) => Ok(session),
            None => self.sign_in(0).await,
        }
    }

    async fn exchange(
        &self,
        session: &Session,
        load: &Map,
        timeout: Duration,
        tries: u32,
    ) -> Result<(Value, brine_protocol::crypt::Nonce), RequestFailed> {
        let mut left = tries.max(1);
        loop {
            // A nonce of its own for each try: a master that remembers nonces would take the second for a replay.
            let sign = self.settings.sign_messages.then(|| self.pki.key());
            let (body, nonce) = session.channel.request(load.clone(), now(), sign.as_deref())?;
            let body = Bytes::from(msgpack::encode_map(&body, Dialect::Old));
            match self.req.request(body, timeout).await {
                Ok(reply) => {
                    let reply = msgpack::decode(&reply).map_err(|_| ReplyError::Shape)?;
                    return Ok((reply, nonce));
                }
                Err(e) if left <= 1 => return Err(e.into()),
                Err(_) => left -= 1,
            }
        }
    }
}

/// Seconds since the epoch.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

fn refused(outcome: Outcome) -> AuthError {
    match outcome {
        Outcome::Pending => AuthError::Pending,
        Outcome::Rejected { authenticated } => AuthError::Rejected { authenticated },
        Outcome::WrongMasterKey => AuthError::MasterKey("it is not the one stored".into()),
        Outcome::Finger { configured, found } => {
            AuthError::MasterKey(format!("its fingerprint is {found}, master_finger is {configured}"))
        }
        Outcome::PubSig => AuthError::MasterKey("the signature over it is wrong".into()),
        Outcome::PubSigPolicy { sent: true } => {
            AuthError::MasterKey("it came signed, and verify_master_pubkey_sign is off".into())
        }
        Outcome::PubSigPolicy { sent: false } => AuthError::MasterKey("it came without a signature".into()),
        Outcome::Full => AuthError::Refused("the master takes no more minions".into()),
        Outcome::BadEncAlgo => AuthError::Refused("bad enc algo".into()),
        Outcome::BadSigAlgo => AuthError::Refused("bad sig algo".into()),
        Outcome::Refused(text) => AuthError::Refused(text),
        Outcome::Token => AuthError::MasterKey("it does not own it: our token came back wrong".into()),
        Outcome::Keys(e) => AuthError::Refused(e.to_string()),
        Outcome::Signature => AuthError::Refused("Invalid signature".into()),
        Outcome::Nonce => AuthError::Refused("Invalid nonce".into()),
        Outcome::Garbage(what) => AuthError::Refused(what.into()),
        Outcome::Accepted(_) => AuthError::Refused("accepted".into()),
    }
}
