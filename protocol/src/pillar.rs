//! The private reply to `_pillar`: a one-time key encrypted to the minion, and under it the pillar signed by the master.
//!
//! Rendering pillars happens elsewhere; this is their envelope, both ways.

use crate::crypt::{AesKey, CryptError, EncAlgo, Nonce, PrivateKey, PublicKey, SigAlgo};
use crate::msgpack::{self, Dialect};
use crate::value::Value;

/// Seals a pillar for one minion, bound to its request by the nonce.
pub fn seal(
    pillar: Value,
    nonce: &Nonce,
    minion: &PublicKey,
    enc: EncAlgo,
    master: &PrivateKey,
    sig: SigAlgo,
) -> Result<Value, CryptError> {
    let key = AesKey::generate()?;
    let sealed_key = minion.encrypt(key.reveal().as_bytes(), enc)?;
    let inner = crate::map! {"key" => sealed_key.clone(), "pillar" => pillar, "nonce" => nonce.as_str()};
    let data = msgpack::encode_map(&inner, Dialect::Old);
    let sig = master.sign(&data, sig)?;
    let signed = crate::map! {"data" => data, "sig" => sig};
    Ok(crate::map! {"key" => sealed_key, "pillar" => key.dumps(&signed.into(), None)?}.into())
}

/// Why a private reply was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PillarError {
    /// Not a map with `key` and `pillar`: the master does not know us (any more). Authenticate again, once.
    #[error("reply holds no key")]
    NoKey,
    /// A cryptographic check failed.
    #[error("{0}")]
    Crypt(#[from] CryptError),
    /// The content is not of the form stock sends.
    #[error("malformed content")]
    Shape,
    /// The signed key is not the one the reply was encrypted with.
    #[error("Key verification failed.")]
    Key,
    /// The signed nonce is not the request's.
    #[error("Pillar nonce verification failed.")]
    Nonce,
}

/// Opens a private reply: decrypts, then verifies signature, key and nonce, in stock's order.
pub fn open(
    reply: &Value,
    nonce: &Nonce,
    minion: &PrivateKey,
    enc: EncAlgo,
    master: &PublicKey,
    sig: SigAlgo,
) -> Result<Value, PillarError> {
    let part = |name: &str| reply.get(name).and_then(Value::as_bytes);
    let (Some(sealed_key), Some(body)) = (part("key"), part("pillar")) else {
        return Err(PillarError::NoKey);
    };
    let key = AesKey::parse(&minion.decrypt(sealed_key, enc)?)?;
    let signed = key.loads(body, None)?;
    let data = signed.get("data").and_then(Value::as_bytes).ok_or(PillarError::Shape)?;
    let signature = signed.get("sig").and_then(Value::as_bytes).ok_or(PillarError::Shape)?;
    master.verify(data, signature, sig)?;
    let Value::Map(mut inner) = msgpack::decode(data).map_err(CryptError::Decode)? else {
        return Err(PillarError::Shape);
    };
    if inner.get("key").and_then(Value::as_bytes) != Some(sealed_key) {
        return Err(PillarError::Key);
    }
    if inner.get_str("nonce") != Some(nonce.as_str()) {
        return Err(PillarError::Nonce);
    }
    inner.remove("pillar").ok_or(PillarError::Shape)
}
