//! The key files of a minion: its own pair, and the master's public key as first seen.
//!
//! Whether a master's key is to be believed is decided in the handshake, not here.

use brine_core::Opts;
use brine_protocol::crypt::{CryptError, PrivateKey, PublicKey, clean_key};
use parking_lot::RwLock;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// No key file is larger.
const LARGEST: u64 = 64 << 10;

/// A key file is missing, damaged or out of reach.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The system's error.
        source: io::Error,
    },
    /// The file holds no usable key.
    #[error("{path}: {source}")]
    Key {
        /// The file.
        path: String,
        /// What is wrong.
        source: CryptError,
    },
}

/// The minion's key pair and the directory of the others.
pub struct Pki {
    dir: PathBuf,
    bits: usize,
    key: RwLock<Arc<PrivateKey>>,
}

impl Pki {
    /// Reads `minion.pem`, or makes the pair.
    pub fn open(opts: &Opts) -> Result<Self, PkiError> {
        let dir = opts.path("pki_dir");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(io_at(&dir))?;
        let bits = opts.int("keysize").and_then(|b| usize::try_from(b).ok()).unwrap_or(2048);
        let path = dir.join("minion.pem");
        let key = match read(&path)? {
            Some(text) => PrivateKey::from_pem(&text, None).map_err(key_at(&path))?,
            None => make_pair(&dir, bits)?,
        };
        let public = dir.join("minion.pub");
        if !public.exists() {
            write(&public, &key.public().to_pem().map_err(key_at(&public))?, 0o644)?;
        }
        Ok(Self { dir, bits, key: RwLock::new(Arc::new(key)) })
    }

    /// Our private key.
    pub fn key(&self) -> Arc<PrivateKey> {
        self.key.read().clone()
    }

    /// Throws away our pair and the master's key, and makes a new pair, for the next sign-in.
    pub fn renew(&self) -> Result<(), PkiError> {
        let master = self.master_path();
        match fs::remove_file(&master) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(io_at(&master)(e)),
            _ => {}
        }
        *self.key.write() = Arc::new(make_pair(&self.dir, self.bits)?);
        Ok(())
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The text of `minion_master.pub`, if there is one.
    pub fn master(&self) -> Result<Option<String>, PkiError> {
        Ok(read(&self.master_path())?.map(|t| t.to_string()))
    }

    /// Where the master's key is kept.
    pub fn master_path(&self) -> PathBuf {
        self.dir.join("minion_master.pub")
    }

    /// Keeps the master's key.
    pub fn store_master(&self, pem: &str) -> Result<(), PkiError> {
        write(&self.master_path(), clean_key(pem).trim_end(), 0o644)
    }

    /// The key that signs masters' keys: `<master_sign_key_name>.pub`.
    pub fn signing(&self, name: &str) -> Result<Option<PublicKey>, PkiError> {
        // An option of ours, yet it may not leave the directory.
        let name = if name.is_empty() || name.contains('/') { "master_sign" } else { name };
        let path = self.dir.join(format!("{name}.pub"));
        match read(&path)? {
            Some(text) => PublicKey::from_pem(&text).map(Some).map_err(key_at(&path)),
            None => Ok(None),
        }
    }
}

fn make_pair(dir: &Path, bits: usize) -> Result<PrivateKey, PkiError> {
    tracing::info!("Generating keys: {}", dir.display());
    let (private, public) = (dir.join("minion.pem"), dir.join("minion.pub"));
    let key = PrivateKey::generate(bits).map_err(key_at(&private))?;
    write(&private, &key.to_pem().map_err(key_at(&private))?, 0o400)?;
    write(&public, &key.public().to_pem().map_err(key_at(&public))?, 0o644)?;
    Ok(key)
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> PkiError {
    let path = path.display().to_string();
    move |source| PkiError::Io { path, source }
}

fn key_at(path: &Path) -> impl FnOnce(CryptError) -> PkiError {
    let path = path.display().to_string();
    move |source| PkiError::Key { path, source }
}

fn read(path: &Path) -> Result<Option<Zeroizing<String>>, PkiError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io_at(path)(e)),
    };
    let mut text = Zeroizing::new(String::new());
    file.take(LARGEST).read_to_string(&mut text).map_err(io_at(path))?;
    Ok(Some(text))
}

/// Whole or not at all, and with its mode from the start.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), PkiError> {
    let tmp = path.with_extension("tmp");
    let written = match fs::remove_file(&tmp) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => OpenOptions::new().write(true).create_new(true).mode(0o600).open(&tmp),
    }
    .and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()
    })
    .and_then(|()| fs::rename(&tmp, path));
    written.map_err(io_at(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn a_pair_is_made_once_with_private_modes() {
        let dir = tempfile::tempdir().unwrap();
        let pki_dir = dir.path().join("pki");
        let opts = Opts::new(map! {"pki_dir" => pki_dir.to_str().unwrap(), "keysize" => 2048});
        let first = Pki::open(&opts).unwrap();
        let again = Pki::open(&opts).unwrap();
        assert_eq!(first.key().public().to_pem().unwrap(), again.key().public().to_pem().unwrap());
        let mode = |name: &str| fs::metadata(pki_dir.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("minion.pem"), mode("minion.pub")), (0o400, 0o644));
        let old = first.key().public();
        first.renew().unwrap();
        assert_ne!(old, first.key().public());
        assert_eq!(first.key().public(), Pki::open(&opts).unwrap().key().public());
        assert_eq!(first.master().unwrap(), None);
        first.store_master("-----BEGIN PUBLIC KEY-----\r\nx\r\n-----END PUBLIC KEY-----\n").unwrap();
        assert_eq!(
            first.master().unwrap().as_deref(),
            Some("-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----")
        );
        fs::write(pki_dir.join("minion.pub"), "").unwrap();
        fs::remove_file(pki_dir.join("minion.pem")).unwrap();
        fs::write(pki_dir.join("minion.pem"), "junk").unwrap();
        assert!(matches!(Pki::open(&opts), Err(PkiError::Key { .. })));
    }
}
