//! Our minion and our master shaking hands in memory: every outcome, on both sides.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use brine_protocol::auth::master::*;
use brine_protocol::auth::minion::{AuthAttempt, AuthOptions, Outcome};
use brine_protocol::crypt::{AesKey, CryptError, EncAlgo, HashType, SigAlgo, pem_finger};
use brine_protocol::{Map, Value, map, msgpack};
use common::{Master, id, key, over_the_wire, with};

fn options() -> AuthOptions {
    AuthOptions::new(id("m1"))
}

fn attempt<'a>(options: &'a AuthOptions, stored: Option<&str>) -> AuthAttempt<'a> {
    AuthAttempt::new(options, key(1), stored, None).unwrap()
}

fn knows(master: &Master) -> Option<&str> {
    Some(master.creds.public_pem())
}

fn shake(
    master: &Master,
    options: &AuthOptions,
    stored: Option<&str>,
    rules: AuthRules,
) -> (Outcome, Decision) {
    let attempt = attempt(options, stored);
    let (reply, decision) = master.auth(over_the_wire(attempt.request()), rules);
    (attempt.finish(&reply), decision.unwrap())
}

fn act(decision: &Decision) -> Option<&str> {
    decision.event.as_ref().unwrap().get_str("act")
}

#[test]
fn pending_then_accepted_with_every_pair_of_algorithms() {
    for (enc, sig) in [
        (EncAlgo::OaepSha1, SigAlgo::Pkcs1v15Sha1),
        (EncAlgo::OaepSha224, SigAlgo::Pkcs1v15Sha224),
        (EncAlgo::OaepSha1, SigAlgo::Pkcs1v15Sha224),
    ] {
        let master = Master::new();
        let options = AuthOptions { enc_algo: enc, sig_algo: sig, ..options() };
        for expected in
            [vec![KeyAction::WritePending(key(1).public().to_pem().unwrap().trim().into())], vec![]]
        {
            let (outcome, decision) = shake(&master, &options, None, AuthRules::default());
            assert!(matches!(outcome, Outcome::Pending));
            assert_eq!((act(&decision), &decision.actions), (Some("pend"), &expected));
        }
        assert!(master.sessions.borrow().is_empty(), "no session before acceptance");
        let (outcome, decision) =
            shake(&master, &options, None, AuthRules { autosign: true, ..AuthRules::default() });
        let Outcome::Accepted(got) = outcome else { panic!("{outcome:?}") };
        assert!(got.store && got.publish_port == 4505 && got.aes == *master.creds.aes());
        assert_eq!(got.master_pem, master.creds.public_pem());
        assert_eq!(act(&decision), Some("accept"));
        assert!(matches!(
            decision.actions.as_slice(),
            [KeyAction::RemovePending, KeyAction::WriteAccepted(_)]
        ));
        let (outcome, decision) = shake(&master, &options, knows(&master), AuthRules::default());
        let Outcome::Accepted(got) = outcome else { panic!("{outcome:?}") };
        assert!(!got.store && decision.actions.is_empty());
    }
}

#[test]
fn refusals_are_signed_and_tell_whether_a_known_master_spoke() {
    let master = Master::new();
    let reject = AuthRules { autoreject: true, ..AuthRules::default() };
    let (outcome, decision) = shake(&master, &options(), None, reject);
    assert!(matches!(outcome, Outcome::Rejected { authenticated: false }));
    assert!(matches!(decision.actions.as_slice(), [KeyAction::WriteRejected(_)]));
    let (outcome, decision) =
        shake(&master, &options(), knows(&master), AuthRules { autosign: true, ..AuthRules::default() });
    assert!(matches!(outcome, Outcome::Rejected { authenticated: true }), "rejected wins over autosign");
    assert_eq!((act(&decision), decision.actions.len()), (None, 0));
    let full = AuthRules { full: true, ..AuthRules::default() };
    assert!(matches!(shake(&master, &options(), knows(&master), full).0, Outcome::Full));
}

#[test]
fn another_key_for_a_known_id_is_denied() {
    let master = Master::new();
    master.accept("m1", key(2));
    let (outcome, decision) = shake(&master, &options(), None, AuthRules::default());
    assert!(matches!(outcome, Outcome::Rejected { .. }));
    assert_eq!(act(&decision), Some("denied"));
    assert!(matches!(decision.actions.as_slice(), [KeyAction::WriteDenied(_)]));
    let open = AuthRules { open_mode: true, ..AuthRules::default() };
    let (outcome, decision) = shake(&master, &options(), None, open);
    assert!(matches!(outcome, Outcome::Accepted(_)));
    assert!(matches!(decision.actions.as_slice(), [KeyAction::WriteAccepted(_)]));

    for autosign in [false, true] {
        let master = Master::new();
        let pending = Some(key(2).public().to_pem().unwrap());
        master.stored.borrow_mut().insert(id("m1"), StoredKeys { pending, ..StoredKeys::default() });
        let (outcome, decision) =
            shake(&master, &options(), None, AuthRules { autosign, ..AuthRules::default() });
        assert!(matches!(outcome, Outcome::Rejected { .. }));
        assert_eq!(act(&decision), (!autosign).then_some("denied"));
    }
    let master = Master::new();
    let pending = Some(key(1).public().to_pem().unwrap());
    master.stored.borrow_mut().insert(id("m1"), StoredKeys { pending, ..StoredKeys::default() });
    let reject = AuthRules { autoreject: true, ..AuthRules::default() };
    assert_eq!(shake(&master, &options(), None, reject).1.actions, [KeyAction::MovePendingToRejected]);
    let stored = StoredKeys { pending_is_directory: true, ..StoredKeys::default() };
    let master = Master::new();
    master.stored.borrow_mut().insert(id("m1"), stored);
    assert!(shake(&master, &options(), None, AuthRules::default()).1.actions.is_empty());
}

#[test]
fn malformed_auth_stores_nothing_and_costs_nothing() {
    let master = Master::new();
    let options = options();
    let good = attempt(&options, None).request();
    let load = good.get("load").unwrap().as_map().unwrap().clone();
    let send = |load: Map| master.auth(over_the_wire(with(good.clone(), "load", load)), AuthRules::default());
    for (field, value) in [
        ("nonce", Value::from("short")),
        ("nonce", Value::Nil),
        ("pub", Value::Nil),
        ("pub", "x".repeat(20_000).into()),
    ] {
        let (reply, decision) = send(with(load.clone(), field, value));
        assert_eq!(
            (reply, decision.is_none()),
            ("Some exception handling minion payload".into(), true),
            "{field}"
        );
    }
    for bad in ["../m1", "a/b", ".hidden", "", "a\nb"] {
        let (reply, decision) = send(with(load.clone(), "id", bad));
        assert!(decision.is_none());
        let signed = msgpack::decode(reply.get("load").unwrap().as_bytes().unwrap()).unwrap();
        assert_eq!(signed.get("ret"), Some(&Value::Bool(false)), "{bad}");
    }
    let (_, decision) = send(with(load.clone(), "pub", "no key"));
    let decision = decision.unwrap();
    assert_eq!((act(&decision), decision.actions.len()), (Some("error"), 0));
    let (reply, _) = send(with(load.clone(), "sig_algo", "none"));
    assert_eq!(reply, map! {"enc" => "clear", "load" => map!{"ret" => "bad sig algo"}}.into());
    master.accept("m1", key(1));
    let (reply, _) = send(with(load, "enc_algo", "none"));
    assert_eq!(reply, map! {"enc" => "clear", "load" => map!{"ret" => "bad enc algo"}}.into());
}

#[test]
fn a_wrong_or_unproved_master_is_refused() {
    let master = Master::new();
    master.accept("m1", key(1));
    let other = key(2).public().to_pem().unwrap();
    let (outcome, _) = shake(&master, &options(), Some(&other), AuthRules::default());
    assert!(matches!(outcome, Outcome::WrongMasterKey), "{outcome:?}");
    let open = AuthOptions { open_mode: true, ..options() };
    let (outcome, _) = shake(&master, &open, Some(&other), AuthRules::default());
    assert!(matches!(&outcome, Outcome::Accepted(c) if c.store), "{outcome:?}");
    // A master that shows the right key but does not own it cannot echo the token, nor sign.
    let fake =
        MasterCredentials::new(key(2).clone(), master.creds.public_pem(), AesKey::generate().unwrap(), 1);
    let fake = Master { creds: fake.unwrap(), ..Master::new() };
    fake.accept("m1", key(1));
    let (outcome, _) = shake(&fake, &options(), knows(&master), AuthRules::default());
    assert!(matches!(outcome, Outcome::Keys(CryptError::Signature)), "{outcome:?}");
}

#[test]
fn master_finger_is_checked() {
    let master = Master::new();
    master.accept("m1", key(1));
    let finger = pem_finger(master.creds.public_pem(), HashType::Sha256);
    for (configured, good) in
        [(finger.clone(), true), (finger.to_uppercase(), true), ("aa:bb".to_owned(), false)]
    {
        let options = AuthOptions { master_finger: Some(configured), ..options() };
        let (outcome, _) = shake(&master, &options, None, AuthRules::default());
        assert_eq!(matches!(outcome, Outcome::Accepted(_)), good);
        assert!(good || matches!(outcome, Outcome::Finger { .. }));
    }
}

#[test]
fn signed_master_keys() {
    let signing = key(3);
    let signing_public = signing.public();
    let other_public = key(2).public();
    let pem = key(0).public().to_pem().unwrap();
    let fresh = || MasterCredentials::new(key(0).clone(), &pem, AesKey::generate().unwrap(), 4505).unwrap();
    let signed = Master { creds: fresh().with_signing_key(signing).unwrap(), ..Master::new() };
    let plain = Master::new();
    let verify = AuthOptions { verify_master_pubkey_sign: true, ..options() };
    let always = AuthOptions { always_verify_signature: true, ..verify.clone() };
    let other_master = key(2).public().to_pem().unwrap();
    let run = |master: &Master, options: &AuthOptions, stored: Option<&str>, with_key: Option<_>| {
        master.accept("m1", key(1));
        let attempt = AuthAttempt::new(options, key(1), stored, with_key).unwrap();
        attempt.finish(&master.auth(over_the_wire(attempt.request()), AuthRules::default()).0)
    };
    let same = Some(pem.as_str());
    // First contact, unchanged key, and a changed key that the signature vouches for.
    for stored in [None, same, Some(other_master.as_str())] {
        let outcome = run(&signed, &verify, stored, Some(&signing_public));
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    assert!(matches!(run(&signed, &always, same, Some(&other_public)), Outcome::PubSig));
    assert!(matches!(run(&signed, &verify, same, Some(&other_public)), Outcome::Accepted(_)));
    for stored in [None, Some(other_master.as_str())] {
        assert!(matches!(run(&signed, &verify, stored, Some(&other_public)), Outcome::PubSig));
        assert!(matches!(run(&signed, &verify, stored, None), Outcome::PubSig));
    }
    assert!(matches!(run(&signed, &options(), same, None), Outcome::PubSigPolicy { sent: true }));
    assert!(matches!(
        run(&plain, &verify, same, Some(&signing_public)),
        Outcome::PubSigPolicy { sent: false }
    ));
}

#[test]
fn replies_that_are_none() {
    let options = options();
    let attempt = attempt(&options, None);
    assert!(matches!(attempt.finish(&"bad load".into()), Outcome::Refused(t) if t == "bad load"));
    for bad in [
        Value::Nil,
        Map::new().into(),
        map! {"load" => 5}.into(),
        map! {"load" => Map::new()}.into(),
        map! {"load" => "x"}.into(),
        map! {"load" => vec![0xc1u8], "sig" => "y"}.into(),
        map! {"load" => vec![0x81, 0xa7, b'p', b'u', b'b', b'_', b'k', b'e', b'y', 0xc0], "sig" => "y"}
            .into(),
    ] {
        assert!(matches!(attempt.finish(&bad), Outcome::Garbage(_)), "{bad:?}");
    }
    for (text, enc) in [("bad enc algo", true), ("bad sig algo", false)] {
        let outcome = attempt.finish(&map! {"enc" => "clear", "load" => map!{"ret" => text}}.into());
        assert!(if enc {
            matches!(outcome, Outcome::BadEncAlgo)
        } else {
            matches!(outcome, Outcome::BadSigAlgo)
        });
    }
}
