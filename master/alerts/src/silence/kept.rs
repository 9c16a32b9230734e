//! All silences of a master, as files and in memory; whoever serves sets and ends them here.
//!
//! Not here: what becomes of alerts. Whoever made [`Silences`] is told of each change.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brine_store::fs::Dir;
use parking_lot::Mutex;

use super::{Kind, Silence, SilenceChange, SilenceId, file};

/// Silences that may stand or wait at once.
const MOST: usize = 10_000;
/// Silences that are over and kept for reports.
const MOST_OVER: usize = 5_000;
/// Matchers of one.
const MOST_MATCHERS: usize = 100;

/// Why a silence is not set or ended.
#[derive(Debug, thiserror::Error)]
pub enum SilenceError {
    /// It would end before it starts, or it is over.
    #[error("a silence ends after now, and after it starts")]
    Over,
    /// It would last too long.
    #[error("a silence of the kind {kind} lasts at most {most} s, not {asked} s")]
    Long {
        /// Its kind.
        kind: &'static str,
        /// Seconds that are allowed.
        most: u64,
        /// Seconds that were asked for.
        asked: u64,
    },
    /// It has no matchers though it is not of everything, or some though it is.
    #[error("a silence has matchers, unless its kind is all: then it has none")]
    Matchers,
    /// There are too many.
    #[error("there are {0} silences already, or more than 100 matchers in one")]
    Many(usize),
    /// There is none.
    #[error("there is no silence {0}")]
    Unknown(SilenceId),
    /// Its file cannot be written or read.
    #[error("{path}: {source}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// How long silences may last, and how long they are kept when they are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// One with matchers.
    pub longest: Duration,
    /// One of everything.
    pub longest_all: Duration,
    /// For reports.
    pub keep: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        const HOUR: u64 = 3600;
        Self {
            longest: Duration::from_secs(14 * 24 * HOUR),
            longest_all: Duration::from_secs(4 * HOUR),
            keep: Duration::from_secs(30 * 24 * HOUR),
        }
    }
}

type Told = Arc<dyn Fn(&SilenceChange) + Send + Sync>;

/// All silences. Cheap to clone.
#[derive(Clone)]
pub struct Silences {
    dir: Dir,
    terms: Terms,
    kept: Arc<Mutex<BTreeMap<SilenceId, Silence>>>,
    told: Told,
}

impl fmt::Debug for Silences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Silences").field("dir", &self.dir.path()).finish_non_exhaustive()
    }
}

impl Silences {
    /// Those of a directory. `told` hears of each change after it is on disk, on the thread that makes it; it must not set or end
    /// silences itself.
    ///
    /// # Errors
    /// When the directory cannot be made or listed.
    pub fn open(
        dir: Dir,
        terms: Terms,
        told: impl Fn(&SilenceChange) + Send + Sync + 'static,
    ) -> Result<Self, SilenceError> {
        let failed = |source| SilenceError::Io { path: dir.path().to_owned(), source };
        dir.ensure(0o700).map_err(failed)?;
        let all = file::read_all(&dir).map_err(failed)?;
        let kept = all.into_iter().map(|silence| (silence.id.clone(), silence)).collect();
        Ok(Self { dir, terms, kept: Arc::new(Mutex::new(kept)), told: Arc::new(told) })
    }

    /// Sets a silence, or changes the one of its id. It is on disk and in force when this returns.
    ///
    /// # Errors
    /// When it is not allowed or cannot be written; nothing has changed then.
    pub fn set(&self, silence: Silence) -> Result<(), SilenceError> {
        check(&silence, &self.terms, SystemTime::now())?;
        {
            let mut kept = self.kept.lock();
            if !kept.contains_key(&silence.id) {
                let now = SystemTime::now();
                let standing = kept.values().filter(|s| !s.is_over(now)).count();
                if standing >= MOST {
                    return Err(SilenceError::Many(standing));
                }
            }
            file::write(&self.dir, &silence).map_err(|e| self.failed(e))?;
            kept.insert(silence.id.clone(), silence.clone());
        }
        (self.told)(&SilenceChange::Set(silence));
        Ok(())
    }

    /// Ends a silence now. One that is over already stays as it is.
    ///
    /// # Errors
    /// When there is none of the id, or its file cannot be written.
    pub fn expire(&self, id: &SilenceId) -> Result<(), SilenceError> {
        {
            let mut kept = self.kept.lock();
            let now = crate::clock::now();
            let silence = kept.get_mut(id).ok_or_else(|| SilenceError::Unknown(id.clone()))?;
            if silence.is_over(now) {
                return Ok(());
            }
            let mut ended = silence.clone();
            ended.end(now);
            file::write(&self.dir, &ended).map_err(|e| self.failed(e))?;
            *silence = ended;
        }
        (self.told)(&SilenceChange::Expired(id.clone()));
        Ok(())
    }

    /// Takes in what another program has written under this id, as [`Silences::set`] and [`Silences::expire`] would have.
    ///
    /// # Errors
    /// When it is not allowed, is not there, or cannot be read.
    pub fn look(&self, id: &SilenceId) -> Result<(), SilenceError> {
        let read = file::read(&self.dir, id).map_err(|e| self.failed(e))?;
        let silence = read.ok_or_else(|| SilenceError::Unknown(id.clone()))?;
        let now = SystemTime::now();
        let change = if silence.is_over(now) {
            SilenceChange::Expired(id.clone())
        } else {
            check(&silence, &self.terms, now)?;
            SilenceChange::Set(silence.clone())
        };
        if self.kept.lock().insert(id.clone(), silence.clone()) != Some(silence) {
            (self.told)(&change);
        }
        Ok(())
    }

    /// All that are kept, those that are over too, by their start.
    pub fn list(&self) -> Vec<Silence> {
        let mut all: Vec<Silence> = self.kept.lock().values().cloned().collect();
        all.sort_by(|a, b| (a.starts_at, &a.id).cmp(&(b.starts_at, &b.id)));
        all
    }

    /// One that is kept.
    pub fn get(&self, id: &SilenceId) -> Option<Silence> {
        self.kept.lock().get(id).cloned()
    }

    /// Whether one is kept.
    pub fn has(&self, id: &SilenceId) -> bool {
        self.kept.lock().contains_key(id)
    }

    /// Those that stand at this time.
    pub fn standing(&self, now: SystemTime) -> Vec<Silence> {
        self.kept.lock().values().filter(|silence| silence.stands(now)).cloned().collect()
    }

    /// When the next one starts or ends after this time.
    pub fn next_change(&self, now: SystemTime) -> Option<SystemTime> {
        let kept = self.kept.lock();
        kept.values().flat_map(|s| [s.starts_at, s.ends_at]).filter(|at| *at > now).min()
    }

    /// Removes what has been over for long.
    pub fn tidy(&self, now: SystemTime) {
        let mut kept = self.kept.lock();
        let mut over: Vec<(SystemTime, SilenceId)> =
            kept.values().filter(|s| s.is_over(now)).map(|s| (s.ends_at, s.id.clone())).collect();
        over.sort();
        let many = over.len().saturating_sub(MOST_OVER);
        for (n, (ended, id)) in over.into_iter().enumerate() {
            if n < many || now.duration_since(ended).is_ok_and(|age| age > self.terms.keep) {
                match file::remove(&self.dir, &id) {
                    Ok(_) => drop(kept.remove(&id)),
                    Err(e) => tracing::error!("silence {id}: {e}"),
                }
            }
        }
    }

    fn failed(&self, source: io::Error) -> SilenceError {
        SilenceError::Io { path: self.dir.path().to_owned(), source }
    }
}

/// Whether a silence may be set.
///
/// # Errors
/// Why not.
pub fn check(silence: &Silence, terms: &Terms, now: SystemTime) -> Result<(), SilenceError> {
    if silence.is_over(now) || silence.ends_at <= silence.starts_at {
        return Err(SilenceError::Over);
    }
    if (silence.kind == Kind::All) != silence.matchers.is_empty() {
        return Err(SilenceError::Matchers);
    }
    if silence.matchers.len() > MOST_MATCHERS {
        return Err(SilenceError::Many(silence.matchers.len()));
    }
    // What says that it means little and means everything is bound as what says so.
    let most = if silence.is_of_everything() { terms.longest_all } else { terms.longest };
    let from = silence.starts_at.max(now);
    let asked = silence.ends_at.duration_since(from).unwrap_or_default();
    if asked > most {
        let (most, asked) = (most.as_secs(), asked.as_secs());
        return Err(SilenceError::Long { kind: silence.kind.text(), most, asked });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matcher;

    fn silence(kind: Kind, matchers: &[&str], seconds: u64) -> Silence {
        let matchers = matchers.iter().map(|m| Matcher::parse(m).unwrap()).collect();
        Silence::new(kind, matchers, Duration::from_secs(seconds), "ann").unwrap()
    }

    #[test]
    fn what_is_set_stands_and_outlives_a_restart() {
        let tmp = tempfile::tempdir().unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let open = || {
            let told = told.clone();
            let hear = move |change: &SilenceChange| told.lock().push(change.clone());
            Silences::open(Dir::at(tmp.path().join("s")), Terms::default(), hear).unwrap()
        };
        let one = silence(Kind::Place, &["site=akl"], 60);
        let silences = open();
        silences.set(one.clone()).unwrap();
        // Longer now: the same silence.
        let longer = Silence { ends_at: one.ends_at + Duration::from_secs(60), ..one.clone() };
        silences.set(longer).unwrap();
        let again = open();
        assert_eq!(again.list().len(), 1);
        assert_eq!(again.standing(one.ends_at).len(), 1);
        again.expire(&one.id).unwrap();
        again.expire(&one.id).unwrap();
        assert!(again.standing(SystemTime::now()).is_empty());
        // The first one learns it from the file.
        silences.look(&one.id).unwrap();
        silences.look(&one.id).unwrap();
        assert!(silences.standing(SystemTime::now()).is_empty());
        let changes: Vec<bool> =
            told.lock().iter().map(|change| matches!(change, SilenceChange::Set(_))).collect();
        assert_eq!(changes, [true, true, false, false]);
        let none = SilenceId::parse("none").unwrap();
        assert!(matches!(again.expire(&none), Err(SilenceError::Unknown(_))));
        assert!(matches!(again.look(&none), Err(SilenceError::Unknown(_))));
        again.tidy(SystemTime::now() + Duration::from_secs(31 * 86400));
        assert!(again.list().is_empty() && open().list().is_empty());
    }

    #[test]
    fn no_silence_is_without_end_and_one_of_everything_is_short() {
        let terms = Terms::default();
        let now = SystemTime::now();
        let allowed = |s: &Silence| check(s, &terms, now);
        assert!(allowed(&silence(Kind::All, &[], 4 * 3600)).is_ok());
        assert!(matches!(allowed(&silence(Kind::All, &[], 5 * 3600)), Err(SilenceError::Long { .. })));
        let sly = silence(Kind::Manual, &["site=~.*"], 5 * 3600);
        assert!(matches!(allowed(&sly), Err(SilenceError::Long { .. })));
        assert!(allowed(&silence(Kind::Manual, &["site=akl"], 5 * 3600)).is_ok());
        assert!(matches!(
            allowed(&silence(Kind::Manual, &["site=akl"], 15 * 86400)),
            Err(SilenceError::Long { .. })
        ));
        assert!(matches!(allowed(&silence(Kind::Manual, &[], 60)), Err(SilenceError::Matchers)));
        assert!(matches!(allowed(&silence(Kind::All, &["a=b"], 60)), Err(SilenceError::Matchers)));
        assert!(matches!(allowed(&silence(Kind::All, &[], 0)), Err(SilenceError::Over)));
    }
}
