//! Files for Salt's pillar as `palletjack2salt` writes them, for masters that read files: one for all minions, and one for each.
//! Ours needs none of them; what is selected is decided in [`crate::salt`].

use super::reader::shown;
use super::{Export, File, Provenance, Reader, check, text_file, yaml};
use crate::node::MapBuilder;
use crate::{Node, Place, Severity, Snapshot, salt};

/// `palletjack/global.sls`, for all minions.
pub fn global(snap: &Snapshot, made: &Provenance) -> Export {
    let text = document(&["palletjack", "global"], salt::global(snap));
    let file = text_file("palletjack/global.sls", made.header("##"), text);
    Export { files: vec![file], findings: Vec::new() }
}

/// `<fqdn>.yaml` for each system.
pub fn minions(snap: &Snapshot, made: &Provenance) -> Export {
    let mut reader = Reader::new(snap);
    let mut files: Vec<File> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let header = made.header("##");
    for &id in snap.of_kind("system") {
        let Some(fqdn) = reader.text(id, "net.dns.fqdn") else {
            reader.say(
                "no-fqdn",
                Severity::Warning,
                id,
                "",
                "it has no net.dns.fqdn, so it is no minion".into(),
            );
            continue;
        };
        if !check::is_file_name(fqdn) {
            reader.unfit(id, "net.dns.fqdn", fqdn, "a file's name");
            continue;
        }
        if !seen.insert(fqdn) {
            let message = format!("another system is called {}, too", shown(fqdn));
            reader.say("duplicate-fqdn", Severity::Error, id, "net.dns.fqdn", message);
            continue;
        }
        let text = document(&["palletjack"], salt::minion(snap, id));
        files.push(text_file(format!("{fqdn}.yaml"), header.clone(), text));
    }
    Export { files, findings: reader.findings }
}

/// A tree below some keys, as a document.
fn document(keys: &[&str], tree: Node) -> String {
    let whole = keys.iter().rev().fold(tree, |inner, key| {
        let mut outer = MapBuilder::new(Place::whole(""));
        outer.set((*key).into(), inner);
        Node::Map(outer.build())
    });
    format!("---\n{}", yaml::block(&whole))
}
