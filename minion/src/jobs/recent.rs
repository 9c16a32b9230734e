//! The last job ids seen, so that a job that arrives twice (from two masters, or replayed) runs once.

use std::collections::{HashSet, VecDeque};

/// Remembers up to `minion_jid_queue_hwm` ids.
pub struct Recent {
    most: usize,
    order: VecDeque<String>,
    seen: HashSet<String>,
}

impl Recent {
    /// Remembers this many ids.
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), order: VecDeque::new(), seen: HashSet::new() }
    }

    /// Notes an id. False if it is among the remembered ones.
    pub fn first_time(&mut self, jid: &str) -> bool {
        if !self.seen.insert(jid.to_owned()) {
            return false;
        }
        self.order.push_back(jid.to_owned());
        if self.order.len() > self.most
            && let Some(old) = self.order.pop_front()
        {
            self.seen.remove(&old);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_id_counts_once_until_it_is_forgotten() {
        let mut recent = Recent::new(2);
        assert!(recent.first_time("a"));
        assert!(!recent.first_time("a"));
        assert!(recent.first_time("b"));
        assert!(recent.first_time("c"));
        assert!(recent.first_time("a"), "only the last two are remembered");
        assert!(!recent.first_time("c"));
    }
}
