//! Fingerprints of the minion's key and its master's.

use crate::hashutil::hex_digest;
use brine_core::call::{CallError, Cx, Result, exec, module};
use std::path::Path;

module! { "key": finger, finger_master }

/// The fingerprint of this minion's public key, by the option `hash_type` unless one is given.
///
/// CLI Example: salt '*' key.finger
#[exec]
fn finger(cx: &Cx, hash_type: Option<String>) -> Result<String> {
    fingerprint(cx, "minion.pub", hash_type)
}

/// The fingerprint of the master's public key that this minion keeps.
///
/// CLI Example: salt '*' key.finger_master
#[exec]
fn finger_master(cx: &Cx, hash_type: Option<String>) -> Result<String> {
    fingerprint(cx, "minion_master.pub", hash_type)
}

fn fingerprint(cx: &Cx, file: &str, hash_type: Option<String>) -> Result<String> {
    let path = Path::new(cx.opts.str("pki_dir")).join(file);
    if !path.is_file() {
        return Ok(String::new());
    }
    let configured = || Some(cx.opts.str("hash_type").to_owned()).filter(|name| !name.is_empty());
    let algorithm = hash_type.or_else(configured).unwrap_or_else(|| "sha256".into());
    let body = body(&std::fs::read(&path)?);
    let digest = hex_digest(&algorithm, &body).ok_or_else(|| {
        CallError::exception("AttributeError", format!("module 'hashlib' has no attribute '{algorithm}'"))
    })?;
    Ok(colons(&digest))
}

fn colons(digest: &str) -> String {
    let pairs: Vec<String> = digest.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into()).collect();
    pairs.join(":")
}

/// What is hashed: the lines between the armour of a PEM file, each with its line end, or else all of it.
fn body(file: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(file).replace("\r\n", "\n");
    let lines: Vec<&str> = text.split('\n').filter(|line| !line.trim().is_empty()).collect();
    match lines.as_slice() {
        [first, inner @ .., last]
            if first.trim().starts_with("-----BEGIN") && last.trim().starts_with("-----END") =>
        {
            inner.iter().flat_map(|line| [line.as_bytes(), b"\n"]).flatten().copied().collect()
        }
        _ => file.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn armour_and_line_ends_do_not_count() {
        let key = b"-----BEGIN PUBLIC KEY-----\r\nabc\r\ndef\r\n-----END PUBLIC KEY-----\r\n";
        assert_eq!(body(key), b"abc\ndef\n");
        assert_eq!(body(b"abc"), b"abc");
        assert_eq!(colons("a1b2c3"), "a1:b2:c3");
    }
}
