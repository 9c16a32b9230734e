//! The oldest `crypt(3)`: 25 rounds of DES over zeros, keyed by eight letters of a password and changed by two of salt. Bits
//! are kept one a byte, as in the standard's tables; speed is of no concern. Pure.

use super::crypt::{ALPHABET, REFUSED};

const IP: [u8; 64] = [
    58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48,
    40, 32, 24, 16, 8, 57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, 61, 53, 45, 37, 29, 21,
    13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
];
const E: [u8; 48] = [
    32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17, 16, 17, 18, 19, 20,
    21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1,
];
const P: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6,
    22, 11, 4, 25,
];
const PC1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44,
    36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20,
    12, 4,
];
const PC2: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37,
    47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
const SHIFTS: [usize; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];
const S: [[u8; 64]; 8] = [
    [
        14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7, 0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5,
        3, 8, 4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0, 15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14,
        10, 0, 6, 13,
    ],
    [
        15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10, 3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9,
        11, 5, 0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15, 13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12,
        0, 5, 14, 9,
    ],
    [
        10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8, 13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11,
        15, 1, 13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7, 1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3,
        11, 5, 2, 12,
    ],
    [
        7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15, 13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10,
        14, 9, 10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4, 3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11,
        12, 7, 2, 14,
    ],
    [
        2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9, 14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9,
        8, 6, 4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14, 11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9,
        10, 4, 5, 3,
    ],
    [
        12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11, 10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11,
        3, 8, 9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6, 4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7,
        6, 0, 8, 13,
    ],
    [
        4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1, 13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15,
        8, 6, 1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2, 6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15,
        14, 2, 3, 12,
    ],
    [
        13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7, 1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14,
        9, 2, 7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8, 2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0,
        3, 5, 6, 11,
    ],
];

/// The bits that a table names, counted from 1.
fn pick<const N: usize>(bits: &[u8], table: &[u8; N]) -> [u8; N] {
    table.map(|at| bits[usize::from(at) - 1])
}

/// The sixteen keys of the rounds.
fn keys(password: &[u8]) -> Vec<[u8; 48]> {
    let letters = password.iter().copied().chain(std::iter::repeat(0)).take(8);
    let key: Vec<u8> =
        letters.flat_map(|letter| (0..8).rev().map(move |bit| ((letter << 1) >> bit) & 1)).collect();
    let mut halves = pick(&key, &PC1);
    let (left, right) = halves.split_at_mut(28);
    let mut all = Vec::with_capacity(16);
    for shift in SHIFTS {
        left.rotate_left(shift);
        right.rotate_left(shift);
        let both: Vec<u8> = left.iter().chain(right.iter()).copied().collect();
        all.push(pick(&both, &PC2));
    }
    all
}

/// One DES of a block, with the expansion that a salt makes of the standard's.
fn encrypt(block: &[u8; 64], keys: &[[u8; 48]], expansion: &[u8; 48]) -> [u8; 64] {
    let block = pick(block, &IP);
    let (mut left, mut right) = (block[..32].to_vec(), block[32..].to_vec());
    for key in keys {
        let mixed = pick(&right, expansion);
        let mut out = Vec::with_capacity(32);
        for (at, table) in S.iter().enumerate() {
            let b: Vec<usize> =
                (0..6).map(|bit| usize::from(mixed[at * 6 + bit] ^ key[at * 6 + bit])).collect();
            let place = (b[0] << 5) | (b[5] << 4) | (b[1] << 3) | (b[2] << 2) | (b[3] << 1) | b[4];
            out.extend((0..4).rev().map(|bit| (table[place] >> bit) & 1));
        }
        let new = pick(&out, &P).iter().zip(&left).map(|(a, b)| a ^ b).collect();
        left = std::mem::replace(&mut right, new);
    }
    // The halves change sides, and the first permutation is undone.
    let both: Vec<u8> = right.into_iter().chain(left).collect();
    let mut block = [0; 64];
    for (at, from) in IP.iter().enumerate() {
        block[usize::from(*from) - 1] = both[at];
    }
    block
}

/// The hash of a password with two letters of salt.
pub(crate) fn crypt(password: &[u8], salt: &str) -> String {
    let value = |letter: &u8| ALPHABET.iter().position(|known| known == letter);
    let letters: Option<Vec<usize>> =
        salt.as_bytes().get(..2).and_then(|two| two.iter().map(value).collect());
    let Some(letters) = letters else { return REFUSED.into() };
    let mut expansion = E;
    for (half, value) in letters.iter().enumerate() {
        for bit in (0..6).filter(|bit| (value >> bit) & 1 == 1) {
            expansion.swap(half * 6 + bit, half * 6 + bit + 24);
        }
    }
    let keys = keys(password);
    let mut block = [0; 64];
    for _ in 0..25 {
        block = encrypt(&block, &keys, &expansion);
    }
    let mut out = salt[..2].to_owned();
    let bits: Vec<u8> = block.iter().copied().chain([0, 0]).collect();
    for six in bits.chunks_exact(6) {
        let value = six.iter().fold(0, |all, bit| (all << 1) | usize::from(*bit));
        out.push(char::from(ALPHABET[value]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_libxcrypt() {
        for (password, salt, want) in [
            ("password", "ab", "abJnggxhB/yWI"),
            ("", "ab", "abmF1QH4PEr.E"),
            ("longer than eight", "./", "./yPRzyX/WeSM"),
            ("pässword", "Zz", "ZzxlWflrUImG2"),
            ("x", "abcdefgh", "abiQ6Ep3EYTHc"),
            ("x", "a", "*0"),
            ("x", "a:", "*0"),
        ] {
            assert_eq!(crypt(password.as_bytes(), salt), want, "{password} {salt}");
        }
    }
}
