//! Listening on the master's event bus with stock's own client, in the background.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::fleet::{Fleet, START};
use crate::script;
use crate::wait;

/// A listener; it stops when dropped.
#[derive(Debug)]
pub struct Bus {
    child: Child,
    seen: Arc<Mutex<Vec<Event>>>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its tag.
    pub tag: String,
    /// Its data; byte strings appear as text.
    pub data: Value,
    /// When it was received, in seconds since 1970.
    pub at: f64,
}

impl Bus {
    /// Connects to the bus of the fleet's master, and returns once connected.
    ///
    /// # Errors
    /// When the listener does not come up.
    pub fn listen(fleet: &Fleet) -> Result<Bus> {
        let side = script::bus_side(fleet);
        let conf = fleet.path("etc/master").display().to_string();
        let mut cmd = script::prepare(fleet, side, "bus.py", include_str!("../py/bus.py"), &[&conf])?;
        cmd.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child = cmd.spawn()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let ready = Arc::new(Mutex::new(false));
        if let Some(out) = child.stdout.take() {
            let (seen, ready) = (Arc::clone(&seen), Arc::clone(&ready));
            thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(std::result::Result::ok) {
                    if line == "READY" {
                        *ready.lock().unwrap_or_else(PoisonError::into_inner) = true;
                    } else if let Some(event) = parse(&line) {
                        seen.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                    }
                }
            });
        }
        let bus = Bus { child, seen };
        wait::until("the bus listener to connect", START, || {
            Ok(ready.lock().unwrap_or_else(PoisonError::into_inner).then_some(()))
        })?;
        Ok(bus)
    }

    /// All events seen so far.
    pub fn seen(&self) -> Vec<Event> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for an event for which `wanted` holds, seen before or after this call.
    ///
    /// # Errors
    /// When there is none within `limit`; the message lists the tags that were seen.
    pub fn wait(&self, what: &str, limit: Duration, wanted: impl Fn(&Event) -> bool) -> Result<Event> {
        wait::until(what, limit, || Ok(self.seen().into_iter().find(|e| wanted(e)))).map_err(|e| {
            let tags: Vec<String> = self.seen().into_iter().map(|e| e.tag).collect();
            Failure(format!("{e}; tags seen: {tags:?}"))
        })
    }

    /// How many events carry `tag`.
    pub fn count(&self, tag: &str) -> usize {
        self.seen().iter().filter(|e| e.tag == tag).count()
    }
}

fn parse(line: &str) -> Option<Event> {
    let value: Value = serde_json::from_str(line).ok()?;
    Some(Event {
        tag: value.get("tag")?.as_str()?.to_owned(),
        data: value.get("data")?.clone(),
        at: value.get("at")?.as_f64()?,
    })
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}
