//! Checksums of files.

use crate::hashutil::{file_error, hex};
use crate::python::path::expanduser;
use brine_core::Value;
use brine_core::call::{CallError, Result, exec};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Kinds of checksums with the length of their text.
pub(super) const HASHES: &[(usize, &str)] =
    &[(32, "md5"), (40, "sha1"), (56, "sha224"), (64, "sha256"), (96, "sha384"), (128, "sha512")];

/// The checksum of a file, in pieces, so that any size will do.
pub(crate) fn of_file(path: &str, form: &str) -> Result<String> {
    match form {
        "md5" => read::<md5::Md5>(path),
        "sha1" => read::<sha1::Sha1>(path),
        "sha224" => read::<Sha224>(path),
        "sha256" => read::<Sha256>(path),
        "sha384" => read::<Sha384>(path),
        "sha512" => read::<Sha512>(path),
        "sha3_224" => read::<sha3::Sha3_224>(path),
        "sha3_256" => read::<sha3::Sha3_256>(path),
        "sha3_384" => read::<sha3::Sha3_384>(path),
        "sha3_512" => read::<sha3::Sha3_512>(path),
        "blake2b" => read::<blake2::Blake2b512>(path),
        "blake2s" => read::<blake2::Blake2s256>(path),
        other => Err(CallError::exception("ValueError", format!("Invalid hash type: {other}"))),
    }
}

fn read<D: Digest>(path: &str) -> Result<String> {
    let failed = |e: std::io::Error| file_error(&e, path);
    let mut file = File::open(path).map_err(failed)?;
    let mut digest = D::new();
    let mut buffer = [0; 16 << 10];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(&buffer[..n]),
        }
    }
}

/// The checksum of a file: `md5`, `sha1`, `sha224`, `sha256`, `sha384` or `sha512`.
///
/// CLI Example: salt '*' file.get_sum /etc/passwd sha512
#[exec]
pub(super) fn get_sum(path: String, #[default("sha256")] form: String) -> Result<String> {
    let path = expanduser(&path);
    if !Path::new(&path).is_file() {
        return Ok("File not found".into());
    }
    of_file(&path, &form)
}

/// The checksum of a file, however large.
///
/// CLI Example: salt '*' file.get_hash /etc/shadow
#[exec]
pub(super) fn get_hash(
    path: String,
    #[default("sha256")] form: String,
    #[default(65536)] chunk_size: i64,
) -> Result<String> {
    // How much is read at once changes nothing of the result.
    let _chunk_size = chunk_size;
    of_file(&expanduser(&path), &form)
}

/// Whether a file has this checksum, given alone or as `md5=...`.
///
/// CLI Example: salt '*' file.check_hash /etc/fstab md5=e138491e9d5b97023cea823fe17bac22
#[exec]
pub(super) fn check_hash(path: String, file_hash: Value) -> Result<bool> {
    let Value::Str(hash) = file_hash else { return Err(CallError::invocation("hash must be a string")) };
    let (form, value) = match hash.split_once(':').or_else(|| hash.split_once('=')) {
        Some((form, value)) => (form, value),
        None => match HASHES.iter().find(|(length, _)| *length == hash.chars().count()) {
            Some((_, form)) => (*form, hash.as_str()),
            None => {
                let known: Vec<String> = HASHES.iter().map(|(length, form)| format!("{form} ({length})")).collect();
                return Err(CallError::invocation(format!(
                    "Hash {hash} (length: {}) could not be matched to a supported hash type. The supported hash types and \
                     lengths are: {}",
                    hash.chars().count(),
                    known.join(", ")
                )));
            }
        },
    };
    Ok(of_file(&expanduser(&path), form)? == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_compared_by_its_length_or_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f").to_string_lossy().into_owned();
        std::fs::write(&path, "abc").unwrap();
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        assert!(check_hash(path.clone(), md5.into()).unwrap());
        assert!(check_hash(path.clone(), format!("md5={md5}").into()).unwrap());
        assert!(!check_hash(path.clone(), format!("md5:{}", &md5[1..]).into()).unwrap());
        let error = check_hash(path.clone(), "abc".into()).unwrap_err().to_string();
        assert!(error.starts_with("Hash abc (length: 3) could not be matched"), "{error}");
        assert_eq!(of_file(&path, "x").unwrap_err().to_string(), "ValueError: Invalid hash type: x");
        assert_eq!(get_sum("/nonexistent".into(), "md5".into()).unwrap(), "File not found");
    }
}
