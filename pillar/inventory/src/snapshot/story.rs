//! Where a value comes from: all that was said about it, by whom, along which links, and what a transform made it of.

use super::Snapshot;
use super::pallet::PalletId;
use super::view::{own_names, reference};
use crate::finding::Place;
use crate::node::{Map, Node};
use crate::transform::{Made, What};
use std::collections::HashSet;
use std::sync::Arc;

/// The whole story of a value.
#[derive(Clone, Debug)]
pub struct Story {
    /// What counts. Of a mapping the value is the merged one.
    pub winner: Candidate,
    /// What would count without it, the strongest first; each said once, along the link that makes it count most.
    pub shadowed: Vec<Candidate>,
}

/// One value that was given for a key.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The value.
    pub value: Node,
    /// Where it stands. What is made of a folder's or link's name stands there; what a transform made stands in its step.
    pub place: Place,
    /// The pallet that has it itself.
    pub pallet: PalletId,
    /// The links from the pallet that was asked about to that which has it; none if that is one and the same.
    pub via: Vec<Step>,
    /// What made it, if it stands in no box.
    pub transform: Option<TransformUse>,
}

/// One link on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name; `_parent` is the folder that a pallet lies in.
    pub link: Arc<str>,
    /// The kind of the pallet that it leads to.
    pub kind: Arc<str>,
    /// The full name of that.
    pub full_name: Arc<str>,
}

/// A step of a transform that has made a value.
#[derive(Clone, Debug)]
pub struct TransformUse {
    /// The key that it makes.
    pub key: Arc<str>,
    /// What it is: `synthesize`.
    pub op: Arc<str>,
    /// Where it stands in `transforms.yaml`.
    pub place: Place,
    /// What it was made of.
    pub sources: Vec<Source>,
}

/// A value of which another was made.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path.
    pub key: Arc<str>,
    /// What it is.
    pub value: Node,
    /// Where it stands.
    pub place: Place,
}

impl Snapshot {
    /// Where the value at a dotted path comes from; nothing if there is none.
    #[must_use]
    pub fn story(&self, id: PalletId, path: &str) -> Option<Story> {
        let value = self.view(id).get(path)?.clone();
        let parts: Vec<&str> = path.split('.').collect();
        let mut told = Told { snapshot: self, parts, out: Vec::new(), hidden: false };
        told.all(id);
        let mut candidates = told.out.into_iter();
        let mut winner = candidates.next()?;
        // Of a mapping the parts come from everywhere.
        winner.value = value;
        Some(Story { winner, shadowed: candidates.collect() })
    }

    /// The stories of all scalars and lists at or below a path (`""` for all), by their paths, in the order of the view. A key that
    /// holds a dot cannot be named by a path, so neither can what is below it.
    #[must_use]
    pub fn stories(&self, id: PalletId, path: &str) -> Vec<(String, Story)> {
        let node = if path.is_empty() { Some(self.view(id)) } else { self.view(id).get(path) };
        let mut paths = Vec::new();
        if let Some(node) = node {
            leaves(node, path, &mut paths);
        }
        paths.into_iter().filter_map(|path| self.story(id, &path).map(|story| (path, story))).collect()
    }
}

fn leaves(node: &Node, path: &str, out: &mut Vec<String>) {
    match node {
        Node::Map(map) if !map.is_empty() => {
            for (key, value) in map.iter().filter(|(key, _)| !key.contains('.')) {
                let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                leaves(value, &path, out);
            }
        }
        _ => out.push(path.to_owned()),
    }
}

struct Told<'s> {
    snapshot: &'s Snapshot,
    parts: Vec<&'s str>,
    out: Vec<Candidate>,
    /// Something stronger has no mapping where one is needed: what is weaker is not there at all.
    hidden: bool,
}

/// A pallet to be asked, with the way to it.
struct Asked {
    id: PalletId,
    via: Vec<Step>,
}

/// The next to be asked, with what the link says by which it is come to, and whose link that is.
type Next = (Asked, Option<(Map, Arc<Asked>)>);

impl<'s> Told<'s> {
    /// Asks a pallet and all that it inherits from, the strongest first. Each is asked once: what it says a second time is weaker
    /// and changes nothing.
    fn all(&mut self, id: PalletId) {
        let mut seen = HashSet::new();
        let mut open: Vec<Next> = vec![(Asked { id, via: Vec::new() }, None)];
        while let Some((asked, link)) = open.pop() {
            if let Some((said, from)) = link {
                self.layer(&from, &said);
            }
            if self.hidden {
                return;
            }
            if !seen.insert(asked.id) {
                continue;
            }
            self.own(&asked);
            let asked = Arc::new(asked);
            for (parent, link) in self.snapshot.graph.edges(asked.id) {
                open.push(self.next(&asked, parent, link));
            }
        }
    }

    fn next(&self, from: &Arc<Asked>, parent: PalletId, link: Option<u32>) -> Next {
        let (heir, target) = (self.snapshot.pallet(from.id), self.snapshot.pallet(parent));
        let names = &self.snapshot.transforms.names;
        let (link, place) = match link.and_then(|at| heir.links.get(at as usize)) {
            Some(link) => (&link.name, link.place.clone()),
            None => (&names.parent, Place::whole(heir.path.clone())),
        };
        let said = reference(link, &target.full_name, names, &place);
        let (kind, full_name) = (target.kind.clone(), target.full_name.clone());
        let mut via = from.via.clone();
        via.push(Step { link: link.clone(), kind, full_name });
        (Asked { id: parent, via }, Some((said, from.clone())))
    }
}

impl Told<'_> {
    /// What a pallet says itself: transforms, its folder, its boxes from last to first.
    fn own(&mut self, asked: &Asked) {
        let snapshot = self.snapshot;
        let pallet = snapshot.pallet(asked.id);
        for made in snapshot.views[asked.id.at()].made.iter().rev() {
            self.made(asked, made);
        }
        let place = Place::whole(pallet.path.clone());
        let names = own_names(pallet, &snapshot.transforms.names, place);
        self.layer(asked, &names);
        for one in pallet.boxes.iter().rev() {
            if let Some(content) = &one.content {
                self.layer(asked, content);
            }
        }
    }

    /// What a mapping says about the path.
    fn layer(&mut self, asked: &Asked, map: &Map) {
        if self.hidden {
            return;
        }
        let mut node = None;
        let mut map = Some(map);
        for part in &self.parts {
            let Some(here) = map else {
                // A value where a mapping is needed.
                self.hidden = true;
                return;
            };
            let Some(found) = here.get(part) else { return };
            node = Some(found);
            map = found.map();
        }
        if let Some(node) = node {
            self.say(asked, node.clone(), node.place().clone(), None);
        }
    }

    fn made(&mut self, asked: &Asked, made: &Made) {
        let rule = &self.snapshot.rules().rules[made.rule as usize];
        let key: Vec<&str> = rule.key.parts.iter().map(|part| &**part).collect();
        let op = &rule.ops[usize::from(made.op)];
        if key.starts_with(&self.parts) {
            let whole = key.len() == self.parts.len();
            // Below a path it makes a part of a mapping.
            if whole || self.out.is_empty() {
                let transform = self.transform(asked.id, made);
                self.say(asked, Node::Scalar(made.value.clone()), op.place.clone(), Some(transform));
            }
        } else if self.parts.starts_with(&key) {
            self.hidden = true;
        }
    }

    fn say(&mut self, asked: &Asked, value: Node, place: Place, transform: Option<TransformUse>) {
        if !self.hidden {
            self.out.push(Candidate { value, place, pallet: asked.id, via: asked.via.clone(), transform });
        }
    }

    fn transform(&self, id: PalletId, made: &Made) -> TransformUse {
        let rule = &self.snapshot.rules().rules[made.rule as usize];
        let op = &rule.ops[usize::from(made.op)];
        let alternative = usize::from(made.alternative);
        let paths: Vec<_> = match &op.what {
            What::Synthesize(templates) => {
                templates.get(alternative).into_iter().flat_map(|t| t.names()).collect()
            }
            What::Regexp { sources, .. } => sources.iter().map(|source| &source.key).collect(),
            What::Concatenate(_) | What::Inherit => Vec::new(),
        };
        let view = self.snapshot.view(id).map();
        let source = |path: &&crate::transform::Path| {
            let value = view?.at_path(&path.parts)?;
            Some(Source { key: path.whole.clone(), value: value.clone(), place: value.place().clone() })
        };
        let mut sources: Vec<Source> = paths.iter().filter_map(source).collect();
        if let (What::Concatenate(_), Some(own)) = (&op.what, self.snapshot.own(id).at_path(&rule.key.parts))
        {
            sources.push(Source {
                key: rule.key.whole.clone(),
                value: own.clone(),
                place: own.place().clone(),
            });
        }
        TransformUse { key: rule.key.whole.clone(), op: op.name.clone(), place: op.place.clone(), sources }
    }
}
