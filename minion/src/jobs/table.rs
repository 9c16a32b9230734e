//! The jobs that run now: what `saltutil.running` lists and `kill_job` stops.

use super::proc_files::ProcDir;
use brine_core::call::{Cancel, JobContext};
use brine_core::{Map, Value};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// The jobs of this daemon. Cheap to clone.
#[derive(Clone)]
pub struct JobTable {
    running: Arc<Mutex<Vec<Running>>>,
    /// How many run, or are over and not yet dropped.
    entries: Arc<AtomicUsize>,
    worked: Arc<Notify>,
    proc: ProcDir,
}

#[derive(Clone)]
struct Running {
    job: Arc<JobContext>,
    cancel: Cancel,
    /// Whether others are told of it.
    listed: bool,
}

impl Running {
    /// Signals the programs the job waits for, and raises its flag if the signal is one that ends programs.
    fn signal(&self, signal: i32, why: &str) {
        let ends = matches!(signal, libc_signal::INT | libc_signal::KILL | libc_signal::TERM);
        if ends {
            // Before the programs are gone: their end is not one of their own.
            self.cancel.mark(why);
        }
        if let Ok(signal) = Signal::try_from(signal) {
            self.job.for_each_process(|leader| {
                // Gone already: nothing to do.
                let _ = killpg(Pid::from_raw(leader), signal);
            });
        }
        if ends {
            self.cancel.cancel_because(why);
        }
    }
}

/// The signals that end a job.
mod libc_signal {
    pub(super) const INT: i32 = nix::sys::signal::SIGINT as i32;
    pub(super) const KILL: i32 = nix::sys::signal::SIGKILL as i32;
    pub(super) const TERM: i32 = nix::sys::signal::SIGTERM as i32;
}

/// A job's place in the table, and its proc file; both are gone when this is dropped. The file goes last: it is what a minion that is
/// killed knows the job by when it is started again.
pub struct Entry {
    table: JobTable,
    running: Running,
}

impl JobTable {
    /// An empty table over a proc directory.
    pub fn new(proc: ProcDir) -> Self {
        Self { running: Arc::default(), entries: Arc::default(), worked: Arc::default(), proc }
    }

    /// Enters a job with the flag that ends it, and writes its proc file. A proc file that cannot be written is logged, the job runs all the same:
    /// a full disk is when jobs are needed most.
    ///
    /// A return of it is owed to this `master`, whatever becomes of this process.
    pub fn enter(&self, load: &Map, cancel: Cancel, master: &str) -> Entry {
        self.enter_as(load, cancel, true, Some(master))
    }

    /// As [`Self::enter`]; a job that is not listed has no proc file, and only the end of the daemon ends it.
    pub fn enter_as(&self, load: &Map, cancel: Cancel, listed: bool, master: Option<&str>) -> Entry {
        let running = Running { job: Arc::new(JobContext::new(load.clone())), cancel, listed };
        let jid = running.job.jid();
        if listed && let Err(e) = self.proc.write(jid, load, master) {
            tracing::error!("Failed to write proc file {}: {e}", self.proc.display(jid));
        }
        self.running.lock().push(running.clone());
        self.entries.fetch_add(1, Ordering::Relaxed);
        Entry { table: self.clone(), running }
    }

    /// The jobs that run now, here and in other Salt programs on the machine: publish load and `pid`.
    pub fn list(&self) -> Vec<Map> {
        let pid = std::process::id();
        let mut list: Vec<Map> = self
            .running
            .lock()
            .iter()
            .filter(|job| job.listed)
            .map(|job| {
                let mut load = job.job.publish.clone();
                load.insert("pid", pid);
                load
            })
            .collect();
        list.extend(self.proc.others());
        list
    }

    /// Signals a job: the programs it waits for get the signal, and one that ends programs also raises its flag, which
    /// its functions see at the next call and wherever they wait. The text is stock's; empty if there is no such job.
    pub fn signal(&self, jid: &str, signal: i32) -> Value {
        let ours = self.running.lock().iter().find(|r| r.listed && r.job.jid() == jid).cloned();
        if let Some(ours) = ours {
            ours.signal(signal, &format!("it was killed by signal {signal}"));
            return format!("Signal {signal} sent to job {jid} at pid {}", std::process::id()).into();
        }
        let Some(other) = self.proc.others().into_iter().find(|job| job.get_str("jid") == Some(jid)) else {
            return "".into();
        };
        let pid = other.get("pid").and_then(Value::as_int).and_then(|p| i32::try_from(p).ok()).unwrap_or(0);
        let sent = Signal::try_from(signal).and_then(|s| match pid {
            // 0 and below would mean whole process groups.
            ..=1 => Err(nix::errno::Errno::ESRCH),
            _ => kill(Pid::from_raw(pid), s),
        });
        if sent.is_ok() {
            return format!("Signal {signal} sent to job {jid} at pid {pid}").into();
        }
        self.proc.remove(jid);
        format!("Job {jid} was not running and job data has been cleaned up").into()
    }

    /// How many jobs of this daemon run now.
    pub fn len(&self) -> usize {
        self.running.lock().len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a job runs, or is over and has not yet given its return away.
    pub fn owes(&self) -> bool {
        self.entries.load(Ordering::Relaxed) > 0
    }

    /// Waits until work was done since this was asked last: the end of a job, or what [`Self::note_work`] tells of.
    pub async fn worked(&self) {
        self.worked.notified().await;
    }

    /// Work was done that is no job.
    pub fn note_work(&self) {
        self.worked.notify_one();
    }

    /// Ends every job and the programs it waits for, at shutdown.
    pub fn signal_all(&self, signal: Signal) {
        let all = self.running.lock().clone();
        all.iter().for_each(|job| job.signal(signal as i32, "the minion was stopped"));
    }
}

impl Entry {
    /// What its calls share.
    pub fn job(&self) -> Arc<JobContext> {
        self.running.job.clone()
    }

    /// The job is over, and is found running by nobody who has its return. What is owed of it still is.
    pub fn over(&self) {
        let mut running = self.table.running.lock();
        if let Some(at) = running.iter().position(|r| Arc::ptr_eq(&r.job, &self.running.job)) {
            running.swap_remove(at);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.over();
        if self.running.listed {
            self.table.proc.remove(self.running.job.jid());
        }
        self.table.entries.fetch_sub(1, Ordering::Relaxed);
        self.table.note_work();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brine_core::map;

    #[test]
    fn a_job_is_listed_while_it_runs_and_can_be_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let table = JobTable::new(ProcDir::open(dir.path()).unwrap());
        let jid = "20261125120000000001";
        let cancel = Cancel::default();
        let entry = table.enter(&map! {"jid" => jid, "fun" => "test.sleep"}, cancel.clone(), "m");
        let list = table.list();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].get("pid"), Some(&Value::from(std::process::id())));
        assert!(dir.path().join("proc").join(jid).exists());
        assert_eq!(
            table.signal(jid, 9),
            format!("Signal 9 sent to job {jid} at pid {}", std::process::id()).into()
        );
        assert!(cancel.is_cancelled());
        drop(entry);
        assert!(table.is_empty() && table.list().is_empty());
        assert!(!dir.path().join("proc").join(jid).exists());
        assert_eq!(table.signal(jid, 9), "".into());
    }
}
