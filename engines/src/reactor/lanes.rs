//! Order where it matters: what is of one minion comes one after the other, what is of different ones at once.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Whose events follow each other: a minion's id, or empty text for what is of none.
pub type Key = Arc<str>;

/// What waits, by lane.
#[derive(Debug)]
pub struct Lanes<T> {
    lanes: HashMap<Key, VecDeque<T>>,
    /// Lanes that have something and of which nothing is in work; who waited longest first.
    ready: VecDeque<Key>,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { lanes: HashMap::new(), ready: VecDeque::new() }
    }
}

impl<T> Lanes<T> {
    /// Puts an item at the end of its lane.
    pub fn put(&mut self, key: &str, item: T) {
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.push_back(item);
            return;
        }
        let key: Key = key.into();
        self.lanes.insert(key.clone(), VecDeque::from([item]));
        self.ready.push_back(key);
    }

    /// The first item of a lane of which nothing is in work. The lane is closed until [`Lanes::finish`].
    pub fn take(&mut self) -> Option<(Key, T)> {
        let key = self.ready.pop_front()?;
        let item = self.lanes.get_mut(&key)?.pop_front()?;
        Some((key, item))
    }

    /// What was taken of a lane is done: the next one may be taken.
    pub fn finish(&mut self, key: &Key) {
        match self.lanes.get(key) {
            Some(lane) if !lane.is_empty() => self.ready.push_back(key.clone()),
            Some(_) => drop(self.lanes.remove(key)),
            None => {}
        }
    }

    /// Whether something may be taken.
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_testing::Random;

    #[test]
    fn each_lane_is_in_order_one_at_a_time_and_nothing_is_lost() {
        let seed = brine_testing::number("BRINE_SEED", 8);
        for case in 0..brine_testing::number("BRINE_CASES", 200) {
            let mut random = Random::new(seed * 1000 + case);
            let mut lanes = Lanes::default();
            let mut want: HashMap<String, VecDeque<u32>> = HashMap::new();
            let mut busy: Vec<Key> = Vec::new();
            for step in 0..300_u32 {
                match random.below(3) {
                    0 => {
                        let key = format!("m{}", random.below(5));
                        lanes.put(&key, step);
                        want.entry(key).or_default().push_back(step);
                    }
                    1 => {
                        let open = |key: &String| !busy.iter().any(|b| **b == **key);
                        let some = want.iter().any(|(key, waiting)| open(key) && !waiting.is_empty());
                        assert_eq!(lanes.is_ready(), some, "seed {seed} case {case}");
                        if let Some((key, item)) = lanes.take() {
                            assert!(open(&key.to_string()));
                            assert_eq!(want.get_mut(&*key).and_then(VecDeque::pop_front), Some(item));
                            busy.push(key);
                        }
                    }
                    _ if !busy.is_empty() => {
                        let key = busy.swap_remove(random.below(busy.len()));
                        lanes.finish(&key);
                    }
                    _ => {}
                }
            }
            for key in busy {
                lanes.finish(&key);
            }
            while let Some((key, item)) = lanes.take() {
                assert_eq!(want.get_mut(&*key).and_then(VecDeque::pop_front), Some(item));
                lanes.finish(&key);
            }
            assert!(want.values().all(VecDeque::is_empty) && lanes.lanes.is_empty());
        }
    }

    #[test]
    fn lanes_take_turns() {
        let mut lanes = Lanes::default();
        (0..3).for_each(|n| lanes.put("busy", n));
        lanes.put("other", 9);
        let mut order = Vec::new();
        while let Some((key, item)) = lanes.take() {
            lanes.finish(&key);
            order.push(item);
        }
        assert_eq!(order, [0, 9, 1, 2]);
    }
}
