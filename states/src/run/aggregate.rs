//! One chunk for many: `mod_aggregate`, as `state_aggregate` or the chunk asks for it.

use super::Runner;
use brine_core::call::{Args, Result};
use brine_core::state::tag;
use brine_core::state::{REQUISITES, REQUISITES_IN};
use brine_core::{Map, Value};
use std::sync::Arc;

impl Runner {
    /// Makes one chunk of this and others, if that is wanted and its states can do so.
    pub(super) fn aggregate(&mut self, at: usize) -> Result<()> {
        let low = self.low(at);
        let state = low.get_str("state").unwrap_or_default();
        let wanted = match low.get("aggregate") {
            Some(own) => own.clone(),
            None => self.state_aggregate()?,
        };
        let is_wanted = match &wanted {
            Value::Bool(true) => true,
            Value::List(states) => states.iter().any(|name| name.as_str() == Some(state)),
            _ => false,
        };
        if !is_wanted || low.get("__agg__").is_some_and(Value::truthy) {
            return Ok(());
        }
        let Some(module) = self.cx.registry.state_module(state) else { return Ok(()) };
        let Some(aggregate) = module.mod_aggregate else { return Ok(()) };
        drop(low);
        self.change(at, |low| drop(low.insert("__agg__", true)));
        let low = (*self.low(at)).clone();
        let chunks = Arc::make_mut(&mut self.chunks);
        let low = self.run.running(|running| aggregate(&self.cx, low, chunks, running))?;
        let low = with_requisites(low, chunks);
        if let Some(own) = self.tags.get_mut(at) {
            *own = tag(&low).into();
        }
        self.put_back(at, Arc::new(low));
        Ok(())
    }

    pub(super) fn state_aggregate(&mut self) -> Result {
        if self.state_aggregate.is_none() {
            self.state_aggregate =
                Some(self.cx.call("config.option", Args::positional(["state_aggregate"]))?);
        }
        Ok(self.state_aggregate.clone().unwrap_or_default())
    }
}

/// The chunk with the requisites of those it stands for.
fn with_requisites(mut low: Map, chunks: &[Arc<Map>]) -> Map {
    let mut requisites = Map::new();
    for chunk in chunks {
        let is_in = chunk.get("__agg__").is_some_and(Value::truthy)
            && chunk.get("state") == low.get("state")
            && chunk.get("name") != low.get("name");
        if !is_in {
            continue;
        }
        for requisite in REQUISITES.into_iter().chain(REQUISITES_IN) {
            let Some(more) = chunk.get(requisite) else { continue };
            match (requisites.get_mut(requisite), more) {
                (Some(Value::List(all)), Value::List(more)) => all.extend(more.iter().cloned()),
                (Some(_), _) => {}
                (None, more) => drop(requisites.insert(requisite, more.clone())),
            }
        }
    }
    low.update(requisites);
    low
}
