//! Chunks that one of them stands for (`aggregate`), in the graph: who waits for one of a group waits for all.

use super::{Graph, Kinds, Requisite};
use std::collections::HashMap;

/// How many chunks a group has at most.
const MOST: usize = 500;

impl Graph {
    /// Makes groups of chunks: each of these, given in the order in which they are run, comes into the first group of its
    /// kind that it does not wait for.
    pub fn group<'a>(&mut self, chunks: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let mut groups: HashMap<&str, Vec<Vec<usize>>> = HashMap::new();
        for (tag, kind) in chunks {
            let Some(node) = self.tags.get(tag).copied() else { continue };
            let of_kind = groups.entry(kind).or_default();
            let free = of_kind.iter_mut().find(|group| {
                let way = group.first().map(|first| self.nodes[*first].group.unwrap_or(*first));
                group.len() < MOST && way.is_some_and(|from| !self.leads(from, node))
            });
            let Some(members) = free else {
                of_kind.push(vec![node]);
                continue;
            };
            let Some(first) = members.first().copied() else { continue };
            let group = match self.nodes[first].group {
                Some(group) => group,
                None => {
                    let group = self.add_node(String::new(), usize::MAX);
                    self.join(group, first);
                    group
                }
            };
            self.join(group, node);
            members.push(node);
        }
    }

    /// Takes a node into a group, with all that waits for it and that it waits for.
    fn join(&mut self, group: usize, node: usize) {
        let copy = |edges: &[(usize, Kinds)]| -> Vec<(usize, Requisite)> {
            edges
                .iter()
                .flat_map(|(other, all)| all.iter().map(move |requisite| (*other, *requisite)))
                .collect()
        };
        for (from, requisite) in copy(&self.nodes[node].into) {
            self.add_edge(from, group, requisite);
        }
        for (to, requisite) in copy(&self.nodes[node].out) {
            self.add_edge(group, to, requisite);
        }
        self.nodes[node].group = Some(group);
        self.nodes[group].members.push(node);
    }

    /// Whether one comes, over others, before another.
    fn leads(&self, from: usize, to: usize) -> bool {
        let mut seen = vec![false; self.nodes.len()];
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            if node == to {
                return true;
            }
            if !std::mem::replace(&mut seen[node], true) {
                open.extend(self.nodes[node].out.iter().map(|(next, _)| *next));
            }
        }
        false
    }

    /// The chunks of the group that the chunk of this tag is in, itself among them; none where it is in none.
    pub fn grouped(&self, tag: &str) -> Vec<usize> {
        let group = self.tags.get(tag).and_then(|node| self.nodes[*node].group);
        group.map_or(Vec::new(), |group| {
            self.nodes[group].members.iter().map(|node| self.nodes[*node].chunk).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Facts, Graph, Requisite};

    #[test]
    fn who_waits_for_one_of_a_group_waits_for_all() {
        let mut graph = Graph::default();
        let tag = |n: usize| format!("pkg_|-n{n}_|-n{n}_|-nop");
        for n in 0..5 {
            let id = format!("n{n}");
            graph.add_chunk(n, Facts { tag: &tag(n), state: "pkg", id: &id, name: &id, sls: &[] });
        }
        let mut waits = |by: usize, on: &str| {
            assert!(graph.add_requisite(&tag(by), Requisite::Require, ("pkg", on), |_, _| {}));
        };
        waits(2, "n0");
        waits(4, "n0");
        let tags: Vec<String> = (0..4).map(tag).collect();
        graph.group(tags.iter().map(|tag| (tag.as_str(), "pkg")));
        assert_eq!(graph.grouped(&tag(0)), [0, 1, 3], "2 waits for 0");
        assert!(graph.grouped(&tag(2)).is_empty(), "alone");
        let waited: Vec<usize> = graph.dependencies(&tag(4), false).map(|(_, chunk)| chunk).collect();
        assert_eq!(waited, [0, 0, 1, 3]);
    }
}
