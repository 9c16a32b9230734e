//! Broken and hostile templates and data: an error that says where, in bounded memory and time, and never a crash.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use brine_core::call::{Registry, Result as CallResult};
use brine_core::files::{Files, Listing};
use brine_core::host::NoHost;
use brine_core::{Cx, Map, Opts, map};
use brine_python::repr;
use brine_render::renderer::{Data, Request, Template, compile_template};
use brine_render::template::Session;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Much more than any of these takes, and much less than what they ask for.
const LONG: Duration = Duration::from_secs(60);

struct Folder(PathBuf);

impl Files for Folder {
    fn cache_file(&self, path: &str, _: &str) -> CallResult<Option<PathBuf>> {
        let file = self.0.join(path);
        Ok(file.is_file().then_some(file))
    }

    fn list(&self, _: &str, _: Listing) -> CallResult<Vec<String>> {
        Ok(Vec::new())
    }

    fn envs(&self) -> CallResult<Vec<String>> {
        Ok(Vec::new())
    }
}

/// What `main.sls` in a tree of these files renders to, as `Ok(repr)`, or the error.
fn render(files: &[(&str, &[u8])]) -> Result<String, String> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let mut cx = Cx::new(Arc::new(Opts::new(Map::new())), Arc::new(Registry::new(&[])), Arc::new(NoHost));
    cx.grains = Arc::new(map! {"os" => "Debian"});
    let session: Rc<Session> = Session::new(&cx, Arc::new(Folder(dir.path().to_path_buf())));
    let main = dir.path().join("main.sls");
    let request = Request { sls: "main", ..Request::new(Template::File(&main), "jinja|yaml") };
    let start = Instant::now();
    let out = session.enter(|| compile_template(&session, &request));
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    match out {
        Ok(rendered) => Ok(match rendered.data {
            Data::Stream(text) => text.to_string(),
            Data::Value(value) => match repr(&value) {
                Ok(text) => text,
                Err(e) => e.to_string(),
            },
        }),
        Err(e) => Err(e.to_string()),
    }
}

/// It fails, and the error says all of these.
fn fails(files: &[(&str, &[u8])], says: &[&str]) {
    let error = render(files).unwrap_err();
    for part in says {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
    assert!(error.len() < 1 << 20, "an error of {} bytes", error.len());
}

fn main_fails(text: &str, says: &[&str]) {
    fails(&[("main.sls", text.as_bytes())], says);
}

#[test]
fn unclosed_tags_say_where() {
    main_fails("a: 1\nb: {{ grains.os\nc: 2\n", &["line 3", "b: {{ grains.os"]);
    main_fails("a: 1\n{% if true %}\nb: 2\n", &["line 2", "<======================", "endif"]);
    main_fails("{% for x in [1] %}\n{% endif %}\n", &["line 2", "endif"]);
    main_fails("a: {# never closed\n", &["line 1", "Missing end of comment tag"]);
    main_fails("a: 1\n{% raw %}\nb\n", &["line 2", "Missing end of raw directive"]);
}

#[test]
fn undefined_names_say_where() {
    main_fails("a: 1\n\nb: {{ nowhere }}\n", &["'nowhere' is undefined", "line 3"]);
    let files: [(&str, &[u8]); 2] = [
        ("main.sls", b"{% from 'lib' import m %}\n{{ m() }}\n"),
        ("lib", b"{% macro m() %}\n{{ gone }}{% endmacro %}"),
    ];
    fails(&files, &["'gone' is undefined", "lib(2):", "{{ gone }}{% endmacro %}    <===="]);
}

#[test]
fn broken_yaml_says_where() {
    main_fails("a: 1\n\tb: 2\n", &["found a tab character that violates indentation", "line 2:", "<===="]);
    main_fails("a: 1\nb: 2\na: 3\n", &["found conflicting ID 'a'", "line 3"]);
    main_fails("a: [1, 2\nb: 3\n", &["line 2"]);
    main_fails("a: {b: 1\n", &["line"]);
    main_fails("a: *nowhere\n", &["undefined alias", "line 1"]);
    main_fails("a: !!python/object:os.system {}\n", &["could not determine a constructor for the tag"]);
}

#[test]
fn templates_that_are_not_there_and_that_include_each_other_say_so() {
    main_fails("a: 1\n{% include 'gone.jinja' %}\n", &["gone.jinja", "line 2"]);
    let files: [(&str, &[u8]); 3] =
        [("main.sls", b"{% include 'a' %}"), ("a", b"{% include 'b' %}"), ("b", b"{% include 'a' %}")];
    fails(&files, &["maximum recursion depth exceeded"]);
    let files: [(&str, &[u8]); 2] = [("main.sls", b"{% import 'a' as a %}"), ("a", b"{% import 'a' as b %}")];
    fails(&files, &["maximum recursion depth exceeded"]);
    let files: [(&str, &[u8]); 2] = [("main.sls", b"{% extends 'a' %}"), ("a", b"{% extends 'a' %}")];
    fails(&files, &["maximum recursion depth exceeded"]);
}

#[test]
fn binary_files_are_an_error() {
    fails(&[("main.sls", b"a: \xff\xfe\x00\x01")], &["can't decode byte 0xff"]);
    let files: [(&str, &[u8]); 2] =
        [("main.sls", b"{% import_yaml 'b' as b %}"), ("b", b"\x7fELF\x02\x01\xff\xff")];
    fails(&files, &["can't decode byte 0xff"]);
    main_fails("a: \u{0}b\n", &["unacceptable character", "\u{0}".trim_matches('\u{0}')]);
}

#[test]
fn alias_bombs_stay_small() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (i, c) in ('b'..='z').enumerate() {
        let before = char::from(b'a' + u8::try_from(i).unwrap());
        let all = vec![format!("*{before}"); 9].join(", ");
        bomb.push_str(&format!("{c}: &{c} [{all}]\n"));
    }
    // As in Python it loads, for it is small as long as nobody goes through it.
    assert!(render(&[("main.sls", bomb.as_bytes())]).is_ok_and(|text| text.len() < 512 << 20));
    let printed = format!("{{% load_yaml as x %}}\n{bomb}{{% endload %}}{{{{ x }}}}");
    main_fails(&printed, &["more than the"]);
}

#[test]
fn endless_loops_end() {
    main_fails(
        "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100) %}{% endfor %}{% endfor %}{% endfor %}",
        &["steps"],
    );
    main_fails("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", &["maximum recursion depth exceeded"]);
    main_fails(
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        &["maximum recursion depth exceeded"],
    );
    main_fails("{% set l = [1] %}{% for x in l %}{% do l.append(1) %}{% endfor %}", &["more than the"]);
    main_fails(
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        &["bytes"],
    );
    main_fails("{{ 'x' * 10 ** 12 }}", &["bytes"]);
    main_fails("{{ 10 ** (10 ** 10) }}", &["bits"]);
    main_fails("{{ '%99999999999d' % 1 }}", &[]);
    main_fails("{{ 'x' | center(10 ** 11) }}", &[]);
    main_fails("{{ range(10 ** 9) | list }}", &["Range too big"]);
}

#[test]
fn deep_nesting_is_an_error() {
    const DEEP: usize = 1_000_000;
    main_fails(&format!("{{{{ {}1{} }}}}", "(".repeat(DEEP), ")".repeat(DEEP)), &["line 1"]);
    main_fails(&format!("{{{{ {}1 }}}}", "-".repeat(DEEP)), &["line 1"]);
    main_fails(&format!("{{{{ 1{} }}}}", " + 1".repeat(DEEP)), &["line 1"]);
    main_fails(&"{% if true %}".repeat(DEEP), &["line 1"]);
    main_fails(&format!("a: {}", "[".repeat(DEEP)), &[]);
    main_fails(&format!("a: {}{}", "{b: ".repeat(DEEP), "}".repeat(DEEP)), &[]);
    main_fails(&"- ".repeat(DEEP), &[]);
    let mut blocks = String::new();
    for depth in 0..2000 {
        blocks.push_str(&format!("{}a:\n", " ".repeat(depth)));
    }
    main_fails(&blocks, &[]);
    main_fails(&format!("{{% set x = {:?} | load_json %}}", "[".repeat(DEEP)), &[]);
    main_fails(
        "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
        &["maximum recursion depth exceeded"],
    );
}
