//! The two kinds of boxes, with PyNaCl's errors.

use super::{Bytes, Config, base64};
use brine_python::{Kind, PyErr, R};
use dryoc::classic::crypto_box::{crypto_box_keypair, crypto_box_seal, crypto_box_seal_open};
use dryoc::classic::crypto_core::crypto_scalarmult_base;
use dryoc::classic::crypto_secretbox::{crypto_secretbox_easy, crypto_secretbox_open_easy};
use zeroize::Zeroizing;

type Key = Zeroizing<[u8; 32]>;

/// What a sealed box is longer than its text: a public key and a code.
const SEAL: usize = 48;
/// What a secret box is longer than its text, beside the nonce.
const MAC: usize = 16;
const NONCE: usize = 24;

fn key(bytes: &[u8], wrong: PyErr) -> R<Key> {
    bytes.try_into().map(Zeroizing::new).map_err(|_| wrong)
}

fn secret_key(config: &Config) -> R<Key> {
    key(&config.secret_key()?, PyErr::ty("PrivateKey must be created from a 32 bytes long raw secret key"))
}

fn shared_key(config: &Config) -> R<Key> {
    key(&config.secret_key()?, PyErr::value("The key must be exactly 32 bytes long"))
}

fn crypto_error(text: &str) -> PyErr {
    PyErr::new(Kind::Other("CryptoError"), text)
}

fn public(secret: &Key) -> [u8; 32] {
    let mut public = [0; 32];
    crypto_scalarmult_base(&mut public, secret);
    public
}

/// The public key of a secret one, both in base64.
///
/// # Errors
/// It is none.
pub fn public_of(secret: &[u8]) -> R<Vec<u8>> {
    let secret = base64::decode(secret)?;
    let wrong = PyErr::ty("PrivateKey must be created from a 32 bytes long raw secret key");
    Ok(base64::encode(&public(&key(&secret, wrong)?)))
}

/// A new pair of keys, public and secret, in base64.
pub fn keypair() -> (Vec<u8>, Bytes) {
    let (public, secret) = crypto_box_keypair();
    let secret = Zeroizing::new(secret);
    (base64::encode(&public), Zeroizing::new(base64::encode(&*secret)))
}

/// Seals a text for the public key: base64.
///
/// # Errors
/// The key is missing or has the wrong length.
pub fn sealedbox_encrypt(config: &Config, clear: &[u8]) -> R<Vec<u8>> {
    let public = key(&config.public_key()?, PyErr::value("The public key must be exactly 32 bytes long"))?;
    let mut cipher = vec![0; clear.len() + SEAL];
    crypto_box_seal(&mut cipher, clear, &public)
        .map_err(|_| crypto_error("An error occurred trying to encrypt the message"))?;
    Ok(base64::encode(&cipher))
}

/// Opens a sealed text with the secret key.
///
/// # Errors
/// The key is missing or the wrong one, or the text was changed.
pub fn sealedbox_decrypt(config: &Config, cipher: &[u8]) -> R<Bytes> {
    let secret = secret_key(config)?;
    let cipher = base64::decode(cipher)?;
    let length = cipher
        .len()
        .checked_sub(SEAL)
        .ok_or_else(|| PyErr::ty(format!("Input ciphertext must be at least {SEAL} long")))?;
    let mut clear = Zeroizing::new(vec![0; length]);
    crypto_box_seal_open(&mut clear, &cipher, &public(&secret), &secret)
        .map_err(|_| crypto_error("An error occurred trying to decrypt the message"))?;
    Ok(clear)
}

/// Encrypts a text with the secret key: base64.
///
/// # Errors
/// The key is missing or has the wrong length.
pub fn secretbox_encrypt(config: &Config, clear: &[u8]) -> R<Vec<u8>> {
    let key = shared_key(config)?;
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|e| crypto_error(&e.to_string()))?;
    let mut cipher = vec![0; NONCE + MAC + clear.len()];
    cipher[..NONCE].copy_from_slice(&nonce);
    crypto_secretbox_easy(&mut cipher[NONCE..], clear, &nonce, &key)
        .map_err(|_| crypto_error("Encryption failed"))?;
    Ok(base64::encode(&cipher))
}

/// Opens a text with the secret key.
///
/// # Errors
/// The key is missing or the wrong one, or the text was changed.
pub fn secretbox_decrypt(config: &Config, cipher: &[u8]) -> R<Bytes> {
    let key = shared_key(config)?;
    let cipher = base64::decode(cipher)?;
    let Some((nonce, sealed)) = cipher.split_first_chunk::<NONCE>() else {
        return Err(PyErr::value(format!("The nonce must be exactly {NONCE} bytes long")));
    };
    let failed = || crypto_error("Decryption failed. Ciphertext failed verification");
    let mut clear = Zeroizing::new(vec![0; sealed.len().checked_sub(MAC).ok_or_else(failed)?]);
    crypto_secretbox_open_easy(&mut clear, sealed, nonce, &key).map_err(|_| failed())?;
    Ok(clear)
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::{Opts, map};

    const SK: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const PK: &str = "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8=";

    fn config(values: &[(&str, &str)]) -> Config {
        let mut config = Config::of(&Opts::new(map! {"pki_dir" => "/nowhere"}));
        for (name, value) in values {
            config.set(name, value);
        }
        config
    }

    /// Both were made by PyNaCl 1.6.2.
    #[test]
    fn what_libsodium_sealed_is_opened() {
        let sealed = b"+q6dCrfmkRLbHavSgKxpTuh+VaOe7y0dgDIDwpI3Gz9EYh4M0oGSzIaoSEkKL2Z/jLXRHHaBNnDZ";
        assert_eq!(&sealedbox_decrypt(&config(&[("sk", SK)]), sealed).unwrap()[..], b"squeamish");
        let secret = b"SaUtZiUVDsOFTBOgvWaOZKY2UPLuUlQ1yjd26E60P9wZCgrYLWUvm1OtLK3YE9fpyA==";
        assert_eq!(&secretbox_decrypt(&config(&[("sk", SK)]), secret).unwrap()[..], b"ossifrage");
        assert_eq!(public_of(SK.as_bytes()).unwrap(), PK.as_bytes());
    }

    #[test]
    fn what_is_sealed_is_opened_and_nothing_else() {
        let own = config(&[("sk", SK), ("pk", PK)]);
        for cipher in [sealedbox_encrypt(&own, b"text").unwrap(), super::super::enc(&own, b"text").unwrap()] {
            assert_eq!(&sealedbox_decrypt(&own, &cipher).unwrap()[..], b"text");
        }
        let key = config(&[("key", SK)]);
        let cipher = super::super::enc(&key, b"a longer text").unwrap();
        assert_eq!(&super::super::dec(&key, &cipher).unwrap()[..], b"a longer text");
        let mut changed = cipher.clone();
        changed[40] = if changed[40] == b'A' { b'B' } else { b'A' };
        let error =
            |config: &Config, cipher: &[u8]| super::super::dec(config, cipher).unwrap_err().to_string();
        assert_eq!(error(&key, &changed), "Decryption failed. Ciphertext failed verification");
        assert_eq!(error(&own, &changed), "An error occurred trying to decrypt the message");
        assert_eq!(error(&own, b"YWJj"), "Input ciphertext must be at least 48 long");
        assert_eq!(error(&key, b"YWJj"), "The nonce must be exactly 24 bytes long");
        assert_eq!(error(&config(&[]), b"YWJj"), "no key or sk_file found");
        assert_eq!(error(&config(&[("key", "YWJj")]), b"YWJj"), "The key must be exactly 32 bytes long");
        let (public, secret) = keypair();
        assert_eq!(public_of(&secret).unwrap(), public);
    }
}
