//! `pprint`: Python's `pprint.pformat`, 80 columns wide.

use super::python::{pprint_sorted, splitlines};
use super::{CannotPrint, Style};
use brine_core::Opts;
use brine_core::text::python_repr;
use brine_protocol::Value;

/// Python's own width.
pub(super) const WIDTH: isize = 80;

pub(super) fn output(data: &Value, _: &Opts, style: &Style) -> Result<String, CannotPrint> {
    let indent = match &style.indent {
        None => 1,
        Some(Value::Int(n)) => usize::try_from(*n).unwrap_or(1),
        Some(Value::Bool(b)) => usize::from(*b),
        Some(Value::Float(x)) if *x >= 0.0 => *x as usize,
        Some(Value::Float(_)) => 1,
        // Python cannot compare these with a number.
        Some(_) => return Err(CannotPrint::Data),
    };
    Ok(pformat(data, indent, WIDTH))
}

/// `pprint.pformat(data, indent=indent, width=width)`.
pub(crate) fn pformat(data: &Value, indent: usize, width: isize) -> String {
    let mut printer = Printer { out: String::new(), step: indent, width };
    printer.value(data, 0, 0, 0);
    printer.out
}

/// `repr` with the keys of maps sorted.
fn repr(value: &Value) -> String {
    match value {
        Value::List(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entries: Vec<String> =
                pprint_sorted(map).into_iter().map(|(k, v)| format!("{}: {}", repr(k), repr(v))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => python_repr(other),
    }
}

fn len(text: &str) -> isize {
    text.chars().count().cast_signed()
}

struct Printer {
    out: String,
    /// Columns per level.
    step: usize,
    /// Columns of a line.
    width: isize,
}

impl Printer {
    /// `indent`: the column this starts at. `allowance`: columns needed after it. `level`: how deep it lies.
    fn value(&mut self, value: &Value, indent: isize, allowance: isize, level: usize) {
        let rep = repr(value);
        if len(&rep) <= self.width - indent - allowance {
            self.out.push_str(&rep);
            return;
        }
        match value {
            Value::Map(map) => {
                self.open('{');
                let entries = pprint_sorted(map);
                let last = entries.len().saturating_sub(1);
                let indent = indent + self.step.cast_signed();
                for (i, (key, value)) in entries.into_iter().enumerate() {
                    let key = repr(key);
                    self.out.push_str(&key);
                    self.out.push_str(": ");
                    let after = if i == last { allowance + 1 } else { 1 };
                    self.value(value, indent + len(&key) + 2, after, level + 1);
                    self.delimit(i == last, indent);
                }
                self.out.push('}');
            }
            Value::List(items) => {
                self.open('[');
                let last = items.len().saturating_sub(1);
                let indent = indent + self.step.cast_signed();
                for (i, item) in items.iter().enumerate() {
                    self.value(item, indent, if i == last { allowance + 1 } else { 1 }, level + 1);
                    self.delimit(i == last, indent);
                }
                self.out.push(']');
            }
            Value::Str(text) if !text.is_empty() => self.text(text, indent, allowance, level),
            Value::Bytes(bytes) if bytes.len() > 4 => self.bytes(bytes, indent, allowance, level),
            _ => self.out.push_str(&rep),
        }
    }

    fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.out.extend(std::iter::repeat_n(' ', self.step.saturating_sub(1)));
    }

    fn delimit(&mut self, last: bool, indent: isize) {
        if !last {
            self.out.push(',');
            self.line(indent);
        }
    }

    fn line(&mut self, indent: isize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent.unsigned_abs()));
    }

    /// Long text breaks at its lines, then at white space.
    fn text(&mut self, text: &str, mut indent: isize, mut allowance: isize, level: usize) {
        if level == 0 {
            indent += 1;
            allowance += 1;
        }
        let width = self.width - indent;
        let lines = splitlines(text, true);
        let mut chunks = Vec::new();
        for (i, line) in lines.iter().enumerate() {
            let last_line = i == lines.len() - 1;
            let rep = quoted(line);
            if len(&rep) <= if last_line { width - allowance } else { width } {
                chunks.push(rep);
                continue;
            }
            let parts = words(line);
            let mut current = String::new();
            for (j, part) in parts.iter().enumerate() {
                let candidate = format!("{current}{part}");
                let room = if last_line && j == parts.len() - 1 { width - allowance } else { width };
                if len(&quoted(&candidate)) > room {
                    if !current.is_empty() {
                        chunks.push(quoted(&current));
                    }
                    current = (*part).to_owned();
                } else {
                    current = candidate;
                }
            }
            if !current.is_empty() {
                chunks.push(quoted(&current));
            }
        }
        self.chunks(&chunks, indent, level, chunks.len() > 1);
    }

    /// Long bytes break after every four.
    fn bytes(&mut self, bytes: &[u8], mut indent: isize, mut allowance: isize, level: usize) {
        if level == 0 {
            indent += 1;
            allowance += 1;
        }
        let mut width = self.width - indent;
        let mut chunks = Vec::new();
        let mut current: Vec<u8> = Vec::new();
        let last = bytes.len() / 4 * 4;
        for (i, part) in bytes.chunks(4).enumerate() {
            if i * 4 == last {
                width -= allowance;
            }
            let candidate = [&current[..], part].concat();
            if len(&python_repr(&candidate.as_slice().into())) > width {
                if !current.is_empty() {
                    chunks.push(python_repr(&current.into()));
                }
                current = part.to_vec();
            } else {
                current = candidate;
            }
        }
        if !current.is_empty() {
            chunks.push(python_repr(&current.into()));
        }
        self.chunks(&chunks, indent, level, true);
    }

    fn chunks(&mut self, chunks: &[String], indent: isize, level: usize, parentheses: bool) {
        let parentheses = parentheses && level == 0;
        if parentheses {
            self.out.push('(');
        }
        for (i, chunk) in chunks.iter().enumerate() {
            if i > 0 {
                self.line(indent);
            }
            self.out.push_str(chunk);
        }
        if parentheses {
            self.out.push(')');
        }
    }
}

fn quoted(text: &str) -> String {
    python_repr(&text.into())
}

/// `re.findall(r'\S*\s*', line)` without the empty match at the end.
fn words(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let end = rest[word..].find(|c: char| !c.is_whitespace()).map_or(rest.len(), |n| word + n);
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    parts
}
