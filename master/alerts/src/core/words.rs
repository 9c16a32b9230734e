//! Alerts and silences as the data of events.

use brine_core::{Value as Data, map};

use crate::Labels;
use crate::silence::Silence;
use crate::state::Alert;

/// Data of an event on a silence.
pub(super) fn described(silence: &Silence) -> brine_protocol::Map {
    let matchers: Data = silence.matchers.iter().map(ToString::to_string).collect();
    let seconds = |at| i64::try_from(crate::silence::file::millis(at) / 1000).unwrap_or(0);
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
    let since = i64::try_from(crate::silence::file::millis(alert.since) / 1000).unwrap_or(0);
    map! {
        "fingerprint" => alert.fingerprint(), "labels" => texts(&alert.labels),
        "annotations" => texts(&alert.annotations), "starts_at" => since,
    }
}
