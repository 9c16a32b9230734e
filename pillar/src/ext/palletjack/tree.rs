//! What one entry gives a minion: as nodes of the warehouse, which are compared, and as pillar.

use super::conf::{Conf, Groups};
use super::typing;
use super::warehouse::Edition;
use brine_inventory::{Node, salt};
use brine_python::{Dict, Obj};

/// What a minion gets of an edition, but for its revision. Two are equal if the minion cannot tell them apart.
#[derive(PartialEq)]
pub(super) struct Part {
    /// What everybody gets.
    global: Option<Node>,
    /// What belongs to the system that the minion is; none if it is no system's.
    own: Option<Own>,
}

#[derive(PartialEq)]
struct Own {
    tree: Node,
    view: Option<Node>,
    groups: Option<Vec<String>>,
}

impl Part {
    pub(super) fn of(edition: &Edition, conf: &Conf, id: &str) -> Self {
        let snapshot = edition.snapshot();
        let own = edition.system(&conf.key, id).map(|system| Own {
            tree: salt::minion(snapshot, system),
            view: conf.view.then(|| snapshot.view(system).clone()),
            groups: match &conf.groups {
                Groups::None => None,
                Groups::All => Some(salt::groups(snapshot, system)),
                Groups::Kinds(kinds) => {
                    let mut groups = salt::groups(snapshot, system);
                    groups.retain(|group| {
                        kinds
                            .iter()
                            .any(|kind| group.strip_prefix(kind).is_some_and(|rest| rest.starts_with('/')))
                    });
                    Some(groups)
                }
            },
        });
        Self { global: conf.global.then(|| edition.global().clone()), own }
    }

    /// Whether both are the same pillar.
    pub(super) fn means(&self, other: &Self, conf: &Conf) -> bool {
        brine_python::eq(&self.tree(conf).into(), &other.tree(conf).into()).unwrap_or(false)
    }

    /// As pillar, with the revision.
    pub(super) fn pillar(&self, edition: &Edition, conf: &Conf) -> Obj {
        let tree = self.tree(conf);
        let pillar = Dict::new();
        if !tree.is_empty() {
            pillar.set_str("palletjack", Obj::from(tree));
        }
        if let (Some(path), Some(revision)) = (&conf.revision, edition.revision()) {
            put(&pillar, path, revision);
        }
        pillar.into()
    }

    /// What stands at `palletjack`.
    fn tree(&self, conf: &Conf) -> Dict {
        let tree = Dict::new();
        if let Some(own) = &self.own {
            if let Node::Map(map) = &own.tree {
                for (key, value) in map.iter() {
                    tree.set_str(key, typing::obj(value, conf.typing));
                }
            }
            if let Some(view) = &own.view {
                tree.set_str("view", typing::obj(view, conf.typing));
            }
            if let Some(groups) = &own.groups {
                tree.set_str(
                    "nodegroups",
                    Obj::list(groups.iter().map(|group| Obj::str(group.as_str())).collect()),
                );
            }
        }
        if let Some(Node::Map(map)) = &self.global
            && !map.is_empty()
        {
            tree.set_str("global", typing::obj(&Node::Map(map.clone()), conf.typing));
        }
        tree
    }
}

/// Puts a text at `a:b`, with the dicts above it.
fn put(pillar: &Dict, path: &str, text: &str) {
    let Some((first, rest)) = path.split_once(':') else {
        pillar.set_str(path, Obj::str(text));
        return;
    };
    match pillar.get_str(first) {
        Some(Obj::Dict(inner)) => put(&inner, rest, text),
        _ => {
            let inner = Dict::new();
            put(&inner, rest, text);
            pillar.set_str(first, Obj::from(inner));
        }
    }
}
