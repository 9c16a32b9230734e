//! Pallets of what was listed and read: what their links lead to.

use super::boxes::BoxFile;
use super::pallet::{Link, Pallet, PalletId};
use super::read::Boxes;
use crate::finding::{Finding, Place};
use crate::tree::{Listed, Listing};
use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::Arc;

/// The pallets of a listing, with the same positions. Links that lead nowhere are told. What is as it was in the snapshot before is
/// taken from there, if all pallets have the ids that they had.
pub(super) fn pallets<'l>(
    listing: &Listing,
    boxes: Boxes,
    before: impl Fn(usize) -> Option<&'l Arc<Pallet>>,
    same_ids: bool,
    found: &mut Vec<Finding>,
) -> Vec<Arc<Pallet>> {
    let ids: LazyCell<HashMap<(&str, &str), PalletId>, _> = LazyCell::new(|| {
        let ids = (0..).map(PalletId).zip(&listing.pallets);
        ids.map(|(id, listed)| ((&*listed.kind, &*listed.full_name), id)).collect()
    });
    // A table is not worth it for the few that have changed.
    let known = |kind: &str, full_name: &str| {
        if !same_ids {
            return ids.get(&(kind, full_name)).copied();
        }
        let name = |listed: &Arc<Listed>| (&*listed.kind, &*listed.full_name).cmp(&(kind, full_name));
        listing.pallets.binary_search_by(name).ok().and_then(|at| u32::try_from(at).ok()).map(PalletId)
    };
    let mut pallet = |at: usize, listed: &Arc<Listed>, boxes: Option<Vec<Arc<BoxFile>>>| {
        let old = before(at);
        if let Some(old) = old.filter(|old| same_ids && boxes.is_none() && is_same(old, listed)) {
            return old.clone();
        }
        let boxes = boxes.or_else(|| Some(old?.boxes.clone())).unwrap_or_default();
        let path: Arc<str> = listed.path().into();
        let links = listed.links.iter().map(|(name, written)| {
            let place = Place::whole(format!("{path}/{name}"));
            let target = resolved(&path, name, written, known).map_err(|(code, message)| {
                let finding = Finding::error(code, place.clone(), message);
                found.push(finding.of(&listed.kind, &listed.full_name));
            });
            Link { name: name.clone(), target: target.ok(), written: written.clone(), place }
        });
        let links = links.collect();
        let parent = listed.full_name.rsplit_once('/').filter(|_| listed.child);
        let within = parent.and_then(|(parent, _)| known(&listed.kind, parent));
        Arc::new(Pallet { listed: listed.clone(), path, boxes, links, within })
    };
    let all = listing.pallets.iter().zip(boxes).enumerate();
    all.map(|(at, (listed, boxes))| pallet(at, listed, boxes)).collect()
}

/// Whether a pallet with the same boxes is as it was, and nothing is to be told of its links.
fn is_same(old: &Pallet, listed: &Arc<Listed>) -> bool {
    let same_files = Arc::ptr_eq(&old.listed, listed) || *old.listed == **listed;
    same_files && old.links.iter().all(|link| link.target.is_some()) && old.within.is_some() == listed.child
}

fn resolved(
    path: &str,
    name: &str,
    written: &str,
    known: impl Fn(&str, &str) -> Option<PalletId>,
) -> Result<PalletId, (&'static str, String)> {
    let outside = || ("outside-link", format!("the link {name} leads to {written}, out of the warehouse"));
    let (kind, full_name) = target(path, written).ok_or_else(outside)?;
    let dangling = || ("dangling-link", format!("the link {name} leads to {written}, which is no pallet"));
    known(&kind, &full_name).ok_or_else(dangling)
}

/// The kind and full name that a link names, by its words alone: no other link is followed. Nothing if it leaves the warehouse.
fn target(from: &str, written: &str) -> Option<(String, String)> {
    if written.starts_with('/') {
        return None;
    }
    let mut at: Vec<&str> = from.split('/').collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                at.pop()?;
            }
            part => at.push(part),
        }
    }
    let (kind, rest) = at.split_first()?;
    Some(((*kind).to_owned(), rest.join("/")))
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn links_are_followed_by_their_words_alone() {
        let is = |from: &str, written: &str, to: Option<(&str, &str)>| {
            let to = to.map(|(kind, name)| (kind.to_owned(), name.to_owned()));
            assert_eq!(target(from, written), to, "{from} {written}");
        };
        is("system/a", "../../rack/r1", Some(("rack", "r1")));
        is("system/a", "../../rack/r1/", Some(("rack", "r1")));
        is("os/a/b", "../../../os/c/d", Some(("os", "c/d")));
        is("os/a/b", "..", Some(("os", "a")));
        is("system/a", "./x/../../b", Some(("system", "b")));
        is("system/a", "../../rack", Some(("rack", "")));
        is("system/a", "../..", None);
        is("system/a", "../../../rack/r1", None);
        is("system/a", "/srv/warehouse/rack/r1", None);
    }
}
