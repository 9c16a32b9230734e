//! What the requisites of a chunk say about it, as far as others were run: `check_requisite`.

use super::Runner;
use super::index::{Places, entries};
use super::verify::watch_is_require;
use brine_core::call::Result;
use brine_core::target::fnmatch;
use brine_core::{Map, Value};
use std::sync::Arc;

/// What is to be done with a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Others come first.
    Unmet,
    /// One that is needed failed.
    Fail,
    /// Nothing will change that it is to come before.
    Pre,
    /// Nothing failed that it is to mend.
    Onfail,
    /// Nothing changed that it is for.
    Onchanges,
    /// It is to be told of changes.
    Change,
    /// Another state says that what it is for does not count (3008).
    SkipReq,
    /// It is not to be told of changes (3008).
    SkipWatch,
    /// One that runs beside it did not end yet (3008).
    Pending,
    /// It may run.
    Met,
}

/// The chunks that each requisite means, in the order in which stock looks at them.
pub(super) type Requisites = Vec<(&'static str, Vec<usize>)>;

/// The requisites that are looked at; their chunks are run first.
pub(super) const LOOKED_AT: [&str; 10] = [
    "require",
    "require_any",
    "watch",
    "watch_any",
    "prereq",
    "onfail",
    "onfail_any",
    "onfail_all",
    "onchanges",
    "onchanges_any",
];

/// What the results that one requisite means came to: any of these.
#[derive(Clone, Copy, Default)]
pub(super) struct Stats {
    unmet: bool,
    skip: bool,
    fail: bool,
    pre: bool,
    premet: bool,
    onfail: bool,
    onchanges: bool,
    onchanges_met: bool,
    change: bool,
    met: bool,
}

impl Stats {
    /// Takes the result of one chunk in.
    pub(super) fn take(&mut self, requisite: &str, ret: Option<&Map>) {
        let Some(ret) = ret else {
            self.unmet = true;
            return;
        };
        self.skip |= ret.get("skip_req").is_some_and(Value::truthy);
        let result = ret.get("result").unwrap_or(&Value::Nil);
        let changed = ret.get("changes").is_some_and(Value::truthy);
        if requisite.starts_with("onfail") {
            if *result == Value::Bool(true) {
                self.onfail = true;
                return;
            }
        } else if requisite.starts_with("onchanges") {
            if *result == Value::Bool(false) || !changed {
                self.onchanges = true;
            } else {
                self.onchanges_met = true;
            }
            return;
        } else if *result == Value::Bool(false) {
            self.fail = true;
            return;
        }
        if requisite.starts_with("watch") && changed {
            self.change = true;
            return;
        }
        if requisite == "prereq" && result.is_nil() {
            self.premet = true;
        }
        if requisite.starts_with("prereq") && !result.is_nil() {
            self.pre |= requisite == "prereq";
        } else if ret.get("__state_ran__").is_none_or(Value::truthy) {
            self.met = true;
        }
    }

    /// One of many is enough, or not.
    pub(super) fn weigh(&mut self, requisite: &str) {
        if requisite.ends_with("_any") || requisite == "onfail" {
            if self.met || self.change {
                self.fail = false;
            }
            if self.onchanges_met {
                self.onchanges = false;
                self.fail = false;
            }
            if self.onfail && self.met {
                self.onfail = false;
            }
        }
        if requisite.ends_with("_all") && self.onfail {
            self.met = false;
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.unmet |= other.unmet;
        self.skip |= other.skip;
        self.fail |= other.fail;
        self.pre |= other.pre;
        self.premet |= other.premet;
        self.onfail |= other.onfail;
        self.onchanges |= other.onchanges;
        self.onchanges_met |= other.onchanges_met;
        self.change |= other.change;
        self.met |= other.met;
    }

    /// What 3008 makes of it, which knows two more things.
    pub(super) fn status_of_3008(self, pending: bool) -> Status {
        if self.unmet {
            Status::Unmet
        } else if pending {
            Status::Pending
        } else if !self.fail && self.skip && (self.onchanges_met || self.premet) {
            Status::SkipReq
        } else if !self.fail && self.skip && self.change {
            Status::SkipWatch
        } else {
            self.status()
        }
    }

    fn status(self) -> Status {
        if self.unmet {
            Status::Unmet
        } else if self.fail {
            Status::Fail
        } else if self.pre {
            if self.premet { Status::Met } else { Status::Pre }
        } else if self.onfail && !self.onchanges_met {
            Status::Onfail
        } else if self.onchanges && !self.onchanges_met {
            Status::Onchanges
        } else if self.change {
            Status::Change
        } else if self.onfail {
            Status::Onfail
        } else {
            Status::Met
        }
    }
}

impl Runner {
    /// What is to be done with a chunk, and the chunks that its requisites mean. `prerequired`: those too that come before
    /// it.
    pub(super) fn check_requisite(&mut self, at: usize, prerequired: bool) -> Result<(Status, Requisites)> {
        self.watch_or_require(at, "watch", "require");
        self.watch_or_require(at, "watch_any", "require_any");
        let low = self.low(at);
        if !LOOKED_AT.iter().chain(&["prerequired"]).any(|requisite| low.contains(requisite)) {
            return Ok((Status::Met, Vec::new()));
        }
        let looked_at = LOOKED_AT.into_iter().chain(prerequired.then_some("prerequired"));
        let mut requisites = Requisites::new();
        for requisite in looked_at {
            if !low.contains(requisite) {
                continue;
            }
            if self.disabled_requisites.iter().any(|disabled| disabled == requisite) {
                tracing::warn!("The {requisite} requisite has been disabled, Ignoring.");
                continue;
            }
            let mut all = Vec::new();
            for wanted in entries(&low, requisite).iter().filter(|wanted| !wanted.name.is_nil()) {
                let places = self.find(wanted)?;
                if places.is_empty() && !self.is_processed(wanted) {
                    return Ok((Status::Unmet, Vec::new()));
                }
                all.extend(places.iter().copied());
            }
            requisites.push((requisite, all));
        }
        let mut stats = Stats::default();
        for (requisite, places) in &requisites {
            let mut own = Stats::default();
            if *requisite == "prereq" {
                for at in places {
                    own.take(requisite, self.tag(*at).and_then(|tag| self.pre.get(tag)));
                }
            } else {
                self.wait_for(places);
                self.run.running(|running| {
                    for at in places {
                        let ret = self.tag(*at).and_then(|tag| running.get(tag)).and_then(Value::as_map);
                        own.take(requisite, ret.filter(|ret| !ret.is_empty()));
                    }
                });
            }
            own.weigh(requisite);
            stats.add(own);
        }
        Ok((stats.status(), requisites))
    }

    /// Where states cannot be told of changes, watching is requiring.
    fn watch_or_require(&mut self, at: usize, watch: &str, require: &str) {
        let low = self.low(at);
        if low.contains(watch)
            && !self.has(&format!("{}.mod_watch", low.get_str("state").unwrap_or_default()))
        {
            drop(low);
            self.change(at, |low| watch_is_require(low, watch, require));
        }
    }

    /// The chunks that an entry of a requisite means.
    pub(super) fn find(&mut self, wanted: &super::index::Wanted) -> Result<Places> {
        self.index.find(wanted, &self.chunks)
    }

    /// Whether an entry means an SLS file that was rendered, and says nothing.
    pub(super) fn is_processed(&self, wanted: &super::index::Wanted) -> bool {
        wanted.kind == "sls"
            && wanted.name.as_str().is_some_and(|name| self.processed.iter().any(|sls| fnmatch(sls, name)))
    }

    /// A chunk.
    pub(super) fn low(&self, at: usize) -> Arc<Map> {
        self.chunks.get(at).cloned().unwrap_or_default()
    }

    /// The tag of a chunk.
    pub(super) fn tag(&self, at: usize) -> Option<&str> {
        self.tags.get(at).map(|tag| &**tag)
    }

    /// Changes a chunk.
    pub(super) fn change(&mut self, at: usize, change: impl FnOnce(&mut Map)) {
        if let Some(low) = Arc::make_mut(&mut self.chunks).get_mut(at) {
            change(Arc::make_mut(low));
        }
    }

    /// Puts a chunk back that was run.
    pub(super) fn put_back(&mut self, at: usize, low: Arc<Map>) {
        if self.chunks.get(at).is_some_and(|own| !Arc::ptr_eq(own, &low))
            && let Some(own) = Arc::make_mut(&mut self.chunks).get_mut(at)
        {
            *own = low;
        }
    }
}
