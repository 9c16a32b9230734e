//! One object of a warehouse.

use super::boxes::BoxFile;
use crate::finding::Place;
use crate::node::Map;
use crate::tree::Listed;
use std::sync::Arc;

/// A pallet of one snapshot. In another snapshot the same id may be another pallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PalletId(pub(super) u32);

impl PalletId {
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// An object: a folder of boxes and links.
#[derive(Debug)]
pub struct Pallet {
    pub(super) listed: Arc<Listed>,
    /// `kind/full_name`.
    pub(super) path: Arc<str>,
    pub(super) boxes: Vec<Arc<BoxFile>>,
    pub(super) links: Vec<Link>,
    /// The pallet it lies in.
    pub(super) within: Option<PalletId>,
}

/// A link to a pallet that is inherited from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name: `rack`, `domain`.
    pub name: Arc<str>,
    /// What it leads to; nothing if that is no pallet, or if it would close a cycle.
    pub target: Option<PalletId>,
    /// Where it leads, as it is written: `../../rack/1-A-2`.
    pub written: Arc<str>,
    /// The link itself.
    pub place: Place,
}

impl Pallet {
    pub(super) fn again(&self) -> Self {
        Self {
            listed: self.listed.clone(),
            path: self.path.clone(),
            boxes: self.boxes.clone(),
            links: self.links.clone(),
            within: self.within,
        }
    }

    /// What it is: `system`, `rack`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.listed.kind
    }

    /// Its name with those of the pallets of its kind that it lies in: `CentOS-7/Kickstart_vda`.
    #[must_use]
    pub fn full_name(&self) -> &str {
        &self.listed.full_name
    }

    /// The last part of its name.
    #[must_use]
    pub fn leaf_name(&self) -> &str {
        self.full_name().rsplit('/').next().unwrap_or_default()
    }

    /// The full name of the pallet that it lies in.
    #[must_use]
    pub fn parent_name(&self) -> Option<&str> {
        self.full_name().rsplit_once('/').map(|(parent, _)| parent)
    }

    /// Its folder, relative to the warehouse: kind and full name.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its links, by name.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Its boxes by name, with what is in each; nothing in one that cannot be read.
    pub fn boxes(&self) -> impl Iterator<Item = (&str, Option<&Map>)> {
        self.boxes.iter().map(|one| (one.name(), one.content.as_ref()))
    }

    /// The comments of its boxes that begin with `pj:`, with their places.
    pub fn remarks(&self) -> impl Iterator<Item = (Place, &str)> {
        self.boxes.iter().flat_map(|one| one.remarks())
    }
}
