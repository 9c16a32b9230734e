//! Boxes read, and kept as long as their files stay the same.

use crate::finding::{Finding, Place};
use crate::node::{Map, Node};
use crate::tree::{FileId, Unread};
use crate::yaml::{self, Keys, MOST_BYTES};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

/// What a comment begins with that is meant for us.
const REMARK: &str = "pj:";

/// A file of a pallet.
#[derive(Debug)]
pub(super) struct BoxFile {
    /// Relative to the warehouse.
    pub(super) path: Arc<str>,
    pub(super) id: FileId,
    hash: u64,
    pub(super) content: Option<Map>,
    pub(super) findings: Box<[Finding]>,
    remarks: Box<[(u32, Box<str>)]>,
}

/// Makes of content what another process cannot foresee, so that no two contents are made to look like one.
static HASH: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What tells contents from each other, in this process.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    HASH.hash_one(bytes)
}

impl BoxFile {
    /// Reads one; gives back the old one if nothing but its stamp has changed.
    pub(super) fn read(
        path: &str,
        id: FileId,
        content: Result<Vec<u8>, Unread>,
        old: Option<&Arc<BoxFile>>,
        keys: &mut Keys,
    ) -> Arc<Self> {
        let bytes = match content {
            Ok(bytes) => bytes,
            Err(why) => return Arc::new(Self::unread(path.into(), id, why)),
        };
        let hash = hash(&bytes);
        if let Some(old) = old
            && old.hash == hash
            && *old.path == *path
        {
            return Arc::new(Self { id, ..old.same() });
        }
        let path: Arc<str> = path.into();
        let read = yaml::read(&bytes, &path, keys);
        let mut findings = read.findings;
        let content = match read.root {
            Some(Node::Map(map)) => Some(map),
            Some(Node::Scalar(scalar)) if scalar.text().is_empty() => {
                findings.push(empty(&path));
                None
            }
            Some(other) => {
                let message = format!("a box holds a mapping, and this is {}", other.kind());
                findings.push(Finding::error("box-not-a-mapping", other.place().clone(), message));
                None
            }
            None => {
                if findings.is_empty() {
                    findings.push(empty(&path));
                }
                None
            }
        };
        let remarks = remarks(&bytes);
        Arc::new(Self { path, id, hash, content, findings: findings.into(), remarks })
    }

    fn unread(path: Arc<str>, id: FileId, why: Unread) -> Self {
        let place = Place::whole(path.clone());
        let finding = match why {
            Unread::TooLarge => {
                let message = format!("it is larger than {MOST_BYTES} bytes, and not read");
                Finding::error("too-large", place, message)
            }
            Unread::Failed(why) => Finding::error("unreadable", place, format!("it cannot be read: {why}")),
        };
        Self { path, id, hash: 0, content: None, findings: [finding].into(), remarks: [].into() }
    }

    fn same(&self) -> Self {
        Self {
            path: self.path.clone(),
            id: self.id,
            hash: self.hash,
            content: self.content.clone(),
            findings: self.findings.clone(),
            remarks: self.remarks.clone(),
        }
    }

    /// Whether both hold the same: one was taken over from the other.
    pub(super) fn holds_same(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Some(own), Some(other)) => own.is(other),
            (None, None) => true,
            _ => false,
        }
    }

    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub(super) fn remarks(&self) -> impl Iterator<Item = (Place, &str)> {
        self.remarks
            .iter()
            .map(|(line, text)| (Place { line: *line, ..Place::whole(self.path.clone()) }, &**text))
    }
}

fn empty(path: &Arc<str>) -> Finding {
    Finding::error("empty-box", Place::whole(path.clone()), "there is nothing in this box")
}

/// Comments that begin with `pj:`, with their lines.
pub(super) fn remarks(bytes: &[u8]) -> Box<[(u32, Box<str>)]> {
    let Ok(text) = std::str::from_utf8(bytes) else { return [].into() };
    if !text.contains(REMARK) {
        return [].into();
    }
    let comment = |line: &str| -> Option<Box<str>> {
        let at = line.find('#').filter(|at| *at == 0 || line[..*at].ends_with([' ', '\t']))?;
        let comment = line[at..].trim_start_matches('#').trim();
        comment.starts_with(REMARK).then(|| comment.into())
    };
    (1..).zip(text.lines()).filter_map(|(n, line)| Some((n, comment(line)?))).collect()
}
