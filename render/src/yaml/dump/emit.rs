//! A value to the text of a document: which styles its nodes have, and where anchors and aliases are.

use super::analyze::{Analysis, Manner, analyze};
use super::represent::{Representer, Scalar, Shape};
use super::share::{DEEP, Mention, Shared, Sort};
use super::write::Writer;
use super::{DumpOptions, Dumper, Flow, Style};
use crate::json::sort_pairs;
use brine_python::{Kind, Obj, PyErr, R, need_bytes};
use std::collections::HashSet;

/// A value as a document.
pub(super) fn emit(value: &Obj, options: &DumpOptions) -> R<String> {
    let manner = if options.dumper == Dumper::Yamlex { Manner::Python } else { Manner::C };
    let best_indent = match options.indent.map(int).transpose()? {
        Some(n @ 2..=9) => n as usize,
        _ => 2,
    };
    let width = match (options.width.map(int).transpose()?, manner) {
        (Some(n), Manner::C) if n < 0 => usize::MAX,
        (Some(n), _) if n > best_indent as i64 * 2 => n as usize,
        _ => 80,
    };
    let sort = |pairs: &mut Vec<(Obj, Obj)>| {
        if options.sort_keys {
            // Those that cannot be compared stay as they are.
            let _unordered = sort_pairs(pairs);
        }
    };
    let representer = Representer { dumper: options.dumper, style: options.style };
    let shared = Shared::of(value, &representer, &sort)?;
    let writer = Writer {
        out: String::new(),
        manner,
        unicode: options.unicode,
        line_break: options.line_break,
        best_indent,
        width,
        column: 0,
        indent: -1,
        whitespace: true,
        indention: true,
        open_ended: false,
    };
    let mut emitter = Emitter {
        w: writer,
        options,
        representer,
        shared,
        met: HashSet::new(),
        flow: 0,
        depth: 0,
        counted: 0,
        sort: &sort,
    };
    emitter.document(value)?;
    Ok(emitter.w.out)
}

/// A C `int`.
fn int(n: i64) -> R<i64> {
    i32::try_from(n).map(i64::from).map_err(|_| {
        let what = if i64::from(n as i32) == n { "" } else { "value too large to convert to int" };
        PyErr::overflow(what)
    })
}

/// Where a node stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) root: bool,
    pub(super) mapping: bool,
    pub(super) simple_key: bool,
}

pub(super) struct Emitter<'o> {
    pub(super) w: Writer,
    pub(super) options: &'o DumpOptions,
    representer: Representer,
    shared: Shared,
    met: HashSet<usize>,
    /// How many flow collections are open.
    pub(super) flow: usize,
    depth: usize,
    /// How much of the output is accounted for.
    counted: usize,
    sort: Sort<'o>,
}

impl Emitter<'_> {
    fn document(&mut self, value: &Obj) -> R<()> {
        let options = self.options;
        let mut explicit = options.explicit_start || options.canonical;
        if options.version.is_some() {
            // A value that cannot be written is noticed first.
            self.probe(value)?;
        }
        if let Some((major, minor)) = options.version {
            let known = match self.w.manner {
                Manner::C => major == 1 && matches!(minor, 1 | 2),
                Manner::Python => major == 1,
            };
            if !known {
                let text = match self.w.manner {
                    Manner::C => "incompatible %YAML directive".to_owned(),
                    Manner::Python => format!("unsupported YAML version: {major}.{minor}"),
                };
                return Err(PyErr::new(Kind::Other("EmitterError"), text));
            }
            self.w.indicator(&format!("%YAML {major}.{minor}"), true, false, false);
            self.w.write_indent();
            explicit = true;
        }
        if explicit {
            self.w.write_indent();
            self.w.indicator("---", true, false, false);
            if options.canonical {
                self.w.write_indent();
            }
        }
        self.node(value, Place { root: true, ..Place::default() })?;
        self.w.write_indent();
        if options.explicit_end {
            self.w.indicator("...", true, false, false);
            self.w.open_ended = false;
            self.w.write_indent();
        }
        if self.w.open_ended {
            self.w.indicator("...", true, false, false);
            self.w.write_indent();
        }
        Ok(())
    }

    /// Writes a value for its errors only.
    fn probe(&self, value: &Obj) -> R<()> {
        emit(value, &DumpOptions { version: None, ..*self.options }).map(|_| ())
    }

    fn node(&mut self, value: &Obj, place: Place) -> R<()> {
        if self.w.out.len() - self.counted > 4096 {
            need_bytes(self.w.out.len() - self.counted)?;
            self.counted = self.w.out.len();
        }
        let anchor = match self.shared.mention(value, &mut self.met) {
            Mention::Plain => None,
            Mention::First(n) => Some(n),
            Mention::Again(n) => {
                self.alias(n, place);
                return Ok(());
            }
        };
        match value {
            // The two that are everywhere need not be copied.
            Obj::List(list) => {
                let list = list.clone();
                let items = list.borrow();
                self.list(&items, anchor, place)
            }
            Obj::Str(_) | Obj::Int(_) | Obj::Bool(_) | Obj::None | Obj::Float(_) => {
                let scalar = self.representer.scalar(value)?;
                let analysis = self.analyze(&scalar);
                self.scalar(&scalar, analysis, anchor, place);
                Ok(())
            }
            _ => match self.representer.shape(value)? {
                Shape::Scalar(scalar) => {
                    let analysis = self.analyze(&scalar);
                    self.scalar(&scalar, analysis, anchor, place);
                    Ok(())
                }
                Shape::List(items) => self.list(&items, anchor, place),
                Shape::Map(mut pairs, sorted) => {
                    if sorted {
                        (self.sort)(&mut pairs);
                    }
                    self.map(&pairs, None, anchor)
                }
                Shape::Set(members) => {
                    let mut pairs = members.into_iter().map(|m| (m, Obj::None)).collect();
                    (self.sort)(&mut pairs);
                    self.map(&pairs, Some("!!set"), anchor)
                }
            },
        }
    }

    fn analyze(&self, scalar: &Scalar<'_>) -> Analysis {
        analyze(&scalar.text, self.w.manner, self.options.unicode)
    }

    fn alias(&mut self, n: usize, place: Place) {
        self.w.indicator(&format!("*id{n:03}"), true, false, false);
        if place.simple_key && self.w.manner == Manner::C {
            // Not counted among blanks by libyaml, so that the colon may follow.
            self.w.out.push(' ');
            self.w.column += 1;
        }
    }

    fn anchor(&mut self, anchor: Option<usize>) {
        if let Some(n) = anchor {
            self.w.indicator(&format!("&id{n:03}"), true, false, false);
        }
    }

    fn tag(&mut self, tag: &str) {
        self.w.indicator(tag, true, false, false);
    }

    fn enter(&mut self, flow: bool, indentless: bool) -> R<isize> {
        self.depth += 1;
        if self.depth > DEEP {
            return Err(PyErr::recursion(" while calling a Python object"));
        }
        let before = self.w.indent;
        if before < 0 {
            self.w.indent = if flow { self.w.best_indent as isize } else { 0 };
        } else if !indentless {
            self.w.indent += self.w.best_indent as isize;
        }
        Ok(before)
    }

    fn leave(&mut self, indent: isize) {
        self.depth -= 1;
        self.w.indent = indent;
    }

    fn inline(&self, empty: bool, leaves: impl Fn() -> bool) -> bool {
        self.flow > 0
            || self.options.canonical
            || empty
            || match self.options.flow {
                Flow::Block => false,
                Flow::Inline => true,
                Flow::Leaves => leaves(),
            }
    }

    fn list(&mut self, items: &[Obj], anchor: Option<usize>, place: Place) -> R<()> {
        self.anchor(anchor);
        if self.options.canonical {
            self.tag("!!seq");
        }
        if self.inline(items.is_empty(), || items.iter().all(|item| self.representer.is_leaf(item))) {
            self.w.indicator("[", true, true, false);
            let indent = self.enter(true, false)?;
            self.flow += 1;
            for (i, item) in items.iter().enumerate() {
                self.separate(i);
                self.node(item, Place::default())?;
            }
            self.close("]", indent, items.is_empty());
            return Ok(());
        }
        let indent = self.enter(false, place.mapping && !self.w.indention)?;
        for item in items {
            self.w.write_indent();
            self.w.indicator("-", true, false, true);
            self.node(item, Place::default())?;
        }
        self.leave(indent);
        Ok(())
    }

    fn separate(&mut self, i: usize) {
        if i > 0 {
            self.w.indicator(",", false, false, false);
        }
        self.break_long();
    }

    fn break_long(&mut self) {
        if self.options.canonical || self.w.column > self.w.width {
            self.w.write_indent();
        }
    }

    fn close(&mut self, bracket: &str, indent: isize, empty: bool) {
        self.flow -= 1;
        self.leave(indent);
        if self.options.canonical && !empty {
            self.w.indicator(",", false, false, false);
            self.w.write_indent();
        }
        self.w.indicator(bracket, false, false, false);
    }

    fn map(&mut self, pairs: &[(Obj, Obj)], tag: Option<&str>, anchor: Option<usize>) -> R<()> {
        self.anchor(anchor);
        match tag {
            Some(tag) => self.tag(tag),
            None if self.options.canonical => self.tag("!!map"),
            None => {}
        }
        let leaf = |o: &Obj| self.representer.is_leaf(o);
        if self.inline(pairs.is_empty(), || pairs.iter().all(|(k, v)| leaf(k) && leaf(v))) {
            self.w.indicator("{", true, true, false);
            let indent = self.enter(true, false)?;
            self.flow += 1;
            for (i, (key, value)) in pairs.iter().enumerate() {
                self.separate(i);
                if !self.key(key, false)? {
                    self.break_long();
                    self.w.indicator(":", true, false, false);
                }
                self.node(value, Place { mapping: true, ..Place::default() })?;
            }
            self.close("}", indent, pairs.is_empty());
            return Ok(());
        }
        let indent = self.enter(false, false)?;
        for (key, value) in pairs {
            self.w.write_indent();
            if !self.key(key, true)? {
                self.w.write_indent();
                self.w.indicator(":", true, false, true);
            }
            self.node(value, Place { mapping: true, ..Place::default() })?;
        }
        self.leave(indent);
        Ok(())
    }

    /// A key, and whether it was a simple one, with its colon.
    fn key(&mut self, key: &Obj, block: bool) -> R<bool> {
        let simple = Place { mapping: true, simple_key: true, root: false };
        if let Obj::Str(_) = key {
            // What nearly all keys are.
            let scalar = self.representer.scalar(key)?;
            let analysis = self.analyze(&scalar);
            if self.is_simple(&scalar, analysis) {
                self.scalar(&scalar, analysis, None, simple);
                self.w.indicator(":", false, false, false);
                return Ok(true);
            }
        } else if self.is_simple_key(key)? {
            self.node(key, simple)?;
            self.w.indicator(":", false, false, false);
            return Ok(true);
        }
        self.w.indicator("?", true, false, block);
        self.node(key, Place { mapping: true, ..Place::default() })?;
        Ok(false)
    }

    fn is_simple_key(&mut self, key: &Obj) -> R<bool> {
        if self.options.canonical && self.flow > 0 {
            return Ok(false);
        }
        Ok(match self.representer.shape(key)? {
            Shape::Scalar(scalar) => {
                let analysis = self.analyze(&scalar);
                self.is_simple(&scalar, analysis)
            }
            // An alias is; what has members is not.
            Shape::List(items) => items.is_empty() || self.is_met(key),
            Shape::Map(pairs, _) => pairs.is_empty() || self.is_met(key),
            Shape::Set(members) => members.is_empty() || self.is_met(key),
        })
    }

    /// Whether only an alias would be written.
    fn is_met(&self, key: &Obj) -> bool {
        matches!(self.shared.mention(key, &mut self.met.clone()), Mention::Again(_))
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, analysis: Analysis, anchor: Option<usize>, place: Place) {
        let (style, tag) = match self.w.manner {
            Manner::C => self.style_c(scalar, analysis, place),
            Manner::Python => self.style_python(scalar, analysis, place),
        };
        self.anchor(anchor);
        if let Some(tag) = tag {
            self.tag(tag);
        }
        let before = self.w.indent;
        self.w.indent =
            if before < 0 { self.w.best_indent as isize } else { before + self.w.best_indent as isize };
        let split = !place.simple_key;
        match style {
            None => {
                if place.root && self.w.manner == Manner::Python {
                    self.w.open_ended = true;
                }
                self.w.plain(&scalar.text, split);
            }
            Some(Style::SingleQuoted) => self.w.single_quoted(&scalar.text, split),
            Some(Style::DoubleQuoted) => self.w.double_quoted(&scalar.text, split),
            Some(Style::Literal) => self.w.literal(&scalar.text),
            Some(Style::Folded) => self.w.folded(&scalar.text),
        }
        self.w.indent = before;
    }
}
