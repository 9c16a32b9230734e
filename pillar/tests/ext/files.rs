//! Sources that read trees of files: `file_tree`, `stack`, `saltclass`.

use crate::stock::{Case, compare, number};
use brine_testing::Random;
use serde_json::json;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn write(dir: &Path, path: &str, text: impl AsRef<[u8]>) {
    let file = dir.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn file_trees() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    for (path, text) in [
        ("hosts/web1/a", &b"one\n"[..]),
        ("hosts/web1/b.txt", b"two\n\n"),
        ("hosts/web1/d/c", b"no end"),
        ("hosts/web1/d/e/f", b"\xff\x00\n"),
        ("hosts/web1/d/empty", b""),
        ("hosts/web1/d/blank", b" \n"),
        ("hosts/web1/t/jinja", b"#!jinja\n{{ grains.os }}\n"),
        ("hosts/web1/t/yaml", b"#!jinja|yaml\na: {{ grains['num'] }}\nb: [1]\n"),
        ("hosts/web1/t/plain", b"x: {{ 1 + 1 }}\n"),
        ("hosts/web1/t/path", b"#!/bin/sh\n"),
        ("hosts/file", b"x"),
        ("hosts/web1/.hidden", b"h\n"),
        ("nodegroups/in/a", b"of group\n"),
        ("nodegroups/in/g", b"of group\n"),
        ("nodegroups/in/d/g", b"deep\n"),
        ("nodegroups/out/a", b"not this\n"),
        ("nodegroups/unknown/a", b"not this\n"),
        ("linked/x", b"linked\n"),
    ] {
        write(&tree, path, text);
    }
    symlink(tree.join("linked"), tree.join("hosts/web1/link")).unwrap();
    symlink(tree.join("linked/x"), tree.join("hosts/web1/flink")).unwrap();
    symlink("nowhere", tree.join("hosts/web1/broken")).unwrap();
    fs::create_dir_all(tree.join("hosts/web1/nothing")).unwrap();
    write(dir.path(), "pillar/sub/hosts/web1/z", "relative\n");
    let root = tree.to_string_lossy().into_owned();
    let groups = json!({"nodegroups": {"in": "web* and G@os:Debian", "out": "nobody"}});
    let mut cases = Vec::new();
    let plain = fs::read_dir(tree.join("hosts/web1/t")).unwrap().count();
    assert_eq!(plain, 4);
    for more in [
        json!({}),
        json!({"keep_newline": true}),
        json!({"keep_newline": ["./a", "d/*"]}),
        json!({"keep_newline": ["b.txt", "*e/f", 7]}),
        json!({"keep_newline": "a"}),
        json!({"follow_dir_links": true}),
        json!({"debug": true, "follow_dir_links": true}),
        json!({"odd": 1}),
    ] {
        let mut args = json!({"root_dir": root});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        cases.push(Case::source("file_tree", args.clone()).unordered());
        cases.push(Case::source("file_tree", args).with(groups.clone()).unordered());
    }
    // What is not UTF-8 is no template.
    fs::remove_dir_all(tree.join("hosts/web1/d/e")).unwrap();
    cases.push(Case::source("file_tree", json!([root])).unordered());
    cases.push(Case::source("file_tree", json!(root)).unordered());
    for args in
        [json!({}), json!({"root_dir": ""}), json!({"root_dir": "/nowhere"}), json!({"root_dir": "sub"})]
    {
        cases.push(Case::source("file_tree", args));
    }
    cases.push(Case::source("file_tree", json!({"root_dir": "sub"})).with(json!({"pillarenv": "base"})));
    cases.push(
        Case::source("file_tree", json!({"root_dir": "./x/../sub"})).with(json!({"pillarenv": "base"})),
    );
    cases.push(Case::source("file_tree", json!({"root_dir": "sub"})).with(json!({"pillarenv": "dev"})));
    let mut file = Case::source("file_tree", json!({"root_dir": root}));
    file.id = "file";
    cases.push(file);
    let mut none = Case::source("file_tree", json!({"root_dir": root})).with(groups);
    none.id = "webx";
    cases.push(none.unordered());
    compare(dir.path(), &cases);
}

#[test]
fn file_trees_are_rendered() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    for (path, text) in [
        ("hosts/web1/jinja", "#!jinja\n{{ grains.os }}\n"),
        ("hosts/web1/yaml", "#!jinja|yaml\na: {{ grains['num'] }}\nb: [1]\n"),
        ("hosts/web1/plain", "x: 1\n"),
        ("hosts/web1/path", "#!/bin/sh\n"),
        ("hosts/web1/empty", ""),
        ("hosts/web1/blank", " \n"),
    ] {
        write(&tree, path, text);
    }
    let root = tree.to_string_lossy().into_owned();
    let mut cases: Vec<Case> = [
        json!({"template": true}),
        json!({"template": true, "render_default": "jinja"}),
        json!({"template": true, "render_default": "jinja|yaml", "renderer_blacklist": ["yaml"]}),
        json!({"template": true, "render_default": "jinja|yaml", "renderer_whitelist": ["yaml"], "keep_newline": true}),
        json!({"template": "yes", "render_default": "jinja"}),
    ]
    .into_iter()
    .map(|mut args| {
        args["root_dir"] = json!(root);
        Case::source("file_tree", args).unordered()
    })
    .collect();
    write(&tree, "hosts/web2/bad", "{{ nope.x }}\n");
    let mut bad =
        Case::source("file_tree", json!({"root_dir": root, "template": true, "render_default": "jinja"}));
    bad.id = "web2";
    cases.push(bad);
    compare(dir.path(), &cases);
}

fn tree(r: &mut Random, depth: usize) -> String {
    match r.below(if depth > 2 { 4 } else { 9 }) {
        0 => r.below(4).to_string(),
        1 => r
            .pick(&["text", "'7'", "~", "true", "1.5", "\"{{ __grains__.os }}\"", "\"{{ minion_id }}\""])
            .to_owned(),
        2 => r.pick(&["[]", "{}", "[1, 2]", "[a, b]"]).to_owned(),
        3 => r.pick(&["x", "y"]).to_owned(),
        4 | 5 => {
            let mut items: Vec<String> = (0..r.below(4)).map(|_| tree(r, depth + 1)).collect();
            if r.once_in(3) {
                items.insert(0, format!("{{__: {}}}", strategy(r)));
            }
            format!("[{}]", items.join(", "))
        }
        _ => {
            let mut items = Vec::new();
            for key in ["a", "b", "c", "1"] {
                if r.once_in(2) {
                    items.push(format!("{key}: {}", tree(r, depth + 1)));
                }
            }
            if r.once_in(3) {
                items.insert(0, format!("__: {}", strategy(r)));
            }
            format!("{{{}}}", items.join(", "))
        }
    }
}

fn strategy(r: &mut Random) -> String {
    if r.once_in(25) {
        "odd".into()
    } else {
        r.pick(&["overwrite", "merge-first", "merge-last", "remove"]).to_owned()
    }
}

#[test]
fn stacks_made_up_at_random() {
    let dir = tempfile::tempdir().unwrap();
    let mut r = Random::new(number("BRINE_SEED", 1));
    let mut cases = Vec::new();
    for n in 0..number("BRINE_CASES", 50) {
        let folder = dir.path().join(n.to_string());
        let mut cfg = String::new();
        for k in 0..1 + r.below(4) {
            let mut text = String::new();
            if r.once_in(4) {
                writeln!(text, "__: {}", strategy(&mut r)).unwrap();
            }
            for key in ["a", "b", "c", "d"] {
                if r.once_in(2) {
                    writeln!(text, "{key}: {}", tree(&mut r, 0)).unwrap();
                }
            }
            if r.once_in(5) {
                text.push_str("s: {{ stack.get('a', 'none') }}\n");
            }
            write(&folder, &format!("f{k}.yml"), text);
            writeln!(cfg, "f{k}.yml").unwrap();
        }
        write(&folder, "stack.cfg", cfg);
        let path = folder.join("stack.cfg").to_string_lossy().into_owned();
        cases.push(Case::source("stack", json!(path)));
    }
    compare(dir.path(), &cases);
}

#[test]
fn stacks() {
    let dir = tempfile::tempdir().unwrap();
    let d = dir.path().join("s");
    for (path, text) in [
        (
            "one.cfg",
            "core.yml\n\n  \nroles/*.yml\n{{ minion_id }}.yml\n{% if __grains__['os'] == 'Debian' %}deb.yml{% endif %}\nnope.yml\n",
        ),
        ("list.cfg", "- core.yml\n- roles/b.yml\n- 'x'\n"),
        ("num.cfg", "- core.yml\n- 7\n"),
        ("undef.cfg", "{{ nope.x }}\n"),
        ("syntax.cfg", "{% if %}\n"),
        ("up.cfg", "../s/core.yml\nsub/../core.yml\n../outside.yml\n"),
        ("abs.cfg", "/etc/hostname\n"),
        ("bad.cfg", "bad.yml\n"),
        ("badyaml.cfg", "badyaml.yml\n"),
        ("scalar.cfg", "scalar.yml\ncore.yml\n"),
        ("include.cfg", "{% include 'part.cfg' %}\n"),
        ("part.cfg", "core.yml\nhidden/*\nhidden/.*\n"),
        ("dev.cfg", "roles/a.yml\n"),
        (
            "core.yml",
            "a: 1\nl: [1, 2]\nopts: {{ __opts__.id }}\nt: {{ __stack__.traverse(__grains__, 'n:x') }} {{ __stack__.traverse(stack, 'q:w', 'none') }}\np: {{ pillar.get('x') }}\nenv: {{ pillarenv }}\ncfg: {{ __stack__.cfg_path.split('/')[-1] }}\nyml: {{ ymlpath.split('/')[-1] }}\n",
        ),
        ("roles/a.yml", "a: 2\nl: [3]\n{% do stack.update({'done': 1}) %}"),
        (
            "roles/b.yml",
            "b: {{ stack['a'] }}\nd: {{ {'x': [1, {'y': 2}]} }}\nj: {{ {'x': 1}|json }}\ng: {{ __salt__['grains.get']('n:x') }}\n",
        ),
        (
            "web1.yml",
            "{% set m = stack['l'] %}n: {{ m|length }}\nimp: {% import_yaml 'part.yml' as part %}{{ part.x }}\n",
        ),
        ("part.yml", "x: imported\n"),
        ("deb.yml", "deb: true\nnull_value: ~\nempty: {{ nothing }}\n"),
        ("bad.yml", "{{ nope.x }}\n"),
        ("badyaml.yml", "a: [\n"),
        ("scalar.yml", "just text\n"),
        ("hidden/.h.yml", "h: 1\n"),
        ("hidden/v.yml", "v: 1\n"),
    ] {
        write(&d, path, text);
    }
    write(dir.path(), "outside.yml", "out: 1\n");
    let file = |name: &str| d.join(name).to_string_lossy().into_owned();
    let mut cases = Vec::new();
    for name in [
        "one.cfg",
        "list.cfg",
        "num.cfg",
        "undef.cfg",
        "syntax.cfg",
        "up.cfg",
        "bad.cfg",
        "scalar.cfg",
        "include.cfg",
        "missing.cfg",
        "abs.cfg",
    ] {
        cases.push(Case::source("stack", json!(file(name))));
        cases.push(
            Case::source("stack", json!([file(name), file("one.cfg")])).with(json!({"pillarenv": "dev"})),
        );
    }
    for args in [
        json!({"grains:os": {"Debian": file("one.cfg"), "Other": file("bad.cfg")}}),
        json!({"grains:os": {"Other": file("bad.cfg")}}),
        json!({"grains:n:zero": {"0": file("bad.cfg")}}),
        json!({"grains:roles": {"a": file("bad.cfg")}}),
        json!({"opts:id": {"here_master": [file("dev.cfg"), file("list.cfg")]}}),
        json!({"opts:pillarenv": {"__env__": file("__env__.cfg")}}),
        json!({"pillar:x": {"1": "y"}}),
        json!({"pillar:over": {"yes": [file("dev.cfg")]}}),
        json!({"odd:os": {"a": "b"}}),
        json!({"grains": {"a": "b"}}),
        json!({"grains:os": "text"}),
        json!({"grains:os": {"Debian": 7}}),
        json!([7]),
        json!([]),
        json!({}),
    ] {
        let mut case = Case::source("stack", args).with(json!({"pillarenv": "dev"}));
        case.over = json!({"over": "yes"});
        cases.push(case);
    }
    compare(dir.path(), &cases);
}

/// Stock's error shows the whole text.
#[test]
fn an_error_in_yaml_does_not_show_the_text() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "x.cfg", "x.yml\n");
    write(dir.path(), "x.yml", "password: hunter2\na: [\n");
    let case = Case::source("stack", json!(dir.path().join("x.cfg")));
    let told = crate::stock::ours(&case, &case.opts);
    assert!(told.contains("Failed to load ext_pillar stack: Stack pillar yaml parsing error in"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

fn class(r: &mut Random, names: &[&str]) -> String {
    let mut text = String::new();
    let some = |r: &mut Random, names: &[&str], most: usize| {
        (0..r.below(most)).map(|_| r.pick(names).to_owned()).collect::<Vec<_>>().join(", ")
    };
    if r.once_in(2) {
        writeln!(text, "classes: [{}]", some(r, names, 4)).unwrap();
    }
    if r.once_in(2) {
        writeln!(text, "states: [{}]", some(r, &["s1", "s2", "s3"], 4)).unwrap();
    }
    if r.once_in(4) {
        writeln!(text, "environment: {}", r.pick(&["base", "dev", "{{ minion_id }}"])).unwrap();
    }
    if !r.once_in(4) {
        text.push_str("pillars:\n");
        for key in ["a", "b", "c", "d"] {
            if r.once_in(2) {
                let value = r.pick(&[
                    "1",
                    "text",
                    "[1, 2]",
                    "['^', 3]",
                    "{x: 1, y: [a]}",
                    "{x: {z: 2}, y: ['^', b]}",
                    "'${a}'",
                    "'pre ${b:x} post'",
                    "'\\${a}'",
                    "['${a}', {q: '${c}'}]",
                    "'${a}-${d}'",
                    "'${nope:x}'",
                    "{{ __grains__['os'] }}",
                    "'{{ __pillar__.get('a', 'none') }}'",
                    "~",
                ]);
                writeln!(text, "  {key}: {value}").unwrap();
            }
        }
        text.push_str("  z: 0\n");
    }
    text
}

#[test]
fn saltclass() {
    let dir = tempfile::tempdir().unwrap();
    let mut r = Random::new(number("BRINE_SEED", 1));
    // A pattern that several match gives them in the order of the folder.
    let names = ["one", "two", "app.web", "app", "app.db", "app.w*", "deep.*.x", "nope", "tw?"];
    let mut cases = Vec::new();
    for n in 0..number("BRINE_CASES", 50) {
        let root = dir.path().join(n.to_string());
        for file in ["one.yml", "two.yml", "app/init.yml", "app/web.yml", "app/db.yml", "deep/a/x.yml"] {
            if !r.once_in(6) {
                let text = class(&mut r, &names);
                write(&root, &format!("classes/{file}"), text);
            }
        }
        if !r.once_in(8) {
            let text = class(&mut r, &names);
            write(&root, r.pick(&["nodes/web1.yml", "nodes/x/web1.yml"]), text);
        }
        let path = root.to_string_lossy().into_owned();
        cases.push(Case::source("saltclass", json!([{"path": path}])).unordered());
    }
    let path = dir.path().join("0").to_string_lossy().into_owned();
    for args in [
        json!({"path": path}),
        json!([]),
        json!([{"pat": 1}]),
        json!([{"path": "/nowhere"}]),
        json!(path),
        json!([{"path": 1}]),
    ] {
        cases.push(Case::source("saltclass", args));
    }
    for (n, node) in [
        "",
        "- a\n",
        "pillars: ~\n",
        "pillars: {a: []}\nclasses: [c]\n",
        "classes: [../x]\n",
        "{{ nope.x }}\n",
        "a: [\n",
    ]
    .into_iter()
    .enumerate()
    {
        let root = dir.path().join(format!("odd{n}"));
        write(&root, "nodes/web1.yml", node);
        write(&root, "classes/c.yml", "pillars: {a: [1]}\n");
        write(&root, "x.yml", "pillars: {escaped: 1}\n");
        cases.push(Case::source("saltclass", json!([{"path": root}])).unordered());
    }
    compare(dir.path(), &cases);
}
