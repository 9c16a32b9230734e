//! The files of an export brought into a directory. A list in the directory (the *manifest*) says which files are an export's: only
//! those are removed when they are out of date, and nothing is replaced that is neither listed nor says itself that it was generated.
//!
//! A file that would differ in its header only stays as it is, so that what has not changed does not look new to those who
//! watch it; its header then names the revision that it was made of.

use super::job::{Error, Result};
use crate::exit::CliError;
use brine_inventory::export::{Body, File, GENERATED};
use brine_protocol::crypt::fingerprint::hex;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

/// What was done to a directory. Paths are relative to it.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) directory: PathBuf,
    /// New or changed.
    pub(crate) made: Vec<String>,
    /// As they were.
    pub(crate) same: Vec<String>,
    /// Out of date.
    pub(crate) removed: Vec<String>,
    /// Out of date too, but changed by somebody since they were written.
    pub(crate) left: Vec<String>,
}

impl Written {
    /// For people: a line for each file that is not as it was.
    pub(crate) fn lines(&self) -> String {
        let line = |what: &str, name: &String| format!("{what} {}\n", self.directory.join(name).display());
        let all = [
            ("wrote", &self.made),
            ("removed", &self.removed),
            ("left (changed since it was written)", &self.left),
        ];
        all.into_iter().flat_map(|(what, names)| names.iter().map(move |n| line(what, n))).collect()
    }
}

/// What an export has made: paths with a sum of their content.
type Manifest = BTreeMap<String, String>;

/// Brings files into a directory, which is made if it is not there.
pub(super) fn write(dir: &Path, manifest: &str, files: &[File], force: bool) -> Result<Written> {
    fs::create_dir_all(dir).map_err(|e| CliError::io(dir, e))?;
    // Two pushes at once have two hooks at once.
    let lock = fs::File::open(dir).map_err(|e| CliError::io(dir, e))?;
    lock.lock().map_err(|e| CliError::io(dir, e))?;
    let list = dir.join(manifest);
    let old = read(&list)?;
    let mut done = Written { directory: dir.to_owned(), ..Written::default() };
    let mut new = Manifest::new();
    let mut changed = Vec::new();
    for file in files {
        let at = dir.join(&file.path);
        let there = content(&at).map_err(|e| CliError::io(&at, e))?;
        match &there {
            Some(there) if same(there, &file.body) => {
                new.insert(file.path.clone(), sum(there));
                done.same.push(file.path.clone());
            }
            Some(there) if !force && !old.contains_key(&file.path) && !is_generated(there) => {
                return Err(Error::Foreign(at));
            }
            _ => {
                new.insert(file.path.clone(), sum(&whole(&file.body)));
                changed.push(file);
            }
        }
    }
    // Whatever ends this early: what is ours is listed before it is there.
    let both: Manifest = old.iter().chain(&new).map(|(path, sum)| (path.clone(), sum.clone())).collect();
    if !changed.is_empty() {
        save(&list, &both)?;
    }
    for file in changed {
        let at = dir.join(&file.path);
        put(&at, &file.body).map_err(|e| CliError::io(&at, e))?;
        done.made.push(file.path.clone());
    }
    let kept: BTreeSet<&String> = new.keys().collect();
    for (path, known) in old.iter().filter(|(path, _)| !kept.contains(path)) {
        let at = dir.join(path);
        match content(&at).map_err(|e| CliError::io(&at, e))? {
            None => {}
            Some(there) if sum(&there) == *known => {
                fs::remove_file(&at).map_err(|e| CliError::io(&at, e))?;
                done.removed.push(path.clone());
            }
            Some(_) => done.left.push(path.clone()),
        }
    }
    if new != old {
        save(&list, &new)?;
    }
    Ok(done)
}

/// What is at a path.
enum Content {
    Text(Vec<u8>),
    Link(PathBuf),
    /// A directory, a device.
    Other,
}

fn content(path: &Path) -> io::Result<Option<Content>> {
    let kind = match fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    Ok(Some(match (kind.is_symlink(), kind.is_file()) {
        (true, _) => Content::Link(fs::read_link(path)?),
        (_, true) => Content::Text(fs::read(path)?),
        _ => Content::Other,
    }))
}

fn whole(body: &Body) -> Content {
    match body {
        Body::Text { header, text } => Content::Text([header.as_bytes(), text.as_bytes()].concat()),
        Body::Link(to) => Content::Link(to.into()),
    }
}

/// Whether there is nothing to be written: all but the header is the same.
fn same(there: &Content, body: &Body) -> bool {
    match (there, body) {
        (Content::Link(to), Body::Link(wanted)) => to == Path::new(wanted),
        (Content::Text(bytes), Body::Text { text, .. }) => {
            std::str::from_utf8(bytes).is_ok_and(|there| behind_header(there) == text)
        }
        _ => false,
    }
}

/// The text of a generated file behind its comment lines.
pub(super) fn behind_header(text: &str) -> &str {
    let mut rest = text;
    while rest.starts_with("##") || rest.starts_with(";;") {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest
}

/// Whether a file says that a program has made it, this one or one of Pallet Jack's; or is a link as those make.
fn is_generated(there: &Content) -> bool {
    match there {
        Content::Text(bytes) => {
            let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
            head.starts_with(['#', ';']) && head.lines().take(2).any(|l| l.contains(GENERATED))
        }
        Content::Link(to) => to.starts_with("../config"),
        Content::Other => false,
    }
}

fn sum(content: &Content) -> String {
    let digest = match content {
        Content::Text(bytes) => Sha256::digest(bytes),
        Content::Link(to) => Sha256::digest(format!("link to {}", to.display())),
        Content::Other => return "-".into(),
    };
    hex(&digest)
}

/// Puts a file into its place in one step, readable by all.
fn put(at: &Path, body: &Body) -> io::Result<()> {
    let (Some(dir), Some(name)) = (at.parent(), at.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    fs::create_dir_all(dir)?;
    let new = dir.join(format!(".{}.pj-{}", name.to_string_lossy(), std::process::id()));
    // Left by one that was killed and had our number.
    match fs::remove_file(&new) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let made = match body {
        Body::Link(to) => symlink(to, &new),
        Body::Text { header, text } => {
            fs::OpenOptions::new().write(true).create_new(true).open(&new).and_then(|mut f| {
                f.write_all(header.as_bytes())?;
                f.write_all(text.as_bytes())?;
                f.set_permissions(fs::Permissions::from_mode(0o644))?;
                f.sync_data()
            })
        }
    };
    made.and_then(|()| fs::rename(&new, at)).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

/// The manifest at a path: lines of a sum, two blanks and a path.
fn read(list: &Path) -> Result<Manifest> {
    let text = match fs::read_to_string(list) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Manifest::new()),
        Err(e) => return Err(CliError::io(list, e).into()),
    };
    let inside = |path: &str| Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
    let mut all = Manifest::new();
    for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.starts_with('#')) {
        match line.split_once("  ") {
            Some((sum, path)) if !path.is_empty() && inside(path) => {
                all.insert(path.to_owned(), sum.to_owned())
            }
            _ => return Err(Error::Manifest { path: list.to_owned(), line: n + 1 }),
        };
    }
    Ok(all)
}

fn save(list: &Path, manifest: &Manifest) -> Result<()> {
    let mut text =
        String::from("# Files that pj has made here. What is listed is replaced and removed by it.\n");
    for (path, sum) in manifest {
        text.push_str(&format!("{sum}  {path}\n"));
    }
    let body = Body::Text { header: String::new(), text };
    put(list, &body).map_err(|e| CliError::io(list, e))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str, header: &str, text: &str) -> File {
        File { path: path.into(), body: Body::Text { header: header.into(), text: text.into() } }
    }

    fn head(revision: u32) -> String {
        format!("##\n## {GENERATED}pj from\n## {revision}\n##\n")
    }

    #[test]
    fn only_what_an_export_has_made_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let first = [
            text("d/a.conf", &head(1), "a\n"),
            text("d/b.conf", &head(1), "b\n"),
            text("c", &head(1), "c\n"),
        ];
        let done = write(dir.path(), ".m", &first, false).unwrap();
        assert_eq!((done.made.len(), done.same.len(), done.removed.len()), (3, 0, 0));
        assert_eq!(fs::metadata(at("c")).unwrap().permissions().mode() & 0o777, 0o644);
        fs::write(at("d/other.conf"), "by hand").unwrap();
        fs::write(at("c"), "changed by hand").unwrap();
        let done = write(dir.path(), ".m", &[text("d/a.conf", &head(2), "a\n")], false).unwrap();
        assert_eq!(
            (done.same, done.removed, done.left),
            (vec!["d/a.conf".into()], vec!["d/b.conf".into()], vec!["c".into()])
        );
        assert!(at("d/other.conf").exists() && at("c").exists() && !at("d/b.conf").exists());
        // The header of what did not change is the old one.
        assert_eq!(fs::read_to_string(at("d/a.conf")).unwrap(), head(1) + "a\n");
        // What was left is nobody's now.
        let done = write(dir.path(), ".m", &[], false).unwrap();
        assert_eq!((done.removed, done.left.len()), (vec!["d/a.conf".into()], 0));
        assert!(at("c").exists());
    }

    #[test]
    fn what_no_export_has_made_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("a"), "by hand\n").unwrap();
        fs::write(at("b"), format!("##\n## {GENERATED}palletjack2kea from\n##\nold\n")).unwrap();
        let files = [text("b", &head(1), "b\n"), text("a", &head(1), "a\n")];
        assert!(
            matches!(write(dir.path(), ".m", &files, false), Err(Error::Foreign(path)) if path == at("a"))
        );
        // Nothing was touched, not even what could have been.
        assert!(fs::read_to_string(at("b")).unwrap().ends_with("old\n") && !at(".m").exists());
        let done = write(dir.path(), ".m", &files, true).unwrap();
        assert_eq!(done.made, ["b", "a"]);
        let link = File { path: "l".into(), body: Body::Link("../config/x.menu".into()) };
        symlink("/etc/passwd", at("l")).unwrap();
        assert!(matches!(
            write(dir.path(), ".l", std::slice::from_ref(&link), false),
            Err(Error::Foreign(_))
        ));
        fs::remove_file(at("l")).unwrap();
        symlink("../config/y.menu", at("l")).unwrap();
        assert_eq!(write(dir.path(), ".l", &[link], false).unwrap().made, ["l"]);
        assert_eq!(fs::read_link(at("l")).unwrap(), Path::new("../config/x.menu"));
    }

    #[test]
    fn a_manifest_reaches_no_other_directory() {
        let dir = tempfile::tempdir().unwrap();
        for line in ["00  ../x", "00  /etc/passwd", "00", "00  a/../../b", "00 x"] {
            fs::write(dir.path().join(".m"), format!("# x\n{line}\n")).unwrap();
            let failed = write(dir.path(), ".m", &[], false);
            assert!(matches!(failed, Err(Error::Manifest { line: 2, .. })), "{line}: {failed:?}");
        }
    }

    #[test]
    fn a_directory_in_the_way_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        assert!(write(dir.path(), ".m", &[text("a", "", "x")], false).is_err());
        assert!(write(dir.path(), ".m", &[text("a", "", "x")], true).is_err());
    }
}
