//! The boxes of all pallets: those that are as they were before, and the others read, by several threads.

use super::boxes::BoxFile;
use super::load::{Progress, threads};
use super::pallet::Pallet;
use crate::tree::{Blobs, Directory, FileId, Listed, Listing, Oid, Repository, Unread};
use crate::yaml::{Keys, MOST_BYTES};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many files a thread takes at once.
const BATCH: usize = 64;

/// Where files are read from.
pub(super) enum Files {
    Directory(Directory),
    /// A commit, and the tree in it.
    Git(Repository, Arc<str>, Oid),
}

impl Files {
    /// Reads one file. The outer error is that git failed.
    pub(super) fn read(&self, path: &str, id: FileId) -> Result<Result<Vec<u8>, Unread>, String> {
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

/// The boxes of each pallet, nothing where they are those that it had.
pub(super) type Boxes = Vec<Option<Vec<Arc<BoxFile>>>>;

/// The boxes of each pallet of a listing, nothing where they are those that it had. `before` says what pallet each was. The error is
/// that git failed.
pub(super) fn boxes<'l>(
    files: &Files,
    listing: &'l Listing,
    before: impl Fn(usize) -> Option<&'l Pallet>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Boxes, String> {
    let mut boxes: Vec<Option<Vec<Option<Arc<BoxFile>>>>> = Vec::with_capacity(listing.pallets.len());
    let mut wanted = Vec::new();
    for (pallet, listed) in listing.pallets.iter().enumerate() {
        let before = before(pallet);
        if before
            .is_some_and(|before| Arc::ptr_eq(&before.listed, listed) || before.listed.boxes == listed.boxes)
        {
            boxes.push(None);
            continue;
        }
        let mut own = Vec::with_capacity(listed.boxes.len());
        for (at, (name, id)) in listed.boxes.iter().enumerate() {
            let old = before.and_then(|before| {
                let found = before.boxes.binary_search_by(|one| one.name().cmp(name));
                found.ok().map(|found| &before.boxes[found])
            });
            let same = old.filter(|old| old.id == *id).cloned();
            if same.is_none() {
                wanted.push(Wanted { pallet, at, listed, name, id: *id, old });
            }
            own.push(same);
        }
        boxes.push(Some(own));
    }
    for (pallet, at, file) in read(files, &wanted, progress)? {
        if let Some(own) = &mut boxes[pallet] {
            own[at] = Some(file);
        }
    }
    Ok(boxes.into_iter().map(|own| Some(own?.into_iter().flatten().collect())).collect())
}

/// A box with its pallet and its position there.
type Found = (usize, usize, Arc<BoxFile>);

fn read(
    files: &Files,
    wanted: &[Wanted<'_>],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Found>, String> {
    let of = wanted.len();
    progress(Progress::Reading { done: 0, of });
    if of == 0 {
        return Ok(Vec::new());
    }
    let blob = |wanted: &Wanted<'_>| match wanted.id {
        FileId::Blob(id) => Some(id),
        _ => None,
    };
    let blobs = match files {
        Files::Git(repository, ..) => Some(repository.blobs(wanted.iter().filter_map(blob).collect())?),
        Files::Directory(_) => None,
    };
    let work = Work { files, wanted, blobs, next: AtomicUsize::new(0), done: AtomicUsize::new(0) };
    let others = if of < 2 * BATCH { 0 } else { threads() - 1 };
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(|| work.run(|_| {}))).collect();
        let mut all = work.run(|done| progress(Progress::Reading { done, of }))?;
        for other in others {
            all.append(&mut other.join().map_err(|_| "a thread that reads has failed")??);
        }
        Ok(all)
    })
}

struct Work<'w> {
    files: &'w Files,
    wanted: &'w [Wanted<'w>],
    blobs: Option<Blobs>,
    next: AtomicUsize,
    done: AtomicUsize,
}

impl Work<'_> {
    /// Takes batches until there are none; tells after each how many files have been read by all.
    fn run(&self, mut told: impl FnMut(usize)) -> Result<Vec<Found>, String> {
        let mut keys = Keys::default();
        let mut out = Vec::new();
        loop {
            let before = out.len();
            let mut one = |at: usize, content| {
                let wanted = &self.wanted[at];
                let path = format!("{}/{}", wanted.listed.path(), wanted.name);
                let file = BoxFile::read(&path, wanted.id, content, wanted.old, &mut keys);
                out.push((wanted.pallet, wanted.at, file));
            };
            match (self.files, &self.blobs) {
                (Files::Directory(directory), _) => {
                    let from = self.next.fetch_add(BATCH, Ordering::Relaxed);
                    for (at, wanted) in self.wanted.iter().enumerate().skip(from).take(BATCH) {
                        one(at, directory.read(&wanted.listed.real_path(wanted.name)));
                    }
                }
                (_, Some(blobs)) => {
                    blobs.some(BATCH, MOST_BYTES)?.into_iter().for_each(|(at, _, content)| one(at, content));
                }
                (_, None) => {}
            }
            let read = out.len() - before;
            if read == 0 {
                return Ok(out);
            }
            told(self.done.fetch_add(read, Ordering::Relaxed) + read);
        }
    }
}
