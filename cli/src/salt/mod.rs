//! `salt`: publishes a job through the master and shows what comes back.

mod args;
mod show;

use crate::bus::Event;
use crate::config::{MasterId, load_master};
use crate::exit::{CliError, NO_RETURN, Result};
use crate::link::Link;
use crate::output::Output;
use args::Job;
use brine_core::gather::{Gather, Next};
use brine_protocol::{Map, Value, map};
use clap::ArgMatches;
use show::{How, Part, Show};
use std::time::{Duration, Instant};

/// How long a minion without a connection may take to come back and answer.
const RECONNECT: Duration = Duration::from_millis(500);

/// The whole program. `args` starts with the program's name.
pub fn run(args: impl Iterator<Item = std::ffi::OsString>) -> Result {
    let m = crate::usage::parse(args::command(), args)?;
    let loaded = load_master(&m, MasterId::Unused)?;
    let job = Job::of(&m, &loaded.opts, || std::io::read_to_string(std::io::stdin()))?;
    let out = Output::new(&m, &loaded.opts)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::Client(e.to_string()))?;
    let seconds = |id: &str, key: &str, default: i64| {
        let n =
            m.get_one::<u32>(id).map(|n| i64::from(*n)).filter(|n| *n > 0).or_else(|| loaded.opts.int(key));
        Duration::from_secs(n.unwrap_or(default).unsigned_abs())
    };
    let run = Run {
        m: &m,
        job: &job,
        out: &out,
        timeout: seconds("timeout", "timeout", 5),
        gather_timeout: seconds("gather-job-timeout", "gather_job_timeout", 10),
        show_missing: args::shows_timeout(&m, &loaded.opts),
    };
    runtime.block_on(async {
        let mut link = Link::connect(&loaded.opts, !m.get_flag("async")).await?;
        tokio::select! {
            result = run.job(&mut link) => result,
            _ = tokio::signal::ctrl_c() => Err(interrupted(link.jid())),
        }
    })
}

/// What a user sees who does not wait any longer.
fn interrupted(jid: Option<&str>) -> CliError {
    if let Some(jid) = jid {
        eprintln!(
            "\nThis job's jid is: {jid}\nExiting gracefully on Ctrl-c\nThe minions may not have all finished running and any \
             remaining minions will return upon completion. To look up the return data for this job later, run the \
             following command:\n\nsalt-run jobs.lookup_jid {jid}"
        );
    } else {
        eprintln!("\nExiting gracefully on Ctrl-c");
    }
    CliError::Code(crate::exit::GENERIC)
}

/// One job from command line to exit code.
struct Run<'a> {
    m: &'a ArgMatches,
    job: &'a Job,
    out: &'a Output,
    timeout: Duration,
    gather_timeout: Duration,
    show_missing: bool,
}

impl Run<'_> {
    async fn job(&self, link: &mut Link) -> Result {
        let load = map! {
            "fun" => self.job.fun.clone(),
            "arg" => self.job.arg.clone(),
            "tgt" => self.job.target.clone(),
            "tgt_type" => self.job.target_type,
            "ret" => self.job.ret.as_str(),
            "jid" => "",
            "kwargs" => self.job.kwargs.clone(),
        };
        let Some(published) = link.publish(load).await? else {
            self.out.line("No minions matched the target. No command was sent, no jid was assigned.")?;
            eprintln!("ERROR: No return received");
            return Err(CliError::Code(NO_RETURN));
        };
        let jid = published.jid.as_str();
        if self.m.get_flag("async") {
            return self.out.line(&format!("Executed command with job ID: {jid}"));
        }
        if self.m.get_flag("verbose") {
            let title = format!("Executing job with jid {jid}");
            self.out.line(&format!("{title}\n{}\n", "-".repeat(title.len())))?;
        } else if self.m.get_flag("show-jid") {
            self.out.line(&format!("jid: {jid}"))?;
        }
        let how = How {
            grouped: self.m.get_flag("static"),
            docs: self.job.fun.as_str() == Some("sys.doc"),
            summary: self.m.get_flag("summary") && !self.out.chosen(),
            verbose: self.m.get_flag("verbose"),
        };
        let mut show = Show::new(self.out, how, jid);
        let now = Instant::now();
        let mut gather = Gather::new(published.minions.clone(), self.timeout, self.gather_timeout, now);
        gather.not_connected(&published.not_connected, now + RECONNECT);
        let mut wait = Waiting { gather, absent: published.missing.clone(), question: None };
        self.wait(link, jid, &mut wait, &mut show).await?;
        if self.show_missing || self.m.get_flag("verbose") {
            let connected = |id: &String| !published.not_connected.contains(id);
            for id in wait.gather.missing() {
                show.part(&id, if connected(&id) { Part::NoResponse } else { Part::NotConnected })?;
            }
        }
        for id in wait.absent {
            show.part(&id, Part::NoResponse)?;
        }
        show.finish()
    }

    /// Reads events until everybody has returned or is given up.
    async fn wait(&self, link: &mut Link, jid: &str, wait: &mut Waiting, show: &mut Show<'_>) -> Result {
        let job = format!("salt/job/{jid}/");
        loop {
            match wait.gather.next(Instant::now()) {
                Next::Done => return Ok(()),
                Next::Ask(ids) => wait.question = self.ask(link, jid, ids).await?,
                Next::Wait(until) => {
                    let Some(event) = link.event_until(until).await? else { continue };
                    if let Some(rest) = event.tag.strip_prefix(&job) {
                        wait.job_event(rest, &event, show)?;
                    } else {
                        wait.answer(&event);
                    }
                }
            }
        }
    }

    /// Asks minions whether they still work on the job; returns the tag prefix of their answers.
    async fn ask(&self, link: &mut Link, jid: &str, ids: Vec<String>) -> Result<Option<String>> {
        let load = map! {
            "fun" => "saltutil.find_job",
            "arg" => vec![jid],
            "tgt" => ids,
            "tgt_type" => "list",
            "ret" => "",
            "jid" => "",
            "kwargs" => Map::new(),
        };
        Ok(link.ask(load).await?.map(|p| format!("salt/job/{}/ret/", p.jid.as_str())))
    }
}

/// The state of the waiting for one job.
struct Waiting {
    gather: Gather,
    /// Listed minions that have no key: they cannot return.
    absent: Vec<String>,
    /// The tag prefix of answers to the question who still works.
    question: Option<String>,
}

impl Waiting {
    /// An event of the job itself.
    fn job_event(&mut self, rest: &str, event: &Event, show: &mut Show<'_>) -> Result {
        if rest.starts_with("ret/") {
            // The id is the one inside, which the master has authenticated.
            if let (Some(id), true) = (event.data.get_str("id"), event.data.contains("return"))
                && self.gather.returned(id)
            {
                self.absent.retain(|a| a != id);
                show.part(id, Part::of_return(&event.data))?;
            }
        } else if let Some(Value::List(more)) = event.data.get("minions") {
            self.gather.expect(more.iter().filter_map(|v| v.as_str().map(str::to_owned)));
            if let Some(Value::List(missing)) = event.data.get("missing") {
                self.absent = missing.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
            }
        }
        Ok(())
    }

    /// Any other event: perhaps an answer to the question who still works.
    fn answer(&mut self, event: &Event) {
        let Some(question) = &self.question else { return };
        let (true, Some(id)) = (event.tag.starts_with(question.as_str()), event.data.get_str("id")) else {
            return;
        };
        if event.data.get("retcode").and_then(Value::as_int).unwrap_or(0) > 0 {
            self.gather.unanswerable(id);
        } else if matches!(event.data.get("return"), Some(Value::Map(m)) if !m.is_empty()) {
            self.gather.still_running(id, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(ids: &[&str]) -> Waiting {
        let s = Duration::from_secs(1);
        Waiting {
            gather: Gather::new(ids.iter().map(|i| (*i).to_owned()), s, s, Instant::now()),
            absent: vec![],
            question: Some("salt/job/2/ret/".into()),
        }
    }

    #[test]
    fn only_a_non_empty_answer_counts_as_running() {
        let mut w = waiting(&["a"]);
        let answer = |ret: Value| Event {
            tag: "salt/job/2/ret/b".into(),
            data: map! {"id" => "b", "return" => ret, "retcode" => 0},
        };
        w.answer(&answer(Map::new().into()));
        assert_eq!(w.gather.missing(), ["a"]);
        w.answer(&answer(map! {"jid" => "1"}.into()));
        assert_eq!(w.gather.missing(), ["a", "b"]);
        let failed = Event {
            tag: "salt/job/2/ret/b".into(),
            data: map! {"id" => "b", "return" => "x", "retcode" => 1},
        };
        w.answer(&failed);
        assert_eq!(w.gather.missing(), ["a"]);
    }
}
