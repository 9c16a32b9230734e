//! States that run beside others (`parallel: True`), each on a thread of its own, until one needs them or the run ends.

use super::Runner;
use super::call::{failed, run};
use super::result::{Began, milliseconds};
use super::retry::{self, Retry};
use super::{slots, umask};
use brine_core::call::{Args, CallError, Cx, Function, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

/// What runs beside others.
pub(super) struct Work {
    cx: Cx,
    function: &'static Function,
    args: Args,
    low: Arc<Map>,
}

impl Work {
    /// As the chunk says it. It leaves the others' `__context__` alone.
    pub(super) fn new(cx: &Cx, function: &'static Function, args: Args, low: &Arc<Map>) -> Self {
        let mut cx = cx.clone();
        cx.job = Arc::new(cx.job.fork());
        Self { cx, function, args, low: low.clone() }
    }

    fn name(&self) -> Value {
        let name = self.args.keyword.get("name").filter(|name| name.truthy());
        name.or_else(|| self.low.get("name")).cloned().unwrap_or_default()
    }

    /// Runs it once, with slots filled.
    fn once(&self, args: &Args) -> Result {
        umask::of(&self.low, || run(&self.cx, self.function, args.clone()))
    }

    /// Runs it as often as it wants.
    fn result(mut self) -> Map {
        let began = Began::now();
        let name = self.name();
        let mut args = std::mem::take(&mut self.args);
        let ran = slots::format(&self.cx, &mut args.keyword).and_then(|()| self.once(&args));
        let mut ret = of(ran, &name);
        began.stamp(&mut ret);
        ret.insert("__parallel__", true);
        let Some(retry) = self.low.get("retry").map(Retry::of) else { return ret };
        if self.cx.test {
            ret.insert("comment", retry.would(ret.get("comment")));
            return ret;
        }
        let mut tried = 1;
        while retry.attempts >= tried && !retry.is_reached(&ret) {
            let interval = retry.next_interval();
            if retry::sleep(&self.cx, interval).is_err() {
                break;
            }
            let again = Instant::now();
            let mut next = of(self.once(&args), &name);
            let text = |ret: &Map, key: &str| ret.get(key).map(python_str).unwrap_or_default();
            let own = match next.get("comment").is_some_and(Value::truthy) {
                true => format!(
                    "Attempt {tried}: Returned a result of \"{}\", with the following comment: \"{}\"",
                    text(&next, "result"),
                    text(&next, "comment")
                ),
                false => String::new(),
            };
            next.insert("comment", format!("{}\n{own}", text(&ret, "comment")));
            let before = ret.get("duration").and_then(Value::as_float).unwrap_or_default();
            next.insert("duration", milliseconds(again.elapsed()) + before + interval * 1000.0);
            next.insert("start_time", ret.get("start_time").cloned());
            ret = next;
            tried += 1;
        }
        ret
    }
}

fn of(ran: Result, name: &Value) -> Map {
    match ran {
        Ok(Value::Map(ret)) => ret,
        Ok(_) => {
            let text = "Malformed state return. Data must be a dictionary type.";
            failed(name, &CallError::exception("SaltException", text))
        }
        Err(e) => failed(name, &e),
    }
}

impl Runner {
    /// Starts a state beside the others; the result is what is known until it ends.
    pub(super) fn start_parallel(&mut self, work: Work, at: Option<usize>) -> Map {
        let name = work.name();
        let mut ret = map! {
            "name" => name.clone(),
            "result" => Value::Nil,
            "changes" => Map::new(),
            "comment" => "Started in a separate process",
        };
        let thread = std::thread::Builder::new().name("state".into());
        match thread.spawn(move || work.result()) {
            Ok(thread) => match at {
                // Told of a change before it ended: its own result counts.
                Some(at) if self.beside.contains_key(&at) => self.beside_only.push(thread),
                Some(at) => drop(self.beside.insert(at, thread)),
                None => ret.update(ended(thread)),
            },
            Err(e) => ret.update(failed(&name, &e.into())),
        }
        ret
    }

    /// Waits for those of these chunks that run beside others.
    pub(super) fn wait_for(&mut self, places: &[usize]) -> Result<()> {
        if self.beside.is_empty() {
            return Ok(());
        }
        // The results of those that have ended are there for everybody.
        let done: Vec<usize> =
            self.beside.iter().filter(|(_, t)| t.is_finished()).map(|(at, _)| *at).collect();
        for at in done.iter().chain(places) {
            self.join(*at);
        }
        Ok(())
    }

    /// Waits for all that run beside others.
    pub(super) fn wait_for_all(&mut self) {
        let places: Vec<usize> = self.beside.keys().copied().collect();
        for at in places {
            self.join(at);
        }
        for thread in std::mem::take(&mut self.beside_only) {
            ended(thread);
        }
    }

    fn join(&mut self, at: usize) {
        let Some(thread) = self.beside.remove(&at) else { return };
        let ret = ended(thread);
        if let Some(tag) = self.tags.get(at) {
            self.run.running(|running| {
                if let Some(Value::Map(known)) = running.get_mut(tag) {
                    known.update(ret);
                }
            });
        }
    }
}

fn ended(thread: JoinHandle<Map>) -> Map {
    thread.join().unwrap_or_else(
        |_| map! {"result" => false, "comment" => "Parallel process failed to return", "changes" => Map::new()},
    )
}
