//! The `archive` states: an archive unpacked, and its files whose they are to be.

mod checks;
mod extract;
mod ownership;
mod sums;

use crate::file::without_login;
use brine_core::call::{Args, CallError, Cx, Given, Result, given};
use brine_core::posixpath::join;
use brine_core::state::{Outcome, state_module};
use brine_core::text::python_str;
use brine_core::{Map, Value};
use checks::Source;
use std::path::Path;

state_module! { "archive": extracted }

given! {
    /// Unpack an archive.
    ///
    /// name: the folder. source: URL or path of a tar, zip or rar archive, or several of which the first that there is is taken.
    /// source_hash, source_hash_name: its checksum. source_hash_update: unpack again where the checksum is another than last time.
    /// skip_files_list_verify: look at the checksum only. skip_verify: do not check it. password: of a zip archive. options: of
    /// the program `tar` or `unzip`. list_options: a command that unpacks what is inside the compression. force: remove what is of
    /// another kind. overwrite: unpack in any case. clean: remove what the archive holds before. clean_parent: remove the folder
    /// before. user, group: whose the files are. if_missing: only where this path is not. trim_output: show so many files.
    /// use_cmd_unzip: use the program `unzip`. extract_perms: set modes of zip archives. enforce_toplevel: all must be in one
    /// folder. enforce_ownership_on: only this path gets user and group. archive_format: what it is. use_etag: ask the server
    /// whether the file is another. keep_source: leave it in the cache.
    pub(super) fn extracted(
        name, source, source_hash = (), source_hash_name = (), source_hash_update = false, skip_files_list_verify = false,
        skip_verify = false, password = (), options = (), list_options = (), force = false, overwrite = false, clean = false,
        clean_parent = false, user = (), group = (), if_missing = (), trim_output = false, use_cmd_unzip = (),
        extract_perms = true, enforce_toplevel = true, enforce_ownership_on = (), archive_format = (), use_etag = false
        ; kwargs
    ) => manage
}

/// Why a state is not gone on with.
enum Stop {
    /// Its result is known.
    Done(Box<Outcome>),
    /// It fails.
    Error(CallError),
}

impl From<CallError> for Stop {
    fn from(e: CallError) -> Self {
        Self::Error(e)
    }
}

type Step<T = ()> = std::result::Result<T, Stop>;

/// What an archive holds, by `archive.list`.
#[derive(Default)]
struct Contents {
    dirs: Vec<String>,
    files: Vec<String>,
    links: Vec<String>,
    top_dirs: Vec<String>,
    top_files: Vec<String>,
    top_links: Vec<String>,
}

impl Contents {
    fn of(listed: &Value) -> Self {
        let names = |key: &str| -> Vec<String> {
            let names = listed.get(key).and_then(Value::as_list).unwrap_or_default();
            names.iter().map(python_str).collect()
        };
        Self {
            dirs: names("dirs"),
            files: names("files"),
            links: names("links"),
            top_dirs: names("top_level_dirs"),
            top_files: names("top_level_files"),
            top_links: names("top_level_links"),
        }
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        self.dirs.iter().chain(&self.files).chain(&self.links)
    }
}

/// The state while it runs.
struct Extracted<'a> {
    cx: &'a Cx,
    given: Given,
    ret: Outcome,
    /// The folder, with a slash at its end.
    folder: String,
    uid: Option<u32>,
    gid: Option<u32>,
    keep_source: bool,
    saltenv: String,
}

impl Extracted<'_> {
    /// Ends the state with a result.
    fn end<T>(&mut self, result: Option<bool>, comment: impl Into<String>) -> Step<T> {
        let mut ret = std::mem::replace(&mut self.ret, Outcome::new(""));
        ret.result = result;
        ret.comment = Value::from(comment.into());
        Err(Stop::Done(Box::new(ret)))
    }

    /// Ends the state as failed.
    fn fail<T>(&mut self, comment: impl Into<String>) -> Step<T> {
        self.end(Some(false), comment)
    }

    /// What was called, where stock goes on after a `CommandExecutionError` by showing it.
    fn caught<T>(&mut self, called: Result<T>) -> Step<T> {
        match called {
            Err(e) if e.is_execution() => self.fail(e.text()),
            other => Ok(other?),
        }
    }

    fn warn(&mut self, text: &str) {
        let warnings = self.ret.more.entry_or("warnings", || Value::List(Vec::new()));
        if let Value::List(warnings) = warnings {
            warnings.push(text.into());
        }
    }

    fn call(&self, function: &str, args: Args) -> Result {
        self.cx.call(function, args)
    }

    /// Whether the path that says that all is there already is there.
    fn is_there(&self) -> bool {
        self.given.text("if_missing").is_some_and(|path| Path::new(&path).exists())
    }

    fn run(&mut self) -> Step {
        self.keeping()?;
        self.places()?;
        let source = self.source()?;
        let sum = self.sum(&source)?;
        self.skip_by_sum(&source, &sum)?;
        let cached = self.cached(&source)?;
        let before = sums::read(self.cx, &cached, None);
        if self.given.truthy("source_hash")
            && self.given.truthy("source_hash_update")
            && !self.given.truthy("skip_verify")
        {
            sums::update(self.cx, &cached)?;
        }
        let contents = self.contents(&source, &cached)?;
        let mut missing = false;
        let mut needed = self.given.truthy("overwrite");
        if !self.is_there() {
            self.look(&contents, &mut needed, &mut missing)?;
        }
        let by_sum = !needed
            && self.given.truthy("source_hash_update")
            && before.as_ref().is_some_and(|before| sums::read(self.cx, &cached, Some(before)).as_ref() != Some(before));
        let why = match (by_sum, missing) {
            (true, _) => ", due to source_hash update",
            (false, true) => ", due to absence of one or more files/dirs",
            _ => "",
        };
        let mut files = None;
        let mut made = false;
        if needed || by_sum {
            self.check_sum(&source, &sum)?;
            if self.cx.test {
                let clean =
                    if self.given.truthy("clean") { ", after cleaning destination path(s)" } else { "" };
                let source = without_login(&source.url);
                return self.end(None, format!("Archive {source} would be extracted to {}{clean}{why}", self.folder));
            }
            self.clean(&contents)?;
            made = !Path::new(&self.folder).is_dir();
            if made {
                let args = Args::positional([self.folder.as_str()]);
                let args = args.with("user", self.given.value("user")).with("makedirs", true);
                self.cx.call_state("file.directory", args)?;
            }
            files = Some(self.extract(&source, &cached, made)?);
        }
        let owners = self.ownership(&contents)?;
        self.tell(&source, files, made, why);
        ownership::tell(&mut self.ret, &owners, self.given.truthy("if_missing"));
        self.forget(&source)
    }

    /// Says what was done.
    fn tell(&mut self, source: &Source, files: Option<Value>, made: bool, why: &str) {
        let url = without_login(&source.url);
        let trim = self.given.value("trim_output");
        let (result, comment) = match files {
            Some(files) if files.truthy() => {
                if made {
                    self.ret.changes.insert("directories_created", vec![self.folder.as_str()]);
                }
                self.ret.changes.insert("extracted_files", files);
                let mut comment = format!("{url} extracted to {}{why}", self.folder);
                if trim.truthy() {
                    comment += &format!(". Output was trimmed to {} number of lines", python_str(&trim));
                }
                (Some(true), comment)
            }
            Some(_) => (Some(false), format!("No files were extracted from {url}")),
            None => {
                let mut comment = match self.given.text("if_missing").filter(|_| self.is_there()) {
                    Some(path) => format!("{path} exists"),
                    None => "All files in archive are already present".to_owned(),
                };
                let owners = self.cx.test && self.ret.changes.contains("updated ownership");
                if owners {
                    comment += ". Ownership would be updated on one or more files/directories.";
                }
                (if owners { None } else { Some(true) }, comment)
            }
        };
        self.ret.result = result;
        self.ret.comment = comment.into();
    }

    /// Takes the archive out of the cache, if it is not to be kept.
    fn forget(&mut self, source: &Source) -> Step {
        if source.is_local || self.keep_source {
            return Ok(());
        }
        let args = Args::positional([source.url.as_str()]).with("saltenv", self.saltenv.as_str());
        let result = self.cx.call_state("file.not_cached", args)?;
        if !result.get("result").is_some_and(Value::truthy) {
            self.warn(&result.get("comment").map(python_str).unwrap_or_default());
        }
        Ok(())
    }

    /// A path below the folder.
    fn below(&self, name: &str) -> String {
        join(&self.folder, &[name])
    }
}

fn manage(cx: &Cx, mut given: Given) -> Result<Outcome> {
    given.extra.retain(|key, _| !key.as_str().is_some_and(|key| key.starts_with("__")));
    let name = given.value("name");
    let saltenv = cx.step.as_ref().map_or("base", |step| step.saltenv()).to_owned();
    let mut state = Extracted {
        cx,
        given,
        ret: Outcome::new(name),
        folder: String::new(),
        uid: None,
        gid: None,
        keep_source: true,
        saltenv,
    };
    match state.run() {
        Ok(()) => Ok(state.ret),
        Err(Stop::Done(ret)) => Ok(*ret),
        Err(Stop::Error(e)) => Err(e),
    }
}

/// Arguments that the functions behind this state take beside its own.
fn handed(mut args: Args, more: &Map) -> Args {
    for (key, value) in more {
        args.keyword.insert(key.clone(), value.clone());
    }
    args
}
