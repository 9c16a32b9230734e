//! Returns on their way to the master: the fields that identify them, and signatures over them.
//!
//! What a return means, and where it is stored, is the master's business.

use super::MessageError;
use crate::crypt::{CryptError, PrivateKey, PublicKey, SigAlgo};
use crate::ids::{Jid, MinionId};
use crate::msgpack::{self, Dialect};
use crate::request::Authenticated;
use crate::value::{Map, Value};

/// A return whose sender is proved.
#[derive(Clone, Debug, PartialEq)]
pub struct ReturnLoad {
    /// Who returned it; whatever the load said is replaced by this.
    pub minion: Authenticated<MinionId>,
    /// For which job.
    pub jid: ReturnJid,
    /// The function or functions.
    pub fun: Value,
    /// The result.
    pub ret: Value,
    /// `retcode`: a number, or a map or list of them for several functions.
    pub retcode: Value,
    /// `success`, if the minion said.
    pub success: Value,
    /// The whole load, `id` replaced, `tok` and `nonce` gone.
    pub raw: Map,
}

/// The job a return belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReturnJid {
    /// A published job.
    Job(Jid),
    /// `req`: a local job; the master allocates an id and saves the load too.
    Request,
    /// `nocache`: not to be stored.
    NoCache,
}

impl ReturnLoad {
    /// Reads a `_return` load.
    pub fn parse(mut raw: Map, minion: Authenticated<MinionId>) -> Result<Self, MessageError> {
        let jid = match raw.get("jid") {
            Some(Value::Str(jid)) if jid == "req" => ReturnJid::Request,
            Some(Value::Str(jid)) if jid == "nocache" => ReturnJid::NoCache,
            Some(Value::Str(jid)) => ReturnJid::Job(Jid::parse(jid).map_err(MessageError::Jid)?),
            _ => return Err(MessageError::Field("jid")),
        };
        let fun = raw.get("fun").filter(|f| matches!(f, Value::Str(_) | Value::List(_)));
        let fun = fun.ok_or(MessageError::Field("fun"))?.clone();
        let ret = raw.get("return").ok_or(MessageError::Field("return"))?.clone();
        let get = |key: &str| raw.get(key).cloned().unwrap_or_default();
        let (retcode, success) = (get("retcode"), get("success"));
        raw.insert("id", &*minion);
        raw.remove("tok");
        raw.remove("nonce");
        Ok(Self { minion, jid, fun, ret, retcode, success, raw })
    }
}

/// Adds `sig` to a load about to be sent (`minion_sign_messages`).
pub fn sign(load: &mut Map, key: &PrivateKey, algo: SigAlgo) -> Result<(), CryptError> {
    load.remove("sig");
    let sig = key.sign(&signed_bytes(load), algo)?;
    load.insert("sig", sig);
    Ok(())
}

/// Checks and removes the `sig` of a received load.
pub fn verify(load: &mut Map, key: &PublicKey, algo: SigAlgo) -> Result<(), CryptError> {
    let sig = load.remove("sig").and_then(Value::into_bytes).ok_or(CryptError::Signature)?;
    key.verify(&signed_bytes(load), &sig, algo)
}

/// The load without its transport fields, in insertion order and, unlike all other signed blobs, in the new dialect.
fn signed_bytes(load: &Map) -> Vec<u8> {
    let mut view = load.clone();
    for field in ["nonce", "tok", "sig"] {
        view.remove(field);
    }
    let mut view = Value::Map(view);
    as_received(&mut view);
    msgpack::encode(&view, Dialect::New)
}

/// The master sees valid UTF-8 as text whatever it was, so that is what must be signed.
fn as_received(value: &mut Value) {
    match value {
        Value::Bytes(bytes) => {
            if let Ok(text) = std::str::from_utf8(bytes) {
                *value = Value::Str(text.to_owned());
            }
        }
        Value::List(list) => list.iter_mut().for_each(as_received),
        Value::Map(map) => {
            let mut seen = Map::with_capacity(map.len());
            for (mut key, mut item) in std::mem::take(map) {
                as_received(&mut key);
                as_received(&mut item);
                seen.insert(key, item);
            }
            *map = seen;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    #[test]
    fn the_sender_is_who_proved_it() {
        let id = Authenticated::new(MinionId::parse("m1").unwrap());
        let load = map! {"id" => "m2", "jid" => "req", "fun" => "test.ping", "return" => true, "tok" => "x", "nonce" => "y"};
        let got = ReturnLoad::parse(load.clone(), id.clone()).unwrap();
        assert_eq!(got.raw.get_str("id"), Some("m1"));
        assert!(!got.raw.contains("tok") && !got.raw.contains("nonce"));
        assert_eq!(got.jid, ReturnJid::Request);
        for (key, bad) in [("jid", Value::from("../x")), ("jid", 5.into()), ("fun", Value::Nil)] {
            let mut wrong = load.clone();
            wrong.insert(key, bad);
            assert!(ReturnLoad::parse(wrong, id.clone()).is_err());
        }
    }

    #[test]
    fn signatures_survive_the_wire_and_find_changes() {
        let key = PrivateKey::generate(2048).unwrap();
        let mut load = map! {"cmd" => "_return", "return" => map!{"b" => b"text".as_slice(), "x" => vec![0xffu8]}, "nonce" => "n", "tok" => "t"};
        sign(&mut load, &key, SigAlgo::Pkcs1v15Sha1).unwrap();
        let Value::Map(mut got) = msgpack::decode(&msgpack::encode_map(&load, Dialect::Old)).unwrap() else {
            panic!()
        };
        got.remove("nonce");
        got.remove("tok");
        let mut changed = got.clone();
        changed.insert("return", "other");
        assert_eq!(verify(&mut got, &key.public(), SigAlgo::Pkcs1v15Sha1), Ok(()));
        assert_eq!(verify(&mut changed, &key.public(), SigAlgo::Pkcs1v15Sha1), Err(CryptError::Signature));
        assert_eq!(verify(&mut Map::new(), &key.public(), SigAlgo::Pkcs1v15Sha1), Err(CryptError::Signature));
    }
}
