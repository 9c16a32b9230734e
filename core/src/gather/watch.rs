//! The waiting for one job, by the events of the master's bus: which tag and data mean what. What is asked of the master
//! on the way is made here too; sending it is the caller's.

use super::{Gather, Next};
use brine_protocol::{Map, Value, map};
use std::time::{Duration, Instant};

/// How long a minion without a connection may take to come back and answer.
const RECONNECT: Duration = Duration::from_millis(500);

/// What an event was for the job.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// The first return of this minion.
    Return(String),
    /// The job's announcement, with all who are meant.
    Announced,
    /// Something else, taken in as far as it matters.
    Other,
}

/// The waiting for one published job.
pub struct Watch {
    jid: String,
    /// How the tags of the job's own events begin.
    own: String,
    /// How the tags of answers to the question who still works begin.
    question: Option<String>,
    gather: Gather,
}

impl Watch {
    /// The waiting for the job of this id.
    pub fn new(jid: &str, gather: Gather) -> Self {
        Self { jid: jid.to_owned(), own: format!("salt/job/{jid}/"), question: None, gather }
    }

    /// These minions have no connection to the master: they are waited for a moment only.
    pub fn not_connected(&mut self, ids: &[String], now: Instant) {
        self.gather.not_connected(ids, now + RECONNECT);
    }

    /// What to do at `now`. Whoever is told to ask publishes [`Watch::question`] and tells [`Watch::asked`].
    pub fn next(&mut self, now: Instant) -> Next {
        self.gather.next(now)
    }

    /// The load of the publish that asks minions whether they still work on the job.
    pub fn question(&self, ids: Vec<String>) -> Map {
        map! {
            "fun" => "saltutil.find_job", "arg" => vec![self.jid.as_str()], "tgt" => ids, "tgt_type" => "list", "ret" => "",
            "jid" => "", "kwargs" => Map::new(),
        }
    }

    /// The id under which the question was published; None: nobody was there to be asked.
    pub fn asked(&mut self, jid: Option<&str>) {
        self.question = jid.map(|jid| format!("salt/job/{jid}/ret/"));
    }

    /// Whether an event with this tag can mean anything here.
    pub fn concerns(&self, tag: &str) -> bool {
        tag.starts_with(&self.own) || self.question.as_ref().is_some_and(|q| tag.starts_with(q.as_str()))
    }

    /// Takes an event in.
    pub fn event(&mut self, tag: &str, data: &Map, now: Instant) -> Heard {
        // The id is the one inside, which the master has authenticated.
        let id = data.get_str("id");
        let Some(rest) = tag.strip_prefix(&self.own) else {
            if let (Some(id), true) = (id, self.concerns(tag)) {
                self.answer(id, data, now);
            }
            return Heard::Other;
        };
        if rest.starts_with("ret/") {
            let id = id.filter(|_| data.contains("return"));
            return match id.filter(|id| self.gather.returned(id)) {
                Some(id) => Heard::Return(id.to_owned()),
                None => Heard::Other,
            };
        }
        let Some(Value::List(more)) = data.get("minions") else { return Heard::Other };
        self.gather.expect(more.iter().filter_map(|v| v.as_str().map(str::to_owned)));
        Heard::Announced
    }

    /// An answer to the question who still works.
    fn answer(&mut self, id: &str, data: &Map, now: Instant) {
        if data.get("retcode").and_then(Value::as_int).unwrap_or(0) > 0 {
            self.gather.unanswerable(id);
        } else if matches!(data.get("return"), Some(Value::Map(m)) if !m.is_empty()) {
            self.gather.still_running(id, now);
        }
    }

    /// The minions that were expected and have not returned.
    pub fn missing(&self) -> Vec<String> {
        self.gather.missing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        let s = Duration::from_secs(1);
        Watch::new("1", Gather::new(["a".to_owned()], s, s, Instant::now()))
    }

    #[test]
    fn events_of_the_job_and_of_its_question_are_told_from_others() {
        let (mut w, now) = (watch(), Instant::now());
        let ret = map! {"id" => "a", "return" => true};
        assert_eq!(w.event("salt/job/9/ret/a", &ret, now), Heard::Other);
        assert_eq!(w.event("salt/job/1/new", &map! {"minions" => vec!["a", "b"]}, now), Heard::Announced);
        assert_eq!(w.event("salt/job/1/ret/a", &map! {"id" => "a"}, now), Heard::Other);
        assert_eq!(w.event("salt/job/1/ret/a", &ret, now), Heard::Return("a".into()));
        assert_eq!(w.event("salt/job/1/ret/a", &ret, now), Heard::Other);
        assert_eq!(w.missing(), ["b"]);
        let running = map! {"id" => "c", "return" => map! {"jid" => "1"}};
        w.event("salt/job/2/ret/c", &running, now);
        assert!(!w.concerns("salt/job/2/ret/c"));
        w.asked(Some("2"));
        assert!(w.concerns("salt/job/2/ret/c"));
        w.event("salt/job/2/ret/c", &running, now);
        assert_eq!(w.missing(), ["b", "c"]);
        w.event("salt/job/2/ret/b", &map! {"id" => "b", "retcode" => 1}, now);
        assert_eq!(w.missing(), ["c"]);
        assert_eq!(w.question(vec!["c".into()]).get("arg"), Some(&vec!["1"].into()));
    }
}
