//! Passwords as `htpasswd` files hold them: bcrypt, SHA-crypt, MD5-crypt (Apache's and the system's), `{SHA}`, or plain.
//!
//! Traditional DES hashes and kinds nobody knows are not checked: whoever has one is refused, with a line in the log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha_crypt::{PasswordVerifier, ShaCrypt};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// How a password is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Bcrypt,
    ShaCrypt,
    /// With the mark that begins it, which goes into the digest.
    Md5Crypt(&'static str),
    Sha1,
    Plain,
}

impl Scheme {
    /// By how it begins; None for those that are not checked.
    pub(super) fn of(hash: &str) -> Option<Self> {
        const MARKS: [(&str, Scheme); 8] = [
            ("$2a$", Scheme::Bcrypt),
            ("$2b$", Scheme::Bcrypt),
            ("$2y$", Scheme::Bcrypt),
            ("$5$", Scheme::ShaCrypt),
            ("$6$", Scheme::ShaCrypt),
            ("$apr1$", Scheme::Md5Crypt("$apr1$")),
            ("$1$", Scheme::Md5Crypt("$1$")),
            ("{SHA}", Scheme::Sha1),
        ];
        if let Some((_, scheme)) = MARKS.iter().find(|(mark, _)| hash.starts_with(mark)) {
            return Some(*scheme);
        }
        let des = hash.len() == 13 && hash.bytes().all(|b| b.is_ascii_alphanumeric() || b"./".contains(&b));
        // `!` and `*` stand before what lets nobody in.
        (!des && !hash.is_empty() && !hash.starts_with(['$', '{', '_', '!', '*'])).then_some(Scheme::Plain)
    }
}

/// Whether the password is the one that was hashed.
pub(super) fn verify(scheme: Scheme, hash: &str, password: &str) -> bool {
    let same = |a: &[u8], b: &[u8]| bool::from(a.ct_eq(b));
    match scheme {
        Scheme::Bcrypt => bcrypt::verify(password, hash).unwrap_or(false),
        Scheme::ShaCrypt => sha_crypt::PasswordHash::new(hash)
            .is_ok_and(|parsed| ShaCrypt::default().verify_password(password.as_bytes(), &parsed).is_ok()),
        Scheme::Md5Crypt(mark) => {
            let salt = hash.strip_prefix(mark).and_then(|rest| rest.split_once('$')).map(|(salt, _)| salt);
            salt.is_some_and(|salt| {
                let salt: &str = salt.get(..8).unwrap_or(salt);
                same(md5_crypt(mark, salt, password.as_bytes()).as_bytes(), hash.as_bytes())
            })
        }
        Scheme::Sha1 => {
            let digest = hash.strip_prefix("{SHA}").and_then(|text| STANDARD.decode(text.trim()).ok());
            digest.is_some_and(|digest| same(&digest, &Sha1::digest(password.as_bytes())))
        }
        Scheme::Plain => same(hash.as_bytes(), password.as_bytes()),
    }
}

/// The letters of crypt's base 64, from zero.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Poul-Henning Kamp's scheme: a thousand rounds of MD5, in the order he chose.
fn md5_crypt(mark: &str, salt: &str, password: &[u8]) -> String {
    let salted = salt.as_bytes();
    let inner = Md5::new().chain_update(password).chain_update(salted).chain_update(password).finalize();
    let mut start = Md5::new().chain_update(password).chain_update(mark).chain_update(salted);
    for chunk in password.chunks(16) {
        start.update(&inner[..chunk.len()]);
    }
    let mut bits = password.len();
    while bits > 0 {
        start.update(if bits & 1 == 1 { &[0][..] } else { &password[..1] });
        bits >>= 1;
    }
    let mut digest = start.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        let odd = round % 2 == 1;
        next.update(if odd { password } else { &digest });
        if round % 3 != 0 {
            next.update(salted);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if odd { &digest[..] } else { password });
        digest = next.finalize();
    }
    let mut out = format!("{mark}{salt}$");
    let mut put = |bytes: [usize; 3], letters: usize| {
        let mut value = bytes.iter().fold(0u32, |v, &i| v << 8 | digest.get(i).map_or(0, |b| u32::from(*b)));
        for _ in 0..letters {
            out.push(char::from(LETTERS[(value & 63) as usize]));
            value >>= 6;
        }
    };
    for bytes in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        put(bytes, 4);
    }
    // Bytes that do not exist count as zero.
    put([16, 16, 11], 2);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(hash: &str, password: &str) -> bool {
        Scheme::of(hash).is_some_and(|scheme| verify(scheme, hash, password))
    }

    #[test]
    fn what_other_programs_wrote_is_read() {
        for hash in [
            "$2b$05$abcdefghijklmnopqrstuuUlSKjeo3DFTqTs/8j/O2NapXDiVwey.",
            "$2y$05$abcdefghijklmnopqrstuuUlSKjeo3DFTqTs/8j/O2NapXDiVwey.",
            "$apr1$abcdefgh$N8RXdsm52bQ7uY0lLWL030",
            "$1$abcdefgh$0hSiLTkAGucyNk5x/gn5L/",
            "$5$saltsalt$Npo75iL8RgSW.SLIMfAXWpcF3hYmsbagHEM8jGfgOmA",
            "$5$rounds=1000$saltsalt$g5dS90P8Cv/bEXy87bun9yu6uso42GQ27pBxFhkajc5",
            "$6$saltsalt$hkjmeQ.J1W1JeHUl94M7Nt1Yk44XaIZIQ4Q2fyhJ.GbheVbKrLTrTp8TjKcwKUTcF00vTw1KWqFdav/F816sN.",
            "{SHA}s32/8V2nS3k47YMIIIaVJh7dOeU=",
        ] {
            assert!(good(hash, "goneFishing"), "{hash}");
            assert!(!good(hash, "gonefishing") && !good(hash, "") && !good(hash, hash), "{hash}");
            let mut cut = hash.to_owned();
            cut.pop();
            assert!(!good(&cut, "goneFishing"), "{cut}");
        }
        assert!(good("goneFishing", "goneFishing") && !good("goneFishing", "x"));
        let long = "a password longer than sixteen bytes";
        assert!(good("$apr1$xy$KdN98XSITqSWy8I9WeEMZ1", long));
    }

    #[test]
    fn unknown_kinds_let_nobody_in() {
        for hash in
            ["abCDefGHijk12", "$9$x$y", "{CRYPT}x", "!goneFishing", "*", "", "$1$", "$apr1$", "$6$", "$2y$"]
        {
            assert!(!good(hash, hash) && !good(hash, ""), "{hash}");
        }
    }
}
