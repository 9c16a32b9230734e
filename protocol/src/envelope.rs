//! The outer map of a request, taken apart in stock's order of checks, and stock's words for each refusal.
//!
//! Only shape and version are judged here; keys, tokens and commands come after (`request`, `auth`).

use crate::crypt::{CryptError, EncAlgo, SigAlgo};
use crate::ids::MinionId;
use crate::msgpack;
use crate::value::{Map, Value};

/// The version this implementation speaks, and the lowest it accepts by default.
pub const VERSION: u8 = 3;

/// Values that a request holds at most before anything about its sender is known: an encrypted one has a handful, a
/// job with very many arguments some thousands. About 2 MB of memory.
const STRANGERS_ITEMS: usize = 1 << 15;

/// The floor to enforce for a configured `minimum_auth_version`: never below 2, since versions 0 and 1 sign nothing.
pub fn version_floor(configured: i64) -> u8 {
    configured.clamp(2, 255) as u8
}

/// A request, before anything in it is believed.
#[derive(Clone, Debug)]
pub enum Envelope {
    /// A clear request.
    Clear {
        /// The command map. Its `id`, if any, is text without NUL.
        load: Map,
        /// The protocol version claimed.
        version: u8,
    },
    /// An encrypted request.
    Aes(AesEnvelope),
}

/// An encrypted request, not yet decrypted.
#[derive(Clone, Debug)]
pub struct AesEnvelope {
    /// The sender's claim, always there from version 3 on.
    pub id: Option<MinionId>,
    /// The ciphertext.
    pub data: Vec<u8>,
    /// The protocol version claimed.
    pub version: u8,
    /// How the sender wants keys encrypted to it; `None` when it named something unknown.
    pub enc_algo: Option<EncAlgo>,
    /// How the sender wants replies signed; `None` when it named something unknown.
    pub sig_algo: Option<SigAlgo>,
}

/// Every way in which a request can be wrong before it reaches a handler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The body is not msgpack.
    #[error("body is not msgpack: {0}")]
    NotMsgpack(#[from] msgpack::DecodeError),
    /// Not a map with `enc` and `load`.
    #[error("not a map with enc and load")]
    Shape,
    /// The version is below `minimum_auth_version`.
    #[error("protocol version {found} is below {minimum}")]
    Version {
        /// What the request claims.
        found: u8,
        /// What is demanded.
        minimum: u8,
    },
    /// A minion once seen with a newer version speaks an older one.
    #[error("protocol version {found} after {seen} was seen")]
    Downgrade {
        /// What the request claims.
        found: u8,
        /// What this minion spoke before.
        seen: u8,
    },
    /// `enc` is neither `clear` nor `aes`.
    #[error("unknown enc")]
    Enc,
    /// The load, decrypted or clear, is not a map.
    #[error("load is not a map")]
    LoadNotMap,
    /// The inner id holds a NUL.
    #[error("id contains a null byte")]
    IdNul,
    /// The inner id is not text; holds its printed form.
    #[error("id {0} is not a string")]
    IdNotText(String),
    /// The outer id is missing or no valid minion id.
    #[error("invalid outer id")]
    OuterId,
    /// The load does not decrypt.
    #[error("load: {0}")]
    Crypt(CryptError),
    /// No session exists for that id: it never authenticated here.
    #[error("no session for this id")]
    NoSession,
    /// `ts` is missing or older than `request_server_ttl`.
    #[error("request is too old")]
    Expired,
    /// The inner id differs from the outer one.
    #[error("inner id differs from outer id")]
    IdMismatch,
    /// The inner id is no valid minion id.
    #[error("invalid inner id")]
    InnerId,
    /// `tok` is missing or not made by the accepted key of that id.
    #[error("token does not verify")]
    Token,
    /// There is no nonce where one is needed.
    #[error("no nonce")]
    NoNonce,
    /// A mandatory field of `_auth` is missing or malformed.
    #[error("{0} is missing or malformed")]
    AuthField(&'static str),
    /// This id already used this nonce.
    #[error("request was seen before")]
    Replayed,
}

impl RequestError {
    /// The reply stock sends for this, unencrypted: enough for a stock peer to react as it always did, and no
    /// more for anyone else.
    pub fn reply(&self) -> Value {
        match self {
            Self::NotMsgpack(_) => crate::map! {"msg" => "bad load"}.into(),
            Self::LoadNotMap => "payload and load must be a dict".into(),
            Self::IdNul => "bad load: id contains a null byte".into(),
            Self::IdNotText(what) => format!("bad load: id {what} is not a string").into(),
            Self::Enc | Self::AuthField(_) => HANDLER_FAILED.into(),
            _ => "bad load".into(),
        }
    }
}

/// The reply when a handler fails in a way nobody foresaw.
pub const HANDLER_FAILED: &str = "Some exception handling minion payload";
/// The reply when a handler asks for an unknown kind of reply.
pub const REPLY_FAILED: &str = "Server-side exception handling payload";

impl Envelope {
    /// Decodes and takes apart a request body (ZeroMQ and WebSocket; TCP has it decoded already).
    pub fn from_bytes(body: &[u8], minimum_auth_version: u8) -> Result<Self, RequestError> {
        let limits = msgpack::Limits { items: STRANGERS_ITEMS, ..msgpack::Limits::default() };
        Self::parse(msgpack::decode_limited(body, limits)?, minimum_auth_version)
    }

    /// Takes a decoded request apart.
    pub fn parse(body: Value, minimum_auth_version: u8) -> Result<Self, RequestError> {
        let Value::Map(mut body) = body else { return Err(RequestError::Shape) };
        if !body.contains("enc") {
            return Err(RequestError::Shape);
        }
        let load = body.remove("load").ok_or(RequestError::Shape)?;
        let version = version(body.get("version"));
        if version < minimum_auth_version {
            return Err(RequestError::Version { found: version, minimum: minimum_auth_version });
        }
        match body.get_str("enc") {
            Some("clear") => {
                let Value::Map(load) = load else { return Err(RequestError::LoadNotMap) };
                check_inner_id(&load)?;
                Ok(Self::Clear { load, version })
            }
            Some("aes") => {
                let id = body.get_str("id").and_then(|id| MinionId::parse(id).ok());
                if version > 2 && id.is_none() {
                    return Err(RequestError::OuterId);
                }
                let data = load.into_bytes().ok_or(RequestError::Crypt(CryptError::Length))?;
                let enc_algo =
                    body.get("enc_algo").map_or(Some(EncAlgo::default()), |v| EncAlgo::parse(v.as_str()?));
                let sig_algo =
                    body.get("sig_algo").map_or(Some(SigAlgo::default()), |v| SigAlgo::parse(v.as_str()?));
                Ok(Self::Aes(AesEnvelope { id, data, version, enc_algo, sig_algo }))
            }
            _ if load.as_map().is_none() => Err(RequestError::LoadNotMap),
            _ => Err(RequestError::Enc),
        }
    }

    /// The body of a clear request.
    pub fn clear(load: Map) -> Map {
        crate::map! {"enc" => "clear", "load" => load, "version" => i32::from(VERSION)}
    }
}

/// The version of a request: an integer or its text; anything else is the oldest.
fn version(value: Option<&Value>) -> u8 {
    let number = match value {
        Some(Value::Int(n)) => i128::clamp(*n, 0, 255),
        Some(Value::Bool(b)) => i128::from(*b),
        Some(Value::Float(x)) => (*x as i128).clamp(0, 255),
        Some(Value::Str(s)) => s.trim().parse().unwrap_or(0).clamp(0, 255),
        _ => 0,
    };
    number as u8
}

/// The inner id, wherever it is present, is text without NUL.
pub(crate) fn check_inner_id(load: &Map) -> Result<(), RequestError> {
    match load.get("id") {
        None => Ok(()),
        Some(Value::Str(id)) if id.contains('\0') => Err(RequestError::IdNul),
        Some(Value::Str(_)) => Ok(()),
        Some(other) => Err(RequestError::IdNotText(printed(other))),
    }
}

/// Python's print of the simple values; containers only by kind, since an error text is no place for a payload.
fn printed(value: &Value) -> String {
    match value {
        Value::Nil => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Int(n) => n.to_string(),
        Value::Float(x) => format!("{x:?}"),
        Value::Bytes(_) => "b'...'".into(),
        Value::List(_) => "[...]".into(),
        Value::Map(_) => "{...}".into(),
        Value::Str(s) => s.clone(),
        Value::DateTime(d) => d.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    fn fails(body: impl Into<Value>) -> Value {
        Envelope::parse(body.into(), 3).unwrap_err().reply()
    }

    #[test]
    fn shapes_get_stocks_replies() {
        assert_eq!(Envelope::from_bytes(b"\xc1", 3).unwrap_err().reply(), map! {"msg" => "bad load"}.into());
        for bad in [
            Value::Nil,
            "x".into(),
            map! {"enc" => "clear"}.into(),
            map! {"load" => Map::new()}.into(),
            map! {"enc" => "clear", "load" => Map::new()}.into(),
            map! {"enc" => "clear", "load" => Map::new(), "version" => "x"}.into(),
            map! {"enc" => "aes", "load" => "x", "version" => 3}.into(),
            map! {"enc" => "aes", "load" => "x", "version" => 3, "id" => "../x"}.into(),
            map! {"enc" => "aes", "load" => Map::new(), "version" => 3, "id" => "x"}.into(),
        ] {
            assert_eq!(fails(bad), "bad load".into());
        }
        let clear = |load: Value| map! {"enc" => "clear", "load" => load, "version" => 3};
        assert_eq!(fails(clear("x".into())), "payload and load must be a dict".into());
        assert_eq!(fails(clear(map! {"id" => "a\0"}.into())), "bad load: id contains a null byte".into());
        assert_eq!(fails(clear(map! {"id" => 5}.into())), "bad load: id 5 is not a string".into());
        assert_eq!(
            fails(clear(map! {"id" => Value::Nil}.into())),
            "bad load: id None is not a string".into()
        );
        let odd = map! {"enc" => "x", "load" => Map::new(), "version" => 3};
        assert_eq!(fails(odd), HANDLER_FAILED.into());
    }

    #[test]
    fn versions_come_as_numbers_or_text() {
        for (v, n) in
            [(Value::from(3), 3), ("3".into(), 3), (true.into(), 1), ("x".into(), 0), ((-1).into(), 0)]
        {
            assert_eq!(version(Some(&v)), n);
        }
        assert_eq!(version(Some(&Value::Int(300))), 255);
        assert_eq!(version(None), 0);
        let text = map! {"enc" => "clear", "load" => Map::new(), "version" => "3"};
        assert!(matches!(Envelope::parse(text.into(), 3), Ok(Envelope::Clear { version: 3, .. })));
    }

    #[test]
    fn cve_2025_62349_downgrade_is_refused_before_decryption() {
        for v in 0..3 {
            let body = map! {"enc" => "aes", "load" => "x", "version" => v, "id" => "m"};
            let err = Envelope::parse(body.into(), VERSION).unwrap_err();
            assert_eq!(err, RequestError::Version { found: v as u8, minimum: 3 });
            let body = map! {"enc" => "clear", "load" => map!{"cmd" => "_auth", "id" => "m"}, "version" => v};
            assert!(Envelope::parse(body.into(), VERSION).is_err());
        }
    }
}
