//! Nodes to values, with the constructors of PyYAML's safe loader and Salt's own for maps.
//!
//! Collections are made empty and filled later, in the order in which PyYAML fills them: that decides which of several errors is
//! named, and takes no stack.

use super::error::{Class, YamlError};
use super::loader::Loader;
use super::node::{Content, Document, Id, KeyLine, Node, Tag};
use super::scalars;
use super::shown;
use brine_core::scalar::Kind;
use brine_python::{Dict, Key, Members, Obj, PyErr, R, Set, Table};
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

/// Pairs that merge keys may add to a document, beside its own size.
const MERGED: usize = 1 << 20;

/// The value of a document, and where the keys of its top-level map stand.
pub(super) fn construct(
    document: Document,
    name: &str,
    loader: Loader,
) -> Result<(Obj, Vec<KeyLine>), YamlError> {
    let root = document.root;
    let mut constructor = Constructor {
        shared: document.shares,
        made: Vec::new(),
        nodes: document.nodes,
        name,
        loader,
        waiting: VecDeque::new(),
        deep: false,
        depth: 0,
        aggregates: HashSet::new(),
        kept: Vec::new(),
        merged: 0,
        room: MERGED + document.size,
    };
    let value = constructor.document(root);
    if let Some(id) = document.cycle {
        // Nothing would ever free it.
        constructor.take_apart();
        value?;
        return Err(constructor.error(id, "found unconstructable recursive node"));
    }
    let value = value?;
    let mut lines = Vec::new();
    if let Content::Mapping(pairs) = &constructor.nodes[root].content {
        for (key, _) in pairs {
            let key = &constructor.nodes[*key];
            if let Content::Scalar(text) = &key.content {
                lines.push(KeyLine { key: text.clone(), line: key.start.line + 1 });
            }
        }
    }
    Ok((value, lines))
}

pub(super) struct Constructor<'n> {
    pub(super) nodes: Vec<Node>,
    pub(super) name: &'n str,
    pub(super) loader: Loader,
    /// Whether a node can be met again; then its value must be the same object.
    pub(super) shared: bool,
    made: Vec<Option<Obj>>,
    /// Collections that are made but not filled.
    waiting: VecDeque<(Id, Obj)>,
    /// Collections are filled at once.
    pub(super) deep: bool,
    /// How many maps of yamlex are open.
    pub(super) depth: usize,
    /// Addresses of the collections that yamlex has marked.
    pub(super) aggregates: HashSet<usize>,
    /// They, so that their addresses stay theirs.
    pub(super) kept: Vec<Obj>,
    /// How many pairs merge keys have added, and how many they may.
    pub(super) merged: usize,
    pub(super) room: usize,
}

impl Constructor<'_> {
    fn document(&mut self, root: Id) -> Result<Obj, YamlError> {
        let value = self.value(root)?;
        while let Some((id, made)) = self.waiting.pop_front() {
            self.fill(id, &made)?;
        }
        Ok(value)
    }

    /// Empties all that was made.
    fn take_apart(&self) {
        for made in self.made.iter().flatten() {
            match made {
                Obj::List(list) => list.borrow_mut().clear(),
                Obj::Dict(dict) => dict.borrow_mut().clear(),
                _ => {}
            }
        }
    }

    pub(super) fn error(&self, id: Id, problem: impl Into<Box<str>>) -> YamlError {
        YamlError::at(Class::Constructor, self.name, problem, self.nodes[id].start)
    }

    pub(super) fn python(&self, id: Id) -> impl Fn(PyErr) -> YamlError + use<> {
        let (name, start) = (self.name.to_owned(), self.nodes[id].start);
        move |e| YamlError::python(&e, &name, start)
    }

    /// The value of a node; a collection is empty yet.
    pub(super) fn value(&mut self, id: Id) -> Result<Obj, YamlError> {
        if self.shared
            && let Some(Some(made)) = self.made.get(id)
        {
            return Ok(made.clone());
        }
        let made = self.make(id)?;
        if self.shared {
            if self.made.is_empty() {
                self.made.resize(self.nodes.len(), None);
            }
            if let Some(place) = self.made.get_mut(id) {
                *place = Some(made.clone());
            }
        }
        Ok(made)
    }

    pub(super) fn make(&mut self, id: Id) -> Result<Obj, YamlError> {
        if self.loader == Loader::Yamlex
            && let Some(made) = self.sls(id)?
        {
            return Ok(made);
        }
        let made = match &self.nodes[id].tag {
            Tag::Plain(Kind::Str) => return self.scalar(id).map(Obj::str),
            Tag::Plain(Kind::Null) => return self.scalar(id).map(|_| Obj::None),
            Tag::Plain(Kind::Bool) => return self.typed(id, scalars::boolean),
            Tag::Plain(Kind::Int) if self.loader.is_salt() => return self.salt_int(id),
            Tag::Plain(Kind::Int) => return self.typed(id, scalars::int),
            Tag::Plain(Kind::Float) => return self.typed(id, scalars::float),
            Tag::Plain(Kind::Timestamp) if self.loader.is_salt() => return self.scalar(id).map(Obj::str),
            Tag::Plain(Kind::Timestamp) => return self.timestamp(id),
            Tag::Unicode if self.loader.is_salt() => return Ok(self.unicode(id)),
            Tag::Binary => {
                let text = self.scalar(id)?;
                return scalars::bytes(text).map_err(|problem| self.error(id, problem));
            }
            Tag::Seq | Tag::Pairs => Obj::list(Vec::new()),
            Tag::Omap if self.loader != Loader::SaltOrdered => Obj::list(Vec::new()),
            Tag::Map | Tag::Omap if self.loader == Loader::SaltOrdered => Obj::dict(Dict::ordered()),
            Tag::Map => Obj::dict(Dict::new()),
            Tag::Set => Obj::Set(Rc::new(Set::default())),
            tag => {
                let tag = tag.text();
                if matches!(self.loader, Loader::Serializer | Loader::Yamlex)
                    && let Some(made) = self.by_prefix(id, &tag)
                {
                    return made;
                }
                let tag = shown::text(&tag);
                return Err(self.error(id, format!("could not determine a constructor for the tag {tag}")));
            }
        };
        if self.deep {
            self.fill(id, &made)?;
        } else {
            self.waiting.push_back((id, made.clone()));
        }
        Ok(made)
    }

    /// `construct_scalar`: a scalar's text; `{=: text}` where a scalar is expected means the text.
    pub(super) fn scalar(&self, id: Id) -> Result<&str, YamlError> {
        match &self.nodes[id].content {
            Content::Scalar(text) if self.loader.is_salt() && self.nodes[id].tag == Tag::Plain(Kind::Int) => {
                Ok(scalars::without_zeros(text))
            }
            Content::Scalar(text) => Ok(text),
            Content::Mapping(pairs) => {
                let default = |key: Id| self.nodes[key].tag == Tag::Plain(Kind::Default);
                match pairs.iter().find(|(key, _)| default(*key)) {
                    Some((_, value)) => self.scalar(*value),
                    None => Err(self.error(id, "expected a scalar node, but found mapping")),
                }
            }
            Content::Sequence(_) => Err(self.error(id, "expected a scalar node, but found sequence")),
        }
    }

    /// PyYAML looks at the node's value as it is.
    fn timestamp(&self, id: Id) -> Result<Obj, YamlError> {
        let made = self.typed(id, scalars::timestamp);
        match &self.nodes[id].content {
            Content::Scalar(_) => made,
            _ if self.scalar(id).is_err() => made,
            _ => {
                let e = "expected string or bytes-like object, got 'list'";
                Err(self.python(id)(PyErr::ty(e)))
            }
        }
    }

    fn typed(&self, id: Id, read: fn(&str) -> R) -> Result<Obj, YamlError> {
        read(self.scalar(id)?).map_err(self.python(id))
    }

    fn salt_int(&mut self, id: Id) -> Result<Obj, YamlError> {
        let python = self.python(id);
        let Content::Scalar(text) = &mut self.nodes[id].content else {
            let e = "'list' object has no attribute 'startswith'";
            return Err(python(PyErr::new(brine_python::Kind::AttributeError, e)));
        };
        let bare = scalars::without_zeros(text);
        if bare.len() < text.len() {
            *text = bare.to_owned();
        }
        scalars::int(text).map_err(python)
    }

    /// Salt takes the node's value as it is; of a collection that is a list of PyYAML's nodes, which are their texts here.
    fn unicode(&self, id: Id) -> Obj {
        let node = |id: &Id| Obj::from(shown::node(&self.nodes, *id));
        match &self.nodes[id].content {
            Content::Scalar(text) => Obj::str(text),
            Content::Sequence(items) => Obj::list(items.iter().map(node).collect()),
            Content::Mapping(pairs) => {
                Obj::list(pairs.iter().map(|(k, v)| Obj::tuple(vec![node(k), node(v)])).collect())
            }
        }
    }

    /// Fills a collection.
    fn fill(&mut self, id: Id, made: &Obj) -> Result<(), YamlError> {
        match (made, &self.nodes[id].tag) {
            (Obj::List(list), Tag::Seq) => {
                let Content::Sequence(items) = &self.nodes[id].content else {
                    let kind = self.nodes[id].kind();
                    return Err(self.error(id, format!("expected a sequence node, but found {kind}")));
                };
                let items = items.clone();
                let mut out = Vec::with_capacity(items.len());
                for item in items {
                    out.push(self.value(item)?);
                }
                *list.borrow_mut() = out;
            }
            (Obj::List(list), tag) => {
                let what = if *tag == Tag::Omap { "an ordered map" } else { "pairs" };
                let pairs = self.pairs(id, what)?;
                *list.borrow_mut() = pairs;
            }
            (Obj::Set(set), _) => {
                let keys = self.mapping(id)?.into_keys();
                *set.borrow_mut() = keys.collect::<Members>();
            }
            (Obj::Dict(dict), _) => {
                let table = self.mapping(id)?;
                *dict.borrow_mut() = table;
            }
            _ => {}
        }
        Ok(())
    }

    fn pairs(&mut self, id: Id, what: &str) -> Result<Vec<Obj>, YamlError> {
        let start = self.nodes[id].start;
        let context = format!("while constructing {what}");
        let fail =
            |this: &Self, problem: String, at: Id| this.error(at, problem).within(&context, Some(start));
        let Content::Sequence(items) = &self.nodes[id].content else {
            let kind = self.nodes[id].kind();
            return Err(fail(self, format!("expected a sequence, but found {kind}"), id));
        };
        let mut out = Vec::new();
        for item in items.clone() {
            let node = &self.nodes[item];
            let Content::Mapping(pairs) = &node.content else {
                let problem = format!("expected a mapping of length 1, but found {}", node.kind());
                return Err(fail(self, problem, item));
            };
            let [(key, value)] = pairs[..] else {
                let problem = format!("expected a single mapping item, but found {} items", pairs.len());
                return Err(fail(self, problem, item));
            };
            out.push(Obj::tuple(vec![self.value(key)?, self.value(value)?]));
        }
        Ok(out)
    }

    fn mapping(&mut self, id: Id) -> Result<Table, YamlError> {
        let Content::Mapping(_) = &self.nodes[id].content else {
            let kind = self.nodes[id].kind();
            return Err(self.error(id, format!("expected a mapping node, but found {kind}")));
        };
        self.flatten(id)?;
        let Content::Mapping(pairs) = &self.nodes[id].content else { return Ok(Table::default()) };
        let pairs = pairs.clone();
        let within = |e: YamlError, start| e.within("while constructing a mapping", Some(start));
        let mut table = Table::with_capacity_and_hasher(pairs.len(), brine_python::Carried);
        for (key_id, value_id) in pairs {
            let key = self.value(key_id)?;
            let Ok(key) = Key::new(key) else {
                let problem = if self.loader.is_salt() {
                    format!("found unacceptable key {}", shown::value(&self.nodes, key_id))
                } else {
                    "found unhashable key".to_owned()
                };
                return Err(within(self.error(key_id, problem), self.nodes[id].start));
            };
            let value = self.value(value_id)?;
            if !self.loader.is_salt() {
                table.insert(key, value);
                continue;
            }
            match table.entry(key) {
                indexmap::map::Entry::Vacant(place) => {
                    place.insert(value);
                }
                indexmap::map::Entry::Occupied(place) => {
                    // The text is that of the second.
                    let key = self.key_text(key_id).unwrap_or_else(|| shown::plain(place.key().obj()));
                    let e = self.error(key_id, format!("found conflicting ID '{key}'"));
                    return Err(within(e, self.nodes[id].start));
                }
            }
        }
        Ok(table)
    }

    /// The text of a key that is in a map already, as it would be there.
    fn key_text(&mut self, id: Id) -> Option<String> {
        self.value(id).ok().map(|key| shown::plain(&key))
    }
}
