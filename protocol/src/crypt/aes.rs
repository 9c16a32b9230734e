//! The symmetric envelope Salt calls Crypticle: AES-192-CBC, then HMAC-SHA256 over IV and ciphertext.
//!
//! Which key (global, session, pillar) applies when is the business of the modules above.

use super::CryptError;
use crate::msgpack::{self, Dialect};
use crate::value::Value;
use ::aes::Aes192;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

const IV: usize = 16;
const MAC: usize = 32;
const CIPHER_KEY: usize = 24;
/// Every plaintext begins so; the name is historic, what follows is msgpack.
const PREFIX: &[u8] = b"pickle::";

/// A symmetric key: 24 bytes for AES, 32 for the MAC, carried as 76 characters of base64.
///
/// It neither prints nor compares by accident, and is wiped when dropped.
#[derive(Clone)]
pub struct AesKey {
    text: Zeroizing<String>,
    key: Zeroizing<[u8; CIPHER_KEY + MAC]>,
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesKey(..)")
    }
}

impl PartialEq for AesKey {
    fn eq(&self, other: &Self) -> bool {
        bool::from(self.key.as_slice().ct_eq(other.key.as_slice()))
    }
}

impl Eq for AesKey {}

impl AesKey {
    /// A new random key.
    pub fn generate() -> Result<Self, CryptError> {
        let mut key = Zeroizing::new([0; CIPHER_KEY + MAC]);
        getrandom::fill(key.as_mut_slice()).map_err(|_| CryptError::Random)?;
        Ok(Self { text: Zeroizing::new(STANDARD.encode(key.as_slice())), key })
    }

    /// Reads a key string; white space in it and around it is ignored, as files end in line breaks.
    pub fn parse(text: &[u8]) -> Result<Self, CryptError> {
        // Bounded before decoding: what decrypts to a key string may come from anyone.
        if text.len() > 256 {
            return Err(CryptError::AesKey);
        }
        let compact: Zeroizing<Vec<u8>> =
            Zeroizing::new(text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect());
        let raw = Zeroizing::new(STANDARD.decode(compact.as_slice()).map_err(|_| CryptError::AesKey)?);
        let mut key = Zeroizing::new([0; CIPHER_KEY + MAC]);
        if raw.len() != key.len() {
            return Err(CryptError::AesKey);
        }
        key.copy_from_slice(&raw);
        Ok(Self { text: Zeroizing::new(STANDARD.encode(key.as_slice())), key })
    }

    /// The key string, for a private file or for encryption to a peer; never for a log.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Encrypts and authenticates: `IV | ciphertext | MAC`.
    pub fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, CryptError> {
        let mut iv = [0; IV];
        getrandom::fill(&mut iv).map_err(|_| CryptError::Random)?;
        let (cipher_key, _) = self.key.split_at(CIPHER_KEY);
        let mut out = Vec::with_capacity(IV + plain.len() + 16 + MAC);
        out.extend_from_slice(&iv);
        out.extend_from_slice(plain);
        out.resize(IV + plain.len() / 16 * 16 + 16, 0);
        cbc::Encryptor::<Aes192>::new_from_slices(cipher_key, &iv)
            .map_err(|_| CryptError::AesKey)?
            .encrypt_padded::<Pkcs7>(&mut out[IV..], plain.len())
            .map_err(|_| CryptError::Length)?;
        let mac = self.mac(&out)?.finalize().into_bytes();
        out.extend_from_slice(&mac);
        Ok(out)
    }

    /// Checks the MAC in constant time, then decrypts and validates the padding.
    pub fn decrypt(&self, data: &[u8]) -> Result<Vec<u8>, CryptError> {
        let signed = data.len().checked_sub(MAC).ok_or(CryptError::Length)?;
        let (signed, mac) = data.split_at(signed);
        self.mac(signed)?.verify_slice(mac).map_err(|_| CryptError::Mac)?;
        if signed.len() < IV + 16 || signed.len() % 16 != 0 {
            return Err(CryptError::Length);
        }
        let (iv, cipher) = signed.split_at(IV);
        let mut plain = cipher.to_vec();
        let (cipher_key, _) = self.key.split_at(CIPHER_KEY);
        let kept = cbc::Decryptor::<Aes192>::new_from_slices(cipher_key, iv)
            .map_err(|_| CryptError::AesKey)?
            .decrypt_padded::<Pkcs7>(&mut plain)
            .map(<[u8]>::len);
        match kept {
            Ok(n) => plain.truncate(n),
            Err(_) => {
                plain.zeroize();
                return Err(CryptError::Padding);
            }
        }
        Ok(plain)
    }

    /// Serialises and encrypts one value; replies carry the request's nonce.
    pub fn dumps(&self, value: &Value, nonce: Option<&Nonce>) -> Result<Vec<u8>, CryptError> {
        let mut plain = Zeroizing::new(PREFIX.to_vec());
        if let Some(nonce) = nonce {
            plain.extend_from_slice(nonce.as_str().as_bytes());
        }
        plain.extend_from_slice(&msgpack::encode(value, Dialect::Old));
        self.encrypt(&plain)
    }

    /// Decrypts one value. With a nonce given, the plaintext must carry exactly that nonce.
    pub fn loads(&self, data: &[u8], nonce: Option<&Nonce>) -> Result<Value, CryptError> {
        let plain = Zeroizing::new(self.decrypt(data)?);
        let mut rest = plain.strip_prefix(PREFIX).ok_or(CryptError::Prefix)?;
        if let Some(nonce) = nonce {
            let (found, body) = rest.split_at_checked(Nonce::LEN).ok_or(CryptError::Nonce)?;
            if !bool::from(found.ct_eq(nonce.as_str().as_bytes())) {
                return Err(CryptError::Nonce);
            }
            rest = body;
        }
        Ok(msgpack::decode(rest)?)
    }

    fn mac(&self, signed: &[u8]) -> Result<Hmac<sha2::Sha256>, CryptError> {
        let (_, mac_key) = self.key.split_at(CIPHER_KEY);
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(mac_key).map_err(|_| CryptError::AesKey)?;
        mac.update(signed);
        Ok(mac)
    }
}

/// Thirty-two hexadecimal characters that tie a reply to its request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(String);

impl Nonce {
    /// Characters in a nonce.
    pub const LEN: usize = 32;

    /// A new random nonce.
    pub fn generate() -> Result<Self, CryptError> {
        let mut raw = [0u8; Self::LEN / 2];
        getrandom::fill(&mut raw).map_err(|_| CryptError::Random)?;
        // The version and variant bits of a uuid4, whose hex form stock sends.
        raw[6] = raw[6] & 0x0f | 0x40;
        raw[8] = raw[8] & 0x3f | 0x80;
        Ok(Self(super::fingerprint::hex(&raw)))
    }

    /// Reads a nonce: exactly 32 characters of lower or upper hex.
    pub fn parse(text: &str) -> Option<Self> {
        let good = text.len() == Self::LEN && text.bytes().all(|b| b.is_ascii_hexdigit());
        good.then(|| Self(text.to_owned()))
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    #[test]
    fn what_is_encrypted_comes_back_and_nothing_else_does() {
        let key = AesKey::generate().unwrap();
        for n in [0, 1, 15, 16, 17, 1000] {
            let plain = vec![7u8; n];
            let sealed = key.encrypt(&plain).unwrap();
            assert_eq!(sealed.len(), 16 + n / 16 * 16 + 16 + 32);
            assert_eq!(key.decrypt(&sealed), Ok(plain));
            for at in [0, 16, sealed.len() - 1] {
                let mut bad = sealed.clone();
                bad[at] ^= 1;
                assert_eq!(key.decrypt(&bad), Err(CryptError::Mac));
            }
            assert!(key.decrypt(&sealed[..sealed.len() - 1]).is_err());
            assert_eq!(AesKey::generate().unwrap().decrypt(&sealed), Err(CryptError::Mac));
        }
        assert_eq!(key.decrypt(b""), Err(CryptError::Length));
        assert_eq!(key.decrypt(&[0; 40]), Err(CryptError::Mac));
    }

    #[test]
    fn padding_is_validated_where_stock_only_trusts_the_last_byte() {
        let key = AesKey::generate().unwrap();
        for tail in [[1, 2, 3], [0, 0, 0], [3, 2, 3], [17, 17, 17]] {
            let iv = [9u8; 16];
            let mut block = [5u8; 16];
            block[13..].copy_from_slice(&tail);
            let mut out = iv.to_vec();
            out.extend_from_slice(&block);
            let mut body = block;
            cbc::Encryptor::<Aes192>::new_from_slices(&key.key[..24], &iv)
                .unwrap()
                .encrypt_padded::<cbc::cipher::block_padding::NoPadding>(&mut body, 16)
                .unwrap();
            out[16..].copy_from_slice(&body);
            let mac = key.mac(&out).unwrap().finalize().into_bytes();
            out.extend_from_slice(&mac);
            assert_eq!(key.decrypt(&out), Err(CryptError::Padding), "{tail:?}");
        }
    }

    #[test]
    fn nonce_binds_the_reply() {
        let key = AesKey::generate().unwrap();
        let (mine, other) = (Nonce::generate().unwrap(), Nonce::generate().unwrap());
        let value = Value::from(map! {"a" => 1});
        let sealed = key.dumps(&value, Some(&mine)).unwrap();
        assert_eq!(key.loads(&sealed, Some(&mine)), Ok(value.clone()));
        assert_eq!(key.loads(&sealed, Some(&other)), Err(CryptError::Nonce));
        let bare = key.dumps(&value, None).unwrap();
        assert_eq!(key.loads(&bare, Some(&mine)), Err(CryptError::Nonce));
        assert_eq!(key.loads(&bare, None), Ok(value));
        let unprefixed = key.encrypt(b"\x80").unwrap();
        assert_eq!(key.loads(&unprefixed, None), Err(CryptError::Prefix));
    }

    #[test]
    fn key_strings_are_strict_and_never_printed() {
        let key = AesKey::generate().unwrap();
        assert_eq!(key.reveal().len(), 76);
        assert!(key.reveal().ends_with('='));
        let broken = format!(" {}\n{}\n", &key.reveal()[..40], &key.reveal()[40..]);
        assert_eq!(AesKey::parse(broken.as_bytes()).unwrap(), key);
        assert_eq!(format!("{key:?}"), "AesKey(..)");
        for bad in ["", "abcd", &"A".repeat(500), &key.reveal()[..72]] {
            assert_eq!(AesKey::parse(bad.as_bytes()), Err(CryptError::AesKey));
        }
    }
}
