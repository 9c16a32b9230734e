//! One entry of a zip archive's directory.

use brine_core::text::python_repr;

/// An entry: a file, a folder or a link.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Its name, up to the first zero byte.
    pub name: String,
    /// Its name as it is written.
    pub(super) whole_name: String,
    /// What is said of it.
    pub(super) flags: u16,
    /// How it is compressed.
    pub(super) method: u16,
    /// The time of day it was changed, as DOS tells it.
    pub(super) time: u16,
    /// The checksum of its contents.
    pub(super) crc: u32,
    /// How many bytes it has in the archive.
    pub(super) packed: u64,
    /// How many bytes it has.
    pub size: u64,
    /// Its mode in the upper half, attributes of DOS in the lower.
    pub(super) attributes: u32,
    /// Where its header is.
    pub(super) header: u64,
    /// Where the next thing in the archive begins.
    pub(super) end: Option<u64>,
}

impl Entry {
    /// The mode, with the kind of file; 0 where the archive comes from a system that has none.
    pub fn mode(&self) -> u32 {
        self.attributes >> 16
    }

    /// Whether its mode says that it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.mode() & 0o170_000 == 0o120_000
    }

    /// Whether its mode says that it is a folder.
    pub fn has_dir_mode(&self) -> bool {
        self.mode() & 0o170_000 == 0o040_000
    }

    /// Whether its name says that it is a folder.
    pub fn is_dir(&self) -> bool {
        self.name.ends_with('/')
    }

    /// Whether a password is needed.
    pub fn is_encrypted(&self) -> bool {
        self.flags & 1 == 1
    }

    /// As Python shows it.
    pub(super) fn repr(&self) -> String {
        let mut shown = format!("<ZipInfo filename={}", python_repr(&self.name.as_str().into()));
        if self.method != 0 {
            shown += &format!(" compress_type={}", method_name(self.method));
        }
        if self.mode() != 0 {
            shown += &format!(" filemode='{}'", mode_text(self.mode()));
        }
        let low = self.attributes & 0xffff;
        if low != 0 {
            shown += &format!(" external_attr={low:#x}");
        }
        let is_dir = self.is_dir();
        if !is_dir || self.size > 0 {
            shown += &format!(" file_size={}", self.size);
        }
        if (!is_dir || self.packed > 0) && (self.method != 0 || self.size != self.packed) {
            shown += &format!(" compress_size={}", self.packed);
        }
        shown + ">"
    }
}

fn method_name(method: u16) -> String {
    let name = match method {
        1 => "shrink",
        2..=5 => "reduce",
        6 => "implode",
        7 => "tokenize",
        8 => "deflate",
        9 => "deflate64",
        10 => "implode",
        12 => "bzip2",
        14 => "lzma",
        18 => "terse",
        19 => "lz77",
        97 => "wavpack",
        98 => "ppmd",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// `stat.filemode`.
fn mode_text(mode: u32) -> String {
    let kind = match mode & 0o170_000 {
        0o120_000 => 'l',
        0o100_000 => '-',
        0o060_000 => 'b',
        0o040_000 => 'd',
        0o020_000 => 'c',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '?',
    };
    let mut text = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_shown_as_python_shows_them() {
        let entry = Entry {
            name: "a".into(),
            method: 8,
            size: 6,
            packed: 18,
            attributes: 0o104_755 << 16,
            ..Entry::default()
        };
        assert_eq!(
            entry.repr(),
            "<ZipInfo filename='a' compress_type=deflate filemode='-rwsr-xr-x' file_size=6 compress_size=18>"
        );
        let dir = Entry { name: "d/".into(), attributes: (0o040_755 << 16) | 0x10, ..Entry::default() };
        assert_eq!(dir.repr(), "<ZipInfo filename='d/' filemode='drwxr-xr-x' external_attr=0x10>");
        assert!(dir.is_dir() && dir.has_dir_mode() && !dir.is_link());
    }
}
