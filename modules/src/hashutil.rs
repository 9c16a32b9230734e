//! Digests, message authentication and base64.

use brine_core::text::python_type;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use brine_core::call::{Args, CallError, Cx, Result, exec, module};
pub(crate) use brine_protocol::crypt::fingerprint::hex;
use brine_core::{Value, text::python_repr};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

module! {
    "hashutil": base64_b64decode, base64_b64encode, base64_decodefile, base64_decodestring, base64_encodefile,
    base64_encodestring, digest, digest_file, github_signature, hmac_compute, hmac_signature, md5_digest, sha256_digest,
    sha512_digest
}

/// The digest in hexadecimal, by Python's name of the algorithm; `None` if it is not known.
pub(crate) fn hex_digest(algorithm: &str, data: &[u8]) -> Option<String> {
    fn run<D: Digest>(data: &[u8]) -> String {
        hex(&D::digest(data))
    }
    Some(match algorithm {
        "md5" => run::<md5::Md5>(data),
        "sha1" => run::<sha1::Sha1>(data),
        "sha224" => run::<sha2::Sha224>(data),
        "sha256" => run::<Sha256>(data),
        "sha384" => run::<sha2::Sha384>(data),
        "sha512" => run::<sha2::Sha512>(data),
        "sha3_224" => run::<sha3::Sha3_224>(data),
        "sha3_256" => run::<sha3::Sha3_256>(data),
        "sha3_384" => run::<sha3::Sha3_384>(data),
        "sha3_512" => run::<sha3::Sha3_512>(data),
        "blake2b" => run::<blake2::Blake2b512>(data),
        "blake2s" => run::<blake2::Blake2s256>(data),
        _ => return None,
    })
}


fn bytes(value: Value) -> Result<Vec<u8>> {
    let name = python_type(&value);
    value.into_bytes().ok_or_else(|| {
        CallError::Arguments(format!("expected str, bytes, or bytearray not <class '{name}'>"))
    })
}

fn known_digest(algorithm: &str, data: Value) -> Result<String> {
    let data = bytes(data)?;
    hex_digest(algorithm, &data).ok_or_else(|| unsupported(algorithm))
}

fn unsupported(algorithm: &str) -> CallError {
    CallError::execution(format!("Hash func '{algorithm}' is not supported."))
}

/// Text where the bytes are UTF-8, else the bytes.
fn text_or_bytes(data: Vec<u8>) -> Value {
    String::from_utf8(data).map_or_else(|e| Value::Bytes(e.into_bytes()), Value::Str)
}

/// The checksum of text: `md5`, `sha256` or `sha512`.
///
/// CLI Example: salt '*' hashutil.digest 'get salted'
#[exec]
fn digest(instr: Value, #[default("md5")] checksum: String) -> Result<String> {
    match checksum.as_str() {
        "md5" | "sha256" | "sha512" => known_digest(&checksum, instr),
        _ => Err(unsupported(&checksum)),
    }
}

/// The checksum of a file on the minion: `md5`, `sha256` or `sha512`.
///
/// CLI Example: salt '*' hashutil.digest_file /path/to/file
#[exec]
fn digest_file(cx: &Cx, infile: String, #[default("md5")] checksum: String) -> Result {
    if !std::path::Path::new(&infile).is_file() {
        return Err(CallError::execution(format!("File path '{infile}' not found.")));
    }
    let data = std::fs::read(&infile)?;
    cx.call("hashutil.digest", Args::positional([Value::Bytes(data), checksum.into()]))
}

/// Base64 of text.
///
/// CLI Example: salt '*' hashutil.base64_b64encode 'get salted'
#[exec]
fn base64_b64encode(instr: Value) -> Result<String> {
    Ok(STANDARD.encode(bytes(instr)?))
}

/// The text (or bytes) that base64 stands for.
///
/// CLI Example: salt '*' hashutil.base64_b64decode 'Z2V0IHNhbHRlZA=='
#[exec]
fn base64_b64decode(instr: Value) -> Result {
    Ok(text_or_bytes(decode(&bytes(instr)?)?))
}

/// Base64 of text in lines of 76 characters.
///
/// CLI Example: salt '*' hashutil.base64_encodestring 'get salted'
#[exec]
fn base64_encodestring(instr: Value) -> Result<String> {
    Ok(lines(&bytes(instr)?))
}

/// Base64 of a file on the minion in lines of 76 characters.
///
/// CLI Example: salt '*' hashutil.base64_encodefile /path/to/binary_file
#[exec]
fn base64_encodefile(fname: String) -> Result<String> {
    let data = std::fs::read(&fname).map_err(|e| file_error(&e, &fname))?;
    Ok(lines(&data))
}

/// The text (or bytes) that base64, in lines or not, stands for.
///
/// CLI Example: salt '*' hashutil.base64_decodestring instr='Z2V0IHNhbHRlZAo='
#[exec]
fn base64_decodestring(instr: Value) -> Result {
    Ok(text_or_bytes(decode(&bytes(instr)?)?))
}

/// Write what base64 stands for to a file on the minion. Returns `True`.
///
/// CLI Example: salt '*' hashutil.base64_decodefile instr='Z2V0IHNhbHRlZAo=' outfile='/path/to/binary_file'
#[exec]
fn base64_decodefile(instr: Value, outfile: String) -> Result<bool> {
    let data = decode(&bytes(instr)?)?;
    brine_files::put_bytes(&data, std::path::Path::new(&outfile)).map_err(|e| file_error(&e, &outfile))?;
    Ok(true)
}

/// Python's error for a file that cannot be opened.
pub(crate) fn file_error(e: &std::io::Error, path: &str) -> CallError {
    brine_files::file_error(e, std::path::Path::new(path))
}

fn lines(data: &[u8]) -> String {
    data.chunks(57).map(|line| STANDARD.encode(line) + "\n").collect()
}

/// Python's lenient decoder: whatever is no base64 character is passed over, and padding ends the data.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut position, mut left, mut pads) = (0, 0u8, 0);
    for c in text {
        let value = match c {
            b'=' => {
                pads += 1;
                if position >= 2 && position + pads >= 4 {
                    return Ok(out);
                }
                if position < 2 {
                    pads -= 1;
                }
                continue;
            }
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        pads = 0;
        match position {
            0 => {}
            1 => out.push((left << 2) | (value >> 4)),
            2 => out.push((left << 4) | (value >> 2)),
            _ => out.push((left << 6) | value),
        }
        left = value;
        position = (position + 1) % 4;
    }
    let wrong = |text: String| Err(CallError::exception("Error", text));
    match position {
        0 => Ok(out),
        1 => wrong(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            out.len() / 3 * 4 + 1
        )),
        _ => wrong("Incorrect padding".into()),
    }
}

/// The MD5 checksum of text.
///
/// CLI Example: salt '*' hashutil.md5_digest 'get salted'
#[exec]
fn md5_digest(instr: Value) -> Result<String> {
    known_digest("md5", instr)
}

/// The SHA-256 checksum of text.
///
/// CLI Example: salt '*' hashutil.sha256_digest 'get salted'
#[exec]
fn sha256_digest(instr: Value) -> Result<String> {
    known_digest("sha256", instr)
}

/// The SHA-512 checksum of text.
///
/// CLI Example: salt '*' hashutil.sha512_digest 'get salted'
#[exec]
fn sha512_digest(instr: Value) -> Result<String> {
    known_digest("sha512", instr)
}

fn hmac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Result<M> {
    let mut mac = <M as KeyInit>::new_from_slice(key)
        .map_err(|e| CallError::exception("ValueError", e.to_string()))?;
    Mac::update(&mut mac, message);
    Ok(mac)
}

/// Whether a base64 HMAC-SHA256 belongs to this text and secret. Compared in constant time.
///
/// CLI Example: salt '*' hashutil.hmac_signature 'get salted' 'shared secret' 'eBWf9bstXg+NiP5AOwppB5HMvZiYMPzEM9W5YMm/AmQ='
#[exec]
fn hmac_signature(string: Value, shared_secret: Value, challenge_hmac: Value) -> Result<bool> {
    let challenge = bytes(challenge_hmac)?;
    let mac = hmac::<Hmac<Sha256>>(&bytes(shared_secret)?, &bytes(string)?)?;
    Ok(STANDARD.decode(challenge).is_ok_and(|challenge| mac.verify_slice(&challenge).is_ok()))
}

/// The HMAC-SHA256 of text with a secret, in hexadecimal.
///
/// CLI Example: salt '*' hashutil.hmac_compute 'get salted' 'shared secret'
#[exec]
fn hmac_compute(string: Value, shared_secret: Value) -> Result<String> {
    let mac = hmac::<Hmac<Sha256>>(&bytes(shared_secret)?, &bytes(string)?)?;
    Ok(hex(&mac.finalize().into_bytes()))
}

/// Whether a webhook signature as GitHub sends it (`sha1=..`, `sha256=..`) belongs to this text and secret. Compared
/// in constant time.
///
/// CLI Example: salt '*' hashutil.github_signature '{"ref":....}' 'shared secret' 'sha1=bc6550fc290acf5b42283fa8deaf55cea0f8c206'
#[exec]
fn github_signature(string: Value, shared_secret: Value, challenge_hmac: String) -> Result<bool> {
    let parts: Vec<&str> = challenge_hmac.split('=').collect();
    let [algorithm, challenge] = parts[..] else {
        let text = match parts.len() {
            1 => "not enough values to unpack (expected 2, got 1)",
            _ => "too many values to unpack (expected 2)",
        };
        return Err(CallError::exception("ValueError", text));
    };
    let (key, message) = (bytes(shared_secret)?, bytes(string)?);
    let challenge = unhex(challenge);
    let check = |given: &[u8]| -> Result<bool> {
        Ok(match algorithm {
            "md5" => hmac::<Hmac<md5::Md5>>(&key, &message)?.verify_slice(given).is_ok(),
            "sha1" => hmac::<Hmac<sha1::Sha1>>(&key, &message)?.verify_slice(given).is_ok(),
            "sha224" => hmac::<Hmac<sha2::Sha224>>(&key, &message)?.verify_slice(given).is_ok(),
            "sha256" => hmac::<Hmac<Sha256>>(&key, &message)?.verify_slice(given).is_ok(),
            "sha384" => hmac::<Hmac<sha2::Sha384>>(&key, &message)?.verify_slice(given).is_ok(),
            "sha512" => hmac::<Hmac<sha2::Sha512>>(&key, &message)?.verify_slice(given).is_ok(),
            _ => {
                let text = format!("module 'hashlib' has no attribute {}", python_repr(&algorithm.into()));
                return Err(CallError::exception("AttributeError", text));
            }
        })
    };
    check(challenge.as_deref().unwrap_or_default())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |c: u8| char::from(c).to_digit(16).filter(|_| !c.is_ascii_uppercase());
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[a, b]| Some((digit(*a)? << 4 | digit(*b)?) as u8)).collect()
}
