//! Folders watched by the kernel, so that a listing is known to hold without looking at ten thousand folders again.

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// The watches of one tree. Each folder counts for the environments whose listings it is in.
#[derive(Default)]
pub(super) struct Watch {
    inotify: Option<Inotify>,
    of: HashMap<WatchDescriptor, Vec<Arc<str>>>,
    now: Option<(Arc<str>, HashSet<WatchDescriptor>)>,
    told: bool,
}

impl Watch {
    /// The environments in whose folders something has changed since this was asked last.
    pub(super) fn changed(&mut self) -> BTreeSet<String> {
        let mut changed = BTreeSet::new();
        let Some(inotify) = &self.inotify else { return changed };
        loop {
            match inotify.read_events() {
                Ok(events) => {
                    for event in events {
                        note(&mut self.of, &event, &mut changed);
                    }
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return changed,
                Err(e) => {
                    tracing::warn!("the folders of the file server are no longer watched: {e}");
                    changed.extend(self.of.values().flatten().map(|env| env.to_string()));
                    *self = Self { told: true, ..Self::default() };
                    return changed;
                }
            }
        }
    }

    /// How many folders are watched.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    /// From now on, folders are added for this environment.
    pub(super) fn begin(&mut self, saltenv: &str) {
        self.now = Some((saltenv.into(), HashSet::new()));
    }

    /// Watches a folder, before it is read; whether that can be done.
    pub(super) fn add(&mut self, folder: &Path) -> bool {
        use AddWatchFlags as F;
        let Some((saltenv, now)) = &mut self.now else { return false };
        if self.inotify.is_none() {
            self.inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).ok();
        }
        let flags = F::IN_CREATE
            | F::IN_DELETE
            | F::IN_MOVED_FROM
            | F::IN_MOVED_TO
            | F::IN_DELETE_SELF
            | F::IN_MOVE_SELF
            | F::IN_ATTRIB
            | F::IN_ONLYDIR;
        let added = self.inotify.as_ref().ok_or(Errno::EMFILE).and_then(|i| i.add_watch(folder, flags));
        match added {
            Ok(id) => {
                now.insert(id);
                let of = self.of.entry(id).or_default();
                if !of.contains(saltenv) {
                    of.push(saltenv.clone());
                }
                true
            }
            Err(e) => {
                if !std::mem::replace(&mut self.told, true) {
                    tracing::warn!(
                        "{}: cannot be watched: {e}. Listings look at every folder instead; \
                         fs.inotify.max_user_watches may be too small",
                        folder.display()
                    );
                }
                false
            }
        }
    }

    /// The environment's folders are all read: those it had before and has no more are let go.
    pub(super) fn end(&mut self) {
        let Some((saltenv, now)) = self.now.take() else { return };
        self.let_go(&saltenv, &now);
    }

    /// The environment has no listing any more.
    pub(super) fn forget(&mut self, saltenv: &str) {
        self.let_go(saltenv, &HashSet::new());
    }

    fn let_go(&mut self, saltenv: &str, but: &HashSet<WatchDescriptor>) {
        let inotify = &self.inotify;
        self.of.retain(|id, of| {
            if !but.contains(id) {
                of.retain(|env| &**env != saltenv);
            }
            if of.is_empty()
                && let Some(inotify) = inotify
            {
                // It may be gone already.
                let _ = inotify.rm_watch(*id);
            }
            !of.is_empty()
        });
    }
}

fn note(
    of: &mut HashMap<WatchDescriptor, Vec<Arc<str>>>,
    event: &InotifyEvent,
    changed: &mut BTreeSet<String>,
) {
    use AddWatchFlags as F;
    if event.mask.contains(F::IN_Q_OVERFLOW) {
        changed.extend(of.values().flatten().map(|env| env.to_string()));
        return;
    }
    // The mode or the times of a file are in no listing.
    if event.mask.contains(F::IN_ATTRIB) && event.name.is_some() && !event.mask.contains(F::IN_ISDIR) {
        return;
    }
    let envs =
        if event.mask.contains(F::IN_IGNORED) { of.remove(&event.wd) } else { of.get(&event.wd).cloned() };
    changed.extend(envs.unwrap_or_default().iter().map(|env| env.to_string()));
}
