//! Boxes and transforms as Ruby's YAML reader has them: libyaml's events, made into nodes that know their places.
//!
//! Only the first document counts. No tag makes an object. What a file may cost is bounded: its size, its nesting, and how many values
//! its aliases make of it.

mod build;
mod dates;
mod numbers;
mod tags;
mod typing;

use crate::finding::{Finding, Place, Severity};
use crate::node::Node;
use build::Builder;
use libyaml_safer as y;
use std::collections::HashSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The largest file that is read, in bytes.
pub(crate) const MOST_BYTES: u64 = 4 << 20;

/// What was read of a file.
pub(crate) struct Read {
    /// The first document; none if there is none, or it cannot be read.
    pub(crate) root: Option<Node>,
    /// What is wrong with the file.
    pub(crate) findings: Vec<Finding>,
}

/// What is kept from one file to the next: keys, each once, and the parser with its buffers.
#[derive(Default)]
pub(crate) struct Keys {
    known: HashSet<Arc<str>>,
    parser: Option<Parser>,
}

type Parser = y::Parser<io::Cursor<Vec<u8>>>;

impl Keys {
    pub(crate) fn get(&mut self, key: &str) -> Arc<str> {
        if let Some(own) = self.known.get(key) {
            return own.clone();
        }
        let own: Arc<str> = key.into();
        self.known.insert(own.clone());
        own
    }
}

/// A fault that ends the reading of a file, or is told beside it.
pub(crate) struct Fault {
    code: &'static str,
    severity: Severity,
    message: String,
    line: u32,
    column: u32,
}

impl Fault {
    fn error(code: &'static str, mark: y::Mark, message: impl Into<String>) -> Self {
        let (line, column) = position(mark);
        Self { code, severity: Severity::Error, message: message.into(), line, column }
    }

    fn warning(code: &'static str, mark: y::Mark, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, mark, message) }
    }

    fn syntax(e: &y::Error) -> Self {
        let mut message = e.problem().to_owned();
        if let Some(context) = e.context() {
            message = format!("{message} {context}");
        }
        Self::error("syntax", e.problem_mark().unwrap_or_default(), message)
    }

    fn at(self, file: &Arc<str>) -> Finding {
        let place = Place { file: file.clone(), line: self.line, column: self.column };
        Finding { severity: self.severity, ..Finding::error(self.code, place, self.message) }
    }
}

/// Lines and columns from 1.
fn position(mark: y::Mark) -> (u32, u32) {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX - 1) + 1;
    (number(mark.line), number(mark.column))
}

/// Reads a file's bytes.
pub(crate) fn read(bytes: &[u8], file: &Arc<str>, keys: &mut Keys) -> Read {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => {
            let before = &bytes[..e.valid_up_to()];
            let line = before.iter().filter(|b| **b == b'\n').count();
            let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
            let column = String::from_utf8_lossy(&before[start..]).chars().count();
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX - 1) + 1;
            let place = Place { file: file.clone(), line: number(line), column: number(column) };
            let finding = Finding::error("not-utf8", place, "this is not text in UTF-8");
            return Read { root: None, findings: vec![finding] };
        }
    };
    let mut parser = keys.parser.take().unwrap_or_default();
    let mut builder = Builder::new(file, keys);
    // The parser is known to panic over a few faulty texts; then it is not used again.
    let parsed = catch_unwind(AssertUnwindSafe(|| parse(text, &mut parser, &mut builder)));
    let stopped = match parsed {
        Ok(Ok(())) => None,
        Ok(Err(fault)) => Some(fault),
        Err(_) => Some(Fault::error("syntax", y::Mark::default(), "the YAML parser cannot read this file")),
    };
    let failed = stopped.is_some();
    let (root, mut faults) = builder.finish();
    faults.extend(stopped);
    let root = if failed { None } else { root };
    if !failed {
        parser.reset();
        keys.parser = Some(parser);
    }
    Read { root, findings: faults.into_iter().map(|fault| fault.at(file)).collect() }
}

fn parse(text: &str, parser: &mut Parser, builder: &mut Builder<'_>) -> Result<(), Fault> {
    // A backslash at the very end makes the parser panic where it is within quotes, and means an error anyway.
    let odd = text.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
    // A block scalar that ends without a line end cannot be read: it gets one, and the value loses it again.
    let padded = !text.ends_with(['\n', '\r']) && text.contains(['|', '>']) || odd;
    let mut given = text.to_owned();
    if odd {
        given.push('q');
    }
    if padded {
        given.push('\n');
    }
    builder.end = if padded && !odd { text.len() as u64 } else { u64::MAX };
    parser.set_input(io::Cursor::new(given.into_bytes()));
    parser.set_encoding(y::Encoding::Utf8);
    loop {
        let event = parser.parse().map_err(|e| Fault::syntax(&e))?;
        if matches!(event.data, y::EventData::StreamEnd) {
            return Ok(());
        }
        builder.event(event)?;
    }
}
