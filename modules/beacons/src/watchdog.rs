//! Folders: tells of files that are made, changed, moved and removed in them, as the Python library of that name sees it.

use crate::config::{list, merged};
use crate::{Beacon, Kept, always, proc, refused};
use brine_core::call::{CallError, Cx, Result};
use brine_core::posixpath::{dirname, join};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags as Mask, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use std::collections::HashMap;
use std::path::Path;

pub(crate) static BEACON: Beacon =
    Beacon { name: "watchdog", unavailable: always, validate, look, lets_go: true };

/// What a mask may hold, and what is told by default.
const KINDS: [&str; 4] = ["create", "modify", "delete", "move"];

/// Events that are read in one turn; what is more waits for the next.
const AT_ONCE: usize = 65_536;

fn validate(_: &Cx, config: &Value) -> Result<()> {
    let config = merged(list("watchdog", config)?)?;
    let folders = config
        .get("directories")
        .ok_or_else(|| refused("Configuration for watchdog beacon must include directories."))?
        .as_map()
        .ok_or_else(|| refused("Configuration for watchdog beacon directories must be a dictionary."))?;
    for options in folders.values() {
        let options = options
            .as_map()
            .ok_or_else(|| refused("Configuration for watchdog beacon directory path must be a dictionary."))?;
        let Some(mask) = options.get("mask") else { continue };
        let mask = mask.as_list().ok_or_else(|| refused("Configuration for watchdog beacon mask must be list."))?;
        if !mask.iter().all(|word| word.as_str().is_some_and(|word| KINDS.contains(&word))) {
            return Err(refused("Configuration for watchdog beacon contains invalid mask"));
        }
    }
    Ok(())
}

/// What is watched, and by which configuration.
#[derive(Default)]
struct State {
    inotify: Option<Inotify>,
    folders: HashMap<WatchDescriptor, Folder>,
    config: Value,
}

struct Folder {
    path: String,
    /// The kinds of events that are told.
    kinds: Vec<Value>,
}

fn look(_: &Cx, config: &[Value], kept: &mut Kept) -> Result<Vec<Map>> {
    let wanted = merged(config)?.remove("directories").unwrap_or_default();
    let state = kept.of::<State>();
    let told = state.events();
    if state.inotify.is_none() || state.config != wanted {
        *state = State::default();
        let fresh = State::watching(wanted)?;
        *state = fresh;
    }
    Ok(told)
}

impl State {
    fn watching(config: Value) -> Result<Self> {
        let flags = InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC;
        let inotify = Inotify::init(flags).map_err(|e| CallError::exception("OSError", e.to_string()))?;
        let mut folders = HashMap::new();
        for (path, options) in config.as_map().into_iter().flatten() {
            let path = python_str(path);
            let mask = Mask::IN_MODIFY
                | Mask::IN_MOVED_FROM
                | Mask::IN_MOVED_TO
                | Mask::IN_CREATE
                | Mask::IN_DELETE
                | Mask::IN_DELETE_SELF
                | Mask::IN_DONT_FOLLOW
                | Mask::IN_CLOSE_WRITE;
            let id = inotify.add_watch(path.as_str(), mask).map_err(|e| proc::os_error(Path::new(&path), &e.into()))?;
            let kinds = match options.get("mask") {
                Some(Value::List(kinds)) => kinds.clone(),
                _ => KINDS.iter().map(|kind| Value::from(*kind)).collect(),
            };
            folders.insert(id, Folder { path, kinds });
        }
        Ok(Self { inotify: Some(inotify), folders, config })
    }

    /// What happened since this was asked last.
    fn events(&mut self) -> Vec<Map> {
        let Some(inotify) = &self.inotify else { return Vec::new() };
        let mut events = Vec::new();
        while events.len() < AT_ONCE {
            match inotify.read_events() {
                Ok(more) => events.extend(more),
                Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        let mut told = Vec::new();
        for (at, event) in events.iter().enumerate() {
            self.tell(event, &events[at + 1..], &events[..at], &mut told);
        }
        if events.iter().any(|event| event.mask.contains(Mask::IN_IGNORED)) {
            // A folder is gone: the others are watched anew, with it when it is there again.
            self.inotify = None;
        }
        told
    }

    fn tell(&self, event: &InotifyEvent, later: &[InotifyEvent], earlier: &[InotifyEvent], told: &mut Vec<Map>) {
        let Some(folder) = self.folders.get(&event.wd) else {
            if event.mask.contains(Mask::IN_Q_OVERFLOW) {
                tracing::error!("more happened to watched folders than the kernel keeps; some events are lost");
            }
            return;
        };
        let name = event.name.as_ref().map(|name| name.to_string_lossy());
        let path = name.map_or_else(|| folder.path.clone(), |name| join(&folder.path, &[name]));
        let other_end = |events: &[InotifyEvent], end: Mask| {
            events.iter().any(|e| e.wd == event.wd && e.cookie == event.cookie && e.mask.contains(end))
        };
        let has = |bit| event.mask.contains(bit);
        let is_dir = has(Mask::IN_ISDIR);
        let mut say = |kind: &str, change: &str, path: &str| {
            if folder.kinds.contains(&kind.into()) {
                told.push(map! { "tag" => "watchdog", "path" => path, "change" => change });
            }
        };
        let folder_of = dirname(&path);
        if has(Mask::IN_MOVED_FROM) && other_end(later, Mask::IN_MOVED_TO) {
            say("move", "moved", &path);
            // That of where it was, and that of where it is.
            say("modify", "modified", folder_of);
            say("modify", "modified", folder_of);
        } else if has(Mask::IN_MOVED_TO) && other_end(earlier, Mask::IN_MOVED_FROM) {
            // Told with where it came from.
        } else if has(Mask::IN_MOVED_TO) || has(Mask::IN_CREATE) {
            say("create", "created", &path);
            say("modify", "modified", folder_of);
        } else if has(Mask::IN_MODIFY) {
            say("modify", "modified", &path);
        } else if has(Mask::IN_DELETE) || has(Mask::IN_MOVED_FROM) {
            say("delete", "deleted", &path);
            say("modify", "modified", folder_of);
        } else if has(Mask::IN_DELETE_SELF) {
            say("delete", "deleted", &path);
        } else if has(Mask::IN_CLOSE_WRITE) && !is_dir {
            say("modify", "modified", folder_of);
        }
    }
}
