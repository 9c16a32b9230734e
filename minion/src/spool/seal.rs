//! Encryption of spooled returns at rest, and the key file. Not the wire's cryptography.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

const FORMAT: u8 = 1;
const KEY: usize = 32;
const NONCE: usize = 12;

/// Why bytes of the spool cannot be read, or its key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Another format, damaged, moved from another place, or under another key.
    #[error("not a spooled return of this minion")]
    Unreadable,
    /// The key file exists and is no key.
    #[error("{0} is not a spool key")]
    BadKeyFile(String),
    /// The system gave no random bytes.
    #[error("no random bytes")]
    Random,
    /// The key file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The cipher of one spool. Does not print its key.
pub(super) struct Seal(Aes256Gcm);

impl Seal {
    /// Reads the key file, or makes one.
    pub(super) fn load(path: &Path) -> Result<Self, SealError> {
        let key = match read_key(path) {
            Err(SealError::Io(e)) if e.kind() == io::ErrorKind::NotFound => make_key(path)?,
            other => other?,
        };
        let key: &Key<Aes256Gcm> =
            key.as_slice().try_into().map_err(|_| SealError::BadKeyFile(path.display().to_string()))?;
        Ok(Self(Aes256Gcm::new(key)))
    }

    /// Encrypts what belongs under this number.
    pub(super) fn close(&self, number: u64, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Random)?;
        let sealed = self
            .0
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: &number.to_be_bytes() })
            .map_err(|_| SealError::Unreadable)?;
        let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
        out.push(FORMAT);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Decrypts what was encrypted for this number.
    pub(super) fn open(&self, number: u64, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
        let rest = bytes.strip_prefix(&[FORMAT]).ok_or(SealError::Unreadable)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or(SealError::Unreadable)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| SealError::Unreadable)?;
        self.0
            .decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad: &number.to_be_bytes() })
            .map_err(|_| SealError::Unreadable)
    }
}

fn read_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let mut key = Zeroizing::new(Vec::with_capacity(KEY + 1));
    fs::File::open(path)?.take(KEY as u64 + 1).read_to_end(&mut key)?;
    if key.len() == KEY { Ok(key) } else { Err(SealError::BadKeyFile(path.display().to_string())) }
}

/// Written whole under another name first: a key file cut short would cost every return in the spool.
fn make_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let mut key = Zeroizing::new(vec![0; KEY]);
    getrandom::fill(&mut key).map_err(|_| SealError::Random)?;
    let tmp = path.with_extension("key.tmp");
    match fs::remove_file(&tmp) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&tmp)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&tmp, path)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_was_closed_opens_under_its_number_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("minion_spool.key");
        let sealed = Seal::load(&path).unwrap().close(7, b"secret return").unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        let again = Seal::load(&path).unwrap();
        assert_eq!(again.open(7, &sealed).unwrap(), b"secret return");
        assert!(matches!(again.open(8, &sealed), Err(SealError::Unreadable)));
        for cut in 0..sealed.len() {
            assert!(again.open(7, &sealed[..cut]).is_err());
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_file_of_another_size_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k");
        fs::write(&path, b"short").unwrap();
        assert!(matches!(Seal::load(&path), Err(SealError::BadKeyFile(_))));
    }
}
