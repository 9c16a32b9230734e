//! The rules run on one pallet.

use super::template::{Filled, Template};
use super::{LONGEST, Op, Path, Rule, Rules, What, inspect};
use crate::finding::{Finding, Severity};
use crate::node::{Map, Native, Node, Scalar};
use std::sync::Arc;

/// A value that a rule has made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// Which rule, from 0.
    pub(crate) rule: u32,
    /// Which step of it.
    pub(crate) op: u16,
    /// Which of its texts.
    pub(crate) alternative: u16,
    pub(crate) value: Scalar,
}

/// What the rules have made of a pallet, beside its view.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) made: Vec<Made>,
    pub(crate) findings: Vec<Finding>,
}

/// Runs all rules. `local` is what the pallet has of its own; `view` that with all it inherits, into which values are put.
pub(crate) fn apply(rules: &Rules, local: &Map, view: &mut Map) -> Outcome {
    let mut outcome = Outcome::default();
    for (n, rule) in (0..).zip(&rules.rules) {
        let made = Run { local, view, rule, outcome: &mut outcome }.value();
        let Some((op, alternative, text)) = made else { continue };
        if let Some(at) = in_the_way(rules, local, rule, &outcome.made) {
            let message =
                format!("{} cannot be made: the pallet has a value for {at} itself", rule.key.whole);
            outcome.findings.push(Finding::error(
                "transform-in-the-way",
                rule.ops[usize::from(op)].place.clone(),
                message,
            ));
            continue;
        }
        let place = &rule.ops[usize::from(op)].place;
        let same = |node: &&Scalar| node.text() == text && node.place() == place && !node.quoted();
        // What an ancestor has made by the same step stays shared.
        let value = match view.at_path(&rule.key.parts).and_then(Node::scalar).filter(same) {
            Some(inherited) => inherited.clone(),
            None => {
                let value = Scalar::new(&text, &text, Native::Str, false, place.clone());
                view.set(&rule.key.parts, value.clone(), place);
                value
            }
        };
        outcome.made.push(Made { rule: n, op, alternative, value });
    }
    outcome
}

/// What the pallet itself has on the way to a key, where a mapping must be.
fn in_the_way(rules: &Rules, local: &Map, rule: &Rule, made: &[Made]) -> Option<Arc<str>> {
    let mut at = local;
    let (_, way) = rule.key.parts.split_last()?;
    for key in way {
        match at.get(key) {
            Some(Node::Map(map)) => at = map,
            Some(_) => return Some(key.clone()),
            None => break,
        }
    }
    let blocked = |made: &&Made| rule.blocked.contains(&made.rule);
    made.iter().find(blocked).map(|made| rules.rules[made.rule as usize].key.whole.clone())
}

struct Run<'a> {
    local: &'a Map,
    view: &'a Map,
    rule: &'a Rule,
    outcome: &'a mut Outcome,
}

impl Run<'_> {
    /// The value that the first step makes which makes one: which, by which text, and the value.
    fn value(&mut self) -> Option<(u16, u16, String)> {
        let rule = self.rule;
        for (n, op) in (0..).zip(&rule.ops) {
            let made = match &op.what {
                What::Inherit if self.view.at_path(&rule.key.parts).is_some() => return None,
                What::Inherit => None,
                What::Synthesize(templates) => self.synthesize(op, templates),
                What::Regexp { sources, produce } => self.regexp(op, sources, produce),
                What::Concatenate(separator) => self.concatenate(op, separator),
            };
            if let Some((alternative, text)) = made {
                return Some((n, alternative, text));
            }
        }
        None
    }

    /// Whether the pallet has the key itself: by its boxes, or since a rule has made it or what is within it.
    fn has_own(&self) -> bool {
        self.local.at_path(&self.rule.key.parts).is_some() || self.has_made()
    }

    fn has_made(&self) -> bool {
        let had = &self.rule.had;
        !had.is_empty() && self.outcome.made.iter().any(|made| had.binary_search(&made.rule).is_ok())
    }

    fn synthesize(&mut self, op: &Op, templates: &[Template]) -> Option<(u16, String)> {
        if self.has_own() {
            return None;
        }
        for (n, template) in (0..).zip(templates) {
            let mut odd = Vec::new();
            let filled = template.fill(
                |path| self.view.at_path(&path.parts),
                |path, node| odd.push((path.whole.clone(), node.clone())),
            );
            match filled {
                Filled::Missing => {}
                Filled::TooLong => {
                    self.too_long(op);
                    return None;
                }
                Filled::Text(text) => {
                    for (path, node) in odd {
                        self.no_text(op, &path, &node);
                    }
                    return Some((n, text));
                }
            }
        }
        None
    }

    fn regexp(
        &mut self,
        op: &Op,
        sources: &[super::rules::Source],
        produce: &[Template],
    ) -> Option<(u16, String)> {
        if self.has_own() {
            return None;
        }
        let mut found: Vec<(&str, Option<&str>)> = Vec::new();
        for source in sources {
            let text = match self.view.at_path(&source.key.parts)? {
                Node::Scalar(scalar) => scalar.text(),
                other => {
                    let (key, kind) = (&source.key.whole, other.kind());
                    let message = format!("{key} is {kind}, to which no regular expression fits");
                    self.tell(op, "source-not-text", Severity::Error, message);
                    return None;
                }
            };
            match source.regexp.captures(text) {
                Ok(Some(captures)) => {
                    let own = found.len();
                    for (name, at) in &source.names {
                        let text = captures.get(*at).map(|m| m.as_str());
                        // Of groups of one name the last that holds something counts.
                        if text.is_some() || !found[own..].iter().any(|(other, _)| **other == **name) {
                            found.push((name, text));
                        }
                    }
                }
                Ok(None) => {}
                Err(_) => {
                    let message = format!("the regular expression for {} takes too long", source.key.whole);
                    self.tell(op, "regexp-too-slow", Severity::Error, message);
                    return None;
                }
            }
        }
        let last = |name: &str| found.iter().rev().find(|(own, _)| *own == name).and_then(|(_, text)| *text);
        for (n, template) in (0..).zip(produce) {
            match template.fill_texts(last) {
                Filled::Missing => {}
                Filled::TooLong => {
                    self.too_long(op);
                    return None;
                }
                Filled::Text(text) => return Some((n, text)),
            }
        }
        None
    }

    fn concatenate(&mut self, op: &Op, separator: &str) -> Option<(u16, String)> {
        let path: &Path = &self.rule.key;
        let made = self.has_made();
        let items = match self.local.at_path(&path.parts) {
            Some(Node::List(list)) if !made => list.clone(),
            None if !made => return None,
            _ => {
                let message = format!("{} is no list that could be joined", path.whole);
                self.tell(op, "concatenate-not-a-list", Severity::Error, message);
                return None;
            }
        };
        match inspect::join(items.items(), separator, LONGEST) {
            Some((text, odd)) => {
                if odd {
                    let message = format!("{} holds mappings, of which no text can be made", path.whole);
                    self.tell(op, "mapping-in-text", Severity::Error, message);
                }
                Some((0, text))
            }
            None => {
                self.too_long(op);
                None
            }
        }
    }

    /// Where a list or a mapping was put into a text.
    fn no_text(&mut self, op: &Op, path: &str, node: &Node) {
        let (code, severity) = match node {
            Node::Map(_) => ("mapping-in-text", Severity::Error),
            _ => ("list-in-text", Severity::Warning),
        };
        self.tell(
            op,
            code,
            severity,
            format!("{path} is {}, put into a text as Ruby prints it", node.kind()),
        );
    }

    fn too_long(&mut self, op: &Op) {
        let message = format!("{} would be longer than {LONGEST} bytes", self.rule.key.whole);
        self.tell(op, "value-too-long", Severity::Error, message);
    }

    fn tell(&mut self, op: &Op, code: &'static str, severity: Severity, message: String) {
        let finding = Finding::error(code, op.place.clone(), message);
        self.outcome.findings.push(Finding { severity, ..finding });
    }
}
