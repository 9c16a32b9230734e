//! What every backend of the file server can do. One file (or folder) each; [`crate::FileServer`] asks them in the order of
//! `fileserver_backend`.

use brine_core::call::Result;
use brine_core::{Map, map};
use brine_protocol::ids::{RelPath, SaltEnv};
use std::fs::{File, Metadata};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A file that a backend has.
#[derive(Debug)]
pub struct Found {
    /// Where it lies on this machine; a backend without files of its own puts them into its cache first.
    pub full: PathBuf,
    /// What it is: always a regular file.
    pub meta: Metadata,
}

/// Everything in one environment, as one backend lists it: paths with `/`, in its order.
#[derive(Debug, Default)]
pub struct Listed {
    /// Files.
    pub files: Vec<String>,
    /// Directories.
    pub dirs: Vec<String>,
    /// Directories with nothing in them.
    pub empty_dirs: Vec<String>,
    /// Symbolic links, with what they say.
    pub links: Vec<(String, String)>,
}

/// One backend. Shared by all requests: nothing here waits for the network but [`Backend::update`].
pub trait Backend: Send + Sync {
    /// The name in `fileserver_backend`, and what the `fileserver` runner calls it.
    fn name(&self) -> &'static str;

    /// The environments there are.
    ///
    /// # Errors
    /// They cannot be read.
    fn envs(&self) -> Result<Vec<String>>;

    /// A file. What is hidden, no regular file, or outside the tree is not there.
    ///
    /// # Errors
    /// It is there, but cannot be had.
    fn find(&self, path: &RelPath, saltenv: &SaltEnv) -> Result<Option<Found>>;

    /// A file, opened to be read; what it is then. A backend whose files cannot be exchanged for links by others need not say more than
    /// [`Backend::find`].
    ///
    /// # Errors
    /// It is there, but cannot be read.
    fn open(&self, path: &RelPath, saltenv: &SaltEnv) -> Result<Option<(File, Metadata)>> {
        let Some(found) = self.find(path, saltenv)? else { return Ok(None) };
        Ok(crate::server::open_regular(&found.full, None)?)
    }

    /// Everything in an environment. The same `Arc` comes again as long as nothing has changed.
    ///
    /// # Errors
    /// The tree cannot be read.
    fn list(&self, saltenv: &SaltEnv) -> Result<Arc<Listed>>;

    /// Fetches what is new from elsewhere; whether anything changed. Called in the background, never within a request.
    ///
    /// # Errors
    /// What could not be fetched, all remotes tried.
    fn update(&self) -> Result<bool> {
        Ok(false)
    }

    /// Whether its files come from elsewhere: it is fetched, and has a cache and locks for `fileserver.clear_cache`, `lock` and
    /// `clear_lock`.
    fn is_fetched(&self) -> bool {
        false
    }

    /// How often [`Backend::update_due`] is to be called; never where there is nothing to do.
    fn interval(&self) -> Option<Duration> {
        None
    }

    /// Fetches what is due; whether anything changed.
    ///
    /// # Errors
    /// What could not be fetched, all remotes tried.
    fn update_due(&self) -> Result<bool> {
        self.update()
    }

    /// Fetches the remotes of these URLs or names; whether anything changed.
    ///
    /// # Errors
    /// What could not be fetched, all of them tried.
    fn update_named(&self, _remotes: &[String]) -> Result<bool> {
        self.update()
    }

    /// What the event says that follows an update, with `fileserver_events`.
    fn news(&self, changed: bool) -> Map {
        map! {"changed" => changed, "backend" => self.name()}
    }

    /// Forgets listings, of these environments or all; of which it had any.
    fn forget_lists(&self, _envs: Option<&[String]>) -> Vec<String> {
        Vec::new()
    }

    /// Puts update locks there, for remotes whose URL matches a pattern: what was done, and what went wrong.
    fn lock(&self, _remote: Option<&str>) -> (Vec<String>, Vec<String>) {
        (Vec::new(), Vec::new())
    }

    /// Removes update locks, for remotes whose URL matches a pattern: what was done, and what went wrong.
    fn clear_lock(&self, _remote: Option<&str>) -> (Vec<String>, Vec<String>) {
        (Vec::new(), Vec::new())
    }

    /// `fileserver.clear_cache`: forgets what was fetched; what could not be forgotten.
    fn clear_cache(&self) -> Vec<String> {
        Vec::new()
    }
}
