//! Our silences, in Alertmanagers: set there as they are here, and again when they are not there any more.
//!
//! What is wanted is on disk before anybody is told, with the ids that Alertmanagers gave. One whose id was lost, since we were
//! killed before it was noted, is known by its comment, which ends in our own id.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};

use super::api::Api;
use crate::queue::{Queue, QueueError};
use crate::sinks::Outcome;
use crate::sinks::text::date;
use crate::{Op, Silence, SilenceChange, SilenceId};

/// What the names of silences begin with among what a sink keeps.
const NAMES: &str = "silence:";

/// A silence, and where it stands.
#[derive(Clone, Debug)]
struct Row {
    silence: Silence,
    /// It is over, for us.
    gone: bool,
    /// The id at each Alertmanager.
    ids: Vec<Option<String>>,
    /// Who has not heard of the last change.
    owed: Vec<bool>,
    /// How often it changed.
    version: u64,
}

impl Row {
    fn body(&self) -> Value {
        json!({"silence": crate::silence::file::to_json(&self.silence), "gone": self.gone, "ids": self.ids})
    }

    /// After a restart all are asked whether they have it.
    fn of(text: &str, urls: usize) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let silence = crate::silence::file::from_json(value.get("silence")?).ok()?;
        let ids = value.get("ids")?.as_array()?.iter().map(|id| id.as_str().map(str::to_owned));
        let mut ids: Vec<_> = ids.collect();
        ids.resize(urls, None);
        let owed = ids.iter().map(Option::is_none).collect();
        Some(Self { silence, gone: value.get("gone")?.as_bool()?, ids, owed, version: 0 })
    }
}

/// The silences of one sink: changed by whoever has silences, brought to the Alertmanagers by the sink's thread.
pub struct Silencer {
    queue: Arc<Queue>,
    sink: String,
    urls: usize,
    rows: Mutex<BTreeMap<String, Row>>,
    settled: Condvar,
    /// Where ids may have been lost.
    lost: Mutex<Vec<bool>>,
    ring: Box<dyn Fn() + Send + Sync>,
}

impl Silencer {
    pub(super) fn open(
        queue: &Arc<Queue>,
        sink: &str,
        urls: usize,
        ring: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, QueueError> {
        let kept = queue.kept(sink)?.into_iter();
        let rows = kept
            .filter_map(|(name, body)| Some((name.strip_prefix(NAMES)?.to_owned(), Row::of(&body, urls)?)));
        Ok(Self {
            queue: Arc::clone(queue),
            sink: sink.to_owned(),
            urls,
            rows: Mutex::new(rows.collect()),
            settled: Condvar::new(),
            lost: Mutex::new(vec![true; urls]),
            ring: Box::new(ring),
        })
    }

    fn keep(&self, id: &str, body: Option<Value>) {
        let rows = [(format!("{NAMES}{id}"), body.map(|body| body.to_string()))];
        if let Err(e) = self.queue.keep(&self.sink, &rows) {
            tracing::error!("sink {}: silence {id}: {e}", self.sink);
        }
    }

    /// Takes a change; it outlives this process, and waits for nobody.
    pub(in crate::sinks) fn change(&self, change: &SilenceChange) {
        let mut rows = self.rows.lock();
        let id = match change {
            SilenceChange::Set(silence) => {
                let id = silence.id.as_str();
                let new = || Row {
                    silence: silence.clone(),
                    gone: false,
                    ids: vec![None; self.urls],
                    owed: vec![true; self.urls],
                    version: 0,
                };
                let row = rows.entry(id.to_owned()).or_insert_with(new);
                if row.version > 0 && row.silence == *silence && !row.gone {
                    return;
                }
                row.silence = silence.clone();
                row.gone = false;
                id.to_owned()
            }
            SilenceChange::Expired(id) => match rows.get_mut(id.as_str()) {
                Some(row) => {
                    row.gone = true;
                    id.as_str().to_owned()
                }
                None => return,
            },
        };
        if let Some(row) = rows.get_mut(&id) {
            row.version += 1;
            row.owed.fill(true);
            self.keep(&id, Some(row.body()));
        }
        drop(rows);
        (self.ring)();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.lock().is_empty()
    }

    /// Whether at least one Alertmanager has a silence as it is; those of a cluster tell each other. Also true of one that we do
    /// not want any more.
    pub(in crate::sinks) fn stands(&self, id: &SilenceId, until: Instant) -> bool {
        let mut rows = self.rows.lock();
        loop {
            let stands =
                |row: &Row| row.gone || row.ids.iter().zip(&row.owed).any(|(id, owed)| id.is_some() && !owed);
            if rows.get(id.as_str()).is_none_or(stands) {
                return true;
            }
            if self.settled.wait_until(&mut rows, until).timed_out() {
                return rows.get(id.as_str()).is_none_or(stands);
            }
        }
    }

    /// Brings Alertmanagers to what is wanted, and with `look` also asks whether they still have it. Whether anything failed.
    pub(super) fn settle(&self, apis: &[Api], look: bool) -> bool {
        if self.rows.lock().is_empty() {
            return false;
        }
        let mut failed = false;
        for (at, api) in apis.iter().enumerate() {
            if self.lost.lock()[at] {
                match self.find(at, api) {
                    Ok(()) => self.lost.lock()[at] = false,
                    Err(why) => {
                        tracing::debug!("sink {}: silences: {why}", self.sink);
                        failed = true;
                        continue;
                    }
                }
            }
            let snapshot: Vec<(String, Row)> =
                self.rows.lock().iter().map(|(id, row)| (id.clone(), row.clone())).collect();
            for (id, row) in snapshot {
                if let Err(why) = self.bring(at, api, &id, &row, look) {
                    tracing::warn!("sink {}: silence {id}: {why}; it will be tried again", self.sink);
                    failed = true;
                    break;
                }
            }
        }
        self.forget_over();
        failed
    }

    /// One silence to one Alertmanager.
    fn bring(&self, at: usize, api: &Api, id: &str, row: &Row, look: bool) -> Result<(), String> {
        let now = SystemTime::now();
        let known = row.ids[at].as_deref();
        if row.gone {
            if let Some(known) = known {
                delete(api, known)?;
            }
            self.note(at, id, row.version, None);
            return Ok(());
        }
        if row.silence.is_over(now) {
            return Ok(());
        }
        let mut update = known;
        if !row.owed[at] {
            match known {
                Some(known) if !look || is_there(api, known)? => return Ok(()),
                _ => update = None,
            }
        }
        self.lost.lock()[at] = true;
        let mut answer = api.post("/api/v2/silences", &body(&row.silence, update))?;
        if answer.status == 404 || update.is_some() && answer.status == 400 {
            // It has forgotten the id, or the silence of it is over.
            answer = api.post("/api/v2/silences", &body(&row.silence, None))?;
        }
        self.lost.lock()[at] = false;
        match answer.outcome() {
            Outcome::Delivered => {
                let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
                let given =
                    said.get("silenceID").and_then(Value::as_str).ok_or("an answer without silenceID")?;
                self.note(at, id, row.version, Some(given.to_owned()));
                Ok(())
            }
            Outcome::Refused(why) => {
                tracing::error!("sink {}: silence {id} is refused: {why}", self.sink);
                self.note(at, id, row.version, None);
                Ok(())
            }
            Outcome::Retry(_, why) => Err(why),
        }
    }

    /// Notes what an Alertmanager has of a silence now.
    fn note(&self, at: usize, id: &str, version: u64, known: Option<String>) {
        let mut rows = self.rows.lock();
        let Some(row) = rows.get_mut(id) else { return };
        row.ids[at] = known;
        if row.version == version {
            row.owed[at] = false;
        }
        if row.gone && row.ids.iter().all(Option::is_none) && !row.owed.contains(&true) {
            rows.remove(id);
            self.keep(id, None);
        } else {
            self.keep(id, Some(row.body()));
        }
        self.settled.notify_all();
    }

    /// What has ended by itself has ended there, too.
    fn forget_over(&self) {
        let now = SystemTime::now();
        let mut rows = self.rows.lock();
        let over: Vec<String> =
            rows.iter().filter(|(_, row)| row.silence.is_over(now)).map(|(id, _)| id.clone()).collect();
        for id in over {
            // One that was ended by hand has its end in the past, and may still stand there.
            if rows.get(&id).is_some_and(|row| !row.gone || row.ids.iter().all(Option::is_none)) {
                rows.remove(&id);
                self.keep(&id, None);
            }
        }
        self.settled.notify_all();
    }

    /// Looks for silences of ours whose ids we may not know: those that are wanted are known from then on, others are ended.
    fn find(&self, at: usize, api: &Api) -> Result<(), String> {
        let answer = api.get("/api/v2/silences")?;
        if answer.status != 200 {
            return Err(format!("HTTP {}", answer.status));
        }
        let all: Value = serde_json::from_str(&answer.body).map_err(|e| e.to_string())?;
        for one in all.as_array().map(Vec::as_slice).unwrap_or_default() {
            let text = |key: &str| one.get(key).and_then(Value::as_str);
            let over = one.pointer("/status/state").and_then(Value::as_str) == Some("expired");
            let (Some(known), Some(ours), false) = (text("id"), text("comment").and_then(id_in), over) else {
                continue;
            };
            let wanted = {
                let mut rows = self.rows.lock();
                match rows.get_mut(ours) {
                    Some(row) => {
                        if row.ids[at].is_none() {
                            row.ids[at] = Some(known.to_owned());
                            row.owed[at] = true;
                        }
                        row.ids[at].as_deref() == Some(known)
                    }
                    None => false,
                }
            };
            if !wanted {
                delete(api, known)?;
            }
        }
        Ok(())
    }
}

/// Our id, from a comment that we wrote.
fn id_in(comment: &str) -> Option<&str> {
    comment.strip_suffix(']')?.rsplit_once("[brine ").map(|(_, id)| id)
}

fn delete(api: &Api, known: &str) -> Result<(), String> {
    let answer = api.delete(&format!("/api/v2/silence/{known}"))?;
    match answer.outcome() {
        Outcome::Delivered => Ok(()),
        _ if answer.status == 404 || answer.body.contains("already expired") => Ok(()),
        Outcome::Retry(_, why) | Outcome::Refused(why) => Err(why),
    }
}

/// Whether a silence is there and not over.
fn is_there(api: &Api, known: &str) -> Result<bool, String> {
    let answer = api.get(&format!("/api/v2/silence/{known}"))?;
    match answer.status {
        200 => {
            let said: Value = serde_json::from_str(&answer.body).map_err(|e| e.to_string())?;
            Ok(said.pointer("/status/state").and_then(Value::as_str) != Some("expired"))
        }
        404 => Ok(false),
        status => Err(format!("HTTP {status}")),
    }
}

/// What the API takes.
fn body(silence: &Silence, update: Option<&str>) -> Value {
    let matcher = |name: &str, value: &str, op: Op| {
        json!({
            "name": name, "value": value, "isRegex": matches!(op, Op::Fits | Op::FitsNot),
            "isEqual": matches!(op, Op::Is | Op::Fits),
        })
    };
    let mut matchers: Vec<Value> =
        silence.matchers.iter().map(|m| matcher(&m.name, &m.value, m.op)).collect();
    // It refuses a silence whose matchers all take a label that is not there. Every alert has a name.
    if silence.matchers.iter().all(|m| m.takes("")) {
        matchers.push(matcher("alertname", ".+", Op::Fits));
    }
    // That everything is silent is told all the same.
    if silence.is_of_everything() {
        matchers.push(matcher("alertname", "SilenceMatchesAll", Op::IsNot));
    }
    let why = if silence.comment.is_empty() { silence.kind.text() } else { &silence.comment };
    let mut body = json!({
        "matchers": matchers, "startsAt": date(silence.starts_at.max(UNIX_EPOCH)), "endsAt": date(silence.ends_at),
        "createdBy": if silence.author.is_empty() { "brine" } else { &silence.author },
        "comment": format!("{why} [brine {}]", silence.id),
    });
    if let Some(id) = update {
        body["id"] = id.into();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matcher;
    use crate::silence::Kind;
    use std::time::Duration;

    #[test]
    fn a_silence_of_everything_is_one_that_the_api_takes() {
        let minute = Duration::from_secs(60);
        let all = Silence::new(Kind::All, Vec::new(), minute, "").unwrap();
        let body_of_all = body(&all, None);
        assert_eq!(
            body_of_all["matchers"],
            json!([{"name": "alertname", "value": ".+", "isRegex": true, "isEqual": true},
                   {"name": "alertname", "value": "SilenceMatchesAll", "isRegex": false, "isEqual": false}])
        );
        assert_eq!(id_in(body_of_all["comment"].as_str().unwrap()), Some(all.id.as_str()));
        let matchers = ["site=akl", "role!~db.*"].map(|text| Matcher::parse(text).unwrap()).to_vec();
        let body = body(&Silence::new(Kind::Place, matchers, minute, "ann").unwrap(), Some("x"));
        assert_eq!(
            body["matchers"],
            json!([{"name": "site", "value": "akl", "isRegex": false, "isEqual": true},
                   {"name": "role", "value": "db.*", "isRegex": true, "isEqual": false}])
        );
        assert_eq!((&body["createdBy"], &body["id"]), (&json!("ann"), &json!("x")));
    }

    #[test]
    fn only_comments_of_ours_have_an_id() {
        assert_eq!(id_in("why [not] [brine abc]"), Some("abc"));
        for text in ["", "brine abc", "[brine abc] x", "[abc]"] {
            assert_eq!(id_in(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_wanted_outlives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let queue = Arc::new(Queue::open(dir.path()).unwrap());
        let open = || Silencer::open(&queue, "s", 1, || {}).unwrap();
        let silence = Silence::new(Kind::All, Vec::new(), Duration::from_secs(60), "ann").unwrap();
        let silencer = open();
        silencer.change(&SilenceChange::Set(silence.clone()));
        assert!(!silencer.stands(&silence.id, Instant::now()));
        silencer.note(0, silence.id.as_str(), 1, Some("theirs".into()));
        assert!(silencer.stands(&silence.id, Instant::now()));
        let silencer = open();
        assert_eq!(silencer.rows.lock()[silence.id.as_str()].ids, [Some("theirs".to_owned())]);
        silencer.change(&SilenceChange::Expired(silence.id.clone()));
        let silencer = open();
        assert!(silencer.rows.lock()[silence.id.as_str()].gone);
        silencer.note(0, silence.id.as_str(), 0, None);
        assert!(silencer.is_empty() && open().is_empty());
    }
}
