//! Lines of files of keys: options, kind, key, comment. Pure.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use brine_core::call::{CallError, Result};
use brine_core::ssh::split;

/// One key of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) enc: String,
    pub(super) comment: String,
    pub(super) options: Vec<String>,
    pub(super) fingerprint: String,
}

/// The digest of a key in pairs of digits; `None`: it is none.
pub(super) fn fingerprint(key: &str, hash: Option<&str>) -> Result<Option<String>> {
    let hash = hash.filter(|hash| !hash.is_empty()).unwrap_or("sha256").to_lowercase();
    let Some(raw) = decode(key) else {
        return match crate::hashutil::hex_digest(&hash, b"") {
            Some(_) => Ok(None),
            None => Err(unknown(&hash)),
        };
    };
    let digest = crate::hashutil::hex_digest(&hash, &raw).ok_or_else(|| unknown(&hash))?;
    let pairs: Vec<&str> = (0..digest.len()).step_by(2).filter_map(|at| digest.get(at..at + 2)).collect();
    Ok(Some(pairs.join(":")))
}

fn unknown(hash: &str) -> CallError {
    CallError::execution(format!("The fingerprint_hash_type {hash} is not supported."))
}

/// Base64 as Python reads it: letters, then up to two pads, which may be more than needed but not less.
fn decode(text: &str) -> Option<Vec<u8>> {
    let data = text.trim_end_matches('=');
    let pads = text.len() - data.len();
    let needed = match data.len() % 4 {
        1 => return None,
        2 => 2,
        3 => 1,
        _ => 0,
    };
    if pads > 2 || pads < needed {
        return None;
    }
    GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true)).decode(data).ok()
}

/// The keys of a file, in order; of one that is there twice, the last.
pub(super) fn entries(text: &str, hash: Option<&str>) -> Result<Vec<Entry>> {
    let mut found: Vec<Entry> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((options, rest)) = split(line) else { continue };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [enc, key, comment @ ..] = &words[..] else { continue };
        let Some(fingerprint) = fingerprint(key, hash)? else { continue };
        let options = options.split(',').filter(|_| !options.is_empty()).map(str::to_owned).collect();
        let entry = Entry {
            key: (*key).to_owned(),
            enc: (*enc).to_owned(),
            comment: comment.join(" "),
            options,
            fingerprint,
        };
        match found.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry,
            None => found.push(entry),
        }
    }
    Ok(found)
}

/// The key that a line is about, where an old one is looked for to be replaced.
pub(super) fn key_of(line: &str) -> Option<&str> {
    let after_kind = |rest: &str| -> Option<usize> {
        let bare = rest.strip_prefix("sk-").unwrap_or(rest);
        let tail = bare.strip_prefix("ssh-").or_else(|| bare.strip_prefix("ecdsa-"))?;
        let end = tail.trim_start_matches(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "@.-".contains(c));
        (end.len() < tail.len() && end.starts_with(char::is_whitespace)).then(|| rest.len() - end.len() + 1)
    };
    let key_at = |at: usize| -> Option<&str> {
        let rest = &line[at..];
        let rest = rest.get(after_kind(rest)?..)?;
        let body = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "+/".contains(c));
        let length = rest.len() - body.len();
        let pads = body.bytes().take(2).take_while(|byte| *byte == b'=').count();
        (length > 0).then(|| &rest[..length + pads])
    };
    let places: Vec<usize> = line.char_indices().map(|(at, _)| at).collect();
    let after_blank = |at: &&usize| line[..**at].ends_with(char::is_whitespace);
    places.iter().rev().filter(after_blank).find_map(|at| key_at(*at)).or_else(|| places.iter().find_map(|at| key_at(*at)))
}

/// A line with this key.
pub(super) fn format(key: &str, enc: &str, comment: &str, options: &[String]) -> String {
    let options = if options.is_empty() { String::new() } else { format!("{} ", options.join(",")) };
    format!("{options}{enc} {key} {comment}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_lines() {
        assert_eq!(key_of("no-pty ssh-rsa AAAA== me"), Some("AAAA=="));
        assert_eq!(key_of("# nothing"), None);
    }

    #[test]
    fn fingerprints_are_of_what_python_decodes() {
        let of = |key: &str| fingerprint(key, Some("md5")).unwrap();
        assert_eq!(of("AAAA").as_deref(), Some("69:3e:9a:f8:4d:3d:fc:c7:1e:64:0e:00:5b:dc:5e:2e"));
        assert_eq!(of("AAA"), None);
        assert!(of("AA==").is_some() && of("AAAA==").is_some() && of("AA=").is_none() && of("A").is_none());
        assert!(fingerprint("AAAA", Some("nohash")).is_err());
    }
}
