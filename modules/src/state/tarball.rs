//! Unpacks the archives that `state.pkg` is given: gzip and tar with folders and regular files in them, as salt-ssh makes them.
//!
//! A name never leads out of the folder, sizes are bounded, and what is neither folder nor regular file is left out.

use flate2::read::GzDecoder;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Bytes of all files together.
const LARGEST: u64 = 4 << 30;
/// Entries of an archive.
const MOST: usize = 1_000_000;
/// Bytes of a name that has an entry of its own.
const NAME: u64 = 1 << 16;

const BLOCK: usize = 512;

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not a tar archive: {what}"))
}

/// One entry's head.
struct Head {
    name: String,
    size: u64,
    kind: u8,
    mode: u32,
}

/// Whether stock would take an archive with that name in it.
fn is_within(name: &str) -> bool {
    !name.starts_with('/') && !name.contains("../")
}

/// Unpacks; `false` if a name leads elsewhere, and then nothing of it was written.
///
/// # Errors
/// When it is no such archive, or as the system has it.
pub(super) fn unpack(archive: &Path, into: &Path) -> io::Result<bool> {
    // Looked through first: nothing is written of an archive that is refused.
    let mut fine = true;
    entries(archive, |head, _| {
        fine &= is_within(&head.name);
        Ok(())
    })?;
    if !fine {
        return Ok(false);
    }
    entries(archive, |head, content| write(into, head, content))?;
    Ok(true)
}

fn write(into: &Path, head: &Head, content: &mut dyn Read) -> io::Result<()> {
    let mut path = PathBuf::from(into);
    for part in head.name.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            return Err(broken("a name leads out of it"));
        }
        path.push(part);
    }
    match head.kind {
        b'5' => fs::create_dir_all(&path),
        b'0' | 0 | b'7' => {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut options = OpenOptions::new();
            // Nothing here is a link, but what stands twice in the archive counts as it stood last.
            let mut file: File =
                options.write(true).create(true).truncate(true).mode(0o600).custom_flags(libc::O_NOFOLLOW).open(&path)?;
            io::copy(content, &mut file)?;
            file.set_permissions(fs::Permissions::from_mode(head.mode & 0o777))
        }
        _ => Ok(()),
    }
}

/// Goes through the entries.
fn entries(archive: &Path, mut each: impl FnMut(&Head, &mut dyn Read) -> io::Result<()>) -> io::Result<()> {
    let mut from = GzDecoder::new(BufReader::new(File::open(archive)?)).take(LARGEST);
    let (mut long_name, mut pax_name, mut count): (Option<String>, Option<String>, usize) = (None, None, 0);
    loop {
        let mut block = [0u8; BLOCK];
        if !fill(&mut from, &mut block)? || block.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        count += 1;
        if count > MOST {
            return Err(broken("it has too many entries"));
        }
        let mut head = head(&block)?;
        let mut content = (&mut from).take(head.size);
        match head.kind {
            // Names that are longer than a head has place for, in GNU's way and in that of POSIX.
            b'L' => long_name = Some(text(&read(&mut content, head.size)?)),
            b'x' => pax_name = pax_path(&read(&mut content, head.size)?),
            b'g' | b'K' => {}
            _ => {
                if let Some(name) = pax_name.take().or(long_name.take()) {
                    head.name = name;
                }
                long_name = None;
                each(&head, &mut content)?;
            }
        }
        io::copy(&mut content, &mut io::sink())?;
        if content.limit() != 0 {
            return Err(broken("it ends too early"));
        }
        let padding = (BLOCK as u64 - head.size % BLOCK as u64) % BLOCK as u64;
        io::copy(&mut (&mut from).take(padding), &mut io::sink())?;
    }
}

/// Fills a block; `false` at the end of the archive.
fn fill(from: &mut impl Read, block: &mut [u8]) -> io::Result<bool> {
    let mut done = 0;
    while done < block.len() {
        match from.read(&mut block[done..]) {
            Ok(0) if done == 0 => return Ok(false),
            Ok(0) => return Err(broken("it ends too early")),
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(true)
}

fn read(content: &mut impl Read, size: u64) -> io::Result<Vec<u8>> {
    if size > NAME {
        return Err(broken("a name is too long"));
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn head(block: &[u8; BLOCK]) -> io::Result<Head> {
    let sum: u64 = (0..BLOCK).map(|at| if (148..156).contains(&at) { 32 } else { u64::from(block[at]) }).sum();
    if number(&block[148..156]) != Some(sum) {
        return Err(broken("the checksum of a head is wrong"));
    }
    let (name, prefix) = (text(&block[..100]), text(&block[345..500]));
    let is_ustar = &block[257..263] == b"ustar\0";
    let name = if is_ustar && !prefix.is_empty() { format!("{prefix}/{name}") } else { name };
    let size = number(&block[124..136]).ok_or_else(|| broken("a size is no number"))?;
    let mode = number(&block[100..108]).and_then(|mode| u32::try_from(mode).ok()).unwrap_or(0o600);
    let kind = block[156];
    let size = if matches!(kind, b'1'..=b'6') { 0 } else { size };
    Ok(Head { name, size, kind, mode })
}

/// An octal number, or a binary one with its highest bit set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let high = field[..field.len().checked_sub(8)?].iter().skip(1).all(|byte| *byte == 0);
        let low = field[field.len() - 8..].try_into().ok()?;
        return high.then_some(u64::from_be_bytes(low));
    }
    let digits = text(field);
    let digits = digits.trim();
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// The path in records of `<length> <key>=<value>\n`.
fn pax_path(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes;
    let mut path = None;
    while !rest.is_empty() {
        let blank = rest.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&rest[..blank]).ok()?.parse().ok()?;
        let record = rest.get(blank + 1..length.checked_sub(1)?)?;
        if let Some(value) = record.strip_prefix(b"path=") {
            path = Some(String::from_utf8_lossy(value).into_owned());
        }
        rest = rest.get(length..)?;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn tar(dir: &Path, words: &[&str]) -> PathBuf {
        let archive = dir.join("a.tgz");
        let made = Command::new("tar").arg("-czPf").arg(&archive).args(words).current_dir(dir).status().unwrap();
        assert!(made.success());
        archive
    }

    #[test]
    fn folders_and_files_are_unpacked_with_long_names_of_both_kinds() {
        let dir = tempfile::tempdir().unwrap();
        let long = format!("base/{}/{}", "d".repeat(120), "f".repeat(150));
        for name in ["lowstate.json", "base/x/y", &long] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        for format in ["--format=pax", "--format=gnu", "--format=ustar"] {
            let names = if format == "--format=ustar" { vec!["base/x", "lowstate.json"] } else { vec!["base", "lowstate.json"] };
            let archive = tar(dir.path(), &[&[format][..], &names].concat());
            let into = tempfile::tempdir().unwrap();
            assert!(unpack(&archive, into.path()).unwrap(), "{format}");
            assert_eq!(fs::read_to_string(into.path().join("base/x/y")).unwrap(), "base/x/y");
            if format != "--format=ustar" {
                assert_eq!(fs::read_to_string(into.path().join(&long)).unwrap(), long, "{format}");
            }
        }
    }

    #[test]
    fn no_name_and_no_link_leads_out() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        fs::write(&outside, "o").unwrap();
        let into = dir.path().join("in/to");
        fs::create_dir_all(&into).unwrap();
        let absolute = outside.display().to_string();
        for words in [&[absolute.as_str()][..], &["--transform=s,outside,../../outside,", "outside"]] {
            let archive = tar(dir.path(), words);
            assert!(!unpack(&archive, &into).unwrap(), "{words:?}");
        }
        std::os::unix::fs::symlink(dir.path(), dir.path().join("link")).unwrap();
        let archive = tar(dir.path(), &["link"]);
        assert!(unpack(&archive, &into).unwrap());
        assert_eq!(fs::read_dir(&into).unwrap().count(), 0);
        fs::write(&archive, "no gzip").unwrap();
        assert!(unpack(&archive, &into).is_err());
    }
}
