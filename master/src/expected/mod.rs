//! What a job disturbs is silenced before it starts, for as long as it runs.
//!
//! What is asked, and which silences the answers make, is decided in `brine_alerts::expected`. Here minions are asked, answers
//! waited for, and silences prolonged and lifted. A silence stands for `ttl` and is prolonged while the job runs, so
//! that one of a master that dies ends by itself; a master that is back before that goes on with it.

mod watched;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use brine_alerts::expected::{Conf, Demand, Disturbed, Plan, Words, plan};
use brine_alerts::{Deliver, Labels, Silence, Silences};
use brine_core::target::{Checked, DEFAULT_TARGET_DELIM, check_minions};
use brine_protocol::ids::{Jid, MinionId};
use brine_protocol::{Map, Value, map};
use brine_store::jobs::Shelf;
use tokio::sync::Notify;

use crate::master::Master;
use crate::requests::job;
pub(crate) use watched::Watched;

/// Names that a refusal says.
const NAMED: usize = 20;
/// How long a job waits for receivers of its silences. One that is away for longer tells nobody of alerts either.
const STAND: Duration = Duration::from_secs(5);

type LabelsOf = Box<dyn Fn(&str) -> Labels + Send + Sync>;

/// How it is done here.
pub(crate) struct Expected {
    /// The settings.
    pub conf: Conf,
    /// Where silences are kept.
    pub silences: Silences,
    /// The labels of a minion.
    pub labels: LabelsOf,
    /// Receivers that have silences of their own.
    pub deliver: Arc<dyn Deliver>,
}

impl std::fmt::Debug for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expected").field("conf", &self.conf).finish_non_exhaustive()
    }
}

/// The silences of a job. They end at once when this is dropped before [`Quiet::started`].
#[derive(Debug)]
pub(crate) struct Quiet {
    master: Arc<Master>,
    silences: Vec<Silence>,
    over: Option<(Jid, Arc<Notify>)>,
}

impl Expected {
    /// Takes what is said of a job out of its arguments, and sets its silences.
    ///
    /// # Errors
    /// In words for whoever starts it: it must not start.
    pub(crate) fn before<'a>(
        &'a self,
        master: &'a Arc<Master>,
        jid: &'a Jid,
        load: &'a mut Map,
        minions: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<Option<Quiet>, String>> + Send + 'a>> {
        // A job asks by jobs of its own, which come here as well and disturb nothing.
        Box::pin(async move {
            let words = Words::take(load)?;
            let demands: Vec<Demand> =
                Demand::of(load).into_iter().filter(|d| *d != Demand::Nothing).collect();
            if demands.is_empty() {
                return Ok(None);
            }
            self.check_policy(master, &words, minions)?;
            let present: Vec<String> =
                minions.iter().filter(|id| !master.presence.is_absent(id)).cloned().collect();
            let disturbed = self.ask(master, jid, &demands, &present).await;
            let author = load.get_str("user").unwrap_or_default();
            let fun = load.get("fun").map(brine_core::text::python_str).unwrap_or_default();
            let change = words.change_id.as_ref().map(|id| format!(", change {id}")).unwrap_or_default();
            let comment = format!("job {jid}: {fun}{change}");
            match plan(&self.conf, &words, (jid.as_str(), author, &comment), &disturbed, &self.labels) {
                Plan::Refuse(unknown) => Err(format!(
                    "It is not known what this would disturb on {}: their low state was not to be had. \
                     silence=place silences their whole place, silence=no nothing.",
                    named(&unknown)
                )),
                Plan::Silence(silences) if silences.is_empty() => Ok(None),
                Plan::Silence(silences) => self.set(master, jid, silences, &present).await.map(Some),
            }
        })
    }

    /// Whether the job may go without a change id.
    fn check_policy(&self, master: &Master, words: &Words, minions: &[String]) -> Result<(), String> {
        let Some(target) = self.conf.change_id.as_ref().filter(|_| words.change_id.is_none()) else {
            return Ok(());
        };
        let tgt = Value::from(target.as_str());
        let meant = check_minions(&master.data, &tgt, "compound", DEFAULT_TARGET_DELIM, true).minions;
        let meant: HashSet<String> = meant.into_iter().collect();
        let without: Vec<String> = minions.iter().filter(|id| meant.contains(*id)).cloned().collect();
        if without.is_empty() {
            return Ok(());
        }
        Err(format!("A change of {} needs a change id: say change_id=ID", named(&without)))
    }

    /// What each minion says that the job disturbs there; nothing where it does not say.
    async fn ask(
        &self,
        master: &Arc<Master>,
        jid: &Jid,
        demands: &[Demand],
        minions: &[String],
    ) -> BTreeMap<String, Option<Disturbed>> {
        let mut all: BTreeMap<String, Option<Disturbed>> =
            minions.iter().map(|id| (id.clone(), Some(Disturbed::default()))).collect();
        for demand in demands {
            let each: BTreeMap<String, Option<Disturbed>> = match demand {
                Demand::Nothing => continue,
                Demand::Known(known) => minions.iter().map(|id| (id.clone(), Some(known.clone()))).collect(),
                Demand::Unknown => BTreeMap::new(),
                Demand::Ask { fun, arg } => self.low_of(master, jid, fun, arg, minions).await,
            };
            for (id, sum) in &mut all {
                *sum = match (sum.take(), each.get(id).cloned().flatten()) {
                    (Some(mut sum), Some(one)) => {
                        sum.join(one);
                        Some(sum)
                    }
                    _ => None,
                };
            }
        }
        all
    }

    /// Asks minions for their low data by a job.
    async fn low_of(
        &self,
        master: &Arc<Master>,
        jid: &Jid,
        fun: &str,
        arg: &[Value],
        minions: &[String],
    ) -> BTreeMap<String, Option<Disturbed>> {
        if minions.is_empty() {
            return BTreeMap::new();
        }
        let asking = master.new_jid();
        let load = map! {
            "cmd" => "publish", "fun" => fun, "arg" => Value::List(arg.to_vec()),
            "tgt" => minions.iter().map(String::as_str).collect::<Value>(), "tgt_type" => "list", "ret" => "",
            "jid" => &asking, "user" => master.config.user.as_str(),
            "kwargs" => map! {"metadata" => map! {"preflight" => jid}},
        };
        let all_there = master.watched.begin(&asking, minions, true);
        let checked = Checked { minions: minions.to_vec(), missing: Vec::new() };
        if let Err(e) = job::start(master, load, checked).await {
            tracing::error!("minions could not be asked what job {jid} will disturb: {e}");
        } else if tokio::time::timeout(self.conf.patience, all_there.notified()).await.is_err() {
            tracing::warn!("not all minions said in time what job {jid} will disturb");
        }
        let answers = master.watched.end(&asking);
        answers.into_iter().map(|(id, answer)| (id, Disturbed::by_low(&answer))).collect()
    }

    async fn set(
        &self,
        master: &Arc<Master>,
        jid: &Jid,
        silences: Vec<Silence>,
        minions: &[String],
    ) -> Result<Quiet, String> {
        let mut quiet = Quiet { master: master.clone(), silences: Vec::new(), over: None };
        // Each goes to the disk.
        tokio::task::block_in_place(|| {
            for silence in silences {
                self.silences
                    .set(silence.clone())
                    .map_err(|e| format!("The job's silence was not set: {e}"))?;
                quiet.silences.push(silence);
            }
            let until = Instant::now() + STAND;
            let left = || until.saturating_duration_since(Instant::now());
            if !quiet.silences.iter().all(|silence| self.deliver.silence_stands(&silence.id, left())) {
                tracing::warn!("job {jid} starts though not every receiver of its silences has them yet");
            }
            Ok::<(), String>(())
        })?;
        quiet.over = Some((jid.clone(), master.watched.begin(jid, minions, false)));
        Ok(quiet)
    }

    /// Changes the end of silences; what cannot be changed ends by itself.
    fn end_at(&self, silences: &[Silence], at: SystemTime) {
        let standing = self.silences.standing(SystemTime::now());
        let standing: BTreeSet<_> = standing.into_iter().map(|silence| silence.id).collect();
        // Somebody may have ended one by hand.
        for silence in silences.iter().filter(|silence| standing.contains(&silence.id)) {
            if let Err(e) = self.silences.set(Silence { ends_at: at, ..silence.clone() }) {
                tracing::warn!("the silence {} ends by itself: {e}", silence.id);
            }
        }
    }

    fn expire(&self, silences: &[Silence]) {
        for silence in silences {
            if let Err(e) = self.silences.expire(&silence.id) {
                tracing::warn!("the silence {} ends by itself: {e}", silence.id);
            }
        }
    }
}

/// Takes over what a master before this one began: the silences of jobs that still run.
pub(crate) async fn resume(master: Arc<Master>) {
    let Some(expected) = master.expected.get() else { return };
    let now = SystemTime::now();
    let mut jobs: BTreeMap<Jid, Vec<Silence>> = BTreeMap::new();
    for silence in expected.silences.standing(now) {
        if let Some(jid) = silence.job.as_deref().and_then(|jid| Jid::parse(jid).ok()) {
            jobs.entry(jid).or_default().push(silence);
        }
    }
    let shelf = Shelf::at(&master.config.paths.cachedir);
    for (jid, silences) in jobs {
        let stood = silences.iter().filter_map(|silence| now.duration_since(silence.starts_at).ok()).max();
        let stored = tokio::task::block_in_place(|| shelf.job(jid.as_str()));
        let stored =
            stored.inspect_err(|e| tracing::warn!("it is not known whether job {jid} still runs: {e}"));
        // Of a job that nobody knows any more nobody waits for an answer.
        let minions = stored.ok().flatten().map(|job| job.minions).unwrap_or_default();
        let over = master.watched.begin(&jid, &minions, false);
        // Looked for after that, so that none comes in between.
        let came = tokio::task::block_in_place(|| shelf.returns(jid.as_str())).unwrap_or_default();
        for (id, load) in came {
            if let Ok(id) = MinionId::parse(&id) {
                master.watched.returned(&jid, &id, &load);
            }
        }
        tracing::info!("job {jid} of before the start is kept quiet about until it is over");
        let begun = stood.and_then(|stood| Instant::now().checked_sub(stood));
        let quiet = Quiet { master: master.clone(), silences, over: Some((jid, over)) };
        quiet.keep(begun.unwrap_or_else(Instant::now), true);
    }
}

impl Quiet {
    /// The job runs: its silences are kept until every minion has answered, and lifted then.
    pub(crate) fn started(self) {
        self.keep(Instant::now(), false);
    }

    /// Keeps the silences of a job that began then. `resumed`: another master started it, and who answered nothing and has no connection
    /// after a `ttl` may never have got it.
    fn keep(mut self, begun: Instant, resumed: bool) {
        let Some((jid, over)) = self.over.take() else { return };
        let (master, silences) = (self.master.clone(), std::mem::take(&mut self.silences));
        tokio::spawn(async move {
            let Some(expected) = master.expected.get() else { return };
            let conf = &expected.conf;
            let taken = Instant::now();
            // Twice before a silence would end.
            while tokio::time::timeout(conf.ttl / 3, over.notified()).await.is_err() {
                if begun.elapsed() > conf.longest {
                    tracing::warn!(
                        "job {jid} has no answer for so long that it is no longer kept quiet about"
                    );
                    break;
                }
                let nobody_left = || master.watched.left(&jid).iter().all(|id| master.presence.is_absent(id));
                if resumed && taken.elapsed() >= conf.ttl && nobody_left() {
                    break;
                }
                tokio::task::block_in_place(|| expected.end_at(&silences, SystemTime::now() + conf.ttl));
            }
            master.watched.end(&jid);
            tokio::task::block_in_place(|| {
                if conf.grace.is_zero() {
                    expected.expire(&silences);
                } else {
                    expected.end_at(&silences, SystemTime::now() + conf.grace);
                }
            });
        });
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some((jid, _)) = &self.over {
            self.master.watched.end(jid);
        }
        if let Some(expected) = self.master.expected.get() {
            expected.expire(&self.silences);
        }
    }
}

fn named(minions: &[String]) -> String {
    let more = minions.len().saturating_sub(NAMED);
    let text = minions.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}
