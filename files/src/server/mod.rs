//! The file server: what a master tells minions of its files, and what `file_client: local` asks in its own process. It asks its
//! backends in the order of `fileserver_backend`. Not here: who may ask, and how a request arrives.

mod answer;
mod asked;
mod backends;
mod channel;
mod listing;
mod merge;
mod minionfs;
mod mtimes;
mod open;
mod roots;
mod sums;
#[cfg(test)]
mod tests;
mod update;

pub use backends::{Named, is_left_out};
pub(crate) use open::open_regular;
pub use update::Told;

use crate::backend::{Backend, Found, Listed};
use brine_core::Opts;
use brine_core::call::Result;
use brine_protocol::ids::{RelPath, SaltEnv};
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

/// The largest chunk that is served, whatever `file_buffer_size` says.
const LARGEST_CHUNK: usize = 32 << 20;
/// `file_buffer_size` where it says nothing that can be used.
const CHUNK: usize = 1 << 20;

/// The file server of one configuration. Shared by all who ask.
pub struct FileServer {
    backends: Vec<Named>,
    merged: merge::Merged,
    sums: sums::Sums,
    hash_type: String,
    chunk: usize,
    tells: bool,
}

impl FileServer {
    /// Makes the backends that the options name. Those that cannot be made are logged and have no files.
    pub fn new(opts: &Opts) -> Arc<Self> {
        let size = opts.int("file_buffer_size").and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
        let hash_type = opts.str("hash_type");
        Arc::new(Self {
            backends: backends::make(opts),
            merged: merge::Merged::default(),
            sums: sums::Sums::default(),
            hash_type: if hash_type.is_empty() { "sha256".into() } else { hash_type.into() },
            chunk: size.unwrap_or(CHUNK).min(LARGEST_CHUNK),
            tells: opts.flag("fileserver_events"),
        })
    }

    /// Whether `fileserver_events` asks for an event after each update.
    pub fn tells(&self) -> bool {
        self.tells
    }

    /// The backends, in order.
    pub fn backends(&self) -> &[Named] {
        &self.backends
    }

    /// A file, and the backend that has it.
    ///
    /// # Errors
    /// It is there, but cannot be had.
    pub fn find(&self, path: &RelPath, saltenv: &SaltEnv) -> Result<Option<(Found, &Named)>> {
        for named in &self.backends {
            if let Some(found) = named.backend.find(path, saltenv)? {
                return Ok(Some((found, named)));
            }
        }
        Ok(None)
    }

    /// The checksum of a file by `hash_type`, and what the file is.
    ///
    /// # Errors
    /// It cannot be read, or the algorithm is not known.
    pub fn hash(&self, path: &RelPath, saltenv: &SaltEnv) -> Result<Option<(String, Metadata)>> {
        for named in &self.backends {
            if let Some((file, meta)) = named.backend.open(path, saltenv)? {
                return Ok(Some((self.sums.of(file, &meta, &self.hash_type)?, meta)));
            }
        }
        Ok(None)
    }

    /// The name of the checksums' algorithm.
    pub fn hash_type(&self) -> &str {
        &self.hash_type
    }

    /// What of a file follows an offset, up to one chunk; empty at its end.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn chunk(&self, path: &RelPath, saltenv: &SaltEnv, offset: u64) -> Result<Option<Vec<u8>>> {
        for named in &self.backends {
            if let Some((mut file, meta)) = named.backend.open(path, saltenv)? {
                // A file that grows is served as it grows, but memory is taken for what there is.
                let there = usize::try_from(meta.len().saturating_sub(offset)).unwrap_or(usize::MAX);
                let mut data = Vec::with_capacity(there.saturating_add(1).min(self.chunk));
                file.seek(SeekFrom::Start(offset))?;
                file.take(self.chunk as u64).read_to_end(&mut data)?;
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// Everything in an environment, of all backends: each list sorted and without doubles. The same `Arc` comes again as long as
    /// nothing has changed.
    ///
    /// # Errors
    /// A tree cannot be read.
    pub fn list(&self, saltenv: &SaltEnv) -> Result<Arc<Listed>> {
        self.merged.of(saltenv, &self.backends)
    }

    /// The environments of all backends, sorted.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn envs(&self) -> Result<Vec<String>> {
        let mut envs = BTreeSet::new();
        for named in &self.backends {
            envs.extend(named.backend.envs()?);
        }
        Ok(envs.into_iter().collect())
    }
}

impl std::fmt::Debug for FileServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.backends.iter().map(|named| named.name.as_str()).collect();
        f.debug_struct("FileServer").field("backends", &names).finish_non_exhaustive()
    }
}
