//! Key pairs and signatures made by hand: `--gen-keys` and `--gen-signature`.

use crate::exit::{CliError, Result};
use crate::output::Output;
use crate::startup::Command;
use brine_protocol::crypt::{HashType, PrivateKey, SigAlgo, clean_key, pem_finger};
use brine_protocol::{Value, map};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Generates `NAME.pem` and `NAME.pub` and shows the fingerprint, as stock does. An existing pair is kept.
pub(super) fn keys(name: &str, bits: usize, command: &Command) -> Result {
    if name.is_empty() || name.contains('/') {
        return Err(command.usage(&format!("--gen-keys takes a plain name, not '{name}'")));
    }
    let dir = PathBuf::from(command.some("gen_keys_dir").unwrap_or("."));
    fs::create_dir_all(&dir).map_err(|e| CliError::io(&dir, e))?;
    let public = pair(&dir, name, bits)?;
    let finger = pem_finger(&public, HashType::Sha256);
    Output::new(&command.opts)?.show(&map! {"return" => finger}.into(), "key")
}

/// `--keysize`, within stock's limits. The master's option of that name is another matter.
pub(super) fn key_size(command: &Command) -> Result<usize> {
    let bits = command.line.get("keysize").and_then(brine_core::cmdline::int).unwrap_or(2048);
    match bits {
        ..2048 => Err(command.usage("The minimum value for keysize is 2048")),
        2048..=32_768 => Ok(usize::try_from(bits).unwrap_or(2048)),
        _ => Err(command.usage("The maximum value for keysize is 32768")),
    }
}

/// The public key of a pair, generated if there is none; the private half is never readable by others.
fn pair(dir: &Path, name: &str, bits: usize) -> Result<String> {
    let private_path = dir.join(format!("{name}.pem"));
    let public_path = dir.join(format!("{name}.pub"));
    if private_path.is_file() {
        return read(&public_path);
    }
    let key = PrivateKey::generate(bits).map_err(|e| CliError::Client(e.to_string()))?;
    let private = key.to_pem().map_err(|e| CliError::Client(e.to_string()))?;
    let public = key.public().to_pem().map_err(|e| CliError::Client(e.to_string()))?;
    write_new(&private_path, private.as_bytes(), 0o400)?;
    write_new(&public_path, public.as_bytes(), 0o644)?;
    Ok(public)
}

/// Signs the master's public key with the signing key: what minions with `verify_master_pubkey_sign` check.
pub(super) fn signature(command: &Command, bits: usize, out: &Output) -> Result {
    let pki = command.opts.path("pki_dir");
    let shown = |text: String| out.show(&map! {"return" => Value::from(text)}.into(), "key");
    let public_path = match command.some("pub") {
        Some(given) if !Path::new(given).is_file() => {
            return shown(format!("Public-key {given} does not exist"));
        }
        Some(given) => Some(PathBuf::from(given)),
        None => Some(pki.join("master.pub")).filter(|p| p.is_file()),
    };
    let sign_name = command.some("master_sign_key_name").unwrap_or("master_sign");
    let private_path = match command.some("priv") {
        Some(given) if !Path::new(given).is_file() => {
            return shown(format!("Private-key {given} does not exist"));
        }
        Some(given) => PathBuf::from(given),
        None if pki.join("master_sign.pem").is_file() => pki.join("master_sign.pem"),
        None if command.on("auto_create") => {
            pair(&pki, sign_name, bits)?;
            pki.join(format!("{sign_name}.pem"))
        }
        None => return shown("No usable private-key found".into()),
    };
    let Some(public_path) = public_path else { return shown("No usable public-key found".into()) };
    let key =
        PrivateKey::from_pem(&read(&private_path)?, None).map_err(|e| CliError::Client(e.to_string()))?;
    let text = clean_key(&read(&public_path)?);
    let signed =
        key.sign(text.as_bytes(), SigAlgo::default()).map_err(|e| CliError::Client(e.to_string()))?;
    let dir = command.some("signature_path").map_or(pki, PathBuf::from);
    let target = dir.join(command.some("master_pubkey_signature").unwrap_or("master_pubkey_signature"));
    if target.is_file() {
        return out.show(&map! {"return" => false}.into(), "key");
    }
    use base64::Engine as _;
    let mut encoded = base64::engine::general_purpose::STANDARD.encode(signed);
    encoded.push('\n');
    write_new(&target, encoded.as_bytes(), 0o644)?;
    out.show(&map! {"return" => true}.into(), "key")
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| CliError::io(path, e))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut f| f.write_all(bytes))
        .map_err(|e| CliError::io(path, e))
}
