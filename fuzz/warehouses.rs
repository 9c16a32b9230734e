//! What the fuzz target for warehouses does with its input, shared by libFuzzer's program and the bounded test on stable.

use brine_inventory::{Node, Origin, Snapshot, parse};
use std::fs;

/// How deep a view may go: boxes and the keys of transforms are bounded.
const DEEPEST: usize = 200;

/// Reads the input as a box, and as a warehouse: what is before a zero byte as its transforms, what is behind it as the boxes of two
/// pallets of which one inherits from the other. Whatever it is, there are views, and each value has a story.
pub(crate) fn warehouse(data: &[u8]) {
    let (root, findings) = parse(data, "box.yaml");
    assert!(root.is_some() || findings.iter().all(|finding| finding.place.is_some()));
    if let Some(root) = &root {
        depth(root, 0);
    }
    let (transforms, content) = match data.iter().position(|b| *b == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, data),
    };
    let dir = tempfile::tempdir().expect("a folder for temporary files");
    let put = |path: &str, text: &[u8]| {
        let at = dir.path().join(path);
        fs::create_dir_all(at.parent().expect("a folder"))
            .and_then(|()| fs::write(at, text))
            .expect("a file");
    };
    put("transforms.yaml", transforms);
    put("k/p/a.yaml", content);
    put("k/p/q/b.yaml", content);
    let origin = Origin::Directory(dir.path().into());
    let snapshot = Snapshot::load(&origin, &mut |_| {}).expect("a folder is a warehouse");
    assert_eq!(snapshot.pallets().count(), 2);
    for id in snapshot.pallets() {
        depth(snapshot.view(id), 0);
        for (path, story) in snapshot.stories(id, "").into_iter().take(50) {
            assert_eq!(Some(&story.winner.value), snapshot.view(id).get(&path), "{path}");
        }
    }
    let again = snapshot.reload(&origin, &mut |_| {}).expect("it is still there");
    assert_eq!(again.findings(), snapshot.findings());
}

fn depth(node: &Node, at: usize) {
    assert!(at < DEEPEST);
    match node {
        Node::Map(map) => map.iter().for_each(|(_, value)| depth(value, at + 1)),
        Node::List(list) => list.items().iter().for_each(|value| depth(value, at + 1)),
        Node::Scalar(_) => {}
    }
}
