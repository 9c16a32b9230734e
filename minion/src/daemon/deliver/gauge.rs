//! When a master is told how full the spool is: what could not be delivered is no secret, once somebody can hear of it.
//!
//! The event is `salt/minion/ID/spool`, with the number of `returns`, their `bytes`, and `most`, how many bytes there may be.

use brine_core::{Map, Value, map};

use crate::spool::Spool;

/// Percent from which on it is told.
const FROM: u64 = 10;

/// What was told last: percent, in tens.
#[derive(Debug, Default)]
pub(super) struct Gauge(Option<u64>);

impl Gauge {
    /// The event's data, if there is anything new to say: that it is fuller or emptier by a tenth, from the first tenth on, or empty
    /// again.
    pub(super) fn look(&mut self, spool: &Spool) -> Option<Map> {
        let (returns, bytes) = spool.usage();
        let most = spool.cap();
        let percent = bytes.saturating_mul(100) / most.max(1);
        let now = (percent >= FROM).then_some(percent / 10);
        let news = match (self.0, now) {
            (None, Some(_)) => true,
            (Some(before), Some(now)) => before != now,
            // Not before it is empty: what goes up and down at the edge is not told each time.
            (Some(_), None) => returns == 0,
            (None, None) => false,
        };
        if !news {
            return None;
        }
        self.0 = now;
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Some(map! {
            "returns" => number(returns as u64), "bytes" => number(bytes), "most" => number(most),
        })
    }

    /// Nobody has heard it: it is to be told again.
    pub(super) fn unsaid(&mut self) {
        self.0 = None;
    }
}

/// The request that fires the event.
pub(super) fn load(id: &str, data: Map) -> Map {
    let event = map! {"tag" => format!("salt/minion/{id}/spool"), "data" => data};
    map! {"cmd" => "_minion_event", "id" => id, "events" => vec![Value::Map(event)]}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Item;

    #[test]
    fn each_tenth_is_told_once_and_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(&dir.path().join("spool"), &dir.path().join("key"), 10_000).unwrap();
        let mut gauge = Gauge::default();
        let put = || {
            let load = map! {"jid" => "1", "return" => "x".repeat(500)};
            spool.put(&Item { master: "one".into(), load }).unwrap()
        };
        assert_eq!(gauge.look(&spool), None);
        let mut seqs = vec![put()];
        assert_eq!(gauge.look(&spool), None);
        seqs.push(put());
        let said = gauge.look(&spool).unwrap();
        assert_eq!((said.get("returns"), said.get("most")), (Some(&2.into()), Some(&10_000.into())));
        assert_eq!(gauge.look(&spool), None);
        seqs.extend([put(), put()]);
        assert!(gauge.look(&spool).is_some());
        gauge.unsaid();
        assert!(gauge.look(&spool).is_some());
        while seqs.len() > 1 {
            spool.remove(seqs.pop().unwrap());
        }
        assert_eq!(gauge.look(&spool), None);
        spool.remove(seqs[0]);
        assert_eq!(gauge.look(&spool).unwrap().get("returns"), Some(&0.into()));
        assert_eq!(gauge.look(&spool), None);
    }
}
