//! `syslog`: returns as messages to the host's syslog, written as the C library's `syslog` writes them.

use crate::{Returner, Spec, json, options};
use brine_core::call::{Cx, Result};
use brine_core::clock::{Clock, unix_now};
use brine_core::text::python_str;
use brine_core::{Map, Value, jid, map};
use std::io::{self, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::time::{Duration, SystemTime};

pub(crate) static RETURNER: Returner = Returner {
    name: "syslog",
    doc: "Sends returns as JSON to the host's syslog.\n\nOptions: syslog.level (LOG_INFO), syslog.facility (LOG_USER), \
          syslog.tag (the program's name), syslog.options (a list of LOG_PID, LOG_CONS, LOG_NDELAY, LOG_NOWAIT, LOG_PERROR).",
    returner: Some(returner),
    prep_jid: Some(|_, _, passed| {
        Ok(passed.map_or_else(|| jid::gen_jid(SystemTime::now()), str::to_owned))
    }),
    ..Returner::NOTHING
};

/// Where the C library looks for syslog.
const SOCKET: &str = "/dev/log";
/// How long a syslog that does not read may hold up a job.
const PATIENCE: Duration = Duration::from_secs(5);

const LOG_PID: i32 = 1;
const LOG_CONS: i32 = 2;
const LOG_PERROR: i32 = 32;
const LOG_USER: i32 = 8;
const FACILITIES: i32 = 0x3f8;

/// Python's names; any may stand where a level, a facility or an option is asked for.
const NAMES: &[(&str, i32)] = &[
    ("LOG_EMERG", 0),
    ("LOG_ALERT", 1),
    ("LOG_CRIT", 2),
    ("LOG_ERR", 3),
    ("LOG_WARNING", 4),
    ("LOG_NOTICE", 5),
    ("LOG_INFO", 6),
    ("LOG_DEBUG", 7),
    ("LOG_KERN", 0),
    ("LOG_USER", LOG_USER),
    ("LOG_MAIL", 2 << 3),
    ("LOG_DAEMON", 3 << 3),
    ("LOG_AUTH", 4 << 3),
    ("LOG_SYSLOG", 5 << 3),
    ("LOG_LPR", 6 << 3),
    ("LOG_NEWS", 7 << 3),
    ("LOG_UUCP", 8 << 3),
    ("LOG_CRON", 9 << 3),
    ("LOG_AUTHPRIV", 10 << 3),
    ("LOG_LOCAL0", 16 << 3),
    ("LOG_LOCAL1", 17 << 3),
    ("LOG_LOCAL2", 18 << 3),
    ("LOG_LOCAL3", 19 << 3),
    ("LOG_LOCAL4", 20 << 3),
    ("LOG_LOCAL5", 21 << 3),
    ("LOG_LOCAL6", 22 << 3),
    ("LOG_LOCAL7", 23 << 3),
    ("LOG_PID", LOG_PID),
    ("LOG_CONS", LOG_CONS),
    ("LOG_ODELAY", 4),
    ("LOG_NDELAY", 8),
    ("LOG_NOWAIT", 16),
    ("LOG_PERROR", LOG_PERROR),
];

/// What Python's module has under other names, which stock tells from names that do not exist.
const NO_NUMBERS: [&str; 7] =
    ["LOG_MASK", "LOG_UPTO", "closelog", "openlog", "setlogmask", "syslog", "__name__"];

/// A message to be sent.
struct Message {
    priority: i32,
    options: i32,
    tag: String,
    text: String,
}

fn returner(cx: &Cx, ret: &Map) -> Result<()> {
    syslog_to(cx, ret, Path::new(SOCKET))
}

/// The same for a syslog elsewhere, as tests have one.
#[doc(hidden)]
pub fn syslog_to(cx: &Cx, ret: &Map, socket: &Path) -> Result<()> {
    if let Some(message) = message(cx, ret)? {
        message.send(socket);
    }
    Ok(())
}

/// The message for a return; none where the options cannot be used, which is logged in stock's words.
fn message(cx: &Cx, ret: &Map) -> Result<Option<Message>> {
    let spec = Spec {
        name: RETURNER.name,
        attrs: &[("level", "level"), ("facility", "facility"), ("tag", "tag"), ("options", "options")],
        defaults: map! {"level" => "LOG_INFO", "facility" => "LOG_USER", "options" => Value::List(Vec::new())},
        profile: None,
    };
    let found = options(cx, Some(ret), &spec)?;
    let list = found.get("options").and_then(Value::as_list).unwrap_or_default();
    let asked = [("level", found.get("level")), ("facility", found.get("facility"))].into_iter();
    let mut numbers = Vec::new();
    for (what, name) in asked.chain(list.iter().map(|name| ("option", Some(name)))) {
        let name = name.map(python_str).unwrap_or_default();
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, number)) => numbers.push(*number),
            None => {
                if NO_NUMBERS.contains(&name.as_str()) {
                    tracing::error!("{name} is not a valid syslog {what}");
                } else {
                    tracing::error!("syslog has no attribute {name}");
                }
                return Ok(None);
            }
        }
    }
    let tag = match found.get("tag") {
        None => program(),
        Some(Value::Str(tag)) if tag.chars().count() <= 32 => tag.clone(),
        Some(Value::Str(_)) => {
            tracing::error!("tag size is limited to 32 characters");
            return Ok(None);
        }
        Some(_) => {
            tracing::error!("tag must be a string");
            return Ok(None);
        }
    };
    let (priority, options) = numbers.split_at(2);
    Ok(Some(Message {
        priority: priority.iter().fold(0, |all, one| all | one),
        options: options.iter().fold(0, |all, one| all | one),
        tag,
        text: json(&Value::Map(ret.clone()))?,
    }))
}

/// The program's name, as it was called.
fn program() -> String {
    let name = std::env::args().next().unwrap_or_default();
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

impl Message {
    /// The message from its tag on.
    fn line(&self) -> String {
        let pid = if self.options & LOG_PID != 0 { format!("[{}]", std::process::id()) } else { String::new() };
        format!("{}{pid}: {}", self.tag, self.text)
    }

    fn packet(&self, line: &str) -> String {
        let facility = if self.priority & FACILITIES == 0 { LOG_USER } else { 0 };
        // Python formats days as C does: `%e` has a blank for the missing digit.
        let time = Clock::local(unix_now() as i64).strftime("%b %e %H:%M:%S");
        format!("<{}>{time} {line}", (self.priority | facility) & (FACILITIES | 7))
    }

    /// Sends it; a syslog that is not there is said in the log, where C says nothing.
    fn send(&self, socket: &Path) {
        let line = self.line();
        if self.options & LOG_PERROR != 0 {
            // Standard error may be closed in a daemon.
            let _ = writeln!(io::stderr(), "{line}");
        }
        if let Err(e) = deliver(socket, self.packet(&line).as_bytes()) {
            tracing::error!("cannot send a return to syslog: {e}");
            if self.options & LOG_CONS != 0 {
                let _ = std::fs::write("/dev/console", format!("{line}\r\n"));
            }
        }
    }
}

/// A datagram, or a text ended by a zero byte where syslog wants a stream.
fn deliver(path: &Path, packet: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    match socket.connect(path) {
        Ok(()) => {
            socket.set_write_timeout(Some(PATIENCE))?;
            socket.send(packet).map(drop)
        }
        Err(e) if e.raw_os_error() == Some(nix::errno::Errno::EPROTOTYPE as i32) => {
            let mut stream = UnixStream::connect(path)?;
            stream.set_write_timeout(Some(PATIENCE))?;
            stream.write_all(packet)?;
            stream.write_all(b"\0")
        }
        Err(e) => Err(e),
    }
}
