//! Merge keys (`<<`) and the default key (`=`) of a map.

use super::construct::Constructor;
use super::error::{Class, YamlError};
use super::node::{Content, Id, Tag};
use brine_core::scalar::Kind;
use std::collections::HashSet;

impl Constructor<'_> {
    /// Resolves merge keys. Merged entries come first. With Salt's loader, those whose key is written in the map itself are dropped.
    pub(super) fn flatten(&mut self, id: Id) -> Result<(), YamlError> {
        if !self.nodes[id].merges {
            return Ok(());
        }
        self.nodes[id].merges = false;
        let start = self.nodes[id].start;
        let Content::Mapping(pairs) = &self.nodes[id].content else { return Ok(()) };
        let pairs = pairs.clone();
        let mut own = Vec::with_capacity(pairs.len());
        let mut merged: Vec<(Id, Id)> = Vec::new();
        for (key, value) in pairs {
            if self.merged + merged.len() > self.room {
                let problem = "aliases expand to too much data";
                return Err(YamlError::at(Class::Constructor, self.name, problem, start));
            }
            match self.nodes[key].tag {
                Tag::Plain(Kind::Merge) => match self.nodes[value].content.clone() {
                    Content::Mapping(_) => merged.extend(self.flat_pairs(value)?),
                    Content::Sequence(items) => {
                        let mut all = Vec::with_capacity(items.len());
                        let mut count = 0;
                        for item in items {
                            if !matches!(self.nodes[item].content, Content::Mapping(_)) {
                                return Err(self.bad_merge(id, item, "a mapping for merging"));
                            }
                            all.push(self.flat_pairs(item)?);
                            count += all.last().map_or(0, Vec::len);
                            if self.merged + count > self.room {
                                return Err(self.error(item, "aliases expand to too much data"));
                            }
                        }
                        if self.loader.is_salt() {
                            all.reverse();
                        }
                        merged.extend(all.into_iter().flatten());
                    }
                    Content::Scalar(_) => {
                        return Err(self.bad_merge(id, value, "a mapping or list of mappings for merging"));
                    }
                },
                Tag::Plain(Kind::Default) => {
                    self.nodes[key].tag = Tag::Plain(Kind::Str);
                    own.push((key, value));
                }
                _ => own.push((key, value)),
            }
        }
        if !merged.is_empty() {
            self.shared = true;
            if !self.loader.is_salt() {
                // PyYAML drops a key that it has met, but means the object: equal texts are one if they are of one letter.
                let mut met = HashSet::new();
                merged.retain(|(key, _)| {
                    met.insert(self.text_of(*key).filter(|text| is_one_object(text)).ok_or(*key))
                });
            }
            self.merged += merged.len();
            if self.merged > self.room {
                let problem = "aliases expand to too much data";
                return Err(YamlError::at(Class::Constructor, self.name, problem, start));
            }
            if self.loader.is_salt() {
                // Keys are compared as written, without their tags.
                let written: HashSet<&str> = own.iter().filter_map(|(key, _)| self.text_of(*key)).collect();
                merged.retain(|(key, _)| self.text_of(*key).is_none_or(|text| !written.contains(text)));
            }
            merged.extend(own);
            own = merged;
        }
        self.nodes[id].content = Content::Mapping(own);
        Ok(())
    }

    /// A scalar's text.
    fn text_of(&self, id: Id) -> Option<&str> {
        match &self.nodes[id].content {
            Content::Scalar(text) => Some(text),
            _ => None,
        }
    }

    fn flat_pairs(&mut self, id: Id) -> Result<Vec<(Id, Id)>, YamlError> {
        self.flatten(id)?;
        match &self.nodes[id].content {
            Content::Mapping(pairs) => {
                // A map that merges itself still has the key.
                let merge = |key: Id| self.nodes[key].tag == Tag::Plain(Kind::Merge);
                Ok(pairs.iter().filter(|(key, _)| !merge(*key)).copied().collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn bad_merge(&self, map: Id, found: Id, expected: &str) -> YamlError {
        let node = &self.nodes[found];
        let problem = format!("expected {expected}, but found {}", node.kind());
        YamlError::at(Class::Constructor, self.name, problem, node.start)
            .within("while constructing a mapping", Some(self.nodes[map].start))
    }
}

/// Python has only one text of these.
fn is_one_object(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_none_or(|c| c <= '\u{ff}') && chars.next().is_none()
}
