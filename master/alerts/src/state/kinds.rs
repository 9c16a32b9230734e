//! Which kinds of alerts a place has had, and since when: what is new to a place is told although the place is silenced.
//!
//! A kind is an `alertname`. It is known to a silence's place if, before the silence began, an alert of this name was raised whose labels
//! the silence covers; or if it says what any work on a place brings about ([`ALWAYS`]).

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::alert::labels;
use crate::clock::{millis, time};
use crate::silence::Silence;
use crate::{Labels, Op};

/// What is known to every place: that it cannot be reached.
const ALWAYS: [&str; 2] = ["MinionDown", "SiteDown"];
/// Sets of labels that are remembered of one name.
const MOST: usize = 2000;
/// Names that are remembered.
const MOST_NAMES: usize = 1000;

/// The kinds: for each name the places, as labels, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds(BTreeMap<String, BTreeMap<Labels, SystemTime>>);

impl Kinds {
    /// Notes that there is an alert with these labels, of which those of `places` say where; what the journal has to keep of it.
    pub fn note(&mut self, of: &Labels, places: &[&str], now: SystemTime) -> Option<Value> {
        let name = of.get("alertname")?;
        let wanted =
            |label: &str| matches!(label, "alertname" | "severity" | "minion") || places.contains(&label);
        let place: Labels =
            of.iter().filter(|(label, _)| wanted(label)).map(|(l, v)| (l.clone(), v.clone())).collect();
        if self.0.len() >= MOST_NAMES && !self.0.contains_key(name) {
            return None;
        }
        let known = self.0.entry(name.clone()).or_default();
        if known.contains_key(&place) {
            return None;
        }
        if known.len() >= MOST {
            // The newest goes: what is known for long stays so.
            let newest = known.iter().max_by_key(|(_, at)| **at).map(|(place, _)| place.clone());
            newest.map(|place| known.remove(&place));
        }
        let row = json!([place, millis(now)]);
        known.insert(place, now);
        Some(row)
    }

    /// Takes a row of the journal.
    pub fn restore(&mut self, value: &Value) -> Option<()> {
        let place = labels(value.get(0)?)?;
        let at = time(value.get(1)?.as_u64()?);
        let name = place.get("alertname")?.clone();
        self.0.entry(name).or_default().insert(place, at);
        Some(())
    }

    /// All rows, as the journal has them.
    pub fn all(&self) -> impl Iterator<Item = Value> + '_ {
        self.0.values().flatten().map(|(place, at)| json!([place, millis(*at)]))
    }

    /// Whether alerts of this name are nothing new where this silence is.
    pub fn knows(&self, name: &str, silence: &Silence) -> bool {
        let names_it =
            silence.matchers.iter().any(|m| m.name == "alertname" && matches!(m.op, Op::Is | Op::Fits));
        if names_it || ALWAYS.contains(&name) {
            return true;
        }
        let before = |at: &SystemTime| *at < silence.starts_at;
        let known = self.0.get(name).into_iter().flatten();
        known.filter(|(_, at)| before(at)).any(|(place, _)| silence.covers(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matcher;
    use crate::silence::Kind;
    use std::time::Duration;

    #[test]
    fn a_kind_is_known_to_a_place_that_had_it_before() {
        let at = |n: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(n);
        let alert = |name: &str, site: &str| {
            Labels::from(
                [("alertname", name), ("site", site), ("fun", "x")].map(|(l, v)| (l.into(), v.into())),
            )
        };
        let mut kinds = Kinds::default();
        assert!(kinds.note(&alert("JobFailed", "akl"), &["site"], at(5)).is_some());
        assert!(kinds.note(&alert("JobFailed", "akl"), &["site"], at(6)).is_none());
        let site = |site: &str, start: u64, more: &[&str]| {
            let own = format!("site={site}");
            let texts = [own.as_str()].into_iter().chain(more.iter().copied());
            let matchers = texts.map(|text| Matcher::parse(text).unwrap()).collect();
            let mut one = Silence::new(Kind::Place, matchers, Duration::from_secs(60), "ann").unwrap();
            one.starts_at = at(start);
            one
        };
        assert!(kinds.knows("JobFailed", &site("akl", 10, &[])));
        assert!(!kinds.knows("JobFailed", &site("akl", 5, &[])));
        assert!(!kinds.knows("JobFailed", &site("wlg", 10, &[])));
        assert!(!kinds.knows("DiskFull", &site("akl", 10, &[])));
        assert!(kinds.knows("DiskFull", &site("akl", 10, &["alertname=~Disk.*"])));
        assert!(kinds.knows("MinionDown", &site("wlg", 10, &[])));
        let mut again = Kinds::default();
        kinds.all().for_each(|row| again.restore(&row).unwrap());
        assert_eq!(again, kinds);
    }
}
