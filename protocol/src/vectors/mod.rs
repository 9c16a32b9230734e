//! Replays recorded traffic of stock masters, minions and CLIs (`tests/vectors`, see `capture.py` there) without
//! sockets: each side's messages are read by our other side, and what is deterministic is made again, byte for byte.

use crate::auth::minion::{AuthAttempt, AuthOptions, Credentials, Outcome};
use crate::command::{ClearCommand, MinionCommand};
use crate::crypt::*;
use crate::envelope::{AesEnvelope, Envelope};
use crate::ids::MinionId;
use crate::message::events::{Event, minion_events};
use crate::message::publish::{Functions, PublishLoad, PublishReceiver};
use crate::message::returns::{self, ReturnJid, ReturnLoad};
use crate::msgpack::{self, Dialect};
use crate::pillar;
use crate::request::{self, Proof, RequestKeys, RequestMemory};
use crate::value::{Map, Value};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

mod auth;

const VERSIONS: [&str; 3] = ["3006.28", "3007.15", "3008.3"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// One run of one version, with what its keys open.
struct Run {
    name: String,
    folder: PathBuf,
    master: PrivateKey,
    minion: PrivateKey,
    signing: Option<PublicKey>,
    options: AuthOptions,
    /// The protocol version of its minion.
    version: u8,
}

fn runs() -> Vec<Run> {
    let mut runs = Vec::new();
    for version in VERSIONS {
        for kind in ["default", "sha224", "legacy"] {
            let folder = folder().join(version).join(kind);
            if !folder.exists() && kind == "legacy" {
                continue;
            }
            let private = |name: &str| {
                let pem = text(&folder.join(name));
                let key = PrivateKey::from_pem(&pem, None).unwrap();
                assert_eq!(*key.to_pem().unwrap(), pem, "we write private keys as stock does");
                key
            };
            let (master, minion) = (private("master.pem"), private("minion.pem"));
            for (key, name) in [(&master, "master.pub"), (&minion, "minion.pub")] {
                assert_eq!(key.public().to_pem().unwrap(), text(&folder.join(name)), "and public ones");
            }
            let mut options = AuthOptions::new(MinionId::parse("m1").unwrap());
            let mut signing = None;
            if kind == "sha224" {
                options.enc_algo = EncAlgo::OaepSha224;
                options.sig_algo = SigAlgo::Pkcs1v15Sha224;
                options.verify_master_pubkey_sign = true;
                signing = Some(PublicKey::from_pem(&text(&folder.join("master_sign.pub"))).unwrap());
            }
            let name = format!("{version}/{kind}");
            let version = if kind == "legacy" { 2 } else { 3 };
            runs.push(Run { name, folder, master, minion, signing, options, version });
        }
    }
    runs
}

impl Run {
    fn files(&self, kind: &str) -> Vec<Vec<u8>> {
        let path = |n: usize| self.folder.join(format!("{kind}-{n:03}.bin"));
        let found: Vec<_> = (0..).map_while(|n| fs::read(path(n)).ok()).collect();
        assert!(!found.is_empty(), "{}: no {kind}", self.name);
        found
    }

    /// The request bodies with the decoded replies.
    fn exchanges(&self) -> Vec<(Vec<u8>, Value)> {
        let replies = self.files("rep");
        let replies = replies.iter().map(|r| msgpack::decode(r).unwrap());
        self.files("req").into_iter().zip(replies).collect()
    }

    /// The `_auth` loads with their replies.
    fn auths(&self) -> Vec<(Map, Value)> {
        let auth = |(request, reply): (Vec<u8>, Value)| match Envelope::from_bytes(&request, self.version) {
            Ok(Envelope::Clear { load, .. }) if load.get_str("cmd") == Some("_auth") => Some((load, reply)),
            _ => None,
        };
        self.exchanges().into_iter().filter_map(auth).collect()
    }

    fn finish(&self, load: &Map, reply: &Value) -> Outcome {
        let secret = load.get("token").map(|token| {
            let token = self.master.decrypt(token.as_bytes().unwrap(), self.options.enc_algo).unwrap();
            AesKey::parse(&token).unwrap()
        });
        let stored = secret.is_some().then(|| text(&self.folder.join("minion_master.pub")));
        let attempt = AuthAttempt::resume(
            &self.options,
            &self.minion,
            stored.as_deref(),
            self.signing.as_ref(),
            load.clone(),
            secret,
        );
        attempt.finish(reply)
    }

    fn credentials(&self) -> Credentials {
        let accepted = |(load, reply): &(Map, Value)| match self.finish(load, reply) {
            Outcome::Accepted(credentials) => Some(*credentials),
            _ => None,
        };
        self.auths().iter().find_map(accepted).unwrap()
    }
}

/// Keys of a run, as its master holds them.
struct Opened<'a>(&'a Run, Credentials);

impl Opened<'_> {
    /// The key requests and their replies are encrypted with.
    fn key(&self) -> &AesKey {
        if self.0.version > 2 { &self.1.session } else { &self.1.aes }
    }
}

impl RequestKeys for Opened<'_> {
    fn session(&self, _: &MinionId) -> Option<AesKey> {
        Some(self.1.session.clone())
    }
    fn global(&self) -> AesKey {
        self.1.aes.clone()
    }
    fn accepted(&self, _: &MinionId) -> Option<PublicKey> {
        Some(self.0.minion.public())
    }
}

#[test]
fn stock_minions_requests_and_stock_masters_replies_open() {
    for run in runs() {
        let keys = Opened(&run, run.credentials());
        let (enc, sig) = (run.options.enc_algo, run.options.sig_algo);
        let mut memory = RequestMemory::default();
        let mut seen: HashMap<MinionCommand, usize> = HashMap::new();
        for (body, reply) in run.exchanges() {
            let Envelope::Aes(envelope) = Envelope::from_bytes(&body, run.version).unwrap() else { continue };
            reencodes(&keys, &envelope);
            let request = request::open(&envelope, &keys, 0, 0, &mut memory).unwrap();
            assert_eq!((request.minion.as_str(), request.version), ("m1", run.version));
            assert!(request.proof == Proof::Token || run.version == 2);
            let command = request.command.unwrap_or_else(|| panic!("{:?}", request.load.get("cmd")));
            *seen.entry(command).or_default() += 1;
            let nonce = request.nonce.clone().unwrap();
            if command == MinionCommand::Pillar {
                let pillar =
                    pillar::open(&reply, &nonce, &run.minion, enc, &run.master.public(), sig).unwrap();
                assert!(pillar.as_map().is_some_and(Map::is_empty), "{pillar:?}");
                let ours = request.private_reply(pillar, &run.minion.public(), &run.master).unwrap();
                assert!(pillar::open(&ours, &nonce, &run.minion, enc, &run.master.public(), sig).is_ok());
            } else {
                let sealed = reply.as_bytes().unwrap();
                keys.key().loads(sealed, Some(&nonce)).unwrap_or_else(|e| panic!("{command:?}: {e}"));
            }
            let mut load = request.load.clone();
            if run.signing.is_some() {
                returns::verify(&mut load, &run.minion.public(), sig)
                    .unwrap_or_else(|e| panic!("{command:?}: {e}"));
            }
            match command {
                MinionCommand::MinionEvent => {
                    let found = minion_events(&load, &request.minion).unwrap();
                    assert!(found.refused.is_empty() && !found.events.is_empty(), "{found:?}");
                }
                MinionCommand::Return => {
                    let parsed = ReturnLoad::parse(load, request.minion.clone()).unwrap();
                    assert!(matches!(parsed.jid, ReturnJid::Job(jid) if jid.is_generated()));
                }
                _ => {}
            }
        }
        assert_eq!(seen.get(&MinionCommand::Return), Some(&3), "{}: {seen:?}", run.name);
        for command in [MinionCommand::Pillar, MinionCommand::MinionEvent] {
            assert!(seen.contains_key(&command), "{}: {seen:?}", run.name);
        }
        let is_8 = run.name.starts_with("3008");
        assert_eq!(seen.contains_key(&MinionCommand::RegisterResources), is_8, "{seen:?}");
    }
}

/// The plaintext of a request, encoded again by us, is the same bytes, and its token the one we make.
fn reencodes(keys: &Opened<'_>, envelope: &AesEnvelope) {
    let plain = keys.key().decrypt(&envelope.data).unwrap();
    let load = msgpack::decode(&plain[8..]).unwrap();
    assert_eq!(msgpack::encode(&load, Dialect::Old), &plain[8..]);
    if let Some(tok) = load.get("tok") {
        assert_eq!(tok.as_bytes().unwrap(), keys.0.minion.token().unwrap());
    } else {
        assert_eq!(keys.0.version, 2, "later versions always send it");
    }
}

#[test]
fn stock_publishes_open_and_signatures_are_ours() {
    for run in runs() {
        let credentials = run.credentials();
        let mut receiver = PublishReceiver::new(credentials.aes.clone(), credentials.master, true);
        let mut functions = Vec::new();
        for body in run.files("pub") {
            let message = msgpack::decode(&body).unwrap();
            assert_eq!(msgpack::encode(&message, Dialect::Old), body);
            let (data, sig) = (message.get("load").unwrap(), message.get("sig").unwrap());
            let algo = SigAlgo::parse(message.get("sig_algo").unwrap().as_str().unwrap()).unwrap();
            assert_eq!(run.master.sign(data.as_bytes().unwrap(), algo).unwrap(), sig.as_bytes().unwrap());
            let job = PublishLoad::parse(receiver.open(&message).unwrap()).unwrap();
            assert!(job.jid.is_generated() && job.tgt_type == "glob" && job.tgt == "m1".into());
            let Functions::One(fun) = job.fun else { panic!() };
            functions.push((fun, job.args));
        }
        assert_eq!(functions.len(), 3, "{}", run.name);
        assert_eq!(functions[0], ("test.ping".to_owned(), vec![vec![]]));
        let keywords = crate::map! {"k" => "v", "__kwarg__" => true};
        let (fun, args) = &functions[1];
        assert_eq!(fun, "test.arg");
        assert_eq!(args[0][..2], ["text".into(), 7.into()]);
        assert!(args[0][2].as_map().is_some_and(|m| keywords.iter().all(|(k, v)| m.get_key(k) == Some(v))));
    }
}

#[test]
fn stock_clear_commands_are_known() {
    for run in runs() {
        let mut publishes = 0;
        for (body, reply) in run.exchanges() {
            let Envelope::Clear { load, .. } = Envelope::from_bytes(&body, run.version).unwrap() else {
                continue;
            };
            match ClearCommand::parse(load.get_str("cmd").unwrap()) {
                Some(ClearCommand::Publish) => {
                    publishes += 1;
                    assert!(reply.get("load").unwrap().get("jid").is_some());
                }
                Some(ClearCommand::Auth) => {}
                other => panic!("{}: {other:?}", run.name),
            }
        }
        assert!(publishes >= 3, "{}", run.name);
    }
}

#[test]
fn stock_events_are_framed_as_ours() {
    for run in runs() {
        let mut tags = Vec::new();
        for frame in run.files("evt") {
            let event = Event::from_frame(&frame).unwrap();
            assert_eq!(event.to_frame(), frame, "{}: {}", run.name, event.tag);
            tags.push(event.tag);
        }
        for tag in ["salt/auth", "minion_start", "salt/minion/m1/start"] {
            assert!(tags.iter().any(|t| t == tag), "{}: {tags:?}", run.name);
        }
        assert_eq!(tags.iter().filter(|t| t.contains("/ret/m1")).count(), 3, "{}", run.name);
    }
}

#[test]
fn fingerprints_and_protected_keys_are_stocks() {
    for version in VERSIONS {
        let folder = folder().join(version);
        let pem = text(&folder.join("default/master.pub"));
        for line in text(&folder.join("fingers.txt")).lines() {
            let [form, hash, finger] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let hash = HashType::parse(hash).unwrap();
            // Only 3008 hashes the armour of a text too.
            let armoured = form == "text" && version == "3008.3";
            let ours = if armoured { armoured_finger(&pem, hash) } else { pem_finger(&pem, hash) };
            assert_eq!(ours, finger, "{version} {line}");
        }
        let protected = text(&folder.join("protected.pem"));
        let key = PrivateKey::from_pem(&protected, Some("hunter2")).unwrap();
        assert_eq!(key.public().to_pem().unwrap(), pem);
        for wrong in [None, Some(""), Some("hunter3")] {
            assert!(PrivateKey::from_pem(&protected, wrong).is_err());
        }
    }
}
