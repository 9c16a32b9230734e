//! Low data run: each chunk is a call of a state function, and what that gave under the chunk's tag.

mod bind;
mod call;
mod result;
mod verify;
mod words;

pub use words::tag;

use brine_core::Map;
use brine_core::call::{Cx, Function, Result};
use brine_core::state::Run;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// One run over low data. Of one thread; the states of a run may be on others.
pub struct Runner {
    /// Options, grains and pillar of the run.
    cx: Cx,
    run: Arc<Run>,
    /// The chunks of the run, in their order.
    chunks: Arc<Vec<Arc<Map>>>,
    /// The number of the next result.
    number: i64,
    /// States whose `mod_init` was run.
    inited: HashSet<&'static str>,
    /// Why states cannot be had here, as far as it was asked.
    reasons: HashMap<&'static str, Option<String>>,
}

impl Runner {
    /// A run with the options (those of [`crate::settings`]), grains and pillar of this context.
    pub fn new(cx: &Cx) -> Self {
        Self {
            cx: cx.clone(),
            run: Arc::default(),
            chunks: Arc::default(),
            number: 0,
            inited: HashSet::new(),
            reasons: HashMap::new(),
        }
    }

    /// Runs one chunk that no other needs. Give it to [`Self::verify`] before.
    ///
    /// # Errors
    /// Words that the state function does not know.
    pub fn single(&mut self, low: &mut Arc<Map>) -> Result<Map> {
        self.init(low)?;
        self.call(low)
    }

    /// The state function of that name, or why there is none.
    fn function(&mut self, full: &str) -> std::result::Result<&'static Function, String> {
        let missing = || Err(format!("'{full}' is not available."));
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
