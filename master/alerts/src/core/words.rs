//! Alerts and silences as the data of events.

use std::time::SystemTime;

use brine_core::{Value as Data, map};

use crate::Labels;
use crate::clock::millis;
use crate::silence::Silence;
use crate::state::Alert;

fn seconds(at: SystemTime) -> u64 {
    millis(at) / 1000
}

/// Data of an event on a silence.
pub(super) fn described(silence: &Silence) -> brine_protocol::Map {
    let matchers: Data = silence.matchers.iter().map(ToString::to_string).collect();
    map! {
        "id" => silence.id.as_str(), "kind" => silence.kind.text(), "matchers" => matchers,
        "starts_at" => seconds(silence.starts_at), "ends_at" => seconds(silence.ends_at),
        "author" => silence.author.as_str(), "comment" => silence.comment.as_str(),
        "job" => silence.job.clone(), "change_id" => silence.change_id.clone(),
    }
}

/// Data of an event on an alert.
pub(super) fn told(alert: &Alert) -> brine_protocol::Map {
    let texts = |labels: &Labels| -> brine_protocol::Map {
        labels.iter().map(|(name, value)| (Data::from(name.as_str()), Data::from(value.as_str()))).collect()
    };
    map! {
        "fingerprint" => alert.fingerprint(), "labels" => texts(&alert.labels),
        "annotations" => texts(&alert.annotations), "starts_at" => seconds(alert.since),
    }
}
