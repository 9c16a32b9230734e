//! Salt's use of NaCl: texts sealed for a key (`sealedbox`), or with a key (`secretbox`), in base64.
//!
//! Stock has it where PyNaCl is installed. Keys and what was opened are wiped after use.

mod base64;
mod boxes;

pub use boxes::{
    keypair, public_of, sealedbox_decrypt, sealedbox_encrypt, secretbox_decrypt, secretbox_encrypt,
};

use brine_core::{Opts, Secret, Value};
use brine_python::{Kind, PyErr, R};
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes that are wiped.
pub type Bytes = Zeroizing<Vec<u8>>;

/// A key, and what is done with it. Stock's `nacl.config`, over which arguments go.
#[derive(Clone, Debug)]
pub struct Config {
    /// `secretbox` or anything else, which is `sealedbox`.
    pub box_type: String,
    /// The secret key in base64, if it is given itself.
    pub sk: Option<Secret>,
    /// The file with the secret key.
    pub sk_file: String,
    /// The public key in base64, if it is given itself.
    pub pk: Option<String>,
    /// The file with the public key.
    pub pk_file: String,
}

impl Config {
    /// As the options have it: `nacl.config`, or keys below `pki_dir`.
    pub fn of(opts: &Opts) -> Self {
        let pki = opts.path("pki_dir");
        let file = |name| pki.join(name).display().to_string();
        let mut config = Self {
            box_type: "sealedbox".into(),
            sk: None,
            sk_file: file("master/nacl"),
            pk: None,
            pk_file: file("master/nacl.pub"),
        };
        if let Some(Value::Map(own)) = opts.get("nacl.config") {
            for (name, value) in own {
                if let (Some(name), Some(value)) = (name.as_str(), value.as_str()) {
                    config.set(name, value);
                }
            }
        }
        config
    }

    /// Sets one of the five by its name; `key` and `keyfile` are those of a `secretbox`. Other names change nothing.
    pub fn set(&mut self, name: &str, value: &str) {
        match name {
            "box_type" => self.box_type = value.into(),
            "sk" => self.sk = Some(Secret::new(value.into())),
            "sk_file" => self.sk_file = value.into(),
            "pk" => self.pk = Some(value.into()),
            "pk_file" => self.pk_file = value.into(),
            "key" => {
                self.sk = Some(Secret::new(value.into()));
                self.box_type = "secretbox".into();
            }
            "keyfile" => {
                self.sk_file = value.into();
                self.box_type = "secretbox".into();
            }
            _ => {}
        }
    }

    /// The secret key.
    ///
    /// # Errors
    /// There is none, or it is no base64.
    pub fn secret_key(&self) -> R<Bytes> {
        match self.sk.as_ref().filter(|sk| !sk.reveal().is_empty()) {
            Some(sk) => base64::decode(sk.reveal().as_bytes()),
            None => read_key(&self.sk_file, "no key or sk_file found"),
        }
    }

    /// The public key.
    ///
    /// # Errors
    /// There is none, or it is no base64.
    pub fn public_key(&self) -> R<Bytes> {
        match self.pk.as_ref().filter(|pk| !pk.is_empty()) {
            Some(pk) => base64::decode(pk.as_bytes()),
            None => read_key(&self.pk_file, "no pubkey or pk_file found"),
        }
    }
}

/// An error in stock's words, which are those of a plain `Exception`.
pub fn exception(text: impl Into<String>) -> PyErr {
    PyErr::new(Kind::Other("Exception"), text)
}

fn read_key(file: &str, missing: &str) -> R<Bytes> {
    use std::io::Read;
    // A key has 44 characters.
    const MOST: u64 = 64 * 1024;
    let mut text = Zeroizing::new(Vec::new());
    std::fs::File::open(Path::new(file))
        .and_then(|f| f.take(MOST).read_to_end(&mut text))
        .map_err(|_| exception(missing))?;
    base64::decode(&text)
}

/// Encrypts, as the kind of box says: base64.
///
/// # Errors
/// The key is missing or has the wrong length.
pub fn enc(config: &Config, clear: &[u8]) -> R<Vec<u8>> {
    if config.box_type == "secretbox" {
        secretbox_encrypt(config, clear)
    } else {
        sealedbox_encrypt(config, clear)
    }
}

/// Opens base64, as the kind of box says.
///
/// # Errors
/// The key is missing or the wrong one, or the text was changed.
pub fn dec(config: &Config, cipher: &[u8]) -> R<Bytes> {
    if config.box_type == "secretbox" {
        secretbox_decrypt(config, cipher)
    } else {
        sealedbox_decrypt(config, cipher)
    }
}
