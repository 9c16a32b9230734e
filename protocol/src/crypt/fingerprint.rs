//! Fingerprints of keys, in both forms stock shows, and the hex helpers around them.
//!
//! The file form is the one to show: it is what `key.finger` and `master_finger` use.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

/// The `hash_type` option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashType {
    /// `md5`
    Md5,
    /// `sha1`
    Sha1,
    /// `sha224`
    Sha224,
    /// `sha256`, the default.
    #[default]
    Sha256,
    /// `sha384`
    Sha384,
    /// `sha512`
    Sha512,
}

impl HashType {
    /// The hash of that name (any case), if Salt knows it.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "md5" => Self::Md5,
            "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    /// Salt's name of the hash.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The raw digest of `data`.
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(data).to_vec(),
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha224 => Sha224::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha384 => Sha384::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    /// The digest of `data` in lower hex.
    pub fn hex(self, data: &[u8]) -> String {
        hex(&self.digest(data))
    }
}

/// The file form: non-blank lines within the armour, each with an LF; text without armour as it is.
pub fn pem_finger(pem: &str, hash: HashType) -> String {
    let text = pem.replace("\r\n", "\n");
    let lines: Vec<&str> = text.split('\n').filter(|l| !l.trim().is_empty()).collect();
    let body: String = match lines.as_slice() {
        [first, body @ .., last]
            if first.trim().starts_with("-----BEGIN") && last.trim().starts_with("-----END") =>
        {
            body.iter().flat_map(|line| [*line, "\n"]).collect()
        }
        _ => pem.to_owned(),
    };
    colons(&hash.digest(body.as_bytes()))
}

/// The form 3008 shows in `salt-key -f` and `-F`: the whole text, armour included.
pub fn armoured_finger(pem: &str, hash: HashType) -> String {
    colons(&hash.digest(pem.as_bytes()))
}

/// Whether two fingerprints are the same, in constant time.
pub fn same_finger(a: &str, b: &str) -> bool {
    bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}

fn colons(digest: &[u8]) -> String {
    let pairs: Vec<String> = digest.iter().map(|b| format!("{b:02x}")).collect();
    pairs.join(":")
}

/// Lower hex of bytes. The checksum of each file of a run is written so, and formatting each byte took longer.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n)]);
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
        out
    })
}

/// Bytes of hex text, if it is that.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_form_drops_armour_and_line_end_style() {
        let pem = "-----BEGIN X-----\nAAAA\nBB==\n-----END X-----\n";
        let crlf = pem.replace('\n', "\r\n");
        let want = colons(&Sha256::digest(b"AAAA\nBB==\n"));
        assert_eq!(pem_finger(pem, HashType::Sha256), want);
        assert_eq!(pem_finger(&crlf, HashType::Sha256), want);
        assert_eq!(pem_finger(pem.trim_end(), HashType::Sha256), want);
        assert_ne!(armoured_finger(pem, HashType::Sha256), want);
        assert_eq!(pem_finger("no key\n", HashType::Sha256), colons(&Sha256::digest(b"no key\n")));
        assert_eq!(pem_finger("", HashType::Md5), "d4:1d:8c:d9:8f:00:b2:04:e9:80:09:98:ec:f8:42:7e");
    }

    #[test]
    fn hex_both_ways() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(hex(&all), all.iter().map(|b| format!("{b:02x}")).collect::<String>());
        assert_eq!(hex(&[]), "");
        assert_eq!(unhex(&hex(&[0, 255, 16])), Some(vec![0, 255, 16]));
        assert_eq!(unhex("0g"), None);
        assert_eq!(unhex("€€"), None);
    }
}
