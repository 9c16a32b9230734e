//! The short way from events to a value, for documents without anchors, tags and merge keys: nearly all are.
//!
//! Whatever is unusual or wrong is left to the long way, which reads the document again and knows all the rules.

use super::compose::MAX_NESTING;
use super::input::Input;
use super::loader::Loader;
use super::scalars;
use brine_core::scalar::{self, Kind};
use brine_python::{Carried, Dict, Key, Obj, Table};
use libyaml_safer::{self as y, Event, EventData};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A collection not yet complete.
enum Open {
    List(Vec<Obj>),
    Map(Table, Option<Key>),
}

/// The value, if this way leads to it.
pub(super) fn load(input: &Input<'_>, loader: Loader) -> Option<Obj> {
    let mut bytes = input.text.as_bytes();
    let mut parser = y::Parser::new();
    parser.set_encoding(y::Encoding::Utf8);
    parser.set_input_string(&mut bytes);
    let mut next = || -> Option<Event> {
        // The parser panics on a few malformed documents.
        catch_unwind(AssertUnwindSafe(|| parser.parse())).ok()?.ok()
    };
    let mut builder = Builder { input, loader, open: Vec::new(), texts: Texts::of(input.text.len()) };
    next()?; // stream start
    if !matches!(next()?.data, EventData::DocumentStart { .. }) {
        return None;
    }
    let value = loop {
        if let Some(value) = builder.event(next()?)? {
            break value;
        }
    };
    next()?; // document end
    matches!(next()?.data, EventData::StreamEnd).then_some(value)
}

struct Builder<'i> {
    input: &'i Input<'i>,
    loader: Loader,
    open: Vec<Open>,
    texts: Texts,
}

impl Builder<'_> {
    /// The value of the document, if this event completes it. The outer `None` is for what is not read this way.
    fn event(&mut self, event: Event) -> Option<Option<Obj>> {
        let done = match event.data {
            EventData::Scalar { anchor: None, tag: None, mut value, plain_implicit, style, .. } => {
                self.input.restore(&mut value, style, event.end_mark.index);
                let kind = if plain_implicit { scalar::resolve(&value) } else { Kind::Str };
                if let (Kind::Str, Some(Open::Map(_, key @ None))) = (kind, self.open.last_mut()) {
                    *key = Some(self.texts.key(&value));
                    return Some(None);
                }
                self.scalar(&value, kind)?
            }
            EventData::SequenceStart { anchor: None, tag: None, .. } => {
                self.open.push(Open::List(Vec::new()));
                return (self.open.len() < MAX_NESTING).then_some(None);
            }
            EventData::MappingStart { anchor: None, tag: None, .. } => {
                self.open.push(Open::Map(Table::with_capacity_and_hasher(1, Carried), None));
                return (self.open.len() < MAX_NESTING).then_some(None);
            }
            EventData::SequenceEnd | EventData::MappingEnd => match self.open.pop()? {
                Open::List(items) => Obj::list(items),
                Open::Map(table, _) => {
                    let dict = if self.loader == Loader::SaltOrdered { Dict::ordered() } else { Dict::new() };
                    *dict.borrow_mut() = table;
                    Obj::dict(dict)
                }
            },
            _ => return None,
        };
        match self.open.last_mut() {
            None => Some(Some(done)),
            Some(Open::List(items)) => {
                items.push(done);
                Some(None)
            }
            Some(Open::Map(table, key)) => {
                match key.take() {
                    // An empty key may be one that the parser has mistaken.
                    None if matches!(done, Obj::None) => return None,
                    None => *key = Some(Key::new(done).ok()?),
                    Some(key) => {
                        if table.insert(key, done).is_some() {
                            return None;
                        }
                    }
                }
                Some(None)
            }
        }
    }

    fn scalar(&mut self, text: &str, kind: Kind) -> Option<Obj> {
        Some(match kind {
            Kind::Str => self.texts.get(text),
            Kind::Null => Obj::None,
            Kind::Bool => scalars::boolean(text).ok()?,
            Kind::Int if self.loader.is_salt() => scalars::int(scalars::without_zeros(text)).ok()?,
            Kind::Int => scalars::int(text).ok()?,
            Kind::Float => scalars::float(text).ok()?,
            Kind::Timestamp if self.loader.is_salt() => Obj::str(text),
            Kind::Timestamp => scalars::timestamp(text).ok()?,
            Kind::Merge | Kind::Default | Kind::Indicator => return None,
        })
    }
}

/// Short texts that were met lately. The same words come again and again; each is held once, and hashed once.
struct Texts(Vec<Option<Key>>);

impl Texts {
    /// Room for a document of so many bytes.
    fn of(size: usize) -> Self {
        Self(vec![None; (size / 16).next_power_of_two().clamp(8, 1024)])
    }

    /// Where a text would be.
    fn place(text: &str) -> usize {
        let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        text.as_bytes().iter().fold(0x811c_9dc5, step) as usize
    }

    fn key(&mut self, text: &str) -> Key {
        if text.len() > 24 {
            return Key::text(text);
        }
        let place = Self::place(text) % self.0.len();
        match &self.0[place] {
            Some(key) if key.obj().as_str() == Some(text) => key.clone(),
            _ => {
                let key = Key::text(text);
                self.0[place] = Some(key.clone());
                key
            }
        }
    }

    fn get(&mut self, text: &str) -> Obj {
        if text.len() > 24 {
            return Obj::str(text);
        }
        // What no key was yet is not hashed for it.
        let place = Self::place(text) % self.0.len();
        match &self.0[place] {
            Some(key) if key.obj().as_str() == Some(text) => key.obj().clone(),
            _ => Obj::str(text),
        }
    }
}
