//! Runs jobs, each on a thread of its own, at most `process_count_max` at once; the rest wait their turn in order.

use super::outcome::{self, Outcome};
use super::table::{Entry, JobTable};
use super::{arguments, reply, rules};
use brine_core::call::{CallError, Cx};
use brine_core::{Map, Value};
use brine_protocol::message::publish::{Functions, PublishLoad};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// Jobs that may wait for a free place; more are refused, each with an error as its return.
const MOST_WAITING: usize = 10_000;

/// What is done with a job's return (without `cmd` and `id`), and what is to be dropped when that is safe. Called on the job's thread.
pub type Deliver = Box<dyn FnOnce(Map, Option<Entry>) + Send>;

/// One job ready to run.
pub struct Job {
    /// What was published.
    pub publish: PublishLoad,
    /// The context its calls start from, with a cancel flag of its own; the job is set when it starts.
    pub cx: Cx,
    /// Where the return goes.
    pub deliver: Deliver,
}

/// Runs jobs. Cheap to clone.
#[derive(Clone)]
pub struct Runner(Arc<Shared>);

struct Shared {
    table: JobTable,
    most: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    running: usize,
    queue: VecDeque<Job>,
}

impl Runner {
    /// A runner for at most this many jobs at once; none or a negative number means no bound.
    pub fn new(table: JobTable, process_count_max: Option<i64>) -> Self {
        let most = process_count_max.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
        Self(Arc::new(Shared { table, most: most.unwrap_or(usize::MAX), waiting: Mutex::default() }))
    }

    /// Starts a job, or puts it in the queue.
    pub fn submit(&self, job: Job) {
        let mut waiting = self.0.waiting.lock();
        if waiting.running < self.0.most {
            waiting.running += 1;
            drop(waiting);
            self.start(job);
        } else if waiting.queue.len() < MOST_WAITING {
            tracing::warn!(
                "Maximum number of processes reached while executing jid {}, queuing... (Running: {}, Max: {})",
                job.publish.jid,
                waiting.running,
                self.0.most
            );
            waiting.queue.push_back(job);
        } else {
            drop(waiting);
            refuse(job, "too many jobs wait on this minion");
        }
    }

    fn start(&self, job: Job) {
        // A thread whose start fails gives nothing back, so what it would run waits where both can reach it.
        let place = Arc::new(Mutex::new(Some(job)));
        let (runner, inside) = (self.clone(), place.clone());
        let spawned = std::thread::Builder::new().name("job".into()).spawn(move || {
            let mut next = inside.lock().take();
            while let Some(job) = next {
                runner.work(job);
                next = runner.next();
            }
        });
        if let Err(e) = spawned {
            if let Some(job) = place.lock().take() {
                refuse(job, &format!("cannot start a thread: {e}"));
            }
            self.0.waiting.lock().running -= 1;
        }
    }

    /// The next waiting job, which takes over the place of the one that ended.
    fn next(&self) -> Option<Job> {
        let mut waiting = self.0.waiting.lock();
        let next = waiting.queue.pop_front();
        if next.is_none() {
            waiting.running -= 1;
        }
        next
    }

    fn work(&self, job: Job) {
        let Job { publish, mut cx, deliver } = job;
        let _span = tracing::info_span!("job", jid = %publish.jid).entered();
        tracing::info!("Starting a new job {} with PID {}", publish.jid, std::process::id());
        let entry = self.0.table.enter(&publish.raw, cx.cancel.clone(), cx.opts.str("master"));
        cx.job = entry.job();
        let ret = run(&cx, &publish);
        entry.over();
        if cx.cancel.is_cancelled() {
            tracing::info!("Job {}: {}", publish.jid, cx.cancel.words());
        }
        if !reply::is_withheld(&ret) {
            deliver(ret, Some(entry));
        }
    }

    /// How many jobs run, and how many wait.
    pub fn load(&self) -> (usize, usize) {
        let waiting = self.0.waiting.lock();
        (waiting.running, waiting.queue.len())
    }

    /// Gives up the jobs that wait, at shutdown.
    pub fn clear_queue(&self) {
        let queue = std::mem::take(&mut self.0.waiting.lock().queue);
        for job in queue {
            refuse(job, "The job was not run: the minion was stopped");
        }
    }
}

/// Runs a job's functions and shapes their return.
pub fn run(cx: &Cx, publish: &PublishLoad) -> Map {
    match &publish.fun {
        Functions::One(fun) => {
            let args = publish.args.first().map_or(&[][..], Vec::as_slice);
            reply::of_one(&publish.raw, outcome::run(cx, fun, prepare(cx, fun, args, &publish.raw)))
        }
        Functions::Many(funs) => {
            let outcomes: Vec<Outcome> = funs
                .iter()
                .zip(&publish.args)
                .map(|(fun, args)| outcome::run_one_of_several(cx, fun, prepare(cx, fun, args, &publish.raw)))
                .collect();
            reply::of_several(funs, &publish.raw, outcomes, cx.opts.flag("multifunc_ordered"))
        }
    }
}

fn prepare(cx: &Cx, fun: &str, args: &[Value], publish: &Map) -> Result<brine_core::call::Args, CallError> {
    rules::check_blackout(cx, fun)?;
    let function = cx.registry.get(fun).ok_or_else(|| cx.registry.missing(fun))?;
    let args = arguments::from_job(function, args, publish);
    rules::check_executors(cx)?;
    Ok(args)
}

fn refuse(job: Job, why: &str) {
    tracing::error!("job {} is refused: {why}", job.publish.jid);
    let text =
        Outcome { value: format!("ERROR: {why}").into(), retcode: 1, out: Some("nested"), failed: true };
    (job.deliver)(reply::of_one(&job.publish.raw, text), None);
}

#[cfg(test)]
mod tests {
    use super::super::proc_files::ProcDir;
    use super::*;
    use brine_core::call::{Args, Function, Module};
    use brine_core::host::NoHost;
    use brine_core::{Opts, Registry, map};
    use std::sync::mpsc;
    use std::time::Duration;

    static MODULE: Module = Module {
        name: "t",
        functions: &[
            Function { name: "ok", doc: "", params: &[], run: |_, _: Args| Ok(Value::Bool(true)) },
            Function {
                name: "wait",
                doc: "",
                params: &[],
                run: |cx, _| cx.cancel.sleep(Duration::from_secs(20)).map(|()| Value::Nil),
            },
        ],
    };

    fn job(fun: Value, n: u32, done: &mpsc::Sender<Map>) -> Job {
        let arg = if fun.as_list().is_some() { vec![Value::List(vec![]); 2] } else { vec![] };
        let raw = map! {"fun" => fun, "arg" => arg, "tgt" => "*", "jid" => format!("2026112512000000{n:04}")};
        let done = done.clone();
        Job {
            publish: PublishLoad::parse(raw).unwrap(),
            cx: Cx::new(Arc::new(Opts::default()), Arc::new(Registry::new([&MODULE])), Arc::new(NoHost)),
            deliver: Box::new(move |ret, _| drop(done.send(ret))),
        }
    }

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn jobs_beyond_the_bound_wait_and_a_killed_job_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let table = JobTable::new(ProcDir::open(dir.path()).unwrap());
        let runner = Runner::new(table.clone(), Some(1));
        let (tx, rx) = mpsc::channel();
        runner.submit(job("t.wait".into(), 1, &tx));
        runner.submit(job("t.ok".into(), 2, &tx));
        assert_eq!(runner.load(), (1, 1));
        assert!(rx.try_recv().is_err());
        let deadline = std::time::Instant::now() + SOON;
        while table.signal("20261125120000000001", 15) == "".into() {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
        let killed = rx.recv_timeout(SOON).unwrap();
        let said = "ERROR: The job did not run to its end: it was killed by signal 15";
        assert_eq!((killed.get_str("return"), killed.get("success")), (Some(said), Some(&false.into())));
        let next = rx.recv_timeout(SOON).unwrap();
        assert_eq!(next.get("return"), Some(&true.into()));
        assert!(table.is_empty());
    }

    #[test]
    fn several_functions_make_one_return() {
        let dir = tempfile::tempdir().unwrap();
        let runner = Runner::new(JobTable::new(ProcDir::open(dir.path()).unwrap()), None);
        let (tx, rx) = mpsc::channel();
        runner.submit(job(vec!["t.ok", "no.such"].into(), 1, &tx));
        let ret = rx.recv_timeout(SOON).unwrap();
        assert_eq!(ret.get("success"), Some(&map! {"t.ok" => true, "no.such" => false}.into()));
        assert_eq!(ret.get("retcode"), Some(&map! {"t.ok" => 0}.into()));
    }
}
