//! The rules by which names are kinds, pallets, boxes and links.

use super::{Files, Listed, Listing, Name, TRANSFORMS, What};
use crate::finding::{Finding, Place};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many symbolic links are followed to a kind or a pallet that is one.
const MOST_FOLLOWED: usize = 20;

/// Lists a warehouse, with as many threads as are good for it; quicker where one has been listed before.
pub(crate) fn walk(files: &impl Files, threads: usize, old: Option<&Listing>) -> Result<Listing, String> {
    // What was wrong then would have to be told again.
    let old = old.filter(|old| old.findings.is_empty()).map_or(&[][..], |old| &old.pallets);
    let root = files.list("", |name| name != b".git")?;
    let mut listing = Listing::default();
    let mut work = Vec::new();
    for Named { name, what } in named(root, "", &mut listing.findings) {
        if name == TRANSFORMS
            && let What::File(id) = what
        {
            listing.transforms = Some(id);
            continue;
        }
        let Some(real) = folder(files, "", &name, &what, &mut listing.findings) else { continue };
        let kind: Arc<str> = name.as_str().into();
        listing.kinds.push(kind.clone());
        match files.list(&real, |_| true) {
            Ok(names) => {
                for Named { name, what } in named(names, &kind, &mut listing.findings) {
                    let below = folder(files, &real, &name, &what, &mut listing.findings);
                    if let Some(real) = below {
                        work.push((kind.clone(), name, real));
                    }
                }
            }
            Err(e) => listing.findings.push(unreadable(&kind, &e)),
        }
    }
    for (mut pallets, mut findings) in in_parallel(files, &work, threads, old) {
        listing.pallets.append(&mut pallets);
        listing.findings.append(&mut findings);
    }
    listing.kinds.sort();
    listing.pallets.sort_by(|a, b| (&a.kind, &a.full_name).cmp(&(&b.kind, &b.full_name)));
    Ok(listing)
}

/// Whether a file of this name is a box.
pub(super) fn is_box(name: &str) -> bool {
    name.ends_with(".yaml")
}

type Part = (Vec<Arc<Listed>>, Vec<Finding>);

fn in_parallel(
    files: &impl Files,
    work: &[(Arc<str>, String, String)],
    threads: usize,
    old: &[Arc<Listed>],
) -> Vec<Part> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let worker = || {
        let mut part: Part = (Vec::new(), Vec::new());
        while let Some((kind, name, real)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            pallet(files, kind, name, real, old, &mut part);
        }
        done.lock().push(part);
    };
    if threads < 2 || work.len() < 64 {
        worker();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(worker);
            }
        });
    }
    done.into_inner()
}

/// Lists a pallet and those within it.
fn pallet(files: &impl Files, kind: &Arc<str>, name: &str, real: &str, old: &[Arc<Listed>], part: &mut Part) {
    let mut work = vec![(name.to_owned(), real.to_owned(), false)];
    while let Some((full_name, real, child)) = work.pop() {
        let path = format!("{kind}/{full_name}");
        let link = (real != path).then_some(&*real);
        let before = old.binary_search_by(|old| (&old.kind, &*old.full_name).cmp(&(kind, &full_name)));
        let before =
            before.ok().map(|at| &old[at]).filter(|old| old.child == child && old.real.as_deref() == link);
        if let Some(again) = before.and_then(|before| files.again(before, &real)) {
            for name in &again.folders {
                work.push((format!("{full_name}/{name}"), format!("{real}/{name}"), true));
            }
            part.0.push(again);
            continue;
        }
        let stamp = files.stamp(&real);
        let names = match files.list(&real, |name| !name.starts_with(b".")) {
            Ok(names) => names,
            Err(e) => {
                part.1.push(unreadable(&path, &e));
                Vec::new()
            }
        };
        let mut listed = Listed {
            kind: kind.clone(),
            full_name: full_name.as_str().into(),
            boxes: Vec::new(),
            links: Vec::new(),
            real: link.map(Arc::from),
            child,
            folders: Vec::new(),
            stamp,
        };
        for Named { name, what } in named(names, &path, &mut part.1) {
            match what {
                What::File(id) if is_box(&name) => listed.boxes.push((name.into(), id)),
                What::Link(target) => match String::from_utf8(target) {
                    Ok(target) => listed.links.push((name.into(), target.into())),
                    Err(_) => {
                        let place = Place::whole(format!("{path}/{name}"));
                        let message = "the link leads to a name that is not UTF-8";
                        part.1.push(Finding::error("not-utf8-name", place, message));
                    }
                },
                What::Folder => {
                    work.push((format!("{full_name}/{name}"), format!("{real}/{name}"), true));
                    listed.folders.push(name.into());
                }
                _ => {}
            }
        }
        part.0.push(Arc::new(listed));
    }
}

struct Named {
    name: String,
    what: What,
}

/// Names that are text, sorted; the others and what cannot be looked at are told.
fn named(names: Vec<Name>, folder: &str, findings: &mut Vec<Finding>) -> Vec<Named> {
    let mut out = Vec::with_capacity(names.len());
    for Name { name, what } in names {
        let path = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        match (String::from_utf8(name), what) {
            (Ok(name), What::Unreadable(e)) => findings.push(unreadable(&path(&name), &e)),
            (Ok(name), what) => out.push(Named { name, what }),
            (Err(e), _) => {
                let place = Place::whole(path(&String::from_utf8_lossy(e.as_bytes())));
                let message = "the name is not UTF-8, so nothing can name it";
                findings.push(Finding::error("not-utf8-name", place, message));
            }
        }
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    out
}

/// The path of a folder, symbolic links followed within the warehouse; nothing if it is none.
fn folder(
    files: &impl Files,
    parent: &str,
    name: &str,
    what: &What,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
    match what {
        What::Folder => Some(path),
        What::Link(_) => {
            let mut left = MOST_FOLLOWED;
            match resolved(files, parent, name, &mut left) {
                Ok(found) => found,
                Err((code, message)) => {
                    findings.push(Finding::error(code, Place::whole(path), message));
                    None
                }
            }
        }
        _ => None,
    }
}

type Refused = (&'static str, String);

/// Follows a path that begins in a folder without links; nothing if it ends at what is no folder.
fn resolved(files: &impl Files, from: &str, path: &str, left: &mut usize) -> Result<Option<String>, Refused> {
    let mut at: Vec<String> = from.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let mut parts: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    while let Some(part) = parts.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                if at.pop().is_none() {
                    return Err(("outside-link", "the link leads out of the warehouse".into()));
                }
                continue;
            }
            _ => {}
        }
        let dangling = || ("dangling-link", format!("the link leads to {part}, which is not there"));
        let names = files.list(&at.join("/"), |_| true).map_err(|_| dangling())?;
        let found = names.into_iter().find(|name| name.name == part.as_bytes()).ok_or_else(dangling)?;
        match found.what {
            What::Folder => at.push(part),
            What::Link(target) => {
                *left = left.checked_sub(1).ok_or_else(|| ("link-cycle", "links without an end".into()))?;
                if target.starts_with(b"/") {
                    return Err(("outside-link", "the link leads out of the warehouse".into()));
                }
                let target = String::from_utf8(target).map_err(|_| dangling())?;
                parts.extend(target.split('/').rev().map(str::to_owned));
            }
            _ if parts.is_empty() => return Ok(None),
            _ => return Err(dangling()),
        }
    }
    Ok(Some(at.join("/")))
}

pub(super) fn unreadable(path: &str, why: &str) -> Finding {
    Finding::error("unreadable", Place::whole(path), format!("it cannot be read: {why}"))
}
