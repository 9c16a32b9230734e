//! Low data run: each chunk is a call of a state function, and what that gave under the chunk's tag.

mod aggregate;
mod ahead;
mod bind;
mod by_graph;
mod call;
mod checks;
mod chunks;
mod events;
mod index;
mod listen;
mod log;
mod parallel;
mod pause;
mod refresh;
mod requisites;
mod result;
mod retry;
mod slots;
mod umask;
mod verify;
mod words;

use crate::graph::Graph;
use crate::highstate::Sources;
use crate::semantics::Semantics;
use brine_core::call::{Cx, Function, Result};
use brine_core::state::Run;
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// One run over low data. Of one thread; the states of a run may be on others.
pub struct Runner {
    /// Options, grains and pillar of the run.
    cx: Cx,
    run: Arc<Run>,
    /// The chunks of the run, in their order.
    chunks: Arc<Vec<Arc<Map>>>,
    /// Their tags.
    tags: Vec<Arc<str>>,
    /// The order in which they are run. With 3008's semantics some come twice.
    turns: Vec<usize>,
    /// Who waits for whom, with 3008's semantics.
    graph: Graph,
    semantics: Semantics,
    index: index::Index,
    /// The chunks that wait for others, by tag.
    active: HashSet<Arc<str>>,
    /// What chunks that come before others would do, by tag.
    pre: HashMap<Arc<str>, Map>,
    /// A failure that ends the run.
    failed_hard: bool,
    /// No more is run.
    soon_over: bool,
    /// Not even what was begun.
    is_over: bool,
    /// A chunk waits for one that runs beside it.
    is_pending: bool,
    /// States that run beside others.
    beside: parallel::Beside,
    /// Files that are asked for ahead.
    ahead: ahead::Ahead,
    /// The number of the next result.
    number: i64,
    /// States whose `mod_init` was run.
    inited: HashSet<&'static str>,
    /// Why states cannot be had here, as far as it was asked.
    reasons: HashMap<&'static str, Option<String>>,
    /// Options, as far as they were looked at.
    state_aggregate: Option<Value>,
    conditions: Option<Map>,
    disabled_requisites: Vec<String>,
    jid: Option<String>,
    mocked: bool,
    processed: Vec<String>,
    pillar_override: Option<Map>,
    sources: Sources,
}

impl Runner {
    /// A run with the options (those of [`crate::settings`]), grains and pillar of this context.
    pub fn new(cx: &Cx) -> Self {
        Self {
            cx: cx.clone(),
            run: Arc::default(),
            chunks: Arc::default(),
            ahead: ahead::Ahead::default(),
            number: 0,
            inited: HashSet::new(),
            reasons: HashMap::new(),
            tags: Vec::new(),
            turns: Vec::new(),
            graph: Graph::default(),
            semantics: Semantics::of(&cx.opts),
            soon_over: false,
            is_over: false,
            is_pending: false,
            index: index::Index::default(),
            active: HashSet::new(),
            pre: HashMap::new(),
            failed_hard: false,
            beside: parallel::Beside::default(),
            state_aggregate: None,
            conditions: None,
            disabled_requisites: disabled_requisites(cx),
            jid: None,
            mocked: false,
            processed: Vec::new(),
            pillar_override: None,
            sources: Sources::default(),
        }
    }

    /// The job of the run: its events name it, and it can be paused.
    pub fn jid(&mut self, jid: &str) {
        self.jid = Some(jid.to_owned());
    }

    /// The number of the first result.
    pub fn first_number(&mut self, number: i64) {
        self.number = number;
    }

    /// Whether state functions are not called at all (`mock`).
    pub fn mocked(&mut self, mocked: bool) {
        self.mocked = mocked;
    }

    /// The SLS files that were rendered: who requires one of them that says nothing has what it wants.
    pub fn processed_sls(&mut self, names: impl IntoIterator<Item = String>) {
        self.processed.extend(names);
    }

    /// Where the SLS files lie, for the log.
    pub fn sources(&mut self, sources: Sources) {
        self.sources = sources;
    }

    /// What the pillar of the run was given over that of the minion, for `reload_pillar`.
    pub fn pillar_override(&mut self, over: Option<Map>) {
        self.pillar_override = over;
    }

    /// Runs chunks in their order and that of their requisites, then tells those that listen; the results by tag.
    ///
    /// # Errors
    /// Where stock ends the whole run too: words that a state function does not know, requisites that are none.
    pub fn run(&mut self, chunks: Vec<Map>) -> Result<Map> {
        let chunks: Vec<Arc<Map>> = chunks.into_iter().map(Arc::new).collect();
        let ran = self.call_chunks(chunks, true).and_then(|mut results| {
            let chunks = self.chunks.clone();
            self.call_listen(&chunks, &mut results)?;
            self.call_beacons(&chunks, &mut results)?;
            Ok(results)
        });
        self.wait_for_all();
        self.forget_pause();
        ran
    }

    /// Runs one chunk that no other needs. Give it to [`Self::verify`] before.
    ///
    /// # Errors
    /// Words that the state function does not know.
    pub fn single(&mut self, low: &mut Arc<Map>) -> Result<Map> {
        self.init(low)?;
        self.one(low)
    }

    /// The same without `mod_init`.
    ///
    /// # Errors
    /// Words that the state function does not know.
    pub fn one(&mut self, low: &mut Arc<Map>) -> Result<Map> {
        self.call(low, None)
    }

    /// The state function of that name, or why there is none.
    fn function(&mut self, full: &str) -> std::result::Result<&'static Function, String> {
        let missing = || Err(self.cx.registry.missing_state(full));
        let Some((module, name)) = full.split_once('.') else { return missing() };
        let Some(module) = self.cx.registry.state_module(module) else { return missing() };
        if let Some(unavailable) = module.unavailable {
            let reason = self.reasons.entry(module.name).or_insert_with(|| unavailable(&self.cx));
            if let Some(reason) = reason {
                return Err(match reason.as_str() {
                    "" => format!("'{}' __virtual__ returned False", module.name),
                    reason => format!("'{}' __virtual__ returned False: {reason}", module.name),
                });
            }
        }
        module.functions.iter().find(|f| f.name == name).map_or_else(missing, Ok)
    }

    /// Whether there is a state function of that name.
    fn has(&mut self, full: &str) -> bool {
        self.function(full).is_ok()
    }

    /// Runs `mod_init` of a chunk's states, if it was not yet.
    fn init(&mut self, low: &Map) -> Result<()> {
        if !self.has(&words::full_name(low)) {
            return Ok(());
        }
        let Some(module) = low.get_str("state").and_then(|name| self.cx.registry.state_module(name)) else {
            return Ok(());
        };
        if let Some(init) = module.mod_init
            && !self.inited.contains(module.name)
            && init(&self.cx, low)?
        {
            self.inited.insert(module.name);
        }
        Ok(())
    }
}

/// `disabled_requisites`
pub(crate) fn disabled_requisites(cx: &Cx) -> Vec<String> {
    match cx.opts.get("disabled_requisites") {
        Some(Value::List(names)) => names.iter().map(python_str).collect(),
        Some(one) if one.truthy() => vec![python_str(one)],
        _ => Vec::new(),
    }
}
