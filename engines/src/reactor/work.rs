//! The threads of a reactor: some that see to events, and the pool of runners and wheel functions. They start when there is
//! something to do, and end when there has been nothing for a while.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use brine_core::call::{Args, Registry};
use brine_core::text::python_str;
use brine_protocol::message::events::Event;
use brine_states::Reactions;
use parking_lot::{Condvar, Mutex};

use super::call::{self, Call, Kind};
use super::journal::Place;
use super::lanes::{Key, Lanes};
use super::{Reactor, Settings};

/// How long a thread waits for more.
const IDLE: Duration = Duration::from_secs(5);
/// How often the log says that the pool is full.
const COMPLAIN: Duration = Duration::from_secs(60);

/// A run that waits for a thread of the pool.
struct Task {
    id: String,
    kind: Kind,
    fun: String,
    args: Args,
    ticket: Arc<Ticket>,
}

/// An event, until all of its calls are under way.
struct Ticket {
    place: Place,
    left: AtomicUsize,
    finished: AtomicBool,
}

impl Ticket {
    fn new(place: Place) -> Arc<Self> {
        Arc::new(Self { place, left: AtomicUsize::new(0), finished: AtomicBool::new(false) })
    }
}

/// An event that is being seen to, with the calls that are left of it.
struct Seen {
    lane: Key,
    ticket: Arc<Ticket>,
    calls: VecDeque<(String, Call)>,
}

#[derive(Default)]
struct State {
    lanes: Lanes<Place>,
    /// Events whose next call waits for room in the pool.
    parked: VecDeque<Seen>,
    /// Events that may go on.
    resumed: VecDeque<Seen>,
    tasks: VecDeque<Task>,
    seers: usize,
    idle_seers: usize,
    runners: usize,
    idle_runners: usize,
    complained: Option<Instant>,
    closed: bool,
}

/// What is to be done, and by how many.
pub(super) struct Works {
    state: Mutex<State>,
    /// Something came that a seer may do, or all is to end.
    events: Condvar,
    /// The same for the pool.
    runs: Condvar,
    /// A seer has ended.
    ended: Condvar,
    most_seers: usize,
    threads: usize,
    waiting: usize,
}

impl Works {
    pub(super) fn new(settings: &Settings) -> Self {
        let cpus = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            state: Mutex::default(),
            events: Condvar::new(),
            runs: Condvar::new(),
            ended: Condvar::new(),
            // What they wait for is mostly the job store.
            most_seers: cpus.clamp(2, 8),
            threads: settings.threads,
            waiting: settings.waiting,
        }
    }

    /// An event to see to.
    pub(super) fn put(&self, lane: &str, place: Place) {
        self.state.lock().lanes.put(lane, place);
    }

    pub(super) fn close(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        state.closed = true;
        self.events.notify_all();
        self.runs.notify_all();
        while state.seers > 0 && !self.ended.wait_until(&mut state, until).timed_out() {}
    }

    /// How many runs wait for a thread.
    #[cfg(test)]
    pub(super) fn tasks(&self) -> usize {
        self.state.lock().tasks.len()
    }

    fn is_full(&self, state: &State) -> bool {
        self.waiting > 0 && state.tasks.len() >= self.waiting
    }
}

impl Reactor {
    /// Has somebody see to what has come.
    pub(super) fn wake(self: &Arc<Self>) {
        if self.site.get().is_none() {
            return;
        }
        let mut state = self.works.state.lock();
        let nothing = state.resumed.is_empty() && !state.lanes.is_ready();
        if state.closed || nothing {
            return;
        }
        if state.idle_seers > 0 || state.seers >= self.works.most_seers {
            self.works.events.notify_one();
            return;
        }
        state.seers += 1;
        drop(state);
        let reactor = self.clone();
        self.spawn("reactor", move || reactor.see(), |state| state.seers -= 1);
    }

    fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static, undo: impl FnOnce(&mut State)) {
        if let Err(e) = std::thread::Builder::new().name(name.into()).spawn(work) {
            tracing::error!("The reactor cannot start a thread: {e}");
            undo(&mut self.works.state.lock());
        }
    }

    /// The life of a thread that sees to events.
    fn see(self: &Arc<Self>) {
        let mut state = self.works.state.lock();
        while !state.closed {
            if !self.works.is_full(&state)
                && let Some(seen) = state.parked.pop_front()
            {
                state.resumed.push_back(seen);
            }
            let seen = match state.resumed.pop_front() {
                Some(seen) => Some(seen),
                None => state.lanes.take().map(|(lane, place)| Seen {
                    lane,
                    ticket: Ticket::new(place),
                    calls: VecDeque::new(),
                }),
            };
            let Some(mut seen) = seen else {
                state.idle_seers += 1;
                let idle = self.works.events.wait_for(&mut state, IDLE).timed_out();
                state.idle_seers -= 1;
                if idle && !state.lanes.is_ready() && state.resumed.is_empty() {
                    break;
                }
                continue;
            };
            let more = state.lanes.is_ready() || !state.resumed.is_empty();
            drop(state);
            if more {
                self.wake();
            }
            let place = seen.ticket.place;
            self.journal.begin(place);
            let whole = catch_unwind(AssertUnwindSafe(|| self.handle(&mut seen)));
            if !seen.ticket.finished.load(Ordering::Acquire) {
                self.journal.survived(place);
            }
            state = self.works.state.lock();
            match whole {
                Ok(false) if self.works.is_full(&state) => {
                    self.complain(&mut state);
                    state.parked.push_back(seen);
                }
                // There is room again already.
                Ok(false) => state.resumed.push_back(seen),
                Ok(true) => state.lanes.finish(&seen.lane),
                Err(_) => {
                    tracing::error!("The reactions to an event panicked; it is given up");
                    self.finish(&seen.ticket);
                    state.lanes.finish(&seen.lane);
                }
            }
        }
        state.seers -= 1;
        self.works.ended.notify_all();
    }

    fn complain(&self, state: &mut State) {
        if state.complained.is_none_or(|at| at.elapsed() >= COMPLAIN) {
            state.complained = Some(Instant::now());
            tracing::error!(
                "TaskPool queue is full! Consider tuning reactor_worker_threads and/or reactor_worker_hwm. {} events wait on \
                 disk until there is room",
                self.journal.waiting()
            );
        }
    }

    /// Makes calls of an event, or goes on with those it has; false where the pool has no room for the next one.
    fn handle(self: &Arc<Self>, seen: &mut Seen) -> bool {
        if seen.calls.is_empty() {
            seen.calls = self.compile(seen.ticket.place);
            if seen.calls.is_empty() {
                self.finish(&seen.ticket);
                return true;
            }
            seen.ticket.left.store(seen.calls.len(), Ordering::Release);
        }
        while let Some((id, call)) = seen.calls.pop_front() {
            match call {
                Call::Local(load) => self.local(&id, load),
                Call::Caller(fun, args) => self.caller(&id, &fun, args),
                Call::Master(kind, fun, args) => {
                    let task = Task { id, kind, fun, args, ticket: seen.ticket.clone() };
                    if let Err(task) = self.submit(task) {
                        seen.calls.push_front((task.id, Call::Master(task.kind, task.fun, task.args)));
                        return false;
                    }
                    continue;
                }
            }
            self.under_way(&seen.ticket);
        }
        true
    }

    /// One more of its calls is under way.
    fn under_way(&self, ticket: &Ticket) {
        if ticket.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.finish(ticket);
        }
    }

    fn finish(&self, ticket: &Ticket) {
        if !ticket.finished.swap(true, Ordering::AcqRel) {
            self.journal.done(ticket.place);
        }
    }

    /// What an event causes, each with the id it stands under.
    fn compile(&self, place: Place) -> VecDeque<(String, Call)> {
        let body = match self.journal.read(place) {
            Ok(body) => body,
            Err(e) => {
                tracing::error!("The reactor cannot read an event that it kept: {e}");
                return VecDeque::new();
            }
        };
        let Ok(event) = Event::from_body(&body) else { return VecDeque::new() };
        tracing::debug!("Gathering reactors for tag {}", event.tag);
        let files = self.rules.read().files(&event.tag);
        let Some(site) = self.site.get().filter(|_| !files.is_empty()) else { return VecDeque::new() };
        let cx = match self.surroundings() {
            Ok(cx) => cx,
            Err(e) => {
                tracing::error!("Exception encountered while compiling reactions to {}: {e}", event.tag);
                return VecDeque::new();
            }
        };
        tracing::debug!("Compiling reactions for tag {}", event.tag);
        let mut calls = VecDeque::new();
        for chunk in Reactions::new(&cx, &event.tag, &event.data).chunks(&files) {
            let functions: [Option<Arc<Registry>>; 2] =
                [Kind::Runner, Kind::Wheel].map(|kind| site.functions(kind));
            let of = |kind| functions[usize::from(kind == Kind::Wheel)].as_deref();
            match call::read(&chunk, of) {
                Ok(call) => calls.push_back((chunk.get("__id__").map(python_str).unwrap_or_default(), call)),
                Err(e) => tracing::error!("{e}"),
            }
        }
        calls
    }

    fn local(&self, id: &str, load: brine_core::Map) {
        let Some(site) = self.site.get() else { return };
        let fun = load.get("fun").map(python_str).unwrap_or_default();
        if let Err(e) = site.local(load) {
            tracing::error!("Reactor '{id}' failed to execute local '{fun}': {e}");
        }
    }

    fn caller(&self, id: &str, fun: &str, args: Args) {
        let called = self.surroundings().and_then(|cx| match cx.registry.get(fun) {
            Some(_) => cx.call(fun, args).map_err(|e| e.traceback()),
            None => Err(cx.registry.missing(fun).to_string()),
        });
        if let Err(e) = called {
            tracing::error!("Reactor '{id}' failed to execute caller '{fun}': {e}");
        }
    }

    /// Gives a run to the pool, or back.
    fn submit(self: &Arc<Self>, task: Task) -> Result<(), Task> {
        let mut state = self.works.state.lock();
        if self.works.is_full(&state) {
            return Err(task);
        }
        state.tasks.push_back(task);
        if state.tasks.len() <= state.idle_runners || state.runners >= self.works.threads {
            self.works.runs.notify_one();
            return Ok(());
        }
        state.runners += 1;
        drop(state);
        let reactor = self.clone();
        self.spawn("reactor run", move || reactor.run(), |state| state.runners -= 1);
        Ok(())
    }

    /// The life of a thread of the pool.
    fn run(self: &Arc<Self>) {
        let mut state = self.works.state.lock();
        while !state.closed {
            let Some(task) = state.tasks.pop_front() else {
                state.idle_runners += 1;
                let idle = self.works.runs.wait_for(&mut state, IDLE).timed_out();
                state.idle_runners -= 1;
                if idle && state.tasks.is_empty() {
                    break;
                }
                continue;
            };
            if let Some(seen) = state.parked.pop_front() {
                state.resumed.push_back(seen);
            }
            drop(state);
            self.wake();
            self.carry_out(task);
            state = self.works.state.lock();
        }
        state.runners -= 1;
    }

    fn carry_out(&self, task: Task) {
        let Some(site) = self.site.get() else { return };
        let Task { id, kind, fun, args, ticket } = task;
        let begun = AtomicBool::new(false);
        let mut under_way = || {
            if !begun.swap(true, Ordering::AcqRel) {
                self.under_way(&ticket);
            }
        };
        self.journal.begin(ticket.place);
        let run = AssertUnwindSafe(|| site.master(kind, &fun, args, &mut under_way));
        if catch_unwind(run).is_err() {
            tracing::error!("Reactor '{id}' failed to execute '{fun}': it panicked");
        }
        if !begun.load(Ordering::Acquire) {
            self.under_way(&ticket);
        }
        if !ticket.finished.load(Ordering::Acquire) {
            self.journal.survived(ticket.place);
        }
    }
}
