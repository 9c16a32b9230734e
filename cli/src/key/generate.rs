//! Key pairs and signatures made by hand: `--gen-keys` and `--gen-signature`.

use crate::exit::{CliError, Result};
use crate::output::Output;
use brine_core::Opts;
use brine_protocol::crypt::{HashType, PrivateKey, SigAlgo, clean_key, pem_finger};
use brine_protocol::{Value, map};
use clap::ArgMatches;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Generates `NAME.pem` and `NAME.pub` and shows the fingerprint, as stock does. An existing pair is kept.
pub(super) fn keys(name: &str, m: &ArgMatches) -> Result {
    if name.is_empty() || name.contains('/') {
        return Err(CliError::Usage(format!("--gen-keys takes a plain name, not '{name}'")));
    }
    let dir = PathBuf::from(m.get_one::<String>("gen-keys-dir").map_or(".", String::as_str));
    fs::create_dir_all(&dir).map_err(|e| CliError::io(&dir, e))?;
    let bits = m.get_one::<u16>("keysize").copied().unwrap_or(2048);
    let public = pair(&dir, name, usize::from(bits))?;
    let finger = pem_finger(&public, HashType::Sha256);
    Output::plain(m)?.show(&map! {"return" => finger}.into(), "key")
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
pub(super) fn signature(m: &ArgMatches, opts: &Opts, out: &Output) -> Result {
    let pki = opts.path("pki_dir");
    let given =
        |id: &str, default: &str| m.get_one::<String>(id).map_or_else(|| pki.join(default), PathBuf::from);
    let sign_name = match opts.str("master_sign_key_name") {
        "" => "master_sign",
        name => name,
    };
    let private_path = given("priv", &format!("{sign_name}.pem"));
    let public_path = given("pub", "master.pub");
    let shown = |text: String| out.show(&map! {"return" => Value::from(text)}.into(), "key");
    if !private_path.is_file() {
        if m.contains_id("priv") {
            return shown(format!("Private-key {} does not exist", private_path.display()));
        }
        if !m.get_flag("auto-create") {
            return shown("No usable private-key found".into());
        }
        pair(&pki, sign_name, 2048)?;
    }
    if !public_path.is_file() {
        return shown(format!("Public-key {} does not exist", public_path.display()));
    }
    let key =
        PrivateKey::from_pem(&read(&private_path)?, None).map_err(|e| CliError::Client(e.to_string()))?;
    let text = clean_key(&read(&public_path)?);
    let signed =
        key.sign(text.as_bytes(), SigAlgo::default()).map_err(|e| CliError::Client(e.to_string()))?;
    let target = given("signature-path", ".").join(match opts.str("master_pubkey_signature") {
        "" => "master_pubkey_signature",
        name => name,
    });
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
