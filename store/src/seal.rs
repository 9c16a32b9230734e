//! Pillar at rest: encrypted under a key that lies beside the master's own. Not the wire's cryptography.
//!
//! What is sealed is bound to its place: it does not open under another minion's name.

use std::io;
use std::path::Path;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::fs::Dir;

/// The key's file below `pki_dir`.
const NAME: &str = "pillar.key";
const FORMAT: u8 = 1;
const KEY: usize = 32;
const NONCE: usize = 12;

/// Encrypts and decrypts what is kept of pillar. The key is made when it is first needed, and does not print.
pub struct Seal {
    dir: Dir,
    cipher: Mutex<Option<Aes256Gcm>>,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seal({})", self.dir.path().display())
    }
}

impl Seal {
    /// With the key below `pki_dir`.
    pub fn at(pki_dir: &Path) -> Self {
        Self { dir: Dir::at(pki_dir), cipher: Mutex::default() }
    }

    fn cipher(&self, make: bool) -> io::Result<Option<Aes256Gcm>> {
        let mut cipher = self.cipher.lock();
        if cipher.is_none() {
            let key = match self.read()? {
                Some(key) => key,
                None if make => self.make()?,
                None => return Ok(None),
            };
            let key: &Key<Aes256Gcm> = key
                .as_slice()
                .try_into()
                .map_err(|_| io::Error::other(format!("{NAME} in pki_dir is no key")))?;
            *cipher = Some(Aes256Gcm::new(key));
        }
        Ok(cipher.clone())
    }

    fn read(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(self.dir.read(NAME, KEY as u64)?.map(Zeroizing::new))
    }

    /// Makes the key, unless another process is faster.
    fn make(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut key = Zeroizing::new(vec![0; KEY]);
        let random = |e: getrandom::Error| io::Error::other(e.to_string());
        getrandom::fill(&mut key).map_err(random)?;
        let mut number = [0; 8];
        getrandom::fill(&mut number).map_err(random)?;
        let new = format!("{NAME}.{:016x}", u64::from_ne_bytes(number));
        self.dir.write(&new, &key, 0o600)?;
        let linked = std::fs::hard_link(self.dir.path().join(&new), self.dir.path().join(NAME));
        self.dir.remove(&new)?;
        match linked {
            Ok(()) => Ok(key),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                self.read()?.ok_or_else(|| io::ErrorKind::NotFound.into())
            }
            Err(e) => Err(e),
        }
    }

    /// Encrypts what belongs to this place.
    ///
    /// # Errors
    /// When there is no key and none can be made.
    pub fn close(&self, place: &str, plain: &[u8]) -> io::Result<Vec<u8>> {
        let cipher = self.cipher(true)?.ok_or(io::ErrorKind::NotFound)?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|e| io::Error::other(e.to_string()))?;
        let sealed = cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: place.as_bytes() })
            .map_err(|e| io::Error::other(e.to_string()))?;
        let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
        out.push(FORMAT);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Decrypts what was encrypted for this place; None for what was not, or under another key.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.strip_prefix(&[FORMAT])?.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        let cipher = self.cipher(false).ok()??;
        cipher.decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad: place.as_bytes() }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let tmp = tempfile::tempdir().unwrap();
        let seal = Seal::at(tmp.path());
        assert_eq!(seal.open("m1", b"\x01no such"), None);
        assert!(!tmp.path().join(NAME).exists(), "reading makes no key");
        let sealed = seal.close("m1", b"secret pillar").unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        let again = Seal::at(tmp.path());
        assert_eq!(again.open("m1", &sealed).unwrap(), b"secret pillar");
        assert_eq!(again.open("m2", &sealed), None);
        assert!((0..sealed.len()).all(|cut| again.open("m1", &sealed[..cut]).is_none()));
        let mode = std::fs::metadata(tmp.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 1);
        let other = tempfile::tempdir().unwrap();
        let stranger = Seal::at(other.path());
        stranger.close("m1", b"").unwrap();
        assert_eq!(stranger.open("m1", &sealed), None);
    }

    #[test]
    fn two_that_make_a_key_at_once_have_the_same() {
        let tmp = tempfile::tempdir().unwrap();
        let seals: Vec<Seal> = (0..4).map(|_| Seal::at(tmp.path())).collect();
        let sealed: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let all: Vec<_> = seals.iter().map(|s| scope.spawn(|| s.close("m", b"x").unwrap())).collect();
            all.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(sealed.iter().all(|sealed| seals[0].open("m", sealed).unwrap() == b"x"));
    }
}
