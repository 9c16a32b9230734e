//! PEM as Salt's files and messages hold it, the protected form of old OpenSSL included.
//!
//! Reading is lenient as OpenSSL is (line lengths, line ends, text around the block); writing is what stock writes.

use super::CryptError;
use ::aes::{Aes128, Aes192, Aes256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// No PEM of an acceptable key is longer; checked before anything is decoded.
const LONGEST: usize = 32 * 1024;

/// Strips outer white space and turns every kind of line end into LF: the form in which keys are compared and sent.
pub fn clean_key(pem: &str) -> String {
    pem.trim().replace("\r\n", "\n").replace('\r', "\n")
}

/// The label and content of the first PEM block.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Reads the first PEM block; a protected one needs its passphrase.
pub(super) fn parse(text: &str, passphrase: Option<&str>) -> Result<Block, CryptError> {
    if text.len() > LONGEST {
        return Err(CryptError::Pem);
    }
    let mut lines = text.lines().map(str::trim);
    let label = lines
        .find_map(|l| l.strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
        .ok_or(CryptError::Pem)?
        .to_owned();
    let end = format!("-----END {label}-----");
    let mut body = Zeroizing::new(String::with_capacity(text.len()));
    let mut dek = None;
    let mut ended = false;
    for line in lines {
        if line == end {
            ended = true;
            break;
        } else if let Some(info) = line.strip_prefix("DEK-Info:") {
            dek = Some(info.trim().to_owned());
        } else if !line.contains(':') {
            body.push_str(line);
        }
    }
    if !ended {
        return Err(CryptError::Pem);
    }
    let mut der = Zeroizing::new(STANDARD.decode(body.as_bytes()).map_err(|_| CryptError::Pem)?);
    if let Some(dek) = dek {
        der = unprotect(&dek, &der, passphrase.ok_or(CryptError::Passphrase)?)?;
    }
    Ok(Block { label, der })
}

/// OpenSSL's traditional protection: the key is MD5 of passphrase and IV, repeated.
fn unprotect(dek: &str, data: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, CryptError> {
    let (cipher, iv) = dek.split_once(',').ok_or(CryptError::Pem)?;
    let iv = super::fingerprint::unhex(iv.trim()).filter(|iv| iv.len() == 16).ok_or(CryptError::Pem)?;
    let mut key = Zeroizing::new(Vec::new());
    while key.len() < 32 {
        let mut hash = Md5::new();
        hash.update(&key[key.len().saturating_sub(16)..]);
        hash.update(passphrase.as_bytes());
        hash.update(&iv[..8]);
        key.extend_from_slice(&hash.finalize());
    }
    let mut plain = Zeroizing::new(data.to_vec());
    let bad = |_| CryptError::Passphrase;
    let n = match cipher.trim() {
        "AES-128-CBC" => cbc::Decryptor::<Aes128>::new_from_slices(&key[..16], &iv)
            .map_err(|_| CryptError::Pem)?
            .decrypt_padded::<Pkcs7>(&mut plain)
            .map_err(bad)?
            .len(),
        "AES-192-CBC" => cbc::Decryptor::<Aes192>::new_from_slices(&key[..24], &iv)
            .map_err(|_| CryptError::Pem)?
            .decrypt_padded::<Pkcs7>(&mut plain)
            .map_err(bad)?
            .len(),
        "AES-256-CBC" => cbc::Decryptor::<Aes256>::new_from_slices(&key[..32], &iv)
            .map_err(|_| CryptError::Pem)?
            .decrypt_padded::<Pkcs7>(&mut plain)
            .map_err(bad)?
            .len(),
        _ => return Err(CryptError::Pem),
    };
    plain.truncate(n);
    Ok(plain)
}

/// A PEM block with 64 characters a line and a final LF.
pub(super) fn write(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut out = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 80));
    out.push_str("-----BEGIN ");
    out.push_str(label);
    out.push_str("-----\n");
    for line in body.as_bytes().chunks(64) {
        out.extend(line.iter().map(|b| char::from(*b)));
        out.push('\n');
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_key_is_stocks() {
        assert_eq!(clean_key(" \r\na\r\nb\rc\n\n"), "a\nb\nc");
    }

    #[test]
    fn written_blocks_are_read_back() {
        let text = write("PUBLIC KEY", &[3; 100]);
        assert_eq!(text.lines().nth(1).unwrap().len(), 64);
        let block = parse(&format!("junk\r\n{}", text.replace('\n', "\r\n")), None).unwrap();
        assert_eq!((block.label.as_str(), block.der.as_slice()), ("PUBLIC KEY", &[3u8; 100][..]));
    }

    #[test]
    fn what_is_no_pem_is_refused() {
        for bad in [
            "",
            "-----BEGIN X-----",
            "-----BEGIN X-----\nAAAA\n-----END Y-----",
            "-----BEGIN X-----\n!\n-----END X-----",
        ] {
            assert!(parse(bad, None).is_err(), "{bad}");
        }
        assert!(parse(&"a".repeat(40_000), None).is_err());
    }
}
