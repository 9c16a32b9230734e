//! The files that `salt-cp` sends: finding them, cutting them up, and the names they get on the minions.

use crate::exit::{CliError, INCOMPLETE, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A file to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its permissions.
    pub(super) mode: i64,
}

/// All that is to be sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Files, in the order they were found.
    pub(super) files: Vec<Source>,
    /// Directories without entries, sorted.
    pub(super) empty_dirs: Vec<PathBuf>,
}

impl Found {
    /// Whether the destination is a directory that files go into.
    pub(super) fn dest_is_dir(&self, dest: &str) -> bool {
        !self.empty_dirs.is_empty() || self.files.len() > 1 || dest.ends_with(['/', '\\'])
    }
}

/// Looks through the sources and everything below them.
pub(super) fn find(sources: &[PathBuf]) -> Result<Found> {
    let mut found = Found::default();
    for source in sources {
        walk(source, &mut found)?;
    }
    found.empty_dirs.sort();
    found.empty_dirs.dedup();
    Ok(found)
}

fn walk(path: &Path, found: &mut Found) -> Result {
    match fs::read_dir(path) {
        Ok(entries) => {
            let mut entries: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
            entries.sort();
            if entries.is_empty() {
                found.empty_dirs.push(path.to_owned());
            }
            entries.iter().try_for_each(|entry| walk(entry, found))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            eprintln!("{} does not exist", path.display());
            Err(CliError::Code(INCOMPLETE))
        }
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            let mode = fs::metadata(path)
                .map(|m| m.permissions().mode() & 0o7777)
                .map_err(|e| CliError::io(path, e))?;
            if !found.files.iter().any(|f| f.path == path) {
                found.files.push(Source { path: path.to_owned(), mode: mode.into() });
            }
            Ok(())
        }
        // A directory that may not be read is passed over, as in stock.
        Err(_) => Ok(()),
    }
}

/// The name a file or empty directory gets on the minion.
pub(super) fn remote_path(path: &Path, sources: &[PathBuf], dest: &str, dest_is_dir: bool) -> String {
    let name = |p: &Path| p.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    if sources.iter().any(|s| s == path) {
        return if dest_is_dir { join(dest, &name(path)) } else { dest.to_owned() };
    }
    for source in sources {
        if let Ok(relative) = path.strip_prefix(source) {
            return join(&join(dest, &name(source)), &relative.to_string_lossy());
        }
    }
    dest.to_owned()
}

fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() || dir.ends_with('/') { format!("{dir}{name}") } else { format!("{dir}/{name}") }
}

/// A file in pieces, each compressed by itself if that is wanted.
pub(super) struct Chunks {
    file: File,
    size: usize,
    gzip: bool,
    over: bool,
}

impl Chunks {
    /// The pieces of a file, of so many bytes before compression.
    pub(super) fn open(path: &Path, size: usize, gzip: bool) -> Result<Self> {
        let file = File::open(path).map_err(|e| CliError::io(path, e))?;
        Ok(Self { file, size, gzip, over: false })
    }
}

impl Iterator for Chunks {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let mut bytes = Vec::new();
        if let Err(e) = (&mut self.file).take(self.size as u64).read_to_end(&mut bytes) {
            self.over = true;
            return Some(Err(e));
        }
        self.over = bytes.len() < self.size;
        if !self.gzip {
            return (!bytes.is_empty()).then_some(Ok(bytes));
        }
        // An empty file is a chunk too: only so does it come to be.
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        Some(packed.write_all(&bytes).and_then(|()| packed.finish()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_looked_through() {
        let dir = tempfile::tempdir().unwrap();
        let at = |p: &str| dir.path().join(p);
        fs::create_dir_all(at("src/empty")).unwrap();
        fs::create_dir_all(at("src/sub")).unwrap();
        fs::write(at("src/a"), "1").unwrap();
        fs::write(at("src/sub/b"), "2").unwrap();
        let sources = [at("src")];
        let found = find(&sources).unwrap();
        let paths: Vec<_> = found.files.iter().map(|f| f.path.clone()).collect();
        assert_eq!(paths, [at("src/a"), at("src/sub/b")]);
        assert_eq!(found.empty_dirs, [at("src/empty")]);
        assert!(found.dest_is_dir("/x"));
        assert_eq!(remote_path(&paths[1], &sources, "/x", true), "/x/src/sub/b");
        assert_eq!(remote_path(&at("src/a"), &[at("src/a")], "/x", false), "/x");
        assert_eq!(remote_path(&at("src/a"), &[at("src/a")], "/x/", true), "/x/a");
        assert!(matches!(find(&[at("none")]), Err(CliError::Code(INCOMPLETE))));
    }

    #[test]
    fn chunks_are_whole_and_packed_one_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, b"abcde").unwrap();
        let plain: Vec<_> = Chunks::open(&path, 2, false).unwrap().map(io::Result::unwrap).collect();
        assert_eq!(plain, [b"ab".to_vec(), b"cd".to_vec(), b"e".to_vec()]);
        let unpacked: Vec<Vec<u8>> = Chunks::open(&path, 5, true)
            .unwrap()
            .map(|c| {
                let mut bytes = Vec::new();
                flate2::read::GzDecoder::new(c.unwrap().as_slice()).read_to_end(&mut bytes).unwrap();
                bytes
            })
            .collect();
        assert_eq!(unpacked, [b"abcde".to_vec(), vec![]]);
    }
}
