//! Checksums of files, by Python's names of the algorithms.

use sha2::Digest as _;
use sha2::digest::DynDigest;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A checksum that is being made, piece by piece.
pub struct Digest(Box<dyn DynDigest + Send>);

impl Digest {
    /// By the name of an algorithm; none for one that is not known.
    #[must_use]
    pub fn new(form: &str) -> Option<Self> {
        Some(Self(match form {
            "md5" => Box::new(md5::Md5::new()),
            "sha1" => Box::new(sha1::Sha1::new()),
            "sha224" => Box::new(sha2::Sha224::new()),
            "sha256" => Box::new(sha2::Sha256::new()),
            "sha384" => Box::new(sha2::Sha384::new()),
            "sha512" => Box::new(sha2::Sha512::new()),
            "sha3_224" => Box::new(sha3::Sha3_224::new()),
            "sha3_256" => Box::new(sha3::Sha3_256::new()),
            "sha3_384" => Box::new(sha3::Sha3_384::new()),
            "sha3_512" => Box::new(sha3::Sha3_512::new()),
            "blake2b" => Box::new(blake2::Blake2b512::new()),
            "blake2s" => Box::new(blake2::Blake2s256::new()),
            _ => return None,
        }))
    }

    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// All that comes; how many bytes that were.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&mut self, mut from: impl Read) -> io::Result<u64> {
        // Most files are small: a larger one would be cleared for nothing.
        let (mut buffer, mut all) = ([0; 16 << 10], 0);
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok(all),
                Ok(n) => {
                    self.update(&buffer[..n]);
                    all += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The checksum in hexadecimal.
    #[must_use]
    pub fn hex(self) -> String {
        brine_protocol::crypt::fingerprint::hex(&self.0.finalize())
    }
}

/// The checksum of a file; none where the algorithm is not known.
///
/// # Errors
/// It cannot be read.
pub fn of_file(path: &Path, form: &str) -> io::Result<Option<String>> {
    let Some(mut digest) = Digest::new(form) else { return Ok(None) };
    digest.read(File::open(path)?)?;
    Ok(Some(digest.hex()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_pythons() {
        let sum = |form: &str| {
            let mut digest = Digest::new(form)?;
            digest.read(&b"abc"[..]).unwrap();
            Some(digest.hex())
        };
        assert_eq!(sum("md5").as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        assert_eq!(sum("sha1").as_deref(), Some("a9993e364706816aba3e25717850c26c9cd0d89d"));
        assert_eq!(
            sum("sha256").as_deref(),
            Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
        assert_eq!(sum("sha3_512").map(|s| s.len()), Some(128));
        assert_eq!(sum("none"), None);
        assert!(of_file(Path::new("/nonexistent"), "md5").is_err());
    }
}
