//! How a snapshot is made: of files, and of the snapshot before it.

use super::boxes::BoxFile;
use super::graph::Graph;
use super::pallet::{Link, Pallet, PalletId};
use super::view::{Names, View, compute};
use super::{LoadError, Origin, Snapshot};
use crate::finding::{Finding, Place};
use crate::node::Node;
use crate::transform::Rules;
use crate::tree::{self, Directory, FileId, Listed, Listing, Oid, Repository, TRANSFORMS, Unread};
use crate::yaml::{self, Keys, MOST_BYTES};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// How many threads read and compute. More would wait for each other.
const MOST_THREADS: usize = 4;

/// Of how many faults of one sort each is told.
const MOST_ALIKE: usize = 1000;

/// How far loading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Folders are listed.
    Listing,
    /// Files are read.
    Reading {
        /// How many have been.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// Values are inherited and transformed.
    Viewing {
        /// Of how many pallets they have been.
        done: usize,
        /// How many there are.
        of: usize,
    },
}

/// What `transforms.yaml` says.
#[derive(Clone, Debug)]
pub(super) struct Transforms {
    id: Option<FileId>,
    pub(super) rules: Arc<Rules>,
    /// What is wrong with the file as YAML.
    findings: Arc<[Finding]>,
    pub(super) names: Names,
}

/// Where files are read from.
enum Files {
    Directory(Directory),
    Git(Repository, Arc<str>, Oid),
}

impl Snapshot {
    /// Reads a warehouse.
    ///
    /// # Errors
    /// There is none: no such folder, repository, revision or folder in it. What is wrong within it is among the findings.
    pub fn load(origin: &Origin, progress: &mut dyn FnMut(Progress)) -> Result<Self, LoadError> {
        make(origin, None, progress)
    }

    /// Reads a warehouse again. Files that are the same are not parsed again, and pallets that inherit from nothing that has
    /// changed keep their views, the same ones in memory.
    ///
    /// # Errors
    /// As [`Snapshot::load`].
    pub fn reload(&self, origin: &Origin, progress: &mut dyn FnMut(Progress)) -> Result<Self, LoadError> {
        make(origin, Some(self), progress)
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS)
}

fn make(
    origin: &Origin,
    old: Option<&Snapshot>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Snapshot, LoadError> {
    let failed = |why: String| match origin {
        Origin::Directory(path) => LoadError::Directory { path: path.clone(), why },
        Origin::Git { repository, .. } => LoadError::Git { repository: repository.clone(), why },
    };
    progress(Progress::Listing);
    let files = match origin {
        Origin::Directory(path) => {
            Files::Directory(Directory::open(path).map_err(|e| failed(e.to_string()))?)
        }
        Origin::Git { repository, revision, below } => {
            let repository = Repository::new(repository).map_err(failed)?;
            let found = repository.resolve(revision, below).map_err(failed)?;
            Files::Git(repository, found.commit.into(), found.tree)
        }
    };
    let listing = match &files {
        Files::Directory(directory) => tree::walk(directory, threads()).map_err(failed)?,
        Files::Git(repository, _, tree) => {
            let tree = repository.tree(*tree).map_err(failed)?;
            tree::walk(&tree, 1).map_err(failed)?
        }
    };
    build(&files, listing, old, progress).map_err(failed)
}

fn build(
    files: &Files,
    listing: Listing,
    old: Option<&Snapshot>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Snapshot, String> {
    let transforms = transforms(files, listing.transforms, old)?;
    let mut found = Vec::new();
    let boxes = read_boxes(files, &listing, old, progress)?;
    let mut pallets = pallets(&listing, boxes, old, &mut found);
    let graph = Graph::new(&mut pallets, &mut found);
    let views = views(&pallets, &graph, &transforms, old, progress);
    let kinds = kinds(&listing, &pallets);
    let mut snapshot = Snapshot {
        revision: None,
        tree: None,
        ids: (0..pallets.len() as u32).map(PalletId).collect(),
        pallets,
        kinds,
        graph,
        views,
        transforms,
        listed: listing.findings,
        findings: Vec::new(),
    };
    if let Files::Git(_, commit, tree) = files {
        (snapshot.revision, snapshot.tree) = (Some(commit.clone()), Some(*tree));
    }
    snapshot.findings = findings(&snapshot, found);
    Ok(snapshot)
}

/// All that is wrong, by place.
fn findings(snapshot: &Snapshot, mut all: Vec<Finding>) -> Vec<Finding> {
    all.extend(snapshot.listed.iter().cloned());
    all.extend(snapshot.transforms.findings.iter().cloned());
    all.extend(snapshot.rules().findings.iter().cloned());
    for pallet in &snapshot.pallets {
        for one in &pallet.boxes {
            all.extend(one.findings.iter().cloned().map(|it| it.of(&pallet.kind, &pallet.full_name)));
        }
    }
    all.extend(snapshot.views.iter().flat_map(|view| view.findings.iter().cloned()));
    all.sort();
    let mut alike: HashMap<&'static str, usize> = HashMap::new();
    all.retain(|finding| {
        let count = alike.entry(finding.code).or_default();
        *count += 1;
        *count <= MOST_ALIKE
    });
    all
}

fn kinds(listing: &Listing, pallets: &[Arc<Pallet>]) -> Vec<(Arc<str>, std::ops::Range<usize>)> {
    let range = |kind: &Arc<str>| {
        let start = pallets.partition_point(|pallet| pallet.kind < *kind);
        start..start + pallets[start..].partition_point(|pallet| pallet.kind == *kind)
    };
    listing.kinds.iter().map(|kind| (kind.clone(), range(kind))).collect()
}

fn transforms(files: &Files, id: Option<FileId>, old: Option<&Snapshot>) -> Result<Transforms, String> {
    if let Some(old) = old
        && old.transforms.id == id
    {
        return Ok(old.transforms.clone());
    }
    let path: Arc<str> = TRANSFORMS.into();
    let mut keys = Keys::default();
    let names = Names::new(&mut keys);
    let missing = |message: &str| {
        let place = Place::whole(path.clone());
        Finding::error("no-transforms", place, message)
    };
    let mut rules = Rules::default();
    let mut findings = Vec::new();
    match id.map(|id| files.read(TRANSFORMS, id)).transpose()? {
        None => findings.push(missing("a warehouse has a file transforms.yaml, if only with an empty list")),
        Some(Err(Unread::TooLarge)) => {
            let message = format!("it is larger than {MOST_BYTES} bytes, and not read");
            findings.push(Finding::error("too-large", Place::whole(path), message));
        }
        Some(Err(Unread::Failed(why))) => {
            let message = format!("it cannot be read: {why}");
            findings.push(Finding::error("unreadable", Place::whole(path), message));
        }
        Some(Ok(bytes)) => {
            let read = yaml::read(&bytes, &path, &mut keys);
            findings = read.findings;
            match read.root {
                Some(Node::Scalar(scalar)) if scalar.text().is_empty() => {
                    findings.push(missing("there is nothing in it: no transforms are an empty list"));
                }
                Some(root) => rules = Rules::read(&root, &mut keys),
                None if findings.is_empty() => {
                    findings.push(missing("there is nothing in it: no transforms are an empty list"));
                }
                None => {}
            }
        }
    }
    Ok(Transforms { id, rules: rules.into(), findings: findings.into(), names })
}

impl Files {
    fn read(&self, path: &str, id: FileId) -> Result<Result<Vec<u8>, Unread>, String> {
        match (self, id) {
            (Files::Directory(directory), _) => Ok(directory.read(path)),
            (Files::Git(repository, ..), FileId::Blob(id)) => {
                let found = repository.blobs(vec![id])?.next(MOST_BYTES)?;
                Ok(found.map_or(Err(Unread::Failed("git did not tell it".into())), |(_, content)| content))
            }
            _ => Ok(Err(Unread::Failed("it is not in git".into()))),
        }
    }
}

/// A box that has to be read.
struct Wanted<'l> {
    pallet: usize,
    at: usize,
    listed: &'l Listed,
    name: &'l str,
    id: FileId,
    old: Option<&'l Arc<BoxFile>>,
}

type Boxes = Vec<Vec<Option<Arc<BoxFile>>>>;

/// The boxes of all pallets: those that are as they were before, and the others read.
fn read_boxes<'l>(
    files: &Files,
    listing: &'l Listing,
    old: Option<&'l Snapshot>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Boxes, String> {
    let mut boxes: Boxes = listing.pallets.iter().map(|listed| vec![None; listed.boxes.len()]).collect();
    let mut wanted = Vec::new();
    for (pallet, listed) in listing.pallets.iter().enumerate() {
        let before = old.and_then(|old| old.find(&listed.kind, &listed.full_name).map(|id| old.pallet(id)));
        for (at, (name, id)) in listed.boxes.iter().enumerate() {
            let old = before.and_then(|before| {
                let found = before.boxes.binary_search_by(|one| one.name().cmp(name));
                found.ok().map(|found| &before.boxes[found])
            });
            match old {
                Some(old) if old.id == *id => boxes[pallet][at] = Some(old.clone()),
                _ => wanted.push(Wanted { pallet, at, listed, name, id: *id, old }),
            }
        }
    }
    let of = wanted.len();
    progress(Progress::Reading { done: 0, of });
    let done = AtomicUsize::new(0);
    let out = Mutex::new(Vec::with_capacity(of));
    let failure = Mutex::new(None);
    let next = AtomicUsize::new(0);
    let blobs = match files {
        Files::Git(repository, ..) if of > 0 => {
            let blob = |wanted: &Wanted<'_>| match wanted.id {
                FileId::Blob(id) => Some(id),
                _ => None,
            };
            Some(repository.blobs(wanted.iter().filter_map(blob).collect())?)
        }
        _ => None,
    };
    let worker = || {
        const BATCH: usize = 64;
        let mut keys = Keys::default();
        loop {
            let mut read = Vec::with_capacity(BATCH);
            let mut one = |at: usize, content| {
                let wanted: &Wanted<'_> = &wanted[at];
                let path = format!("{}/{}", wanted.listed.path(), wanted.name);
                let file = BoxFile::read(&path, wanted.id, content, wanted.old, &mut keys);
                read.push((wanted.pallet, wanted.at, file));
            };
            match (files, &blobs) {
                (Files::Directory(directory), _) => {
                    let from = next.fetch_add(BATCH, Ordering::Relaxed);
                    for (at, wanted) in wanted.iter().enumerate().skip(from).take(BATCH) {
                        one(at, directory.read(&wanted.listed.real_path(wanted.name)));
                    }
                }
                (_, Some(blobs)) => match blobs.some(BATCH, MOST_BYTES) {
                    Ok(some) => some.into_iter().for_each(|(at, _, content)| one(at, content)),
                    Err(e) => *failure.lock() = Some(e),
                },
                (_, None) => {}
            }
            if read.is_empty() {
                break;
            }
            done.fetch_add(read.len(), Ordering::Relaxed);
            out.lock().append(&mut read);
        }
    };
    if of < 64 {
        worker();
    } else {
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads()).map(|_| scope.spawn(worker)).collect();
            while running.iter().any(|thread| !thread.is_finished()) {
                std::thread::sleep(std::time::Duration::from_millis(2));
                progress(Progress::Reading { done: done.load(Ordering::Relaxed), of });
            }
        });
    }
    if let Some(e) = failure.into_inner() {
        return Err(e);
    }
    for (pallet, at, file) in out.into_inner() {
        boxes[pallet][at] = Some(file);
    }
    Ok(boxes)
}

/// The pallets with their links resolved; those that are as they were stay the same in memory.
fn pallets(
    listing: &Listing,
    boxes: Boxes,
    old: Option<&Snapshot>,
    found: &mut Vec<Finding>,
) -> Vec<Arc<Pallet>> {
    let ids: HashMap<(&str, &str), PalletId> = (0..)
        .map(PalletId)
        .zip(&listing.pallets)
        .map(|(id, listed)| ((&*listed.kind, &*listed.full_name), id))
        .collect();
    let mut out = Vec::with_capacity(listing.pallets.len());
    for (listed, boxes) in listing.pallets.iter().zip(boxes) {
        let path: Arc<str> = listed.path().into();
        let mut links = Vec::with_capacity(listed.links.len());
        for (name, written) in &listed.links {
            let place = Place::whole(format!("{path}/{name}"));
            let target = match target(&path, written) {
                Ok((kind, full_name)) => ids.get(&(&*kind, &*full_name)).copied().ok_or((
                    "dangling-link",
                    format!("the link {name} leads to {written}, which is no pallet"),
                )),
                Err(()) => {
                    Err(("outside-link", format!("the link {name} leads to {written}, out of the warehouse")))
                }
            };
            let target = match target {
                Ok(id) => Some(id),
                Err((code, message)) => {
                    let finding = Finding::error(code, place.clone(), message);
                    found.push(finding.of(&listed.kind, &listed.full_name));
                    None
                }
            };
            links.push(Link { name: name.clone(), target, written: written.clone(), place });
        }
        let parent = listed.full_name.rsplit_once('/').filter(|_| listed.child).map(|(parent, _)| parent);
        let within = parent.and_then(|parent| ids.get(&(&*listed.kind, parent)).copied());
        out.push(Arc::new(Pallet {
            kind: listed.kind.clone(),
            full_name: listed.full_name.clone(),
            path,
            boxes: boxes.into_iter().flatten().collect(),
            links,
            within,
        }));
    }
    let _ = old;
    out
}

/// The kind and full name that a link names, as its words are: no other link is followed. The error is one that leaves the
/// warehouse.
fn target(from: &str, written: &str) -> Result<(String, String), ()> {
    if written.starts_with('/') {
        return Err(());
    }
    let mut at: Vec<&str> = from.split('/').collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                at.pop().ok_or(())?;
            }
            part => at.push(part),
        }
    }
    let (kind, rest) = at.split_first().ok_or(())?;
    Ok(((*kind).to_owned(), rest.join("/")))
}

/// The views of all pallets, parents first.
fn views(
    pallets: &[Arc<Pallet>],
    graph: &Graph,
    transforms: &Transforms,
    old: Option<&Snapshot>,
    progress: &mut dyn FnMut(Progress),
) -> Vec<Arc<View>> {
    let of = pallets.len();
    let mut out: Vec<OnceLock<Arc<View>>> = Vec::new();
    out.resize_with(of, OnceLock::new);
    let _ = old;
    for (done, id) in graph.order().iter().enumerate() {
        if done % 1000 == 0 {
            progress(Progress::Viewing { done, of });
        }
        let view =
            compute(*id, pallets, graph, &transforms.rules, &transforms.names, |id| out[id.at()].get());
        let _ = out[id.at()].set(Arc::new(view));
    }
    progress(Progress::Viewing { done: of, of });
    out.into_iter().filter_map(OnceLock::into_inner).collect()
}
