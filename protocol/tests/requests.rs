//! Encrypted requests, replies, pillars, publishes and identify frames between our own two sides, in memory.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use brine_protocol::channel::ReplyError;
use brine_protocol::command::MinionCommand;
use brine_protocol::crypt::{CryptError, SigAlgo};
use brine_protocol::envelope::RequestError;
use brine_protocol::message::publish::{PublishError, PublishReceiver, wrap};
use brine_protocol::pillar::PillarError;
use brine_protocol::request::{Proof, open_identify};
use brine_protocol::{Value, map};
use common::*;

#[test]
fn a_request_and_its_replies() {
    let master = Master::new();
    let (channel, credentials) = join(&master, "m1", 1);
    let load = map! {"cmd" => "_pillar", "id" => "somebody", "ver" => "2"};
    let (body, nonce) = channel.request(load, NOW, None).unwrap();
    let request = master.open(body).unwrap();
    assert_eq!((request.minion.as_str(), request.command), ("m1", Some(MinionCommand::Pillar)));
    assert_eq!((request.proof, request.version), (Proof::Token, 3));
    assert!(!request.load.contains("tok") && !request.load.contains("nonce"));
    assert_eq!(request.load.get("ts"), Some(&Value::from(NOW)));

    let value = Value::from(map! {"x" => vec![0xffu8, 1]});
    let reply = request.reply(&value).unwrap();
    assert_eq!(channel.open(&over_the_wire(reply), &nonce), Ok(value.clone()));

    let sealed = request.private_reply(value.clone(), &key(1).public(), master.creds.key()).unwrap();
    let open = |reply: &Value, nonce| channel.open_private(reply, nonce, key(1), &credentials.master);
    assert_eq!(open(&over_the_wire(sealed.clone()), &nonce), Ok(value));
    assert_eq!(open(&"bad load".into(), &nonce), Err(PillarError::NoKey));

    let refused = channel.open(&"bad load".into(), &nonce).unwrap_err();
    assert!(refused.wants_auth() && refused == ReplyError::Refused("bad load".into()));
    assert_eq!(channel.open(&Value::Nil, &nonce), Err(ReplyError::Shape));
}

#[test]
fn the_checks_of_a_request_one_by_one() {
    let master = Master::new();
    let (channel, _) = join(&master, "m1", 1);
    let session = master.sessions.borrow()[&id("m1")].clone();
    let tok = key(1).token().unwrap();
    let good =
        map! {"cmd" => "_file_envs", "id" => "m1", "tok" => tok, "ts" => NOW, "nonce" => "0".repeat(32)};
    let send = |load: brine_protocol::Map| {
        let data = session.dumps(&load.into(), None).unwrap();
        master.open(map! {"enc" => "aes", "load" => data, "version" => 3, "id" => "m1"}).map(|_| ())
    };
    assert_eq!(send(good.clone()), Ok(()));
    let changed = |field: &str, value: Value| send(with(good.clone(), field, value));
    assert_eq!(changed("id", "m2".into()), Err(RequestError::IdMismatch));
    assert_eq!(changed("id", 5.into()), Err(RequestError::IdNotText("5".into())));
    assert_eq!(changed("id", "m\0".into()), Err(RequestError::IdNul));
    assert_eq!(changed("tok", "x".into()), Err(RequestError::Token));
    assert_eq!(changed("tok", key(2).token().unwrap().into()), Err(RequestError::Token));
    assert_eq!(changed("tok", Value::Nil), Err(RequestError::Token));
    assert_eq!(changed("nonce", Value::Nil), Err(RequestError::NoNonce));
    assert_eq!(changed("nonce", "zz".into()), Err(RequestError::NoNonce));
    let data = session.dumps(&"x".into(), None).unwrap();
    let body = map! {"enc" => "aes", "load" => data, "version" => 3, "id" => "m1"};
    assert_eq!(master.open(body.clone()).unwrap_err(), RequestError::LoadNotMap);
    assert_eq!(master.open(with(body.clone(), "id", "m9")).unwrap_err(), RequestError::NoSession);
    let (request, _) = channel.request(map! {"cmd" => "nope"}, NOW, None).unwrap();
    assert_eq!(master.open(request).unwrap().command, None);

    let strict = Master { ttl: 10, ..master };
    let aged =
        |ts: u64| strict.open(channel.request(map! {"cmd" => "_return"}, ts, None).unwrap().0).map(|_| ());
    assert_eq!((aged(NOW - 10), aged(NOW - 11)), (Ok(()), Err(RequestError::Expired)));
    strict.stored.borrow_mut().clear();
    assert_eq!(aged(NOW), Err(RequestError::Token), "a deleted key ends access at once");
}

#[test]
fn version_2_only_where_allowed_and_never_after_3() {
    let master = Master { floor: 2, ..Master::new() };
    master.accept("m2", key(2));
    let old = |who: &str, tok: Option<Vec<u8>>, n: u8| {
        let mut load = map! {"cmd" => "_return", "id" => who, "nonce" => format!("{n:032}")};
        if let Some(tok) = tok {
            load.insert("tok", tok);
        }
        let data = master.creds.aes().dumps(&load.into(), None).unwrap();
        master.open(map! {"enc" => "aes", "load" => data, "version" => 2})
    };
    assert_eq!(old("m2", None, 1).unwrap().proof, Proof::GroupKey);
    assert_eq!(old("m2", Some(key(2).token().unwrap()), 2).unwrap().proof, Proof::Token);
    assert_eq!(old("m2", Some(key(1).token().unwrap()), 3).unwrap_err(), RequestError::Token);
    assert_eq!(old("unknown", None, 4).unwrap_err(), RequestError::Token);
    let reply = old("m2", None, 5).unwrap().reply(&true.into()).unwrap();
    let nonce = brine_protocol::crypt::Nonce::parse(&format!("{:032}", 5)).unwrap();
    assert_eq!(master.creds.aes().loads(reply.as_bytes().unwrap(), Some(&nonce)), Ok(true.into()));
    let nameless = |cmd: &str| {
        let load = map! {"cmd" => cmd, "nonce" => "0".repeat(32)};
        let data = master.creds.aes().dumps(&load.into(), None).unwrap();
        master.open(map! {"enc" => "aes", "load" => data, "version" => 2}).map(|r| (r.proof, r.minion))
    };
    let (proof, minion) = nameless("_file_envs").unwrap();
    assert!(proof == Proof::Anonymous && brine_protocol::ids::MinionId::parse(minion.as_str()).is_err());
    assert_eq!(nameless("_return").unwrap_err(), RequestError::InnerId);
    assert_eq!(nameless("_pillar").unwrap_err(), RequestError::InnerId);
    let (channel, _) = join(&master, "m1", 1);
    master.open(channel.request(map! {"cmd" => "_return"}, NOW, None).unwrap().0).unwrap();
    let refused = old("m1", Some(key(1).token().unwrap()), 6).unwrap_err();
    assert_eq!(refused, RequestError::Downgrade { found: 2, seen: 3 });
}

#[test]
fn publishes_are_verified_as_soon_as_the_master_signs() {
    let master = Master::new();
    let sign = Some((master.creds.key(), SigAlgo::Pkcs1v15Sha224));
    let aes = master.creds.aes();
    let load = map! {"fun" => "test.ping", "jid" => "20260101000000000000"};
    let publish = |serial, sign| over_the_wire(wrap(&load, aes, serial, sign).unwrap());
    let mut receiver = PublishReceiver::new(aes.clone(), master.creds.key().public(), false);
    assert_eq!(receiver.open(&publish(1, None)), Ok(load.clone()));
    assert_eq!(receiver.open(&publish(2, sign)), Ok(load.clone()));
    assert!(receiver.demands_signature());
    assert_eq!(receiver.open(&publish(3, None)), Err(PublishError::Unsigned));
    assert_eq!(receiver.open(&publish(2, sign)), Err(PublishError::Serial { found: 2, last: 2 }));
    let forged = publish(4, Some((key(1), SigAlgo::Pkcs1v15Sha1)));
    assert_eq!(receiver.open(&forged), Err(PublishError::Signature));
    let Value::Map(mut odd) = publish(4, sign) else { panic!() };
    odd.insert("sig_algo", "PKCS1v15-SHA1");
    assert_eq!(receiver.open(&odd.into()), Err(PublishError::Signature));
    assert_eq!(receiver.open(&"topic".into()), Err(PublishError::Shape));
    let rotated = brine_protocol::crypt::AesKey::generate().unwrap();
    let next = over_the_wire(wrap(&load, &rotated, 1, sign).unwrap());
    assert_eq!(receiver.open(&next), Err(PublishError::Crypt(CryptError::Mac)));
    receiver.rekey(aes.clone(), master.creds.key().public());
    assert_eq!(receiver.open(&publish(2, sign)), Err(PublishError::Serial { found: 2, last: 2 }), "same key");
    receiver.rekey(rotated, master.creds.key().public());
    assert_eq!(receiver.open(&next), Ok(load));
}

#[test]
fn identify_frames_prove_the_subscriber() {
    let master = Master::new();
    let (channel, credentials) = join(&master, "m1", 1);
    let frame = Value::from(channel.identify(&credentials.aes).unwrap());
    assert_eq!(open_identify(&frame, &master).unwrap().as_str(), "m1");
    master.accept("m1", key(2));
    assert_eq!(open_identify(&frame, &master), Err(RequestError::Token));
    assert_eq!(open_identify(&Value::Nil, &master), Err(RequestError::Enc));
}
