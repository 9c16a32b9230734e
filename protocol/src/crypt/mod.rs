//! Salt's cryptography: the symmetric envelope, RSA in its four uses, X9.31, PEM and fingerprints.
//!
//! Secrets live in types that do not print. Nothing here knows what the bytes mean or where keys are kept.

pub mod aes;
pub mod fingerprint;
mod pem;
pub mod rsa;
mod x931;

pub use aes::{AesKey, Nonce};
pub use fingerprint::{HashType, armoured_finger, pem_finger};
pub use pem::clean_key;
pub use rsa::{EncAlgo, PrivateKey, PublicKey, SigAlgo};

/// Why a cryptographic operation was refused or did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptError {
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    Random,
    /// A key string is not base64 of 56 bytes.
    #[error("not an AES key string")]
    AesKey,
    /// Too short for IV and MAC, or not whole blocks.
    #[error("ciphertext of impossible length")]
    Length,
    /// The MAC does not fit: another key, or tampering. A peer answers this by authenticating again.
    #[error("message authentication failed")]
    Mac,
    /// The MAC fits but the padding is not what Salt writes.
    #[error("padding is not valid")]
    Padding,
    /// The plaintext does not begin with `pickle::`.
    #[error("plaintext lacks its prefix")]
    Prefix,
    /// The reply carries another nonce than the request, or none: it answers something else.
    #[error("nonce verification error")]
    Nonce,
    /// The plaintext is not msgpack.
    #[error("plaintext: {0}")]
    Decode(#[from] crate::msgpack::DecodeError),
    /// Not a PEM block of the expected kind.
    #[error("not a PEM key")]
    Pem,
    /// The PEM holds no RSA key of acceptable size (1024 to 8192 bits, odd exponent up to 33 bits).
    #[error("not an acceptable RSA key")]
    Key,
    /// The private key is protected and the passphrase is missing or wrong.
    #[error("private key passphrase missing or wrong")]
    Passphrase,
    /// An RSA ciphertext does not decrypt under this key and algorithm.
    #[error("RSA decryption failed")]
    Decrypt,
    /// A message is too long for the key.
    #[error("message too long for the RSA key")]
    TooLong,
    /// A signature does not verify.
    #[error("signature does not verify")]
    Signature,
    /// The name is none of Salt's algorithms.
    #[error("unknown algorithm")]
    Algorithm,
}
