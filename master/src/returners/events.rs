//! `event_return`: every event of the bus, less what the lists leave out, given to returners on a thread of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use brine_core::call::Cx;
use brine_core::target::fnmatch;
use brine_core::text::{python_repr, python_str};
use brine_core::{Opts, Value, map};
use brine_protocol::message::events::Event;
use brine_returners::{find, reason};

use super::queue::{Next, Queue};
use crate::events::Tap;

/// How often the log says that a returner is not there.
const COMPLAIN: Duration = Duration::from_secs(60);

/// Where the bus hands its events.
#[derive(Clone, Debug)]
pub struct EventTap {
    queue: Arc<Queue<Vec<u8>>>,
    filter: Arc<Filter>,
}

/// `event_return_whitelist` and `event_return_blacklist`.
#[derive(Debug)]
struct Filter {
    allowed: Vec<String>,
    refused: Vec<String>,
}

impl Filter {
    fn of(opts: &Opts) -> Self {
        let list = |key: &str| match opts.get(key) {
            Some(Value::List(list)) => list.iter().map(python_str).collect(),
            Some(Value::Str(one)) if !one.is_empty() => vec![one.clone()],
            _ => Vec::new(),
        };
        Self { allowed: list("event_return_whitelist"), refused: list("event_return_blacklist") }
    }

    fn passes(&self, tag: &str) -> bool {
        let any = |list: &[String]| list.iter().any(|pattern| fnmatch(tag, pattern));
        (self.allowed.is_empty() || any(&self.allowed)) && !any(&self.refused)
    }
}

impl EventTap {
    /// The tap, and the thread that serves it; none where `event_return` names nobody.
    pub(super) fn start(
        opts: &Opts,
        cx: &Cx,
    ) -> std::io::Result<Option<(Self, std::thread::JoinHandle<()>)>> {
        let names = opts.get("event_return").map(one_or_list).unwrap_or_default();
        if names.is_empty() {
            return Ok(None);
        }
        let queue = Arc::new(Queue::new("events"));
        let mut writer = Writer {
            cx: cx.clone(),
            names,
            at_once: usize::try_from(opts.int("event_return_queue").unwrap_or(0)).unwrap_or(0),
            longest: opts
                .float("event_return_queue_max_seconds")
                .and_then(|s| Duration::try_from_secs_f64(s).ok())
                .filter(|longest| !longest.is_zero()),
            events: Vec::new(),
            oldest: None,
            complained: Vec::new(),
        };
        writer.check();
        let reader = queue.clone();
        let thread =
            std::thread::Builder::new().name("event_return".into()).spawn(move || writer.run(&reader))?;
        Ok(Some((Self { queue, filter: Arc::new(Filter::of(opts)) }, thread)))
    }

    /// Ends the thread once it has written what waits.
    pub(super) fn close(&self) {
        self.queue.close();
    }
}

impl Tap for EventTap {
    fn put(&self, tag: &str, body: &[u8]) {
        if self.filter.passes(tag) {
            self.queue.put(body.to_vec(), body.len());
        }
    }
}

/// Text is one name, even with a comma; a list is several.
fn one_or_list(value: &Value) -> Vec<String> {
    match value {
        Value::Str(one) if !one.is_empty() => vec![one.clone()],
        Value::List(list) => list.iter().map(python_str).collect(),
        _ => Vec::new(),
    }
}

/// What the thread has.
struct Writer {
    cx: Cx,
    names: Vec<String>,
    /// `event_return_queue`
    at_once: usize,
    /// `event_return_queue_max_seconds`
    longest: Option<Duration>,
    events: Vec<Value>,
    oldest: Option<Instant>,
    /// Which missing returners the log has spoken of, and when.
    complained: Vec<(String, Instant)>,
}

impl Writer {
    fn check(&self) {
        let has =
            |name: &String| find(&self.cx.opts, name, "event_return").is_ok_and(|r| r.event_return.is_some());
        let missing: Vec<Value> =
            self.names.iter().filter(|name| !has(name)).map(|name| name.as_str().into()).collect();
        if !missing.is_empty() {
            tracing::error!(
                "EventReturn: the following configured event_return returner(s) were not found and events will NOT be stored: {}.",
                python_repr(&missing.into())
            );
        }
    }

    fn run(&mut self, queue: &Queue<Vec<u8>>) {
        loop {
            let until = self.longest.and_then(|longest| self.oldest?.checked_add(longest));
            let end = match queue.next(until) {
                Next::Item(body) => {
                    self.take(&body);
                    false
                }
                Next::Nothing => false,
                Next::End => true,
            };
            let too_old =
                self.longest.zip(self.oldest).is_some_and(|(longest, oldest)| oldest.elapsed() >= longest);
            if end || too_old || self.events.len() >= self.at_once {
                self.flush();
            }
            if end {
                return;
            }
        }
    }

    fn take(&mut self, body: &[u8]) {
        if let Ok(event) = Event::from_body(body) {
            self.oldest.get_or_insert_with(Instant::now);
            self.events.push(map! {"data" => event.data, "tag" => event.tag}.into());
        }
    }

    fn flush(&mut self) {
        self.oldest = None;
        let events = std::mem::take(&mut self.events);
        if events.is_empty() {
            return;
        }
        tracing::debug!("Flushing {} events.", events.len());
        for name in self.names.clone() {
            let found = find(&self.cx.opts, &name, "event_return")
                .and_then(|r| r.has(r.event_return, "event_return"));
            match found {
                Ok(give) => {
                    let called = std::panic::AssertUnwindSafe(|| give(&self.cx, &events));
                    let why = match std::panic::catch_unwind(called) {
                        Ok(Ok(())) => continue,
                        Ok(Err(e)) => reason(&e),
                        Err(_) => "the returner panicked".to_owned(),
                    };
                    tracing::error!(
                        "Could not store events - returner '{name}.event_return' raised exception: {why}"
                    );
                }
                Err(_) => self.complain(&name),
            }
        }
    }

    fn complain(&mut self, name: &str) {
        if self.complained.iter().any(|(known, at)| known == name && at.elapsed() < COMPLAIN) {
            return;
        }
        self.complained.retain(|(known, _)| known != name);
        self.complained.push((name.to_owned(), Instant::now()));
        tracing::error!("Could not store return for event(s) - returner '{name}.event_return' not found.");
    }
}
