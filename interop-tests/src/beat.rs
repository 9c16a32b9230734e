//! A steady beat of `test.ping` jobs to one minion, to measure how long it is out of reach.
//! The jid of a job is the moment it was published, so an answer tells on which side of a
//! moment its job was sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::bus::{Bus, Event};
use crate::daemon::Daemon;
use crate::failure::Result;
use crate::fleet::Fleet;
use crate::{script, wait};

/// Seconds between two jobs.
const EVERY: &str = "0.25";

/// The beat; it stops when dropped.
#[derive(Debug)]
pub struct Beat {
    bus: Bus,
    id: String,
    _publisher: Daemon,
}

/// Seconds since 1970.
fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The moment in a jid, in seconds since 1970.
fn published(jid: &str) -> Option<f64> {
    let number = |range: std::ops::Range<usize>| jid.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    // Days from the civil date, counted in years that begin in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    let whole = days * 86_400 + number(8..10)? * 3600 + number(10..12)? * 60 + number(12..14)?;
    let micros = number(14..20)?;
    Some(Duration::from_micros(u64::try_from(whole * 1_000_000 + micros).ok()?).as_secs_f64())
}

impl Beat {
    /// Starts the beat for minion `id` and waits for its first answer.
    ///
    /// # Errors
    /// When there is none.
    pub fn start(fleet: &Fleet, id: &str) -> Result<Beat> {
        let bus = Bus::listen(fleet)?;
        let conf = fleet.path("etc/master").display().to_string();
        let text = include_str!("../py/beat.py");
        let cmd = script::prepare(fleet, script::bus_side(fleet), "beat.py", text, &[&conf, id, EVERY])?;
        let publisher = Daemon::start("beat", cmd, &fleet.path("log/beat.out"))?;
        let beat = Beat { bus, id: id.to_owned(), _publisher: publisher };
        let begin = SystemTime::now();
        match beat.answer_after(begin, Duration::from_secs(20))? {
            Some(_) => Ok(beat),
            None => Err("the beat gets no answer on a sound path".into()),
        }
    }

    /// How long after `moment` the first job published after it was answered; nothing when none
    /// was within `limit`.
    ///
    /// # Errors
    /// Never by itself; the type is that of all probes.
    pub fn answer_after(&self, moment: SystemTime, limit: Duration) -> Result<Option<Duration>> {
        let start = seconds(moment);
        let answers = |e: &Event| {
            let jid = e.tag.strip_prefix("salt/job/")?.strip_suffix(&format!("/ret/{}", self.id))?;
            (published(jid)? >= start).then_some(e.at - start)
        };
        let found = wait::until("an answer", limit, || Ok(self.bus.seen().iter().find_map(answers)));
        Ok(found.ok().map(|s| Duration::from_secs_f64(s.max(0.0))))
    }
}

#[cfg(test)]
mod tests {
    use super::published;

    #[test]
    fn a_jid_is_a_moment() {
        assert_eq!(published("19700102000001000000"), Some(86_401.0));
        assert_eq!(published("20260301000000500000"), Some(1_772_323_200.5));
        assert_eq!(published("2026"), None);
    }
}
