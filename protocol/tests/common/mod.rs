//! A master and its minions in memory: the key stores and daemons the tests of this crate need, without IO.

#![allow(dead_code, reason = "each test file uses its part")]

use brine_protocol::auth::master::*;
use brine_protocol::auth::minion::{AuthAttempt, AuthOptions, Credentials, Outcome};
use brine_protocol::channel::MinionChannel;
use brine_protocol::crypt::{AesKey, PrivateKey, PublicKey};
use brine_protocol::envelope::{AesEnvelope, Envelope};
use brine_protocol::ids::MinionId;
use brine_protocol::msgpack::{self, Dialect};
use brine_protocol::request::{self, MinionRequest, RequestKeys, RequestMemory};
use brine_protocol::{Map, Value, envelope::RequestError};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;

/// A time for tests.
pub(crate) const NOW: u64 = 1_795_613_045;

/// Keys made once per test program, since making them is slow.
pub(crate) fn key(n: usize) -> &'static PrivateKey {
    static KEYS: OnceLock<Vec<PrivateKey>> = OnceLock::new();
    &KEYS.get_or_init(|| (0..4).map(|_| PrivateKey::generate(2048).unwrap()).collect())[n]
}

pub(crate) fn id(text: &str) -> MinionId {
    MinionId::parse(text).unwrap()
}

/// What a body becomes on a ZeroMQ wire and back.
pub(crate) fn over_the_wire(value: impl Into<Value>) -> Value {
    msgpack::decode(&msgpack::encode(&value.into(), Dialect::Old)).unwrap()
}

pub(crate) struct Master {
    pub(crate) creds: MasterCredentials,
    pub(crate) stored: RefCell<HashMap<MinionId, StoredKeys>>,
    pub(crate) sessions: RefCell<HashMap<MinionId, AesKey>>,
    pub(crate) memory: RefCell<RequestMemory>,
    pub(crate) floor: u8,
    pub(crate) ttl: u64,
}

impl Master {
    pub(crate) fn new() -> Self {
        let pem = key(0).public().to_pem().unwrap();
        let creds = MasterCredentials::new(key(0).clone(), &pem, AesKey::generate().unwrap(), 4505).unwrap();
        Self {
            creds,
            stored: RefCell::default(),
            sessions: RefCell::default(),
            memory: RefCell::default(),
            floor: 3,
            ttl: 0,
        }
    }

    pub(crate) fn accept(&self, who: &str, key: &PrivateKey) {
        let accepted = Some(key.public().to_pem().unwrap());
        self.stored.borrow_mut().insert(id(who), StoredKeys { accepted, ..StoredKeys::default() });
    }

    /// Handles a clear `_auth`; carries out the actions that matter to the tests.
    pub(crate) fn auth(&self, body: Value, rules: AuthRules) -> (Value, Option<Decision>) {
        let envelope = match Envelope::parse(body, self.floor) {
            Ok(envelope) => envelope,
            Err(e) => return (e.reply(), None),
        };
        let Envelope::Clear { load, version } = envelope else { panic!("not clear") };
        let request = match AuthRequest::parse(&load, version) {
            Ok(request) => request,
            Err(BadAuth::Malformed(e)) => return (e.reply(), None),
            Err(BadAuth::Id(refusal)) => return (refusal.reply(&self.creds).unwrap(), None),
        };
        let stored = self.stored.borrow().get(&request.id).cloned().unwrap_or_default();
        let decision = decide(&request, &stored, rules);
        for action in &decision.actions {
            let mut all = self.stored.borrow_mut();
            let keys = all.entry(request.id.clone()).or_default();
            match action {
                KeyAction::WriteAccepted(pem) => keys.accepted = Some(pem.clone()),
                KeyAction::WritePending(pem) => keys.pending = Some(pem.clone()),
                KeyAction::RemovePending => keys.pending = None,
                KeyAction::WriteRejected(_) => keys.rejected = true,
                KeyAction::MovePendingToRejected => (keys.rejected, keys.pending) = (true, None),
                KeyAction::WriteDenied(_) => {}
            }
        }
        let reply = match &decision.verdict {
            Verdict::Accept(acceptance) => {
                let mut sessions = self.sessions.borrow_mut();
                let session =
                    sessions.entry(request.id.clone()).or_insert_with(|| AesKey::generate().unwrap());
                acceptance.reply(&self.creds, session).unwrap()
            }
            Verdict::Refuse(refusal) => refusal.reply(&self.creds).unwrap(),
        };
        (over_the_wire(reply), Some(decision))
    }

    pub(crate) fn open(&self, body: impl Into<Value>) -> Result<MinionRequest, RequestError> {
        match Envelope::parse(over_the_wire(body), self.floor)? {
            Envelope::Aes(aes) => self.open_aes(&aes),
            Envelope::Clear { .. } => panic!("not encrypted"),
        }
    }

    pub(crate) fn open_aes(&self, aes: &AesEnvelope) -> Result<MinionRequest, RequestError> {
        request::open(aes, self, self.ttl, NOW, &mut self.memory.borrow_mut())
    }
}

impl RequestKeys for Master {
    fn session(&self, id: &MinionId) -> Option<AesKey> {
        self.sessions.borrow().get(id).cloned()
    }
    fn global(&self) -> AesKey {
        self.creds.aes().clone()
    }
    fn accepted(&self, id: &MinionId) -> Option<PublicKey> {
        PublicKey::from_pem(self.stored.borrow().get(id)?.accepted.as_ref()?).ok()
    }
}

/// Authenticates `who` with key `n`, accepted beforehand, and gives its channel.
pub(crate) fn join(master: &Master, who: &str, n: usize) -> (MinionChannel, Credentials) {
    master.accept(who, key(n));
    let options = AuthOptions::new(id(who));
    let attempt = AuthAttempt::new(&options, key(n), None, None).unwrap();
    let (reply, _) = master.auth(over_the_wire(attempt.request()), AuthRules::default());
    match attempt.finish(&reply) {
        Outcome::Accepted(credentials) => {
            let session = credentials.session.clone();
            let channel =
                MinionChannel::new(id(who), session, key(n), options.enc_algo, options.sig_algo).unwrap();
            (channel, *credentials)
        }
        other => panic!("{other:?}"),
    }
}

/// A load with fields changed.
pub(crate) fn with(mut load: Map, key: &str, value: impl Into<Value>) -> Map {
    load.insert(key, value);
    load
}
