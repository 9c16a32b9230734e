//! `slack`: a message through a webhook of Slack's form, which Mattermost, Rocket.Chat and others take, too.

use brine_dial::http::Http;
use serde_json::json;

use crate::conf::{ConfError, Hidden, Keys};
use crate::queue::Item;
use crate::sinks::http::{ask, client};
use crate::sinks::settings::told_by;
use crate::sinks::text::{headline, label, lines};
use crate::sinks::{Around, Kind, Outcome, Sink};
use crate::{Notice, Status};
use std::time::Duration;

pub(super) static KIND: Kind = Kind {
    name: "slack",
    doc: "Writes to a channel through a webhook of Slack's form.",
    keys: &[
        ("url_file, url_env", "the webhook's address, which is a secret"),
        ("channel, username, icon_emoji", "where to, and as whom, if the webhook leaves that open"),
        ("ca, cert, key, verify", "TLS"),
    ],
    batch: 100,
    group_wait: Some(Duration::from_secs(10)),
    rate: Some("1/s"),
    make,
};

/// Alerts that one message shows; the others are counted.
const SHOWN: usize = 20;
/// Characters of each.
const LONGEST: usize = 1500;

struct Slack {
    http: Http,
    url: Hidden,
    more: serde_json::Map<String, serde_json::Value>,
    by: Vec<String>,
}

fn make(keys: &mut Keys<'_>, _: &Around) -> Result<Box<dyn Sink>, ConfError> {
    let mut more = serde_json::Map::new();
    for name in ["channel", "username", "icon_emoji"] {
        if let Some(text) = keys.text(name)? {
            more.insert(name.into(), text.into());
        }
    }
    let url = keys.hidden("url")?.ok_or_else(|| keys.error("url_file", "is needed, or url_env"))?;
    let by = told_by(keys)?;
    Ok(Box::new(Slack { http: client(keys)?, url, more, by }))
}

/// As Slack wants text: these three mean something to it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn color(notice: &Notice) -> &'static str {
    match (notice.status, label(notice, "severity")) {
        (Status::Resolved, _) => "good",
        (Status::Firing, "critical" | "error" | "page") => "danger",
        (Status::Firing, "info") => "#439FE0",
        (Status::Firing, _) => "warning",
    }
}

impl Slack {
    fn body(&self, batch: &[Item]) -> String {
        let mut text = escaped(&headline(batch, &self.by));
        if batch.len() > SHOWN {
            text += &format!(" (and {} more)", batch.len() - SHOWN);
        }
        let shown = batch.iter().take(SHOWN).map(|item| {
            let text: String = lines(&item.notice).chars().take(LONGEST).collect();
            json!({"color": color(&item.notice), "text": escaped(&text), "footer": item.id})
        });
        let mut body = self.more.clone();
        body.insert("text".into(), text.into());
        body.insert("attachments".into(), shown.collect());
        serde_json::Value::Object(body).to_string()
    }
}

impl Sink for Slack {
    fn send(&mut self, batch: &[Item]) -> Outcome {
        let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
        let sent = self
            .url
            .get()
            .and_then(|url| ask(&self.http, "POST", url.reveal(), &headers, Some(&self.body(batch))));
        sent.map_or_else(|why| Outcome::Retry(None, why), |answer| answer.outcome())
    }
}
