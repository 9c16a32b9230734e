//! The files that say where packages come from: `/etc/apt/sources.list` and those in `sources.list.d`.

use brine_core::apt::{MAIN_FILE, Source};
use brine_core::call::{CallError, Result};
use brine_core::{Map, Value, map};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where further files are.
const FOLDER: &str = "/etc/apt/sources.list.d";

/// Every line of every file.
pub(super) struct Sources {
    /// The lines.
    pub(super) list: Vec<Source>,
}

impl Sources {
    /// Reads them all.
    pub(super) fn read() -> Result<Self> {
        let mut files = vec![PathBuf::from(MAIN_FILE)];
        if let Ok(entries) = std::fs::read_dir(FOLDER) {
            let mut more: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            more.retain(|path| path.as_os_str().as_encoded_bytes().ends_with(b".list"));
            more.sort();
            files.extend(more);
        }
        let mut list = Vec::new();
        for file in files.iter().filter(|file| file.is_file()) {
            let text = String::from_utf8(std::fs::read(file)?)
                .map_err(|e| CallError::exception("UnicodeDecodeError", e.to_string()))?;
            for line in text.split_inclusive('\n') {
                list.push(Source::read(line, &file.to_string_lossy())?);
            }
        }
        Ok(Self { list })
    }

    /// Writes every file that a line stands in; files that lost all their lines stay as they are.
    pub(super) fn save(&self) -> Result<()> {
        let mut files = Map::new();
        for source in &self.list {
            let written = source.written()?;
            if let Value::Str(text) = files.entry_or(source.file.as_str(), || "".into()) {
                text.push_str(&written);
            }
        }
        for (file, text) in files {
            if let (Value::Str(file), Value::Str(text)) = (file, text) {
                write(Path::new(&file), &text)?;
            }
        }
        Ok(())
    }

    /// Makes one line of those that differ in their components only, drops what is no source, and leaves one file.
    pub(super) fn consolidate(self) -> Result<Self> {
        let mut list: Vec<Source> = Vec::new();
        let mut gone: Vec<String> = Vec::new();
        for source in self.list.into_iter().filter(|source| !source.invalid) {
            if source.file != MAIN_FILE && !gone.contains(&source.file) {
                gone.push(source.file.clone());
            }
            let same = |other: &&mut Source| {
                other.architectures == source.architectures
                    && other.disabled == source.disabled
                    && other.kind == source.kind
                    && other.uri == source.uri
                    && other.dist == source.dist
            };
            match list.iter_mut().find(same) {
                Some(known) => {
                    let more = source.comps.into_iter().filter(|comp| !known.comps.contains(comp));
                    known.comps.extend(more.collect::<Vec<_>>());
                }
                None => list.push(Source::read(&source.line, MAIN_FILE)?),
            }
        }
        let all = Self { list };
        all.save()?;
        for file in gone {
            // A file that is gone already is as wished.
            let _ = std::fs::remove_file(file);
        }
        Ok(all)
    }

    /// What `pkg.list_repos` returns.
    pub(super) fn shown(&self) -> Map {
        let mut all = Map::new();
        for source in self.list.iter().filter(|source| !source.invalid) {
            if let Value::List(known) = all.entry_or(source.uri.as_str(), || Value::List(Vec::new())) {
                known.push(source.shown().into());
            }
        }
        all
    }
}

/// Replaces a file whole; one that is as it should be is left alone.
fn write(path: &Path, text: &str) -> Result<()> {
    let before = std::fs::metadata(path).ok();
    if before.is_some() && std::fs::read(path).is_ok_and(|known| known == text.as_bytes()) {
        return Ok(());
    }
    let mode = before.map_or(0o644, |before| before.permissions().mode() & 0o7777);
    let missing = |e: std::io::Error| {
        CallError::exception("OSError", brine_core::text::python_os_error(&e, &path.to_string_lossy()))
    };
    let dir = path.parent().unwrap_or(Path::new("/"));
    // apt reads files that end in .list, so that it never reads this one.
    let mut file = tempfile::Builder::new().prefix(".sources").suffix(".new").tempfile_in(dir).map_err(missing)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.persist(path).map_err(|e| missing(e.error))?;
    Ok(())
}

/// What is compared of a definition.
pub(super) fn same(source: &Source, wanted: &Source) -> bool {
    source.kind == wanted.kind
        && source.uri.trim_end_matches('/') == wanted.uri.trim_end_matches('/')
        && source.dist == wanted.dist
}

/// What `pkg.mod_repo` returns of one definition.
pub(super) fn result(repo: &str, source: &Source) -> Map {
    let mut shown = source.shown();
    shown.insert("line", source.line.as_str());
    shown.remove("dist");
    map! { repo => shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_mode_and_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.list");
        std::fs::write(&path, "x\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let file = path.to_string_lossy().into_owned();
        let source = |line: &str| Source::read(line, &file).unwrap();
        let all = Sources { list: vec![source("# note\n"), source("deb http://a  b c\n")] };
        all.save().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# note\ndeb http://a b c\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
