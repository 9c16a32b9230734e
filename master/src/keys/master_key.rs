//! The master's own RSA key, and the pair that signs it when `master_sign_pubkey` is on.
//!
//! Series 3006 and 3007 keep `master.pem` and `master.pub`. Series 3008 keeps `<name>.pem`, with `<name>` the id without
//! `_master`, and makes `master.*` links to it. Either layout is read as it stands and left as it is, so that any series
//! can take over; a fresh directory gets what 3006 writes. Not here: minions' keys.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use brine_protocol::auth::master::MasterCredentials;
use brine_protocol::crypt::{AesKey, CryptError, PrivateKey, clean_key};

use crate::fs::Dir;

/// Where the keys lie and how they are used.
#[derive(Clone, Debug)]
pub struct MasterKeyConfig {
    /// `pki_dir`
    pub pki_dir: PathBuf,
    /// The file stem 3008 uses: `id` without `_master`.
    pub own_name: String,
    /// Bits of a key made anew (`keysize`).
    pub keysize: usize,
    /// Passphrase of the private key (`key_pass`).
    pub key_pass: Option<String>,
    /// Whether replies carry a signature over the public key (`master_sign_pubkey`).
    pub sign_pubkey: bool,
    /// File stem of the signing pair (`master_sign_key_name`).
    pub sign_key_name: String,
    /// Passphrase of the signing key (`signing_key_pass`).
    pub signing_key_pass: Option<String>,
    /// Whether the signature is read from a file instead of being made (`master_use_pubkey_signature`).
    pub use_pubkey_signature: bool,
    /// That file's name (`master_pubkey_signature`).
    pub pubkey_signature: String,
}

/// Why the master's key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold a usable key.
    #[error("{path}: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CryptError,
    },
    /// A passphrase is set for a key that is not there.
    #[error(
        "{path}: does not exist, and keys protected by a passphrase are not made here; make it first, or unset {option}"
    )]
    Protected {
        /// The file.
        path: PathBuf,
        /// The option that holds the passphrase.
        option: &'static str,
    },
}

/// Reads the key, or makes one where there is none, and prepares to answer minions under the global key `aes`.
///
/// # Errors
/// When a key is there but unusable, or none can be made.
pub fn load_credentials(
    config: &MasterKeyConfig,
    aes: AesKey,
    publish_port: u16,
) -> Result<MasterCredentials, MasterKeyError> {
    let stem = stem(config);
    let private = pair(&config.pki_dir, &stem, config.keysize, ("key_pass", config.key_pass.as_deref()))?;
    let path = config.pki_dir.join(format!("{stem}.pub"));
    let public_pem = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(MasterKeyError::Io { path, source }),
    };
    let bad = |source| MasterKeyError::Key { path: path.clone(), source };
    let credentials =
        MasterCredentials::new(private, &clean_key(&public_pem), aes, publish_port).map_err(bad)?;
    if !config.sign_pubkey {
        return Ok(credentials);
    }
    if config.use_pubkey_signature {
        let path = config.pki_dir.join(&config.pubkey_signature);
        return match fs::read_to_string(&path) {
            Ok(text) => Ok(credentials.with_stored_signature(&text)),
            Err(source) => Err(MasterKeyError::Io { path, source }),
        };
    }
    let pass = ("signing_key_pass", config.signing_key_pass.as_deref());
    let signing = pair(&config.pki_dir, &config.sign_key_name, config.keysize, pass)?;
    credentials.with_signing_key(&signing).map_err(bad)
}

/// `master` wherever a file or link of that name is there, else 3008's own name, else `master`.
fn stem(config: &MasterKeyConfig) -> String {
    let there = |stem: &str| config.pki_dir.join(format!("{stem}.pem")).exists();
    if !there("master") && there(&config.own_name) { config.own_name.clone() } else { "master".to_owned() }
}

/// Reads a key pair, or makes one where there is no private key. A lost public half is written again.
/// The passphrase comes with the name of its option.
fn pair(
    dir: &Path,
    stem: &str,
    bits: usize,
    (option, pass): (&'static str, Option<&str>),
) -> Result<PrivateKey, MasterKeyError> {
    let path = dir.join(format!("{stem}.pem"));
    let io = |source| MasterKeyError::Io { path: path.clone(), source };
    let bad = |source| MasterKeyError::Key { path: path.clone(), source };
    let files = Dir::at(dir);
    let key = match fs::read_to_string(&path) {
        Ok(text) => PrivateKey::from_pem(&text, pass).map_err(bad)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            if pass.is_some() {
                return Err(MasterKeyError::Protected { path, option });
            }
            tracing::info!("Generating {stem} keys: {}", dir.display());
            let key = PrivateKey::generate(bits).map_err(bad)?;
            files.write(&format!("{stem}.pem"), key.to_pem().map_err(bad)?.as_bytes(), 0o400).map_err(io)?;
            files.remove(&format!("{stem}.pub")).map_err(io)?;
            key
        }
        Err(e) => return Err(io(e)),
    };
    if !dir.join(format!("{stem}.pub")).exists() {
        let pem = key.public().to_pem().map_err(bad)?;
        // Stock's own text ends without a line break here.
        files.write(&format!("{stem}.pub"), pem.trim_end().as_bytes(), 0o644).map_err(io)?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn config(dir: &Path) -> MasterKeyConfig {
        MasterKeyConfig {
            pki_dir: dir.to_owned(),
            own_name: "host".into(),
            keysize: 2048,
            key_pass: None,
            sign_pubkey: false,
            sign_key_name: "master_sign".into(),
            signing_key_pass: None,
            use_pubkey_signature: false,
            pubkey_signature: "master_pubkey_signature".into(),
        }
    }

    fn public(config: &MasterKeyConfig) -> String {
        load_credentials(config, AesKey::generate().unwrap(), 4505).unwrap().public_pem().to_owned()
    }

    #[test]
    fn a_fresh_directory_gets_3006s_files_and_keeps_them() {
        let tmp = tempfile::tempdir().unwrap();
        let first = public(&config(tmp.path()));
        let mode = |n: &str| fs::metadata(tmp.path().join(n)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("master.pem"), mode("master.pub")), (0o400, 0o644));
        assert_eq!(public(&config(tmp.path())), first);

        // The layout of 3008: real files under the own name, links beside them.
        for ext in ["pem", "pub"] {
            let (old, new) = (format!("master.{ext}"), format!("host.{ext}"));
            fs::rename(tmp.path().join(&old), tmp.path().join(&new)).unwrap();
            symlink(&new, tmp.path().join(&old)).unwrap();
        }
        assert_eq!(public(&config(tmp.path())), first);
        for ext in ["pem", "pub"] {
            fs::remove_file(tmp.path().join(format!("master.{ext}"))).unwrap();
        }
        assert_eq!(public(&config(tmp.path())), first);
        assert!(!tmp.path().join("master.pem").exists());
    }

    #[test]
    fn a_key_that_should_be_protected_is_not_made_without_protection() {
        let tmp = tempfile::tempdir().unwrap();
        let load = |config: &MasterKeyConfig| load_credentials(config, AesKey::generate().unwrap(), 4505);
        let protected = MasterKeyConfig { key_pass: Some("secret".into()), ..config(tmp.path()) };
        let error = load(&protected).unwrap_err().to_string();
        assert!(error.contains("key_pass") && !error.contains("secret"), "{error}");
        assert!(!tmp.path().join("master.pem").exists());
    }

    #[test]
    fn a_damaged_key_is_an_error_and_is_kept() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join("master.pem"), "garbage").unwrap();
        assert!(load_credentials(&config(tmp.path()), AesKey::generate().unwrap(), 4505).is_err());
        assert_eq!(fs::read_to_string(tmp.path().join("master.pem")).unwrap(), "garbage");
    }
}
