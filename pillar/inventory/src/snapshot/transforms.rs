//! `transforms.yaml`, read, and kept as long as it stays the same.

use super::boxes::hash;
use super::read::Files;
use super::view::Names;
use crate::finding::{Finding, Place};
use crate::node::Node;
use crate::transform::Rules;
use crate::tree::{FileId, TRANSFORMS, Unread};
use crate::yaml::{self, Keys, MOST_BYTES};
use std::sync::Arc;

/// What `transforms.yaml` says.
#[derive(Clone, Debug)]
pub(super) struct Transforms {
    id: Option<FileId>,
    hash: Option<u64>,
    pub(super) rules: Arc<Rules>,
    /// What is wrong with the file as YAML.
    pub(super) findings: Arc<[Finding]>,
    pub(super) names: Names,
    pub(super) remarks: Arc<[(u32, Box<str>)]>,
}

const NONE: &str = "there is nothing in it: no transforms are an empty list";

impl Transforms {
    /// Reads it, if it is not as it was. The error is that git failed.
    pub(super) fn read(files: &Files, id: Option<FileId>, old: Option<&Self>) -> Result<Self, String> {
        if let Some(old) = old.filter(|old| old.id == id) {
            return Ok(old.clone());
        }
        let content = id.map(|id| files.read(TRANSFORMS, id)).transpose()?;
        let hash = content.as_ref().and_then(|content| Some(hash(content.as_ref().ok()?)));
        if let Some(old) = old.filter(|old| hash.is_some() && old.hash == hash) {
            return Ok(Self { id, ..old.clone() });
        }
        let place = Place::whole(TRANSFORMS);
        let mut keys = Keys::default();
        let names = Names::new(&mut keys);
        let mut rules = Rules::default();
        let mut findings = Vec::new();
        let mut remarks: Arc<[(u32, Box<str>)]> = [].into();
        match content {
            None => {
                let message = "a warehouse has a file transforms.yaml, if only with an empty list";
                findings.push(Finding::error("no-transforms", place, message));
            }
            Some(Err(Unread::TooLarge)) => {
                let message = format!("it is larger than {MOST_BYTES} bytes, and not read");
                findings.push(Finding::error("too-large", place, message));
            }
            Some(Err(Unread::Failed(why))) => {
                findings.push(Finding::error("unreadable", place, format!("it cannot be read: {why}")));
            }
            Some(Ok(bytes)) => {
                let read = yaml::read(&bytes, &place.file, &mut keys);
                findings = read.findings;
                remarks = super::boxes::remarks(&bytes).into();
                match read.root {
                    Some(Node::Scalar(scalar)) if scalar.text().is_empty() => {
                        findings.push(Finding::error("no-transforms", place, NONE));
                    }
                    Some(root) => rules = Rules::read(&root, &mut keys),
                    None if findings.is_empty() => {
                        findings.push(Finding::error("no-transforms", place, NONE));
                    }
                    None => {}
                }
            }
        }
        Ok(Self { id, hash, rules: rules.into(), findings: findings.into(), names, remarks })
    }
}
