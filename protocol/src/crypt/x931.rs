//! ANSI X9.31 padding around the raw RSA operation: Salt's `tok` and the inner signature of its auth reply.
//!
//! Not a signature over a hash: the message itself is recovered from the block.

use super::CryptError;
use getrandom::SysRng;
use rsa::BoxedUint;
use rsa::hazmat::{rsa_decrypt_and_check, rsa_encrypt};
use rsa::traits::PublicKeyParts;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Pads `message` and applies the private key, blinded and checked against faults.
pub(super) fn sign(key: &rsa::PrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptError> {
    let k = key.size();
    let fill = k.checked_sub(message.len() + 2).ok_or(CryptError::TooLong)?;
    let mut block = Zeroizing::new(Vec::with_capacity(k));
    if fill == 0 {
        block.push(0x6a);
    } else {
        block.push(0x6b);
        block.resize(fill, 0xbb);
        block.push(0xba);
    }
    block.extend_from_slice(message);
    block.push(0xcc);
    let m = BoxedUint::from_be_slice(&block, key.n_bits_precision()).map_err(|_| CryptError::TooLong)?;
    // The crate blinds base, exponent and both primes when given randomness, and checks s^e == m.
    let s = rsa_decrypt_and_check(key, Some(&mut SysRng), &m).map_err(|_| CryptError::Key)?;
    let other = key.n().as_ref().wrapping_sub(&s);
    Ok(fixed(if s <= other { &s } else { &other }, k))
}

/// Applies the public key and takes the message out of the block. Anything but a well-formed block is refused.
pub(super) fn recover(key: &rsa::PublicKey, signature: &[u8]) -> Result<Vec<u8>, CryptError> {
    let k = key.size();
    if signature.len() != k {
        return Err(CryptError::Signature);
    }
    let s = BoxedUint::from_be_slice(signature, key.n_bits_precision()).map_err(|_| CryptError::Signature)?;
    if s >= *key.n().as_ref() {
        return Err(CryptError::Signature);
    }
    let mut m = rsa_encrypt(key, &s).map_err(|_| CryptError::Signature)?;
    let mut block = fixed(&m, k);
    if block.last().is_none_or(|b| b & 0x0f != 0x0c) {
        m = key.n().as_ref().wrapping_sub(&m);
        block = fixed(&m, k);
    }
    let (Some(0xcc), Some(first)) = (block.last(), block.first()) else {
        return Err(CryptError::Signature);
    };
    let start = match first {
        0x6a => 1,
        // One header octet, any number of 0xBB, and the 0xBA that ends them.
        0x6b => 1 + block[1..].iter().position(|b| *b != 0xbb).ok_or(CryptError::Signature)?,
        _ => return Err(CryptError::Signature),
    };
    let start = match first {
        0x6a => start,
        _ if block[start] == 0xba => start + 1,
        _ => return Err(CryptError::Signature),
    };
    block.get(start..k - 1).map(<[u8]>::to_vec).ok_or(CryptError::Signature)
}

/// Whether the signature holds exactly `message`.
pub(super) fn verify(key: &rsa::PublicKey, message: &[u8], signature: &[u8]) -> Result<(), CryptError> {
    let found = recover(key, signature)?;
    if bool::from(found.ct_eq(message)) { Ok(()) } else { Err(CryptError::Signature) }
}

/// Big-endian bytes of exactly the modulus' length.
fn fixed(x: &BoxedUint, k: usize) -> Vec<u8> {
    let bytes = x.to_be_bytes();
    bytes[bytes.len().saturating_sub(k)..].to_vec()
}
