//! `crypt(3)` hashes of passwords: SHA-512, SHA-256, Blowfish and MD5 as in glibc and libxcrypt. Pure.

use sha2::{Digest, Sha256, Sha512};

pub(super) const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `$6$` with the salt, which may start with `rounds=N$`.
pub(crate) fn sha512(password: &[u8], salt: &str) -> String {
    sha_crypt::<Sha512>("$6$", password, salt, |sum, out| {
        // Which three bytes of the digest make four characters.
        let (mut a, mut b, mut c) = (0, 21, 42);
        for _ in 0..21 {
            encode(out, &[sum[c], sum[b], sum[a]], 4);
            (a, b, c) = (b + 1, c + 1, a + 1);
        }
        encode(out, &[sum[63]], 2);
    })
}

/// `$5$` with the salt, which may start with `rounds=N$`.
pub(crate) fn sha256(password: &[u8], salt: &str) -> String {
    sha_crypt::<Sha256>("$5$", password, salt, |sum, out| {
        let (mut a, mut b, mut c) = (0, 10, 20);
        for _ in 0..10 {
            encode(out, &[sum[c], sum[b], sum[a]], 4);
            (a, b, c) = (c + 1, a + 1, b + 1);
        }
        encode(out, &[sum[30], sum[31]], 3);
    })
}

/// Adds characters of six bits, lowest first; the first byte of `bytes` is the lowest.
fn encode(out: &mut String, bytes: &[u8], count: usize) {
    let mut word = bytes.iter().rev().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
    for _ in 0..count {
        out.push(char::from(ALPHABET[(word & 63) as usize]));
        word >>= 6;
    }
}

/// Rounds given in the salt must be within these bounds.
const ROUNDS: std::ops::RangeInclusive<u64> = 1000..=999_999_999;

/// What `crypt` returns for a salt that makes no sense.
pub(super) const REFUSED: &str = "*0";

fn sha_crypt<D: Digest>(
    prefix: &str,
    password: &[u8],
    salt: &str,
    finish: impl FnOnce(&[u8], &mut String),
) -> String {
    let mut rounds = 5000;
    let mut shown = String::new();
    let mut salt = salt;
    if let Some((number, rest)) = salt.strip_prefix("rounds=").and_then(|rest| rest.split_once('$')) {
        match number.parse() {
            Ok(number) if ROUNDS.contains(&number) => rounds = number,
            _ => return REFUSED.into(),
        }
        shown = format!("rounds={rounds}$");
        salt = rest;
    }
    let salt = salt.split('$').next().unwrap_or_default();
    let salt: String = salt
        .chars()
        .scan(0, |len, c| {
            *len += c.len_utf8();
            (*len <= 16).then_some(c)
        })
        .collect();
    let sum = sha_rounds::<D>(password, salt.as_bytes(), rounds);
    let mut out = format!("{prefix}{shown}{salt}$");
    finish(&sum, &mut out);
    out
}

fn sha_rounds<D: Digest>(password: &[u8], salt: &[u8], rounds: u64) -> Vec<u8> {
    let alternate = D::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let repeat =
        |block: &[u8], length: usize| -> Vec<u8> { block.iter().copied().cycle().take(length).collect() };
    let mut hash = D::new().chain_update(password).chain_update(salt);
    hash.update(repeat(&alternate, password.len()));
    let mut bits = password.len();
    while bits > 0 {
        if bits & 1 == 1 {
            hash.update(&alternate)
        } else {
            hash.update(password)
        }
        bits >>= 1;
    }
    let mut sum = hash.finalize().to_vec();
    let mut hash = D::new();
    for _ in 0..password.len() {
        hash.update(password);
    }
    let p = repeat(&hash.finalize(), password.len());
    let mut hash = D::new();
    for _ in 0..16 + usize::from(sum[0]) {
        hash.update(salt);
    }
    let s = repeat(&hash.finalize(), salt.len());
    for round in 0..rounds {
        let odd = round & 1 == 1;
        let mut hash = D::new();
        if odd {
            hash.update(&p)
        } else {
            hash.update(&sum)
        }
        if round % 3 != 0 {
            hash.update(&s);
        }
        if round % 7 != 0 {
            hash.update(&p);
        }
        if odd {
            hash.update(&sum)
        } else {
            hash.update(&p)
        }
        sum = hash.finalize().to_vec();
    }
    sum
}

/// `$1$` with up to eight characters of the salt.
pub(crate) fn md5(password: &[u8], salt: &str) -> String {
    use md5::Md5;
    let salt: String = salt.split('$').next().unwrap_or_default().chars().take(8).collect();
    let alternate = Md5::new().chain_update(password).chain_update(&salt).chain_update(password).finalize();
    let mut hash = Md5::new().chain_update(password).chain_update("$1$").chain_update(&salt);
    hash.update(alternate.iter().copied().cycle().take(password.len()).collect::<Vec<u8>>());
    let mut bits = password.len();
    while bits > 0 {
        if bits & 1 == 1 {
            hash.update([0])
        } else {
            hash.update(&password[..1])
        }
        bits >>= 1;
    }
    let mut sum = hash.finalize();
    for round in 0..1000 {
        let mut hash = Md5::new();
        if round & 1 == 1 {
            hash.update(password)
        } else {
            hash.update(sum)
        }
        if round % 3 != 0 {
            hash.update(&salt);
        }
        if round % 7 != 0 {
            hash.update(password);
        }
        if round & 1 == 1 {
            hash.update(sum)
        } else {
            hash.update(password)
        }
        sum = hash.finalize();
    }
    let mut out = format!("$1${salt}$");
    for (a, b, c) in [(0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)] {
        encode(&mut out, &[sum[c], sum[b], sum[a]], 4);
    }
    encode(&mut out, &[sum[11]], 2);
    out
}

/// Letters of bcrypt's own base64.
const BCRYPT: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `$2b$` with a salt of two digits of cost, a dollar and 22 letters.
pub(crate) fn blowfish(password: &[u8], salt: &str) -> String {
    let parts = salt.split_once('$').and_then(|(cost, salt)| {
        let cost = (cost.len() == 2).then(|| cost.parse::<u32>().ok()).flatten()?;
        let letters = salt.as_bytes().get(..22)?;
        let bits = letters.iter().try_fold(Vec::new(), |mut bits, letter| {
            let value = BCRYPT.iter().position(|known| known == letter)?;
            bits.extend((0..6).rev().map(|bit| (value >> bit) as u8 & 1));
            Some(bits)
        })?;
        let bytes: Vec<u8> =
            bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |all, bit| (all << 1) | bit)).collect();
        Some((cost, <[u8; 16]>::try_from(bytes).ok()?))
    });
    let Some((cost, salt)) = parts.filter(|(cost, _)| (4..=31).contains(cost)) else { return REFUSED.into() };
    match bcrypt::hash_with_salt(password, cost, salt) {
        Ok(hash) => hash.format_for_version(bcrypt::Version::TwoB),
        Err(_) => REFUSED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_libxcrypt() {
        // Made by libxcrypt; the first two are the specification's.
        assert_eq!(
            sha512(b"Hello world!", "saltstring"),
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
        );
        assert_eq!(
            sha256(b"Hello world!", "saltstring"),
            "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"
        );
        assert_eq!(md5(b"password", "saltsalt"), "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/");
        assert_eq!(sha512(b"x", "rounds=10$salt"), "*0");
        assert_eq!(
            blowfish(b"password", "05$abcdefghijklmnopqrstuv"),
            "$2b$05$abcdefghijklmnopqrstuuWG29KuyeAicPCJODk1zjyGvyQUU2awu"
        );
        assert_eq!(blowfish(b"x", "5$abcdefghijklmnopqrstuv"), "*0");
        assert_eq!(blowfish(b"x", "abcdefgh"), "*0");
    }
}
