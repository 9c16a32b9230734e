//! What an address is for: private, loopback, multicast and so on, by the blocks that Python 3.11 knows.

use super::addr::Addr;

/// Blocks as address and prefix length.
type Blocks = &'static [(u128, u32)];

const fn v4(a: u128, b: u128, c: u128, d: u128) -> u128 {
    a << 24 | b << 16 | c << 8 | d
}

/// The first 32 bits of an address of version 6.
const fn v6(a: u128, b: u128) -> u128 {
    a << 112 | b << 96
}

const PRIVATE4: Blocks = &[
    (v4(0, 0, 0, 0), 8),
    (v4(10, 0, 0, 0), 8),
    (v4(127, 0, 0, 0), 8),
    (v4(169, 254, 0, 0), 16),
    (v4(172, 16, 0, 0), 12),
    (v4(192, 0, 0, 0), 24),
    (v4(192, 0, 0, 170), 31),
    (v4(192, 0, 2, 0), 24),
    (v4(192, 168, 0, 0), 16),
    (v4(198, 18, 0, 0), 15),
    (v4(198, 51, 100, 0), 24),
    (v4(203, 0, 113, 0), 24),
    (v4(240, 0, 0, 0), 4),
];
const PUBLIC4: Blocks = &[(v4(192, 0, 0, 9), 32), (v4(192, 0, 0, 10), 32)];

const PRIVATE6: Blocks = &[
    (1, 128),
    (0, 128),
    (v6(0x64, 0xff9b) | 1 << 80, 48),
    (v6(0x100, 0), 64),
    (v6(0x2001, 0), 23),
    (v6(0x2001, 0xdb8), 32),
    (v6(0x2002, 0), 16),
    (v6(0xfc00, 0), 7),
    (v6(0xfe80, 0), 10),
];
const PUBLIC6: Blocks = &[
    (v6(0x2001, 1) | 1, 128),
    (v6(0x2001, 1) | 2, 128),
    (v6(0x2001, 3), 32),
    (v6(0x2001, 4) | 0x112 << 80, 48),
    (v6(0x2001, 0x20), 28),
    (v6(0x2001, 0x30), 28),
];
const RESERVED6: Blocks = &[
    (0, 8),
    (v6(0x100, 0), 8),
    (v6(0x200, 0), 7),
    (v6(0x400, 0), 6),
    (v6(0x800, 0), 5),
    (v6(0x1000, 0), 4),
    (v6(0x4000, 0), 3),
    (v6(0x6000, 0), 3),
    (v6(0x8000, 0), 3),
    (v6(0xa000, 0), 3),
    (v6(0xc000, 0), 3),
    (v6(0xe000, 0), 4),
    (v6(0xf000, 0), 5),
    (v6(0xf800, 0), 6),
    (v6(0xfe00, 0), 9),
];

fn any(bits: u128, width: u32, blocks: Blocks) -> bool {
    blocks.iter().any(|(block, prefix)| (bits ^ block) >> (width - prefix).min(127) == 0)
}

impl Addr {
    fn in_blocks(&self, blocks: Blocks) -> bool {
        any(self.bits, if self.v6 { 128 } else { 32 }, blocks)
    }

    fn in_block(&self, block: u128, prefix: u32) -> bool {
        (self.bits ^ block) >> (if self.v6 { 128 } else { 32 } - prefix) == 0
    }

    pub(super) fn is_private(&self) -> bool {
        if self.v6 && self.bits >> 32 == 0xffff {
            return any(self.bits & 0xffff_ffff, 32, PRIVATE4) && !any(self.bits & 0xffff_ffff, 32, PUBLIC4);
        }
        let (private, public) = if self.v6 { (PRIVATE6, PUBLIC6) } else { (PRIVATE4, PUBLIC4) };
        self.in_blocks(private) && !self.in_blocks(public)
    }

    pub(super) fn is_multicast(&self) -> bool {
        if self.v6 { self.in_block(v6(0xff00, 0), 8) } else { self.in_block(v4(224, 0, 0, 0), 4) }
    }

    pub(super) fn is_link_local(&self) -> bool {
        if self.v6 { self.in_block(v6(0xfe80, 0), 10) } else { self.in_block(v4(169, 254, 0, 0), 16) }
    }

    pub(super) fn is_reserved(&self) -> bool {
        if self.v6 { self.in_blocks(RESERVED6) } else { self.in_block(v4(240, 0, 0, 0), 4) }
    }

    pub(super) fn is_site_local(&self) -> bool {
        self.v6 && self.in_block(v6(0xfec0, 0), 10)
    }

    /// Loopback; `prefix` of an address that was given with one, as Python then asks the whole network of version 6.
    pub(super) fn is_loopback(&self, prefix: Option<u32>) -> bool {
        if self.v6 {
            self.bits == 1 && prefix.is_none_or(|p| p == 128)
        } else {
            self.in_block(v4(127, 0, 0, 0), 8)
        }
    }

    /// Unspecified; of version 4 with a prefix Python says no.
    pub(super) fn is_unspecified(&self, prefix: Option<u32>) -> bool {
        self.bits == 0 && prefix.is_none_or(|p| self.v6 && p == 128)
    }
}
