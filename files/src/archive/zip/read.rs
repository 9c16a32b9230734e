//! The directory of a zip archive, and what its entries hold.

use super::decrypt::{Decrypted, Keys};
use super::{Entry, Fault, Result, bad};
use brine_core::call::CallError;
use brine_core::text::python_repr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// An archive that is open.
pub struct Zip {
    file: File,
    entries: Vec<Entry>,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

fn read_at(file: &mut File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    Read::by_ref(file).take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Characters 128 to 255 of code page 437, in which names are written unless they are UTF-8.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

fn name_text(bytes: &[u8], flags: u16) -> Result<String> {
    if flags & 0x800 != 0 {
        let text = String::from_utf8(bytes.to_vec());
        return text.map_err(|e| {
            let at = e.utf8_error().valid_up_to();
            let byte = bytes.get(at).copied().unwrap_or_default();
            let text =
                format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: invalid start byte");
            Fault::Other(CallError::exception("UnicodeDecodeError", text))
        });
    }
    let upper: Vec<char> = CP437.chars().collect();
    let one = |byte: &u8| match byte.checked_sub(128) {
        None => char::from(*byte),
        Some(at) => upper.get(usize::from(at)).copied().unwrap_or('?'),
    };
    Ok(bytes.iter().map(one).collect())
}

/// The record at the end: where the directory would be were nothing before the archive, its length, and where it ends.
struct End {
    offset: u64,
    length: u64,
    directory_end: u64,
}

impl End {
    fn find(file: &mut File) -> Result<Option<Self>> {
        let size = file.seek(SeekFrom::End(0))?;
        let start = size.saturating_sub(65_536 + 22);
        let tail = read_at(file, start, size - start)?;
        let plain = tail
            .len()
            .checked_sub(22)
            .filter(|at| tail[*at..].starts_with(b"PK\x05\x06") && tail.ends_with(&[0, 0]));
        let found = plain.or_else(|| tail.windows(4).rposition(|four| four == b"PK\x05\x06"));
        let Some(at) = found.filter(|at| tail.len() - at >= 22) else { return Ok(None) };
        let record = &tail[at..];
        let mut end = Self {
            offset: u32_at(record, 16).into(),
            length: u32_at(record, 12).into(),
            directory_end: start + at as u64,
        };
        end.large(file)?;
        Ok(Some(end))
    }

    /// What larger archives have before the record.
    fn large(&mut self, file: &mut File) -> Result<()> {
        let Some(at) = self.directory_end.checked_sub(20) else { return Ok(()) };
        let locator = read_at(file, at, 20)?;
        if !locator.starts_with(b"PK\x06\x07") {
            return Ok(());
        }
        if u32_at(&locator, 4) != 0 || u32_at(&locator, 16) > 1 {
            return bad("zipfiles that span multiple disks are not supported");
        }
        let Some(at) = at.checked_sub(56) else { return Ok(()) };
        let record = read_at(file, at, 56)?;
        if record.len() == 56 && record.starts_with(b"PK\x06\x06") {
            (self.length, self.offset, self.directory_end) = (u64_at(&record, 40), u64_at(&record, 48), at);
        }
        Ok(())
    }
}

impl Zip {
    /// Opens an archive and reads its directory.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(|e| crate::file_error(&e, path))?;
        let Some(end) = End::find(&mut file)? else { return bad("File is not a zip file") };
        let Some(start) = end.directory_end.checked_sub(end.length) else {
            return bad("Bad offset for central directory");
        };
        let Some(before) = start.checked_sub(end.offset) else {
            return bad("Bad offset for central directory");
        };
        // No longer than the file is.
        let directory = read_at(&mut file, start, end.length)?;
        let mut entries = Vec::new();
        let mut rest = directory.as_slice();
        while !rest.is_empty() {
            let (entry, length) = Self::entry(rest, before)?;
            entries.push(entry);
            rest = rest.get(length..).unwrap_or_default();
        }
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|at| entries[*at].header);
        let mut next = start;
        for at in order.into_iter().rev() {
            entries[at].end = Some(next);
            next = entries[at].header;
        }
        Ok(Self { file, entries })
    }

    /// The first entry of this part of a directory, and how long it is there.
    fn entry(bytes: &[u8], before: u64) -> Result<(Entry, usize)> {
        if bytes.len() < 46 {
            return bad("Truncated central directory");
        }
        if !bytes.starts_with(b"PK\x01\x02") {
            return bad("Bad magic number for central directory");
        }
        let length = |at| usize::from(u16_at(bytes, at));
        let (name, extra, comment) = (length(28), length(30), length(32));
        let flags = u16_at(bytes, 8);
        let whole_name = name_text(bytes.get(46..46 + name).unwrap_or_default(), flags)?;
        let mut entry = Entry {
            name: whole_name.split('\0').next().unwrap_or_default().to_owned(),
            whole_name,
            flags,
            method: u16_at(bytes, 10),
            time: u16_at(bytes, 12),
            crc: u32_at(bytes, 16),
            packed: u32_at(bytes, 20).into(),
            size: u32_at(bytes, 24).into(),
            attributes: u32_at(bytes, 38),
            header: u32_at(bytes, 42).into(),
            end: None,
        };
        let version = bytes[6];
        if version > 63 {
            let text = format!("zip file version {}.{}", version / 10, version % 10);
            return Err(Fault::Runtime(text));
        }
        let extra_bytes = bytes.get(46 + name..46 + name + extra).unwrap_or_default();
        Self::extra(&mut entry, extra_bytes)?;
        let Some(header) = entry.header.checked_add(before) else {
            return bad("Bad offset for central directory");
        };
        entry.header = header;
        Ok((entry, 46 + name + extra + comment))
    }

    /// Sizes and the place of what is too large for the fields.
    fn extra(entry: &mut Entry, mut extra: &[u8]) -> Result<()> {
        while extra.len() >= 4 {
            let (kind, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
            let Some(mut data) = extra.get(4..4 + length) else {
                return bad(format!("Corrupt extra field {kind:04x} (size={length})"));
            };
            if kind == 1 {
                let fields = [
                    (&mut entry.size, "File size"),
                    (&mut entry.packed, "Compress size"),
                    (&mut entry.header, "Header offset"),
                ];
                for (field, name) in fields {
                    let whole = if name == "File size" {
                        [u64::from(u32::MAX), u64::MAX]
                    } else {
                        [u32::MAX.into(); 2]
                    };
                    if whole.contains(field) {
                        if data.len() < 8 {
                            return bad(format!("Corrupt zip64 extra field. {name} not found."));
                        }
                        *field = u64_at(data, 0);
                        data = &data[8..];
                    }
                }
            }
            extra = &extra[4 + length..];
        }
        Ok(())
    }

    /// All entries, in the order of the directory.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry that a name stands for: the last one of that name.
    pub fn named(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().rfind(|entry| entry.name == name)
    }

    /// Writes what an entry holds.
    ///
    /// # Errors
    /// What keeps it from being read: no password, another one, a wrong checksum; or from being written.
    pub fn copy(&mut self, entry: &Entry, password: Option<&[u8]>, to: &mut impl Write) -> Result<()> {
        let start = self.data(entry)?;
        if entry.is_encrypted() && password.is_none() {
            let text = format!("File {} is encrypted, password required for extraction", entry.repr());
            return Err(Fault::Runtime(text));
        }
        if !matches!(entry.method, 0 | 8 | 12) {
            return Err(Fault::Runtime("That compression method is not supported".into()));
        }
        self.file.seek(SeekFrom::Start(start))?;
        let mut source: Box<dyn Read + '_> = Box::new((&mut self.file).take(entry.packed));
        if let Some(password) = password.filter(|_| entry.is_encrypted()) {
            source = decrypted(source, password, entry)?;
        }
        let source = BufReader::new(source);
        let source: Box<dyn Read + '_> = match entry.method {
            0 => Box::new(source),
            8 => Box::new(flate2::bufread::DeflateDecoder::new(source)),
            _ => Box::new(bzip2::bufread::MultiBzDecoder::new(source)),
        };
        let mut source = source.take(entry.size);
        let mut sum = flate2::Crc::new();
        let mut buffer = vec![0; 65_536];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    sum.update(&buffer[..length]);
                    to.write_all(&buffer[..length])?;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(CallError::exception("EOFError", "").into());
                }
                Err(e) => {
                    let text = format!("Error -3 while decompressing data: {e}");
                    return Err(CallError::exception("zlib.error", text).into());
                }
            }
        }
        match sum.sum() == entry.crc && u64::from(sum.amount()) == entry.size & u64::from(u32::MAX) {
            true => Ok(()),
            false => bad(format!("Bad CRC-32 for file {}", python_repr(&entry.name.as_str().into()))),
        }
    }

    /// Where the contents of an entry begin, after its header was looked at.
    fn data(&mut self, entry: &Entry) -> Result<u64> {
        let header = read_at(&mut self.file, entry.header, 30)?;
        if header.len() != 30 {
            return bad("Truncated file header");
        }
        if !header.starts_with(b"PK\x03\x04") {
            return bad("Bad magic number for file header");
        }
        let (name, extra) = (u64::from(u16_at(&header, 26)), u64::from(u16_at(&header, 28)));
        let written = read_at(&mut self.file, entry.header.saturating_add(30), name)?;
        if entry.flags & 0x20 != 0 {
            return Err(Fault::Runtime("compressed patched data (flag bit 5)".into()));
        }
        if entry.flags & 0x40 != 0 {
            return Err(Fault::Runtime("strong encryption (flag bit 6)".into()));
        }
        let shown = || python_repr(&entry.whole_name.as_str().into());
        if name_text(&written, u16_at(&header, 6))? != entry.whole_name {
            let written = python_repr(&brine_protocol::Value::Bytes(written));
            return bad(format!("File name in directory {} and header {written} differ.", shown()));
        }
        let start = entry.header.saturating_add(30 + name + extra);
        if entry.end.is_some_and(|end| start.saturating_add(entry.packed) > end) {
            return bad(format!("Overlapped entries: {} (possible zip bomb)", shown()));
        }
        Ok(start)
    }

    /// Reads every entry: whether one needs a password.
    ///
    /// # Errors
    /// What keeps one from being read; a broken one ends the search.
    pub fn is_encrypted(&mut self) -> Result<bool> {
        for name in self.entries.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>() {
            let Some(entry) = self.named(&name).cloned() else { continue };
            match self.copy(&entry, None, &mut io::sink()) {
                Ok(()) => {}
                Err(Fault::Bad(_)) => return Ok(false),
                Err(Fault::Runtime(_)) => return Ok(true),
                Err(other) => return Err(other),
            }
        }
        Ok(false)
    }
}

/// What an entry holds, without the encryption.
fn decrypted<'r>(
    mut source: Box<dyn Read + 'r>,
    password: &[u8],
    entry: &Entry,
) -> Result<Box<dyn Read + 'r>> {
    let mut keys = Keys::of(password);
    let mut header = [0; 12];
    source.read_exact(&mut header).map_err(|_| CallError::exception("EOFError", ""))?;
    let last = header.map(|byte| keys.byte(byte))[11];
    // With a checksum that follows the contents, the time takes its place.
    let check = if entry.flags & 8 != 0 { entry.time.to_be_bytes()[0] } else { entry.crc.to_be_bytes()[0] };
    if last != check {
        let name = python_repr(&entry.whole_name.as_str().into());
        return Err(Fault::Runtime(format!("Bad password for file {name}")));
    }
    Ok(Box::new(Decrypted { inner: source, keys }))
}
