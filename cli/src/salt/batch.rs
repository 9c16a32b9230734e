//! `--batch`: some minions at a time. First everybody is asked whether he is there; then jobs go out to as many minions as
//! may work at once, and a minion that is done, or given up, makes place for the next.

use super::args::Job as Wanted;
use super::show::one;
use crate::client::{Job, Part, Patience, job};
use crate::exit::{CliError, GENERIC, NO_RETURN, Result};
use crate::link::{Link, Published};
use crate::output::Output;
use crate::startup::Command;
use brine_core::text::python_str;
use brine_protocol::{Map, Value, map};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How a batch run goes.
pub(crate) struct Batch<'a> {
    pub(crate) command: &'a Command,
    pub(crate) wanted: &'a Wanted,
    pub(crate) out: &'a Output,
    pub(crate) patience: Patience,
    /// `--batch`: a number, or a part as `10%`.
    pub(crate) size: String,
    /// Nothing is said on the way, as for `--static`.
    pub(crate) quiet: bool,
}

/// One job of the run and those of its minions that have not returned.
struct Running {
    job: Job,
    minions: Vec<String>,
}

impl Batch<'_> {
    /// Runs it. Gives every minion's part in the order of returns; the error is the command's end.
    pub(crate) async fn run(&self, link: &mut Link) -> Result<Vec<(String, Part)>> {
        let (there, silent) = self.who_is_there(link).await?;
        let size = match batch_size(&self.size, there.len()) {
            Some(size) => size,
            None if there.is_empty() => 0,
            None => {
                self.say(&format!(
                    "Invalid batch data sent: {}\nData must be in the form of %10, 10% or 3",
                    self.size
                ))?;
                return Err(CliError::Code(GENERIC));
            }
        };
        if there.is_empty() {
            return Ok(Vec::new());
        }
        for id in silent {
            self.say(&format!("Minion {id} did not respond. No job will be sent."))?;
        }
        let wait = self.command.seconds("batch_wait", 0.0);
        let mut run = Run { slots: Slots::new(there, size, wait), running: Vec::new(), parts: Vec::new() };
        while !run.over() {
            let next = run.slots.next(Instant::now());
            if !next.is_empty() {
                self.say(&format!("\nExecuting run on {}\n", python_str(&next.clone().into())))?;
                match self.publish(link, &next).await? {
                    Some(published) => {
                        run.running.push(Running { job: Job::new(published, self.patience), minions: next });
                    }
                    None => {
                        self.out.line(super::NO_MATCH)?;
                        for id in next {
                            self.done(&mut run, &id, None)?;
                        }
                    }
                }
                continue;
            }
            if !self.look(link, &mut run).await? {
                break;
            }
        }
        Ok(run.parts)
    }

    /// Waits for something to happen to the jobs that run. False: a failure ends the run.
    async fn look(&self, link: &mut Link, run: &mut Run) -> Result<bool> {
        let mut until = run.slots.free_at();
        let mut over = Vec::new();
        for (at, running) in run.running.iter_mut().enumerate() {
            match running.job.step(link).await? {
                Some(deadline) => until = Some(until.map_or(deadline, |u| u.min(deadline))),
                None => over.push(at),
            }
        }
        for at in over.into_iter().rev() {
            let ended = run.running.remove(at);
            for id in ended.minions {
                self.done(run, &id, None)?;
            }
            until = None;
        }
        let Some(until) = until else { return Ok(true) };
        let Some(event) = link.event_until(until).await? else { return Ok(true) };
        let mut came = Vec::new();
        for running in &mut run.running {
            if let Some((id, part)) = running.job.event(&event) {
                running.minions.retain(|m| *m != id);
                came.push((id, part));
            }
        }
        for (id, part) in came {
            let failed = part.retcode() > 0;
            self.done(run, &id, Some(part))?;
            if failed && self.command.on("failhard") {
                tracing::error!(
                    "Minion {id} returned with non-zero exit code. Batch run stopped due to failhard"
                );
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A minion is done: with a return, or given up, which counts as an empty one.
    fn done(&self, run: &mut Run, id: &str, part: Option<Part>) -> Result {
        run.slots.done(id, Instant::now());
        if run.parts.iter().any(|(known, _)| known == id) {
            return Ok(());
        }
        let part = part.unwrap_or_else(|| Part::Returned {
            value: Map::new().into(),
            out: String::new(),
            retcode: 0,
            jid: None,
        });
        if !self.quiet
            && let Part::Returned { value, out, retcode, jid } = &part
        {
            // Stock prints what it knows of the return beside the minion's value.
            let shown = match jid {
                Some(jid) => map! {"retcode" => *retcode, "jid" => jid.as_str(), id => value.clone()},
                None => one(id, value.clone()),
            };
            self.out.show_return(&shown, out, 0)?;
        }
        run.parts.push((id.to_owned(), part));
        Ok(())
    }

    /// The minions that answer a ping, sorted, and those that do not.
    async fn who_is_there(&self, link: &mut Link) -> Result<(Vec<String>, Vec<String>)> {
        let ping =
            Wanted { fun: "test.ping".into(), arg: Vec::new(), ret: String::new(), ..self.wanted.clone() };
        let kwargs = map! {"gather_job_timeout" => self.patience.gather_timeout.as_secs() as i64, "yield_pub_data" => true};
        let Some(published) = link.publish(ping.load(self.command, kwargs)?).await? else {
            self.out.line(super::NO_MATCH)?;
            self.say("No minions matched the target.")?;
            return Ok((Vec::new(), Vec::new()));
        };
        let mut waiting = Job::new(published, self.patience);
        let mut there = Vec::new();
        job::wait(link, &mut waiting, |id, _| {
            there.push(id.to_owned());
            Ok(())
        })
        .await?;
        there.sort();
        Ok((there, waiting.missing()))
    }

    async fn publish(&self, link: &mut Link, minions: &[String]) -> Result<Option<Published>> {
        let wanted = Wanted { target: minions.to_vec().into(), target_type: "list", ..self.wanted.clone() };
        let kwargs = map! {
            "gather_job_timeout" => self.patience.gather_timeout.as_secs() as i64,
            "raw" => false,
        };
        link.publish(wanted.load(self.command, kwargs)?).await
    }

    fn say(&self, text: &str) -> Result {
        if self.quiet { Ok(()) } else { self.out.line(text) }
    }
}

/// The state of a run.
struct Run {
    slots: Slots,
    running: Vec<Running>,
    parts: Vec<(String, Part)>,
}

impl Run {
    fn over(&self) -> bool {
        self.slots.queue.is_empty() && self.running.iter().all(|r| r.minions.is_empty())
    }
}

/// Who may work: so many at once, each place free again some time after its minion is done.
struct Slots {
    queue: VecDeque<String>,
    active: Vec<String>,
    /// When places of minions that are done get free.
    resting: Vec<Instant>,
    size: usize,
    wait: Duration,
}

impl Slots {
    fn new(minions: Vec<String>, size: usize, wait: Duration) -> Self {
        Self { queue: minions.into(), active: Vec::new(), resting: Vec::new(), size, wait }
    }

    /// The minions whose turn it is now.
    fn next(&mut self, now: Instant) -> Vec<String> {
        self.resting.retain(|free| *free > now);
        let places = self.size.saturating_sub(self.active.len() + self.resting.len());
        let next: Vec<String> = self.queue.drain(..places.min(self.queue.len())).collect();
        self.active.extend(next.iter().cloned());
        next
    }

    fn done(&mut self, id: &str, now: Instant) {
        let before = self.active.len();
        self.active.retain(|a| a != id);
        if self.active.len() < before && !self.wait.is_zero() {
            self.resting.push(now + self.wait);
        }
    }

    /// When the next place gets free, if somebody waits for one.
    fn free_at(&self) -> Option<Instant> {
        self.resting.iter().min().copied().filter(|_| !self.queue.is_empty())
    }
}

/// How many minions a batch size means of so many: at least one. None: it is no size.
fn batch_size(text: &str, of: usize) -> Option<usize> {
    let size = if text.contains('%') {
        let part: f64 = text.trim_matches('%').trim().parse().ok()?;
        let size = part / 100.0 * of as f64;
        if size < 1.0 { size.ceil() } else { size.trunc() }
    } else {
        text.trim().parse::<u32>().ok()?.into()
    };
    // Stock would wait for ever for a batch of nobody.
    (size >= 1.0).then_some(size as usize)
}

/// What a run comes to: the highest return code.
pub(crate) fn outcome(parts: &[(String, Part)]) -> Result {
    if parts.is_empty() {
        eprintln!("ERROR: No return received");
        return Err(CliError::Code(NO_RETURN));
    }
    match parts.iter().map(|(_, p)| p.retcode()).max().unwrap_or(0) {
        worst if worst > 0 => Err(CliError::Code((worst & 0xff) as u8)),
        _ => Ok(()),
    }
}

/// All returns as one map, as `--static` prints them.
pub(crate) fn together(parts: &[(String, Part)]) -> Map {
    let value = |part: &Part| match part {
        Part::Returned { value, .. } => value.clone(),
        _ => Value::Nil,
    };
    parts.iter().map(|(id, part)| (id.as_str(), value(part))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_or_parts() {
        for (text, of, want) in [
            ("3", 10, Some(3)),
            ("50%", 10, Some(5)),
            ("%10", 10, Some(1)),
            ("1%", 10, Some(1)),
            ("25%", 10, Some(2)),
            ("200%", 10, Some(20)),
            ("x", 10, None),
            ("0", 10, None),
            ("-1", 10, None),
            ("0%", 10, None),
        ] {
            assert_eq!(batch_size(text, of), want, "{text}");
        }
    }

    #[test]
    fn a_place_is_free_again_when_its_minion_is_done_and_rested() {
        let ids = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let t = Instant::now();
        let s = Duration::from_secs(1);
        let mut slots = Slots::new(ids(&["a", "b", "c", "d"]), 2, s);
        assert_eq!(slots.next(t), ids(&["a", "b"]));
        assert_eq!(slots.next(t), ids(&[]));
        slots.done("a", t);
        assert_eq!((slots.next(t), slots.free_at()), (ids(&[]), Some(t + s)));
        assert_eq!(slots.next(t + s), ids(&["c"]));
        slots.done("a", t + s);
        assert_eq!(slots.next(t + s * 3), ids(&[]));
    }
}
