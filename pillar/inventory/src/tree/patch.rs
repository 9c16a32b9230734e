//! A listing brought from one revision to the next by what differs between them, which costs little where little does.

use super::git::{Change, Repository, Sort};
use super::walk::is_box;
use super::{FileId, Listed, Listing, Oid, TRANSFORMS};
use std::sync::Arc;

/// A link's target is no longer than this; what is longer is left to a whole listing.
const LONGEST: u64 = 4096;

/// How many changes are worth it.
const MOST: usize = 1000;

/// The listing of the new tree; nothing where folders come or go or anything else is better listed from the beginning.
pub(crate) fn patched(old: &Listing, repository: &Repository, from: Oid, to: Oid) -> Option<Listing> {
    if !old.findings.is_empty() || old.pallets.iter().any(|listed| listed.real.is_some()) {
        return None;
    }
    let changes = repository.difference(from, to).ok().filter(|changes| changes.len() <= MOST)?;
    let mut new = old.clone();
    let mut links = Vec::new();
    for (path, change) in &changes {
        let path = std::str::from_utf8(path).ok()?;
        let sorts = [change.old, change.new];
        if sorts.contains(&Sort::Other) {
            return None;
        }
        let Some((folder, name)) = path.rsplit_once('/') else {
            if sorts.contains(&Sort::Link) {
                return None;
            }
            if path == TRANSFORMS {
                new.transforms = (change.new == Sort::File).then_some(FileId::Blob(change.id));
            }
            continue;
        };
        let Some((kind, full_name)) = folder.split_once('/') else {
            let known = new.kinds.iter().any(|kind| **kind == *folder);
            if sorts.contains(&Sort::Link) || !known || change.new == Sort::None {
                return None;
            }
            continue;
        };
        let at = new
            .pallets
            .binary_search_by(|listed| (&*listed.kind, &*listed.full_name).cmp(&(kind, full_name)));
        let at = at.ok()?;
        pallet(Arc::make_mut(&mut new.pallets[at]), name, change, || {
            links.push((at, name.to_owned(), change.id))
        })?;
    }
    if links.is_empty() {
        return Some(new);
    }
    let blobs = repository.blobs(links.iter().map(|(_, _, id)| *id).collect()).ok()?;
    for (at, name, _) in &links {
        let (_, content) = blobs.next(LONGEST).ok()??;
        let target = String::from_utf8(content.ok()?).ok()?;
        let listed = Arc::make_mut(&mut new.pallets[*at]);
        put(&mut listed.links, name, Arc::from(target));
    }
    Some(new)
}

/// Changes one pallet; nothing if it may be gone then.
fn pallet(listed: &mut Listed, name: &str, change: &Change, link: impl FnOnce()) -> Option<()> {
    if name.starts_with('.') {
        return Some(());
    }
    match change.old {
        Sort::File if is_box(name) => listed.boxes.retain(|(own, _)| **own != *name),
        Sort::Link => listed.links.retain(|(own, _)| **own != *name),
        _ => {}
    }
    match change.new {
        Sort::File if is_box(name) => put(&mut listed.boxes, name, FileId::Blob(change.id)),
        Sort::Link => link(),
        // A folder is there as long as something is in it.
        Sort::None if listed.boxes.is_empty() && listed.links.is_empty() => return None,
        _ => {}
    }
    Some(())
}

fn put<T>(list: &mut Vec<(Arc<str>, T)>, name: &str, value: T) {
    match list.binary_search_by(|(own, _)| (**own).cmp(name)) {
        Ok(at) => list[at].1 = value,
        Err(at) => list.insert(at, (name.into(), value)),
    }
}
