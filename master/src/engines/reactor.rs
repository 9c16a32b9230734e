//! The master's reactor: what it calls is called here, by the master's own authority.

use std::sync::{Arc, Weak};

use brine_core::call::{Args, Cx, Registry};
use brine_core::target::nodegroup_comp;
use brine_core::text::python_str;
use brine_core::{Map, Value, map};
use brine_engines::reactor::call::Kind;
use brine_engines::reactor::{Reactor, Site, USER};
use brine_runners::{Run, master_minion};
use tokio::runtime::Handle;

use crate::events::Tap;
use crate::master::Master;
use crate::requests::job;

/// Gives the bus's events to the reactor.
#[derive(Debug)]
pub(super) struct ReactorTap(pub(super) Arc<Reactor>);

impl Tap for ReactorTap {
    fn put(&self, tag: &str, body: &[u8]) {
        self.0.put(tag, body);
    }

    fn manage(&self, tag: &str, data: &Map) {
        self.0.manage(tag, data);
    }
}

/// The master, for its reactor.
pub(super) struct OfMaster {
    master: Weak<Master>,
    runtime: Handle,
}

impl OfMaster {
    /// To be called within the runtime.
    pub(super) fn new(master: &Arc<Master>) -> Self {
        Self { master: Arc::downgrade(master), runtime: Handle::current() }
    }

    fn master(&self) -> Result<Arc<Master>, String> {
        self.master.upgrade().ok_or_else(|| "the master is stopping".to_owned())
    }

    /// The host of a call. Jobs that it starts are the master's own, as those of stock's clients in its processes.
    fn host(&self, master: &Arc<Master>) -> Arc<brine_runners::MasterHost> {
        crate::runs::host(master, self.runtime.clone(), master.config.user.clone())
    }
}

fn of(kind: Kind) -> brine_runners::Kind {
    match kind {
        Kind::Runner => brine_runners::Kind::Runner,
        Kind::Wheel => brine_runners::Kind::Wheel,
    }
}

impl Site for OfMaster {
    fn surroundings(&self) -> Result<Cx, String> {
        let master = self.master()?;
        let registry = master.runs.registry(brine_runners::Kind::Runner).clone();
        let cx = Cx::new(master.runs.opts().clone(), registry, self.host(&master));
        master_minion(&cx, map! {"user" => USER}).map_err(|e| e.to_string())
    }

    fn functions(&self, kind: Kind) -> Option<Arc<Registry>> {
        Some(self.master.upgrade()?.runs.registry(of(kind)).clone())
    }

    fn local(&self, mut load: Map) -> Result<(), String> {
        let master = self.master()?;
        expand(&mut load, &master.config.publish.nodegroups);
        load.insert("user", master.config.user.as_str());
        let checked = job::resolve(&master, &load);
        if checked.minions.is_empty() {
            let target = load.get("tgt").map(python_str).unwrap_or_default();
            return Err(format!("Master could not resolve minions for target {target}"));
        }
        self.runtime.block_on(job::start(&master, load, checked)).map(drop).map_err(|e| e.to_string())
    }

    fn master(&self, kind: Kind, fun: &str, args: Args, begun: &mut dyn FnMut()) {
        let Ok(master) = self.master() else { return };
        let _inside = self.runtime.enter();
        let run = Run {
            kind: of(kind),
            jid: master.new_jid().as_str().to_owned(),
            user: USER.to_owned(),
            opts: master.runs.opts().clone(),
            registry: master.runs.registry(of(kind)).clone(),
            host: self.host(&master),
            quiet: false,
        };
        drop(master);
        run.call_and_tell(fun, args, begun);
    }

    fn may_manage(&self, key: &str) -> bool {
        self.master.upgrade().is_some_and(|master| {
            let owner = master.users.owner_of(key.as_bytes());
            owner.is_some_and(|owner| owner == "root" || owner == master.config.user)
        })
    }

    fn fire(&self, tag: &str, data: Map) {
        if let Ok(master) = self.master() {
            master.events.fire(tag, data);
        }
    }
}

/// Minions do not know the groups, so a target's are replaced by what they stand for, as stock's client does it.
fn expand(load: &mut Map, nodegroups: &Map) {
    let tgt = load.get("tgt").cloned().unwrap_or_default();
    let words: Vec<String> = match (load.get_str("tgt_type"), &tgt) {
        (Some("nodegroup"), tgt) => nodegroup_comp(&python_str(tgt), nodegroups),
        (Some("compound"), Value::Str(text)) if text.contains("N@") => text
            .split_whitespace()
            .flat_map(|word| match word.strip_prefix("N@").filter(|name| !name.is_empty()) {
                Some(name) => nodegroup_comp(name, nodegroups),
                None => vec![word.to_owned()],
            })
            .collect(),
        _ => return,
    };
    load.insert("tgt", words.join(" "));
    load.insert("tgt_type", "compound");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_replaced_by_what_they_stand_for() {
        let groups = map! {"web" => "w1 or w2"};
        let of = |kind: &str, tgt: &str| {
            let mut load = map! {"tgt" => tgt, "tgt_type" => kind};
            expand(&mut load, &groups);
            (load.get_str("tgt").unwrap().to_owned(), load.get_str("tgt_type").unwrap().to_owned())
        };
        let compound = |text: &str| (text.to_owned(), "compound".to_owned());
        assert_eq!(of("compound", "G@os:Debian and x"), compound("G@os:Debian and x"));
        let (tgt, kind) = of("nodegroup", "web");
        assert!(tgt.contains("w1") && tgt.contains("or") && kind == "compound", "{tgt}");
        assert!(of("compound", "N@web and x").0.ends_with("and x"));
        assert_eq!(of("glob", "N@web"), ("N@web".to_owned(), "glob".to_owned()));
    }
}
