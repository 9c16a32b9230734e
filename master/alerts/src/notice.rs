//! What is said of an alert: the one thing that rules make and sinks deliver.

use std::collections::BTreeMap;
use std::time::SystemTime;

use brine_protocol::crypt::fingerprint::hex;
use sha2::{Digest, Sha256};

/// What an alert is about, by name: `alertname`, `severity`, `minion`, `site` and whatever else a rule sets. Sorted, as texts.
pub type Labels = BTreeMap<String, String>;

/// Whether what an alert is about still is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is.
    Firing,
    /// It is over.
    Resolved,
}

impl Status {
    /// One word, as Alertmanager and Prometheus have it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// An alert, as it is told to a sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Whether it begins or ends.
    pub status: Status,
    /// Which alert: two notices of equal labels are of the same one.
    pub labels: Labels,
    /// What people read: `summary`, `description` and links. Not part of which alert it is.
    pub annotations: Labels,
    /// Since when.
    pub starts_at: SystemTime,
    /// Until when, where it is over.
    pub ends_at: Option<SystemTime>,
}

impl Notice {
    /// A short name of which alert this is: 16 hexadecimal digits, of the labels alone.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.labels)
    }
}

/// 16 hexadecimal digits for a set of labels. Names and values are told apart by bytes that text cannot hold.
pub fn fingerprint(labels: &Labels) -> String {
    let mut hash = Sha256::new();
    for (name, value) in labels {
        hash.update(name.as_bytes());
        hash.update([0xff]);
        hash.update(value.as_bytes());
        hash.update([0xfe]);
    }
    hex(&hash.finalize()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_fingerprint_is_of_all_labels_and_of_nothing_else() {
        let one = fingerprint(&labels(&[("a", "bc"), ("d", "e")]));
        assert_eq!(one.len(), 16);
        assert_eq!(one, fingerprint(&labels(&[("d", "e"), ("a", "bc")])));
        assert_ne!(one, fingerprint(&labels(&[("ab", "c"), ("d", "e")])));
        assert_ne!(one, fingerprint(&labels(&[("a", "bcd"), ("", "e")])));
    }
}
