//! Jobs on their way to minions: the load, its wrapping by the master, and the minion's checks on what arrives.
//!
//! Matching targets and running functions happen elsewhere.

use super::MessageError;
use crate::crypt::{AesKey, CryptError, PrivateKey, PublicKey, SigAlgo};
use crate::ids::Jid;
use crate::value::{Map, Value};

/// A published job, with the keys a minion needs to act.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishLoad {
    /// One function, or several to run in order.
    pub fun: Functions,
    /// One argument list per function.
    pub args: Vec<Vec<Value>>,
    /// The target.
    pub tgt: Value,
    /// How to read it; `glob` when absent.
    pub tgt_type: String,
    /// The job id.
    pub jid: Jid,
    /// The whole load as received, for returns, returners and `__pub_` arguments.
    pub raw: Map,
}

/// `fun` of a publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Functions {
    /// An ordinary job.
    One(String),
    /// A multi-function job.
    Many(Vec<String>),
}

impl PublishLoad {
    /// Reads a decrypted publish. Stock ignores silently what lacks `tgt`, `jid`, `fun` or `arg`.
    pub fn parse(raw: Map) -> Result<Self, MessageError> {
        let jid =
            Jid::parse(raw.get_str("jid").ok_or(MessageError::Field("jid"))?).map_err(MessageError::Jid)?;
        let tgt = raw.get("tgt").ok_or(MessageError::Field("tgt"))?.clone();
        let arg = raw.get("arg").and_then(Value::as_list).ok_or(MessageError::Field("arg"))?;
        let (fun, args) = match raw.get("fun") {
            Some(Value::Str(fun)) => (Functions::One(fun.clone()), vec![arg.to_vec()]),
            Some(Value::List(funs)) => {
                let text = |v: &Value| v.as_str().map(str::to_owned).ok_or(MessageError::Field("fun"));
                let funs = funs.iter().map(text).collect::<Result<Vec<_>, _>>()?;
                // One list per function; a bare value counts as a list of one.
                let mut args: Vec<Vec<Value>> = arg
                    .iter()
                    .map(|a| a.as_list().map_or_else(|| vec![a.clone()], <[Value]>::to_vec))
                    .collect();
                args.resize(funs.len(), Vec::new());
                (Functions::Many(funs), args)
            }
            _ => return Err(MessageError::Field("fun")),
        };
        let tgt_type = raw.get_str("tgt_type").unwrap_or("glob").to_owned();
        Ok(Self { fun, args, tgt, tgt_type, jid, raw })
    }

    /// Extra returners named by the job.
    pub fn returners(&self) -> impl Iterator<Item = &str> {
        self.raw.get_str("ret").unwrap_or("").split(',').map(str::trim).filter(|r| !r.is_empty())
    }

    /// The user shown in logs and events.
    pub fn user(&self) -> Option<&str> {
        self.raw.get_str("user")
    }
}

/// Encrypts a job for all minions.
///
/// `serial` counts up per global key, from 1. With `sign`, the ciphertext is signed by the master
/// (`sign_pub_messages`, on by default).
pub fn wrap(
    load: &Map,
    key: &AesKey,
    serial: u64,
    sign: Option<(&PrivateKey, SigAlgo)>,
) -> Result<Map, CryptError> {
    let mut load = load.clone();
    load.insert("serial", serial);
    let data = key.dumps(&load.into(), None)?;
    let mut out = crate::map! {"enc" => "aes", "load" => data.clone()};
    if let Some((master, algo)) = sign {
        out.insert("sig_algo", algo.name());
        out.insert("sig", master.sign(&data, algo)?);
    }
    Ok(out)
}

/// Why a publish was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Not a map with `enc: aes` and `load`: a topic frame, or noise.
    #[error("not a publish")]
    Shape,
    /// Signatures are demanded, or were always there before, and this has none.
    #[error("Message signing is enabled but the payload has no signature.")]
    Unsigned,
    /// The signature is not the master's.
    #[error("Message signature failed to validate.")]
    Signature,
    /// Does not decrypt. After [`CryptError::Mac`] the key may have been rotated: authenticate, then try again.
    #[error("{0}")]
    Crypt(#[from] CryptError),
    /// The counter did not rise under this key: a replay.
    #[error("serial {found} after {last}")]
    Serial {
        /// The number in the message.
        found: i128,
        /// The highest seen.
        last: i128,
    },
    /// The plaintext is not a map.
    #[error("load is not a map")]
    NotMap,
}

/// A minion's view of one master's publishes: key, counter, and whether they are signed.
#[derive(Debug)]
pub struct PublishReceiver {
    key: AesKey,
    last: i128,
    master: PublicKey,
    signed: bool,
}

impl PublishReceiver {
    /// Starts with the keys an `_auth` gave. `required` is the minion's own `sign_pub_messages`; without it,
    /// signatures are verified when they are there, and demanded once one was seen.
    pub fn new(key: AesKey, master: PublicKey, required: bool) -> Self {
        Self { key, last: 0, master, signed: required }
    }

    /// Takes the keys of a later `_auth`. The counter starts anew only with a new key.
    pub fn rekey(&mut self, key: AesKey, master: PublicKey) {
        if key != self.key {
            self.key = key;
            self.last = 0;
        }
        self.master = master;
    }

    /// Whether unsigned publishes are refused by now.
    pub fn demands_signature(&self) -> bool {
        self.signed
    }

    /// Verifies, decrypts and checks the counter. A failed message changes nothing here.
    pub fn open(&mut self, message: &Value) -> Result<Map, PublishError> {
        let Some(message) = message.as_map().filter(|m| m.get_str("enc") == Some("aes")) else {
            return Err(PublishError::Shape);
        };
        let data = message.get("load").and_then(Value::as_bytes).ok_or(PublishError::Shape)?;
        let signature = message.get("sig").and_then(Value::as_bytes).filter(|s| !s.is_empty());
        match signature {
            Some(signature) => {
                // Masters before `sig_algo` existed signed with SHA1.
                let algo = match message.get("sig_algo") {
                    None | Some(Value::Nil) => SigAlgo::Pkcs1v15Sha1,
                    Some(name) => name.as_str().and_then(SigAlgo::parse).ok_or(PublishError::Signature)?,
                };
                self.master.verify(data, signature, algo).map_err(|_| PublishError::Signature)?;
            }
            None if self.signed => return Err(PublishError::Unsigned),
            None => {}
        }
        let Value::Map(mut load) = self.key.loads(data, None)? else { return Err(PublishError::NotMap) };
        // Clustered masters send no counter.
        match load.remove("serial") {
            None => {}
            Some(Value::Int(found)) if found > self.last => self.last = found,
            Some(Value::Int(found)) => return Err(PublishError::Serial { found, last: self.last }),
            Some(_) => return Err(PublishError::Serial { found: 0, last: self.last }),
        }
        self.signed |= signature.is_some();
        Ok(load)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    #[test]
    fn one_and_many_functions() {
        let one = map! {"fun" => "test.ping", "arg" => Value::List(vec![]), "tgt" => "*", "jid" => "20260101000000000000", "ret" => "a, b"};
        let load = PublishLoad::parse(one.clone()).unwrap();
        assert_eq!((load.tgt_type.as_str(), load.returners().count()), ("glob", 2));
        let mut many = one.clone();
        many.insert("fun", vec!["test.ping", "test.echo"]);
        many.insert("arg", Value::List(vec![Value::List(vec![]), "x".into()]));
        assert_eq!(PublishLoad::parse(many).unwrap().args, [vec![], vec!["x".into()]]);
        for key in ["fun", "arg", "tgt", "jid"] {
            let mut bad = one.clone();
            bad.remove(key);
            assert!(PublishLoad::parse(bad).is_err(), "{key}");
        }
        let mut bad = one;
        bad.insert("jid", "../../etc/cron.d/x");
        assert!(matches!(PublishLoad::parse(bad), Err(MessageError::Jid(_))));
    }
}
