//! `pprint.pformat(x)`: values over several lines of a limited width, with sorted keys.

use crate::cmp::{self, Cmp};
use crate::depth;
use crate::error::{Kind, R};
use crate::limit;
use crate::obj::Obj;
use crate::repr::repr;
use crate::seq::chars;
use crate::uni;

/// Columns of a line.
const WIDTH: isize = 80;

/// `pprint.pformat(x)`.
///
/// # Errors
/// As [`crate::repr()`].
pub fn pformat(obj: &Obj) -> R<String> {
    pformat_within(obj, 1, WIDTH)
}

/// `pprint.pformat(x, indent=indent, width=width)`.
///
/// # Errors
/// As [`crate::repr()`].
pub fn pformat_within(obj: &Obj, indent: usize, width: isize) -> R<String> {
    let mut printer = Printer::new(indent, width);
    printer.format(obj, 0, 0, 0)?;
    Ok(printer.out)
}

struct Printer {
    out: String,
    /// Columns per level.
    step: usize,
    /// Columns of a line.
    width: i64,
    /// The containers that are being written.
    open: Vec<usize>,
}

/// Whether the type shows itself as the built-in containers do.
fn is_container(obj: &Obj) -> bool {
    match obj {
        Obj::List(_) | Obj::Set(_) | Obj::Dict(_) => true,
        Obj::Tuple(t) => t.fields().is_none(),
        _ => false,
    }
}

fn width(text: &str) -> i64 {
    chars(text) as i64
}

/// The name of a type as `str(type(x))` sorts.
fn class(obj: &Obj) -> String {
    match obj.module() {
        "builtins" => format!("<class '{}'>", obj.type_name()),
        module => format!("<class '{module}.{}'>", obj.type_name()),
    }
}

/// `<`; what has no order is ordered by the names of types.
fn less(a: &Obj, b: &Obj) -> R<bool> {
    match cmp::compare(Cmp::Lt, a, b) {
        Err(e) if e.kind() == Kind::TypeError => Ok(class(a) < class(b)),
        done => done,
    }
}

fn sorted_pairs(dict: &crate::dict::Dict) -> R<Vec<(Obj, Obj)>> {
    let mut pairs = dict.pairs();
    cmp::sort_with(&mut pairs, &|a: &(Obj, Obj), b: &(Obj, Obj)| less(&a.0, &b.0))?;
    Ok(pairs)
}

impl Printer {
    fn new(step: usize, width: isize) -> Self {
        Self { out: String::new(), step, width: width as i64, open: Vec::new() }
    }

    fn recursion(&mut self, obj: &Obj) {
        let name = obj.type_name().rsplit('.').next().unwrap_or_default();
        self.out.push_str(&format!("<Recursion on {name} with id={}>", obj.address()));
    }

    fn format(&mut self, obj: &Obj, indent: i64, allowance: i64, level: usize) -> R<()> {
        let _level = depth::enter(" while getting the repr of an object")?;
        if is_container(obj) && self.open.contains(&obj.address()) {
            self.recursion(obj);
            return Ok(());
        }
        let before = self.out.len();
        let line = self.one_line(obj)?;
        if width(&line) <= self.width - indent - allowance {
            self.out.push_str(&line);
            return limit::bytes(line.len());
        }
        match obj {
            Obj::Str(text) if !text.is_empty() => self.text(text, indent, allowance, level + 1)?,
            Obj::Bytes(bytes) => self.bytes(bytes, indent, allowance, level + 1)?,
            _ if is_container(obj) => {
                self.open.push(obj.address());
                self.container(obj, indent, allowance, level + 1)?;
                self.open.pop();
            }
            _ => self.out.push_str(&line),
        }
        limit::bytes(self.out.len() - before)
    }

    fn container(&mut self, obj: &Obj, indent: i64, allowance: i64, level: usize) -> R<()> {
        match obj {
            Obj::Dict(dict) if dict.is_ordered() => {
                self.out.push_str("OrderedDict(");
                let items = dict.pairs().into_iter().map(|(key, value)| Obj::tuple(vec![key, value]));
                self.format(&Obj::list(items.collect()), indent + 12, allowance + 1, level)?;
                self.out.push(')');
            }
            Obj::Dict(dict) => {
                self.open("{")?;
                let indent = indent + self.step as i64;
                let pairs = sorted_pairs(dict)?;
                let last = pairs.len().saturating_sub(1);
                for (at, (key, value)) in pairs.iter().enumerate() {
                    let key = self.one_line(key)?;
                    self.out.push_str(&key);
                    self.out.push_str(": ");
                    let allowance = if at == last { allowance + 1 } else { 1 };
                    self.format(value, indent + width(&key) + 2, allowance, level)?;
                    if at != last {
                        self.out.push(',');
                        self.new_line(indent)?;
                    }
                }
                self.out.push('}');
            }
            Obj::Set(set) => {
                let mut items = set.to_vec();
                cmp::sort_with(&mut items, &less)?;
                let (open, close, deeper) =
                    if set.frozen() { ("frozenset({", "})", 10) } else { ("{", "}", 0) };
                self.items(&items, open, close, indent + deeper, allowance, level)?;
            }
            _ => {
                let items = obj.sequence().unwrap_or_default();
                let (open, close) = match (obj, items.len()) {
                    (Obj::List(_), _) => ("[", "]"),
                    (_, 1) => ("(", ",)"),
                    _ => ("(", ")"),
                };
                self.items(&items, open, close, indent, allowance, level)?;
            }
        }
        Ok(())
    }

    fn items(
        &mut self,
        items: &[Obj],
        open: &str,
        close: &str,
        indent: i64,
        allowance: i64,
        level: usize,
    ) -> R<()> {
        self.open(open)?;
        let indent = indent + self.step as i64;
        let behind = allowance + close.len() as i64;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
                self.new_line(indent)?;
            }
            self.format(item, indent, if at + 1 == items.len() { behind } else { 1 }, level)?;
        }
        self.out.push_str(close);
        Ok(())
    }

    /// A bracket, and what puts the first item where the others begin.
    fn open(&mut self, bracket: &str) -> R<()> {
        let spaces = self.step.saturating_sub(1);
        limit::bytes(spaces)?;
        self.out.push_str(bracket);
        self.out.extend(std::iter::repeat_n(' ', spaces));
        Ok(())
    }

    fn new_line(&mut self, indent: i64) -> R<()> {
        let spaces = usize::try_from(indent).unwrap_or(0);
        limit::bytes(spaces)?;
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', spaces));
        Ok(())
    }

    fn text(&mut self, text: &str, mut indent: i64, mut allowance: i64, level: usize) -> R<()> {
        let quoted = |text: &str| {
            let mut out = String::new();
            crate::repr::quote(&mut out, text);
            out
        };
        if level == 1 {
            (indent, allowance) = (indent + 1, allowance + 1);
        }
        let most = self.width - indent;
        let lines = lines(text);
        let mut chunks = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let last_line = at + 1 == lines.len();
            let whole = quoted(line);
            if width(&whole) <= if last_line { most - allowance } else { most } {
                chunks.push(whole);
                continue;
            }
            let parts = words(line);
            let mut current = String::new();
            for (at, part) in parts.iter().enumerate() {
                limit::steps(1)?;
                let candidate = format!("{current}{part}");
                let most = if last_line && at + 1 == parts.len() { most - allowance } else { most };
                if width(&quoted(&candidate)) > most {
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
        if chunks.len() == 1 {
            self.out.push_str(&quoted(text));
            return Ok(());
        }
        self.chunks(chunks, indent, level == 1)
    }

    fn chunks(&mut self, chunks: Vec<String>, indent: i64, brackets: bool) -> R<()> {
        if brackets {
            self.out.push('(');
        }
        for (at, chunk) in chunks.iter().enumerate() {
            if at > 0 {
                self.new_line(indent)?;
            }
            self.out.push_str(chunk);
        }
        if brackets {
            self.out.push(')');
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8], mut indent: i64, mut allowance: i64, level: usize) -> R<()> {
        let quoted = |bytes: &[u8]| repr(&Obj::bytes(bytes));
        if bytes.len() <= 4 {
            self.out.push_str(&quoted(bytes)?);
            return Ok(());
        }
        if level == 1 {
            (indent, allowance) = (indent + 1, allowance + 1);
        }
        let mut most = self.width - indent;
        let last = bytes.len() / 4 * 4;
        let (mut chunks, mut current) = (Vec::new(), Vec::new());
        for (at, part) in bytes.chunks(4).enumerate() {
            let candidate = [&current[..], part].concat();
            if at * 4 == last {
                most -= allowance;
            }
            if width(&quoted(&candidate)?) > most {
                if !current.is_empty() {
                    chunks.push(quoted(&current)?);
                }
                current = part.to_vec();
            } else {
                current = candidate;
            }
        }
        if !current.is_empty() {
            chunks.push(quoted(&current)?);
        }
        self.chunks(chunks, indent, level == 1)
    }

    /// `repr` with sorted keys.
    fn one_line(&mut self, obj: &Obj) -> R<String> {
        let _level = depth::enter(" while getting the repr of an object")?;
        let empty = match obj {
            Obj::List(list) => list.is_empty(),
            Obj::Tuple(tuple) => tuple.is_empty() || tuple.fields().is_some(),
            Obj::Dict(dict) => dict.is_empty() || dict.is_ordered(),
            _ => true,
        };
        if empty {
            return repr(obj);
        }
        if self.open.contains(&obj.address()) {
            let mut own = Printer::new(self.step, 0);
            own.recursion(obj);
            return Ok(own.out);
        }
        self.open.push(obj.address());
        let mut parts = Vec::new();
        if let Obj::Dict(dict) = obj {
            for (key, value) in sorted_pairs(dict)? {
                parts.push(format!("{}: {}", self.one_line(&key)?, self.one_line(&value)?));
            }
        } else {
            for item in obj.sequence().unwrap_or_default() {
                parts.push(self.one_line(&item)?);
            }
        }
        self.open.pop();
        let inside = parts.join(", ");
        limit::bytes(inside.len())?;
        Ok(match (obj, parts.len()) {
            (Obj::Dict(_), _) => format!("{{{inside}}}"),
            (Obj::List(_), _) => format!("[{inside}]"),
            (_, 1) => format!("({inside},)"),
            _ => format!("({inside})"),
        })
    }
}

/// `text.splitlines(True)`.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.char_indices().find(|(_, c)| uni::is_line_end(*c)).map_or(rest.len(), |(at, c)| {
            let end = at + c.len_utf8();
            end + usize::from(c == '\r' && rest[end..].starts_with('\n'))
        });
        lines.push(&rest[..end]);
        rest = &rest[end..];
    }
    lines
}

/// Words, each with the space behind it.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let space = rest.find(uni::is_space).unwrap_or(rest.len());
        let end = rest[space..].find(|c| !uni::is_space(c)).map_or(rest.len(), |at| space + at);
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    words
}
