//! Where the files of a state or pillar tree come from, as those who render them ask for it: folders on this machine, or a master.

use crate::call::{CallError, Result};
use crate::{Map, Value};
use std::path::{Path, PathBuf};

/// What of an environment is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Files.
    Files,
    /// Directories.
    Dirs,
    /// Directories with nothing in them.
    EmptyDirs,
}

/// How a file is to be had, beside its name. The default: in the cache.
#[derive(Clone, Copy, Debug, Default)]
pub struct Want<'a> {
    /// The file to make of it; none: the cache's.
    pub dest: Option<&'a Path>,
    /// Make the folders of `dest`; else there is no file where they are missing.
    pub makedirs: bool,
    /// Have it sent compressed, with this level.
    pub gzip: Option<i64>,
    /// Another `cachedir` than the option's: absolute, or below that one.
    pub cachedir: Option<&'a str>,
}

/// A tree of files in environments. Paths are relative, with `/`; what leaves the tree is not found.
pub trait Files: Send + Sync {
    /// The file as it lies on this machine now, fetched or copied first if it must be; `None` if there is none.
    ///
    /// # Errors
    /// It is there, but cannot be had.
    fn cache_file(&self, path: &str, saltenv: &str) -> Result<Option<PathBuf>>;

    /// A file as it is wanted: where it lies then, `None` if there is none.
    ///
    /// # Errors
    /// As [`Files::cache_file`]; and where it cannot be written.
    fn get_file(&self, path: &str, saltenv: &str, want: &Want<'_>) -> Result<Option<PathBuf>> {
        match want {
            Want { dest: None, cachedir: None, .. } => self.cache_file(path, saltenv),
            _ => Err(not_here()),
        }
    }

    /// What the file server says of a file's contents: a map of `hsum` and `hash_type`, or something empty.
    ///
    /// # Errors
    /// The tree cannot be read.
    fn hash_file(&self, _path: &str, _saltenv: &str) -> Result<Value> {
        Err(not_here())
    }

    /// A file is going to be asked for: where the server is elsewhere, it is asked now, and the answer awaited when it is wanted.
    /// It is good for a moment, and until [`Files::expect_nothing`].
    fn expect(&self, _path: &str, _saltenv: &str) {}

    /// Something may have changed what files say: what was asked ahead is forgotten.
    fn expect_nothing(&self) {}

    /// What the file server says of a file beside its contents: Python's ten numbers of `os.stat`, the first being the mode.
    ///
    /// # Errors
    /// The tree cannot be read.
    fn stat_file(&self, _path: &str, _saltenv: &str) -> Result<Option<Vec<i64>>> {
        Err(not_here())
    }

    /// The symbolic links below a prefix, with what they say.
    ///
    /// # Errors
    /// The tree cannot be read.
    fn symlinks(&self, _saltenv: &str, _prefix: &str) -> Result<Map> {
        Err(not_here())
    }

    /// Paths in an environment that begin so, in the file server's order.
    ///
    /// # Errors
    /// The tree cannot be read.
    fn list_below(&self, saltenv: &str, prefix: &str, what: Listing) -> Result<Vec<String>> {
        let mut names = self.list(saltenv, what)?;
        names.retain(|name| name.starts_with(prefix.trim_matches('/')));
        Ok(names)
    }

    /// Paths in an environment, in the file server's order.
    ///
    /// # Errors
    /// The tree cannot be read.
    fn list(&self, saltenv: &str, what: Listing) -> Result<Vec<String>>;

    /// The environments there are.
    ///
    /// # Errors
    /// The tree cannot be read.
    fn envs(&self) -> Result<Vec<String>>;
}

/// What trees that only hand out files say to everything else.
fn not_here() -> CallError {
    CallError::Client("there is no file server to ask".into())
}

/// A tree with nothing in it.
pub struct NoFiles;

impl Files for NoFiles {
    fn cache_file(&self, _: &str, _: &str) -> Result<Option<PathBuf>> {
        Ok(None)
    }

    fn list(&self, _: &str, _: Listing) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn envs(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}
