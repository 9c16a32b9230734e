//! States that run beside others (`parallel: True`), each on a thread of its own, until one needs them or the run ends.

use super::Runner;
use super::call::{failed, run};
use super::result::{Began, milliseconds};
use super::retry::{self, Retry};
use super::{slots, umask};
use brine_core::call::{Args, CallError, Cx, Function, Result};
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Instant;

/// What a result says until its state has ended.
const STARTED: &str = "Started in a separate process";

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

/// What runs beside the run, and what is to.
pub(super) struct Beside {
    /// Threads by the place of their chunk; none yet where it waits for its turn.
    by_place: BTreeMap<usize, Option<JoinHandle<Map>>>,
    /// What waits for its turn, since `state_max_parallel` are running.
    waiting: VecDeque<(usize, Work)>,
    /// Threads whose results do not count.
    only: Vec<JoinHandle<Map>>,
    /// How many run.
    alive: i64,
    /// Where threads say that they ended, with the place of their chunk.
    ends: (Sender<Option<usize>>, Receiver<Option<usize>>),
}

impl Default for Beside {
    fn default() -> Self {
        Self {
            by_place: BTreeMap::new(),
            waiting: VecDeque::new(),
            only: Vec::new(),
            alive: 0,
            ends: mpsc::channel(),
        }
    }
}

/// Says at the end of a thread that it ended, however it does.
struct End(Sender<Option<usize>>, Option<usize>);

impl Drop for End {
    fn drop(&mut self) {
        // Nobody may listen any more.
        let _ = self.0.send(self.1);
    }
}

impl Beside {
    fn start(&mut self, work: Work, at: Option<usize>) -> std::io::Result<JoinHandle<Map>> {
        let end = End(self.ends.0.clone(), at);
        let thread = std::thread::Builder::new().name("state".into()).spawn(move || {
            let _end = end;
            work.result()
        })?;
        self.alive += 1;
        Ok(thread)
    }
}

impl Runner {
    /// Whether one more may run beside the others.
    fn is_free(&self) -> bool {
        match self.cx.opts.int("state_max_parallel") {
            Some(most) if most > 0 => self.beside.alive < most,
            _ => true,
        }
    }

    /// Starts a state beside the others; the result is what is known until it ends.
    pub(super) fn start_parallel(&mut self, work: Work, at: Option<usize>) -> Map {
        let name = work.name();
        let mut ret = map! {
            "name" => name.clone(),
            "result" => Value::Nil,
            "changes" => Map::new(),
            "comment" => STARTED,
        };
        // Told of a change before it ended: its own result counts.
        let first = at.filter(|at| !self.beside.by_place.contains_key(at));
        if let (Some(at), false) = (first, self.is_free()) {
            self.beside.by_place.insert(at, None);
            self.beside.waiting.push_back((at, work));
            ret.insert("comment", "Waiting to be started in a separate process, max_parallel hit");
            return ret;
        }
        match self.beside.start(work, first) {
            Ok(thread) => match (first, at) {
                (Some(at), _) => drop(self.beside.by_place.insert(at, Some(thread))),
                (None, Some(_)) => self.beside.only.push(thread),
                (None, None) => ret.update(result_of(thread)),
            },
            Err(e) => ret.update(failed(&name, &e.into())),
        }
        ret
    }

    /// Whether a chunk runs, or is to run, beside the others.
    pub(super) fn is_beside(&self, at: usize) -> bool {
        self.beside.by_place.contains_key(&at)
    }

    /// Takes the results of those that have ended: they are there for everybody.
    pub(super) fn reap(&mut self) {
        while let Ok(ended) = self.beside.ends.1.try_recv() {
            self.ended(ended);
        }
    }

    /// Waits for those of these chunks that run beside others.
    pub(super) fn wait_for(&mut self, places: &[usize]) {
        if self.beside.by_place.is_empty() {
            return;
        }
        self.reap();
        while places.iter().any(|at| self.is_beside(*at)) {
            let Ok(ended) = self.beside.ends.1.recv() else { return };
            self.ended(ended);
        }
    }

    /// Waits until one of those that run beside others has ended, if there are any.
    pub(super) fn wait_for_one(&mut self) {
        if self.beside.alive > 0
            && let Ok(ended) = self.beside.ends.1.recv()
        {
            self.ended(ended);
        }
    }

    /// Waits for all that run beside others.
    pub(super) fn wait_for_all(&mut self) {
        let places: Vec<usize> = self.beside.by_place.keys().copied().collect();
        self.wait_for(&places);
        for thread in std::mem::take(&mut self.beside.only) {
            result_of(thread);
        }
    }

    /// A thread ended: its result is taken, and what waits may start.
    fn ended(&mut self, at: Option<usize>) {
        self.beside.alive -= 1;
        if let Some(at) = at
            && let Some(Some(thread)) = self.beside.by_place.remove(&at)
        {
            self.know(at, result_of(thread));
        }
        while self.is_free()
            && let Some((at, work)) = self.beside.waiting.pop_front()
        {
            let name = work.name();
            match self.beside.start(work, Some(at)) {
                Ok(thread) => {
                    self.beside.by_place.insert(at, Some(thread));
                    self.know(at, map! {"comment" => STARTED});
                }
                Err(e) => {
                    self.beside.by_place.remove(&at);
                    self.know(at, failed(&name, &e.into()));
                }
            }
        }
    }

    /// Puts what is known of a chunk that runs beside others into its result.
    fn know(&mut self, at: usize, ret: Map) {
        if let Some(tag) = self.tags.get(at) {
            self.run.running(|running| {
                if let Some(Value::Map(known)) = running.get_mut(tag) {
                    known.update(ret);
                }
            });
        }
    }
}

fn result_of(thread: JoinHandle<Map>) -> Map {
    thread.join().unwrap_or_else(
        |_| map! {"result" => false, "comment" => "Parallel process failed to return", "changes" => Map::new()},
    )
}
