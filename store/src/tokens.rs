//! Tokens in `token_dir`: one file each, as stock lays them out, so that they outlive a swap in either direction.
//!
//! Stock 3006 and 3007 read `<token>`, a msgpack map; stock 3008 reads `<token>.p`, the same within an envelope. Both
//! are written, either is read. A token's text comes from a caller: only lower hex of a digest's length becomes a file
//! name. An expired token is refused and removed at the same moment (CVE-2021-3144).

use std::io;

use brine_protocol::crypt::HashType;
use brine_protocol::msgpack::{Dialect, decode, encode_map};
use brine_protocol::{Map, Value, map};

use crate::fs::Dir;

/// Largest token file that is read: rules and groups may be many.
const MAX_BYTES: u64 = 1 << 20;
/// Most files kept; beyond it no token is made.
const MAX_FILES: usize = 20_000;

/// Whether a text can be a token: hex, as long as one of the digests `hash_type` may name.
pub fn valid_token(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128)
        && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The store.
#[derive(Clone, Debug)]
pub struct Tokens {
    dir: Dir,
    hash: HashType,
}

fn number(map: &Map, key: &str) -> f64 {
    map.get(key).and_then(Value::as_float).filter(|x| x.is_finite()).unwrap_or(0.0)
}

impl Tokens {
    /// The store in `dir`, which need not exist yet, with names of the length of `hash`.
    pub fn at(dir: Dir, hash: HashType) -> Self {
        Self { dir, hash }
    }

    /// Keeps `data` under a new random name, which is added to it as `token`. `data` must have `expire`, in seconds
    /// since the epoch.
    ///
    /// # Errors
    /// When it cannot be written, or there are too many.
    pub fn make(&self, mut data: Map) -> io::Result<Map> {
        self.dir.ensure(0o700)?;
        if self.dir.names()?.len() >= MAX_FILES {
            return Err(io::Error::other("too many tokens"));
        }
        let mut random = [0u8; 512];
        getrandom::fill(&mut random).map_err(|e| io::Error::other(e.to_string()))?;
        let name = self.hash.hex(&random);
        data.insert("token", name.as_str());
        let expires = number(&data, "expire") as i64;
        let envelope = map! {"data" => data.clone(), "_expires" => expires};
        self.dir.write(&enveloped(&name), &encode_map(&envelope, Dialect::New), 0o600)?;
        self.dir.write(&name, &encode_map(&data, Dialect::New), 0o600)?;
        Ok(data)
    }

    /// What is kept of a token that is valid at `now`. One that has expired, or cannot be read as a token, is removed.
    pub fn get(&self, token: &str, now: f64) -> Option<Map> {
        if !valid_token(token) {
            return None;
        }
        let data = match self.load(token) {
            Ok(Some(data)) => data,
            Ok(None) => return None,
            Err(e) => {
                // The file may be there again in a moment; the token is only refused.
                tracing::warn!("Authentication failure: can not read token file: {e}");
                return None;
            }
        };
        let usable = data.get_str("name").is_some() && data.get_str("eauth").is_some();
        // A file under another's name would make a token of what is none.
        if number(&data, "expire") <= now || !usable || data.get_str("token") != Some(token) {
            self.remove(token);
            return None;
        }
        Some(data)
    }

    fn load(&self, token: &str) -> io::Result<Option<Map>> {
        let read = |name: &str| -> io::Result<Option<Map>> {
            Ok(self.dir.read(name, MAX_BYTES)?.map(|bytes| match decode(&bytes) {
                Ok(Value::Map(map)) => map,
                _ => Map::new(),
            }))
        };
        if let Some(data) = read(token)? {
            return Ok(Some(data));
        }
        Ok(read(&enveloped(token))?.map(|envelope| match envelope.get("data") {
            Some(Value::Map(data)) => data.clone(),
            _ => envelope,
        }))
    }

    /// Forgets a token; whether there was one.
    pub fn remove(&self, token: &str) -> bool {
        if !valid_token(token) {
            return false;
        }
        let mut was = false;
        for name in [token.to_owned(), enveloped(token)] {
            match self.dir.remove(&name) {
                Ok(removed) => was |= removed,
                Err(e) => tracing::warn!("Could not remove token: {e}"),
            }
        }
        was
    }

    /// The tokens there are, expired ones included.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(&self) -> io::Result<Vec<String>> {
        let mut names = self.dir.names()?;
        for name in &mut names {
            if name.ends_with(".p") {
                name.truncate(name.len() - 2);
            }
        }
        names.retain(|name| valid_token(name));
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Removes those that have expired at `now`.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn prune(&self, now: f64) -> io::Result<()> {
        for name in self.list()? {
            let _ = self.get(&name, now);
        }
        Ok(())
    }
}

fn enveloped(token: &str) -> String {
    format!("{token}.p")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Tokens) {
        let tmp = tempfile::tempdir().unwrap();
        let tokens = Tokens::at(Dir::at(tmp.path().join("tokens")), HashType::Sha256);
        (tmp, tokens)
    }

    fn data(expire: f64) -> Map {
        map! {"start" => 1.0, "expire" => expire, "name" => "fred", "eauth" => "pam"}
    }

    fn name(made: &Map) -> String {
        made.get_str("token").unwrap().to_owned()
    }

    #[test]
    fn a_token_is_kept_as_both_layouts_have_it() {
        let (tmp, tokens) = store();
        let made = tokens.make(data(100.0)).unwrap();
        let token = name(&made);
        assert!(valid_token(&token) && token.len() == 64);
        assert_eq!(tokens.get(&token, 99.0).unwrap(), made);
        let other = tokens.make(data(100.0)).unwrap();
        assert_ne!(name(&other), token);
        for file in [token.clone(), format!("{token}.p")] {
            assert_eq!(tokens.dir.mode(&file).unwrap() & 0o7777, 0o600);
        }
        // As stock 3006, then as stock 3008 left it.
        let file = |name: &str| tmp.path().join("tokens").join(name);
        std::fs::remove_file(file(&format!("{token}.p"))).unwrap();
        assert!(tokens.get(&token, 99.0).is_some());
        std::fs::remove_file(file(&name(&other))).unwrap();
        assert_eq!(tokens.get(&name(&other), 99.0).unwrap(), other);
        assert_eq!(tokens.list().unwrap().len(), 2);
    }

    #[test]
    fn cve_2021_3144_an_expired_token_is_refused_and_gone() {
        let (_tmp, tokens) = store();
        let token = name(&tokens.make(data(100.0)).unwrap());
        assert!(tokens.get(&token, 99.9).is_some());
        assert_eq!(tokens.get(&token, 100.0), None);
        // Gone, also for whoever's clock goes wrong.
        assert_eq!(tokens.get(&token, 1.0), None);
        assert!(tokens.list().unwrap().is_empty());
        let old = name(&tokens.make(data(5.0)).unwrap());
        let new = name(&tokens.make(data(500.0)).unwrap());
        tokens.prune(10.0).unwrap();
        assert_eq!(tokens.list().unwrap(), [new]);
        assert_eq!(tokens.get(&old, 1.0), None);
    }

    #[test]
    fn only_hex_is_a_token() {
        let (tmp, tokens) = store();
        let hex = "a".repeat(64);
        for text in [
            "",
            "..",
            "../x",
            "/etc/passwd",
            &"a".repeat(65),
            &"A".repeat(64),
            &"g".repeat(64),
            &"é".repeat(32),
        ] {
            assert!(!valid_token(text), "{text}");
            assert_eq!(tokens.get(text, 0.0), None);
        }
        assert_eq!(tokens.get(&hex, 0.0), None);
        // Files that are no tokens: no map, no expiry, another's content, a link.
        let token = name(&tokens.make(data(100.0)).unwrap());
        let dir = tmp.path().join("tokens");
        let junk = [
            b"\xc1".to_vec(),
            b"\x90".to_vec(),
            encode_map(&map! {"name" => "x", "eauth" => "pam"}, Dialect::New),
        ];
        for (i, bytes) in junk.iter().enumerate() {
            let name = format!("{i}{}", "b".repeat(63));
            std::fs::write(dir.join(&name), bytes).unwrap();
            assert_eq!(tokens.get(&name, 1.0), None);
            assert!(!dir.join(&name).exists());
        }
        std::fs::copy(dir.join(&token), dir.join(&hex)).unwrap();
        assert_eq!(tokens.get(&hex, 1.0), None);
        std::os::unix::fs::symlink(dir.join(&token), dir.join(&hex)).unwrap();
        assert_eq!(tokens.get(&hex, 1.0), None);
        assert!(tokens.get(&token, 1.0).is_some());
    }
}
