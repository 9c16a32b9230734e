//! What each fuzz target does with its input, shared by libFuzzer's programs and the bounded test on stable.
//!
//! A body must not panic, hang or allocate beyond its input's size, and checks what must hold for any input.

use brine_protocol::auth::master::{AuthRequest, AuthRules, StoredKeys, decide};
use brine_protocol::auth::minion::{AuthAttempt, AuthOptions, Outcome};
use brine_protocol::channel::MinionChannel;
use brine_protocol::crypt::{
    AesKey, CryptError, EncAlgo, Nonce, PrivateKey, PublicKey, SigAlgo, clean_key, pem_finger,
};
use brine_protocol::envelope::{AesEnvelope, Envelope};
use brine_protocol::ids::{Jid, MinionId, RelPath, SaltEnv};
use brine_protocol::message::events::{Event, minion_events};
use brine_protocol::message::publish::{PublishLoad, PublishReceiver};
use brine_protocol::message::returns::ReturnLoad;
use brine_protocol::msgpack::{self, Dialect, Limits};
use brine_protocol::request::{self, RequestKeys, RequestMemory, open_identify};
use brine_protocol::zmtp::{self, Config, Connection, SocketType};
use brine_protocol::{Map, Value, map, pillar};
use bytes::BytesMut;
use std::sync::OnceLock;

/// A fuzz body: takes any bytes.
pub(crate) type Body = fn(&[u8]);

/// Every target by name.
pub(crate) const TARGETS: &[(&str, Body)] = &[
    ("msgpack", msgpack),
    ("envelope", envelope),
    ("auth_request", auth_request),
    ("auth_reply", auth_reply),
    ("request_load", request_load),
    ("reply", reply),
    ("publish", publish),
    ("event", event),
    ("pem", pem),
    ("ciphertext", ciphertext),
    ("names", names),
    ("zmtp", zmtp_connection),
];

/// Keys made once; the minion's and the master's are the same, which no parser can know.
struct Keys {
    key: PrivateKey,
    public: PublicKey,
    pem: String,
    aes: AesKey,
    token: Vec<u8>,
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let key = PrivateKey::generate(2048).expect("a key");
        let public = key.public();
        let pem = public.to_pem().expect("a PEM");
        Keys {
            token: key.token().expect("a token"),
            aes: AesKey::generate().expect("a key"),
            key,
            public,
            pem,
        }
    })
}

impl RequestKeys for Keys {
    fn session(&self, _: &MinionId) -> Option<AesKey> {
        Some(self.aes.clone())
    }
    fn global(&self) -> AesKey {
        self.aes.clone()
    }
    fn accepted(&self, _: &MinionId) -> Option<PublicKey> {
        Some(self.public.clone())
    }
}

/// The decoder: what decodes encodes to something that decodes to the same, and `measure` agrees.
pub(crate) fn msgpack(data: &[u8]) {
    let measured = msgpack::measure(data, Limits::default());
    let Ok((value, used)) = msgpack::decode_prefix(data, Limits::default()) else { return };
    assert_eq!(measured, Ok(used), "measure and decode agree on where a value ends");
    for dialect in [Dialect::Old, Dialect::New] {
        let bytes = msgpack::encode(&value, dialect);
        assert_eq!(msgpack::decode(&bytes), Ok(value.clone()), "a value survives its own encoding");
    }
}

/// The outer map of a request; any error has a reply.
pub(crate) fn envelope(data: &[u8]) {
    match Envelope::from_bytes(data, 2) {
        Ok(Envelope::Aes(aes)) => assert!(aes.version < 3 || aes.id.is_some()),
        Ok(Envelope::Clear { version, .. }) => assert!(version >= 2),
        Err(e) => assert!(e.reply().truthy()),
    }
}

/// A clear `_auth` load, up to the decision: only parsable keys and plain ids are ever stored.
pub(crate) fn auth_request(data: &[u8]) {
    let Ok(Value::Map(load)) = msgpack::decode(data) else { return };
    let Ok(request) = AuthRequest::parse(&load, 3) else { return };
    for rules in [AuthRules::default(), AuthRules { autosign: true, ..AuthRules::default() }] {
        let decision = decide(&request, &StoredKeys::default(), rules);
        assert!(decision.actions.is_empty() || PublicKey::from_pem(&request.pub_pem).is_ok());
        assert!(MinionId::parse(request.id.as_str()).is_ok());
    }
}

/// A reply to `_auth`, as a whole and as a correctly signed load.
pub(crate) fn auth_reply(data: &[u8]) {
    let options = AuthOptions::new(MinionId::parse("m1").expect("an id"));
    let keys = keys();
    let attempt = AuthAttempt::new(&options, &keys.key, Some(&keys.pem), None).expect("an attempt");
    if let Ok(value) = msgpack::decode(data) {
        assert!(!matches!(attempt.finish(&value), Outcome::Accepted(_)), "nobody guesses a reply");
    }
    // A private operation per input is slow, so only inputs that decode to a map are worth one.
    if matches!(msgpack::decode(data), Ok(Value::Map(_))) {
        let sig = keys.key.sign(data, SigAlgo::Pkcs1v15Sha1).expect("a signature");
        let outcome = attempt.finish(&map! {"enc" => "clear", "load" => data, "sig" => sig}.into());
        assert!(!matches!(outcome, Outcome::Accepted(_)), "nobody guesses a nonce");
    }
}

/// The plaintext of a request from someone who holds a session key, and all that is read out of it.
pub(crate) fn request_load(data: &[u8]) {
    let keys = keys();
    let mut plain = b"pickle::".to_vec();
    plain.extend_from_slice(data);
    let sealed = keys.aes.encrypt(&plain).expect("ciphertext");
    let envelope = |data: Vec<u8>, version| AesEnvelope {
        id: MinionId::parse("m1").ok(),
        data,
        version,
        enc_algo: Some(EncAlgo::OaepSha1),
        sig_algo: Some(SigAlgo::Pkcs1v15Sha1),
    };
    let mut memory = RequestMemory::default();
    for version in [2, 3] {
        let _ = request::open(&envelope(sealed.clone(), version), keys, 60, 1000, &mut memory);
    }
    let _ = open_identify(&map! {"enc" => "aes", "load" => sealed}.into(), keys);
    // The same load with what proves its sender put in.
    let Ok(Value::Map(mut load)) = msgpack::decode(data) else { return };
    load.insert("id", "m1");
    load.insert("tok", keys.token.clone());
    load.insert("nonce", "0".repeat(32));
    load.insert("ts", 1000);
    let sealed = keys.aes.dumps(&load.into(), None).expect("ciphertext");
    let request = request::open(&envelope(sealed, 3), keys, 60, 1000, &mut RequestMemory::default());
    let request = request.expect("a proved sender is let in");
    assert_eq!(request.load.get_str("id"), Some("m1"));
    if let Ok(found) = minion_events(&request.load, &request.minion) {
        for event in found.events {
            assert_eq!(event.data.get_str("id"), Some("m1"));
            assert!(!event.tag.starts_with("salt/auth") && event.tag != "key");
        }
    }
    if let Ok(parsed) = ReturnLoad::parse(request.load, request.minion) {
        assert_eq!(parsed.raw.get_str("id"), Some("m1"));
    }
}

/// Replies to a minion: ordinary and private.
pub(crate) fn reply(data: &[u8]) {
    static CHANNEL: OnceLock<MinionChannel> = OnceLock::new();
    let keys = keys();
    let channel = CHANNEL.get_or_init(|| {
        let id = MinionId::parse("m1").expect("an id");
        MinionChannel::new(id, keys.aes.clone(), &keys.key, EncAlgo::OaepSha1, SigAlgo::Pkcs1v15Sha1)
            .expect("a channel")
    });
    let nonce = Nonce::parse(&"0".repeat(32)).expect("a nonce");
    assert!(channel.open(&Value::Bytes(data.to_vec()), &nonce).is_err());
    let Ok(value) = msgpack::decode(data) else { return };
    assert!(channel.open(&value, &nonce).is_err(), "nobody guesses a MAC");
    let (enc, sig) = (EncAlgo::OaepSha1, SigAlgo::Pkcs1v15Sha1);
    assert!(pillar::open(&value, &nonce, &keys.key, enc, &keys.public, sig).is_err());
}

/// What arrives on the publish port, and what is read out of a correctly encrypted job.
pub(crate) fn publish(data: &[u8]) {
    let keys = keys();
    let mut receiver = PublishReceiver::new(keys.aes.clone(), keys.public.clone(), false);
    if let Ok(value) = msgpack::decode(data) {
        assert!(receiver.open(&value).is_err(), "nobody guesses a MAC");
        if let Value::Map(load) = value {
            let sealed = keys.aes.dumps(&load.into(), None).expect("ciphertext");
            if let Ok(load) = receiver.open(&map! {"enc" => "aes", "load" => sealed}.into())
                && let Ok(job) = PublishLoad::parse(load)
            {
                assert!(Jid::parse(job.jid.as_str()).is_ok());
            }
        }
    }
}

/// A frame of the local bus.
pub(crate) fn event(data: &[u8]) {
    if let Ok(event) = Event::from_body(data) {
        assert_eq!(Event::from_body(&event.to_body()), Ok(event));
    }
    if let Ok(event) = Event::from_frame(data) {
        assert_eq!(Event::from_frame(&event.to_frame()), Ok(event));
    }
}

/// Keys in PEM.
pub(crate) fn pem(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let cleaned = clean_key(text);
    assert_eq!(clean_key(&cleaned), cleaned);
    let _ = pem_finger(text, brine_protocol::crypt::HashType::Sha256);
    let _ = PrivateKey::from_pem(text, Some("passphrase"));
    if let Ok(key) = PublicKey::from_pem(text) {
        let again = key.to_pem().and_then(|pem| PublicKey::from_pem(&pem));
        assert!(again.is_ok_and(|again| again == key));
    }
}

/// Ciphertexts, signatures and tokens of any form.
pub(crate) fn ciphertext(data: &[u8]) {
    let keys = keys();
    assert!(matches!(keys.aes.decrypt(data), Err(CryptError::Mac | CryptError::Length)));
    assert!(keys.public.verify(b"message", data, SigAlgo::Pkcs1v15Sha1).is_err());
    assert!(keys.public.verify_x931(b"a message long enough not to be guessed", data).is_err());
    let _ = keys.public.recover_x931(data);
    let _ = AesKey::parse(data);
}

/// Names that become tags, keys or paths.
pub(crate) fn names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(id) = MinionId::parse(text) {
        assert!(!id.as_str().contains(['/', '\\', '\0', '\n']) && !id.as_str().starts_with('.'));
    }
    if let Ok(path) = RelPath::parse(text) {
        assert!(path.components().all(|part| !part.is_empty() && part != "." && part != ".."));
    }
    if let Ok(env) = SaltEnv::parse(text) {
        assert!(!env.as_str().split('/').any(|part| part == ".."));
    }
    if let Ok(jid) = Jid::parse(text) {
        assert!(!jid.as_str().contains(['/', '.', '\n']));
    }
}

/// A connection: after a good handshake or from the first byte, whole or in pieces.
pub(crate) fn zmtp_connection(data: &[u8]) {
    let limits = zmtp::Limits { max_frame: 1 << 16, max_message: 1 << 17, max_frames: 16 };
    for (socket_type, shake) in
        [(SocketType::Router, false), (SocketType::Router, true), (SocketType::Pub, true)]
    {
        let config = Config { socket_type, identity: bytes::Bytes::new(), limits };
        let mut connection = Connection::new(config);
        let mut buffer = BytesMut::new();
        if shake {
            let peer_type = if socket_type == SocketType::Pub { SocketType::Sub } else { SocketType::Req };
            let mut peer =
                Connection::new(Config { socket_type: peer_type, identity: bytes::Bytes::new(), limits });
            let mut to_peer = BytesMut::from(&connection.take_output().expect("a greeting")[..]);
            assert!(peer.receive(&mut to_peer).is_ok_and(|event| event.is_none()));
            while let Some(output) = peer.take_output() {
                buffer.extend_from_slice(&output);
            }
            let first = connection.receive(&mut buffer);
            assert!(first.is_ok_and(|event| event.is_some()), "a good handshake");
        }
        for piece in data.chunks(37) {
            buffer.extend_from_slice(piece);
            loop {
                match connection.receive(&mut buffer) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => return,
                }
                while connection.take_output().is_some() {}
            }
            assert!(connection.held() <= limits.max_message);
        }
    }
}

/// Whole maps are more often useful than noise: seeds for a generator.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let keys = keys();
    let load = map! {
        "cmd" => "_auth", "id" => "m1", "nonce" => "0".repeat(32), "pub" => &keys.pem, "token" => vec![0xffu8; 256],
        "enc_algo" => "OAEP-SHA1", "sig_algo" => "PKCS1v15-SHA1",
    };
    let job = map! {"fun" => "test.ping", "arg" => Value::List(vec![]), "tgt" => "*", "jid" => "20260101000000000000"};
    let reply = map! {"pub_key" => &keys.pem, "aes" => vec![1u8; 256], "session" => vec![2u8; 256], "sig" => "x", "nonce" => "y"};
    let events = map! {"pretag" => "p", "events" => Value::List(vec![map! {"tag" => "t", "data" => Map::new()}.into()])};
    let ret =
        map! {"jid" => "req", "fun" => "f", "return" => map! {"a" => 1.5, "b" => Value::Nil}, "retcode" => 0};
    let stranger = AesKey::generate().expect("a key");
    let sealed = stranger.dumps(&job.clone().into(), None).expect("ciphertext");
    let mut out: Vec<Vec<u8>> = [&load, &job, &reply, &events, &ret]
        .into_iter()
        .flat_map(|m| [msgpack::encode_map(m, Dialect::Old), msgpack::encode_map(m, Dialect::New)])
        .collect();
    let clear = Envelope::clear(load.clone());
    let aes = map! {"enc" => "aes", "load" => sealed, "version" => 3, "id" => "m1"};
    out.extend([clear, aes].iter().map(|m| msgpack::encode_map(m, Dialect::Old)));
    out.push(Event::new("salt/job/1/ret/m1", ret).to_body());
    out.push(Event::new("t", job).to_frame());
    out.push(keys.pem.clone().into_bytes());
    let config = Config {
        socket_type: SocketType::Req,
        identity: bytes::Bytes::new(),
        limits: zmtp::Limits { max_frame: 1, max_message: 1, max_frames: 1 },
    };
    out.push(Connection::new(config).take_output().map(|greeting| greeting.to_vec()).unwrap_or_default());
    out.push(
        b"\x00\x00\x01\x05hello\x04\x09\x04PING\x00\x00ab\x02\x00\x00\x00\x00\x00\x00\x00\x01x".to_vec(),
    );
    out.push(b"a/../b".to_vec());
    out.push(keys.token.clone());
    out
}
