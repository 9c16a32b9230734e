//! Every fault that a warehouse can have is told with its place, and none keeps the rest from being read.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use brine_inventory::{Finding, Severity, Snapshot};
use common::load;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A warehouse of files, where `->` before a text makes it a link.
fn warehouse(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("transforms.yaml"), "[]\n").unwrap();
    for (path, text) in files {
        let at = dir.path().join(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        match text.strip_prefix("->") {
            Some(target) => symlink(target, at).unwrap(),
            None => fs::write(at, text).unwrap(),
        }
    }
    // One that has nothing wrong is always read.
    fs::create_dir_all(dir.path().join("good/one")).unwrap();
    fs::write(dir.path().join("good/one/box.yaml"), "a: 1\n").unwrap();
    dir
}

fn read(dir: &Path) -> Snapshot {
    let snapshot = load(dir);
    let good = snapshot.find("good", "one").unwrap();
    assert_eq!(snapshot.view(good).get("a").unwrap().str(), Some("1"));
    snapshot
}

/// The finding of a code; there is one alone.
fn only(snapshot: &Snapshot, code: &str) -> Finding {
    let found: Vec<_> = snapshot.findings().iter().filter(|finding| finding.code == code).collect();
    assert_eq!(found.len(), 1, "{code}: {:#?}", snapshot.findings());
    found[0].clone()
}

fn check(files: &[(&str, &str)], code: &str, severity: Severity, place: &str) {
    let dir = warehouse(files);
    let snapshot = read(dir.path());
    let found = only(&snapshot, code);
    assert_eq!(found.place.as_ref().unwrap().to_string(), place, "{found}");
    assert_eq!(found.severity, severity, "{found}");
    assert_eq!(snapshot.is_sound(), snapshot.findings().iter().all(|f| f.severity == Severity::Warning));
    assert!(!found.message.is_empty());
}

fn error(files: &[(&str, &str)], code: &str, place: &str) {
    check(files, code, Severity::Error, place);
}

fn warning(files: &[(&str, &str)], code: &str, place: &str) {
    check(files, code, Severity::Warning, place);
}

#[test]
fn links_that_lead_nowhere_are_told() {
    error(&[("s/a/rack", "->../../rack/none")], "dangling-link", "s/a/rack:1:1");
    error(&[("s/a/rack", "->../../good")], "dangling-link", "s/a/rack:1:1");
    error(&[("s/a/rack", "->../../good/one/box.yaml")], "dangling-link", "s/a/rack:1:1");
    error(&[("s/a/rack", "->")].map(|(path, _)| (path, "->../../x")), "dangling-link", "s/a/rack:1:1");
    error(&[("s/a/rack", "->../../../etc")], "outside-link", "s/a/rack:1:1");
    error(&[("s/a/rack", "->/etc")], "outside-link", "s/a/rack:1:1");
    error(&[("s", "->../x")], "outside-link", "s:1:1");
    error(&[("s", "->/etc")], "outside-link", "s:1:1");
    error(&[("s", "->none")], "dangling-link", "s:1:1");
    error(&[("s", "->s")], "link-cycle", "s:1:1");
    error(&[("s/a", "->../../x")], "outside-link", "s/a:1:1");
    let dir = warehouse(&[("s/a/rack", "->../../rack/none")]);
    let snapshot = read(dir.path());
    let found = only(&snapshot, "dangling-link");
    let (kind, name) = found.pallet.unwrap();
    assert_eq!((&*kind, &*name), ("s", "a"));
    let link = &snapshot.pallet(snapshot.find("s", "a").unwrap()).links()[0];
    assert_eq!((&*link.name, link.target, &*link.written), ("rack", None, "../../rack/none"));
}

#[test]
fn cycles_are_cut_and_told() {
    error(&[("s/a/l", "->../a"), ("s/a/b.yaml", "x: 1")], "link-cycle", "s/a/l:1:1");
    error(&[("s/a/l", "->../b"), ("s/b/l", "->../c"), ("s/c/l", "->../a")], "link-cycle", "s/c/l:1:1");
    // A pallet that inherits from one that lies in it.
    error(&[("s/a/l", "->b"), ("s/a/b/b.yaml", "x: 1")], "link-cycle", "s/a/b:1:1");
    let files: Vec<(String, String)> =
        (0..20).flat_map(|a| (0..20).map(move |b| (format!("s/p{a}/l{b}"), format!("->../p{b}")))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (&**a, &**b)).collect();
    let dir = warehouse(&files);
    let snapshot = read(dir.path());
    assert_eq!(snapshot.findings().iter().filter(|f| f.code == "link-cycle").count(), 20 * 21 / 2);
    for id in snapshot.pallets() {
        assert!(snapshot.stories(id, "").len() > 1);
    }
}

#[test]
fn boxes_that_cannot_be_read_are_told() {
    error(&[("s/a/b.yaml", "")], "empty-box", "s/a/b.yaml:1:1");
    error(&[("s/a/b.yaml", "# only this\n")], "empty-box", "s/a/b.yaml:1:1");
    error(&[("s/a/b.yaml", "---\n")], "empty-box", "s/a/b.yaml:1:1");
    error(&[("s/a/b.yaml", "- a\n- b\n")], "box-not-a-mapping", "s/a/b.yaml:1:1");
    error(&[("s/a/b.yaml", "\n  text\n")], "box-not-a-mapping", "s/a/b.yaml:2:3");
    error(&[("s/a/b.yaml", "a: 1\n b: 2\n")], "syntax", "s/a/b.yaml:2:3");
    error(&[("s/a/b.yaml", "a: [1\n")], "syntax", "s/a/b.yaml:2:1");
    error(&[("s/a/b.yaml", "a: [!!str, b]\n")], "syntax", "s/a/b.yaml:1:1");
    error(&[("s/a/b.yaml", "a: \"b\\")], "syntax", "s/a/b.yaml:1:6");
    error(&[("s/a/b.yaml", "a: 1\n--- \nb: [\n")], "syntax", "s/a/b.yaml:4:1");
    error(&[("s/a/b.yaml", "a:\n  ? [x]\n  : y\n")], "complex-key", "s/a/b.yaml:2:5");
    error(&[("s/a/b.yaml", "a: *x\n")], "unknown-alias", "s/a/b.yaml:1:4");
    error(&[("s/a/b.yaml", "a: &x [*x]\n")], "recursive-alias", "s/a/b.yaml:1:8");
    warning(&[("s/a/b.yaml", "a: 1\nb: 2\na: 3\n")], "duplicate-key", "s/a/b.yaml:3:1");
    warning(&[("s/a/b.yaml", "a: 1\n---\nb: 2\n---\nc: 3\n")], "more-documents", "s/a/b.yaml:2:1");
}

#[test]
fn no_tag_makes_an_object() {
    for text in [
        "a: !ruby/object:Gem::Installer x\n",
        "a: !ruby/object:OpenStruct {x: 1}\n",
        "a: !ruby/hash:Foo {x: 1}\n",
        "a: !ruby/array:Foo [x]\n",
        "a: !ruby/regexp /x/\n",
        "a: !ruby/sym x\n",
        "a: !str:Foo x\n",
        "a: !map:Foo {}\n",
        "a: !seq:Foo []\n",
        "a: !!binary AAAA\n",
        "a: !!set {x, y}\n",
        "a: !!omap [x: 1]\n",
        "a: !!str {x: 1}\n",
    ] {
        error(&[("s/a/b.yaml", text)], "object-tag", "s/a/b.yaml:1:4");
    }
}

#[test]
fn what_one_box_may_cost_is_bounded() {
    let deep = |open: &str, close: &str| format!("a: {}{}\n", open.repeat(5000), close.repeat(5000));
    error(&[("s/a/b.yaml", &deep("[", "]"))], "too-deep", "s/a/b.yaml:1:103");
    error(&[("s/a/b.yaml", &deep("{a: ", "}"))], "too-deep", "s/a/b.yaml:1:400");
    // Each alias ten of the one before.
    let mut bomb = "a0: &a0 [x]\n".to_owned();
    for n in 1..12 {
        let ten = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{ten}]\n"));
    }
    error(&[("s/a/b.yaml", &bomb)], "too-many-values", "s/a/b.yaml:6:50");
    // Each alias one deeper than the one before.
    let mut nest = "a0: &a0 [x]\n".to_owned();
    for n in 1..200 {
        nest.push_str(&format!("a{n}: &a{n} [*a{}]\n", n - 1));
    }
    error(&[("s/a/b.yaml", &nest)], "too-deep", "s/a/b.yaml:100:12");
    let large = format!("a: {}\n", "x".repeat(5 << 20));
    error(&[("s/a/b.yaml", &large)], "too-large", "s/a/b.yaml:1:1");
    let wide: String = (0..90_000).map(|n| format!("k{n}: v\n")).collect();
    let dir = warehouse(&[("s/a/1.yaml", &wide), ("s/a/2.yaml", &wide)]);
    let snapshot = read(dir.path());
    assert!(snapshot.is_sound());
    let id = snapshot.find("s", "a").unwrap();
    assert_eq!(snapshot.view(id).map().unwrap().len(), 90_001);
    let story = snapshot.story(id, "k89999").unwrap();
    assert_eq!((story.winner.place.to_string(), story.shadowed.len()), ("s/a/2.yaml:90000:9".into(), 1));
}

#[test]
fn names_and_texts_that_are_not_utf8_are_told() {
    let dir = warehouse(&[("s/a/b.yaml", "a: 1\n")]);
    let odd = |parent: &str, name: &[u8]| dir.path().join(parent).join(OsStr::from_bytes(name));
    fs::create_dir_all(odd("s", b"\xff")).unwrap();
    fs::write(odd("s/a", b"\xfe.yaml"), "a: 1\n").unwrap();
    symlink("../b", odd("s/a", b"l\xfd")).unwrap();
    symlink(OsStr::from_bytes(b"../\xfd"), dir.path().join("s/a/link")).unwrap();
    fs::write(dir.path().join("s/a/c.yaml"), b"a: x\nb: y\xff\n").unwrap();
    let snapshot = read(dir.path());
    assert_eq!(snapshot.findings().iter().filter(|f| f.code == "not-utf8-name").count(), 4);
    let found = only(&snapshot, "not-utf8");
    assert_eq!(found.place.unwrap().to_string(), "s/a/c.yaml:2:5");
    assert_eq!(snapshot.of_kind("s").len(), 1);
}

#[test]
fn what_cannot_be_opened_is_told() {
    let dir = warehouse(&[("s/a/b.yaml", "a: 1\n"), ("s/a/other.txt", "x")]);
    // A socket, a pipe and a folder with the name of a box are none.
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("s/a/c.yaml")).unwrap();
    fs::create_dir(dir.path().join("s/a/d.yaml")).unwrap();
    let snapshot = read(dir.path());
    assert_eq!(snapshot.findings(), []);
    assert_eq!(snapshot.pallet(snapshot.find("s", "a").unwrap()).boxes().count(), 1);
    assert!(snapshot.find("s", "a/d.yaml").is_some());
}

#[test]
fn transforms_that_are_wrong_are_told() {
    let wrong = |text: &str, code: &str, severity: Severity, place: &str| {
        let files = [("transforms.yaml", text), ("s/a/b.yaml", "l: [1, {x: y}]\nm: {x: 1}\nt: text\n")];
        check(&files, code, severity, place);
    };
    let error = |text: &str, code: &str, place: &str| wrong(text, code, Severity::Error, place);
    let warning = |text: &str, code: &str, place: &str| wrong(text, code, Severity::Warning, place);
    error("", "no-transforms", "transforms.yaml:1:1");
    error("# none\n", "no-transforms", "transforms.yaml:1:1");
    error("a: 1\n", "wrong-transform", "transforms.yaml:1:1");
    error("- a\n", "wrong-transform", "transforms.yaml:1:3");
    error("- a:\n", "wrong-transform", "transforms.yaml:1:5");
    error("- a:\n  - b\n", "wrong-transform", "transforms.yaml:2:5");
    error("- a:\n  - inherit: ~\n  b: []\n", "wrong-transform", "transforms.yaml:3:6");
    error("- a:\n  - synthesize: {x: y}\n", "wrong-transform", "transforms.yaml:2:17");
    error("- a:\n  - concatenate: [x]\n", "wrong-transform", "transforms.yaml:2:18");
    error("- a:\n  - synthesize_regexp: x\n", "wrong-transform", "transforms.yaml:2:24");
    error(
        "- a:\n  - synthesize_regexp: {sources: [], produce: x}\n",
        "wrong-transform",
        "transforms.yaml:2:34",
    );
    let source = |regexp: &str| {
        format!(
            "- a:\n  - synthesize_regexp:\n      sources: {{x: {{key: t, regexp: {regexp}}}}}\n      produce: '#[x]'\n"
        )
    };
    error(&source("'('"), "regexp", "transforms.yaml:3:37");
    error(&source("'\\G'"), "regexp", "transforms.yaml:3:37");
    error(&source("[]"), "wrong-transform", "transforms.yaml:3:20");
    warning("- a: {synthesize: x}\n", "transform-not-a-list", "transforms.yaml:1:6");
    warning("- a:\n  - split: x\n", "unknown-transform", "transforms.yaml:2:5");
    warning("- a:\n  - synthesize: '#[pallet.boxes]'\n", "list-in-text", "transforms.yaml:2:5");
    error("- a:\n  - synthesize: '#[m]'\n", "mapping-in-text", "transforms.yaml:2:5");
    error("- t.u:\n  - synthesize: x\n", "transform-in-the-way", "transforms.yaml:2:5");
    error("- t:\n  - concatenate: x\n", "concatenate-not-a-list", "transforms.yaml:2:5");
    error("- l:\n  - concatenate: x\n", "mapping-in-text", "transforms.yaml:2:5");
    let map = "- a:\n  - synthesize_regexp:\n      sources: {x: {key: m, regexp: x}}\n      produce: y\n";
    error(map, "source-not-text", "transforms.yaml:2:5");
    let slow = "- a:\n  - synthesize_regexp:\n      sources: {x: {key: t, regexp: '(?=(?<q>x*)*)(x+x+)+\\k<q>y'}}\n      produce: y\n";
    let files = [("transforms.yaml", slow), ("s/a/b.yaml", &format!("t: {}\n", "x".repeat(60)))];
    check(&files, "regexp-too-slow", Severity::Error, "transforms.yaml:2:5");
    // Each twice as long as the one before.
    let double: String =
        (1..40).map(|n| format!("- k{n}:\n  - synthesize: '#[k{}]#[k{}]'\n", n - 1, n - 1)).collect();
    let files = [("transforms.yaml", &*double), ("s/a/b.yaml", "k0: 0123456789\n")];
    check(&files, "value-too-long", Severity::Error, "transforms.yaml:26:5");
    let path = format!("- {}:\n  - synthesize: x\n", vec!["a"; 100].join("."));
    error(&path, "wrong-transform", "transforms.yaml:1:3");
    let dir = warehouse(&[]);
    fs::remove_file(dir.path().join("transforms.yaml")).unwrap();
    only(&read(dir.path()), "no-transforms");
}

#[test]
fn hierarchies_may_have_any_depth() {
    let names: Vec<String> = (0..200).map(|n| format!("p{n}")).collect();
    let dir = warehouse(&[]);
    let mut at = dir.path().join("deep");
    for (n, name) in names.iter().enumerate() {
        at = at.join(name);
        fs::create_dir_all(&at).unwrap();
        fs::write(at.join("box.yaml"), format!("level: {n}\nof{n}: yes\n")).unwrap();
    }
    let snapshot = read(dir.path());
    assert_eq!(snapshot.findings(), []);
    let id = snapshot.find("deep", &names.join("/")).unwrap();
    assert_eq!(snapshot.view(id).get("level").unwrap().str(), Some("199"));
    assert_eq!(snapshot.view(id).get("of0").unwrap().str(), Some("true"));
    assert_eq!(snapshot.view(id).get("pallet.deep").unwrap().str(), Some("p199"));
    assert_eq!(snapshot.pallet(id).leaf_name(), "p199");
    assert_eq!(snapshot.pallet(id).parent_name(), Some(&*names[..199].join("/")));
    assert_eq!(snapshot.story(id, "level").unwrap().shadowed.len(), 199);
    assert_eq!(snapshot.story(id, "of0").unwrap().winner.via.len(), 199);
}

#[test]
fn kinds_and_pallets_may_be_links_within_the_warehouse() {
    let dir = warehouse(&[
        ("real/a/b.yaml", "x: 1\n"),
        ("real/a/up", "->../../good/one"),
        ("kind", "->real"),
        ("other/p", "->../real/a"),
        ("README", "ignored"),
        ("real/README", "ignored"),
        ("real/a/.hidden.yaml", "x: ["),
        ("real/a/.dir/b.yaml", "x: ["),
        ("real/.dot/b.yaml", "x: 2\n"),
        ("real/a/c.yml", "x: ["),
    ]);
    let snapshot = read(dir.path());
    assert_eq!(snapshot.findings(), []);
    assert_eq!(snapshot.kinds().collect::<Vec<_>>(), ["good", "kind", "other", "real"]);
    for (kind, name) in [("real", "a"), ("kind", "a"), ("other", "p")] {
        let id = snapshot.find(kind, name).unwrap();
        assert_eq!(snapshot.view(id).get("x").unwrap().str(), Some("1"));
        assert_eq!(snapshot.view(id).get("a").unwrap().str(), Some("1"));
        assert_eq!(snapshot.view(id).get(&format!("pallet.{kind}")).unwrap().str(), Some(name));
    }
    assert_eq!(snapshot.view(snapshot.find("real", ".dot").unwrap()).get("x").unwrap().str(), Some("2"));
}

#[test]
fn comments_that_are_meant_for_us_are_told() {
    let dir = warehouse(&[
        ("s/a/b.yaml", "a: 1 # pj: allow one\n# other\n#pj: allow two\nb: 'x#pj: no'\n"),
        ("transforms.yaml", "# pj: allow three\n[]\n"),
    ]);
    let snapshot = read(dir.path());
    let id = snapshot.find("s", "a").unwrap();
    let own: Vec<_> = snapshot.pallet(id).remarks().map(|(place, text)| format!("{place} {text}")).collect();
    assert_eq!(own, ["s/a/b.yaml:1:1 pj: allow one", "s/a/b.yaml:3:1 pj: allow two"]);
    let own: Vec<_> = snapshot.remarks().map(|(place, text)| format!("{place} {text}")).collect();
    assert_eq!(own, ["transforms.yaml:1:1 pj: allow three"]);
}
