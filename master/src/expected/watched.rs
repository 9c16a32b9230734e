//! Jobs whose end somebody in the master waits for.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use brine_protocol::ids::{Jid, MinionId};
use brine_protocol::{Map, Value};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// The jobs; each return looks here once.
#[derive(Debug, Default)]
pub(crate) struct Watched(Mutex<HashMap<Jid, Waiting>>);

#[derive(Debug)]
struct Waiting {
    /// Those that have not answered.
    left: HashSet<String>,
    /// What the others gave, where that is wanted.
    answers: Option<BTreeMap<String, Value>>,
    over: Arc<Notify>,
}

impl Watched {
    /// Begins to wait for the returns of a job; whoever waits is notified when all are there. `keep` keeps what they give.
    pub(crate) fn begin(&self, jid: &Jid, minions: &[String], keep: bool) -> Arc<Notify> {
        let over = Arc::new(Notify::new());
        let left: HashSet<String> = minions.iter().cloned().collect();
        if left.is_empty() {
            over.notify_one();
        }
        let waiting = Waiting { left, answers: keep.then(BTreeMap::new), over: over.clone() };
        self.0.lock().insert(jid.clone(), waiting);
        over
    }

    /// A minion has returned.
    pub(crate) fn returned(&self, jid: &Jid, id: &MinionId, load: &Map) {
        let mut jobs = self.0.lock();
        let Some(waiting) = jobs.get_mut(jid) else { return };
        if !waiting.left.remove(id.as_str()) {
            return;
        }
        if let Some(answers) = &mut waiting.answers {
            answers.insert(id.as_str().to_owned(), load.get("return").cloned().unwrap_or_default());
        }
        if waiting.left.is_empty() {
            waiting.over.notify_one();
        }
    }

    /// Those that have not answered.
    pub(crate) fn left(&self, jid: &Jid) -> Vec<String> {
        self.0.lock().get(jid).map(|waiting| waiting.left.iter().cloned().collect()).unwrap_or_default()
    }

    /// Ends waiting; what has come.
    pub(crate) fn end(&self, jid: &Jid) -> BTreeMap<String, Value> {
        self.0.lock().remove(jid).and_then(|waiting| waiting.answers).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_protocol::map;
    use std::time::Duration;

    async fn is_over(over: &Notify) -> bool {
        tokio::time::timeout(Duration::from_millis(20), over.notified()).await.is_ok()
    }

    #[tokio::test]
    async fn a_job_is_over_when_all_have_answered() {
        let watched = Watched::default();
        let jid = Jid::parse("20261126000000000000").unwrap();
        let id = |text: &str| MinionId::parse(text).unwrap();
        let over = watched.begin(&jid, &["a".into(), "b".into()], true);
        let answer = |n: i64| map! {"return" => n};
        watched.returned(&jid, &id("a"), &answer(1));
        watched.returned(&jid, &id("a"), &answer(3));
        watched.returned(&jid, &id("stranger"), &answer(4));
        assert!(!is_over(&over).await);
        assert_eq!(watched.left(&jid), ["b"]);
        watched.returned(&jid, &id("b"), &answer(2));
        assert!(is_over(&over).await);
        let got = watched.end(&jid);
        assert_eq!(got.get("a"), Some(&Value::from(1)));
        assert_eq!((got.len(), watched.0.lock().len()), (2, 0));
        assert!(is_over(&watched.begin(&jid, &[], false)).await, "a job of nobody is over");
    }
}
