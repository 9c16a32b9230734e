//! What authentications and changes of keys say: a key waits, a key is refused, many are.

use std::collections::VecDeque;
use std::time::SystemTime;

use brine_core::Value;

use super::Book;
use crate::config::{Builtin, Conf};
use crate::event::Event;
use crate::signal::{RuleIndex, Signal};

/// `salt/auth`: somebody asks to be let in.
pub(super) fn auth(book: &Book, event: &Event) -> Vec<Signal> {
    let Some(id) = event.data.get_str("id").filter(|id| !id.is_empty()) else { return Vec::new() };
    let (pending, denied) = (book.index(Builtin::KeyPending), book.index(Builtin::KeyDenied));
    let refused = || {
        let summary =
            format!("{id} came with another key than the one that is known, or was rejected before");
        let signal =
            |index| Signal::on(index).about(id).note("summary", &summary).note("look", "salt-key -L");
        denied.map(signal).into_iter().collect()
    };
    match event.data.get_str("act") {
        Some("pend") => {
            let summary = format!("The key of {id} waits to be accepted");
            let look = format!("salt-key -f {id}");
            let signal = |index| Signal::on(index).about(id).note("summary", &summary).note("look", &look);
            pending.map(signal).into_iter().collect()
        }
        Some("accept") => off([pending, denied], id),
        Some("denied" | "reject") => refused(),
        None if event.data.get("result") == Some(&Value::Bool(false)) => refused(),
        _ => Vec::new(),
    }
}

/// `salt/key`: somebody has changed what is kept of a key.
pub(super) fn key(book: &Book, event: &Event) -> Vec<Signal> {
    let Some(id) = event.data.get_str("id") else { return Vec::new() };
    let (pending, denied) = (book.index(Builtin::KeyPending), book.index(Builtin::KeyDenied));
    match event.data.get_str("act") {
        Some("accept" | "delete") => off([pending, denied], id),
        Some("reject") => off([pending, None], id),
        _ => Vec::new(),
    }
}

fn off(rules: [Option<RuleIndex>; 2], id: &str) -> Vec<Signal> {
    rules.into_iter().flatten().map(|index| Signal::off(index).about(id)).collect()
}

/// Counts what fails.
#[derive(Debug)]
pub(super) struct Flood {
    conf: Option<(usize, std::time::Duration)>,
    /// When the last ones failed; as many as make a flood.
    times: VecDeque<SystemTime>,
}

impl Flood {
    pub(super) fn new(conf: Option<&Conf>) -> Self {
        Self { conf: conf.map(|conf| (conf.count, conf.within)), times: VecDeque::new() }
    }

    pub(super) fn event(&mut self, index: RuleIndex, event: &Event) -> Option<Signal> {
        let (count, within) = self.conf?;
        if event.data.get("result") != Some(&Value::Bool(false)) {
            return None;
        }
        self.times.push_back(event.at);
        if self.times.len() > count {
            self.times.pop_front();
        }
        let oldest = *self.times.front()?;
        let span = event.at.duration_since(oldest).unwrap_or_default();
        (self.times.len() == count && span <= within).then(|| {
            let seconds = within.as_secs();
            let summary = format!("{count} or more authentications failed within {seconds} s");
            Signal::on(index).note("summary", &summary)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;
    use crate::config::Builtins;
    use brine_core::map;
    use std::time::Duration;

    #[test]
    fn a_key_waits_until_somebody_decides() {
        let auth = |act: &str, result: bool| {
            let mut data = map! {"id" => "m1", "result" => result};
            if !act.is_empty() {
                data.insert("act", act);
            }
            said("salt/auth", data)
        };
        assert_eq!(auth("pend", true), ["+KeyPending"]);
        assert_eq!(auth("accept", true), ["-KeyPending", "-KeyDenied"]);
        for act in ["denied", "reject", ""] {
            assert_eq!(auth(act, false), ["+KeyDenied"], "{act}");
        }
        assert!(auth("full", false).is_empty());
        let key = |act: &str| said("salt/key", map! {"id" => "m1", "act" => act, "result" => true});
        assert_eq!(key("delete"), ["-KeyPending", "-KeyDenied"]);
        assert_eq!(key("reject"), ["-KeyPending"]);
    }

    #[test]
    fn many_failures_in_a_short_time_are_a_flood() {
        let book = Book::new(&Builtins::default(), []);
        let (index, conf) = book.builtin(Builtin::AuthFlood).unwrap();
        let mut flood = Flood::new(Some(conf));
        let mut fail = |millis: u64, result: bool| {
            let at = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
            let event = Event { tag: "salt/auth".into(), data: map! {"id" => "m1", "result" => result}, at };
            flood.event(index, &event).is_some()
        };
        // One each two seconds is 30 a minute; 50 are a flood.
        assert!((0..200).all(|n| !fail(n * 2000, false)));
        let hits = (0..50).filter(|n| fail(500_000 + n * 1000, false)).count();
        assert_eq!(hits, 1);
        assert!(!fail(550_000, true));
        assert!(fail(550_000, false));
    }
}
