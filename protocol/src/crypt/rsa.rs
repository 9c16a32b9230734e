//! RSA as Salt uses it: OAEP for key transport, PKCS#1 v1.5 for signatures, X9.31 for tokens, PEM for files.
//!
//! Private operations are blinded. Where keys are kept, and whose they are, is decided elsewhere.

use super::{CryptError, pem, x931};
use getrandom::SysRng;
use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey, EncodeRsaPrivateKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey};
use sha1::Sha1;
use sha2::Sha224;
use std::fmt;
use zeroize::Zeroizing;

/// How keys are encrypted to a peer (`encryption_algorithm`, `enc_algo`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EncAlgo {
    /// `OAEP-SHA1`, what stock uses by default.
    #[default]
    OaepSha1,
    /// `OAEP-SHA224`
    OaepSha224,
}

impl EncAlgo {
    /// The algorithm of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "OAEP-SHA1" => Some(Self::OaepSha1),
            "OAEP-SHA224" => Some(Self::OaepSha224),
            _ => None,
        }
    }

    /// Salt's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::OaepSha1 => "OAEP-SHA1",
            Self::OaepSha224 => "OAEP-SHA224",
        }
    }
}

/// How messages are signed (`signing_algorithm`, `sig_algo`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SigAlgo {
    /// `PKCS1v15-SHA1`, what stock uses by default.
    #[default]
    Pkcs1v15Sha1,
    /// `PKCS1v15-SHA224`
    Pkcs1v15Sha224,
}

impl SigAlgo {
    /// The algorithm of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "PKCS1v15-SHA1" => Some(Self::Pkcs1v15Sha1),
            "PKCS1v15-SHA224" => Some(Self::Pkcs1v15Sha224),
            _ => None,
        }
    }

    /// Salt's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pkcs1v15Sha1 => "PKCS1v15-SHA1",
            Self::Pkcs1v15Sha224 => "PKCS1v15-SHA224",
        }
    }
}

/// A peer's RSA key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(rsa::PublicKey);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

impl PublicKey {
    /// Reads SubjectPublicKeyInfo or PKCS#1 PEM; 1024 to 8192 bits.
    pub fn from_pem(text: &str) -> Result<Self, CryptError> {
        let block = pem::parse(text, None)?;
        let key = match block.label.as_str() {
            "PUBLIC KEY" => rsa::PublicKey::from_public_key_der(&block.der).ok(),
            "RSA PUBLIC KEY" => rsa::PublicKey::from_pkcs1_der(&block.der).ok(),
            _ => None,
        };
        key.map(Self).ok_or(CryptError::Key)
    }

    /// SubjectPublicKeyInfo PEM with a final LF, as in stock's `.pub` files.
    pub fn to_pem(&self) -> Result<String, CryptError> {
        let der = self.0.to_public_key_der().map_err(|_| CryptError::Key)?;
        Ok(pem::write("PUBLIC KEY", der.as_bytes()).to_string())
    }

    /// Encrypts a short secret to the owner of this key.
    pub fn encrypt(&self, plain: &[u8], algo: EncAlgo) -> Result<Vec<u8>, CryptError> {
        match algo {
            EncAlgo::OaepSha1 => self.0.oaep_encrypt_with_rng::<Sha1, _>(&mut SysRng, plain),
            EncAlgo::OaepSha224 => self.0.oaep_encrypt_with_rng::<Sha224, _>(&mut SysRng, plain),
        }
        .map_err(|e| if e == rsa::Error::Rng { CryptError::Random } else { CryptError::TooLong })
    }

    /// Checks a PKCS#1 v1.5 signature over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8], algo: SigAlgo) -> Result<(), CryptError> {
        match algo {
            SigAlgo::Pkcs1v15Sha1 => self.0.pkcs1v15_verify::<Sha1>(message, signature),
            SigAlgo::Pkcs1v15Sha224 => self.0.pkcs1v15_verify::<Sha224>(message, signature),
        }
        .map_err(|_| CryptError::Signature)
    }

    /// Checks that an X9.31 block made by the owner holds exactly `message`.
    pub fn verify_x931(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptError> {
        x931::verify(&self.0, message, signature)
    }

    /// The message inside an X9.31 block.
    pub fn recover_x931(&self, signature: &[u8]) -> Result<Vec<u8>, CryptError> {
        x931::recover(&self.0, signature)
    }
}

/// Our own RSA key. It does not print, and is wiped when dropped.
#[derive(Clone)]
pub struct PrivateKey(rsa::PrivateKey);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

impl PrivateKey {
    /// Salt's default `keysize`, and the least it makes.
    pub const DEFAULT_BITS: usize = 2048;

    /// Makes a key. As in stock, `bits` below 2048 become 2048.
    pub fn generate(bits: usize) -> Result<Self, CryptError> {
        rsa::PrivateKey::new(&mut SysRng, bits.max(Self::DEFAULT_BITS))
            .map(Self)
            .map_err(|e| if e == rsa::Error::Rng { CryptError::Random } else { CryptError::Key })
    }

    /// Reads PKCS#1 (also passphrase-protected as stock protects it) or plain PKCS#8 PEM.
    pub fn from_pem(text: &str, passphrase: Option<&str>) -> Result<Self, CryptError> {
        let block = pem::parse(text, passphrase)?;
        let key = match block.label.as_str() {
            "RSA PRIVATE KEY" => rsa::PrivateKey::from_pkcs1_der(&block.der).ok(),
            "PRIVATE KEY" => rsa::PrivateKey::from_pkcs8_der(&block.der).ok(),
            "ENCRYPTED PRIVATE KEY" => return Err(CryptError::Passphrase),
            _ => None,
        };
        key.map(Self).ok_or(CryptError::Key)
    }

    /// PKCS#1 PEM with a final LF, as in stock's `.pem` files. For a private file only.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, CryptError> {
        let der = self.0.to_pkcs1_der().map_err(|_| CryptError::Key)?;
        Ok(pem::write("RSA PRIVATE KEY", der.as_bytes()))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.to_public_key())
    }

    /// Decrypts what a peer encrypted to us.
    pub fn decrypt(&self, data: &[u8], algo: EncAlgo) -> Result<Zeroizing<Vec<u8>>, CryptError> {
        match algo {
            EncAlgo::OaepSha1 => self.0.oaep_decrypt_with_rng::<Sha1, _>(&mut SysRng, data),
            EncAlgo::OaepSha224 => self.0.oaep_decrypt_with_rng::<Sha224, _>(&mut SysRng, data),
        }
        .map(Zeroizing::new)
        .map_err(|_| CryptError::Decrypt)
    }

    /// Signs `message` with PKCS#1 v1.5.
    pub fn sign(&self, message: &[u8], algo: SigAlgo) -> Result<Vec<u8>, CryptError> {
        match algo {
            SigAlgo::Pkcs1v15Sha1 => self.0.pkcs1v15_sign_with_rng::<Sha1, _>(&mut SysRng, message),
            SigAlgo::Pkcs1v15Sha224 => self.0.pkcs1v15_sign_with_rng::<Sha224, _>(&mut SysRng, message),
        }
        .map_err(|e| if e == rsa::Error::Rng { CryptError::Random } else { CryptError::Key })
    }

    /// Puts `message` into an X9.31 block: the form of `tok` and of the inner auth signature.
    pub fn sign_x931(&self, message: &[u8]) -> Result<Vec<u8>, CryptError> {
        x931::sign(&self.0, message)
    }

    /// The constant token that proves a request comes from the owner of this key.
    pub fn token(&self) -> Result<Vec<u8>, CryptError> {
        self.sign_x931(super::rsa::TOKEN)
    }
}

/// What `tok` holds.
pub const TOKEN: &[u8] = b"salt";

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PrivateKey {
        PrivateKey::generate(2048).unwrap()
    }

    #[test]
    fn all_uses_come_back_and_tampering_does_not() {
        let key = key();
        let public = PublicKey::from_pem(&key.public().to_pem().unwrap()).unwrap();
        let key = PrivateKey::from_pem(&key.to_pem().unwrap(), None).unwrap();
        for algo in [EncAlgo::OaepSha1, EncAlgo::OaepSha224] {
            let sealed = public.encrypt(b"secret", algo).unwrap();
            assert_eq!(key.decrypt(&sealed, algo).unwrap().as_slice(), b"secret");
            assert!(key.decrypt(&sealed[1..], algo).is_err());
            assert_eq!(EncAlgo::parse(algo.name()), Some(algo));
        }
        assert!(public.encrypt(&[0; 300], EncAlgo::OaepSha1).is_err());
        for algo in [SigAlgo::Pkcs1v15Sha1, SigAlgo::Pkcs1v15Sha224] {
            let sig = key.sign(b"message", algo).unwrap();
            assert_eq!(public.verify(b"message", &sig, algo), Ok(()));
            assert_eq!(public.verify(b"massage", &sig, algo), Err(CryptError::Signature));
            assert_eq!(SigAlgo::parse(algo.name()), Some(algo));
        }
        for n in [0usize, 4, 64, 253, 254] {
            let message = vec![0xbb; n];
            let sig = key.sign_x931(&message).unwrap();
            assert_eq!(sig.len(), 256);
            assert_eq!(public.recover_x931(&sig), Ok(message.clone()));
            let mut bad = sig.clone();
            bad[200] ^= 1;
            assert!(public.recover_x931(&bad).is_err());
            assert!(public.recover_x931(&sig[1..]).is_err());
        }
        assert_eq!(key.sign_x931(&[0; 255]), Err(CryptError::TooLong));
        assert_eq!(public.verify_x931(TOKEN, &key.token().unwrap()), Ok(()));
        assert!(public.recover_x931(&[0xff; 256]).is_err());
        assert!(public.recover_x931(&[0; 256]).is_err());
        assert_eq!(format!("{key:?} {public:?}"), "PrivateKey(..) PublicKey(..)");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(PublicKey::from_pem("nonsense"), Err(CryptError::Pem));
        let no_key = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
        assert_eq!(PublicKey::from_pem(no_key), Err(CryptError::Key));
        assert_eq!(EncAlgo::parse("OAEP-MD5"), None);
        assert_eq!(SigAlgo::parse("PKCS1v15-sha1"), None);
    }
}
