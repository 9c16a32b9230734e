//! Hashes, signatures and base64.

use super::text::raw_bytes;
use base64::Engine as _;
use blake2::{Blake2b512, Blake2s256};
use brine_jinja::{State, Table};
use brine_python::{Args, Kind, Obj, PyErr, R, Signature};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use std::io::Read;

pub(super) fn add(table: &mut Table) {
    table.insert("base64_encode", |_, args| {
        let bytes = raw_bytes(IN_ENCODE.bind(args)?.at(0))?;
        super::text::room(bytes.len() * 4 / 3)?;
        Ok(base64::engine::general_purpose::STANDARD.encode(&bytes).into())
    });
    table.insert("base64_decode", base64_decode);
    table.insert("md5", |_, args| digest::<Md5>("md5_digest", args));
    table.insert("sha1", |_, args| digest::<Sha1>("sha1_digest", args));
    table.insert("sha256", |_, args| digest::<Sha256>("sha256_digest", args));
    table.insert("sha512", |_, args| digest::<Sha512>("sha512_digest", args));
    table.insert("hmac", hmac_signature);
    table.insert("hmac_compute", hmac_compute);
    table.insert("file_hashsum", file_hashsum);
}

const IN_ENCODE: Signature = Signature::new("base64_b64encode", 0, &["instr"], 1);
const IN_DECODE: Signature = Signature::new("base64_b64decode", 0, &["instr"], 1);

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn digest<D: Digest>(name: &'static str, args: &Args) -> R {
    let bytes = raw_bytes(Signature::new(name, 0, &["instr"], 1).bind(args)?.at(0))?;
    Ok(hex(&D::digest(&bytes)).into())
}

fn base64_decode(_: &State, args: &Args) -> R {
    let bytes = decode(&raw_bytes(IN_DECODE.bind(args)?.at(0))?)?;
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) => Obj::str(text),
        Err(_) => bytes.into(),
    })
}

/// `binascii.a2b_base64`: what is not in the alphabet is skipped, and nothing is read after the padding.
fn decode(text: &[u8]) -> R<Vec<u8>> {
    let failed = |text: String| Err(PyErr::new(Kind::Other("Error"), text));
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut place, mut left, mut pads) = (0u8, 0u8, 0u8);
    for byte in text {
        let n = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                pads += 1;
                if place >= 2 && place + pads >= 4 {
                    return Ok(out);
                }
                pads = pads.min(3);
                continue;
            }
            _ => continue,
        };
        pads = 0;
        match place {
            0 => left = n,
            1 => {
                out.push(left << 2 | n >> 4);
                left = n & 15;
            }
            2 => {
                out.push(left << 4 | n >> 2);
                left = n & 3;
            }
            _ => out.push(left << 6 | n),
        }
        place = (place + 1) % 4;
    }
    match place {
        0 => Ok(out),
        1 => failed(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            out.len() / 3 * 4 + 1
        )),
        _ => failed("Incorrect padding".into()),
    }
}

fn mac(key: &Obj, text: &Obj, also: Option<&Obj>) -> R<(Vec<u8>, Vec<u8>)> {
    let (text, key) = (raw_bytes(text)?, raw_bytes(key)?);
    let also = also.map(raw_bytes).transpose()?;
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else {
        return Err(PyErr::value("key"));
    };
    mac.update(&text);
    let signed = mac.finalize().into_bytes().to_vec();
    Ok((signed, also.map(|also| also.to_vec()).unwrap_or_default()))
}

fn hmac_signature(_: &State, args: &Args) -> R {
    const SIG: Signature =
        Signature::new("hmac_signature", 0, &["string", "shared_secret", "challenge_hmac"], 3);
    let a = SIG.bind(args)?;
    let (signed, challenge) = mac(a.at(1), a.at(0), Some(a.at(2)))?;
    Ok((base64::engine::general_purpose::STANDARD.encode(signed).as_bytes() == challenge).into())
}

fn hmac_compute(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("hmac_compute", 0, &["string", "shared_secret"], 2);
    let a = SIG.bind(args)?;
    Ok(hex(&mac(a.at(1), a.at(0), None)?.0).into())
}

/// A hash that is fed piece by piece.
type Feed = Box<dyn FnMut(Option<&[u8]>) -> Vec<u8>>;

fn feed<D: Digest + 'static>() -> Feed {
    let mut hash = Some(D::new());
    Box::new(move |part| match part {
        Some(part) => {
            if let Some(hash) = &mut hash {
                hash.update(part);
            }
            Vec::new()
        }
        None => hash.take().map(|hash| hash.finalize().to_vec()).unwrap_or_default(),
    })
}

/// The hash of a name that Python's `hashlib` has; of those, `shake_*` have no length of their own.
pub(super) fn named(name: &str) -> Option<Feed> {
    Some(match name {
        "md5" => feed::<Md5>(),
        "sha1" => feed::<Sha1>(),
        "sha224" => feed::<Sha224>(),
        "sha256" => feed::<Sha256>(),
        "sha384" => feed::<Sha384>(),
        "sha512" => feed::<Sha512>(),
        "sha3_224" => feed::<Sha3_224>(),
        "sha3_256" => feed::<Sha3_256>(),
        "sha3_384" => feed::<Sha3_384>(),
        "sha3_512" => feed::<Sha3_512>(),
        "blake2b" => feed::<Blake2b512>(),
        "blake2s" => feed::<Blake2s256>(),
        _ => return None,
    })
}

/// What `hexdigest()` of a hash without a length says.
pub(super) fn no_length() -> PyErr {
    PyErr::ty("hexdigest() missing required argument 'length' (pos 1)")
}

fn file_hashsum(_: &State, args: &Args) -> R {
    const SIG: Signature = Signature::new("get_hash", 0, &["path", "form", "chunk_size"], 1);
    let a = SIG.bind(args)?;
    let form = match a.get(1) {
        None => "sha256",
        Some(form) => match form.as_str() {
            Some(form) => form,
            None => return Err(attribute_name(form)),
        },
    };
    let shake = form.starts_with("shake_") && matches!(form, "shake_128" | "shake_256");
    let Some(mut hash) = named(if shake { "md5" } else { form }) else {
        return Err(PyErr::value(format!("Invalid hash type: {form}")));
    };
    let path = super::path::path_of(a.at(0))?;
    if path.is_dir() {
        let error = std::io::Error::from_raw_os_error(nix::errno::Errno::EISDIR as i32);
        return Err(super::path::os_error(&error, a.at(0)));
    }
    let mut file = std::fs::File::open(&path).map_err(|e| super::path::os_error(&e, a.at(0)))?;
    // How much is read at a time changes nothing, but must be a number.
    if let Some(count) = a.some(2) {
        brine_python::index(count).map_err(|e| super::path::no_count(e, count))?;
    }
    let mut block = vec![0; 65536];
    loop {
        match file.read(&mut block).map_err(|e| super::path::os_error(&e, a.at(0)))? {
            0 => break,
            n => _ = hash(Some(&block[..n])),
        }
    }
    if shake { Err(no_length()) } else { Ok(hex(&hash(None)).into()) }
}

/// What `getattr` says of a name that is no text.
pub(super) fn attribute_name(name: &Obj) -> PyErr {
    PyErr::ty(format!("attribute name must be string, not '{}'", name.type_name()))
}

/// `salt.utils.data.hash(value)`: the hash by that Salt's filters seed chance.
pub(super) fn seed(value: &Obj) -> R<String> {
    let bytes = match (value, value.as_str()) {
        (Obj::Bytes(bytes), _) => bytes.to_vec(),
        (_, Some(text)) => text.as_bytes().to_vec(),
        _ => return Err(PyErr::ty("object supporting the buffer API required")),
    };
    Ok(hex(&Sha512::digest(bytes)))
}
