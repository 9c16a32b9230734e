//! Listings of folders, kept until something in them changes.

mod read;
mod watch;

pub(super) use read::Rules;

use crate::backend::Listed;
use brine_core::call::Result;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use watch::Watch;

/// Of how many environments listings are kept.
const MOST: usize = 256;

/// A listing, and what it came from.
struct Kept {
    roots: Vec<PathBuf>,
    listed: Arc<Listed>,
    seen: read::Seen,
}

/// The listings of one tree, by environment.
#[derive(Default)]
pub(super) struct Listings {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: HashMap<String, Kept>,
    watch: Watch,
}

impl Listings {
    /// Everything below some folders, which stand for one environment. Who comes while they are read waits for the one who reads.
    pub(super) fn of(&self, saltenv: &str, roots: &[PathBuf], rules: &Rules) -> Result<Arc<Listed>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        for changed in state.watch.changed() {
            state.kept.remove(&changed);
        }
        if let Some(kept) = state.kept.get(saltenv) {
            if kept.roots == roots && kept.seen.holds() {
                return Ok(kept.listed.clone());
            }
            state.kept.remove(saltenv);
        }
        if !state.kept.contains_key(saltenv) && state.kept.len() >= MOST {
            state.kept.clear();
            state.watch = Watch::default();
        }
        state.watch.begin(saltenv);
        let (listed, seen) = read::read(roots, rules, &mut state.watch);
        state.watch.end();
        let listed = Arc::new(listed);
        if !seen.is_empty() {
            let kept = Kept { roots: roots.to_vec(), listed: listed.clone(), seen };
            state.kept.insert(saltenv.to_owned(), kept);
        }
        Ok(listed)
    }
}
