//! Which key it is, in 32 bytes: to tell whether a key file still holds the key that something was made for.

use brine_protocol::crypt::clean_key;
use sha2::{Digest, Sha256};

/// A hash of a public key as its file has it, without what stock does not count when it compares keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyMark([u8; 32]);

impl KeyMark {
    /// Of the text of a key.
    pub fn of(pem: &str) -> Self {
        Self(Sha256::digest(clean_key(pem)).into())
    }

    /// As it was kept; None when it is no such hash.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// To be kept.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_do_not_make_another_key() {
        let mark = KeyMark::of("a\nb");
        assert_eq!(mark, KeyMark::of("a\r\nb\n"));
        assert_ne!(mark, KeyMark::of("a\nc"));
        assert_eq!(KeyMark::from_bytes(mark.as_bytes()), Some(mark));
        assert_eq!(KeyMark::from_bytes(b"short"), None);
    }
}
