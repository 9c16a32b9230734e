//! One chunk run: `State.call`.

use super::Runner;
use super::bind::bind;
use super::result::{Began, failure, unified};
use super::retry::{self, Retry};
use super::words::full_name;
use super::{log, parallel, slots, umask};
use brine_core::call::{Args, CallError, Cx, Function, Result};
use brine_core::progress;
use brine_core::state::Step;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Why a state did not come to its end.
const KILLED: &str = "State was not run to its end because the job was killed";

impl Runner {
    /// Runs one chunk, as often as it wants, and gives its result. `at` is its place among the chunks, if it has one.
    ///
    /// # Errors
    /// Words that the state function does not know.
    pub(super) fn call(&mut self, low: &mut Arc<Map>, at: Option<usize>) -> Result<Map> {
        let mut attempts: Vec<(Map, f64)> = Vec::new();
        loop {
            let (ret, is_real) = self.call_once(low, at)?;
            let retry = low.get("retry").filter(|_| is_real && !low.contains("parallel")).map(Retry::of);
            let (retry, mut ret) = match (retry, ret) {
                (Some(retry), Value::Map(ret)) => (retry, ret),
                (_, ret) => return Ok(retried(attempts, unified(ret))),
            };
            if self.cx.test {
                ret.insert("comment", retry.would(ret.get("comment")));
                return Ok(unified(ret.into()));
            }
            let tried = attempts.len() as i128 + 1;
            if retry.is_reached(&ret) || retry.attempts <= tried || self.cx.cancel.is_cancelled() {
                return Ok(retried(attempts, unified(ret.into())));
            }
            let interval = retry.next_interval();
            tracing::info!(
                "State result does not match retry until value, state will be re-run in {interval} seconds"
            );
            if retry::sleep(&self.cx, interval).is_err() {
                return Ok(retried(attempts, unified(ret.into())));
            }
            attempts.push((ret, interval * 1000.0));
        }
    }

    /// One attempt; and whether it is one, and not a look at what would be or a fault of the chunk.
    fn call_once(&mut self, low: &mut Arc<Map>, at: Option<usize>) -> Result<(Value, bool)> {
        let began = Began::now();
        let errors = self.verify(low)?;
        let name = low.get("name").cloned().unwrap_or_default();
        tracing::info!("Running state [{}] at time {}", python_str(&name).trim(), began.time());
        if !errors.is_empty() {
            let mut ret = failure(name, errors.iter().map(|e| format!("{e}\n")).collect::<String>());
            self.count(&mut ret);
            self.tell_log(low, &ret);
            self.check_refresh(low, &ret);
            return Ok((ret.into(), false));
        }
        let is_prereq = low.get("__prereq__").is_some_and(Value::truthy);
        let full = full_name(low);
        let function = self.function(&full).map_err(CallError::NotAvailable)?;
        let args = bind(function, &full, low, self.semantics.is_3008())?;
        progress::now(|| {
            let done = self.run.running(|running| running.len());
            format!("[{}/{}] {full}: {}", done + 1, self.turns.len().max(done + 1), python_str(&name).trim())
        });
        if !is_prereq {
            tracing::info!("Executing state {full} for [{}]", python_str(&name).trim());
        }
        let cx = self.within(low, is_prereq);
        self.cx.job.set_context("runas", low.get("runas").cloned());
        let password = low.get("password").filter(|_| low.get_str("state") == Some("cmd"));
        self.cx.job.set_context("runas_password", password.or_else(|| low.get("runas_password")).cloned());
        let ran = self.checked_run(&cx, function, args, low, at);
        self.cx.job.remove_context("runas");
        self.cx.job.remove_context("runas_password");
        let ret = match ran {
            Ok(ret) => ret,
            Err(e) => failed(&name, &e).into(),
        };
        let Value::Map(mut ret) = ret else { return Ok((ret, false)) };
        self.note_ahead(&ret);
        if is_prereq {
            Arc::make_mut(low).insert("__prereq__", false);
            return Ok((ret.into(), false));
        }
        ret.insert("__sls__", low.get("__sls__").cloned());
        self.count(&mut ret);
        if self.semantics.is_3008() && low.get("no_log").is_some_and(Value::truthy) {
            super::result::mask(&mut ret);
        }
        self.tell_log(low, &ret);
        self.check_refresh(low, &ret);
        began.stamp(&mut ret);
        ret.insert("__id__", low.get("__id__").cloned());
        tracing::info!(
            "Completed state [{}] at time {} (duration_in_ms={})",
            python_str(&name).trim(),
            Began::now().time(),
            ret.get("duration").map(python_str).unwrap_or_default()
        );
        Ok((ret.into(), true))
    }

    /// Runs the function if its conditions are met, and lets `check_cmd` have the last word.
    fn checked_run(
        &mut self,
        cx: &Cx,
        function: &'static Function,
        args: Args,
        low: &mut Arc<Map>,
        at: Option<usize>,
    ) -> Result {
        let mut ret = Value::Nil;
        if ["unless", "onlyif", "creates"].iter().any(|key| low.contains(key)) {
            let mut found =
                map! {"result" => false, "name" => low.get("name").cloned(), "changes" => Map::new()};
            found.update(super::checks::conditions(cx, low)?);
            ret = found.into();
        }
        if ret.get("result") != Some(&Value::Bool(true)) {
            ret = self.unconditioned(cx, function, args, low, at)?;
        }
        let own_check = function.params.iter().any(|param| param.name == "check_cmd")
            && self.has(&format!("{}.mod_run_check_cmd", low.get_str("state").unwrap_or_default()));
        if low.contains("check_cmd") && !own_check {
            let Value::Map(all) = &mut ret else {
                let kind = brine_core::text::python_type(&ret);
                return Err(CallError::exception(
                    "AttributeError",
                    format!("'{kind}' object has no attribute 'update'"),
                ));
            };
            all.update(super::checks::check_cmd(cx, low)?);
        }
        Ok(ret)
    }

    fn unconditioned(
        &mut self,
        cx: &Cx,
        function: &'static Function,
        mut args: Args,
        low: &Arc<Map>,
        at: Option<usize>,
    ) -> Result {
        if self.mocked {
            return Ok(map! {
                "name" => args.keyword.get("name").cloned(),
                "comment" => "Not called, mocked",
                "changes" => Map::new(),
                "result" => true,
            }
            .into());
        }
        if let Some(ret) = self.global_conditions(low)? {
            tracing::info!(
                "Failed to meet global state conditions. State '{}' not called.",
                low.get("name").map(python_str).unwrap_or_default()
            );
            return Ok(ret.into());
        }
        let is_parallel = low.get("parallel").is_some_and(Value::truthy);
        if is_parallel && !low.get("__prereq__").is_some_and(Value::truthy) {
            return Ok(self.start_parallel(parallel::Work::new(cx, function, args, low), at).into());
        }
        slots::format(cx, &mut args.keyword)?;
        self.ask_ahead(at);
        umask::of(low, || run(cx, function, args))
    }

    /// What stands against a state here (`global_state_conditions`).
    fn global_conditions(&mut self, low: &Map) -> Result<Option<Map>> {
        if self.conditions.is_none() {
            let conditions = self.cx.call("config.option", Args::positional(["global_state_conditions"]))?;
            self.conditions = Some(match conditions {
                Value::Map(conditions) => conditions,
                _ => Map::new(),
            });
        }
        let Some(conditions) = self.conditions.as_ref().filter(|all| !all.is_empty()) else {
            return Ok(None);
        };
        let (full, state) = (full_name(low), low.get_str("state").unwrap_or_default());
        let mut matches = Vec::new();
        for (of, wanted) in conditions {
            if !["*", &full, state].contains(&of.as_str().unwrap_or_default()) {
                continue;
            }
            let wanted = match wanted {
                Value::List(all) => all.clone(),
                Value::Str(_) => vec![wanted.clone()],
                _ => continue,
            };
            for condition in wanted {
                matches.push(self.cx.call("match.compound", Args::positional([condition]))?.truthy());
            }
        }
        if matches.is_empty() || matches.contains(&true) {
            return Ok(None);
        }
        Ok(Some(map! {
            "name" => low.get("name").cloned(),
            "comment" => "Failed to meet global state conditions. State not called.",
            "changes" => Map::new(),
            "result" => Value::Nil,
        }))
    }

    /// Says in the log what a state did, and where one that failed is declared.
    fn tell_log(&self, low: &Map, ret: &Map) {
        log::result(ret);
        if ret.get("result") != Some(&Value::Bool(false)) || !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let text = |key: &str| low.get(key).map(python_str).unwrap_or_default();
        let (sls, id) = (text("__sls__"), text("__id__"));
        if let Some(place) = self.sources.get(&format!("{}:{sls}", text("__env__"))) {
            tracing::debug!("State '{id}' in SLS '{sls}' failed; it is declared in {}", place.of(&id));
        }
    }

    /// Numbers a result.
    pub(super) fn count(&mut self, ret: &mut Map) {
        ret.insert("__run_num__", self.number);
        self.number += 1;
    }

    /// What a state function sees around it.
    fn within(&self, low: &Arc<Map>, is_prereq: bool) -> Cx {
        let mut low = low.clone();
        let opts = &self.cx.opts;
        let wanted = low.get("saltenv").map(python_str).or_else(|| low.get_str("env").map(str::to_owned));
        if !opts.flag("lock_saltenv")
            && let Some(saltenv) = wanted
            && low.get_str("__env__") != Some(&saltenv)
        {
            Arc::make_mut(&mut low).insert("__env__", saltenv);
        }
        let step = Step { low, chunks: self.chunks.clone(), run: self.run.clone() };
        let mut cx = self.cx.clone();
        cx.step = Some(Arc::new(step));
        cx.test |= is_prereq;
        cx
    }
}

/// The result of the last of many attempts, which tells of those before.
fn retried(attempts: Vec<(Map, f64)>, mut ret: Map) -> Map {
    for (tried, (before, waited)) in attempts.into_iter().enumerate().rev() {
        let text = |ret: &Map, key: &str| ret.get(key).map(python_str).unwrap_or_default();
        let own = ret.get("comment").filter(|comment| comment.truthy()).map(python_str).unwrap_or_default();
        let comment = format!(
            "Attempt {}: Returned a result of \"{}\", with the following comment: \"{}\"\n{own}",
            tried + 1,
            text(&before, "result"),
            text(&before, "comment")
        );
        ret.insert("comment", comment);
        let length = |ret: &Map| ret.get("duration").and_then(Value::as_float).unwrap_or_default();
        ret.insert("duration", length(&ret) + length(&before) + waited);
        if tried == 0 {
            ret.insert("start_time", before.get("start_time").cloned());
        }
    }
    ret
}

/// Runs a state function; a panic in it is a failure of the state alone.
pub(super) fn run(cx: &Cx, function: &Function, args: Args) -> Result {
    cx.cancel.check()?;
    match catch_unwind(AssertUnwindSafe(|| (function.run)(cx, args))) {
        Ok(ret) => ret,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic");
            Err(CallError::exception("RuntimeError", text))
        }
    }
}

/// The result of a state that raised.
pub(super) fn failed(name: &Value, error: &CallError) -> Map {
    if let CallError::Cancelled = error {
        return failure(name.clone(), KILLED);
    }
    tracing::debug!("An exception occurred in this state: {error}");
    failure(name.clone(), format!("An exception occurred in this state: {}", error.traceback()))
}
