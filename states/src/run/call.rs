//! One chunk run: `State.call`.

use super::Runner;
use super::bind::bind;
use super::result::{Began, failure, unified};
use super::words::full_name;
use brine_core::call::{Args, CallError, Cx, Function, Result};
use brine_core::state::Step;
use brine_core::text::python_str;
use brine_core::{Map, Value};
use std::sync::Arc;

impl Runner {
    /// Runs one chunk, and gives its result.
    ///
    /// # Errors
    /// Words that the state function does not know, and the end of the job.
    pub(super) fn call(&mut self, low: &mut Arc<Map>) -> Result<Map> {
        self.call_once(low).map(unified)
    }

    fn call_once(&mut self, low: &mut Arc<Map>) -> Result {
        let began = Began::now();
        let errors = self.verify(low)?;
        let name = low.get("name").cloned().unwrap_or_default();
        tracing::info!("Running state [{}] at time {}", python_str(&name).trim(), began.time());
        if !errors.is_empty() {
            let mut ret = failure(name, errors.iter().map(|e| format!("{e}\n")).collect::<String>());
            self.count(&mut ret);
            log(&ret);
            return Ok(ret.into());
        }
        let full = full_name(low);
        let function = self.function(&full).map_err(CallError::NotAvailable)?;
        let args = bind(function, &full, low)?;
        tracing::info!("Executing state {full} for [{}]", python_str(&name).trim());
        let cx = self.within(low);
        let mut ret = match run(&cx, function, args) {
            Ok(Value::Map(ret)) => ret,
            Ok(other) => return Ok(other),
            Err(CallError::Cancelled) => return Err(CallError::Cancelled),
            Err(e) => failed(&name, &e),
        };
        ret.insert("__sls__", low.get("__sls__").cloned());
        self.count(&mut ret);
        log(&ret);
        began.stamp(&mut ret);
        ret.insert("__id__", low.get("__id__").cloned());
        tracing::info!(
            "Completed state [{}] at time {} (duration_in_ms={})",
            python_str(&name).trim(),
            Began::now().time(),
            ret.get("duration").map(python_str).unwrap_or_default()
        );
        Ok(ret.into())
    }

    /// Numbers a result.
    pub(super) fn count(&mut self, ret: &mut Map) {
        ret.insert("__run_num__", self.number);
        self.number += 1;
    }

    /// What a state function sees around it.
    fn within(&self, low: &Arc<Map>) -> Cx {
        let mut low = low.clone();
        let opts = &self.cx.opts;
        if !opts.flag("lock_saltenv")
            && let Some(saltenv) = low.get("saltenv").map(python_str)
            && low.get_str("__env__") != Some(&saltenv)
        {
            Arc::make_mut(&mut low).insert("__env__", saltenv);
        }
        let step = Step { low, chunks: self.chunks.clone(), run: self.run.clone() };
        let mut cx = self.cx.clone();
        cx.step = Some(Arc::new(step));
        cx
    }
}

/// Runs a state function.
fn run(cx: &Cx, function: &Function, args: Args) -> Result {
    cx.cancel.check()?;
    (function.run)(cx, args)
}

/// The result of a state that raised.
fn failed(name: &Value, error: &CallError) -> Map {
    tracing::debug!("An exception occurred in this state: {error}");
    failure(name.clone(), format!("An exception occurred in this state: {}", error.traceback()))
}

/// Says in the log what a state did.
fn log(ret: &Map) {
    let Some(Value::Map(changes)) = ret.get("changes") else { return };
    let text = if changes.is_empty() {
        match ret.get("comment").filter(|comment| comment.truthy()) {
            Some(comment) => python_str(comment),
            None => format!("No changes made for {}", ret.get("name").map(python_str).unwrap_or_default()),
        }
    } else if let Some(diff) = changes.get_str("diff") {
        format!("File changed:\n{diff}")
    } else {
        python_str(&Value::Map(changes.clone()))
    };
    match ret.get("result") {
        Some(Value::Bool(true) | Value::Nil) => tracing::info!("{text}"),
        _ => tracing::error!("{text}"),
    }
}
