//! Events whose reactions have not begun yet, on disk: a master that is killed finds them again.
//!
//! Files of events, each with a file of marks beside it. An event is appended and handed to the system at once, and a short mark
//! when its reactions begin and when they are under way; a file whose events all are goes. So a killed program forgets nothing;
//! a power cut may lose the last seconds. What comes back after a kill is at least what was not under way: what had begun begins
//! again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use brine_store::fs::Dir;
use parking_lot::Mutex;

/// A file of events is closed when it is so large.
const FULL: u64 = 16 << 20;
/// One whose events are done is kept for more up to this size.
const REUSED: u64 = 256 << 10;
/// Length and checksum before each event.
const HEAD: usize = 8;
/// What is marked, and where the event is.
const MARK: usize = 9;
const BEGUN: u8 = 1;
const DONE: u8 = 2;
const SURVIVED: u8 = 3;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Events.
    pub events: usize,
    /// Bytes of files.
    pub bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { events: 250_000, bytes: 1 << 30 }
    }
}

/// Why an event is not kept.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The bounds are reached.
    #[error("{events} events wait, {bytes} bytes")]
    Full {
        /// How many wait.
        events: usize,
        /// What their files take.
        bytes: u64,
    },
    /// As the system has it.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Where an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    file: u64,
    at: u64,
    len: u32,
}

/// An event found at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub place: Place,
    /// How often its reactions have begun and the program ended while they did.
    pub begun: u32,
}

/// The files.
#[derive(Debug)]
pub struct Journal {
    dir: Dir,
    bounds: Bounds,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<u64, Pair>,
    events: usize,
    bytes: u64,
}

/// A file of events and its marks.
#[derive(Debug)]
struct Pair {
    write: File,
    read: Arc<File>,
    marks: File,
    size: u64,
    waiting: usize,
}

fn events_name(n: u64) -> String {
    format!("events.{n}")
}

fn marks_name(n: u64) -> String {
    format!("marks.{n}")
}

impl Journal {
    /// The journal in a directory, which is made, and what waits in it, the oldest first.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn open(dir: Dir, bounds: Bounds) -> io::Result<(Self, Vec<Found>)> {
        dir.ensure_exactly(0o700)?;
        let mut numbers: Vec<u64> =
            dir.names()?.iter().filter_map(|name| name.strip_prefix("events.")?.parse().ok()).collect();
        numbers.sort_unstable();
        let (mut inner, mut found) = (Inner::default(), Vec::new());
        for n in numbers {
            let waiting = waiting_in(&dir, n)?;
            if waiting.is_empty() {
                dir.remove(&events_name(n))?;
                dir.remove(&marks_name(n))?;
                continue;
            }
            let mut pair = Pair::open(&dir, n)?;
            pair.waiting = waiting.len();
            inner.events += waiting.len();
            inner.bytes += pair.size;
            inner.files.insert(n, pair);
            found.extend(waiting);
        }
        Ok((Self { dir, bounds, inner: Mutex::new(inner) }, found))
    }

    /// Keeps an event.
    ///
    /// # Errors
    /// When too many wait, or it cannot be written.
    pub fn keep(&self, body: &[u8]) -> Result<Place, Lost> {
        let mut inner = self.inner.lock();
        let len = u32::try_from(body.len()).map_err(|_| io::Error::other("an event of more than 4 GiB"))?;
        let more = (HEAD + body.len()) as u64;
        if inner.events >= self.bounds.events || inner.bytes + more > self.bounds.bytes {
            return Err(Lost::Full { events: inner.events, bytes: inner.bytes });
        }
        let last = inner.files.last_key_value().map(|(n, pair)| (*n, pair.size));
        let n = match last {
            Some((n, size)) if size < FULL => n,
            _ => {
                let n = last.map_or(0, |(n, _)| n + 1);
                self.dir.write(&events_name(n), b"", 0o600)?;
                self.dir.write(&marks_name(n), b"", 0o600)?;
                inner.files.insert(n, Pair::open(&self.dir, n)?);
                n
            }
        };
        let Some(pair) = inner.files.get_mut(&n) else { return Err(io::Error::other("no file").into()) };
        let mut record = Vec::with_capacity(HEAD + body.len());
        record.extend_from_slice(&len.to_le_bytes());
        record.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
        record.extend_from_slice(body);
        if let Err(e) = pair.write.write_all(&record) {
            // The disk may be full: what stands there of the event must not stand before the next one.
            pair.write.set_len(pair.size)?;
            return Err(e.into());
        }
        let place = Place { file: n, at: pair.size, len };
        pair.size += more;
        pair.waiting += 1;
        inner.bytes += more;
        inner.events += 1;
        Ok(place)
    }

    /// An event that waits.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, place: Place) -> io::Result<Vec<u8>> {
        let file = {
            let inner = self.inner.lock();
            let pair = inner.files.get(&place.file).ok_or(io::ErrorKind::NotFound)?;
            pair.read.clone()
        };
        let mut body = vec![0; place.len as usize];
        file.read_exact_at(&mut body, place.at + HEAD as u64)?;
        Ok(body)
    }

    /// Notes that the reactions to an event begin.
    pub fn begin(&self, place: Place) {
        self.mark(&mut self.inner.lock(), place, BEGUN);
    }

    /// Notes that the program goes on, though not all of them are under way.
    pub fn survived(&self, place: Place) {
        self.mark(&mut self.inner.lock(), place, SURVIVED);
    }

    /// Notes that they are under way; the event is forgotten.
    pub fn done(&self, place: Place) {
        let mut inner = self.inner.lock();
        self.mark(&mut inner, place, DONE);
        let last = inner.files.last_key_value().map(|(n, _)| *n);
        let Some(pair) = inner.files.get_mut(&place.file) else { return };
        pair.waiting = pair.waiting.saturating_sub(1);
        let size = pair.size;
        let gone = pair.waiting == 0 && (size > REUSED || last != Some(place.file));
        inner.events = inner.events.saturating_sub(1);
        if !gone {
            return;
        }
        inner.bytes = inner.bytes.saturating_sub(size);
        inner.files.remove(&place.file);
        for name in [events_name(place.file), marks_name(place.file)] {
            if let Err(e) = self.dir.remove(&name) {
                tracing::error!("{}/{name}: {e}", self.dir.path().display());
            }
        }
    }

    fn mark(&self, inner: &mut Inner, place: Place, what: u8) {
        let Some(pair) = inner.files.get_mut(&place.file) else { return };
        let mut mark = [what; MARK];
        mark[1..].copy_from_slice(&place.at.to_le_bytes());
        if let Err(e) = pair.marks.write_all(&mark) {
            let name = marks_name(place.file);
            tracing::error!("{}/{name}: {e}; reactions may come once more", self.dir.path().display());
        }
    }

    /// How many events wait.
    pub fn waiting(&self) -> usize {
        self.inner.lock().events
    }
}

impl Pair {
    fn open(dir: &Dir, n: u64) -> io::Result<Self> {
        let (events, marks) = (events_name(n), marks_name(n));
        if !dir.has(&marks) {
            dir.write(&marks, b"", 0o600)?;
        }
        let write = dir.append(&events)?;
        let size = write.metadata()?.len();
        Ok(Self { write, read: Arc::new(dir.open(&events)?), marks: dir.append(&marks)?, size, waiting: 0 })
    }
}

/// The events of a file that are not done. What was torn at its end is cut off.
fn waiting_in(dir: &Dir, n: u64) -> io::Result<Vec<Found>> {
    let most = FULL + u64::from(u32::MAX);
    let bytes = dir.read(&events_name(n), most)?.unwrap_or_default();
    let marks = dir.read(&marks_name(n), most)?.unwrap_or_default();
    let mut marked: BTreeMap<u64, (u32, bool)> = BTreeMap::new();
    for mark in marks.chunks_exact(MARK) {
        let Some((what, at)) = mark.split_first() else { continue };
        let Ok(at) = at.try_into().map(u64::from_le_bytes) else { continue };
        let (begun, done) = marked.entry(at).or_default();
        match *what {
            DONE => *done = true,
            SURVIVED => *begun = 0,
            _ => *begun += 1,
        }
    }
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some((len, end)) = record_at(&bytes, at) {
        let (begun, done) = marked.get(&(at as u64)).copied().unwrap_or_default();
        if !done {
            found.push(Found { place: Place { file: n, at: at as u64, len }, begun });
        }
        at = end;
    }
    if at < bytes.len() {
        tracing::warn!(
            "{}/{}: {} bytes at its end are no event",
            dir.path().display(),
            events_name(n),
            bytes.len() - at
        );
        dir.append(&events_name(n))?.set_len(at as u64)?;
    }
    if marks.len() % MARK != 0 {
        dir.append(&marks_name(n))?.set_len((marks.len() - marks.len() % MARK) as u64)?;
    }
    Ok(found)
}

/// The length of the event that begins there, and where the next one does.
fn record_at(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let rest = bytes.get(at..)?;
    let len = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?);
    let sum = u32::from_le_bytes(rest.get(4..HEAD)?.try_into().ok()?);
    let body = rest.get(HEAD..HEAD + len as usize)?;
    (crc32fast::hash(body) == sum).then_some((len, at + HEAD + len as usize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_testing::Random;
    use std::collections::BTreeMap as Model;

    fn open(dir: &std::path::Path) -> (Journal, Vec<Found>) {
        Journal::open(Dir::at(dir), Bounds::default()).unwrap()
    }

    #[test]
    fn it_is_what_a_list_in_memory_would_be_over_any_number_of_kills() {
        let seed = brine_testing::number("BRINE_SEED", 8);
        for case in 0..brine_testing::number("BRINE_CASES", 12) {
            let mut random = Random::new(seed * 1000 + case);
            let tmp = tempfile::tempdir().unwrap();
            let (mut journal, found) = open(tmp.path());
            assert!(found.is_empty());
            let mut model: Model<Place, (Vec<u8>, u32)> = Model::new();
            for step in 0..200_u32 {
                let any = (!model.is_empty()).then(|| *model.keys().nth(random.below(model.len())).unwrap());
                match (random.below(10), any) {
                    (0..5, _) => {
                        let mut body = vec![0_u8; random.below(200_000)];
                        body.extend_from_slice(&step.to_le_bytes());
                        let place = journal.keep(&body).unwrap();
                        assert!(model.keys().all(|old| *old < place));
                        model.insert(place, (body, 0));
                    }
                    (5, Some(place)) => {
                        journal.begin(place);
                        model.get_mut(&place).unwrap().1 += 1;
                    }
                    (6, Some(place)) if random.once_in(2) => {
                        journal.survived(place);
                        model.get_mut(&place).unwrap().1 = 0;
                    }
                    (6..9, Some(place)) => {
                        journal.done(place);
                        model.remove(&place);
                    }
                    (9, _) => {
                        drop(journal);
                        let found;
                        (journal, found) = open(tmp.path());
                        let want: Vec<Found> = model
                            .iter()
                            .map(|(place, (_, begun))| Found { place: *place, begun: *begun })
                            .collect();
                        assert_eq!(found, want, "seed {seed} case {case} step {step}");
                    }
                    _ => {}
                }
                assert_eq!(journal.waiting(), model.len());
                if let Some((place, (body, _))) = model.first_key_value() {
                    assert_eq!(&journal.read(*place).unwrap(), body);
                }
            }
        }
    }

    #[test]
    fn what_is_done_leaves_nothing_behind() {
        let tmp = tempfile::tempdir().unwrap();
        let (journal, _) = open(tmp.path());
        let places: Vec<Place> = (0..40).map(|_| journal.keep(&vec![7; 1 << 20]).unwrap()).collect();
        let files = || std::fs::read_dir(tmp.path()).unwrap().count();
        assert_eq!(files(), 6);
        places.iter().rev().for_each(|place| journal.done(*place));
        assert_eq!((files(), journal.inner.lock().bytes), (0, 0));
    }

    #[test]
    fn what_was_torn_is_cut_off_and_the_rest_is_there() {
        let tmp = tempfile::tempdir().unwrap();
        let (journal, _) = open(tmp.path());
        let first = journal.keep(b"one").unwrap();
        journal.keep(b"two").unwrap();
        drop(journal);
        let path = tmp.path().join("events.0");
        let whole = std::fs::metadata(&path).unwrap().len();
        File::options().write(true).open(&path).unwrap().set_len(whole - 1).unwrap();
        std::fs::write(tmp.path().join("marks.0"), [BEGUN]).unwrap();
        let (journal, found) = open(tmp.path());
        assert_eq!(found, [Found { place: first, begun: 0 }]);
        let third = journal.keep(b"three").unwrap();
        journal.begin(third);
        drop(journal);
        let (journal, found) = open(tmp.path());
        assert_eq!(found, [Found { place: first, begun: 0 }, Found { place: third, begun: 1 }]);
        assert_eq!(journal.read(third).unwrap(), b"three");
    }

    #[test]
    fn no_more_is_kept_than_the_bounds_say() {
        let tmp = tempfile::tempdir().unwrap();
        let bounds = Bounds { events: 3, bytes: 100 };
        let (journal, _) = Journal::open(Dir::at(tmp.path()), bounds).unwrap();
        let first = journal.keep(&[1; 20]).unwrap();
        journal.keep(&[1; 20]).unwrap();
        assert!(matches!(journal.keep(&[1; 50]), Err(Lost::Full { events: 2, bytes: 56 })));
        journal.keep(&[1; 5]).unwrap();
        assert!(matches!(journal.keep(b""), Err(Lost::Full { events: 3, .. })));
        journal.done(first);
        journal.keep(b"").unwrap();
    }
}
