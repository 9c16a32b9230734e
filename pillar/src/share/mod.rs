//! Renderings that minions share: a file that reads nothing of the minion is rendered once, one that reads named grains once for each
//! of their values.
//!
//! What is kept holds as long as the file is the same, which its stamps say, and its text where those are too young to be trusted.
//! Only the pipeline `jinja|yaml` without options of its own is known well enough; what else is in a file decides [`reads`]. Errors
//! are never kept, so that each minion's are told.

mod frozen;
mod reads;

pub(crate) use frozen::Frozen;

use brine_core::{Opts, Value};
use brine_files::Stamp;
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Bytes of texts and data that are kept.
const MOST: usize = 64 << 20;
/// Renderings of one file that are kept.
const VARIANTS: usize = 256;
/// How long ago a file must have been changed for its stamps to tell it from the next: some file systems count seconds.
const SETTLED: Duration = Duration::from_secs(2);

/// What is kept. Of one set of options.
#[derive(Debug, Default)]
pub struct Shared {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<Place, Entry>,
    bytes: usize,
}

/// Where a template stands: its file, its environment and its SLS name.
type Place = (PathBuf, String, String);

#[derive(Debug)]
struct Entry {
    stamp: Stamp,
    /// Whether the stamp alone tells this text from a later one.
    settled: bool,
    text: Arc<str>,
    /// The grains it reads; None if it cannot be shared.
    reads: Option<Arc<BTreeSet<String>>>,
    /// By the values of these grains.
    variants: HashMap<Vec<Option<Frozen>>, Arc<Frozen>>,
}

/// Of a regular file.
fn stamp_of(path: &Path) -> Option<Stamp> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|meta| Stamp::of(&meta))
}

/// Whether a file is old enough for its stamp to stand for one content only.
fn is_settled(stamp: &Stamp) -> bool {
    let (secs, nanos) = stamp.modified.max(stamp.changed);
    let since = u64::try_from(secs).ok().zip(u32::try_from(nanos).ok());
    since.is_some_and(|(secs, nanos)| {
        let at = SystemTime::UNIX_EPOCH + Duration::new(secs, nanos);
        SystemTime::now().duration_since(at).is_ok_and(|age| age > SETTLED)
    })
}

/// What is known of a file.
pub(crate) enum Look {
    /// What it renders to.
    Known(Arc<Frozen>),
    /// It is to be rendered, and may then be kept.
    New(Slot),
    /// It is this minion's own.
    Own,
}

/// Where a rendering is to be kept.
pub(crate) struct Slot {
    place: Place,
    stamp: Stamp,
    values: Vec<Option<Frozen>>,
    text: Arc<str>,
}

impl Shared {
    /// None where the options change how templates are read: then nothing is known of what they read.
    pub fn of(opts: &Opts) -> Option<Self> {
        let changed = ["jinja_env", "jinja_sls_env"].iter().any(|key| opts.flag(key));
        let renderer = opts.get("renderer").and_then(Value::as_str).unwrap_or("jinja|yaml");
        (!changed && renderer == "jinja|yaml").then(Self::default)
    }

    /// What is known of a file in its place, for a minion of whose grains `grain` gives the values.
    pub(crate) fn look(
        &self,
        path: &Path,
        saltenv: &str,
        sls: &str,
        grain: impl Fn(&str) -> Option<Option<Frozen>>,
    ) -> Look {
        let Some(stamp) = stamp_of(path) else { return Look::Own };
        let place = (path.to_owned(), saltenv.to_owned(), sls.to_owned());
        let mut kept = self.kept.lock();
        let known = kept.files.get_mut(&place);
        let same =
            known.is_some_and(|entry| entry.stamp == stamp && entry.settled || entry.refresh(path, stamp));
        if !same {
            let Some(entry) = Entry::read(path, stamp) else { return Look::Own };
            kept.bytes += entry.text.len();
            kept.files.insert(place.clone(), entry);
        }
        let Some(entry) = kept.files.get(&place) else { return Look::Own };
        let Some(reads) = entry.reads.clone() else { return Look::Own };
        let mut values = Vec::with_capacity(reads.len());
        for name in reads.iter() {
            // A grain of a type that YAML does not have.
            let Some(value) = grain(name) else { return Look::Own };
            values.push(value);
        }
        match entry.variants.get(&values) {
            Some(known) => Look::Known(known.clone()),
            None => Look::New(Slot { place, stamp: entry.stamp, values, text: entry.text.clone() }),
        }
    }

    /// Keeps a rendering, unless the file has changed meanwhile.
    pub(crate) fn keep(&self, slot: Slot, rendered: Frozen) {
        let Slot { place, stamp, values, text } = slot;
        if fs::read_to_string(&place.0).ok().as_deref() != Some(&*text) {
            return;
        }
        let mut kept = self.kept.lock();
        let bytes = rendered.bytes();
        if kept.bytes + bytes > MOST {
            *kept = Kept::default();
            return;
        }
        let Some(entry) =
            kept.files.get_mut(&place).filter(|entry| entry.stamp == stamp && entry.text == text)
        else {
            return;
        };
        if entry.variants.len() >= VARIANTS {
            entry.variants.clear();
        }
        entry.variants.insert(values, Arc::new(rendered));
        kept.bytes += bytes;
    }
}

impl Entry {
    fn read(path: &Path, stamp: Stamp) -> Option<Self> {
        // Before the text, so that a change in between makes it older than it is, never newer.
        let settled = is_settled(&stamp);
        let text: Arc<str> = fs::read_to_string(path).ok()?.into();
        let reads = reads::reads(&text).map(Arc::new);
        Some(Self { stamp, settled, text, reads, variants: HashMap::new() })
    }

    /// Whether the text is still the same, which is then known of the new stamp.
    fn refresh(&mut self, path: &Path, stamp: Stamp) -> bool {
        let settled = is_settled(&stamp);
        let same = fs::read_to_string(path).is_ok_and(|text| *text == *self.text);
        if same {
            (self.stamp, self.settled) = (stamp, settled);
        }
        same
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;
    use brine_python::Obj;

    fn known(shared: &Shared, path: &Path, os: &str) -> Option<Arc<Frozen>> {
        let grain = |name: &str| Some((name == "os").then(|| Frozen::Str(os.into())));
        match shared.look(path, "base", "a", grain) {
            Look::Known(frozen) => Some(frozen),
            Look::New(slot) => {
                shared.keep(slot, Frozen::Str(os.into()));
                None
            }
            Look::Own => panic!("it can be shared"),
        }
    }

    #[test]
    fn a_rendering_holds_for_its_text_and_its_grains() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.sls");
        fs::write(&path, "a: {{ grains.os }}").unwrap();
        let shared = Shared::default();
        let text = |os: &str| known(&shared, &path, os).map(|frozen| frozen.thaw());
        assert!(text("x").is_none());
        assert!(matches!(text("x"), Some(Obj::Str(s)) if &*s == "x"));
        assert!(text("y").is_none() && text("y").is_some() && text("x").is_some());
        // Young files are told apart by their text, also when their size stays.
        for n in 0..20 {
            fs::write(&path, format!("b{n:02}: {{{{ grains.os }}}}")).unwrap();
            assert!(text("x").is_none() && text("x").is_some(), "{n}");
        }
        let own = dir.path().join("own.sls");
        fs::write(&own, "{{ pillar }}").unwrap();
        assert!(matches!(shared.look(&own, "base", "own", |_| None), Look::Own));
        assert!(matches!(shared.look(&dir.path().join("none"), "base", "none", |_| None), Look::Own));
    }

    #[test]
    fn a_file_that_changes_while_it_is_rendered_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.sls");
        fs::write(&path, "a: 1").unwrap();
        let shared = Shared::default();
        let Look::New(slot) = shared.look(&path, "base", "a", |_| None) else { panic!() };
        fs::write(&path, "a: 2").unwrap();
        shared.keep(slot, Frozen::Int(1));
        fs::write(&path, "a: 1").unwrap();
        assert!(matches!(shared.look(&path, "base", "a", |_| None), Look::New(_)));
    }

    #[test]
    fn other_ways_of_reading_templates_are_not_known() {
        assert!(Shared::of(&Opts::new(map! {"renderer" => "jinja|yaml"})).is_some());
        assert!(Shared::of(&Opts::new(map! {"renderer" => "yaml"})).is_none());
        assert!(Shared::of(&Opts::new(map! {"jinja_env" => map! {"trim_blocks" => true}})).is_none());
    }
}
