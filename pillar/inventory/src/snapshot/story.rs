//! Where a value comes from: all that was said about it, by whom, along which links, and what a transform made it of.

use super::Snapshot;
use super::graph::Edge;
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
        let mut told = Told { snapshot: self, parts, asked: Vec::new(), out: Vec::new() };
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
    asked: Vec<Asked>,
    out: Vec<Candidate>,
}

/// A pallet that is asked, and how it was come to: by a link of one that was asked before.
struct Asked {
    id: PalletId,
    from: Option<(usize, Arc<str>)>,
}

/// A pallet of which not all parents have been asked.
struct Frame {
    asked: usize,
    edges: Vec<Edge>,
}

/// What a mapping says about a path.
enum Said<'n> {
    Value(&'n Node),
    /// Nothing, and there is a mapping for so many parts of the path.
    Nothing(usize),
    /// After so many parts is something else than a mapping, so there can be no value.
    Hidden(usize),
}

/// What a mapping says about a path.
fn said<'n>(map: &'n Map, parts: &[&str]) -> Said<'n> {
    let mut here = map;
    for (n, part) in parts.iter().enumerate() {
        match here.get(part) {
            None => return Said::Nothing(n),
            Some(found) if n + 1 == parts.len() => return Said::Value(found),
            Some(Node::Map(map)) => here = map,
            Some(_) => return Said::Hidden(n + 1),
        }
    }
    Said::Nothing(0)
}

impl Told<'_> {
    /// Asks a pallet and all that it inherits from, the strongest first. Each is asked once: what it says a second time is weaker
    /// and the same.
    fn all(&mut self, id: PalletId) {
        let mut seen = HashSet::from([id]);
        let mut open = Vec::new();
        self.ask(id, None, &mut open);
        while let Some(frame) = open.last_mut() {
            let from = frame.asked;
            let Some((parent, link)) = frame.edges.pop() else {
                open.pop();
                continue;
            };
            let name = self.link(from, parent, link);
            match self.snapshot.view(parent).map().map(|view| said(view, &self.parts)) {
                Some(Said::Value(_)) => {
                    if seen.insert(parent) {
                        self.ask(parent, Some((from, name)), &mut open);
                    }
                }
                // What is weaker is replaced as a whole by what hides it.
                Some(Said::Hidden(_)) => frame.edges.clear(),
                Some(Said::Nothing(_)) | None => {}
            }
        }
    }

    /// What a pallet says itself; then its parents are to be asked.
    fn ask(&mut self, id: PalletId, from: Option<(usize, Arc<str>)>, open: &mut Vec<Frame>) {
        let at = self.asked.len();
        self.asked.push(Asked { id, from });
        let hides = self.own(at);
        let edges = if hides { Vec::new() } else { self.snapshot.graph.edges(id).collect() };
        open.push(Frame { asked: at, edges });
    }

    /// What a pallet says itself: transforms, its folder, its boxes from last to first. Says whether that hides all it inherits.
    fn own(&mut self, at: usize) -> bool {
        let snapshot = self.snapshot;
        let id = self.asked[at].id;
        let pallet = snapshot.pallet(id);
        // For how many parts of the path stronger mappings are.
        let mut mapped = 0;
        for made in snapshot.views[id.at()].made.iter().rev() {
            let key = &snapshot.rules().rules[made.rule as usize].key.parts;
            let common = key.iter().zip(&self.parts).take_while(|(own, part)| ***own == ***part).count();
            if common == self.parts.len() {
                // What is made below a path is a part of a mapping.
                if key.len() == common || self.out.is_empty() {
                    let transform = self.transform(id, made);
                    let place = transform.place.clone();
                    self.say(at, Node::Scalar(made.value.clone()), place, Some(transform));
                }
            } else if common == key.len() && mapped < common {
                return true;
            }
            mapped = mapped.max(common.min(key.len() - 1));
        }
        let names = own_names(pallet, &snapshot.transforms.names, Place::whole(pallet.path.clone()));
        let boxes = pallet.boxes.iter().rev().filter_map(|one| one.content.as_ref());
        for map in std::iter::once(&names).chain(boxes) {
            match said(map, &self.parts) {
                Said::Value(node) => {
                    self.say(at, node.clone(), node.place().clone(), None);
                    mapped = mapped.max(self.parts.len() - 1);
                }
                Said::Nothing(depth) => mapped = mapped.max(depth),
                // A stronger mapping is merged with what is inherited, though not with what is under this.
                Said::Hidden(depth) => return depth > mapped,
            }
        }
        false
    }

    /// What a link says itself, and its name.
    fn link(&mut self, from: usize, parent: PalletId, link: Option<u32>) -> Arc<str> {
        let heir = self.snapshot.pallet(self.asked[from].id);
        let names = &self.snapshot.transforms.names;
        let (link, place) = match link.and_then(|at| heir.links.get(at as usize)) {
            Some(link) => (&link.name, link.place.clone()),
            None => (&names.parent, Place::whole(heir.path.clone())),
        };
        let words = reference(link, self.snapshot.pallet(parent).full_name(), names, &place);
        if let Said::Value(node) = said(&words, &self.parts) {
            self.say(from, node.clone(), place, None);
        }
        link.clone()
    }

    fn say(&mut self, at: usize, value: Node, place: Place, transform: Option<TransformUse>) {
        let mut via = Vec::new();
        let mut here = &self.asked[at];
        let pallet = here.id;
        while let Some((from, link)) = &here.from {
            let listed = &self.snapshot.pallet(here.id).listed;
            let (kind, full_name) = (listed.kind.clone(), listed.full_name.clone());
            via.push(Step { link: link.clone(), kind, full_name });
            here = &self.asked[*from];
        }
        via.reverse();
        self.out.push(Candidate { value, place, pallet, via, transform });
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
