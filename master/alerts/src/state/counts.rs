//! How often which alert came, day by day: what to work on first.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::clock::millis;

/// Days that are kept.
const DAYS: u64 = 30;
/// Rows that are kept; the oldest days go first.
const MOST: usize = 20_000;

/// How often an alert came on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// It fired.
    pub fired: u64,
    /// It was told.
    pub told: u64,
    /// It was held back.
    pub hushed: u64,
    /// Seconds that it fired, of those that ended.
    pub seconds: u64,
}

impl Count {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            fired: self.fired + other.fired,
            told: self.told + other.told,
            hushed: self.hushed + other.hushed,
            seconds: self.seconds + other.seconds,
        }
    }
}

/// Day since 1970, `alertname`, and what it is about.
type Row = (u64, String, String);

/// All counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Row, Count>);

impl Counts {
    /// Adds to the count of a day; the row, as the journal has it.
    pub fn add(&mut self, now: SystemTime, name: &str, about: &str, more: Count) -> Value {
        let day = millis(now) / 86_400_000;
        while self.0.len() >= MOST
            && let Some(oldest) = self.0.keys().next().cloned()
        {
            self.0.remove(&oldest);
        }
        while let Some((row, _)) = self.0.first_key_value()
            && row.0 + DAYS < day
        {
            self.0.pop_first();
        }
        let row = (day, name.to_owned(), about.to_owned());
        let count = self.0.entry(row.clone()).or_default();
        *count = count.plus(more);
        to_json(&row, *count)
    }

    /// Takes a row of the journal.
    pub fn restore(&mut self, value: &Value) -> Option<()> {
        let number = |n: usize| value.get(n).and_then(Value::as_u64);
        let text = |n: usize| value.get(n).and_then(Value::as_str).map(str::to_owned);
        let count = Count { fired: number(3)?, told: number(4)?, hushed: number(5)?, seconds: number(6)? };
        self.0.insert((number(0)?, text(1)?, text(2)?), count);
        Some(())
    }

    /// All rows, as the journal has them.
    pub fn all(&self) -> impl Iterator<Item = Value> + '_ {
        self.0.iter().map(|(row, count)| to_json(row, *count))
    }

    /// The counts of the last `days` days by `alertname` and what it is about.
    pub fn since(&self, now: SystemTime, days: u64) -> BTreeMap<(String, String), Count> {
        let from = (millis(now) / 86_400_000).saturating_sub(days.saturating_sub(1));
        let mut sums: BTreeMap<(String, String), Count> = BTreeMap::new();
        for ((day, name, about), count) in &self.0 {
            if *day >= from {
                let sum = sums.entry((name.clone(), about.clone())).or_default();
                *sum = sum.plus(*count);
            }
        }
        sums
    }
}

fn to_json((day, name, about): &Row, count: Count) -> Value {
    json!([day, name, about, count.fired, count.told, count.hushed, count.seconds])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days_are_added_up_and_forgotten() {
        let day = |n: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(n * 86_400 + 5);
        let one = Count { fired: 1, told: 1, ..Count::default() };
        let mut counts = Counts::default();
        counts.add(day(100), "A", "m1", one);
        counts.add(day(100), "A", "m1", one);
        let row = counts.add(day(101), "A", "m1", one);
        assert_eq!(row, json!([101, "A", "m1", 1, 1, 0, 0]));
        let key = ("A".to_owned(), "m1".to_owned());
        assert_eq!(counts.since(day(101), 2)[&key].fired, 3);
        assert_eq!(counts.since(day(101), 1)[&key].fired, 1);
        let mut again = Counts::default();
        counts.all().for_each(|row| again.restore(&row).unwrap());
        assert_eq!(again, counts);
        counts.add(day(131), "B", "", one);
        assert_eq!(counts.since(day(131), 100).get(&key).unwrap().fired, 1);
    }
}
