//! Who may answer a job. A return is stored for the minion that proved itself, so this does not guard against forged
//! ids; it keeps minions from answering jobs that were plainly not theirs.
//!
//! Targets by name are decided here. Targets by data (grains and the like) are the minion's own decision, the master's
//! list being a prediction, so there anyone may answer. Nothing here takes time in proportion to the fleet.

use std::collections::{HashMap, HashSet, VecDeque};

use brine_core::target::{Anchor, Regex, fnmatch};
use brine_protocol::ids::MinionId;
use brine_protocol::msgpack::{Dialect, decode, encode_map};
use brine_protocol::{Map, Value, map};

/// Jobs remembered; older ones are read from the database when somebody answers them after all.
const JOBS: usize = 512;
/// Names remembered over all those jobs.
const NAMES: usize = 100_000;

/// The part of an encoded load that [`Expect::of`] looks at, encoded again; None when the load says nothing of a target.
pub(super) fn target(load: &[u8]) -> Option<Vec<u8>> {
    let Ok(Value::Map(load)) = decode(load) else { return None };
    let tgt = load.get("tgt")?;
    let kind = load.get("tgt_type").cloned().unwrap_or_default();
    Some(encode_map(&map! {"tgt" => tgt.clone(), "tgt_type" => kind}, Dialect::New))
}

/// Who may answer one job.
#[derive(Debug)]
pub enum Expect {
    /// Names that match a shell pattern.
    Glob(String),
    /// Names that match a regular expression at their start.
    Pcre(Box<Regex>),
    /// Names of a list.
    Names(HashSet<String>),
    /// Whoever says so.
    Any,
}

impl Expect {
    /// Who is meant by the target of a job's load.
    pub fn of(load: &Map) -> Self {
        let tgt = load.get("tgt");
        let text = tgt.and_then(Value::as_str);
        match (load.get_str("tgt_type").unwrap_or("glob"), text) {
            ("glob", Some(text)) => Expect::Glob(text.to_owned()),
            ("pcre", Some(text)) => {
                Regex::new(text, Anchor::Match).map_or(Expect::Any, |re| Expect::Pcre(Box::new(re)))
            }
            ("list", Some(text)) => Expect::Names(text.split(',').map(str::to_owned).collect()),
            ("list", None) => Expect::Names(
                tgt.and_then(Value::as_list)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|v| v.as_str().map(str::to_owned))
                    .collect(),
            ),
            _ => Expect::Any,
        }
    }

    /// Whether this minion may answer.
    pub fn allows(&self, id: &MinionId) -> bool {
        match self {
            Expect::Glob(pattern) => fnmatch(id.as_str(), pattern),
            Expect::Pcre(regex) => regex.is_match(id.as_str()).unwrap_or(false),
            Expect::Names(names) => names.contains(id.as_str()),
            Expect::Any => true,
        }
    }

    /// Whoever may answer one or the other: clients may share a job id among the parts of a batch.
    pub fn or(&self, other: Self) -> Self {
        match (self, other) {
            (Expect::Names(a), Expect::Names(mut b)) => {
                b.extend(a.iter().cloned());
                Expect::Names(b)
            }
            (Expect::Glob(a), Expect::Glob(b)) if *a == b => Expect::Glob(b),
            _ => Expect::Any,
        }
    }

    fn names(&self) -> usize {
        if let Expect::Names(names) = self { names.len() } else { 1 }
    }
}

/// What is remembered of a job.
#[derive(Debug)]
pub struct Recent {
    /// Who may answer.
    pub expect: Expect,
    /// Whether answers are not to be kept.
    pub nocache: bool,
}

/// The jobs published last, in bounded memory.
#[derive(Debug, Default)]
pub struct RecentJobs {
    jobs: HashMap<String, std::sync::Arc<Recent>>,
    order: VecDeque<String>,
    names: usize,
}

impl RecentJobs {
    /// Remembers a job; the oldest are forgotten. A job of the same id that is remembered already stays in force too.
    pub fn put(&mut self, jid: &str, mut recent: Recent) -> std::sync::Arc<Recent> {
        if let Some(old) = self.jobs.get(jid) {
            recent.expect = old.expect.or(recent.expect);
        }
        self.replace(jid, recent)
    }

    /// As [`RecentJobs::put`], for one that is known whole.
    pub fn replace(&mut self, jid: &str, recent: Recent) -> std::sync::Arc<Recent> {
        let recent = std::sync::Arc::new(recent);
        self.names += recent.expect.names();
        if let Some(old) = self.jobs.insert(jid.to_owned(), recent.clone()) {
            self.names -= old.expect.names();
            self.order.retain(|known| known != jid);
        }
        self.order.push_back(jid.to_owned());
        while self.order.len() > JOBS || (self.names > NAMES && self.order.len() > 1) {
            let Some(old) = self.order.pop_front().and_then(|jid| self.jobs.remove(&jid)) else { break };
            self.names -= old.expect.names();
        }
        recent
    }

    /// A job that is remembered.
    pub fn get(&self, jid: &str) -> Option<std::sync::Arc<Recent>> {
        self.jobs.get(jid).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decided_and_data_is_not() {
        let allows = |tgt: Value, kind: &str, id: &str| {
            Expect::of(&map! {"tgt" => tgt, "tgt_type" => kind}).allows(&MinionId::parse(id).unwrap())
        };
        assert!(allows("web*".into(), "glob", "web1") && !allows("web*".into(), "glob", "db1"));
        assert!(allows("web".into(), "pcre", "web1") && !allows("web$".into(), "pcre", "web1"));
        assert!(allows("a,b".into(), "list", "b") && !allows("a,b".into(), "list", "c"));
        assert!(allows(vec!["a", "b"].into(), "list", "a") && !allows(vec!["a"].into(), "list", "b"));
        assert!(allows("os:Debian".into(), "grain", "x") && allows("G@os:x".into(), "compound", "x"));
    }

    #[test]
    fn parts_of_a_batch_may_share_an_id() {
        let mut recent = RecentJobs::default();
        for ids in [["a", "b"], ["c", "d"]] {
            let expect = Expect::of(&map! {"tgt" => ids.to_vec(), "tgt_type" => "list"});
            recent.put("j", Recent { expect, nocache: false });
        }
        let allows = |id: &str| recent.get("j").unwrap().expect.allows(&MinionId::parse(id).unwrap());
        assert!(allows("a") && allows("d") && !allows("e"));
        // A batch that goes on is not forgotten for its age.
        for n in 0..2 * JOBS {
            recent.put(&n.to_string(), Recent { expect: Expect::Any, nocache: false });
            let expect = Expect::of(&map! {"tgt" => vec!["c"], "tgt_type" => "list"});
            recent.put("j", Recent { expect, nocache: false });
        }
        let allows = |id: &str| recent.get("j").unwrap().expect.allows(&MinionId::parse(id).unwrap());
        assert!(allows("a") && allows("d") && !allows("e"));
        assert_eq!((recent.jobs.len(), recent.order.len()), (JOBS, JOBS));
    }

    #[test]
    fn memory_is_bounded() {
        let mut recent = RecentJobs::default();
        let many =
            || Recent { expect: Expect::Names((0..60_000).map(|n| n.to_string()).collect()), nocache: false };
        recent.put("a", many());
        recent.put("b", many());
        assert!(recent.get("a").is_none() && recent.get("b").is_some());
        for n in 0..JOBS + 5 {
            recent.put(&n.to_string(), Recent { expect: Expect::Any, nocache: false });
        }
        assert!(recent.jobs.len() == JOBS && recent.get("b").is_none());
    }
}
