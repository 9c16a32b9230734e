//! Properties that hold for any input, one group per parser.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use brine_protocol::auth::autosign;
use brine_protocol::auth::master::AuthRequest;
use brine_protocol::crypt::{AesKey, Nonce, PublicKey, SigAlgo, clean_key};
use brine_protocol::envelope::Envelope;
use brine_protocol::ids::{Jid, MinionId, RelPath, SaltEnv, is_generated_jid};
use brine_protocol::message::events::Event;
use brine_protocol::message::publish::PublishLoad;
use brine_protocol::message::{returns, tags};
use brine_protocol::msgpack::{self, Dialect, Limits};
use brine_protocol::{DateTime, Map, Value, map};
use common::{id, key, over_the_wire};
use proptest::prelude::*;

/// Values that survive a round trip: bytes that are valid UTF-8 come back as text, so there are none.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::Float),
        ".{0,80}".prop_map(Value::Str),
        prop::collection::vec(any::<u8>(), 0..80).prop_map(|mut b| {
            b.push(0xff);
            Value::Bytes(b)
        }),
        (1u16..9999, 1u8..13, 1u8..29, 0u8..24, 0u8..60, 0u8..60, 0u32..1_000_000).prop_map(
            |(year, month, day, hour, minute, second, micro)| {
                Value::DateTime(DateTime { year, month, day, hour, minute, second, micro })
            }
        ),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
            prop::collection::vec((scalar(), inner), 0..8).prop_map(|m| Value::Map(m.into_iter().collect())),
        ]
    })
}

fn any_map() -> impl Strategy<Value = Map> {
    prop::collection::vec((".{0,12}", value()), 0..8).prop_map(|m| m.into_iter().collect())
}

/// Maps whose keys are the interesting ones.
fn near_map(keys: &'static [&'static str]) -> impl Strategy<Value = Map> {
    prop::collection::vec((prop::sample::select(keys), value()), 0..8).prop_map(|m| m.into_iter().collect())
}

/// Any moment that is on time's own scale.
fn moment() -> impl Strategy<Value = DateTime> {
    (0u16..=9999, 1u8..=12, 1u8..=31, 0u8..24, 0u8..60, 0u8..60, 0u32..1_000_000).prop_map(
        |(year, month, day, hour, minute, second, micro)| DateTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micro,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_round_trip_in_both_dialects(v in value()) {
        for dialect in [Dialect::Old, Dialect::New] {
            let bytes = msgpack::encode(&v, dialect);
            prop_assert_eq!(msgpack::measure(&bytes, Limits::default()), Ok(bytes.len()));
            prop_assert_eq!(msgpack::decode(&bytes), Ok(v.clone()));
        }
    }

    #[test]
    fn decoders_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let decoded = msgpack::decode_prefix(&bytes, Limits::default());
        let measured = msgpack::measure(&bytes, Limits::default());
        if let Ok((_, used)) = decoded {
            prop_assert_eq!(measured, Ok(used));
        }
        let _ = Event::from_body(&bytes);
        let _ = Event::from_frame(&bytes);
        let _ = AesKey::parse(&bytes);
        let refused = Envelope::from_bytes(&bytes, 3).is_err();
        prop_assert!(refused, "noise is no request");
    }

    #[test]
    fn envelopes_of_odd_maps_get_a_reply(m in near_map(&["enc", "load", "version", "id", "enc_algo", "sig_algo"]), clear: bool) {
        let mut m = m;
        m.insert("enc", if clear { "clear" } else { "aes" });
        if let Err(e) = Envelope::parse(m.into(), 3) {
            prop_assert!(e.reply().truthy());
        }
    }

    #[test]
    fn ciphertext_round_trips(v in value(), with_nonce: bool) {
        let key = AesKey::generate().unwrap();
        let nonce = with_nonce.then(|| Nonce::generate().unwrap());
        let sealed = key.dumps(&v, nonce.as_ref()).unwrap();
        prop_assert_eq!(key.loads(&sealed, nonce.as_ref()), Ok(v));
    }

    #[test]
    fn events_round_trip(tag in "[^\n]{0,60}", data in any_map()) {
        let event = Event::new(tag, data);
        prop_assert_eq!(Event::from_body(&event.to_body()), Ok(event.clone()));
        prop_assert_eq!(Event::from_frame(&event.to_frame()), Ok(event));
    }

    #[test]
    fn names_hold_nothing_special(text in r"[a-z0-9./\\\n\x00_-]{0,12}") {
        if let Ok(id) = MinionId::parse(&text) {
            prop_assert!(!id.as_str().contains(['/', '\\', '\0', '\n']) && !id.as_str().starts_with('.'));
        }
        if let Ok(path) = RelPath::parse(&text) {
            let joined = std::path::Path::new("/root").join(path.as_str());
            let kept = joined.components().all(|c| !matches!(c, std::path::Component::ParentDir));
            prop_assert!(kept && joined.starts_with("/root") && joined != std::path::Path::new("/root"));
        }
        if let Ok(env) = SaltEnv::parse(&text) {
            prop_assert!(RelPath::parse(env.as_str()).is_ok());
        }
        if let Ok(jid) = Jid::parse(&text) {
            prop_assert!(RelPath::parse(jid.as_str()).is_ok() && MinionId::parse(jid.as_str()).is_ok());
        }
    }

    #[test]
    fn jids_are_in_order(a in moment(), b in moment()) {
        let (x, y) = (Jid::of(&a, None), Jid::of(&b, None));
        prop_assert!(x.is_generated());
        prop_assert_eq!(a.cmp(&b), x.cmp(&y));
    }

    #[test]
    fn tags_that_pass_are_not_reserved(tag in "(salt/|syndic/|key|[0-9]{20}|a|/|m1|\n|beacon/|minion/|job/){0,6}") {
        if tags::minion_may_fire(&tag, &id("m1")) {
            prop_assert!(!is_generated_jid(&tag) && tag != "key" && !tag.contains("\n\n"));
            let mut parts = tag.split('/');
            if parts.next() == Some("salt") && ["", "beacon", "job", "key", "minion", "syndic"].contains(&parts.next().unwrap_or_default()) {
                prop_assert!(parts.any(|part| part == "m1"));
            }
        }
    }

    #[test]
    fn keys_clean_once(text in "[ \r\na-z-]{0,60}") {
        let clean = clean_key(&text);
        prop_assert!(!clean.contains('\r'));
        prop_assert_eq!(clean_key(&clean), clean);
        prop_assert!(PublicKey::from_pem(&text).is_err());
    }

    #[test]
    fn loads_of_odd_maps_do_not_panic(
        job in near_map(&["fun", "arg", "tgt", "jid", "tgt_type", "ret"]),
        auth in near_map(&["id", "nonce", "pub", "token", "enc_algo", "sig_algo", "autosign_grains"]),
    ) {
        let _ = PublishLoad::parse(job);
        let _ = AuthRequest::parse(&auth, 3);
    }

    #[test]
    fn autosign_patterns_end(pattern in r"[a-b*?!\[\](){}|+.\\^$0-9-]{0,16}", text in "[ab.0]{1,12}") {
        let minion = id(&["x", &text].concat());
        let _ = autosign::file_lists(&pattern, &minion);
        let exact = ["# comment", minion.as_str()].join("\n");
        prop_assert!(autosign::file_lists(&exact, &minion));
    }
}

proptest! {
    // Private operations are slow.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn x931_recovers_any_message(message in prop::collection::vec(any::<u8>(), 0..255)) {
        let sig = key(0).sign_x931(&message).unwrap();
        prop_assert_eq!(sig.len(), 256);
        prop_assert_eq!(key(0).public().recover_x931(&sig), Ok(message));
        prop_assert!(key(1).public().recover_x931(&sig).is_err());
    }

    #[test]
    fn signed_returns_verify_after_the_wire(ret in value()) {
        let mut load = map! {"cmd" => "_return", "return" => ret, "nonce" => "n", "tok" => "t"};
        returns::sign(&mut load, key(1), SigAlgo::Pkcs1v15Sha224).unwrap();
        let Value::Map(mut got) = over_the_wire(load) else { panic!() };
        prop_assert_eq!(returns::verify(&mut got, &key(1).public(), SigAlgo::Pkcs1v15Sha224), Ok(()));
    }
}
