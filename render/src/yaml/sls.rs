//! What yamlex makes of nodes: maps whose repeated keys are merged, `!aggregate` and `!reset`.
//!
//! Stock's own types of text and maps, which show themselves as YAML, are plain ones here.

use super::construct::Constructor;
use super::error::{Class, Mark, YamlError};
use super::node::{Content, Id, Tag};
use super::scalars;
use brine_core::scalar::{self, Kind};
use brine_python::{Dict, Key, Obj, R};

/// How deep maps may nest; Python goes to some 240.
const DEEP: usize = 100;

impl Constructor<'_> {
    /// The value of a node that yamlex reads in its own way.
    pub(super) fn sls(&mut self, id: Id) -> Result<Option<Obj>, YamlError> {
        let own = match &self.nodes[id].tag {
            Tag::Map | Tag::Omap => self.sls_map(id)?,
            Tag::Plain(Kind::Int) => self.sls_int(id)?,
            Tag::Other(tag) if &**tag == "!aggregate" => self.aggregate(id)?,
            Tag::Other(tag) if &**tag == "!reset" => self.retagged(id)?.0,
            _ => return Ok(None),
        };
        Ok(Some(own))
    }

    fn sls_int(&self, id: Id) -> Result<Obj, YamlError> {
        let text = self.scalar(id)?;
        let bare = scalars::without_zeros(text);
        brine_python::int(&bare.into(), None).map_err(self.python(id))
    }

    /// The node as if its tag was not there, and what that makes of it.
    fn retagged(&mut self, id: Id) -> Result<(Obj, Tag), YamlError> {
        let mut node = self.nodes[id].clone();
        node.tag = self.plain_tag(id);
        let tag = node.tag.clone();
        let collection = !matches!(node.content, Content::Scalar(_));
        let deep = self.deep;
        self.deep |= collection;
        self.nodes.push(node);
        let made = self.make(self.nodes.len() - 1);
        self.deep = deep;
        Ok((made?, tag))
    }

    fn plain_tag(&self, id: Id) -> Tag {
        match &self.nodes[id].content {
            Content::Scalar(text) => Tag::Plain(scalar::resolve(text)),
            Content::Sequence(_) => Tag::Seq,
            Content::Mapping(_) => Tag::Map,
        }
    }

    fn aggregate(&mut self, id: Id) -> Result<Obj, YamlError> {
        let made = match self.retagged(id)? {
            (Obj::None, _) => Obj::list(Vec::new()),
            (made, Tag::Map | Tag::Seq) => copy(&made),
            (made, _) => Obj::list(vec![made]),
        };
        Ok(self.mark(made))
    }

    /// Marks a value as one that is merged with others.
    fn mark(&mut self, value: Obj) -> Obj {
        self.aggregates.insert(value.address());
        // An address is only a name for it as long as it lives.
        self.kept.push(value.clone());
        value
    }

    fn is_marked(&self, value: &Obj) -> bool {
        self.aggregates.contains(&value.address())
    }

    fn sls_map(&mut self, id: Id) -> Result<Obj, YamlError> {
        let Content::Mapping(_) = &self.nodes[id].content else {
            let kind = self.nodes[id].kind();
            return Err(self.error(id, format!("expected a mapping node, but found {kind}")));
        };
        self.depth += 1;
        if self.depth > DEEP {
            return Err(self.python(id)(brine_python::PyErr::recursion("")));
        }
        self.flatten(id)?;
        let Content::Mapping(pairs) = &self.nodes[id].content else { return Ok(Obj::None) };
        let dict = Dict::ordered();
        for (key_id, value_id) in pairs.clone() {
            let named = |this: &Self, name: &str| matches!(&this.nodes[key_id].tag, Tag::Other(tag) if &**tag == name);
            let reset = named(self, "!reset");
            if named(self, "!aggregate") {
                self.nodes[value_id].tag = self.nodes[key_id].tag.clone();
                self.nodes[key_id].tag = self.plain_tag(key_id);
            }
            let key = self.value(key_id)?;
            if Key::new(key.clone()).is_err() {
                let at = |mark: Mark| {
                    format!("  in \"{}\", line {}, column {}", self.name, mark.line + 1, mark.column + 1)
                };
                let text = format!(
                    "While constructing a mapping {} found unacceptable key {}",
                    at(self.nodes[id].start),
                    at(self.nodes[key_id].start)
                );
                return Err(YamlError::nowhere(Class::Constructor, self.name, text));
            }
            let mut value = self.value(value_id)?;
            let before = dict.get(&key).map_err(self.python(id))?;
            if let (Some(before), false) = (before, reset) {
                value = self.merge(&before, &value, 0).map_err(self.python(id))?;
            }
            dict.set(key, value).map_err(self.python(id))?;
        }
        self.depth -= 1;
        Ok(Obj::dict(dict))
    }

    /// `salt.utils.aggregation.aggregate` of two values, without its levels: what is marked is merged.
    fn merge(&mut self, a: &Obj, b: &Obj, depth: usize) -> R {
        if depth > DEEP {
            return Err(brine_python::PyErr::recursion(""));
        }
        let marked = (self.is_marked(a), self.is_marked(b));
        match (a, b) {
            (Obj::Dict(one), Obj::Dict(two)) => {
                let both = marked == (true, true);
                let response = copy(if both { a } else { b });
                let Obj::Dict(into) = &response else { return Ok(response) };
                for (key, value) in two.pairs() {
                    let value = match one.get(&key)? {
                        Some(before) => self.merge(&before, &value, depth + 1)?,
                        None => value,
                    };
                    into.set(key, value)?;
                }
                Ok(if marked.1 { self.mark(response) } else { response })
            }
            (Obj::List(one), Obj::List(two)) if marked == (true, true) => {
                let mut items = one.borrow().clone();
                for value in two.borrow().iter() {
                    if !brine_python::contains(a, value)? {
                        items.push(value.clone());
                    }
                }
                Ok(self.mark(Obj::list(items)))
            }
            _ => {
                let response = copy(b);
                Ok(if marked.1 { self.mark(response) } else { response })
            }
        }
    }
}

/// `copy.copy`.
fn copy(value: &Obj) -> Obj {
    match value {
        Obj::List(list) => Obj::list(list.borrow().clone()),
        Obj::Dict(dict) => {
            let copy = dict.like();
            *copy.borrow_mut() = dict.borrow().clone();
            Obj::dict(copy)
        }
        other => other.clone(),
    }
}
