//! A warehouse that is a folder of a revision in git, read without a work tree by the git program.
//!
//! As everywhere here (`docs/decisions/0009-git.md`) the program's words are fixed: revisions go to it as lines of its input, where
//! nothing is an option, and objects by their ids.

use super::{FileId, Files, Name, Oid, Unread, What};
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, LazyLock};

/// The longest name that a symbolic link can lead to; what is longer is no link.
const LONGEST_LINK: u64 = 4096;

/// The variables of our own environment that git gets.
const PASSED: [&str; 4] = ["PATH", "HOME", "USER", "XDG_CONFIG_HOME"];

/// The program, where the path of this process has it.
static PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("git")).find(|at| at.is_absolute() && at.is_file())
});

/// Where objects lie that a push has brought and that are not accepted yet; set for hooks.
const QUARANTINE: [&str; 3] =
    ["GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"];

/// A repository.
pub(crate) struct Repository {
    dir: PathBuf,
}

/// A commit, and the tree in it that is the warehouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) commit: String,
    pub(crate) tree: Oid,
}

impl Repository {
    /// A bare repository, or one with a work tree.
    pub(crate) fn new(path: &Path) -> Result<Self, String> {
        let inner = path.join(".git");
        let dir = if inner.exists() { inner } else { path.to_owned() };
        let dir = std::fs::canonicalize(&dir).map_err(|e| e.to_string())?;
        Ok(Self { dir })
    }

    fn command(&self, words: &[&str]) -> Command {
        // By its path, so that no copy of this process has to be made to look for it.
        let mut command = Command::new(PROGRAM.as_deref().unwrap_or(Path::new("git")));
        command.args(words).env_clear().current_dir("/").stdin(Stdio::null()).stderr(Stdio::null());
        command.envs(PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        let own = std::env::var_os(QUARANTINE[0]).and_then(|path| std::fs::canonicalize(path).ok());
        if own.is_some_and(|path| path.starts_with(&self.dir)) {
            // A hook is told of them relative to where it runs.
            command.envs(QUARANTINE.iter().filter_map(|name| {
                let value = std::env::var_os(name)?;
                Some((name, std::path::absolute(&value).map_or(value, PathBuf::into_os_string)))
            }));
        }
        command.envs([
            ("LC_ALL", "C"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
        ]);
        command.env("GIT_DIR", &self.dir);
        command.env("GIT_CONFIG_COUNT", "2");
        command.envs([("GIT_CONFIG_KEY_0", "core.fsmonitor"), ("GIT_CONFIG_VALUE_0", "false")]);
        command.env("GIT_CONFIG_KEY_1", "safe.directory").env("GIT_CONFIG_VALUE_1", &self.dir);
        command
    }

    /// The commit that a revision names, and the tree of a folder in it.
    pub(crate) fn resolve(&self, revision: &str, below: &str) -> Result<Resolved, String> {
        let bad = |c: char| c.is_control() || c == '\u{7f}';
        if revision.is_empty() || revision.starts_with('-') || revision.contains(bad) {
            return Err(format!("{revision:?} is no revision"));
        }
        let below = below.trim_matches('/');
        if below.contains(bad) || below.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(format!("{below:?} is no folder in a repository"));
        }
        let mut child = Running::start(self.command(&["cat-file", "--batch-check"]))?;
        let mut ask = |line: String| -> Result<Option<(Oid, String)>, String> {
            let told = child.ask(&line).map_err(|e| format!("git cat-file: {e}"))?;
            let mut words = told.split_whitespace();
            let found = words.next().and_then(|id| Oid::parse(id.as_bytes())).zip(words.next());
            Ok(found.map(|(id, kind)| (id, kind.to_owned())))
        };
        let missing = || format!("there is no revision {revision:?}");
        let (commit, _) = ask(format!("{revision}^{{commit}}"))?.ok_or_else(missing)?;
        let spec = if below.is_empty() { format!("{commit}^{{tree}}") } else { format!("{commit}:{below}") };
        match ask(spec)? {
            Some((tree, kind)) if kind == "tree" => Ok(Resolved { commit: commit.to_string(), tree }),
            _ => Err(format!("there is no folder {below:?} in revision {revision:?}")),
        }
    }

    /// All files below a tree.
    pub(crate) fn tree(&self, tree: Oid) -> Result<Tree, String> {
        let id = tree.to_string();
        let mut child = self
            .command(&["ls-tree", "-r", "-z", "--full-tree", &id])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("git could not be started: {e}"))?;
        let mut out = Tree::default();
        let mut links = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut from = BufReader::with_capacity(64 << 10, stdout);
            let mut record = Vec::new();
            while from.read_until(0, &mut record).map_err(|e| format!("git ls-tree: {e}"))? > 0 {
                let entry = Entry::parse(record.strip_suffix(b"\0").unwrap_or(&record));
                out.insert(entry.ok_or("git ls-tree said something unexpected")?, &mut links);
                record.clear();
            }
        }
        if !child.wait().is_ok_and(|status| status.success()) {
            return Err(format!("git ls-tree could not list {id}"));
        }
        let ids: Vec<Oid> = links.iter().map(|(_, _, id)| *id).collect();
        let mut targets: HashMap<Oid, What> = HashMap::new();
        let blobs = self.blobs(unique(ids))?;
        while let Some((id, content)) = blobs.next(LONGEST_LINK)? {
            let what = match content {
                Ok(target) => What::Link(target),
                Err(Unread::TooLarge) => What::Unreadable("the link is too long".into()),
                Err(Unread::Failed(e)) => What::Unreadable(e),
            };
            targets.insert(id, what);
        }
        for (folder, at, id) in links {
            if let Some(name) = out.folders.get_mut(&*folder).and_then(|names| names.get_mut(at)) {
                name.what = targets.get(&id).cloned().unwrap_or(What::Other);
            }
        }
        Ok(out)
    }

    /// What differs between two trees: for each path its new entry, or nothing where it is gone.
    pub(crate) fn difference(&self, old: Oid, new: Oid) -> Result<Vec<(Vec<u8>, Change)>, String> {
        let words = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev"];
        let (old, new) = (old.to_string(), new.to_string());
        let mut command = self.command(&words);
        let out =
            command.args([&old, &new]).output().map_err(|e| format!("git could not be started: {e}"))?;
        if !out.status.success() {
            return Err("git diff-tree failed".into());
        }
        let unexpected = || "git diff-tree said something unexpected".to_owned();
        let mut changes = Vec::new();
        let mut fields = out.stdout.split(|b| *b == 0);
        while let Some(head) = fields.next().filter(|head| !head.is_empty()) {
            let path = fields.next().ok_or_else(unexpected)?;
            let words: Vec<&[u8]> = head.split(|b| *b == b' ').collect();
            let [old_mode, new_mode, _, id, _] = words[..] else { return Err(unexpected()) };
            let change = Change {
                old: Sort::of(old_mode.strip_prefix(b":").ok_or_else(unexpected)?),
                new: Sort::of(new_mode),
                id: Oid::parse(id).ok_or_else(unexpected)?,
            };
            changes.push((path.to_vec(), change));
        }
        Ok(changes)
    }

    /// Blobs, in the order of their ids.
    pub(crate) fn blobs(&self, ids: Vec<Oid>) -> Result<Blobs, String> {
        let mut child = Running::start(self.command(&["cat-file", "--batch", "--buffer"]))?;
        let ids: Arc<[Oid]> = ids.into();
        if let Some(mut to) = child.to.take() {
            let ids = ids.clone();
            // It answers while it is asked, so both must go on at once.
            std::thread::spawn(move || {
                let lines =
                    ids.chunks(256).map(|some| some.iter().map(|id| format!("{id}\n")).collect::<String>());
                for lines in lines {
                    if to.write_all(lines.as_bytes()).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Blobs { state: parking_lot::Mutex::new((child, 0)), ids })
    }
}

fn unique(mut ids: Vec<Oid>) -> Vec<Oid> {
    ids.sort_unstable_by_key(|id| id.bytes);
    ids.dedup();
    ids
}

/// What a path was and is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) old: Sort,
    pub(crate) new: Sort,
    pub(crate) id: Oid,
}

/// What an entry of a tree is, by its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Nothing is there.
    None,
    File,
    Link,
    Other,
}

impl Sort {
    fn of(mode: &[u8]) -> Self {
        match mode {
            b"000000" => Self::None,
            b"100644" | b"100755" | b"100664" => Self::File,
            b"120000" => Self::Link,
            _ => Self::Other,
        }
    }
}

/// What is in a blob, or why it is not had.
pub(crate) type Content = Result<Vec<u8>, Unread>;

/// Blobs that git is telling.
pub(crate) struct Blobs {
    state: parking_lot::Mutex<(Running, usize)>,
    ids: Arc<[Oid]>,
}

impl Blobs {
    /// The next one; nothing after the last. What is larger than `most` bytes is not kept.
    pub(crate) fn next(&self, most: u64) -> Result<Option<(Oid, Content)>, String> {
        Ok(self.some(1, most)?.pop().map(|(_, id, content)| (id, content)))
    }

    /// The next ones with their positions, which another thread does not get.
    pub(crate) fn some(&self, count: usize, most: u64) -> Result<Vec<(usize, Oid, Content)>, String> {
        let mut state = self.state.lock();
        let (child, next) = &mut *state;
        let mut out = Vec::with_capacity(count);
        while out.len() < count
            && let Some(id) = self.ids.get(*next)
        {
            let content = child.blob(most).map_err(|e| format!("git cat-file: {e}"))?;
            out.push((*next, *id, content));
            *next += 1;
        }
        Ok(out)
    }
}

/// A git that answers.
struct Running {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Running {
    fn start(mut command: Command) -> Result<Self, String> {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|e| format!("git could not be started: {e}"))?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let from = BufReader::with_capacity(64 << 10, from.ok_or("git has no output")?);
        Ok(Self { child, to, from })
    }

    fn ask(&mut self, line: &str) -> io::Result<String> {
        let to = self.to.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        to.write_all(format!("{line}\n").as_bytes())?;
        to.flush()?;
        self.line()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut self.from).take(64 << 10).read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    fn blob(&mut self, most: u64) -> io::Result<Result<Vec<u8>, Unread>> {
        let header = self.line()?;
        let mut words = header.split_whitespace().skip(1);
        let (kind, size) = (words.next(), words.next().and_then(|n| n.parse::<u64>().ok()));
        let (Some(kind), Some(size)) = (kind, size) else {
            return Ok(Err(Unread::Failed("the repository lacks it".into())));
        };
        let mut body = (&mut self.from).take(size + 1);
        if size > most || kind != "blob" {
            io::copy(&mut body, &mut io::sink())?;
            return Ok(Err(Unread::TooLarge));
        }
        let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
        body.read_to_end(&mut content)?;
        // A line end follows each.
        if content.len() as u64 != size + 1 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        content.pop();
        Ok(Ok(content))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.to = None;
        // It may be about to say what nobody wants to hear.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Entry<'a> {
    sort: Sort,
    id: Oid,
    path: &'a [u8],
}

impl<'a> Entry<'a> {
    /// `mode SP type SP id TAB path`.
    fn parse(record: &'a [u8]) -> Option<Self> {
        let tab = record.iter().position(|b| *b == b'\t')?;
        let (head, path) = (&record[..tab], &record[tab + 1..]);
        let mut words = head.split(|b| *b == b' ');
        let mode = words.next()?;
        let id = Oid::parse(words.nth(1)?)?;
        Some(Self { sort: Sort::of(mode), id, path })
    }
}

/// The folders of a tree with what is in them.
#[derive(Default)]
pub(crate) struct Tree {
    folders: HashMap<Arc<str>, Vec<Name>>,
}

impl Tree {
    fn insert(&mut self, entry: Entry<'_>, links: &mut Vec<(Arc<str>, usize, Oid)>) {
        let (folder, name) = match entry.path.iter().rposition(|b| *b == b'/') {
            Some(at) => (&entry.path[..at], &entry.path[at + 1..]),
            None => (&b""[..], entry.path),
        };
        // Folders whose names are not text are told by those who list what they are in.
        let folder = String::from_utf8_lossy(folder);
        let what = match entry.sort {
            Sort::File if name.ends_with(b".yaml") => What::File(FileId::Blob(entry.id)),
            Sort::Link => What::Other,
            _ => What::Other,
        };
        let folder = self.folder(&folder, entry.path);
        let names = self.folders.entry(folder.clone()).or_default();
        if entry.sort == Sort::Link {
            links.push((folder, names.len(), entry.id));
        }
        names.push(Name { name: name.into(), what });
    }

    /// Makes a folder known to those that it is in.
    fn folder(&mut self, path: &str, bytes: &[u8]) -> Arc<str> {
        if let Some((known, _)) = self.folders.get_key_value(path) {
            return known.clone();
        }
        let own: Arc<str> = path.into();
        self.folders.insert(own.clone(), Vec::new());
        if path.is_empty() {
            return own;
        }
        let depth = path.matches('/').count();
        let mut parts = bytes.split(|b| *b == b'/');
        let name = parts.nth(depth).unwrap_or_default().to_vec();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let parent = self.folder(parent, bytes);
        self.folders.entry(parent).or_default().push(Name { name, what: What::Folder });
        own
    }
}

impl Files for Tree {
    fn list(&self, folder: &str, wanted: fn(&[u8]) -> bool) -> Result<Vec<Name>, String> {
        match self.folders.get(folder) {
            Some(names) => Ok(names
                .iter()
                .filter(|name| wanted(&name.name))
                .map(|name| Name { name: name.name.clone(), what: name.what.clone() })
                .collect()),
            // A repository without files has a tree without folders.
            None if folder.is_empty() => Ok(Vec::new()),
            None => Err("it is not there".into()),
        }
    }
}
