//! Every return, key and alert is counted: our master is killed at random moments, receivers come and go, and in the end each return that a
//! minion had and each key that came has been told, and what was put is delivered, queued or dead, in equal numbers.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use brine_interop_tests::cases::jobs;
use brine_interop_tests::failure::{hold, same};
use brine_interop_tests::fleet::START;
use brine_interop_tests::wait::{let_pass, until};
use brine_interop_tests::{Failure, Fleet, Result, Side, ports};
use brine_testing::{Mood, Random, Receiver};
use serde_json::{Map, Value};

/// So often the master is killed.
const ROUNDS: usize = 6;
/// Jobs of each minion in a round.
const JOBS: usize = 4;
const SOON: Duration = Duration::from_secs(90);

/// A job of one minion, which leaves a mark when it runs.
struct Job {
    jid: String,
    minion: &'static str,
    mark: String,
}

struct Story {
    fleet: Fleet,
    hook: Receiver,
    refuses: Receiver,
    jobs: Vec<Job>,
    /// Minions whose keys came, and those of them whose keys were deleted.
    keys: Vec<String>,
    deleted: Vec<String>,
    random: Random,
}

impl Story {
    fn begin() -> Result<Self> {
        let mut fleet = Fleet::new(Side::Ours, Side::parse("3006")?)?;
        fleet.cli = Side::Ours;
        let hook = Receiver::start(Mood::Failing);
        let refuses = Receiver::start(Mood::Refuses);
        let rule = "{alert: Returned, tag: 'salt/job/*/ret/*', when: \"data.fun == 'cmd.run'\", labels: {jid: '{{ data.jid }}'}, resolve_after: 1d}";
        let sink = |port: u16| {
            format!(
                "{{kind: webhook, url: 'http://127.0.0.1:{port}/', batch: 4, retry_first: 10ms, retry_most: 200ms}}"
            )
        };
        let alerts = format!(
            "alerts: {{settle: 2s, builtin: {{KeyPending: {{for: 0}}}}, rules: [{rule}], sinks: {{hook: {}, refuses: {}, nobody: {}, \
             lines: {{kind: jsonlines, path: {}}}}}}}",
            sink(hook.port()),
            sink(refuses.port()),
            sink(ports::free()?),
            fleet.path("alerts.json").display()
        );
        fleet.settings.master_lines = vec![alerts];
        fs::create_dir_all(fleet.path("marks"))?;
        fleet.start_both(|_| Vec::new())?;
        Ok(Self {
            fleet,
            hook,
            refuses,
            jobs: Vec::new(),
            keys: Vec::new(),
            deleted: Vec::new(),
            random: Random::of_now(),
        })
    }

    /// Jobs that end, and a key that comes or goes, about when the master is killed.
    fn round(&mut self, n: usize) -> Result {
        self.hook.mood(if self.random.once_in(3) { Mood::Away } else { Mood::Failing });
        for m in 0..JOBS {
            for minion in ["m1", "m2"] {
                let mark = format!("{n}-{m}-{minion}");
                let path = self.fleet.path("marks").join(&mark);
                let line = format!("sleep 0.{}; touch {}", self.random.below(10), path.display());
                let jid = jobs::start(&self.fleet, &[minion, "cmd.run", &line])?;
                self.jobs.push(Job { jid, minion, mark });
            }
        }
        let id = format!("k{n}");
        self.fleet.start_minion_as(Side::Ours, &id, &id, &[])?;
        if let Some(gone) = self.keys.last().filter(|_| n % 2 == 1).cloned() {
            self.fleet.kill_minion(&gone)?;
            self.fleet.salt_key(&["-y", "-d", &gone])?.ok()?;
            self.deleted.push(gone);
        }
        self.keys.push(id);
        let_pass(Duration::from_millis(self.random.below(1200) as u64));
        self.fleet.master_daemon()?.kill()?;
        self.fleet.stop_master()?;
        self.fleet.start_master()?;
        self.equal()
    }

    /// What each sink was given and what has become of it.
    fn sinks(&self) -> Result<Map<String, Value>> {
        self.fleet.our_run(&["alerts.sinks"])?.ok()?.json()
    }

    /// At each moment put = delivered + queued + dead.
    fn equal(&self) -> Result {
        for (sink, row) in self.sinks()? {
            let sum: u64 = ["delivered", "queued", "dead"].iter().filter_map(|part| row[part].as_u64()).sum();
            hold(row["put"].as_u64() == Some(sum), || format!("{sink}: {row}"))?;
        }
        Ok(())
    }

    /// What the receiver was told: name, status and what it is about.
    fn told(&self) -> BTreeSet<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let about = |alert: &Value| {
            let labels = &alert["labels"];
            format!("{} {}", text(&labels["jid"]), text(&labels["minion"])).trim().to_owned()
        };
        let each =
            |alert: &Value| (text(&alert["labels"]["alertname"]), text(&alert["status"]), about(alert));
        self.hook.came().iter().map(each).collect()
    }

    /// Whether the master's store has the return.
    fn stored(&self, job: &Job) -> Result<bool> {
        let ran = self.fleet.our_run(&["jobs.lookup_jid", &job.jid])?;
        Ok(ran.ok()?.json()?.contains_key(job.minion))
    }

    /// What has to have been told by now: each return that ours ran, each that is stored, and all keys.
    fn wanted(&self) -> Result<BTreeSet<(String, String, String)>> {
        let of = |name: &str, status: &str, about: String| (name.to_owned(), status.to_owned(), about);
        let mut wanted = BTreeSet::new();
        for job in &self.jobs {
            let ran = job.minion == "m1" && self.fleet.path("marks").join(&job.mark).exists();
            if ran || self.stored(job)? {
                wanted.insert(of("Returned", "firing", format!("{} {}", job.jid, job.minion)));
            }
        }
        wanted.extend(self.keys.iter().map(|id| of("KeyPending", "firing", id.clone())));
        // Nobody was told of a key that was gone before anybody was.
        wanted.extend(self.deleted.iter().map(|id| of("KeyPending", "resolved", id.clone())));
        Ok(wanted)
    }
}

fn story() -> Result {
    let mut story = Story::begin()?;
    for n in 0..ROUNDS {
        story.round(n).map_err(|e| Failure(format!("round {n}: {e}\n{}", story.fleet.logs())))?;
    }
    for id in ["m1", "m2"] {
        story.fleet.wait_ping(id, START)?;
    }
    story.hook.mood(Mood::Good);
    let mut missing = Vec::new();
    let done = until("all to be told", SOON, || {
        let (wanted, told) = (story.wanted()?, story.told());
        missing = wanted.difference(&told).cloned().collect();
        Ok((missing.is_empty() && story.sinks()?["hook"]["queued"] == 0).then_some(wanted))
    });
    let wanted = done.map_err(|e| Failure(format!("{e}: {missing:?}\n{}", story.fleet.logs())))?;
    let ran = story.jobs.iter().filter(|job| story.fleet.path("marks").join(&job.mark).exists()).count();
    let told = wanted.iter().filter(|(name, ..)| name == "Returned").count();

    // The master ends, so that nothing more is put while it is counted.
    story.fleet.stop_master()?;
    story.equal()?;
    let sinks = story.sinks()?;
    let put = sinks["hook"]["put"].as_u64();
    let row = |sink: &str, part: &str| sinks[sink][part].as_u64();
    for sink in ["refuses", "nobody", "lines"] {
        same(&format!("what {sink} was to tell"), row(sink, "put"), put)?;
    }
    let ids = |alerts: Vec<Value>| -> BTreeSet<String> {
        alerts.iter().filter_map(|alert| alert["id"].as_str().map(str::to_owned)).collect()
    };
    let came = story.hook.came();
    let times = came.len();
    let distinct = ids(came).len() as u64;
    same("what came, each id once", Some(distinct), row("hook", "delivered"))?;
    same("dead of one who refuses", (row("refuses", "dead"), story.refuses.came().len()), (put, 0))?;
    same("queued for nobody", row("nobody", "queued"), put)?;
    same("lines", row("lines", "delivered"), put)?;
    eprintln!(
        "{ROUNDS} kills: {ran} of {} jobs ran, {told} returns and {} keys told; {put:?} put to each of 4 sinks, {distinct} came {times} times",
        story.jobs.len(),
        story.keys.len()
    );
    hold(ran * 2 > story.jobs.len(), || "most jobs never ran: the kills came too early".into())
}

#[test]
fn what_happens_is_told_or_counted_whoever_is_killed() -> Result {
    story()
}
