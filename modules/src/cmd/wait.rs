//! Waiting for a child and its output: until both have ended, a timeout, or the job's cancellation, whichever is
//! first. Nothing polls: helper threads and the cancel hook report over one channel.

use super::spawn::Started;
use brine_core::Cx;
use brine_core::call::{CallError, Result, TrackedProcess};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How long a cancelled command may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// How much a command may write before it is stopped. Here a job shares its memory with the whole minion, so a command
/// that never stops writing must not take all of it.
const MAX_OUTPUT: usize = 256 << 20;

/// A source of output.
pub(super) type Source = Box<dyn Read + Send>;

/// How waiting ended.
pub(super) enum End {
    /// The child ended and closed its output: status, then the output of each source.
    Exited(ExitStatus, Vec<Vec<u8>>),
    /// The time was up; the child and its process group are killed. The output so far.
    TimedOut(Vec<Vec<u8>>),
}

enum Event {
    Output(usize, Vec<u8>),
    Closed,
    Ended,
    Cancelled,
    TooMuch,
}

/// Waits for a child. `each` sees output as it comes.
pub(super) fn wait(
    cx: &Cx,
    started: Started,
    input: Option<Vec<u8>>,
    sources: Vec<Source>,
    timeout: Option<Duration>,
    each: impl FnMut(usize, &[u8]),
) -> Result<End> {
    let Started { child, leads } = started;
    let pid = child.id() as i32;
    let tracked = leads.then(|| cx.job.track_process(pid));
    let mut child = Guard { child, leads, tracked, reaped: false };
    let (send, receive) = channel();
    let mut outputs = vec![Vec::new(); sources.len()];
    let mut open = sources.len() + 1;
    start_helpers(&mut child.child, pid, input, sources, &send)?;
    let hook = cx.cancel.on_cancel(move || {
        // The receiver is gone once the child has ended.
        let _ = send.send(Event::Cancelled);
    });
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let ended = collect(&receive, deadline, &mut open, &mut outputs, each);
    drop(hook);
    match ended {
        Ok(true) => {
            let status = child.reap()?;
            // What kills the job ends its programs first: that they are gone may be seen before they are said to be.
            cx.cancel.check()?;
            Ok(End::Exited(status, outputs))
        }
        Ok(false) => Ok(End::TimedOut(outputs)),
        Err(CallError::Cancelled) => {
            end_gently(child, receive, open, outputs);
            Err(CallError::Cancelled)
        }
        Err(e) => Err(e),
    }
}

/// Asks the process group of a cancelled job to end, and in the background sees to it that it does. The job itself
/// does not wait for that.
fn end_gently(child: Guard, receive: Receiver<Event>, mut open: usize, mut outputs: Vec<Vec<u8>>) {
    child.signal(Signal::SIGTERM);
    let body = move || {
        let deadline = Some(Instant::now() + GRACE);
        let _ = collect(&receive, deadline, &mut open, &mut outputs, |_, _| ());
        drop(child);
    };
    // Without a thread the guard is dropped here: there is no grace, but an end.
    let _ = std::thread::Builder::new().name("end".into()).stack_size(64 << 10).spawn(body);
}

/// Whether all ended before the deadline.
fn collect(
    receive: &Receiver<Event>,
    deadline: Option<Instant>,
    open: &mut usize,
    outputs: &mut [Vec<u8>],
    mut each: impl FnMut(usize, &[u8]),
) -> Result<bool> {
    while *open > 0 {
        let event = match deadline {
            Some(at) => match receive.recv_timeout(at.saturating_duration_since(Instant::now())) {
                Err(RecvTimeoutError::Timeout) => return Ok(false),
                Err(RecvTimeoutError::Disconnected) => return Err(CallError::Cancelled),
                Ok(event) => event,
            },
            None => receive.recv().map_err(|_| CallError::Cancelled)?,
        };
        match event {
            Event::Output(which, bytes) => {
                each(which, &bytes);
                outputs[which].extend(bytes);
            }
            Event::Closed | Event::Ended => *open -= 1,
            Event::Cancelled => return Err(CallError::Cancelled),
            Event::TooMuch => {
                let text = format!("The command wrote more than {} MiB and was stopped", MAX_OUTPUT >> 20);
                return Err(CallError::execution(text));
            }
        }
    }
    Ok(true)
}

/// One thread per stream, and one that sees the child end without reaping it: its number stays taken meanwhile.
fn start_helpers(
    child: &mut Child,
    pid: i32,
    input: Option<Vec<u8>>,
    sources: Vec<Source>,
    send: &Sender<Event>,
) -> std::io::Result<()> {
    let spawn = |body: Box<dyn FnOnce() + Send>| {
        std::thread::Builder::new().name("cmd".into()).stack_size(128 << 10).spawn(body).map(drop)
    };
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        spawn(Box::new(move || {
            // A child that does not read its input is no error of ours.
            let _ = stdin.write_all(&input);
        }))?;
    }
    let written = Arc::new(AtomicUsize::new(0));
    for (which, mut source) in sources.into_iter().enumerate() {
        let (send, written) = (send.clone(), written.clone());
        spawn(Box::new(move || {
            let mut buffer = vec![0; 64 << 10];
            // A pseudo terminal ends with an error where a pipe ends with nothing.
            while let Ok(n @ 1..) = source.read(&mut buffer) {
                let event = if written.fetch_add(n, Ordering::Relaxed) + n > MAX_OUTPUT {
                    Event::TooMuch
                } else {
                    Event::Output(which, buffer[..n].to_vec())
                };
                let last = matches!(event, Event::TooMuch);
                if send.send(event).is_err() || last {
                    return;
                }
            }
            let _ = send.send(Event::Closed);
        }))?;
    }
    let send = send.clone();
    spawn(Box::new(move || {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(Pid::from_raw(pid)), flags) == Err(nix::Error::EINTR) {}
        let _ = send.send(Event::Ended);
    }))
}

/// A child that is killed with its group and reaped when it is no longer waited for.
struct Guard {
    child: Child,
    leads: bool,
    tracked: Option<TrackedProcess>,
    reaped: bool,
}

impl Guard {
    /// To its whole group if it leads one. It fails only when all of that is gone already.
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32);
        let _ = if self.leads { killpg(pid, signal) } else { kill(pid, signal) };
    }

    fn reap(&mut self) -> std::io::Result<ExitStatus> {
        // Untracked before it is reaped, so that nobody signals a stranger.
        self.tracked = None;
        self.reaped = true;
        self.child.wait()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(Signal::SIGKILL);
            let _ = self.reap();
        }
    }
}

/// Python's `returncode`: a signal is negative.
pub(super) fn return_code(status: ExitStatus) -> i64 {
    status.code().or_else(|| status.signal().map(|signal| -signal)).unwrap_or(-1).into()
}

/// Reaps a child that nobody waits for.
pub(super) fn reap_later(mut child: Child) {
    let body = move || drop(child.wait());
    // Without a thread the child stays a zombie until we end, as under stock.
    let _ = std::thread::Builder::new().name("reap".into()).stack_size(64 << 10).spawn(body);
}
