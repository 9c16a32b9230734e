//! Python's `%(key)s` formats of log lines.

use super::level::Level;
use crate::clock::Clock;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a line can tell.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// When it was logged.
    pub time: SystemTime,
    /// How severe it is.
    pub level: Level,
    /// The logger's name.
    pub name: &'a str,
    /// The source file.
    pub file: &'a str,
    /// The line in it.
    pub line: u32,
    /// The message.
    pub message: &'a str,
    /// The job it belongs to.
    pub jid: Option<&'a str>,
    /// The minion whose request it is about.
    pub minion_id: Option<&'a str>,
}

/// A parsed format.
#[derive(Clone, Debug)]
pub struct Format {
    parts: Vec<Part>,
    date: String,
    jid: String,
    minion_id: String,
    color: bool,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Key { name: String, flags: Flags },
}

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    left: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

impl Format {
    /// Parses a format, with the format of `%(asctime)s` and what `%(jid)s` becomes where there is a job. With
    /// `color`, the keys that begin with `color` have colours. What is no valid key stays as text.
    pub fn new(format: &str, date: &str, jid: &str, color: bool) -> Self {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("%%") {
                text.push('%');
                rest = after;
            } else if let Some((part, after)) = key(rest) {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(part);
                rest = after;
            } else {
                text.push('%');
                rest = &rest[1..];
            }
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Self { parts, date: date.to_owned(), jid: jid.to_owned(), minion_id: String::new(), color }
    }

    /// With what `%(minion_id)s` becomes where there is a minion (`log_fmt_minion_id`).
    #[must_use]
    pub fn minion_id(self, minion_id: &str) -> Self {
        Self { minion_id: minion_id.to_owned(), ..self }
    }

    /// The line of a record, without a line end. Line ends within the message stay, control characters that a
    /// terminal would obey do not.
    pub fn line(&self, record: &Record<'_>) -> String {
        let mut out = String::with_capacity(128);
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Key { name, flags } => self.key(&mut out, name, *flags, record),
            }
        }
        out
    }

    fn key(&self, out: &mut String, name: &str, flags: Flags, r: &Record<'_>) {
        let since = r.time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let colored = |color: &str, text: String| {
            if self.color { format!("{color}{text}\x1b[0;0m") } else { text }
        };
        let process = std::process::id();
        let text = match name {
            "message" => clean(r.message),
            "levelname" => r.level.shown(),
            "levelno" => return number(out, flags, r.level.number() as f64),
            "name" => r.name.to_owned(),
            "asctime" => Clock::local(since.as_secs().cast_signed()).strftime(&self.date),
            "msecs" => return number(out, flags, f64::from(since.subsec_micros()) / 1000.0),
            "created" => return number(out, flags, since.as_secs_f64()),
            "relativeCreated" => return number(out, flags, since_start(r.time)),
            "lineno" => return number(out, flags, f64::from(r.line)),
            "process" => return number(out, flags, f64::from(process)),
            "processName" => "MainProcess".into(),
            "thread" => return number(out, flags, 0.0),
            "threadName" => std::thread::current().name().unwrap_or("Thread").to_owned(),
            "pathname" => r.file.to_owned(),
            "filename" => r.file.rsplit('/').next().unwrap_or_default().to_owned(),
            "module" => {
                let file = r.file.rsplit('/').next().unwrap_or_default();
                file.strip_suffix(".rs").unwrap_or(file).to_owned()
            }
            "funcName" => String::new(),
            "jid" => match r.jid {
                Some(jid) => self.jid.replace("%(jid)s", &clean(jid)),
                None => String::new(),
            },
            "minion_id" => match r.minion_id {
                Some(id) => self.minion_id.replace("%(minion_id)s", &clean(id)),
                None => String::new(),
            },
            "bracketlevel" => format!("[{:<8}]", r.level.shown()),
            "bracketname" => format!("[{:<17}]", r.name),
            "bracketprocess" => format!("[{process:>5}]"),
            "colorlevel" => colored(r.level.colors().0, format!("[{:<8}]", r.level.shown())),
            "colorname" => colored("\x1b[0;1;32m", format!("[{:<17}]", r.name)),
            "colorprocess" => colored("\x1b[0;1;34m", format!("[{process:>5}]")),
            "colormsg" => colored(r.level.colors().1, clean(r.message)),
            _ => String::new(),
        };
        let text = match flags.precision {
            Some(n) => text.chars().take(n).collect(),
            None => text,
        };
        pad(out, flags, &text);
    }
}

/// Escape sequences in what peers sent must not reach a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '?' } else { c }).collect()
}

fn since_start(time: SystemTime) -> f64 {
    static START: std::sync::OnceLock<SystemTime> = std::sync::OnceLock::new();
    let start = *START.get_or_init(|| time);
    time.duration_since(start).unwrap_or_default().as_secs_f64() * 1000.0
}

fn number(out: &mut String, flags: Flags, x: f64) {
    let text = match flags.kind {
        'f' | 'F' => format!("{x:.*}", flags.precision.unwrap_or(6)),
        'd' | 'i' => (x.trunc() as i64).to_string(),
        _ if x.fract() == 0.0 => (x as i64).to_string(),
        _ => crate::text::python_float(x),
    };
    pad(out, flags, &text);
}

fn pad(out: &mut String, flags: Flags, text: &str) {
    let width = flags.width;
    // Writing to a String does not fail.
    let _infallible = if flags.left {
        write!(out, "{text:<width$}")
    } else if flags.zero && flags.kind != 's' {
        write!(out, "{text:0>width$}")
    } else {
        write!(out, "{text:>width$}")
    };
}

/// `%(name)-17s` at the start of text, and what follows it.
fn key(text: &str) -> Option<(Part, &str)> {
    let (name, mut rest) = text.strip_prefix("%(")?.split_once(')')?;
    let mut flags = Flags::default();
    while let Some(c) = rest.chars().next().filter(|c| "-0+ #".contains(*c)) {
        flags.left |= c == '-';
        flags.zero |= c == '0';
        rest = &rest[1..];
    }
    let digits = |rest: &mut &str| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        *rest = after;
        // Wide enough for any line, and no way to fill the disk.
        digits.parse::<usize>().unwrap_or(0).min(1000)
    };
    flags.width = digits(&mut rest);
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        flags.precision = Some(digits(&mut rest));
    }
    flags.kind = rest.chars().next().filter(|c| "sdifFrxXg".contains(*c))?;
    Some((Part::Key { name: name.to_owned(), flags }, &rest[1..]))
}
