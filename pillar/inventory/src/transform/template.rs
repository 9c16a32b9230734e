//! Texts with `#[key]` in them.

use super::{LONGEST, Path, inspect};
use crate::node::Node;
use crate::yaml::Keys;

/// A text in which values are put.
#[derive(Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(Box<str>),
    Value(Path),
}

/// What became of a template.
pub(super) enum Filled {
    Text(String),
    /// A value is not there.
    Missing,
    TooLong,
}

impl Template {
    /// Reads one; nothing if a path in it is too long.
    pub(super) fn parse(text: &str, keys: &mut Keys) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut from = 0;
        while let Some(at) = rest[from..].find("#[").map(|at| from + at) {
            let name = &rest[at + 2..];
            let end = name.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-')));
            match end {
                Some(end) if end > 0 && name[end..].starts_with(']') => {
                    if at > 0 {
                        parts.push(Part::Text(rest[..at].into()));
                    }
                    parts.push(Part::Value(Path::new(&name[..end], keys)?));
                    rest = &name[end + 1..];
                    from = 0;
                }
                _ => from = at + 2,
            }
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Some(Self { parts })
    }

    /// The values that it names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value(path) => Some(path),
            Part::Text(_) => None,
        })
    }

    /// Puts values in; `found` gives that of a path. What is no scalar is told to `odd`.
    pub(super) fn fill<'n>(
        &self,
        found: impl Fn(&Path) -> Option<&'n Node>,
        mut odd: impl FnMut(&Path, &Node),
    ) -> Filled {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value(path) => match found(path) {
                    None => return Filled::Missing,
                    Some(Node::Scalar(scalar)) => out.push_str(scalar.text()),
                    Some(node) => match inspect::text(node, LONGEST) {
                        Some(text) => {
                            odd(path, node);
                            out.push_str(&text);
                        }
                        None => return Filled::TooLong,
                    },
                },
            }
            if out.len() > LONGEST {
                return Filled::TooLong;
            }
        }
        Filled::Text(out)
    }

    /// Puts texts in that have names without dots.
    pub(super) fn fill_texts<'t>(&self, found: impl Fn(&str) -> Option<&'t str>) -> Filled {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value(path) => match found(&path.whole) {
                    None => return Filled::Missing,
                    Some(text) => out.push_str(text),
                },
            }
            if out.len() > LONGEST {
                return Filled::TooLong;
            }
        }
        Filled::Text(out)
    }
}
