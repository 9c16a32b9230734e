//! What a journal says, read from its first line to its last; by the master at its start, and by `salt-run` beside it.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use brine_store::fs::Dir;
use serde_json::{Value, json};

use super::{Alert, Counts, Kinds, Seen};
use crate::silence::SilenceId;

/// The journal's file.
pub(super) const NAME: &str = "state.jsonl";
/// Largest journal read.
const LARGEST: u64 = 256 << 20;
/// Alerts that are named of those that a silence held back.
const NAMED: usize = 50;
/// Silences that this is kept of.
const MOST: usize = 5000;

/// What a silence held back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hushed {
    /// How many alerts would have been told.
    pub count: u64,
    /// The last of them, in words.
    pub alerts: VecDeque<String>,
}

/// All that a journal stands for.
#[derive(Debug, Default)]
pub struct Kept {
    /// The alerts that there are, by fingerprint.
    pub alerts: BTreeMap<String, Alert>,
    /// The events that were taken.
    pub seen: Seen,
    /// How often each alert came.
    pub counts: Counts,
    /// Which kinds of alerts places have had.
    pub kinds: Kinds,
    /// What silences held back.
    pub hushed: BTreeMap<SilenceId, Hushed>,
}

impl Hushed {
    /// One more; the line for the journal.
    pub fn note(&mut self, id: &SilenceId, alert: &str) -> Value {
        self.count += 1;
        self.name(alert);
        json!({"hushed": [id.as_str(), self.count, [alert]]})
    }

    fn name(&mut self, alert: &str) {
        if self.alerts.len() >= NAMED {
            self.alerts.pop_front();
        }
        self.alerts.push_back(alert.to_owned());
    }

    /// All of it, as the journal has it.
    pub fn to_json(&self, id: &SilenceId) -> Value {
        json!({"hushed": [id.as_str(), self.count, self.alerts]})
    }
}

impl Kept {
    /// Takes a line. What is no line of a journal says nothing.
    fn take(&mut self, line: &Value) -> Option<()> {
        let (kind, value) = line.as_object()?.iter().next()?;
        match kind.as_str() {
            "alert" => {
                let alert = Alert::from_json(value)?;
                self.alerts.insert(alert.fingerprint(), alert);
            }
            "over" => drop(self.alerts.remove(value.as_str()?)),
            "seen" => {
                for hash in value.as_array()? {
                    self.seen.note(u64::from_str_radix(hash.as_str()?, 16).ok()?);
                }
            }
            "count" => self.counts.restore(value)?,
            "kind" => self.kinds.restore(value)?,
            "hushed" => {
                let id = SilenceId::parse(value.get(0)?.as_str()?)?;
                if self.hushed.len() >= MOST && !self.hushed.contains_key(&id) {
                    return None;
                }
                let hushed = self.hushed.entry(id).or_default();
                hushed.count = value.get(1)?.as_u64()?;
                for alert in value.get(2)?.as_array()? {
                    hushed.name(alert.as_str()?);
                }
            }
            _ => return None,
        }
        Some(())
    }
}

/// The line that says that an event was taken.
pub(crate) fn seen_line(hashes: impl Iterator<Item = u64>) -> Value {
    json!({"seen": hashes.map(|hash| format!("{hash:016x}")).collect::<Vec<_>>()})
}

/// Reads the journal of a directory. A last line that was not written whole is left out, as it never was.
///
/// # Errors
/// When it cannot be read.
pub fn read(dir: &Dir) -> io::Result<Kept> {
    let mut kept = Kept::default();
    let bytes = dir.read(NAME, LARGEST)?.unwrap_or_default();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        if let Ok(value) = serde_json::from_slice(line) {
            let _ = kept.take(&value);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::super::Journal;
    use super::*;
    use crate::Labels;
    use crate::state::Why;
    use std::time::{Duration, SystemTime};

    fn alert(name: &str) -> Alert {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_234_567);
        Alert {
            labels: Labels::from([("alertname".into(), name.into())]),
            annotations: Labels::from([("summary".into(), "\"x\"\n".into())]),
            since: at,
            pending: Some(at),
            last: at,
            count: 3,
            members: BTreeMap::from([("k".into(), ("m1".into(), at))]),
            told: true,
            hush: vec![Why::Silence(SilenceId::parse("s1").unwrap()), Why::Inhibited("f".into())],
        }
    }

    #[test]
    fn what_was_appended_is_read_and_half_a_line_is_not() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = Dir::at(tmp.path().join("alerts"));
        let mut journal = Journal::open(dir.clone()).unwrap();
        let (one, two) = (alert("A"), alert("B"));
        let id = SilenceId::parse("s1").unwrap();
        let mut hushed = Hushed::default();
        let mut lines = vec![json!({"alert": one.to_json()}), json!({"alert": two.to_json()})];
        lines.push(json!({"over": two.fingerprint()}));
        lines.push(seen_line([1, u64::MAX].into_iter()));
        lines.extend((0..60).map(|n| hushed.note(&id, &format!("alert {n}"))));
        journal.append(&lines).unwrap();
        journal.sync().unwrap();
        let half = json!({"alert": two.to_json()}).to_string();
        std::io::Write::write_all(&mut journal_file(&dir), &half.as_bytes()[..half.len() / 2]).unwrap();
        let check = || {
            let kept = read(&dir).unwrap();
            assert_eq!(kept.alerts.into_values().collect::<Vec<_>>(), std::slice::from_ref(&one));
            assert_eq!(kept.seen.all().collect::<Vec<_>>(), [1, u64::MAX]);
            assert_eq!(kept.hushed[&id], hushed);
        };
        check();
        // What half a line is followed by is not lost with it.
        let mut again = Journal::open(dir.clone()).unwrap();
        let kept = read(&dir).unwrap();
        let lines = kept.alerts.values().map(|a| json!({"alert": a.to_json()}));
        let lines = lines.chain([seen_line(kept.seen.all()), kept.hushed[&id].to_json(&id)]);
        again.rewrite(lines).unwrap();
        again.append(&[json!({"unknown": 1})]).unwrap();
        check();
        assert!(!again.is_long());
    }

    fn journal_file(dir: &Dir) -> std::fs::File {
        dir.append(NAME).unwrap()
    }
}
