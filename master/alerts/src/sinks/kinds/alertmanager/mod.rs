//! `alertmanager`: Prometheus' Alertmanager, by version 2 of its API; one, or all of a cluster.
//!
//! An Alertmanager forgets alerts when it restarts, and ends those that it has not heard of for a while. So what fires is kept here
//! ([`held`]) and said again every minute, with an end that is far away: nothing ends by itself while we are down for an hour.
//! The watchdog alone ends soon, since that is how others notice that we are gone. Silences are set there as ours change, and again
//! when they are not there any more ([`silences`]).

mod api;
mod held;
mod silences;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::conf::{ConfError, Keys};
use crate::queue::Item;
use crate::sinks::http::{Login, Url, client};
use crate::sinks::{Around, Kind, Outcome, Sink};
use api::Api;
use held::Held;

pub use silences::Silencer;

pub(super) static KIND: Kind = Kind {
    name: "alertmanager",
    doc: "Tells Prometheus' Alertmanager, with its silences.",
    keys: &[
        (
            "urls",
            "one or all of a cluster, such as http://127.0.0.1:9093; with a secret in it, one url_file or url_env",
        ),
        ("resend", "how often what fires is said again (1m)"),
        (
            "ends_after",
            "when an alert ends that we say nothing more of (1d); the watchdog after four times resend",
        ),
        ("username, password_file, password_env", "basic authentication"),
        ("token_file, token_env", "a bearer token"),
        ("ca, cert, key, verify", "TLS"),
    ],
    batch: 100,
    group_wait: None,
    rate: None,
    make,
};

/// The alert that fires always, so that its end says that we are gone.
const WATCHDOG: &str = "Watchdog";
/// Alerts that one request says again.
const AT_ONCE: usize = 500;

/// When alerts end by themselves.
#[derive(Clone, Copy)]
struct Ends {
    soon: Duration,
    far: Duration,
}

struct Alertmanager {
    apis: Vec<Api>,
    held: Held,
    silencer: Arc<Silencer>,
    resend: Duration,
    ends: Ends,
    next: Instant,
}

fn make(keys: &mut Keys<'_>, around: &Around) -> Result<Box<dyn Sink>, ConfError> {
    let mut urls = Vec::new();
    for url in keys.texts("urls")? {
        urls.push(Url::clear(&url).map_err(|why| keys.error("urls", why))?);
    }
    if let Some(url) = keys.hidden("url")? {
        urls.push(Url::Hidden(url));
    }
    if urls.is_empty() || urls.len() > 16 {
        return Err(keys.error("urls", "has to be a list of addresses, at most 16"));
    }
    let resend = keys.time("resend")?.unwrap_or(Duration::from_secs(60)).max(Duration::from_secs(1));
    let ends =
        Ends { soon: resend * 4, far: keys.time("ends_after")?.unwrap_or(Duration::from_secs(86_400)) };
    if ends.far < resend * 2 {
        return Err(keys.error("ends_after", "has to be at least twice as long as resend"));
    }
    let login = Login::read(keys)?;
    let http = Arc::new(client(keys)?);
    let apis: Vec<Api> =
        urls.into_iter().map(|url| Api::new(Arc::clone(&http), url, login.clone())).collect();
    let broken = |e: crate::queue::QueueError| ConfError::new(keys.at(), e.to_string());
    let held = Held::open(&around.queue, &around.name).map_err(broken)?;
    let silencer = Silencer::open(&around.queue, &around.name, apis.len(), around.ring()).map_err(broken)?;
    Ok(Box::new(Alertmanager {
        apis,
        held,
        silencer: Arc::new(silencer),
        resend,
        ends,
        next: Instant::now(),
    }))
}

impl Alertmanager {
    /// Says again what fires, and what has ended to those that have not heard it.
    fn say_again(&mut self) {
        let now = SystemTime::now();
        self.held.forget_old(now);
        let all: Vec<_> = self.held.all().cloned().collect();
        for (at, api) in self.apis.iter().enumerate() {
            let mut heard = true;
            for some in all.chunks(AT_ONCE) {
                let body = held::body(some, self.ends, now);
                let outcome = api.post("/api/v2/alerts", &body).map(|answer| answer.outcome());
                // What one of them refuses was refused before, and is dead; the others of that request are taken.
                heard &= matches!(outcome, Ok(Outcome::Delivered | Outcome::Refused(_)));
            }
            if heard {
                self.held.heard(at, &all);
            }
        }
    }
}

impl Sink for Alertmanager {
    fn send(&mut self, batch: &[Item]) -> Outcome {
        let notices: Vec<_> = batch.iter().map(|item| &item.notice).collect();
        let urls = self.apis.len();
        let taken = match self.held.take(&notices, urls) {
            Ok(taken) => taken,
            Err(e) => return Outcome::Retry(None, e.to_string()),
        };
        let body = held::body(&taken, self.ends, SystemTime::now());
        let mut best: Option<Outcome> = None;
        for (at, api) in self.apis.iter().enumerate() {
            let outcome = match api.post("/api/v2/alerts", &body) {
                Ok(answer) => answer.outcome(),
                Err(why) => Outcome::Retry(None, why),
            };
            if outcome == Outcome::Delivered {
                self.held.heard(at, &taken);
            }
            best = Some(match (best, outcome) {
                (Some(Outcome::Delivered), _) | (_, Outcome::Delivered) => Outcome::Delivered,
                (Some(retry @ Outcome::Retry(..)), _) => retry,
                (_, outcome) => outcome,
            });
        }
        let outcome = best.unwrap_or(Outcome::Delivered);
        if let (Outcome::Refused(_), [one]) = (&outcome, notices.as_slice()) {
            self.held.drop_refused(one);
        }
        self.next = self.next.min(Instant::now() + self.resend);
        outcome
    }

    fn upkeep(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let due = now >= self.next;
        let failed = self.silencer.settle(&self.apis, due);
        if due {
            if !self.held.is_empty() {
                self.say_again();
            }
            self.next = Instant::now() + self.resend;
        }
        let idle = self.held.is_empty() && self.silencer.is_empty();
        let next = self.next.saturating_duration_since(Instant::now());
        match (failed, idle) {
            (true, _) => Some(next.min(Duration::from_secs(2))),
            (false, false) => Some(next),
            // What is put next rings, and nothing is due before.
            (false, true) => None,
        }
    }

    fn silencer(&self) -> Option<Arc<Silencer>> {
        Some(Arc::clone(&self.silencer))
    }
}
