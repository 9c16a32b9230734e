//! All chunks run, in their order and that of their requisites.
//!
//! A chunk that others come before waits on a stack of its own while these are run, so that the length of a chain is no
//! matter of the thread's stack.

use super::Runner;
use super::by_graph;
use super::index::entries;
use super::requisites::{LOOKED_AT, Requisites, Status};
use super::result::no_time;
use super::words::{full_name, say_whose};
use crate::semantics::disabled_by;
use brine_core::call::{CallError, Result};
use brine_core::state::tag;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::sync::Arc;

/// How often a chunk may wait for others anew.
const DEEPEST: u32 = 20;

/// A chunk at work.
pub(super) struct Frame {
    pub(super) at: usize,
    depth: u32,
    pub(super) stage: Stage,
}

pub(super) enum Stage {
    /// Nothing was done.
    Start,
    /// These come first; this many of them were seen to, and the last is `called`.
    Needs { chunks: Vec<usize>, next: usize, called: bool },
    /// The chunk was run, after the last of those.
    Ran { last: Option<usize> },
}

/// What comes next.
pub(super) enum Next {
    Call(Frame),
    Done,
}

impl Runner {
    /// Runs these chunks, which are all that their requisites can mean. `requisites`: whether they count, where they are asked
    /// of the graph.
    pub(super) fn call_chunks(&mut self, chunks: Vec<Arc<Map>>, requisites: bool) -> Result<Map> {
        let (chunks, disabled) = self.without_disabled(chunks);
        self.take(chunks, requisites)?;
        (self.soon_over, self.is_over) = (false, false);
        if self.semantics.is_3008() {
            self.call_in_turn()?
        } else {
            self.call_in_order()?
        }
        self.failed_hard = false;
        self.active.clear();
        self.wait_for_all();
        let running = self.run.running(std::mem::take);
        if self.soon_over {
            return Ok(running);
        }
        let mut results = disabled;
        results.update(running);
        Ok(results)
    }

    fn call_in_order(&mut self) -> Result<()> {
        for at in 0..self.chunks.len() {
            if self.failed_hard {
                self.soon_over = true;
                break;
            }
            if self.is_run(at) {
                continue;
            }
            if self.is_killed_by_pause(at) {
                break;
            }
            self.call_unless_killed(at)?;
            if self.ends_the_run(at) {
                self.soon_over = true;
                break;
            }
            self.active.clear();
        }
        Ok(())
    }

    /// Runs one chunk, or says of it that the job was killed.
    pub(super) fn call_unless_killed(&mut self, at: usize) -> Result<()> {
        if self.cx.cancel.is_cancelled() {
            self.killed(at);
            return Ok(());
        }
        match self.call_chunk(at) {
            Err(CallError::Cancelled) => {
                self.killed(at);
                Ok(())
            }
            ran => ran,
        }
    }

    /// Runs the chunks of one id, each with what it needs as if nothing had run before, as `state.sls_id` does.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_id(&mut self, chunks: Vec<Map>, id: &str) -> Result<Map> {
        self.take(chunks.into_iter().map(Arc::new).collect(), true)?;
        let mut results = Map::new();
        for at in self.turns.clone() {
            if self.low(at).get("__id__").map(python_str).unwrap_or_default() != id {
                continue;
            }
            self.call_chunk(at)?;
            self.active.clear();
            self.wait_for_all();
            results.update(self.run.running(std::mem::take));
        }
        Ok(results)
    }

    /// Makes these the chunks of the run.
    fn take(&mut self, chunks: Vec<Arc<Map>>, requisites: bool) -> Result<()> {
        let newer = self.semantics.is_3008();
        let all: Vec<usize> = (0..chunks.len()).collect();
        // One that is tried out comes twice and is one; who is told twice is not.
        let (chunks, turns) = if newer && requisites { by_graph::once(chunks) } else { (chunks, all) };
        self.turns = turns;
        self.tags = chunks.iter().map(|low| tag(low).into()).collect();
        self.chunks = Arc::new(chunks);
        if newer {
            return self.draw(requisites);
        }
        self.index = super::index::Index::new(&self.chunks);
        Ok(())
    }

    /// Takes the chunks out whose functions are disabled (`state.disable`), with a result for each. 3008 runs them all the
    /// same: low data have none, only what listens may be one.
    fn without_disabled(&mut self, chunks: Vec<Arc<Map>>) -> (Vec<Arc<Map>>, Map) {
        let mut results = Map::new();
        if !self.cx.grains.contains("state_runs_disabled") {
            return (chunks, results);
        }
        let mut kept = Vec::with_capacity(chunks.len());
        for low in chunks {
            let full = full_name(&low);
            let Some(pattern) = disabled_by(&self.cx, &full) else {
                kept.push(low);
                continue;
            };
            let mut ret = map! {
                "changes" => Map::new(),
                "result" => false,
                "comment" => format!(
                    "The state function \"{full}\" is currently disabled by \"{pattern}\", \
                     to re-enable, run state.enable {pattern}."
                ),
            };
            self.count(&mut ret);
            ret.insert("__sls__", low.get("__sls__").cloned());
            results.insert(tag(&low), ret);
            if self.semantics.is_3008() {
                kept.push(low);
            }
        }
        (kept, results)
    }

    /// Runs one chunk, after those that come before it.
    fn call_chunk(&mut self, at: usize) -> Result<()> {
        let mut stack = vec![Frame { at, depth: 0, stage: Stage::Start }];
        // More can only wait where chunks wait for each other without end: stock then ends with a RecursionError.
        let most = (self.chunks.len() + 1) * DEEPEST as usize;
        while let Some(frame) = stack.last_mut() {
            match self.step(frame)? {
                Next::Call(_) if stack.len() > most => {
                    self.record_recursion(at);
                    self.number += 1;
                    self.tell(at);
                    return Ok(());
                }
                Next::Call(frame) => stack.push(frame),
                Next::Done => drop(stack.pop()),
            }
            if self.is_over {
                return Ok(());
            }
        }
        Ok(())
    }

    pub(super) fn step(&mut self, frame: &mut Frame) -> Result<Next> {
        match &mut frame.stage {
            Stage::Start if self.semantics.is_3008() => self.start_by_graph(frame),
            Stage::Start => self.start(frame),
            Stage::Needs { chunks, next, called } => {
                while let Some(needed) = chunks.get(*next).copied() {
                    if *called {
                        *called = false;
                        *next += 1;
                        if self.is_pending {
                            return Ok(Next::Done);
                        }
                        if self.is_failhard(needed) {
                            self.failed_hard = true;
                            return Ok(Next::Done);
                        }
                        continue;
                    }
                    if self.is_run(needed) {
                        *next += 1;
                        continue;
                    }
                    if self.tags.get(needed).is_some_and(|tag| self.active.contains(tag)) {
                        self.recursive(frame.at, needed)?;
                        return Ok(Next::Done);
                    }
                    *called = true;
                    return Ok(Next::Call(Frame { at: needed, depth: 0, stage: Stage::Start }));
                }
                if self.failed_hard && !self.semantics.is_3008() {
                    self.is_over = true;
                    return Ok(Next::Done);
                }
                let last = match self.semantics.is_3008() {
                    true => Some(frame.at),
                    false => chunks.last().copied().or_else(|| self.chunks.len().checked_sub(1)),
                };
                if self.low(frame.at).get("__prereq__").is_some_and(Value::truthy) {
                    self.would(frame.at)?;
                    return self.ran(frame.at, last);
                }
                let depth = frame.depth + 1;
                if depth >= DEEPEST {
                    self.record_recursion(frame.at);
                    return self.ran(frame.at, last);
                }
                frame.stage = Stage::Ran { last };
                Ok(Next::Call(Frame { at: frame.at, depth, stage: Stage::Start }))
            }
            Stage::Ran { last } => {
                let last = *last;
                if last.is_some_and(|last| self.is_failhard(last)) {
                    self.failed_hard = true;
                }
                // What is told of it was told when it was run.
                Ok(Next::Done)
            }
        }
    }

    /// A chunk was run after those it waited for.
    fn ran(&mut self, at: usize, last: Option<usize>) -> Result<Next> {
        if last.is_some_and(|last| self.is_failhard(last)) {
            self.failed_hard = true;
            return Ok(Next::Done);
        }
        self.tell(at);
        Ok(Next::Done)
    }

    fn start(&mut self, frame: &mut Frame) -> Result<Next> {
        let at = frame.at;
        self.aggregate(at)?;
        let low = self.low(at);
        self.init(&low)?;
        if !low.get("prerequired").is_some_and(Value::truthy)
            && let Some(tag) = self.tags.get(at)
        {
            self.active.insert(tag.clone());
        }
        let is_prereq = low.get("__prereq__").is_some_and(Value::truthy);
        // A failure that is to end the run ends it here, where stock dies of its mark for it; what waits for nothing is run.
        if self.failed_hard
            && LOOKED_AT.iter().chain(&["prerequired"]).any(|requisite| low.contains(requisite))
        {
            self.is_over = true;
            return Ok(Next::Done);
        }
        let (status, requisites) = self.check_requisite(at, !is_prereq)?;
        match status {
            Status::Unmet => {
                let Some(chunks) = self.needs(at, !is_prereq)? else { return Ok(Next::Done) };
                frame.stage = Stage::Needs { chunks, next: 0, called: false };
                return self.step(frame);
            }
            Status::Fail => self.requisite_failed(at, &requisites),
            Status::Change if !is_prereq => {
                let ret = self.changed(at, &requisites)?;
                self.record(at, ret);
            }
            Status::Pre => {
                let ret = self.not_run(at, "No changes detected", None);
                self.remember_pre(at, ret.clone());
                self.record(at, ret);
            }
            Status::Onfail => {
                let ret =
                    self.not_run(at, "State was not run because onfail req did not change", Some(false));
                self.record(at, ret);
            }
            Status::Onchanges => {
                let comment = "State was not run because none of the onchanges reqs changed";
                let ret = self.not_run(at, comment, Some(false));
                self.record(at, ret);
            }
            // 3006 knows no more.
            Status::Met | Status::Change | Status::SkipReq | Status::SkipWatch | Status::Pending => {
                let ret = self.call_at(at)?;
                if is_prereq { self.remember_pre(at, ret) } else { self.record(at, ret) }
            }
        }
        self.tell(at);
        Ok(Next::Done)
    }

    /// The chunks that come before one; nothing where some cannot be found, and it has failed.
    fn needs(&mut self, at: usize, prerequired: bool) -> Result<Option<Vec<usize>>> {
        let low = self.low(at);
        let mut needed = Vec::new();
        let mut lost = String::new();
        // Stock forgets `onfail_all` here, and trips over it.
        for requisite in LOOKED_AT.into_iter().chain(prerequired.then_some("prerequired")) {
            let mut missing = String::new();
            for wanted in entries(&low, requisite) {
                let places = match &wanted.name {
                    Value::Nil => [].into(),
                    Value::Str(_) => self.find(&wanted)?,
                    other => return Err(super::index::no_text(other)),
                };
                for place in places.iter().copied() {
                    let mark = match requisite {
                        "prereq" => "__prereq__",
                        "prerequired" if wanted.kind != "sls" => "__prerequired__",
                        _ => "",
                    };
                    if !mark.is_empty() {
                        self.change(place, |low| drop(low.insert(mark, true)));
                    }
                    needed.push(place);
                }
                if places.is_empty() && !self.is_processed(&wanted) {
                    missing += &format!("{:23}{}: {}\n", "", wanted.kind, python_str(&wanted.name));
                }
            }
            if !missing.is_empty() {
                lost += &format!("{:19}{requisite}:\n{missing}", "");
            }
        }
        if lost.is_empty() {
            return Ok(Some(needed));
        }
        let comment = format!("The following requisites were not found:\n{lost}");
        let mut ret = self.not_run(at, &comment, None);
        ret.insert("result", false);
        if low.get("__prereq__").is_some_and(Value::truthy) {
            self.remember_pre(at, ret);
        } else {
            self.record(at, ret);
        }
        self.tell(at);
        Ok(None)
    }

    /// A chunk needs one that waits for it.
    fn recursive(&mut self, at: usize, needed: usize) -> Result<()> {
        if self.low(needed).get("__prerequired__").is_some_and(Value::truthy) {
            if !self.tag(at).is_some_and(|tag| self.pre.contains_key(tag)) {
                self.change(at, |low| drop(low.insert("__prereq__", true)));
                let ret = self.call_at(at)?;
                self.remember_pre(needed, ret);
            }
            return Ok(());
        }
        self.record_recursion(at);
        self.number += 1;
        self.tell(at);
        Ok(())
    }

    fn record_recursion(&mut self, at: usize) {
        tracing::error!("Recursive requisite found");
        let mut ret = map! {
            "changes" => Map::new(),
            "result" => false,
            "comment" => "Recursive requisite found",
            "__run_num__" => self.number,
        };
        say_whose(&mut ret, &self.low(at));
        self.record(at, ret);
    }

    /// Runs a chunk that comes before others as a test, to know whether it would change anything.
    pub(super) fn would(&mut self, at: usize) -> Result<()> {
        let (status, _) = match self.semantics.is_3008() {
            true => self.check_by_graph(at)?,
            false => self.check_requisite(at, false)?,
        };
        let ret = if status == Status::Pre {
            self.not_run(at, "No changes detected", Some(false))
        } else {
            let mut ret = self.call_at(at)?;
            if status == Status::Change && !ret.get("changes").is_some_and(Value::truthy) {
                ret.insert("changes", map! {"watch" => "watch"});
                ret.insert("result", Value::Nil);
            }
            ret
        };
        self.remember_pre(at, ret);
        Ok(())
    }

    /// One that was needed failed.
    pub(super) fn requisite_failed(&mut self, at: usize, requisites: &Requisites) {
        let low = self.low(at);
        let own = self.tag(at).and_then(|tag| self.pre.get(tag)).cloned();
        let ret = match own {
            // Its own look at what it would change failed.
            Some(mut ret) => {
                if ret.get("changes").is_some_and(Value::truthy) {
                    ret.insert("changes", Map::new());
                }
                ret.insert("__run_num__", self.number);
                say_whose(&mut ret, &low);
                self.number += 1;
                ret
            }
            None => {
                let comment =
                    format!("One or more requisite failed: {}", self.failed_of(requisites).join(", "));
                if self.semantics.is_3008() {
                    return self.left(at, &comment, false);
                }
                let mut ret = self.not_run(at, &comment, None);
                ret.insert("result", false);
                ret
            }
        };
        self.remember_pre(at, ret.clone());
        self.record(at, ret);
    }

    /// SLS and id of each needed chunk that failed.
    fn failed_of(&self, requisites: &Requisites) -> Vec<String> {
        let mut failed: Vec<String> = Vec::new();
        for place in requisites.iter().flat_map(|(_, places)| places) {
            let Some(tag) = self.tag(*place) else { continue };
            let is_failed = |ret: &Map| ret.get("result") == Some(&Value::Bool(false));
            let has_failed = match self.pre.get(tag) {
                Some(ret) => is_failed(ret),
                None => self.run.running(|all| all.get(tag).and_then(Value::as_map).is_some_and(is_failed)),
            };
            if has_failed {
                let low = self.low(*place);
                let text = |key: &str| low.get(key).map(python_str).unwrap_or_default();
                let key = format!("{}.{}", text("__sls__"), text("__id__"));
                if !failed.contains(&key) {
                    failed.push(key);
                }
            }
        }
        failed
    }

    /// Runs a chunk that watches something that changed; where it changes nothing itself, it is told.
    pub(super) fn changed(&mut self, at: usize, requisites: &Requisites) -> Result<Map> {
        let ret = self.call_at(at)?;
        if ret.get("changes").is_some_and(Value::truthy) || ret.get("skip_watch").is_some_and(Value::truthy) {
            return Ok(ret);
        }
        let mut low = (*self.low(at)).clone();
        let watched: Map = requisites
            .iter()
            .map(|(requisite, places)| {
                let chunks: Value = places.iter().map(|place| (*self.low(*place)).clone()).collect();
                (*requisite, chunks)
            })
            .collect();
        let function = low.get("fun").cloned();
        low.insert("sfun", function);
        low.insert("fun", "mod_watch");
        low.insert("__reqs__", watched);
        self.call(&mut Arc::new(low), Some(at))
    }

    /// Runs the chunk at a place.
    pub(super) fn call_at(&mut self, at: usize) -> Result<Map> {
        let mut low = self.low(at);
        let ret = self.call(&mut low, Some(at));
        self.put_back(at, low);
        ret
    }

    /// The result of a chunk that is not run.
    pub(super) fn not_run(&mut self, at: usize, comment: &str, ran: Option<bool>) -> Map {
        let mut ret = map! {"changes" => Map::new(), "result" => true};
        no_time(&mut ret);
        ret.insert("comment", comment);
        if let Some(ran) = ran {
            ret.insert("__state_ran__", ran);
        }
        self.count(&mut ret);
        say_whose(&mut ret, &self.low(at));
        ret
    }

    /// The result of a chunk that comes too late: the job was killed.
    fn killed(&mut self, at: usize) {
        let mut ret = self.not_run(at, "State was not run because the job was killed", Some(false));
        ret.insert("result", false);
        self.record(at, ret);
    }

    /// Keeps a result.
    pub(super) fn record(&mut self, at: usize, ret: Map) {
        if let Some(tag) = self.tags.get(at) {
            self.run.running(|running| drop(running.insert(&**tag, ret)));
        }
    }

    /// Keeps what a chunk that comes before others would do.
    pub(super) fn remember_pre(&mut self, at: usize, ret: Map) {
        if let Some(tag) = self.tags.get(at) {
            self.pre.insert(tag.clone(), ret);
        }
    }

    pub(super) fn is_run(&self, at: usize) -> bool {
        self.tag(at).is_some_and(|tag| self.run.running(|running| running.contains(tag)))
    }

    /// The same of one that was run to its end. Of those that a kill stops, each has its result.
    pub(super) fn ends_the_run(&self, at: usize) -> bool {
        !self.cx.cancel.is_cancelled() && self.is_failhard(at)
    }

    /// Whether the failure of a chunk ends the run.
    pub(super) fn is_failhard(&self, at: usize) -> bool {
        let opts = &self.cx.opts;
        if opts.get("test").is_some_and(Value::truthy) {
            return false;
        }
        let low = self.low(at);
        if !low.get("failhard").map_or_else(|| opts.flag("failhard"), Value::truthy) {
            return false;
        }
        self.tag(at).is_some_and(|tag| {
            self.run.running(|running| {
                let result = running.get(tag).and_then(|ret| ret.get("result"));
                result.is_some_and(|result| !result.is_nil() && !result.truthy())
            })
        })
    }

    /// Tells of a result by an event, and adds the results of the parts of a state.
    pub(super) fn tell(&mut self, at: usize) {
        let Some(tag) = self.tags.get(at).cloned() else { return };
        let low = self.low(at);
        let is_told = self.is_told(low.get("fire_event"));
        let ret = self.run.running(|running| {
            let ret = running.get(&tag)?.as_map()?;
            (is_told || ret.contains("sub_state_run")).then(|| ret.clone())
        });
        let Some(ret) = ret else { return };
        if is_told {
            self.event(&ret, low.get("fire_event"));
        }
        let Some(Value::List(parts)) = ret.get("sub_state_run") else { return };
        self.run.running(|running| {
            running.get_mut(&tag).and_then(Value::as_map_mut).map(|ret| ret.remove("sub_state_run"))
        });
        for part in parts.iter().filter_map(Value::as_map) {
            let Some(Value::Map(part_low)) = part.get("low") else { continue };
            self.number += 1;
            let mut timed = Map::new();
            no_time(&mut timed);
            let or = |key: &str, other: Value| part.get(key).cloned().unwrap_or(other);
            let mut ret = map! {
                "name" => part_low.get("name").cloned(),
                "changes" => or("changes", Map::new().into()),
                "result" => or("result", Value::Nil),
                "duration" => or("duration", timed.get("duration").cloned().unwrap_or_default()),
                "start_time" => or("start_time", timed.get("start_time").cloned().unwrap_or_default()),
                "comment" => or("comment", "".into()),
                "__state_ran__" => true,
                "__run_num__" => self.number,
            };
            say_whose(&mut ret, &low);
            let part_tag = brine_core::state::tag(part_low);
            self.run.running(|running| drop(running.insert(part_tag, ret)));
        }
    }
}
