//! A warehouse in memory: the edition that is in force, shared by all who ask in this process.
//!
//! An edition is immutable; a newer one is made beside it and put in its place when it is whole and sound. One with errors never
//! comes into force: the last good one stays, also over a restart where it has a revision. Who watches the repository, and
//! whom a change concerns, is not decided here.

use super::conf::Place;
use brine_core::Opts;
use brine_inventory::{Finding, LoadError, Node, Origin, PalletId, Snapshot, salt};
use brine_protocol::crypt::fingerprint::hex;
use brine_store::fs::Dir;
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How many warehouses a process keeps: a configuration names a few.
const MOST: usize = 64;
/// How many errors of a refused edition are told.
const TOLD: usize = 50;
/// A folder that nobody watches is looked at anew for this part of the time at most.
const SHARE: u32 = 10;

/// What is in force of a warehouse.
pub struct Edition {
    snapshot: Snapshot,
    /// Differs between any two editions that this process made.
    serial: u64,
    systems: Mutex<HashMap<String, Arc<HashMap<String, PalletId>>>>,
    global: OnceLock<Node>,
}

impl std::fmt::Debug for Edition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edition").field("revision", &self.revision()).field("serial", &self.serial).finish()
    }
}

impl Edition {
    fn new(snapshot: Snapshot) -> Arc<Self> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { snapshot, serial, systems: Mutex::default(), global: OnceLock::new() })
    }

    /// The warehouse itself.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The commit; none where files are read as they lie there.
    pub fn revision(&self) -> Option<&str> {
        self.snapshot.revision()
    }

    /// What everybody gets.
    pub(super) fn global(&self) -> &Node {
        self.global.get_or_init(|| salt::global(&self.snapshot))
    }

    /// The system whose key has this text. Of two, the later one by name, as files written one after the other have it.
    pub(super) fn system(&self, key: &str, id: &str) -> Option<PalletId> {
        let known = self.systems.lock().get(key).cloned();
        let systems = known.unwrap_or_else(|| {
            let all = self.snapshot.of_kind(salt::SYSTEM).iter();
            let named = all
                .filter_map(|&system| Some((self.snapshot.view(system).get(key)?.str()?.to_owned(), system)));
            let made: Arc<HashMap<String, PalletId>> = Arc::new(named.collect());
            self.systems.lock().insert(key.to_owned(), made.clone());
            made
        });
        systems.get(id).copied()
    }

    /// What tells this edition from every other, in this process and, where it has a revision, in all.
    pub(super) fn mark(&self) -> String {
        match self.revision() {
            Some(revision) => revision.to_owned(),
            None => format!("{}.{}", std::process::id(), self.serial),
        }
    }
}

/// Why an edition did not come into force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {}", .place.warehouse.display(), .revision.as_ref().map(|r| format!(" at {r}")).unwrap_or_default(), .why.join("; "))]
pub struct Refusal {
    /// Of which warehouse.
    pub place: Place,
    /// The commit that is refused.
    pub revision: Option<String>,
    /// Its errors, with file and line; the last one may say how many more there are.
    pub why: Vec<String>,
}

/// What looking for a newer edition came to.
#[derive(Debug, Default)]
pub struct Refreshed {
    /// The new edition in force, and the one before.
    pub changed: Option<(Option<Arc<Edition>>, Arc<Edition>)>,
    /// What was refused, if that was not said before.
    pub refused: Option<Refusal>,
}

/// A warehouse.
#[derive(Debug)]
pub struct Warehouse {
    place: Place,
    memory: Memory,
    force: RwLock<Option<Arc<Edition>>>,
    work: Mutex<Work>,
    watched: AtomicBool,
}

#[derive(Debug, Default)]
struct Work {
    refused: Option<Refusal>,
    /// When a folder was read last, and how long that took.
    looked: Option<(Instant, Duration)>,
}

impl Warehouse {
    /// The warehouse at a place, the same for everybody in this process who has this `cachedir`.
    pub fn at(place: &Place, opts: &Opts) -> Arc<Self> {
        type All = HashMap<(Place, PathBuf), Arc<Warehouse>>;
        static ALL: OnceLock<Mutex<All>> = OnceLock::new();
        let mut all = ALL.get_or_init(Mutex::default).lock();
        let key = (place.clone(), opts.path("cachedir"));
        if let Some(known) = all.get(&key) {
            return known.clone();
        }
        let new = Arc::new(Self {
            place: place.clone(),
            memory: Memory::of(place, opts),
            force: RwLock::default(),
            work: Mutex::default(),
            watched: AtomicBool::new(false),
        });
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(key, new.clone());
        new
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// From now on somebody calls [`Warehouse::refresh`] when something changes, so that nobody who asks has to look; or no more.
    pub fn watch(&self, watched: bool) {
        self.watched.store(watched, Ordering::Release);
    }

    /// The edition in force.
    ///
    /// # Errors
    /// There is no sound one, and never was one that can be found again.
    pub fn edition(&self) -> Result<Arc<Edition>, Refusal> {
        let known = self.force.read().clone();
        if let Some(known) = known.filter(|_| self.watched.load(Ordering::Acquire) || self.is_fresh()) {
            return Ok(known);
        }
        let told = self.refresh();
        if let Some(refused) = told.refused {
            tracing::error!("the inventory is refused: {refused}");
        }
        let known = self.force.read().clone();
        known.ok_or_else(|| {
            let nothing =
                Refusal { place: self.place.clone(), revision: None, why: vec!["it was never read".into()] };
            self.work.lock().refused.clone().unwrap_or(nothing)
        })
    }

    /// Whether a folder was read so lately that reading it again would take up too much of the time.
    fn is_fresh(&self) -> bool {
        let looked = self.work.lock().looked;
        looked.is_some_and(|(at, took)| at.elapsed() < took * SHARE)
    }

    /// Looks for a newer edition, and puts it in force if it is sound. What is in force meanwhile stays.
    pub fn refresh(&self) -> Refreshed {
        let mut work = self.work.lock();
        let old = self.force.read().clone();
        let origin = self.place.origin(self.place.reference.as_deref());
        // Who is called at each change need not look before reading; but what is refused is not read again and again.
        let look = !self.watched.load(Ordering::Acquire) || work.refused.is_some();
        let revision = if look { origin.revision().ok().flatten() } else { None };
        if revision.is_some() && work.refused.as_ref().is_some_and(|refused| refused.revision == revision) {
            return Refreshed::default();
        }
        if revision.is_some() && old.as_ref().is_some_and(|old| old.revision() == revision.as_deref()) {
            work.refused = None;
            return Refreshed::default();
        }
        let began = Instant::now();
        let loaded = load(&origin, old.as_deref());
        if self.place.reference.is_none() {
            work.looked = Some((Instant::now(), began.elapsed()));
        }
        let refusal = match loaded {
            Ok(None) => {
                work.refused = None;
                return Refreshed::default();
            }
            Ok(Some(snapshot)) if snapshot.is_sound() => {
                work.refused = None;
                return Refreshed { changed: Some((old, self.enforce(snapshot))), refused: None };
            }
            Ok(Some(snapshot)) => self.refusal(snapshot.revision(), errors(&snapshot)),
            Err(e) => self.refusal(None, vec![e.to_string()]),
        };
        let refused = (work.refused.as_ref() != Some(&refusal)).then(|| refusal.clone());
        work.refused = Some(refusal);
        let earlier =
            if old.is_none() { self.memory.good().and_then(|good| self.sound_at(&good)) } else { None };
        Refreshed { changed: earlier.map(|snapshot| (None, self.enforce(snapshot))), refused }
    }

    /// The edition of another revision, if it can be had and is sound.
    pub fn edition_at(&self, revision: &str) -> Option<Arc<Edition>> {
        self.sound_at(revision).map(Edition::new)
    }

    /// The revision up to which minions were told of changes.
    pub fn told(&self) -> Option<String> {
        self.memory.read("told")
    }

    /// Minions were told of all changes up to this revision.
    pub fn set_told(&self, revision: &str) {
        self.memory.write("told", revision);
    }

    fn enforce(&self, snapshot: Snapshot) -> Arc<Edition> {
        if let Some(revision) = snapshot.revision() {
            self.memory.write("good", revision);
        }
        let edition = Edition::new(snapshot);
        *self.force.write() = Some(edition.clone());
        edition
    }

    /// What was sound once is so for ever.
    fn sound_at(&self, revision: &str) -> Option<Snapshot> {
        let loaded = Snapshot::load(&self.place.origin(Some(revision)), &mut |_| ());
        loaded.ok().filter(Snapshot::is_sound)
    }

    fn refusal(&self, revision: Option<&str>, why: Vec<String>) -> Refusal {
        Refusal { place: self.place.clone(), revision: revision.map(str::to_owned), why }
    }
}

/// Reads a warehouse, if it is not as it was.
fn load(origin: &Origin, old: Option<&Edition>) -> Result<Option<Snapshot>, LoadError> {
    let Some(old) = old else { return Snapshot::load(origin, &mut |_| ()).map(Some) };
    let new = old.snapshot.reload(origin, &mut |_| ())?;
    let same = |id: PalletId| {
        let (before, after) = (old.snapshot.pallet(id), new.pallet(id));
        before.kind() == after.kind()
            && before.full_name() == after.full_name()
            && (old.snapshot.shares_view(id, &new, id) || old.snapshot.view(id) == new.view(id))
    };
    let unchanged = new.revision() == old.revision()
        && new.is_sound()
        && new.pallets().count() == old.snapshot.pallets().count()
        && new.pallets().all(same);
    Ok((!unchanged).then_some(new))
}

/// The errors of a snapshot.
fn errors(snapshot: &Snapshot) -> Vec<String> {
    let all = snapshot.errors();
    let mut lines: Vec<String> = all.clone().take(TOLD).map(Finding::to_string).collect();
    let more = all.count() - lines.len();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// What is remembered of a warehouse over a restart: revisions, in one file each below `cachedir/inventory`.
#[derive(Debug)]
struct Memory {
    dir: Dir,
    name: String,
}

impl Memory {
    fn of(place: &Place, opts: &Opts) -> Self {
        let mut digest = Sha256::new();
        let warehouse = place.warehouse.as_os_str().as_bytes();
        let reference = place.reference.as_deref().unwrap_or_default().as_bytes();
        let below = place.below.as_ref().map_or("", |below| below.as_str()).as_bytes();
        for part in [warehouse, reference, below] {
            digest.update(part);
            digest.update([0]);
        }
        let name = hex(&digest.finalize());
        Self { dir: Dir::at(opts.path("cachedir").join("inventory")), name }
    }

    /// The last revision that was sound.
    fn good(&self) -> Option<String> {
        self.read("good")
    }

    fn read(&self, what: &str) -> Option<String> {
        let bytes = self.dir.read(&format!("{}.{what}", self.name), 128).ok()??;
        let text = String::from_utf8(bytes).ok()?;
        let revision = text.trim();
        let whole = matches!(revision.len(), 40 | 64) && revision.bytes().all(|b| b.is_ascii_hexdigit());
        whole.then(|| revision.to_owned())
    }

    fn write(&self, what: &str, revision: &str) {
        if self.read(what).as_deref() == Some(revision) {
            return;
        }
        let name = format!("{}.{what}", self.name);
        let done = self
            .dir
            .ensure(0o700)
            .and_then(|()| self.dir.write(&name, format!("{revision}\n").as_bytes(), 0o600));
        if let Err(e) = done {
            tracing::warn!("cannot note which revision of the inventory is good: {e}");
        }
    }
}
