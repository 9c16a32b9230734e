//! Nodes to values, with the constructors of PyYAML's safe loader and Salt's own for maps.

use super::binary;
use super::compose::PREFIX;
use super::error::YamlError;
use super::node::{Content, Document, Id, KeyLine, Node};
use brine_core::scalar;
use brine_core::text::{python_repr, python_str};
use brine_protocol::{Map, Value};

/// What aliases may add to a document: bytes of memory, roughly.
const BUDGET: usize = 64 << 20;
/// What one value costs beside its text.
const COST: usize = 64;

/// The value of a document, and where the keys of its top-level map stand.
pub(super) fn construct(document: Document, name: &str) -> Result<(Value, Vec<KeyLine>), YamlError> {
    let root = document.root;
    let budget = BUDGET + document.size.saturating_mul(2 * COST);
    let mut constructor = Constructor { nodes: document.nodes, name, budget };
    let value = constructor.value(root)?;
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

struct Constructor<'n> {
    nodes: Vec<Node>,
    name: &'n str,
    budget: usize,
}

impl Constructor<'_> {
    fn value(&mut self, id: Id) -> Result<Value, YamlError> {
        let node = &self.nodes[id];
        let size = if let Content::Scalar(text) = &node.content { text.len() } else { 0 };
        self.budget = self
            .budget
            .checked_sub(COST + size)
            .ok_or_else(|| YamlError::at(self.name, "aliases expand to too much data", node.start))?;
        match node.tag.strip_prefix(PREFIX) {
            Some("null") => self.scalar(id).map(|_| Value::Nil),
            Some("bool") => {
                let text = self.scalar(id)?;
                scalar::boolean(&text)
                    .map(Value::Bool)
                    .ok_or_else(|| self.error(id, python_repr(&text.to_lowercase().into())))
            }
            Some("int") => {
                let text = self.scalar(id)?;
                scalar::int(&text).map_err(|e| self.error(id, e.0))
            }
            Some("float") => {
                let text = self.scalar(id)?;
                scalar::float(&text).map_err(|e| self.error(id, e.0))
            }
            Some("str" | "timestamp" | "python/unicode") => self.scalar(id).map(Value::Str),
            Some("binary") => self.binary(id),
            Some("seq") => self.sequence(id).map(Value::List),
            Some("map") => self.mapping(id).map(Value::Map),
            Some("set") => Ok(self.mapping(id)?.keys().cloned().collect()),
            Some("omap") => self.pairs(id, "an ordered map"),
            Some("pairs") => self.pairs(id, "pairs"),
            _ => Err(YamlError::at(
                self.name,
                format!(
                    "could not determine a constructor for the tag {}",
                    python_repr(&node.tag.as_str().into())
                ),
                node.start,
            )),
        }
    }

    fn error(&self, id: Id, problem: impl Into<String>) -> YamlError {
        YamlError::at(self.name, problem, self.nodes[id].start)
    }

    fn scalar(&self, id: Id) -> Result<String, YamlError> {
        match &self.nodes[id].content {
            Content::Scalar(text) => Ok(text.clone()),
            // `{=: text}` where a scalar is expected means the text.
            Content::Mapping(pairs) => {
                match pairs.iter().find(|(key, _)| self.nodes[*key].tag == "tag:yaml.org,2002:value") {
                    Some((_, value)) => self.scalar(*value),
                    None => Err(self.error(id, "expected a scalar node, but found mapping")),
                }
            }
            Content::Sequence(_) => Err(self.error(id, "expected a scalar node, but found sequence")),
        }
    }

    fn binary(&self, id: Id) -> Result<Value, YamlError> {
        let text = self.scalar(id)?;
        binary::decode(&text).map(Value::Bytes).map_err(|problem| self.error(id, problem))
    }

    fn sequence(&mut self, id: Id) -> Result<Vec<Value>, YamlError> {
        let Content::Sequence(items) = &self.nodes[id].content else {
            let kind = self.nodes[id].kind();
            return Err(self.error(id, format!("expected a sequence node, but found {kind}")));
        };
        items.clone().into_iter().map(|item| self.value(item)).collect()
    }

    fn pairs(&mut self, id: Id, what: &str) -> Result<Value, YamlError> {
        let start = self.nodes[id].start;
        let context = format!("while constructing {what}");
        let fail = |name: &str, problem: String, at| {
            Err(YamlError::at(name, problem, at).within(&context, Some(start)))
        };
        let Content::Sequence(items) = &self.nodes[id].content else {
            let kind = self.nodes[id].kind();
            return fail(self.name, format!("expected a sequence, but found {kind}"), start);
        };
        let mut out = Vec::new();
        for item in items.clone() {
            let node = &self.nodes[item];
            let Content::Mapping(pairs) = &node.content else {
                let problem = format!("expected a mapping of length 1, but found {}", node.kind());
                return fail(self.name, problem, node.start);
            };
            let [(key, value)] = pairs[..] else {
                let problem = format!("expected a single mapping item, but found {} items", pairs.len());
                return fail(self.name, problem, node.start);
            };
            out.push(Value::List(vec![self.value(key)?, self.value(value)?]));
        }
        Ok(Value::List(out))
    }

    fn mapping(&mut self, id: Id) -> Result<Map, YamlError> {
        let start = self.nodes[id].start;
        let Content::Mapping(_) = &self.nodes[id].content else {
            let kind = self.nodes[id].kind();
            return Err(self.error(id, format!("expected a mapping node, but found {kind}")));
        };
        self.flatten(id)?;
        let Content::Mapping(pairs) = &self.nodes[id].content else { return Ok(Map::new()) };
        let pairs = pairs.clone();
        let mut map = Map::with_capacity(pairs.len());
        for (key_id, value_id) in pairs {
            // Before what is in it is looked at, as stock constructs collections late.
            if self.is_collection(key_id) {
                let problem = format!("found unacceptable key {}", self.repr(key_id, 0));
                return Err(YamlError::at(self.name, problem, self.nodes[key_id].start)
                    .within("while constructing a mapping", Some(start)));
            }
            let key = self.value(key_id)?;
            let key_text = python_str(&key);
            let taken = map.get_key(&key).is_some() || same_key(&map, &key);
            let value = self.value(value_id)?;
            if taken {
                let at = self.nodes[key_id].start;
                return Err(YamlError::at(self.name, format!("found conflicting ID '{key_text}'"), at)
                    .within("while constructing a mapping", Some(start)));
            }
            map.insert(key, value);
        }
        Ok(map)
    }

    fn is_collection(&self, id: Id) -> bool {
        let node = &self.nodes[id];
        !matches!(node.content, Content::Scalar(_))
            && matches!(node.tag.strip_prefix(PREFIX), Some("map" | "seq" | "set" | "omap" | "pairs"))
    }

    /// Resolves merge keys. Merged entries come first; those whose key is written in the map itself are dropped.
    fn flatten(&mut self, id: Id) -> Result<(), YamlError> {
        if self.nodes[id].flat {
            return Ok(());
        }
        self.nodes[id].flat = true;
        let start = self.nodes[id].start;
        let Content::Mapping(pairs) = &self.nodes[id].content else { return Ok(()) };
        let pairs = pairs.clone();
        let mut own = Vec::with_capacity(pairs.len());
        let mut merged: Vec<(Id, Id)> = Vec::new();
        for (key, value) in pairs {
            match self.nodes[key].tag.as_str() {
                "tag:yaml.org,2002:merge" => match self.nodes[value].content.clone() {
                    Content::Mapping(_) => merged.extend(self.flat_pairs(value)?),
                    Content::Sequence(items) => {
                        let mut all = Vec::with_capacity(items.len());
                        for item in items {
                            if !matches!(self.nodes[item].content, Content::Mapping(_)) {
                                return Err(self.bad_merge(start, item, "a mapping for merging"));
                            }
                            all.push(self.flat_pairs(item)?);
                        }
                        merged.extend(all.into_iter().rev().flatten());
                    }
                    Content::Scalar(_) => {
                        return Err(self.bad_merge(
                            start,
                            value,
                            "a mapping or list of mappings for merging",
                        ));
                    }
                },
                "tag:yaml.org,2002:value" => {
                    self.nodes[key].tag = "tag:yaml.org,2002:str".into();
                    own.push((key, value));
                }
                _ => own.push((key, value)),
            }
        }
        if merged.len() > self.budget / COST {
            return Err(YamlError::at(self.name, "aliases expand to too much data", start));
        }
        if !merged.is_empty() {
            // Keys are compared as written, without their tags.
            let written: std::collections::HashSet<&str> = own
                .iter()
                .filter_map(|(key, _)| match &self.nodes[*key].content {
                    Content::Scalar(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            merged.retain(|(key, _)| match &self.nodes[*key].content {
                Content::Scalar(text) => !written.contains(text.as_str()),
                _ => true,
            });
            merged.extend(own);
            own = merged;
        }
        self.nodes[id].content = Content::Mapping(own);
        Ok(())
    }

    fn flat_pairs(&mut self, id: Id) -> Result<Vec<(Id, Id)>, YamlError> {
        self.flatten(id)?;
        match &self.nodes[id].content {
            Content::Mapping(pairs) => Ok(pairs.clone()),
            _ => Ok(Vec::new()),
        }
    }

    fn bad_merge(&self, start: super::Mark, found: Id, expected: &str) -> YamlError {
        let node = &self.nodes[found];
        YamlError::at(self.name, format!("expected {expected}, but found {}", node.kind()), node.start)
            .within("while constructing a mapping", Some(start))
    }

    /// Python's text of a node's value, for a key that is a list or a map.
    fn repr(&self, id: Id, depth: usize) -> String {
        let class = |id: &Id| {
            let node = &self.nodes[*id];
            let name = match node.content {
                Content::Scalar(_) => "ScalarNode",
                Content::Sequence(_) => "SequenceNode",
                Content::Mapping(_) => "MappingNode",
            };
            let tag = python_repr(&node.tag.as_str().into());
            // A few levels tell enough.
            let value = if depth > 8 { "...".to_owned() } else { self.repr(*id, depth + 1) };
            format!("{name}(tag={tag}, value={value})")
        };
        match &self.nodes[id].content {
            Content::Scalar(text) => python_repr(&text.as_str().into()),
            Content::Sequence(items) => {
                format!("[{}]", items.iter().map(class).collect::<Vec<_>>().join(", "))
            }
            Content::Mapping(pairs) => {
                let pairs: Vec<_> =
                    pairs.iter().map(|(k, v)| format!("({}, {})", class(k), class(v))).collect();
                format!("[{}]", pairs.join(", "))
            }
        }
    }
}

/// Python holds `1`, `1.0` and `True` for the same key.
fn same_key(map: &Map, key: &Value) -> bool {
    let as_number = match key {
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Int(i) if i.unsigned_abs() < 1 << 53 => *i as f64,
        Value::Float(x) => *x,
        _ => return false,
    };
    let other = |v: Value| map.get_key(&v).is_some();
    other(Value::Float(as_number))
        || (as_number.fract() == 0.0 && as_number.abs() < 9e15 && other(Value::Int(as_number as i128)))
        || (as_number == 0.0 && other(Value::Bool(false)))
        || (as_number == 1.0 && other(Value::Bool(true)))
}
