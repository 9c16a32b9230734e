//! Where a warehouse is.

use crate::tree::Repository;
use std::path::PathBuf;

/// Where a warehouse is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder, as it stands.
    Directory(PathBuf),
    /// A folder in a revision of a git repository, which needs no work tree.
    Git {
        /// A bare repository, or one with a work tree.
        repository: PathBuf,
        /// What git takes for a commit: a branch, a tag, an id. What begins with `-` is refused.
        revision: String,
        /// The folder in the tree; empty for its root.
        below: String,
    },
}

/// Why there is no warehouse to be read. What is wrong within one is a [`Finding`](crate::Finding).
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no folder, or it cannot be read.
    #[error("the warehouse {} cannot be read: {why}", path.display())]
    Directory {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// There is no repository or no such revision, or git failed.
    #[error("the warehouse in {} cannot be read: {why}", repository.display())]
    Git {
        /// The repository.
        repository: PathBuf,
        /// What is missing.
        why: String,
    },
}

impl Origin {
    /// The full id of the commit that counts now, without reading the warehouse; none for a folder.
    ///
    /// # Errors
    /// There is no such repository, revision or folder in it.
    pub fn revision(&self) -> Result<Option<String>, LoadError> {
        let Origin::Git { repository, revision, below } = self else { return Ok(None) };
        let found = Repository::new(repository).and_then(|git| git.resolve(revision, below));
        let failed = |why| LoadError::Git { repository: repository.clone(), why };
        found.map(|found| Some(found.commit)).map_err(failed)
    }
}
