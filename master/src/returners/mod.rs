//! What the master gives to returners: jobs and returns for job caches beside its own, and events. Each kind has a thread
//! and a bounded queue of its own, so that a slow or dead database slows nothing else.

mod events;
mod job_cache;
mod queue;

use std::sync::Arc;
use std::thread::JoinHandle;

use brine_core::call::Cx;
use brine_core::host::NoHost;
use brine_core::{Map, Opts, Registry};
use brine_protocol::ids::Jid;

pub use events::EventTap;
pub use job_cache::JobCaches;

/// The ways to the returners; those that the options ask for.
#[derive(Clone, Debug, Default)]
pub struct Outlets {
    caches: Option<JobCaches>,
    tap: Option<EventTap>,
}

/// The threads that serve them.
#[derive(Debug, Default)]
pub struct OutletThreads(Vec<JoinHandle<()>>);

impl Outlets {
    /// Starts what the options ask for.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(opts: &Opts) -> std::io::Result<(Self, OutletThreads)> {
        let cx = context(opts);
        // Each return and each event is a call, and all come from here.
        brine_returners::keep_connections();
        let (caches, tap) = (JobCaches::start(opts, &cx)?, EventTap::start(opts, &cx)?);
        let mut threads = Vec::new();
        let outlets = Self {
            caches: caches.map(|(caches, thread)| {
                threads.push(thread);
                caches
            }),
            tap: tap.map(|(tap, thread)| {
                threads.push(thread);
                tap
            }),
        };
        Ok((outlets, OutletThreads(threads)))
    }

    /// Where the bus hands its events, if anybody wants them.
    pub fn tap(&self) -> Option<EventTap> {
        self.tap.clone()
    }

    /// A job is published, or became known by its return. Whoever is to answer for it may wait until it is in the caches.
    pub fn job(&self, jid: &Jid, load: &Map, minions: &[String], nocache: bool) -> Kept {
        Kept(self.caches.as_ref().and_then(|caches| caches.job(jid.as_str(), load, minions, nocache)))
    }

    /// A return was stored.
    pub fn returned(&self, load: &Map) {
        if let Some(caches) = &self.caches {
            caches.returned(load);
        }
    }

    /// A runner or wheel function has run: its load stands for job and return.
    pub fn ran(&self, load: &Map) {
        if let Some(caches) = &self.caches {
            let _nobody_waits = caches.job(load.get_str("jid").unwrap_or_default(), load, &[], false);
            caches.returned(load);
        }
    }

    /// Old jobs are to go.
    pub fn clean(&self) {
        if let Some(caches) = &self.caches {
            caches.clean();
        }
    }

    /// Takes nothing more; the threads end when they have written what waits.
    pub fn close(&self) {
        if let Some(caches) = &self.caches {
            caches.close();
        }
        if let Some(tap) = &self.tap {
            tap.close();
        }
    }
}

/// A job on its way to the job caches.
#[derive(Debug)]
#[must_use]
pub struct Kept(Option<job_cache::Saved>);

impl Kept {
    /// Waits until it is there; a moment at most, and not at all while a cache is slow or fails.
    pub async fn soon(self) {
        if let Some(saved) = self.0 {
            saved.wait().await;
        }
    }
}

impl OutletThreads {
    /// Waits for the threads, which end after [`Outlets::close`].
    pub fn join(self) {
        for thread in self.0 {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// What returners see: the master's options.
fn context(opts: &Opts) -> Cx {
    Cx::new(Arc::new(opts.clone()), Arc::new(Registry::default()), Arc::new(NoHost))
}

#[cfg(test)]
mod tests;
