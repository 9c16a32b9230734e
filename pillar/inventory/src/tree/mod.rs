//! What lies in a warehouse before anything of it is read: kinds, pallets, boxes and links, from a folder or from git.
//!
//! Both give the same [`Listing`] of the same content. Names are sorted by their bytes, so nothing depends on the order in which a
//! file system or git tells them. Nothing outside of the warehouse is ever looked at.

mod directory;
mod git;
mod patch;
mod walk;

pub(crate) use directory::Directory;
pub(crate) use git::{Blobs, Repository};
pub(crate) use patch::patched;
pub(crate) use walk::walk;

use crate::finding::Finding;
use std::fmt;
use std::sync::Arc;

/// The file with the transforms.
pub(crate) const TRANSFORMS: &str = "transforms.yaml";

/// What a file was when it was listed: if it is the same again, so is the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FileId {
    /// A blob of git's.
    Blob(Oid),
    /// A file of a file system.
    Stamp { inode: u64, size: u64, changed: (i64, u32), modified: (i64, u32) },
    /// One whose stamp says nothing, since it changed a moment ago.
    Fresh(u64),
}

/// The id of an object of git's, of SHA-1 or SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Oid {
    bytes: [u8; 32],
    len: u8,
}

impl Oid {
    /// Of 40 or 64 hexadecimal digits.
    pub(crate) fn parse(hex: &[u8]) -> Option<Self> {
        if !matches!(hex.len(), 40 | 64) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks(2)) {
            let digit = |b: u8| char::from(b).to_digit(16).and_then(|n| u8::try_from(n).ok());
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self { bytes, len: if hex.len() == 40 { 20 } else { 32 } })
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes[..usize::from(self.len)].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A pallet as it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) kind: Arc<str>,
    pub(crate) full_name: Arc<str>,
    /// Boxes by their names, sorted.
    pub(crate) boxes: Vec<(Arc<str>, FileId)>,
    /// Links by their names, sorted, with what they say.
    pub(crate) links: Vec<(Arc<str>, Arc<str>)>,
    /// Where it is without symbolic links on the way, if that is not `kind/full_name`.
    pub(crate) real: Option<Arc<str>>,
    /// Whether it lies within another pallet.
    pub(crate) child: bool,
    /// The pallets that lie in it directly, by the last parts of their names.
    pub(crate) folders: Vec<Arc<str>>,
    /// What the folder was: if it is the same again, so are the names in it. Git has no such thing.
    pub(crate) stamp: Option<FileId>,
}

impl Listed {
    /// `kind/full_name`.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.kind, self.full_name)
    }

    /// The path by which a file of it is opened.
    pub(crate) fn real_path(&self, name: &str) -> String {
        match &self.real {
            Some(real) => format!("{real}/{name}"),
            None => format!("{}/{}/{name}", self.kind, self.full_name),
        }
    }
}

/// All that lies in a warehouse.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// Sorted by kind and full name.
    pub(crate) pallets: Vec<Arc<Listed>>,
    /// Kinds, also those without pallets.
    pub(crate) kinds: Vec<Arc<str>>,
    pub(crate) transforms: Option<FileId>,
    pub(crate) findings: Vec<Finding>,
}

/// One name in a folder.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) name: Vec<u8>,
    pub(crate) what: What,
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub(crate) enum What {
    Folder,
    File(FileId),
    Link(Vec<u8>),
    /// Anything else, which counts for nothing.
    Other,
    /// Why it could not be looked at.
    Unreadable(String),
}

/// Why a file could not be read.
pub(crate) enum Unread {
    TooLarge,
    Failed(String),
}

/// A warehouse's files.
pub(crate) trait Files: Sync {
    /// The names in a folder, by a path without symbolic links; `""` is the warehouse. `wanted` says which are asked about.
    fn list(&self, folder: &str, wanted: fn(&[u8]) -> bool) -> Result<Vec<Name>, String>;

    /// What a folder is, by a path without symbolic links: to be asked before its names are.
    fn stamp(&self, _folder: &str) -> Option<FileId> {
        None
    }

    /// A pallet as it is now, if its folder is as it was; `real` is the path of that.
    fn again(&self, _old: &Arc<Listed>, _real: &str) -> Option<Arc<Listed>> {
        None
    }
}
