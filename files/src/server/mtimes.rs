//! What has changed in `file_roots` since the last look, for the event `salt/fileserver/roots/update`: made only where
//! `fileserver_events` asks for it.

use crate::ignore::Ignore;
use crate::walk::{below_path, walk};
use brine_core::{Map, map};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Files, and when they were written.
type Times = BTreeMap<String, f64>;

/// The last look, which outlives the process in stock's file.
pub(super) struct Mtimes {
    file: PathBuf,
    last: Mutex<Option<Times>>,
}

impl Mtimes {
    pub(super) fn new(cachedir: &Path) -> Self {
        Self { file: cachedir.join("roots/mtime_map"), last: Mutex::default() }
    }

    /// Looks again: whether anything changed, and what.
    pub(super) fn look(&self, roots: &[PathBuf], ignore: &Ignore) -> (bool, Map) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let new = times(roots, ignore);
        let old = last.take().unwrap_or_else(|| self.read());
        let missing = |of: &Times, from: &Times| -> Vec<String> {
            of.keys().filter(|path| !from.contains_key(*path)).cloned().collect()
        };
        let changed: Vec<String> = old
            .iter()
            .filter(|(path, at)| new.get(*path).is_some_and(|now| now != *at))
            .map(|(p, _)| p.clone())
            .collect();
        let (removed, added) = (missing(&old, &new), missing(&new, &old));
        let any = !(changed.is_empty() && removed.is_empty() && added.is_empty());
        if let Err(e) = self.write(&new) {
            tracing::warn!("{}: {e}", self.file.display());
        }
        *last = Some(new);
        (any, map! {"changed" => changed, "removed" => removed, "added" => added})
    }

    fn read(&self) -> Times {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let entry = |line: &str| {
            line.rsplit_once(':').and_then(|(path, at)| Some((path.to_owned(), at.parse().ok()?)))
        };
        text.lines().filter_map(entry).collect()
    }

    fn write(&self, times: &Times) -> std::io::Result<()> {
        let dir = self.file.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let mut new = tempfile::NamedTempFile::new_in(dir)?;
        let mut text = String::new();
        for (path, at) in times.iter().filter(|(path, _)| !path.contains('\n')) {
            text.push_str(&format!("{path}:{at:?}\n"));
        }
        new.write_all(text.as_bytes())?;
        new.persist(&self.file).map_err(|e| e.error)?;
        Ok(())
    }
}

fn times(roots: &[PathBuf], ignore: &Ignore) -> Times {
    let mut times = Times::new();
    for root in roots {
        for folder in walk(root, false, &|_| true) {
            for entry in &folder.files {
                let full = root.join(below_path(&folder.path, &entry.name));
                let text = full.to_string_lossy();
                // A link to nothing has no time.
                if !ignore.hides(&text)
                    && let Ok(meta) = fs::metadata(&full)
                {
                    #[expect(clippy::cast_precision_loss, reason = "as Python's os.path.getmtime")]
                    let at = meta.mtime() as f64 + 1e-9 * meta.mtime_nsec() as f64;
                    times.insert(text.into_owned(), at);
                }
            }
        }
    }
    times
}
