//! The rules of `transforms.yaml`, read once for all pallets.

use super::template::Template;
use super::{Path, regexp};
use crate::finding::{Finding, Place};
use crate::node::{Node, Scalar};
use crate::yaml::Keys;
use fancy_regex::Regex;
use std::collections::HashMap;
use std::sync::Arc;

/// How many rules there may be.
const MOST: usize = 2_000;

/// All rules, in order.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) rules: Vec<Rule>,
    pub(crate) findings: Vec<Finding>,
    compiled: HashMap<Box<str>, Regex>,
}

/// What makes the value of one key.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) key: Path,
    pub(crate) ops: Vec<Op>,
    /// Rules before it whose value makes this key one that the pallet has itself.
    pub(crate) had: Vec<u32>,
    /// Rules before it whose value stands in the way of this key.
    pub(crate) blocked: Vec<u32>,
}

/// One way to make a value.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) name: Arc<str>,
    pub(crate) place: Place,
    pub(crate) what: What,
}

/// What it does.
#[derive(Debug)]
pub(crate) enum What {
    /// Texts in which values are put; the first that has them all counts.
    Synthesize(Vec<Template>),
    /// The same with what expressions find in values.
    Regexp { sources: Vec<Source>, produce: Vec<Template> },
    /// Leaves an inherited value as it is.
    Inherit,
    /// Joins a list.
    Concatenate(Box<str>),
}

/// A value with the expression that takes it apart.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) key: Path,
    pub(super) regexp: Regex,
    /// The named groups with their numbers.
    pub(super) names: Box<[(Box<str>, usize)]>,
}

impl Rules {
    /// Reads them of what `transforms.yaml` holds.
    pub(crate) fn read(root: &Node, keys: &mut Keys) -> Self {
        let mut out = Self::default();
        let Node::List(items) = root else {
            out.wrong(root.place(), "transforms are a list of mappings, each with one key");
            return out;
        };
        for item in items.items() {
            if out.rules.len() == MOST {
                out.wrong(item.place(), &format!("there are more than {MOST} rules"));
                break;
            }
            out.rule(item, keys);
        }
        let rules = &out.rules;
        let related = |n: usize, of: &dyn Fn(&Path) -> bool| -> Vec<u32> {
            (0..).zip(&rules[..n]).filter(|(_, before)| of(&before.key)).map(|(at, _)| at).collect()
        };
        let found: Vec<_> = (0..rules.len())
            .map(|n| {
                let own = &rules[n].key;
                let had = related(n, &|before| own.holds(before));
                (had, related(n, &|before| before.holds(own) && before.parts.len() < own.parts.len()))
            })
            .collect();
        for (rule, (had, blocked)) in out.rules.iter_mut().zip(found) {
            (rule.had, rule.blocked) = (had, blocked);
        }
        out
    }

    fn wrong(&mut self, place: &Place, message: &str) {
        self.findings.push(Finding::error("wrong-transform", place.clone(), message));
    }

    fn rule(&mut self, item: &Node, keys: &mut Keys) {
        let Some((key, ops)) = self.pair(item, "a transform is a mapping with one key: what it makes") else {
            return;
        };
        let Some(path) = Path::new(&key, keys) else {
            return self.wrong(item.place(), "the key has too many parts");
        };
        let mut read = Vec::new();
        match ops {
            Node::List(list) => {
                for op in list.items() {
                    if let Some((name, param)) =
                        self.pair(op, "each step is a mapping with one key: what it does")
                    {
                        read.extend(self.op(&name, &param, op.place(), keys));
                    }
                }
            }
            Node::Map(map) => {
                let message = "the steps of a transform are a list; a mapping is taken for one of its pairs";
                self.findings.push(Finding::warning("transform-not-a-list", map.place().clone(), message));
                for (name, param) in &map {
                    read.extend(self.op(name, param, map.place(), keys));
                }
            }
            Node::Scalar(scalar) => {
                self.wrong(scalar.place(), &format!("{key} has no steps that make it"));
            }
        }
        self.rules.push(Rule { key: path, ops: read, had: Vec::new(), blocked: Vec::new() });
    }

    /// The only pair of a mapping; of several the first counts.
    fn pair(&mut self, node: &Node, expected: &str) -> Option<(Arc<str>, Node)> {
        let pair = node.map().and_then(|map| map.iter().next());
        let Some((key, value)) = pair else {
            self.wrong(node.place(), &format!("{expected}; this is {}", node.kind()));
            return None;
        };
        if let Some((other, value)) = node.map().and_then(|map| map.iter().nth(1)) {
            self.wrong(
                value.place(),
                &format!("{other} counts for nothing: it is in one mapping with {key}"),
            );
        }
        Some((key.clone(), value.clone()))
    }

    fn op(&mut self, name: &str, param: &Node, place: &Place, keys: &mut Keys) -> Option<Op> {
        let what = match name {
            "synthesize" => What::Synthesize(self.templates(param, name, keys)?),
            "synthesize_regexp" => self.synthesize_regexp(param, keys)?,
            "inherit" => What::Inherit,
            "concatenate" => match param {
                Node::Scalar(separator) => What::Concatenate(separator.text().into()),
                other => {
                    let message =
                        format!("concatenate takes the text between the parts, not {}", other.kind());
                    self.wrong(other.place(), &message);
                    return None;
                }
            },
            _ => {
                let message = format!("there is no transform {name}, so this step does nothing");
                self.findings.push(Finding::warning("unknown-transform", place.clone(), message));
                return None;
            }
        };
        Some(Op { name: keys.get(name), place: place.clone(), what })
    }

    /// One text or a list of them, in which there may be further lists.
    fn templates(&mut self, param: &Node, of: &str, keys: &mut Keys) -> Option<Vec<Template>> {
        let mut out = Vec::new();
        let mut left = vec![param];
        while let Some(node) = left.pop() {
            match node {
                Node::Scalar(scalar) => match Template::parse(scalar.text(), keys) {
                    Some(template) => out.push(template),
                    None => self.wrong(scalar.place(), "a path in it has too many parts"),
                },
                Node::List(list) => left.extend(list.items().iter().rev()),
                Node::Map(map) => {
                    self.wrong(map.place(), &format!("{of} takes a text or a list of texts, not a mapping"));
                    return None;
                }
            }
        }
        Some(out)
    }

    /// One expression is often used for several keys, and costs more than all else of a rule.
    fn compiled(&mut self, regexp: &str) -> Result<Regex, String> {
        if let Some(known) = self.compiled.get(regexp) {
            return Ok(known.clone());
        }
        let compiled = regexp::compile(regexp)?;
        self.compiled.insert(regexp.into(), compiled.clone());
        Ok(compiled)
    }

    fn synthesize_regexp(&mut self, param: &Node, keys: &mut Keys) -> Option<What> {
        let (Some(sources), Some(produce)) =
            (param.map().and_then(|map| map.get("sources")), param.map().and_then(|map| map.get("produce")))
        else {
            self.wrong(param.place(), "synthesize_regexp takes a mapping of sources and produce");
            return None;
        };
        let Node::Map(map) = sources else {
            self.wrong(sources.place(), "sources are a mapping of names");
            return None;
        };
        let mut read: Vec<Source> = Vec::new();
        let mut whole = true;
        for (name, source) in map {
            let part = |key: &str| -> Option<&Scalar> { source.map()?.get(key)?.scalar() };
            let (Some(key), Some(regexp)) = (part("key"), part("regexp")) else {
                self.wrong(source.place(), &format!("the source {name} needs a key and a regexp"));
                whole = false;
                continue;
            };
            let Some(path) = Path::new(key.text(), keys) else {
                self.wrong(key.place(), "the key has too many parts");
                whole = false;
                continue;
            };
            match self.compiled(regexp.text()) {
                Ok(compiled) => {
                    let names = compiled.capture_names().enumerate();
                    let names: Box<[(Box<str>, usize)]> =
                        names.filter_map(|(at, name)| Some((name?.into(), at))).collect();
                    let known =
                        |name: &str| read.iter().flat_map(|one| &one.names).any(|(own, _)| **own == *name);
                    if let Some((again, _)) = names.iter().find(|(name, _)| known(name)) {
                        let message =
                            format!("two sources have a group {again}: the last that matches counts");
                        self.findings.push(Finding::warning(
                            "repeated-group",
                            regexp.place().clone(),
                            message,
                        ));
                    }
                    read.push(Source { key: path, regexp: compiled, names });
                }
                Err(e) => {
                    let message = format!("this regular expression is not known here: {e}");
                    self.findings.push(Finding::error("regexp", regexp.place().clone(), message));
                    whole = false;
                }
            }
        }
        let produce = self.templates(produce, "produce", keys)?;
        whole.then_some(What::Regexp { sources: read, produce })
    }
}
