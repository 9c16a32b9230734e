//! Tar archives, plain or compressed by gzip, bzip2, xz or lzma: what they hold, and how it is unpacked. Names are told as
//! Python's `tarfile` tells them, and members are given what it gives them.

use super::target::{Attributes, Target};
use brine_core::call::{CallError, Result};
use nix::unistd::{Group, User, geteuid};
use rustix::fs::FileType;
use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;
use std::rc::Rc;
use tar::{Archive, EntryType};

/// Why an archive is not read to its end.
#[derive(Debug)]
pub enum Fault {
    /// It is no tar archive, or ends too early: `tarfile.ReadError`.
    NotTar,
    /// Anything else.
    Other(CallError),
}

impl From<CallError> for Fault {
    fn from(e: CallError) -> Self {
        Self::Other(e)
    }
}

/// Names of what an archive holds.
#[derive(Debug, Default, PartialEq)]
pub struct Listed {
    /// Folders, each with a slash at its end.
    pub dirs: Vec<String>,
    /// Files, and all that is neither a folder nor a symbolic link.
    pub files: Vec<String>,
    /// Symbolic links.
    pub links: Vec<String>,
}

/// What a compressed file holds. Notes whether it ended before it should.
struct Unpacked<'f> {
    inner: Box<dyn Read + 'f>,
    kind: Kind,
    cut: Rc<Cell<bool>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Gzip,
    Other,
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        if self.kind != Kind::Plain && read.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::UnexpectedEof)
        {
            self.cut.set(true);
        }
        read
    }
}

fn unpacked(path: &Path) -> Result<Unpacked<'static>> {
    let failed = |e: io::Error| crate::file_error(&e, path);
    let mut file = File::open(path).map_err(failed)?;
    let mut magic = Vec::new();
    Read::by_ref(&mut file).take(6).read_to_end(&mut magic).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let file = BufReader::new(file);
    let other = |inner: Box<dyn Read>| Unpacked { inner, kind: Kind::Other, cut: Rc::default() };
    Ok(match magic.as_slice() {
        [0x1f, 0x8b, ..] => {
            Unpacked { kind: Kind::Gzip, ..other(Box::new(flate2::bufread::MultiGzDecoder::new(file))) }
        }
        [b'B', b'Z', b'h', ..] => other(Box::new(bzip2::bufread::MultiBzDecoder::new(file))),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => other(Box::new(lzma_rust2::XzReader::new(file, true))),
        [0x5d, 0, 0, ..] => match lzma_rust2::LzmaReader::new_mem_limit(file, 1 << 20, None) {
            Ok(reader) => other(Box::new(reader)),
            Err(e) => return Err(failed(e)),
        },
        _ => Unpacked { inner: Box::new(file), kind: Kind::Plain, cut: Rc::default() },
    })
}

/// One member, as `tarfile` sees it.
struct Member {
    name: Vec<u8>,
    link: Vec<u8>,
    kind: EntryType,
    attributes: Attributes,
    device: (u32, u32),
}

/// Users and groups by name, each looked up once.
#[derive(Default)]
struct Owners {
    users: HashMap<String, Option<u32>>,
    groups: HashMap<String, Option<u32>>,
}

impl Owners {
    fn user(&mut self, name: &str) -> Option<u32> {
        let find = || User::from_name(name).ok().flatten().map(|user| user.uid.as_raw());
        *self.users.entry(name.to_owned()).or_insert_with(find)
    }

    fn group(&mut self, name: &str) -> Option<u32> {
        let find = || Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw());
        *self.groups.entry(name.to_owned()).or_insert_with(find)
    }
}

impl Member {
    fn of(entry: &mut tar::Entry<'_, impl Read>, owners: &mut Owners) -> io::Result<Self> {
        let header = entry.header().clone();
        let mut kind = header.entry_type();
        let mut name = entry.path_bytes().into_owned();
        // How folders were told in the oldest archives.
        if header.as_bytes().get(156) == Some(&0) && name.ends_with(b"/") {
            kind = EntryType::Directory;
        }
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let number = |number: io::Result<u64>| number.ok().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let (mut uid, mut gid) = (number(header.uid()), number(header.gid()));
        let (mut user, mut group) = (text(header.username_bytes()), text(header.groupname_bytes()));
        let mut mtime = (i64::try_from(header.mtime().unwrap_or(0)).unwrap_or(0), 0);
        let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let mut renamed = false;
        if let Some(extensions) = entry.pax_extensions()? {
            for extension in extensions.flatten() {
                let Ok(value) = extension.value() else { continue };
                match extension.key() {
                    Ok("uid") => uid = value.parse().unwrap_or(uid),
                    Ok("gid") => gid = value.parse().unwrap_or(gid),
                    Ok("uname") => user = Some(value.to_owned()),
                    Ok("gname") => group = Some(value.to_owned()),
                    Ok("path") => renamed = true,
                    Ok("mtime") => mtime = moment(value).unwrap_or(mtime),
                    _ => {}
                }
            }
        }
        if kind.is_dir() || renamed {
            while name.ends_with(b"/") {
                name.pop();
            }
        }
        let owner = geteuid().is_root().then(|| {
            let by_name = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
            (
                by_name(&user).and_then(|name| owners.user(&name)).unwrap_or(uid),
                by_name(&group).and_then(|name| owners.group(&name)).unwrap_or(gid),
            )
        });
        let device = |part: io::Result<Option<u32>>| part.ok().flatten().unwrap_or(0);
        Ok(Self {
            name,
            link,
            kind,
            attributes: Attributes { owner, mode: Some(header.mode().unwrap_or(0)), mtime: Some(mtime) },
            device: (device(header.device_major()), device(header.device_minor())),
        })
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

/// Seconds since 1970 as extended headers write them.
fn moment(text: &str) -> Option<(i64, u32)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let nanos = format!("{part:0<9}");
    let nanos: u32 = nanos.get(..9)?.parse().ok()?;
    match (whole.parse().ok()?, text.starts_with('-') && nanos > 0) {
        (whole, true) => Some((whole - 1_i64, 1_000_000_000 - nanos)),
        (whole, false) => Some((whole, nanos)),
    }
}

/// Goes through all members.
fn each(
    source: Unpacked<'_>,
    mut take: impl FnMut(&Member, &mut dyn Read) -> Result<()>,
) -> std::result::Result<(), Fault> {
    let cut = source.cut.clone();
    // Python tries the other compressions, and so finds no archive, where the first member does not come.
    let (begun, gzip) = (Cell::new(false), source.kind == Kind::Gzip);
    let ended = |_: io::Error| match cut.get() && (begun.get() || gzip) {
        true => Fault::Other(CallError::exception("EOFError", CUT)),
        false => Fault::NotTar,
    };
    let mut owners = Owners::default();
    let mut source = BufReader::new(source);
    // An empty file is no archive, however it is compressed.
    if io::BufRead::fill_buf(&mut source).map_err(ended)?.is_empty() {
        return Err(Fault::NotTar);
    }
    let mut archive = Archive::new(source);
    for entry in archive.entries().map_err(ended)? {
        let mut entry = entry.map_err(ended)?;
        if matches!(entry.header().entry_type(), EntryType::XGlobalHeader) {
            continue;
        }
        let member = Member::of(&mut entry, &mut owners).map_err(ended)?;
        begun.set(true);
        take(&member, &mut entry)
            .map_err(|e| if cut.get() { ended(io::Error::other("cut")) } else { Fault::Other(e) })?;
    }
    Ok(())
}

/// What Python says of compressed data that end too early.
const CUT: &str = "Compressed file ended before the end-of-stream marker was reached";

/// What an archive holds. `from`: its contents come out of this instead of the file.
///
/// # Errors
/// What keeps it from being read, or that it is no archive.
pub fn list(path: &Path, from: Option<&mut dyn Read>) -> std::result::Result<Listed, Fault> {
    let source = match from {
        Some(inner) => Unpacked { inner: Box::new(inner), kind: Kind::Plain, cut: Rc::default() },
        None => unpacked(path)?,
    };
    let mut listed = Listed::default();
    each(source, |member, data| {
        let name = member.shown();
        match member.kind {
            EntryType::Symlink => listed.links.push(name),
            EntryType::Directory => listed.dirs.push(format!("{name}/")),
            _ => listed.files.push(name),
        }
        // Whether all of it is there.
        io::copy(data, &mut io::sink()).map(drop).map_err(|_| CallError::execution(""))
    })
    .map_err(|fault| match fault {
        Fault::Other(CallError::Execution(text)) if text.is_empty() => Fault::NotTar,
        other => other,
    })?;
    Ok(listed)
}

/// Unpacks an archive into a folder. Returns the names of all members.
///
/// # Errors
/// What keeps it from being read or unpacked, a name that leads out of the folder among that; members before it are there.
pub fn extract(path: &Path, into: &Path) -> std::result::Result<Vec<String>, Fault> {
    let target = Target::open(into)?;
    let mut names = Vec::new();
    let mut dirs: Vec<(Vec<u8>, Attributes)> = Vec::new();
    each(unpacked(path)?, |member, data| {
        names.push(member.shown());
        let name = member.name.as_slice();
        match member.kind {
            EntryType::Directory => {
                // Closed to others until everything is in it.
                target.dir(name, 0o700)?;
                dirs.push((name.to_owned(), member.attributes));
                Ok(())
            }
            EntryType::Symlink => target.link(name, &member.link, member.attributes.owner, true),
            EntryType::Link => match target.hard_link(name, &member.link)? {
                true => Ok(()),
                false => {
                    let link = String::from_utf8_lossy(&member.link);
                    Err(CallError::exception("KeyError", format!("\"linkname '{link}' not found\"")))
                }
            },
            EntryType::Fifo => target.node(name, FileType::Fifo, (0, 0), member.attributes),
            EntryType::Char => target.node(name, FileType::CharacterDevice, member.device, member.attributes),
            EntryType::Block => target.node(name, FileType::BlockDevice, member.device, member.attributes),
            _ => target.file(name, member.attributes, |file| copy(data, file)),
        }
    })
    .map_err(|fault| match fault {
        Fault::Other(CallError::Exception { kind: "tarfile.ReadError", .. }) => Fault::NotTar,
        other => other,
    })?;
    // Deeper ones first: what is read-only is so at last.
    dirs.sort_by(|a, b| b.0.cmp(&a.0));
    for (name, attributes) in dirs {
        target.dir_attributes(&name, attributes)?;
    }
    Ok(names)
}

fn copy(data: &mut dyn Read, file: &mut File) -> Result<()> {
    let mut buffer = vec![0; 65_536];
    loop {
        match data.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => file.write_all(&buffer[..length])?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(CallError::exception("tarfile.ReadError", "unexpected end of data")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::Command;

    #[test]
    fn moments_of_extended_headers() {
        assert_eq!(moment("5"), Some((5, 0)));
        assert_eq!(moment("5.25"), Some((5, 250_000_000)));
        assert_eq!(moment("-1.5"), Some((-2, 500_000_000)));
        assert_eq!(moment("x"), None);
    }

    /// An archive of the program `tar`, with every compression whose program is there.
    #[test]
    fn archives_are_listed_and_unpacked() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("src/d/e")).unwrap();
        fs::write(at("src/d/f"), "text").unwrap();
        fs::write(at("src/d/e/long"), vec![b'x'; 100_000]).unwrap();
        fs::write(at("src/d").join("n".repeat(150)), "long name").unwrap();
        std::os::unix::fs::symlink("f", at("src/d/l")).unwrap();
        fs::hard_link(at("src/d/f"), at("src/d/h")).unwrap();
        for (how, name) in [("-cf", "a.tar"), ("-czf", "a.tgz"), ("-cjf", "a.tbz"), ("-cJf", "a.txz")] {
            for format in ["gnu", "posix"] {
                let mut tar = Command::new("tar");
                tar.arg(format!("--format={format}"))
                    .arg(how)
                    .arg(at(name))
                    .arg("-C")
                    .arg(at("src"))
                    .arg("d");
                if !tar.stderr(std::process::Stdio::null()).status().unwrap().success() {
                    continue;
                }
                let listed = list(&at(name), None).unwrap();
                assert_eq!(
                    (listed.dirs.len(), listed.files.len(), listed.links.as_slice()),
                    (2, 4, &["d/l".to_owned()][..])
                );
                assert!(listed.files.contains(&format!("d/{}", "n".repeat(150))));
                fs::create_dir(at("out")).unwrap();
                let names = extract(&at(name), &at("out")).unwrap();
                assert!(names.contains(&"d".to_owned()) && names.len() == 7, "{names:?}");
                assert_eq!(fs::read(at("out/d/e/long")).unwrap().len(), 100_000);
                assert_eq!(fs::read_to_string(at("out/d/l")).unwrap(), "text");
                extract(&at(name), &at("out")).unwrap();
                fs::remove_dir_all(at("out")).unwrap();
                // Cut off, it is told so, and nothing is half there.
                let bytes = fs::read(at(name)).unwrap();
                fs::write(at("cut"), &bytes[..bytes.len() / 3]).unwrap();
                assert!(list(&at("cut"), None).is_err(), "{name}");
            }
        }
        fs::write(at("none"), "").unwrap();
        assert!(matches!(list(&at("none"), None), Err(Fault::NotTar)));
        fs::write(at("none"), "no archive at all".repeat(100)).unwrap();
        assert!(matches!(list(&at("none"), None), Err(Fault::NotTar)));
        assert!(matches!(list(&at("missing"), None), Err(Fault::Other(_))));
    }
}
