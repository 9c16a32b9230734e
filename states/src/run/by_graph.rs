//! Chunks run as Salt 3008 runs them: requisites are asked of a graph, whose order the chunks have; a chunk that others have
//! tried out before comes twice. What a chunk of a group waits for and stands for is in the graph, too.

use super::Runner;
use super::chunks::{Frame, Next, Stage};
use super::index::entries;
use super::requisites::{Requisites, Stats, Status};
use crate::graph::{Facts, Graph, Requisite};
use brine_core::call::Result;
use brine_core::state::tag;
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

impl Runner {
    /// Makes the graph of the chunks of the run. `requisites`: what they wait for counts.
    pub(super) fn draw(&mut self, requisites: bool) -> Result<()> {
        let mut graph = Graph::default();
        for (at, low) in self.chunks.iter().enumerate() {
            let text = |key: &str| low.get(key).map(python_str).unwrap_or_default();
            let mut sls: Vec<String> = low.get("__sls__").map(python_str).into_iter().collect();
            if let Some(Value::List(more)) = low.get("__sls_included_from__") {
                sls.extend(more.iter().map(python_str));
            }
            let facts = Facts {
                tag: &self.tags[at],
                state: &text("state"),
                id: &text("__id__"),
                name: &text("name"),
                sls: &sls,
            };
            graph.add_chunk(at, facts);
        }
        if requisites {
            for (low, tag) in self.chunks.iter().zip(&self.tags) {
                self.requisites_of(&mut graph, low, tag);
            }
            self.group(&mut graph)?;
        }
        self.graph = graph;
        Ok(())
    }

    fn requisites_of(&self, graph: &mut Graph, low: &Map, tag: &str) {
        for requisite in Requisite::ALL {
            if self.disabled_requisites.iter().any(|disabled| disabled == requisite.name()) {
                continue;
            }
            for wanted in entries(low, requisite.name()) {
                let Some(name) = wanted.name.as_str() else { continue };
                // That it is there was looked at when they were put in order.
                graph.add_requisite(tag, requisite, (&wanted.kind, name), |_, _| {});
            }
        }
    }

    /// Finds the chunks that may be run as one.
    fn group(&mut self, graph: &mut Graph) -> Result<()> {
        let mut last: HashMap<usize, usize> = HashMap::new();
        for (turn, at) in self.turns.iter().enumerate() {
            last.insert(*at, turn);
        }
        let all = self.state_aggregate()?;
        let mut wanted: Vec<(usize, usize, &str)> = Vec::new();
        for (at, low) in self.chunks.iter().enumerate() {
            let state = low.get_str("state").unwrap_or_default();
            let is_wanted = match low.get("aggregate").unwrap_or(&all) {
                Value::Bool(wanted) => *wanted,
                Value::List(states) => states.iter().any(|name| name.as_str() == Some(state)),
                _ => false,
            };
            let can = || self.cx.registry.state_module(state).is_some_and(|m| m.mod_aggregate.is_some());
            if is_wanted && can() {
                wanted.push((last.get(&at).copied().unwrap_or_default(), at, state));
            }
        }
        wanted.sort_unstable();
        graph.group(wanted.into_iter().map(|(_, at, state)| (&*self.tags[at], state)));
        Ok(())
    }

    /// Runs all in turn; those that wait for parallel ones are looked at again as these end.
    pub(super) fn call_in_turn(&mut self) -> Result<()> {
        let turns = self.turns.clone();
        let mut waiting: Vec<usize> = Vec::new();
        for at in turns.iter().copied() {
            self.call_waiting(&mut waiting)?;
            if self.soon_over {
                return Ok(());
            }
            self.reap();
            if self.is_run(at) {
                continue;
            }
            if self.is_killed_by_pause(at) {
                break;
            }
            if self.call_or_kill(at)? {
                waiting.push(at);
            }
            if self.ends_the_run(at) {
                self.soon_over = true;
                return Ok(());
            }
        }
        while !waiting.is_empty() && !self.soon_over {
            self.call_waiting(&mut waiting)?;
            if !waiting.is_empty() {
                self.wait_for_one();
            }
        }
        Ok(())
    }

    fn call_waiting(&mut self, waiting: &mut Vec<usize>) -> Result<()> {
        for at in std::mem::take(waiting) {
            if self.soon_over || self.is_run(at) {
                continue;
            }
            if self.call_or_kill(at)? {
                waiting.push(at);
            }
            self.soon_over |= self.ends_the_run(at);
        }
        self.soon_over |= self.failed_hard;
        Ok(())
    }

    /// Runs a chunk; whether it has to wait.
    fn call_or_kill(&mut self, at: usize) -> Result<bool> {
        self.is_pending = false;
        self.call_unless_killed(at)?;
        self.soon_over |= self.failed_hard;
        Ok(std::mem::take(&mut self.is_pending))
    }

    /// Begins a chunk.
    pub(super) fn start_by_graph(&mut self, frame: &mut Frame) -> Result<Next> {
        let at = frame.at;
        self.aggregate_by_graph(at)?;
        let low = self.low(at);
        self.init(&low)?;
        let is_prereq = low.get("__prereq__").is_some_and(Value::truthy);
        let (status, requisites) = self.check_by_graph(at)?;
        match status {
            Status::Unmet => {
                let chunks = self.waited_for(at).into_iter().map(|(_, place)| place).collect();
                frame.stage = Stage::Needs { chunks, next: 0, called: false };
                return self.step(frame);
            }
            Status::Pending => {
                self.is_pending = true;
                return Ok(Next::Done);
            }
            Status::Fail => self.requisite_failed(at, &requisites),
            Status::Change if !is_prereq => {
                let ret = self.changed(at, &requisites)?;
                self.record(at, ret);
            }
            Status::SkipWatch if !is_prereq => {
                let mut ret = self.call_at(at)?;
                let comment = ret.get("comment").map(python_str).unwrap_or_default();
                ret.insert(
                    "comment",
                    format!(
                        "{comment} mod_watch was not run because requisites were skipped by another state"
                    ),
                );
                self.record(at, ret);
            }
            Status::Met | Status::Change | Status::SkipWatch => {
                let ret = self.call_at(at)?;
                if is_prereq { self.remember_pre(at, ret) } else { self.record(at, ret) }
            }
            Status::SkipReq => {
                let comment = "State was not run because requisites were skipped by another state";
                self.left(at, comment, true);
            }
            Status::Pre => self.left(at, "No changes detected", true),
            Status::Onfail => self.left(at, "State was not run because onfail req did not change", true),
            Status::Onchanges => {
                self.left(at, "State was not run because none of the onchanges reqs changed", true);
            }
        }
        if self.is_run(at) {
            self.tell(at);
        }
        Ok(Next::Done)
    }

    /// Records a chunk that is not run.
    pub(super) fn left(&mut self, at: usize, comment: &str, result: bool) {
        let mut ret = self.not_run(at, comment, Some(false));
        ret.insert("result", result);
        if self.low(at).get("__prereq__").is_some_and(Value::truthy) {
            self.remember_pre(at, ret.clone());
        }
        self.record(at, ret);
    }

    /// Which chunks a chunk, or its trial, waits for.
    fn waited_for(&self, at: usize) -> Vec<(Requisite, usize)> {
        let trial = self.low(at).get("__prereq__").is_some_and(Value::truthy);
        let Some(tag) = self.tag(at) else { return Vec::new() };
        self.graph.dependencies(tag, trial).collect()
    }

    /// What is to be done with a chunk, as [`Self::check_requisite`] says it for 3006.
    pub(super) fn check_by_graph(&mut self, at: usize) -> Result<(Status, Requisites)> {
        let mut requisites = Requisites::new();
        for (requisite, place) in self.waited_for(at) {
            match requisites.iter_mut().find(|(name, _)| *name == requisite.name()) {
                Some((_, places)) => places.push(place),
                None => requisites.push((requisite.name(), vec![place])),
            }
        }
        let is_parallel = self.low(at).get("parallel").is_some_and(Value::truthy);
        let (mut stats, mut pending) = (Stats::default(), false);
        for (requisite, places) in &requisites {
            let mut own = Stats::default();
            if is_parallel {
                self.reap();
            } else {
                self.wait_for(places);
            }
            let is_pending = places.iter().any(|place| self.is_beside(*place));
            pending |= is_pending;
            let look = |own: &mut Stats, ret: Option<&Map>| {
                let ret = ret.filter(|ret| !ret.is_empty());
                if !is_pending || ret.is_none() {
                    own.take(requisite, ret);
                }
            };
            if *requisite == "prereq" {
                for at in places {
                    look(&mut own, self.tag(*at).and_then(|tag| self.pre.get(tag)));
                }
            } else {
                self.run.running(|running| {
                    for at in places {
                        let ret = self.tag(*at).and_then(|tag| running.get(tag));
                        look(&mut own, ret.and_then(Value::as_map));
                    }
                });
            }
            own.weigh(requisite);
            stats.add(own);
        }
        Ok((stats.status_of_3008(pending), requisites))
    }

    /// Lets a chunk stand for its group, if it is in one.
    fn aggregate_by_graph(&mut self, at: usize) -> Result<()> {
        let low = self.low(at);
        if low.get("__agg__").is_some_and(Value::truthy) {
            return Ok(());
        }
        let places = self.tag(at).map_or(Vec::new(), |tag| self.graph.grouped(tag));
        let state = low.get_str("state").unwrap_or_default();
        let aggregate = self.cx.registry.state_module(state).and_then(|module| module.mod_aggregate);
        let (Some(aggregate), false) = (aggregate, places.is_empty()) else { return Ok(()) };
        drop(low);
        self.change(at, |low| drop(low.insert("__agg__", true)));
        let mut chunks: Vec<Arc<Map>> = places.iter().map(|place| self.low(*place)).collect();
        let low = (*self.low(at)).clone();
        let low = self.run.running(|running| aggregate(&self.cx, low, &mut chunks, running))?;
        for (place, chunk) in places.into_iter().zip(chunks) {
            self.put_back(place, chunk);
        }
        self.put_back(at, Arc::new(low));
        Ok(())
    }
}

/// Each chunk once, in the order in which they come first, and the turns of all.
pub(super) fn once(chunks: Vec<Arc<Map>>) -> (Vec<Arc<Map>>, Vec<usize>) {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut kept = Vec::with_capacity(chunks.len());
    let mut turns = Vec::with_capacity(chunks.len());
    for low in chunks {
        let next = kept.len();
        let at = *places.entry(tag(&low)).or_insert(next);
        if at == next {
            kept.push(low);
        }
        turns.push(at);
    }
    (kept, turns)
}
