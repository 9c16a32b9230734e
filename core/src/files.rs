//! Where the files of a state or pillar tree come from, as those who render them ask for it: folders on this machine, or a master.

use crate::call::Result;
use std::path::PathBuf;

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

/// A tree of files in environments. Paths are relative, with `/`; what leaves the tree is not found.
pub trait Files: Send + Sync {
    /// The file as it lies on this machine now, fetched or copied first if it must be; `None` if there is none.
    ///
    /// # Errors
    /// It is there, but cannot be had.
    fn cache_file(&self, path: &str, saltenv: &str) -> Result<Option<PathBuf>>;

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
