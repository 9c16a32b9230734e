//! Running a command-line program to its end, with a deadline, and reading what it printed.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Map, Value};

use crate::failure::{Failure, Result};
use crate::wait;

/// What a finished program left behind.
#[derive(Debug)]
pub struct Ran {
    /// The command line, for messages.
    pub line: String,
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// From start to end.
    pub took: Duration,
}

/// Runs `cmd` to its end, `input` on its standard input.
///
/// # Errors
/// When it cannot be started or is still running after `limit` (it is then killed).
pub fn run(mut cmd: Command, input: &[u8], limit: Duration) -> Result<Ran> {
    let words = cmd.get_args().map(|a| a.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
    let line: String = words.chars().take(400).collect();
    cmd.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let start = Instant::now();
    let mut child = cmd.spawn().map_err(|e| Failure(format!("cannot start {cmd:?}: {e}")))?;
    let out = drain(child.stdout.take());
    let err = drain(child.stderr.take());
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input closes the pipe; that is its right.
        let _ = stdin.write_all(input);
    }
    let status = match wait::until("the program to end", limit, || Ok(child.try_wait()?)) {
        Ok(status) => status,
        Err(_) => return Err(overdue(&mut child, &line, limit)),
    };
    Ok(Ran {
        line,
        code: status.code().unwrap_or(-1),
        out: out.join().unwrap_or_default(),
        err: err.join().unwrap_or_default(),
        took: start.elapsed(),
    })
}

fn overdue(child: &mut Child, line: &str, limit: Duration) -> Failure {
    let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
    let _ = child.wait();
    Failure(format!("not finished after {} s: {line}", limit.as_secs()))
}

fn drain<R: Read + Send + 'static>(pipe: Option<R>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Ran {
    /// A failure that shows the whole run.
    pub fn failure(&self, what: &str) -> Failure {
        let cut = |s: &str| s.chars().take(2000).collect::<String>();
        Failure(format!(
            "{what}\n      ran  {}\n      exit {} after {:.1} s\n      out  {}\n      err  {}",
            self.line,
            self.code,
            self.took.as_secs_f32(),
            cut(&self.out),
            cut(&self.err)
        ))
    }

    /// Checks the exit code.
    ///
    /// # Errors
    /// When it differs.
    pub fn code(self, want: i32) -> Result<Ran> {
        if self.code == want { Ok(self) } else { Err(self.failure(&format!("exit code is not {want}"))) }
    }

    /// Checks that it ended with code 0.
    ///
    /// # Errors
    /// When it did not.
    pub fn ok(self) -> Result<Ran> {
        self.code(0)
    }

    /// Checks that standard output holds `text`.
    ///
    /// # Errors
    /// When it does not.
    pub fn says(self, text: &str) -> Result<Ran> {
        if self.out.contains(text) { Ok(self) } else { Err(self.failure(&format!("output lacks {text:?}"))) }
    }

    /// The JSON objects of standard output merged into one; other lines are passed over, since
    /// stock mixes sentences in.
    ///
    /// # Errors
    /// When there is no object, or one is cut off.
    pub fn json(&self) -> Result<Map<String, Value>> {
        let mut merged = Map::new();
        let mut rest = self.out.as_str();
        let mut found = false;
        while let Some(at) = rest.find('{').filter(|_| !rest.is_empty()) {
            let mut stream =
                serde_json::Deserializer::from_str(&rest[at..]).into_iter::<Map<String, Value>>();
            match stream.next() {
                Some(Ok(map)) => {
                    found = true;
                    merged.extend(map);
                    rest = &rest[at + stream.byte_offset()..];
                }
                _ => return Err(self.failure("output is not json")),
            }
        }
        if found { Ok(merged) } else { Err(self.failure("output holds no json object")) }
    }

    /// What minion `id` returned.
    ///
    /// # Errors
    /// When it is not in the output.
    pub fn ret(&self, id: &str) -> Result<Value> {
        self.json()?.remove(id).ok_or_else(|| self.failure(&format!("no return of {id}")))
    }
}

/// Text in which job ids and log lines, which differ each time, are left out.
pub fn steady(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        out.push_str(if digits.len() == 20 { "JID" } else { &digits });
        digits.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    // What Python says while it ends, of sockets that it closed in another order than it opened them: not of every run.
    let mut noise = false;
    let mut kept = String::new();
    for line in out.lines() {
        noise |= line.starts_with("Exception ignored in: <function BaseEventLoop.__del__");
        if !noise && !line.starts_with('[') {
            kept.push_str(line);
            kept.push('\n');
        }
        noise &= !line.starts_with("ValueError: Invalid file descriptor");
    }
    kept
}
