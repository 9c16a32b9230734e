//! Python's seeded random numbers (Mersenne Twister 19937), so that a seed gives the same splay, sample and order
//! as on a stock minion. Never for secrets: those come from the operating system.

use sha2::{Digest, Sha512};

const N: usize = 624;
const M: usize = 397;

/// Python's `random.Random`.
pub(crate) struct Random {
    state: [u32; N],
    index: usize,
}

impl Random {
    /// `random.seed(text)`: the text's bytes and their SHA-512 as one big number.
    pub(crate) fn from_text(text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        bytes.extend_from_slice(&Sha512::digest(text.as_bytes()));
        let mut key: Vec<u32> = bytes
            .rchunks(4)
            .map(|chunk| chunk.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte)))
            .collect();
        while key.len() > 1 && key.last() == Some(&0) {
            key.pop();
        }
        Self::from_key(&key)
    }

    /// `random.seed(number)`.
    pub(crate) fn from_int(number: i128) -> Self {
        let mut rest = number.unsigned_abs();
        let mut key = vec![rest as u32];
        while rest >> 32 != 0 {
            rest >>= 32;
            key.push(rest as u32);
        }
        Self::from_key(&key)
    }

    /// A seed of the operating system's.
    pub(crate) fn from_system() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes)?;
        let key: Vec<u32> =
            bytes.chunks(4).map(|c| c.iter().fold(0, |w, b| (w << 8) | u32::from(*b))).collect();
        Ok(Self::from_key(&key))
    }

    fn from_key(key: &[u32]) -> Self {
        let mut s = [0u32; N];
        s[0] = 19_650_218;
        for i in 1..N {
            s[i] = 1_812_433_253u32.wrapping_mul(s[i - 1] ^ (s[i - 1] >> 30)).wrapping_add(i as u32);
        }
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            s[i] = (s[i] ^ (s[i - 1] ^ (s[i - 1] >> 30)).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j = (j + 1) % key.len();
            if i >= N {
                s[0] = s[N - 1];
                i = 1;
            }
        }
        for _ in 0..N - 1 {
            s[i] = (s[i] ^ (s[i - 1] ^ (s[i - 1] >> 30)).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                s[0] = s[N - 1];
                i = 1;
            }
        }
        s[0] = 0x8000_0000;
        Self { state: s, index: N }
    }

    fn next(&mut self) -> u32 {
        if self.index >= N {
            for k in 0..N {
                let y = (self.state[k] & 0x8000_0000) | (self.state[(k + 1) % N] & 0x7fff_ffff);
                let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[k] = self.state[(k + M) % N] ^ (y >> 1) ^ odd;
            }
            self.index = 0;
        }
        let mut y = self.state[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn bits(&mut self, mut count: u32) -> u128 {
        if count <= 32 {
            return u128::from(self.next() >> (32 - count.max(1)));
        }
        let (mut value, mut shift) = (0, 0);
        while count > 0 {
            let word = if count < 32 { self.next() >> (32 - count) } else { self.next() };
            value |= u128::from(word) << shift;
            shift += 32;
            count = count.saturating_sub(32);
        }
        value
    }

    /// A number from 0 to below `n`; `n` is at least 1.
    pub(crate) fn below(&mut self, n: u128) -> u128 {
        let count = 128 - n.leading_zeros();
        loop {
            let value = self.bits(count);
            if value < n {
                return value;
            }
        }
    }

    /// `random.sample`: `size` of the values, in random order; `size` is at most their number.
    pub(crate) fn sample<T: Clone>(&mut self, values: &[T], size: usize) -> Vec<T> {
        let n = values.len();
        // Python's own choice between two methods, which use different numbers.
        let mut set_size = 21;
        if size > 5 {
            set_size += 4usize.saturating_pow(((size * 3) as f64).log(4.0).ceil() as u32);
        }
        if n <= set_size {
            let mut pool = values.to_vec();
            (0..size)
                .map(|i| {
                    let j = self.below((n - i) as u128) as usize;
                    let value = pool[j].clone();
                    pool[j] = pool[n - i - 1].clone();
                    value
                })
                .collect()
        } else {
            let mut selected = std::collections::HashSet::new();
            (0..size)
                .map(|_| {
                    let mut j = self.below(n as u128) as usize;
                    while !selected.insert(j) {
                        j = self.below(n as u128) as usize;
                    }
                    values[j].clone()
                })
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(random: &mut Random, n: u128, count: usize) -> Vec<u128> {
        (0..count).map(|_| random.below(n)).collect()
    }

    #[test]
    fn numbers_are_pythons() {
        assert_eq!(below(&mut Random::from_text("m1"), 10, 8), [2, 5, 7, 0, 8, 4, 5, 8]);
        assert_eq!(below(&mut Random::from_int(5), 1000, 6), [637, 261, 759, 367, 814, 707]);
        assert_eq!(
            below(&mut Random::from_int((1 << 40) + 3), 1_000_000_000_000_000, 3),
            [68_488_492_480_462, 938_731_887_000_658, 637_712_855_497_832]
        );
    }

    #[test]
    fn samples_are_pythons() {
        let many: Vec<i32> = (0..1000).collect();
        assert_eq!(Random::from_int(7).sample(&many, 6), [331, 970, 154, 404, 666, 49]);
        assert_eq!(Random::from_int(7).sample(&many[..10], 10), [5, 2, 6, 9, 0, 7, 4, 1, 3, 8]);
    }
}
