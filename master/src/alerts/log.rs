//! Alerts in the master's log, where nobody else is to be told.

use brine_alerts::{Deliver, Delivery, NOWHERE, Notice, SilenceChange, Status};

/// The log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log;

impl Deliver for Log {
    fn put(&self, notice: &Notice) {
        if notice.labels.get(NOWHERE.0).is_some_and(|route| route == NOWHERE.1) {
            return;
        }
        let labels: Vec<String> =
            notice.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let labels = labels.join(" ");
        let summary = notice.annotations.get("summary").map_or("", String::as_str);
        match notice.status {
            Status::Firing => tracing::warn!("alert: {summary} ({labels})"),
            Status::Resolved => tracing::info!("alert is over: {summary} ({labels})"),
        }
    }

    fn silence(&self, change: &SilenceChange) {
        match change {
            SilenceChange::Set(silence) => {
                tracing::info!("silence {} by {}: {}", silence.id, silence.author, silence.scope());
            }
            SilenceChange::Expired(id) => tracing::info!("silence {id} is over"),
        }
    }

    fn deliveries(&self, _: &str) -> Vec<Delivery> {
        vec![Delivery { sink: "log".into(), outcome: Ok(()) }]
    }

    fn meant(&self, _: &Notice) -> Vec<String> {
        vec!["log".into()]
    }
}
