//! An INI file as stock's `ini` module reads and writes it: in order, with comments and with what it does not understand.

use super::no_attribute;
use crate::file::edit::put::{Inode, write};
use crate::file::edit::replace_encoded::{decode, encode};
use crate::python::path::realpath;
use crate::python::re::{compile, failed};
use crate::python::text::{is_space, utf8};
use brine_core::call::{CallError, Cx, Result};
use brine_core::target::{Anchor, Regex};
use brine_core::text::{python_str, splitlines};
use brine_core::{Map, Value, map};

/// What a name in a section stands for: a text, or a section below.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    Text(String),
    Section(Box<Section>),
}

impl Entry {
    pub(super) fn value(&self) -> Value {
        match self {
            Entry::Text(text) => text.as_str().into(),
            Entry::Section(section) => section.all().into(),
        }
    }
}

/// Names and what they stand for, in order. Lines that are comments or not understood have names that begin with `#`.
#[derive(Clone, Debug)]
pub(super) struct Section {
    name: String,
    entries: Vec<(String, Entry)>,
    separator: String,
    no_spaces: bool,
}

/// A pattern of a line with a name, this separator and a value.
fn option_pattern(separator: &str) -> Result<Regex> {
    compile(&format!(r"(\s*)(.+?)\s*(\{separator})\s*(.*)\s*"), Anchor::Match, 0)
}

/// Indent, name and value of a line.
fn option_of(regex: &Regex, line: &str) -> Result<Option<(String, String, String)>> {
    let Some(spans) = regex.find(line, 0).map_err(failed)? else { return Ok(None) };
    let group = |n: usize| {
        spans.get(n).copied().flatten().map_or_else(String::new, |(from, to)| line[from..to].to_owned())
    };
    Ok(Some((group(1), group(2), group(4))))
}

fn is_comment(line: &str) -> bool {
    line.trim_start_matches(is_space).starts_with(['#', ';'])
}

impl Section {
    fn new(name: &str, separator: &str, no_spaces: bool) -> Self {
        Self { name: name.into(), entries: Vec::new(), separator: separator.into(), no_spaces }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|(key, _)| key == name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.place(name).map(|at| &self.entries[at].1)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Entry> {
        self.place(name).map(|at| &mut self.entries[at].1)
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Entry> {
        self.place(name).map(|at| self.entries.remove(at).1)
    }

    fn set(&mut self, name: &str, entry: Entry) {
        match self.get_mut(name) {
            Some(place) => *place = entry,
            None => self.entries.push((name.to_owned(), entry)),
        }
    }

    /// Everything, comments too.
    fn all(&self) -> Map {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry.value())).collect()
    }

    /// Without comments; in sections below, too, if it is to go `deep`.
    pub(super) fn options(&self, deep: bool) -> Map {
        let named = self.entries.iter().filter(|(name, _)| !name.starts_with('#'));
        named
            .map(|(name, entry)| match entry {
                Entry::Section(section) if deep => (name.as_str(), Value::Map(section.options(true))),
                entry => (name.as_str(), entry.value()),
            })
            .collect()
    }

    /// Reads the lines of a section.
    fn read(&mut self, text: &str) -> Result<()> {
        let text = text.trim_matches('\n');
        if text.is_empty() {
            return Ok(());
        }
        let regex = option_pattern(&self.separator)?;
        let (mut comments, mut unknown, mut current) = (0, 0, String::new());
        for line in text.split('\n') {
            if is_comment(line) {
                comments += 1;
                self.put(&format!("#comment{comments}"), line, &regex)?;
                continue;
            }
            let blanks = line.len() - line.trim_start_matches(is_space).len();
            let indent = line[..blanks].replace('\t', "    ");
            // What is indented more belongs to what was before it.
            if indent > current
                && let Some((_, Entry::Text(before))) = self.entries.last_mut()
            {
                before.push('\n');
                before.push_str(line);
                continue;
            }
            if let Some((indent, name, value)) = option_of(&regex, line)? {
                current = indent.replace('\t', "    ");
                self.put(&name, &value, &regex)?;
                continue;
            }
            unknown += 1;
            self.put(&format!("#unknown{unknown}"), line, &regex)?;
        }
        Ok(())
    }

    /// Sets an option that was read. It takes the place of a comment before it that is the same option.
    fn put(&mut self, name: &str, text: &str, regex: &Regex) -> Result<()> {
        if self.place(name).is_none() {
            self.make_place(name, regex)?;
        }
        self.set(name, Entry::Text(text.to_owned()));
        Ok(())
    }

    /// Makes a place for an option: that of a comment which is the option commented out, else the last.
    fn make_place(&mut self, name: &str, regex: &Regex) -> Result<()> {
        let mut at = None;
        for (n, (key, entry)) in self.entries.iter().enumerate() {
            let (true, Entry::Text(line)) = (key.contains("#comment"), entry) else { continue };
            if option_of(regex, line.trim_start_matches('#'))?.is_some_and(|(_, found, _)| found == name) {
                at = Some(n);
                break;
            }
        }
        let new = (name.to_owned(), Entry::Text(String::new()));
        match at {
            Some(at) => self.entries[at] = new,
            None => self.entries.push(new),
        }
        Ok(())
    }

    /// Sets names to values, dicts being sections, and says what was changed.
    pub(super) fn update(&mut self, wanted: &Map) -> Result<Map> {
        let mut changes = Map::new();
        let regex = option_pattern(&self.separator)?;
        for (name, value) in wanted {
            let name = python_str(name);
            let entry = match value {
                Value::Map(below) => {
                    let mut section = Section::new(&name, &self.separator, self.no_spaces);
                    section.update(below)?;
                    Entry::Section(Box::new(section))
                }
                other => Entry::Text(python_str(other)),
            };
            let after = entry.value();
            match self.get_mut(&name) {
                None => {
                    changes.insert(name.as_str(), map! {"before" => (), "after" => after});
                    if matches!(entry, Entry::Text(_)) {
                        self.make_place(&name, &regex)?;
                    }
                    self.set(&name, entry);
                }
                Some(Entry::Section(section)) => match value {
                    Value::Map(below) => {
                        let below = section.update(below)?;
                        if !below.is_empty() {
                            changes.insert(name, below);
                        }
                    }
                    _ => return Err(no_attribute(&after, "items")),
                },
                Some(Entry::Text(text)) => {
                    let before = text.clone();
                    if after != Value::from(before.as_str()) {
                        changes.insert(name.as_str(), map! {"before" => before, "after" => after});
                        self.set(&name, entry);
                    }
                }
            }
        }
        Ok(changes)
    }

    /// The lines, without that of the name.
    fn print(&self, out: &mut String) {
        let separator = match (self.separator.trim_matches(is_space), self.no_spaces) {
            _ if self.separator.chars().all(|c| c == ' ') => " ".to_owned(),
            (bare, true) => bare.to_owned(),
            (bare, false) => format!(" {bare} "),
        };
        for (name, entry) in &self.entries {
            let Entry::Text(text) = entry else { continue };
            if is_comment(name) {
                out.push_str(text);
            } else {
                out.push_str(&format!("{name}{separator}{text}"));
            }
            out.push('\n');
        }
        for (_, entry) in &self.entries {
            let Entry::Section(section) = entry else { continue };
            out.push_str(&format!("\n[{}]\n", section.name));
            section.print(out);
        }
    }
}

/// A file.
pub(super) struct Document {
    path: String,
    encoding: Option<String>,
    /// What stands before all sections, and the sections.
    pub(super) root: Section,
}

impl Document {
    /// Reads a file; one that is not there is empty.
    pub(super) fn read(
        cx: &Cx,
        path: &str,
        separator: &str,
        encoding: Option<String>,
        no_spaces: bool,
    ) -> Result<Self> {
        let mut root = Section::new(path, separator, no_spaces);
        let text = match std::fs::read(path) {
            Ok(bytes) => match &encoding {
                Some(name) => decode(&bytes, name)?,
                None => utf8(bytes)?,
            },
            Err(e) if e.kind() == std::io::ErrorKind::NotFound || cx.test => String::new(),
            Err(e) => {
                let why = crate::hashutil::file_error(&e, path).text();
                return Err(CallError::execution(format!("Unable to open file '{path}'. Exception: {why}")));
            }
        };
        let text = splitlines(&text, false).join("\n");
        // `re.MULTILINE`
        let heads = compile(r"^\s*\[(.+?)\]\s*$", Anchor::Search, 8)?.find_all(&text).map_err(failed)?;
        let whole = |n: usize| heads.get(n).and_then(|spans| spans[0]).unwrap_or((text.len(), text.len()));
        root.read(&text[..whole(0).0])?;
        for (n, spans) in heads.iter().enumerate() {
            let (from, to) = spans.get(1).copied().flatten().unwrap_or_default();
            let mut section = Section::new(&text[from..to], separator, false);
            section.read(&text[whole(n).1..whole(n + 1).0])?;
            let below: Map = map! {section.name.as_str() => section.all()};
            root.update(&below)?;
        }
        Ok(Self { path: path.to_owned(), encoding, root })
    }

    /// Writes it.
    pub(super) fn write(&self) -> Result<()> {
        let mut text = String::new();
        self.root.print(&mut text);
        // A file does not begin with an empty line.
        let text = text.trim_start_matches('\n');
        let bytes = match &self.encoding {
            Some(name) => encode(text, name)?,
            None => text.as_bytes().to_vec(),
        };
        write(&realpath(&self.path), &bytes, Inode::New).map_err(|e| {
            CallError::execution(format!("Unable to write file '{}'. Exception: {}", self.path, e.text()))
        })
    }
}
