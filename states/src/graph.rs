//! The graph of requisites, by which 3008 orders: who waits for whom, in which order all can go, and where they wait in a
//! circle. It knows chunks by their number and by what requisites can name of them; what is in them it does not know.

mod groups;

use brine_core::target::fnmatch;
use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};
use std::ops::Deref;

/// A requisite that has an edge in the graph. Those further down weigh more: in an order that is asked of a chunk for what
/// waits for it, only its weightiest requisites count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names that SLS files use")]
pub enum Requisite {
    Onfail,
    OnfailAny,
    OnfailAll,
    Require,
    RequireAny,
    Onchanges,
    OnchangesAny,
    Watch,
    WatchAny,
    Prereq,
}

impl Requisite {
    /// All, in the order in which those of a chunk are added.
    pub const ALL: [Self; 10] = [
        Self::Require,
        Self::RequireAny,
        Self::Watch,
        Self::WatchAny,
        Self::Prereq,
        Self::Onfail,
        Self::OnfailAny,
        Self::OnfailAll,
        Self::Onchanges,
        Self::OnchangesAny,
    ];

    /// The word of SLS files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Onfail => "onfail",
            Self::OnfailAny => "onfail_any",
            Self::OnfailAll => "onfail_all",
            Self::Require => "require",
            Self::RequireAny => "require_any",
            Self::Onchanges => "onchanges",
            Self::OnchangesAny => "onchanges_any",
            Self::Watch => "watch",
            Self::WatchAny => "watch_any",
            Self::Prereq => "prereq",
        }
    }
}

/// What requisites can name of a chunk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// `state_|-id_|-name_|-fun`, which is unique.
    pub tag: &'a str,
    /// The kind of state.
    pub state: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its SLS files: its own, and those that include that.
    pub sls: &'a [String],
}

/// The requisites of one edge, in the order in which they came. There are many edges, and few with more than one.
#[derive(Clone, Copy)]
struct Kinds {
    all: [Requisite; Requisite::ALL.len()],
    len: u8,
}

impl Kinds {
    const NONE: Self = Self { all: Requisite::ALL, len: 0 };

    /// Adds one; whether it is new.
    fn add(&mut self, requisite: Requisite) -> bool {
        let is_new = !self.contains(&requisite);
        if is_new {
            self.all[usize::from(self.len)] = requisite;
            self.len += 1;
        }
        is_new
    }
}

impl Deref for Kinds {
    type Target = [Requisite];

    fn deref(&self) -> &[Requisite] {
        &self.all[..usize::from(self.len)]
    }
}

struct Node {
    tag: String,
    chunk: usize,
    out: Vec<(usize, Kinds)>,
    into: Vec<(usize, Kinds)>,
    /// The node in which the chunk is tried out for those that have `prereq` on it.
    trial: Option<usize>,
    /// The node of the group that it is in.
    group: Option<usize>,
    /// The nodes of the group that this is; it is no chunk then.
    members: Vec<usize>,
}

/// The graph.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<Node>,
    edges: HashMap<(usize, usize), (usize, usize)>,
    tags: HashMap<String, usize>,
    /// Nodes by kind, and by name or id; `id` is a kind too.
    named: HashMap<String, Names>,
    sls: Names,
}

/// Nodes by name, in the order in which names came.
#[derive(Default)]
struct Names {
    all: Vec<(String, Vec<usize>)>,
    at: HashMap<String, usize>,
}

impl Names {
    fn add(&mut self, name: &str, node: usize) {
        let at = match self.at.get(name) {
            Some(at) => *at,
            None => {
                self.at.insert(name.to_owned(), self.all.len());
                self.all.push((name.to_owned(), Vec::new()));
                self.all.len() - 1
            }
        };
        if self.all[at].1.last() != Some(&node) {
            self.all[at].1.push(node);
        }
    }

    fn get(&self, name: &str) -> &[usize] {
        self.at.get(name).map_or(&[], |at| &self.all[*at].1)
    }

    fn like(&self, pattern: &str) -> Vec<usize> {
        let fits = self.all.iter().filter(|(name, _)| fnmatch(name, pattern));
        fits.flat_map(|(_, nodes)| nodes.iter().copied()).collect()
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', ']'])
}

/// Where a node comes in the order: the least number that it or what waits for it has, its own number, what it is.
#[derive(PartialEq)]
struct Place {
    least: f64,
    own: f64,
    label: String,
    tag: String,
}

impl Eq for Place {}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.least
            .total_cmp(&other.least)
            .then_with(|| self.own.total_cmp(&other.own))
            .then_with(|| self.label.cmp(&other.label))
            .then_with(|| self.tag.cmp(&other.tag))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What the order needs to know of chunks.
pub trait Orders {
    /// What may go wrong.
    type Error;
    /// The number of a chunk, made one if it is none.
    fn own(&self, chunk: usize) -> Result<f64, Self::Error>;
    /// The number that a chunk says itself, infinity if it says none.
    fn said(&self, chunk: usize) -> Result<f64, Self::Error>;
    /// What sorts chunks of one number.
    fn label(&self, chunk: usize) -> Result<String, Self::Error>;
}

impl Graph {
    /// Adds a chunk.
    pub fn add_chunk(&mut self, chunk: usize, facts: Facts<'_>) {
        let node = match self.tags.get(facts.tag) {
            Some(node) => {
                self.nodes[*node].chunk = chunk;
                *node
            }
            None => self.add_node(facts.tag.to_owned(), chunk),
        };
        self.tags.insert(facts.tag.to_owned(), node);
        for (kind, name) in
            [(facts.state, facts.name), (facts.state, facts.id), ("id", facts.id), ("id", facts.name)]
        {
            self.named.entry(kind.to_owned()).or_default().add(name, node);
        }
        for sls in facts.sls {
            self.sls.add(sls, node);
        }
    }

    fn add_node(&mut self, tag: String, chunk: usize) -> usize {
        self.nodes.push(Node {
            tag,
            chunk,
            out: Vec::new(),
            into: Vec::new(),
            trial: None,
            group: None,
            members: Vec::new(),
        });
        self.nodes.len() - 1
    }

    fn add_edge(&mut self, from: usize, to: usize, requisite: Requisite) {
        let (out, into) = *self.edges.entry((from, to)).or_insert_with(|| {
            self.nodes[from].out.push((to, Kinds::NONE));
            self.nodes[to].into.push((from, Kinds::NONE));
            (self.nodes[from].out.len() - 1, self.nodes[to].into.len() - 1)
        });
        if self.nodes[from].out[out].1.add(requisite) {
            self.nodes[to].into[into].1.add(requisite);
        }
    }

    /// Adds a requisite of the chunk with this tag: a kind (or `id`, or `sls`) and a name. Says whether there is what it names.
    /// The chunks that come to be tried out for a `prereq`, and the one that tries, are given to `mark`.
    pub fn add_requisite(
        &mut self,
        tag: &str,
        requisite: Requisite,
        (kind, name): (&str, &str),
        mut mark: impl FnMut(usize, usize),
    ) -> bool {
        let names = if kind == "sls" { Some(&self.sls) } else { self.named.get(kind) };
        let pattern = is_pattern(name);
        let named = match names {
            Some(names) if pattern => names.like(name),
            Some(names) => names.get(name).to_vec(),
            None => Vec::new(),
        };
        let Some(node) = self.tags.get(tag).copied() else { return false };
        let trial = self.nodes[node].trial;
        for other in &named {
            if requisite == Requisite::Prereq {
                mark(self.nodes[*other].chunk, self.nodes[node].chunk);
                self.add_prereq(node, *other);
                continue;
            }
            if let Some(trial) = trial {
                self.add_edge(*other, trial, requisite);
            }
            self.add_edge(*other, node, requisite);
        }
        // A pattern of SLS names may find nothing.
        !named.is_empty() || (pattern && kind == "sls")
    }

    fn add_prereq(&mut self, node: usize, other: usize) {
        let trial = match self.nodes[other].trial {
            Some(trial) => trial,
            None => {
                let trial = self.add_node(
                    format!("{}_|-__prereq_test__", self.nodes[other].tag),
                    self.nodes[other].chunk,
                );
                self.nodes[other].trial = Some(trial);
                // What it waits for, its trial waits for.
                for (from, requisites) in self.nodes[other].into.clone() {
                    for requisite in requisites.iter().filter(|r| **r != Requisite::Prereq) {
                        self.add_edge(from, trial, *requisite);
                    }
                }
                trial
            }
        };
        self.add_edge(trial, node, Requisite::Prereq);
        self.add_edge(node, other, Requisite::Require);
        if let Some(own) = self.nodes[node].trial {
            self.add_edge(trial, own, Requisite::Prereq);
        }
    }

    fn place<O: Orders>(&self, node: usize, orders: &O) -> Result<Place, O::Error> {
        let Node { tag, chunk, out, .. } = &self.nodes[node];
        let own = orders.own(*chunk)?;
        let (mut least, mut weight) = (f64::INFINITY, None);
        for (other, requisites) in out {
            for requisite in requisites.iter() {
                if weight <= Some(*requisite) {
                    weight = Some(*requisite);
                    least = least.min(orders.said(self.nodes[*other].chunk)?);
                }
            }
        }
        Ok(Place {
            least: own.min(least),
            own: orders.own(*chunk)?,
            label: orders.label(*chunk)?,
            tag: tag.clone(),
        })
    }

    /// The chunks in the order in which they are run, those that are tried out first twice; `None` where some wait for each
    /// other.
    ///
    /// # Errors
    /// What `orders` has.
    pub fn sorted<O: Orders>(&self, orders: &O) -> Result<Option<Vec<usize>>, O::Error> {
        let mut waits: Vec<usize> = self
            .nodes
            .iter()
            .map(|node| node.into.iter().map(|(_, requisites)| requisites.len()).sum())
            .collect();
        let mut ready = BinaryHeap::new();
        for (node, count) in waits.iter().enumerate() {
            if *count == 0 {
                ready.push((Reverse(self.place(node, orders)?), node));
            }
        }
        let mut sorted = Vec::with_capacity(self.nodes.len());
        while let Some((_, node)) = ready.pop() {
            sorted.push(self.nodes[node].chunk);
            for (other, requisites) in &self.nodes[node].out {
                waits[*other] -= requisites.len();
                if waits[*other] == 0 {
                    ready.push((Reverse(self.place(*other, orders)?), *other));
                }
            }
        }
        Ok((sorted.len() == self.nodes.len()).then_some(sorted))
    }

    /// What the chunk of this tag (or its trial) waits for.
    pub fn dependencies(&self, tag: &str, trial: bool) -> impl Iterator<Item = (Requisite, usize)> + '_ {
        let node = self.tags.get(tag).copied();
        let node = if trial { node.and_then(|node| self.nodes[node].trial) } else { node };
        let into = node.map_or(&[][..], |node| &self.nodes[node].into);
        into.iter().flat_map(move |(from, requisites)| {
            let members = &self.nodes[*from].members;
            let nodes = if members.is_empty() { std::slice::from_ref(from) } else { members };
            requisites.iter().flat_map(move |requisite| {
                nodes.iter().map(move |node| (*requisite, self.nodes[*node].chunk))
            })
        })
    }

    /// One circle: `(what is waited for, what waits, the requisite)` each; empty if there is none.
    pub fn cycle(&self) -> Vec<(usize, usize, Requisite)> {
        #[derive(Clone, Copy, PartialEq)]
        enum Seen {
            No,
            Open,
            Done,
        }
        let mut seen = vec![Seen::No; self.nodes.len()];
        for start in 0..self.nodes.len() {
            if seen[start] != Seen::No {
                continue;
            }
            seen[start] = Seen::Open;
            // The way from the start: each node, the edge into it, and the edge to look at next.
            let mut way: Vec<(usize, Option<Requisite>, usize)> = vec![(start, None, 0)];
            while let Some((node, _, next)) = way.last_mut() {
                let (from, at) = (*node, *next);
                *next += 1;
                let Some((to, requisites)) = self.nodes[from].out.get(at) else {
                    seen[from] = Seen::Done;
                    way.pop();
                    continue;
                };
                let requisite = requisites.first().copied().unwrap_or(Requisite::Require);
                match seen[*to] {
                    Seen::Done => {}
                    Seen::No => {
                        seen[*to] = Seen::Open;
                        way.push((*to, Some(requisite), 0));
                    }
                    Seen::Open => {
                        let first = way.iter().position(|(node, ..)| node == to).unwrap_or_default();
                        let chunk = |node: usize| self.nodes[node].chunk;
                        let mut circle: Vec<_> = way[first..]
                            .windows(2)
                            .map(|pair| (chunk(pair[0].0), chunk(pair[1].0), pair[1].1.unwrap_or(requisite)))
                            .collect();
                        circle.push((chunk(from), chunk(*to), requisite));
                        return circle;
                    }
                }
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    struct ByNumber;

    impl Orders for ByNumber {
        type Error = Infallible;
        fn own(&self, chunk: usize) -> Result<f64, Infallible> {
            Ok(chunk as f64)
        }
        fn said(&self, chunk: usize) -> Result<f64, Infallible> {
            Ok(chunk as f64)
        }
        fn label(&self, chunk: usize) -> Result<String, Infallible> {
            Ok(chunk.to_string())
        }
    }

    fn graph(of: usize) -> Graph {
        let mut graph = Graph::default();
        for n in 0..of {
            let id = format!("n{n}");
            let tag = format!("test_|-{id}_|-{id}_|-nop");
            graph.add_chunk(n, Facts { tag: &tag, state: "test", id: &id, name: &id, sls: &["a.b".into()] });
        }
        graph
    }

    fn add(graph: &mut Graph, from: usize, requisite: Requisite, kind: &str, name: &str) -> bool {
        graph.add_requisite(&format!("test_|-n{from}_|-n{from}_|-nop"), requisite, (kind, name), |_, _| {})
    }

    #[test]
    fn requisites_come_first_and_draw_what_they_need_with_them() {
        let mut graph = graph(4);
        assert!(add(&mut graph, 0, Requisite::Require, "test", "n3"));
        assert!(!add(&mut graph, 1, Requisite::Require, "file", "n3"), "of another kind");
        let sorted = graph.sorted(&ByNumber);
        assert_eq!(sorted, Ok(Some(vec![3, 0, 1, 2])), "3 has the order of what needs it");
    }

    #[test]
    fn a_long_chain_is_ordered_at_once_and_a_circle_is_named() {
        let count = 20_000;
        let mut graph = graph(count);
        for n in 0..count - 1 {
            assert!(add(&mut graph, n, Requisite::Require, "id", &format!("n{}", n + 1)));
        }
        let wanted: Vec<usize> = (0..count).rev().collect();
        assert_eq!(graph.sorted(&ByNumber), Ok(Some(wanted)));
        assert_eq!(graph.cycle(), vec![]);
        assert!(add(&mut graph, 2, Requisite::Watch, "id", "n1"));
        assert_eq!(graph.sorted(&ByNumber), Ok(None));
        assert_eq!(graph.cycle(), vec![(1, 2, Requisite::Watch), (2, 1, Requisite::Require)]);
    }

    #[test]
    fn what_is_tried_out_for_a_prereq_comes_twice() {
        let mut graph = graph(2);
        let mut marked = Vec::new();
        let tag = "test_|-n1_|-n1_|-nop";
        assert!(
            graph.add_requisite(tag, Requisite::Prereq, ("test", "n0"), |tried, by| marked.push((tried, by)))
        );
        assert_eq!(marked, [(0, 1)]);
        assert_eq!(graph.sorted(&ByNumber), Ok(Some(vec![0, 1, 0])));
        assert_eq!(graph.dependencies(tag, false).collect::<Vec<_>>(), [(Requisite::Prereq, 0)]);
    }

    #[test]
    fn patterns_of_sls_may_find_nothing_and_names_may_not() {
        let mut graph = graph(1);
        assert!(add(&mut graph, 0, Requisite::Require, "sls", "x*"));
        assert!(!add(&mut graph, 0, Requisite::Require, "sls", "x"));
        assert!(!add(&mut graph, 0, Requisite::Require, "id", "x*"));
    }
}
