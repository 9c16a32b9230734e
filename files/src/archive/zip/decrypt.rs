//! The old encryption of zip files. It keeps nobody out; archives that use it are read all the same.

use std::io::{self, Read};

/// The keys, which every byte changes.
pub(super) struct Keys(u32, u32, u32);

fn crc(crc: u32, byte: u8) -> u32 {
    let mut low = (crc ^ u32::from(byte)) & 0xff;
    for _ in 0..8 {
        low = if low & 1 == 1 { (low >> 1) ^ 0xedb8_8320 } else { low >> 1 };
    }
    (crc >> 8) ^ low
}

impl Keys {
    pub(super) fn of(password: &[u8]) -> Self {
        let mut keys = Self(0x1234_5678, 0x2345_6789, 0x3456_7890);
        password.iter().for_each(|byte| keys.update(*byte));
        keys
    }

    fn update(&mut self, byte: u8) {
        self.0 = crc(self.0, byte);
        self.1 = self.1.wrapping_add(self.0 & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        let [high, ..] = self.1.to_be_bytes();
        self.2 = crc(self.2, high);
    }

    pub(super) fn byte(&mut self, byte: u8) -> u8 {
        let k = (self.2 | 2) & 0xffff;
        let [.., mask, _] = k.wrapping_mul(k ^ 1).to_be_bytes();
        let plain = byte ^ mask;
        self.update(plain);
        plain
    }
}

/// What is read, decrypted.
pub(super) struct Decrypted<R> {
    pub(super) inner: R,
    pub(super) keys: Keys,
}

impl<R: Read> Read for Decrypted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        for byte in &mut buffer[..length] {
            *byte = self.keys.byte(*byte);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        let whole = b"123456789".iter().fold(u32::MAX, |sum, byte| crc(sum, *byte));
        assert_eq!(!whole, 0xcbf4_3926);
    }
}
