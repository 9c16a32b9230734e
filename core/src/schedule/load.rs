//! The return of a scheduled job, key by key in stock's order, on minion and master alike.

use super::Due;
use crate::call::{Args, CallError, Function, Result};
use crate::clock::{Clock, unix_now};
use crate::text::python_str;
use brine_protocol::{Map, Value, map};

/// Stock's return code of a scheduled job that failed.
const FAILED: i64 = 254;

impl Due {
    /// The function's name; `None`, as Python shows it, where the job names none.
    pub fn fun(&self) -> String {
        self.function.clone().unwrap_or_else(|| python_str(&Value::Nil))
    }

    /// Whether the job is only to be thought of.
    pub fn is_dry(&self) -> bool {
        super::job::flag(&self.data, "dry_run")
    }

    /// Whether others are told that it runs: `jid_include`.
    pub fn is_listed(&self) -> bool {
        self.data.get("jid_include").is_none_or(Value::truthy)
    }

    /// What the log says when it starts.
    pub fn announce(&self, jid: &str) {
        let late = self.late;
        let missed = if late > 0 { format!(" (runtime missed by {late} seconds)") } else { String::new() };
        tracing::info!("Running scheduled job: {}{missed} with jid {jid}", self.name);
    }

    /// What is known of the return before the job has run.
    pub fn begin(&self, id: &str, jid: &str) -> Map {
        let mut fun_args = self.positional();
        if let Some(kwargs) = self.data.get("kwargs") {
            fun_args.push(kwargs.clone());
        }
        let mut ret = map! {
            "id" => id, "fun" => self.function.as_deref(), "fun_args" => fun_args, "schedule" => self.name.as_str(),
            "jid" => jid,
        };
        match self.data.get("metadata") {
            Some(Value::Map(metadata)) => drop(ret.insert("metadata", stamped(metadata.clone()))),
            Some(_) => tracing::warn!(
                "schedule: The metadata parameter must be specified as a dictionary.  Ignoring."
            ),
            None => {}
        }
        ret.insert("pid", std::process::id());
        ret
    }

    /// `args`, as Python's `*args` takes them apart.
    fn positional(&self) -> Vec<Value> {
        match self.data.get("args") {
            Some(Value::List(list)) => list.clone(),
            Some(Value::Str(text)) => text.chars().map(|c| c.to_string().into()).collect(),
            Some(Value::Map(map)) => map.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// The arguments of the call. A function that takes `**kwargs` is given what is known of the return as `__pub_*`.
    pub fn args(&self, function: &Function, begun: &Map) -> Args {
        let keyword = self.data.get("kwargs").and_then(Value::as_map).cloned().unwrap_or_default();
        let mut args = Args { positional: self.positional(), keyword };
        if function.takes_kwargs() {
            for (key, value) in begun {
                if let Some(key) = key.as_str() {
                    args.keyword.insert(format!("__pub_{key}"), value.clone());
                }
            }
        }
        args
    }

    /// Puts the outcome into the return.
    pub fn finish(&self, ret: &mut Map, outcome: Result, retcode: Option<Value>) {
        match outcome {
            Ok(value) => {
                ret.insert("return", value);
                ret.insert("retcode", retcode.unwrap_or_else(|| 0.into()));
                ret.insert("success", true);
            }
            Err(e) => {
                let failed = format!("Unhandled exception running {}", self.fun());
                tracing::error!("{failed}: {e}");
                let text = match e {
                    // The job's own function, not one that it calls.
                    CallError::NotAvailable(text) if text.starts_with(&format!("'{}' ", self.fun())) => text,
                    _ => failed,
                };
                ret.insert("return", text);
                ret.insert("success", false);
                ret.insert("retcode", FAILED);
            }
        }
    }

    /// Puts what the job has for its returners into the return: `return_config` and `return_kwargs`.
    pub fn returner_options(&self, ret: &mut Map) {
        for (to, from) in [("ret_config", "return_config"), ("ret_kwargs", "return_kwargs")] {
            if let Some(value) = self.data.get(from) {
                ret.insert(to, value.clone());
            }
        }
    }

    /// Notes that a returner failed: the job counts as failed then, though what it returned stays.
    pub fn returner_failed(&self, ret: &mut Map, error: &CallError) {
        tracing::error!("Unhandled exception running {}: {error}", self.fun());
        ret.insert("success", false);
        ret.insert("retcode", FAILED);
    }

    /// The returners that the job, or the option `schedule_returner`, asks for.
    pub fn returners(&self, option: Option<&Value>) -> Vec<String> {
        let mut names = Vec::new();
        for value in [self.data.get("returner"), option].into_iter().flatten() {
            match value {
                Value::Str(one) => names.push(one.clone()),
                Value::List(list) => names.extend(list.iter().map(python_str)),
                _ => {}
            }
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
        names
    }

    /// The return as it is given to a master; None where the job's `return_job` is off. Where a returner has it already, it
    /// keeps its job id; else the master makes one (`req`), or is told not to keep it (`nocache`).
    pub fn to_give(&self, mut ret: Map, has_returner: bool) -> Option<Map> {
        let wanted = self.data.get("return_job");
        if wanted.is_some_and(|w| !w.truthy()) {
            return None;
        }
        if !has_returner {
            let nocache = wanted.and_then(Value::as_str) == Some("nocache");
            ret.insert("jid", if nocache { "nocache" } else { "req" });
        }
        Some(ret)
    }
}

/// Metadata with the time it is, as stock adds it.
fn stamped(mut metadata: Map) -> Map {
    let unix = unix_now() as i64;
    let (here, utc) = (Clock::local(unix), Clock::at(unix, 0));
    metadata.insert("_TOS", here.strftime("%z"));
    metadata.insert("_TS", here.strftime("%a %b %e %H:%M:%S %Y"));
    metadata.insert("_TT", utc.strftime("%Y %B %d %a %H %m"));
    metadata
}
