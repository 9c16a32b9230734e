//! What happens, for whoever reads along at `/events`: the newest events in memory, and feeds to those who are there.
//!
//! Whoever shows an event only leaves it here: it is made text, and sent, on a thread of its own, and only while somebody reads.
//! A reader who comes back with the last id that he has gets what came since, if it is still here.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use brine_core::target::{fnmatch, is_pattern};
use brine_core::{Map, Value};
use brine_protocol::message::events::Event;
use brine_serve::{Bytes, Fed, Feed};
use parking_lot::{Condvar, Mutex};

/// Events that are kept, and bytes of them.
const KEPT: usize = 2_000;
const KEPT_BYTES: usize = 8 << 20;
/// Readers at once.
const READERS: usize = 32;

/// An event as it was left.
#[derive(Clone, Debug)]
enum Left {
    /// As the bus has it.
    Body(Arc<[u8]>),
    /// Data of ours.
    Data(Arc<Map>),
}

#[derive(Clone, Debug)]
struct Shown {
    number: u64,
    tag: Arc<str>,
    left: Left,
    bytes: usize,
}

#[derive(Debug)]
struct Reader {
    feed: Feed,
    /// Tags with one of these beginnings, or with a `*` in them; none takes all.
    tags: Vec<String>,
    /// The number of the next event that it gets.
    next: u64,
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<Shown>,
    bytes: usize,
    next: u64,
    readers: Vec<Reader>,
    closed: bool,
}

/// The stream of events.
#[derive(Debug)]
pub struct Stream {
    /// Tells this run of the program from others, in ids.
    run: u64,
    /// Whether anybody can read: otherwise nothing is kept.
    open: bool,
    state: Mutex<State>,
    changed: Condvar,
}

impl Stream {
    /// A stream; `open` says whether anybody will ever be able to read it.
    pub fn new(open: bool) -> Arc<Self> {
        let run = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Arc::new(Self { run, open, state: Mutex::default(), changed: Condvar::new() })
    }

    /// Leaves an event as the bus has it: tag and body, whose data is decoded only if somebody reads.
    pub fn pass(&self, tag: &str, body: &[u8]) {
        if self.open {
            self.leave(tag, Left::Body(body.into()), body.len());
        }
    }

    /// Leaves an event of ours.
    pub fn show(&self, tag: &str, data: Map) {
        if self.open {
            self.leave(tag, Left::Data(Arc::new(data)), 1024);
        }
    }

    fn leave(&self, tag: &str, left: Left, bytes: usize) {
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        state.bytes += bytes;
        state.kept.push_back(Shown { number, tag: tag.into(), left, bytes });
        while state.kept.len() > KEPT || state.bytes > KEPT_BYTES && state.kept.len() > 1 {
            let gone = state.kept.pop_front().map_or(0, |shown| shown.bytes);
            state.bytes -= gone;
        }
        if !state.readers.is_empty() {
            self.changed.notify_one();
        }
    }

    /// Lets somebody read: from what came after the id that he has, if that is still here, else from now on. False if there are
    /// too many readers.
    pub fn read(&self, feed: Feed, tags: Vec<String>, last: Option<&str>) -> bool {
        let mut state = self.state.lock();
        state.readers.retain(|reader| !reader.feed.is_gone());
        if state.closed || state.readers.len() >= READERS {
            return false;
        }
        let last = last.map(|last| {
            let (run, number) = last.split_once('-').unwrap_or_default();
            let same = run.parse() == Ok(self.run);
            number.parse::<u64>().ok().filter(|number| same && *number < state.next)
        });
        let oldest = state.kept.front().map_or(state.next, |shown| shown.number);
        let next = match last {
            None => state.next,
            Some(Some(number)) => number + 1,
            // Of another run, or none of ours: all that is here may be new to him.
            Some(None) => 0,
        };
        if next < oldest || last == Some(None) {
            // He is told that something is missing.
            let _first = feed.put(Bytes::from_static(b"event: gap\ndata: {}\n\n"));
        }
        state.readers.push(Reader { feed, tags, next: next.max(oldest) });
        self.changed.notify_one();
        true
    }

    /// How many read along.
    pub fn readers(&self) -> usize {
        self.state.lock().readers.len()
    }

    /// Starts the thread that sends. It ends after [`Stream::close`].
    ///
    /// # Errors
    /// When there is no thread.
    pub fn start(self: &Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        let this = Arc::clone(self);
        std::thread::Builder::new().name("events out".into()).spawn(move || this.run())
    }

    /// Ends all feeds.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.readers.clear();
        self.changed.notify_all();
    }

    fn run(&self) {
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return;
            }
            // The oldest that any reader has not got.
            let wanted = state.readers.iter().map(|reader| reader.next).min().unwrap_or(u64::MAX);
            let oldest = state.kept.front().map_or(u64::MAX, |shown| shown.number);
            let place = usize::try_from(wanted.saturating_sub(oldest)).unwrap_or(usize::MAX);
            let Some(shown) = state.kept.get(place).cloned() else {
                self.changed.wait(&mut state);
                continue;
            };
            let meant = |reader: &Reader| {
                reader.next <= shown.number
                    && (reader.tags.is_empty() || reader.tags.iter().any(|tag| fits(tag, &shown.tag)))
            };
            let text = if state.readers.iter().any(meant) {
                // Decoding takes its time: nobody who leaves an event waits for that.
                parking_lot::MutexGuard::unlocked(&mut state, || self.text(&shown))
            } else {
                None
            };
            state.readers.retain_mut(|reader| {
                let is_meant = meant(reader);
                if reader.next <= shown.number {
                    reader.next = shown.number + 1;
                } else {
                    return !reader.feed.is_gone();
                }
                match &text {
                    // One who does not read as fast as things happen is cut off, and comes back with the id that he has.
                    Some(text) if is_meant => reader.feed.put(text.clone()) == Fed::Taken,
                    _ => !reader.feed.is_gone(),
                }
            });
        }
    }

    /// An event as the format has it. `None` of a body that is none.
    fn text(&self, shown: &Shown) -> Option<Bytes> {
        let data = match &shown.left {
            Left::Data(data) => Value::Map((**data).clone()),
            Left::Body(body) => Value::Map(Event::from_body(body).ok()?.data),
        };
        let event = brine_core::map! {"tag" => &*shown.tag, "data" => data};
        // No line ends in it: JSON escapes them.
        let json = crate::json::text(&Value::Map(event));
        Some(Bytes::from(format!("id: {}-{}\ndata: {json}\n\n", self.run, shown.number)))
    }
}

/// Whether a tag is meant: a glob if there is a `*` or a `?` in it, else a beginning.
fn fits(asked: &str, tag: &str) -> bool {
    if is_pattern(asked) { fnmatch(tag, asked) } else { tag.starts_with(asked) }
}

#[cfg(test)]
mod tests;
