//! Past holes of Salt and known weaknesses of stock, as far as this crate decides them: one test each, named after
//! it, that fails on an implementation with the hole.
//!
//! Those decided beside the code they test: `cve_2025_22239_*` (tags), `cve_2025_22236_*` (events),
//! `cve_2025_62349_*` (envelope).

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use brine_protocol::auth::master::AuthRules;
use brine_protocol::auth::minion::{AuthAttempt, AuthOptions, Outcome};
use brine_protocol::channel::ReplyError;
use brine_protocol::command::{ClearCommand, MinionCommand};
use brine_protocol::crypt::{AesKey, CryptError, EncAlgo, Nonce, SigAlgo};
use brine_protocol::envelope::{self, Envelope, RequestError};
use brine_protocol::ids::{Jid, MinionId, RelPath, SaltEnv};
use brine_protocol::message::publish::{PublishError, PublishReceiver, wrap};
use brine_protocol::message::returns::{self, ReturnJid, ReturnLoad};
use brine_protocol::message::{MessageError, events};
use brine_protocol::msgpack::{self, Dialect};
use brine_protocol::pillar::{self, PillarError};
use brine_protocol::{Map, Value, map};
use common::*;

/// ClearFuncs exposed every method name to anyone. The set of clear commands is closed, and no minion command or
/// internal name is in it.
#[test]
fn cve_2020_11651_no_method_is_reachable_by_name() {
    for name in
        ["_prep_auth_info", "_send_pub", "_prep_pub", "_return", "_file_recv", "__class__", "process_token"]
    {
        assert_eq!(ClearCommand::parse(name), None, "{name}");
    }
    for name in
        ["run_func", "get_method", "_AESFuncs__setup_fileserver", "publish", "wheel", "runner", "_auth"]
    {
        assert_eq!(MinionCommand::parse(name), None, "{name}");
    }
}

/// Paths from the wire: what is no plain name below its root does not parse.
#[test]
fn cve_2020_11652_2021_25282_2024_22232_2024_38824_no_wire_text_leaves_its_root() {
    // Not for paths: there a backslash is a letter like others.
    for evil in ["a\\b", "..\\..\\b"] {
        assert!(SaltEnv::parse(evil).is_err(), "saltenv {evil:?}");
        assert!(MinionId::parse(evil).is_err(), "id {evil:?}");
        assert!(Jid::parse(evil).is_err(), "jid {evil:?}");
    }
    for evil in ["../../etc/shadow", "/etc/shadow", "a/../../b", "a/./b", "..", "a//b", "a\0b"] {
        assert!(RelPath::parse(evil).is_err(), "path {evil:?}");
        assert!(SaltEnv::parse(evil).is_err(), "saltenv {evil:?}");
        assert!(MinionId::parse(evil).is_err(), "id {evil:?}");
        assert!(Jid::parse(evil).is_err(), "jid {evil:?}");
    }
}

/// A syndic's id named its cache directory.
#[test]
fn cve_2024_22231_an_id_is_one_visible_name() {
    for evil in ["../syndics", "a/b", ".key_cache", ".", "", "a\nb", &"x".repeat(300)] {
        assert!(MinionId::parse(evil).is_err(), "{evil:?}");
        assert!(
            Envelope::parse(map! {"enc" => "aes", "load" => "x", "version" => 3, "id" => evil}.into(), 3)
                .is_err()
        );
    }
}

/// A jid named a path that a worker then opened.
#[test]
fn cve_2025_22242_a_jid_is_no_path() {
    let master = Master::new();
    let (channel, _) = join(&master, "m1", 1);
    for evil in ["../../dev/stdin", "/proc/self/fd/0", "20260101000000000000/x", "a b", ""] {
        let load = map! {"cmd" => "_return", "jid" => evil, "fun" => "test.ping", "return" => true};
        let request = master.open(channel.request(load, NOW, None).unwrap().0).unwrap();
        let parsed = ReturnLoad::parse(request.load, request.minion);
        assert!(matches!(parsed, Err(MessageError::Jid(_))), "{evil:?}");
    }
}

/// The pillar was not signed: who could answer for the master could give any pillar.
#[test]
fn cve_2022_22934_a_pillar_is_signed_and_bound_to_its_request() {
    let (minion, master, mallory) = (key(1), key(0), key(2));
    let (nonce, other) = (Nonce::generate().unwrap(), Nonce::generate().unwrap());
    let (enc, sig) = (EncAlgo::OaepSha1, SigAlgo::Pkcs1v15Sha1);
    let open = |reply: &Value| pillar::open(reply, &nonce, minion, enc, &master.public(), sig);
    let seal = |nonce, signer| {
        over_the_wire(
            pillar::seal(map! {"p" => 1}.into(), nonce, &minion.public(), enc, signer, sig).unwrap(),
        )
    };
    assert_eq!(open(&seal(&nonce, master)), Ok(map! {"p" => 1}.into()));
    assert_eq!(open(&seal(&nonce, mallory)), Err(PillarError::Crypt(CryptError::Signature)));
    assert_eq!(open(&seal(&other, master)), Err(PillarError::Nonce));
    // A genuine signed content, wrapped again under a key of the attacker's choice.
    let genuine = seal(&nonce, master);
    let inner_key = minion.decrypt(genuine.get("key").unwrap().as_bytes().unwrap(), enc).unwrap();
    let signed = AesKey::parse(&inner_key)
        .unwrap()
        .loads(genuine.get("pillar").unwrap().as_bytes().unwrap(), None)
        .unwrap();
    let mine = AesKey::generate().unwrap();
    let wrapped = map! {
        "key" => minion.public().encrypt(mine.reveal().as_bytes(), enc).unwrap(),
        "pillar" => mine.dumps(&signed, None).unwrap(),
    };
    assert_eq!(open(&wrapped.into()), Err(PillarError::Key));
    // And the unsigned form of old protocol versions.
    let bare = map! {
        "key" => minion.public().encrypt(mine.reveal().as_bytes(), enc).unwrap(),
        "pillar" => mine.dumps(&map!{"p" => 2}.into(), None).unwrap(),
    };
    assert_eq!(open(&bare.into()), Err(PillarError::Shape));
}

/// The auth reply was not signed: a stranger could end a minion.
#[test]
fn cve_2022_22935_auth_replies_are_signed_and_strangers_cannot_end_a_minion() {
    let master = Master::new();
    master.accept("m1", key(1));
    let options = AuthOptions::new(id("m1"));
    let attempt = AuthAttempt::new(&options, key(1), Some(master.creds.public_pem()), None).unwrap();
    let nonce = attempt.request().get("load").unwrap().get("nonce").unwrap().clone();
    let refusal = map! {"ret" => false, "nonce" => nonce};
    let data = msgpack::encode_map(&refusal, Dialect::Old);
    let forged =
        |sig: Vec<u8>| attempt.finish(&map! {"enc" => "clear", "load" => data.clone(), "sig" => sig}.into());
    assert!(matches!(forged(vec![]), Outcome::Signature));
    assert!(matches!(forged(key(2).sign(&data, options.sig_algo).unwrap()), Outcome::Signature));
    assert!(matches!(
        attempt.finish(&map! {"enc" => "clear", "load" => refusal}.into()),
        Outcome::Garbage(_)
    ));
    let signed = forged(key(0).sign(&data, options.sig_algo).unwrap());
    assert!(matches!(signed, Outcome::Rejected { authenticated: true }));
    // On first contact nothing is known to verify with, so nothing said is final.
    let first = AuthAttempt::new(&options, key(1), None, None).unwrap();
    let nonce = first.request().get("load").unwrap().get("nonce").unwrap().clone();
    let data = msgpack::encode_map(&map! {"ret" => false, "nonce" => nonce}, Dialect::Old);
    let outcome = first.finish(&map! {"enc" => "clear", "load" => data, "sig" => "x"}.into());
    assert!(matches!(outcome, Outcome::Rejected { authenticated: false }));
}

/// An earlier genuine auth reply was accepted again.
#[test]
fn cve_2022_22935_an_auth_reply_answers_one_request() {
    let master = Master::new();
    master.accept("m1", key(1));
    let options = AuthOptions::new(id("m1"));
    let one = AuthAttempt::new(&options, key(1), None, None).unwrap();
    let two = AuthAttempt::new(&options, key(1), None, None).unwrap();
    let (reply, _) = master.auth(over_the_wire(one.request()), AuthRules::default());
    assert!(matches!(one.finish(&reply), Outcome::Accepted(_)));
    assert!(matches!(two.finish(&reply), Outcome::Nonce));
}

/// Job publishes and file replies could be replayed.
#[test]
fn cve_2022_22936_replies_and_jobs_cannot_be_replayed() {
    let master = Master::new();
    let (channel, credentials) = join(&master, "m1", 1);
    let ask = || {
        let (body, nonce) = channel.request(map! {"cmd" => "_serve_file"}, NOW, None).unwrap();
        (master.open(body).unwrap().reply(&"content".into()).unwrap(), nonce)
    };
    let ((first, first_nonce), (_, second_nonce)) = (ask(), ask());
    assert_eq!(channel.open(&first, &first_nonce), Ok("content".into()));
    assert_eq!(channel.open(&first, &second_nonce), Err(ReplyError::Crypt(CryptError::Nonce)));
    let mut receiver = PublishReceiver::new(credentials.aes.clone(), credentials.master, true);
    let job =
        over_the_wire(wrap(&Map::new(), &credentials.aes, 7, Some((key(0), SigAlgo::Pkcs1v15Sha1))).unwrap());
    assert!(receiver.open(&job).is_ok());
    assert_eq!(receiver.open(&job), Err(PublishError::Serial { found: 7, last: 7 }));
}

/// Several master methods did not check the minion's token: any minion could speak as any other.
#[test]
fn cve_2024_38822_no_minion_speaks_as_another() {
    let master = Master::new();
    let (_, _) = join(&master, "m1", 1);
    let (_, _) = join(&master, "m2", 2);
    let session = master.sessions.borrow()[&id("m2")].clone();
    for command in MinionCommand::ALL {
        let send = |outer: &str, load: Map| {
            let data = session.dumps(&load.into(), None).unwrap();
            master.open(map! {"enc" => "aes", "load" => data, "version" => 3, "id" => outer}).map(|_| ())
        };
        let load = |inner: &str| {
            let nonce = Nonce::generate().unwrap();
            map! {"cmd" => command.name(), "id" => inner, "ts" => NOW, "nonce" => nonce.as_str()}
        };
        let tok = key(2).token().unwrap();
        assert_eq!(send("m2", load("m2")), Err(RequestError::Token), "no token: {command:?}");
        assert_eq!(send("m2", with(load("m1"), "tok", tok.clone())), Err(RequestError::IdMismatch));
        assert_eq!(
            send("m1", with(load("m1"), "tok", tok.clone())),
            Err(RequestError::Crypt(CryptError::Mac))
        );
        let other = with(load("m2"), "tok", key(1).token().unwrap());
        assert_eq!(send("m2", other), Err(RequestError::Token), "token of another: {command:?}");
        assert_eq!(send("m2", with(load("m2"), "tok", tok)), Ok(()), "{command:?}");
    }
}

/// Requests could be replayed on the wire.
#[test]
fn cve_2024_38823_acts_are_not_done_twice() {
    let master = Master::new();
    let (channel, _) = join(&master, "m1", 1);
    for command in MinionCommand::ALL {
        let (body, _) = channel.request(map! {"cmd" => command.name()}, NOW, None).unwrap();
        assert!(master.open(body.clone()).is_ok());
        let again = master.open(body).map(|_| ());
        let expected = if command.is_question() { Ok(()) } else { Err(RequestError::Replayed) };
        assert_eq!(again, expected, "{command:?}");
    }
}

/// A minion that spoke a newer protocol is not believed in an older one.
#[test]
fn cve_2025_62349_downgrade_even_where_version_2_is_allowed() {
    assert_eq!(
        (envelope::version_floor(0), envelope::version_floor(2), envelope::version_floor(3)),
        (2, 2, 3)
    );
    let master = Master { floor: 2, ..Master::new() };
    let (channel, _) = join(&master, "m1", 1);
    master.open(channel.request(map! {"cmd" => "_return"}, NOW, None).unwrap().0).unwrap();
    let load =
        map! {"cmd" => "_return", "id" => "m1", "nonce" => "0".repeat(32), "tok" => key(1).token().unwrap()};
    let data = master.creds.aes().dumps(&load.into(), None).unwrap();
    let refused = master.open(map! {"enc" => "aes", "load" => data, "version" => 2}).unwrap_err();
    assert_eq!(refused, RequestError::Downgrade { found: 2, seen: 3 });
}

/// An exception in one connection's handling ended the service: no input panics, each gets a reply.
#[test]
fn cve_2023_20897_every_bad_request_gets_an_answer() {
    let deep = vec![0x91u8; 10_000];
    for body in [&b""[..], b"\xc1", b"\x80", b"\xdf\xff\xff\xff\xff", b"\xc4\xff", &deep] {
        let reply = Envelope::from_bytes(body, 3).unwrap_err().reply();
        assert!(reply.as_str() == Some("bad load") || reply == map! {"msg" => "bad load"}.into());
    }
}

/// Session files were made for any valid id: the disk could be filled without a key.
#[test]
fn weakness_no_session_before_acceptance() {
    let master = Master::new();
    let options = AuthOptions::new(id("m1"));
    let attempt = AuthAttempt::new(&options, key(1), None, None).unwrap();
    master.auth(over_the_wire(attempt.request()), AuthRules::default());
    let body = map! {"enc" => "aes", "load" => vec![0xffu8; 64], "version" => 3, "id" => "m1"};
    assert_eq!(master.open(body).unwrap_err(), RequestError::NoSession);
    assert!(master.sessions.borrow().is_empty());
}

/// Any minion held the key to forge publishes to others: once the master signs, an unsigned one is refused, and a
/// signature by another is refused whatever the minion's own option says.
#[test]
fn weakness_global_key_does_not_forge_jobs() {
    let master = Master::new();
    let (_, credentials) = join(&master, "m1", 1);
    let mut receiver = PublishReceiver::new(credentials.aes.clone(), credentials.master, false);
    let genuine = wrap(&Map::new(), &credentials.aes, 1, Some((key(0), SigAlgo::Pkcs1v15Sha1))).unwrap();
    receiver.open(&over_the_wire(genuine)).unwrap();
    for (forged, why) in [
        (wrap(&Map::new(), &credentials.aes, 9, None).unwrap(), PublishError::Unsigned),
        (
            wrap(&Map::new(), &credentials.aes, 9, Some((key(1), SigAlgo::Pkcs1v15Sha1))).unwrap(),
            PublishError::Signature,
        ),
    ] {
        assert_eq!(receiver.open(&over_the_wire(forged)), Err(why));
    }
}

/// A return names another minion: whatever it says, it is its sender's.
#[test]
fn weakness_returns_belong_to_their_sender() {
    let master = Master::new();
    let (channel, _) = join(&master, "m1", 1);
    let load = map! {"cmd" => "_return", "jid" => "req", "fun" => "f", "return" => 1, "resource_id" => "m2"};
    let request = master.open(channel.request(load, NOW, Some(key(1))).unwrap().0).unwrap();
    let mut load = request.load.clone();
    assert_eq!(returns::verify(&mut load, &key(1).public(), SigAlgo::Pkcs1v15Sha1), Ok(()));
    let parsed = ReturnLoad::parse(load, request.minion).unwrap();
    assert_eq!((parsed.minion.as_str(), parsed.jid), ("m1", ReturnJid::Request));
    let load = map! {"tag" => "custom", "id" => "m2"};
    let stamped = events::minion_events(&load, &parsed.minion).unwrap();
    assert_eq!(stamped.events[0].data.get_str("id"), Some("m1"));
}

/// TLS bodies marked `tls_opt::` are plain text that some versions accept in place of ciphertext.
#[test]
fn weakness_plaintext_markers_are_not_ciphertext() {
    let master = Master::new();
    join(&master, "m1", 1);
    let mut plain = b"tls_opt::".to_vec();
    plain.extend_from_slice(&msgpack::encode_map(&map! {"cmd" => "_pillar", "id" => "m1"}, Dialect::Old));
    let body = map! {"enc" => "aes", "load" => plain, "version" => 3, "id" => "m1"};
    assert!(matches!(master.open(body), Err(RequestError::Crypt(_))));
}

/// Credentials in logs: no secret type prints its content.
#[test]
fn cve_2021_25284_secrets_do_not_print() {
    let master = Master::new();
    let (channel, credentials) = join(&master, "m1", 1);
    let printed = format!("{:?} {channel:?} {credentials:?} {:?}", master.creds, key(1));
    for secret in [credentials.aes.reveal(), credentials.session.reveal()] {
        assert!(!printed.contains(secret));
    }
    assert!(!printed.contains("PRIVATE"));
    let pem = key(0).to_pem().unwrap();
    assert!(pem.lines().nth(3).is_some_and(|line| !printed.contains(line)));
}
