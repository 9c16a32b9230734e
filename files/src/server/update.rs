//! What is done with backends beside requests: fetching what is new, caches and locks; what the `fileserver` runner and the master's
//! clock call.

use super::{FileServer, Named};
use brine_core::call::Result;
use brine_core::{Map, Value};
use std::time::Duration;

/// What was done, and what went wrong: texts for people.
pub type Told = (Vec<String>, Vec<String>);

impl FileServer {
    /// The backends that want to be updated by the clock, each with its interval.
    pub fn clocks(&self) -> Vec<(&Named, Duration)> {
        self.backends.iter().filter_map(|named| Some((named, named.backend.interval()?))).collect()
    }

    /// Fetches what is new, for chosen backends; of these the named remotes only, where some are named. `tell` gets the tag and data of
    /// the event of each, with `fileserver_events`.
    ///
    /// # Errors
    /// What could not be fetched; the other backends are updated all the same.
    pub fn update(&self, back: &Value, remotes: Option<&[String]>, tell: &dyn Fn(&str, Map)) -> Result<()> {
        let mut failed = Ok(());
        for named in self.choose(back) {
            tracing::debug!("Updating {} fileserver cache", named.name);
            let done = match remotes {
                Some(remotes) => named.backend.update_named(remotes),
                None => named.backend.update(),
            };
            match done {
                Ok(changed) if self.tells => tell(&named.tag(), named.backend.news(changed)),
                Ok(_) => {}
                Err(e) => failed = Err(e),
            }
        }
        failed
    }

    /// `fileserver.clear_cache`.
    pub fn clear_cache(&self, back: &Value) -> Told {
        let (mut cleared, mut errors) = (Vec::new(), Vec::new());
        for named in self.fetched(back) {
            let failed = named.backend.clear_cache();
            if failed.is_empty() {
                cleared.push(format!("The {} fileserver cache was successfully cleared", named.name));
            }
            errors.extend(failed);
        }
        (cleared, errors)
    }

    /// `fileserver.clear_file_list_cache`: by backend, the environments whose lists are forgotten.
    pub fn forget_lists(&self, envs: Option<&[String]>, back: &Value) -> Map {
        let gone = self.choose(back).into_iter().map(|named| (&named.name, named.backend.forget_lists(envs)));
        gone.filter(|(_, envs)| !envs.is_empty())
            .map(|(name, envs)| (Value::from(name.as_str()), Value::from(envs)))
            .collect()
    }

    /// `fileserver.lock`: `remote` is a pattern for URLs.
    pub fn lock(&self, back: &Value, remote: &Value) -> Told {
        let (mut locked, mut errors) = (Vec::new(), Vec::new());
        for named in self.fetched(back) {
            if remote.truthy() && remote.as_str().is_none() {
                let shown = brine_core::text::python_str(remote);
                errors.push(format!("Badly formatted remote pattern '{shown}'"));
                continue;
            }
            let (done, failed) = named.backend.lock(remote.as_str().filter(|text| !text.is_empty()));
            locked.extend(done);
            errors.extend(failed);
        }
        (locked, errors)
    }

    /// `fileserver.clear_lock`.
    pub fn clear_lock(&self, back: &Value, remote: &Value) -> Told {
        let (mut cleared, mut errors) = (Vec::new(), Vec::new());
        for named in self.fetched(back) {
            let (done, failed) = named.backend.clear_lock(remote.as_str().filter(|text| !text.is_empty()));
            cleared.extend(done);
            errors.extend(failed);
        }
        (cleared, errors)
    }

    fn fetched(&self, back: &Value) -> impl Iterator<Item = &Named> {
        self.choose(back).into_iter().filter(|named| named.backend.is_fetched())
    }
}

impl Named {
    /// The tag of the event after an update.
    pub fn tag(&self) -> String {
        format!("salt/fileserver/{}/update", self.backend.name())
    }
}
