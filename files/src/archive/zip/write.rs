//! A zip archive that is made. It is at its place when it is whole.

use super::{Fault, Result};
use brine_core::call::CallError;
use brine_core::clock::Clock;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// From which size on, and to which place, fields of the plain format reach for Python.
const LIMIT: u64 = (1 << 31) - 1;

/// An archive that is being written.
pub struct Writer {
    file: tempfile::NamedTempFile,
    directory: Vec<u8>,
    count: u64,
    large: bool,
}

fn too_large() -> Fault {
    let text = "Resulting zip file too large, would require ZIP64 support which has not been enabled. Rerun command with zip64=True";
    Fault::Other(CallError::execution(text))
}

/// A time as DOS tells it.
fn dos(seconds: i64) -> Result<(u16, u16)> {
    let at = Clock::local(seconds);
    let number = |format: &str| at.strftime(format).parse::<u16>().unwrap_or(0);
    let year = number("%Y");
    if year < 1980 {
        return Err(CallError::exception("ValueError", "ZIP does not support timestamps before 1980").into());
    }
    let date = ((year - 1980).min(127) << 9) | (number("%m") << 5) | number("%d");
    Ok((date, (number("%H") << 11) | (number("%M") << 5) | (number("%S") / 2)))
}

/// Sums and counts what is written through it.
struct Counted<'f> {
    file: &'f mut File,
    count: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        self.count += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What both headers of an entry say of it.
#[derive(Default)]
struct Said {
    version: u16,
    flags: u16,
    method: u16,
    time: u16,
    date: u16,
    crc: u32,
    packed: u64,
    size: u64,
}

impl Said {
    fn fields(&self, large: bool, name: &str, extra: u16) -> Vec<u8> {
        let sizes = |size: u64| if large { u32::MAX } else { u32::try_from(size).unwrap_or(u32::MAX) };
        let mut out = Vec::new();
        for field in [self.version, self.flags, self.method, self.time, self.date] {
            out.extend(field.to_le_bytes());
        }
        for field in [self.crc, sizes(self.packed), sizes(self.size)] {
            out.extend(field.to_le_bytes());
        }
        out.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend(extra.to_le_bytes());
        out
    }
}

impl Writer {
    /// Begins an archive that is to be at a path. `large`: it may be larger than the plain format allows.
    ///
    /// # Errors
    /// What keeps it from being made.
    pub fn new(path: &Path, large: bool) -> Result<Self> {
        let failed = |e: io::Error| crate::file_error(&e, path);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let open =
            |new: &Path| OpenOptions::new().read(true).write(true).create_new(true).mode(0o666).open(new);
        let file =
            tempfile::Builder::new().prefix(".___atomic_write").make_in(folder, open).map_err(failed)?;
        Ok(Self { file, directory: Vec::new(), count: 0, large })
    }

    /// Whether a file is the archive itself.
    pub fn is(&self, meta: &Metadata) -> bool {
        let own = self.file.as_file().metadata();
        own.is_ok_and(|own| (own.dev(), own.ino()) == (meta.dev(), meta.ino()))
    }

    /// Adds a file or a folder under a name.
    ///
    /// # Errors
    /// What keeps it from being read or written.
    pub fn add(&mut self, path: &Path, name: &str) -> Result<()> {
        let failed = |e: io::Error| Fault::Other(crate::file_error(&e, path));
        let meta = fs::metadata(path).map_err(failed)?;
        let (date, time) = dos(meta.mtime())?;
        let mut name = brine_core::posixpath::normpath(name).trim_start_matches('/').to_owned();
        let mut attributes = (meta.mode() & 0xffff) << 16;
        if meta.is_dir() {
            name.push('/');
            attributes |= 0x10;
        } else if !meta.is_file() {
            let text = format!("`{}` is a special file", path.display());
            return Err(CallError::exception("OSError", text).into());
        }
        if name.len() > usize::from(u16::MAX) {
            return Err(CallError::exception("ValueError", "the name of an entry is too long").into());
        }
        let large = meta.is_file() && meta.len().saturating_add(meta.len() / 20) > LIMIT;
        let at = self.file.as_file_mut().stream_position()?;
        if (large || at > LIMIT) && !self.large {
            return Err(too_large());
        }
        let mut said = Said {
            version: if large { 45 } else { 20 },
            flags: if name.is_ascii() { 0 } else { 0x800 },
            method: if meta.is_dir() { 0 } else { 8 },
            time,
            date,
            ..Said::default()
        };
        self.header(&said, large, &name)?;
        if meta.is_file() {
            let source = File::open(path).map_err(failed)?;
            (said.crc, said.size, said.packed) = self.contents(source).map_err(failed)?;
            if !large && (said.size > LIMIT || said.packed > LIMIT) {
                return Err(CallError::exception(
                    "RuntimeError",
                    "File size unexpectedly exceeded ZIP64 limit",
                )
                .into());
            }
            let end = self.file.as_file_mut().stream_position()?;
            self.file.as_file_mut().seek(SeekFrom::Start(at))?;
            self.header(&said, large, &name)?;
            self.file.as_file_mut().seek(SeekFrom::Start(end))?;
        }
        self.enter(&said, &name, attributes, at);
        Ok(())
    }

    fn header(&mut self, said: &Said, large: bool, name: &str) -> io::Result<()> {
        let mut out = b"PK\x03\x04".to_vec();
        out.extend(said.fields(large, name, if large { 20 } else { 0 }));
        out.extend(name.as_bytes());
        if large {
            out.extend([1, 0, 16, 0]);
            out.extend(said.size.to_le_bytes());
            out.extend(said.packed.to_le_bytes());
        }
        self.file.write_all(&out)
    }

    /// Compresses a file into the archive: its checksum, its size, and how many bytes it has there.
    fn contents(&mut self, mut source: File) -> io::Result<(u32, u64, u64)> {
        let counted = Counted { file: self.file.as_file_mut(), count: 0 };
        let mut packed = flate2::write::DeflateEncoder::new(counted, flate2::Compression::default());
        let (mut sum, mut size) = (flate2::Crc::new(), 0);
        let mut buffer = vec![0; 65_536];
        loop {
            let length = source.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            sum.update(&buffer[..length]);
            size += length as u64;
            packed.write_all(&buffer[..length])?;
        }
        let counted = packed.finish()?;
        Ok((sum.sum(), size, counted.count))
    }

    /// Writes an entry into the directory.
    fn enter(&mut self, said: &Said, name: &str, attributes: u32, at: u64) {
        let large = said.size > LIMIT || said.packed > LIMIT;
        let mut extra = Vec::new();
        if large {
            extra.extend(said.size.to_le_bytes());
            extra.extend(said.packed.to_le_bytes());
        }
        if at > LIMIT {
            extra.extend(at.to_le_bytes());
        }
        let length = u16::try_from(extra.len()).unwrap_or(0);
        let out = &mut self.directory;
        out.extend(b"PK\x01\x02");
        // Made on a Unix, by a writer of this version.
        out.extend([if extra.is_empty() { 20 } else { 45 }, 3]);
        out.extend(said.fields(large, name, if extra.is_empty() { 0 } else { length + 4 }));
        out.extend([0; 6]);
        out.extend(attributes.to_le_bytes());
        out.extend(if at > LIMIT { u32::MAX } else { u32::try_from(at).unwrap_or(u32::MAX) }.to_le_bytes());
        out.extend(name.as_bytes());
        if !extra.is_empty() {
            out.extend([1, 0]);
            out.extend(length.to_le_bytes());
            out.extend(extra);
        }
        self.count += 1;
    }

    /// Ends the archive and puts it at its path; a file that is there keeps mode and owner.
    ///
    /// # Errors
    /// What keeps it from being written.
    pub fn finish(mut self, path: &Path) -> Result<()> {
        let at = self.file.as_file_mut().stream_position()?;
        let length = self.directory.len() as u64;
        let mut out = std::mem::take(&mut self.directory);
        let small = |number: u64, most: u64| {
            if number > most { u32::MAX } else { u32::try_from(number).unwrap_or(u32::MAX) }
        };
        let many = self.count > 0xffff;
        if many || at > LIMIT || length > LIMIT {
            if !self.large {
                return Err(too_large());
            }
            out.extend(b"PK\x06\x06");
            out.extend(44_u64.to_le_bytes());
            out.extend([45, 3, 45, 0]);
            out.extend([0; 8]);
            for field in [self.count, self.count, length, at] {
                out.extend(field.to_le_bytes());
            }
            out.extend(b"PK\x06\x07");
            out.extend([0; 4]);
            out.extend((at + length).to_le_bytes());
            out.extend(1_u32.to_le_bytes());
        }
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        out.extend(b"PK\x05\x06");
        out.extend([0; 4]);
        out.extend(count.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(small(length, LIMIT).to_le_bytes());
        out.extend(small(at, LIMIT).to_le_bytes());
        out.extend([0; 2]);
        self.file.write_all(&out)?;
        let failed = |e: io::Error| Fault::Other(crate::file_error(&e, path));
        if fs::symlink_metadata(path).is_ok() {
            return crate::put(self.file.path(), path).map_err(failed);
        }
        self.file.persist(path).map(drop).map_err(|e| failed(e.error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::zip::{Wish, Zip, unpack};

    #[test]
    fn what_is_packed_comes_out_again() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("d")).unwrap();
        fs::write(at("d/é"), "text".repeat(1000)).unwrap();
        fs::write(at("d/empty"), "").unwrap();
        for _ in 0..2 {
            let mut zip = Writer::new(&at("a.zip"), false).unwrap();
            for name in ["d", "d/é", "d/empty"] {
                zip.add(&at(name), name).unwrap();
            }
            assert!(zip.add(Path::new("/dev/null"), "null").is_err());
            assert!(zip.add(&at("none"), "none").is_err());
            zip.finish(&at("a.zip")).unwrap();
        }
        let mut zip = Zip::open(&at("a.zip")).unwrap();
        assert!(!zip.is_encrypted().unwrap());
        let wish = Wish { excludes: &["d/empty".to_owned()], password: None, modes: true };
        assert_eq!(unpack(&at("a.zip"), &at("out"), &wish).unwrap(), ["d/", "d/é"]);
        assert_eq!(fs::read(at("out/d/é")).unwrap().len(), 4000);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
        // Every cut is told.
        let bytes = fs::read(at("a.zip")).unwrap();
        for length in 0..bytes.len() {
            fs::write(at("cut"), &bytes[..length]).unwrap();
            assert!(unpack(&at("cut"), &at("out"), &wish).is_err(), "{length}");
        }
        // No byte that is changed makes it panic.
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 0xff;
            fs::write(at("cut"), &bytes).unwrap();
            let _ = unpack(&at("cut"), &at("out2"), &wish);
        }
    }
}
