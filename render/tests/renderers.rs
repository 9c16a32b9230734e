//! Pipelines and renderers against stock's own, in one process of stock's Python: values and error texts.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose other and more of the generated ones.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

#[path = "common/stock.rs"]
mod stock;

use brine_core::call::Registry;
use brine_core::files::NoFiles;
use brine_core::host::NoHost;
use brine_core::{Cx, Map, Opts, Value, map};
use brine_python::{PyErr, repr};
use brine_render::renderer::{Data, Request, Template, compile_template};
use brine_render::template::Session;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use stock::Stock;

/// One text for a pipeline.
#[derive(Clone)]
struct Case {
    pipe: String,
    text: String,
    sls: &'static str,
    /// Whether nothing that was rendered before counts.
    fresh: bool,
}

fn case(pipe: &str, text: &str) -> Case {
    Case { pipe: pipe.into(), text: text.into(), sls: "", fresh: false }
}

fn session(opts: Map) -> Rc<Session> {
    let cx = Cx::new(Arc::new(Opts::new(opts)), Arc::new(Registry::new(&[])), Arc::new(NoHost));
    Session::new(&cx, Arc::new(NoFiles))
}

fn failed(e: &PyErr) -> String {
    format!("{}: {e}", e.kind().name())
}

fn ours(session: &Rc<Session>, request: &Request<'_>) -> String {
    let out = session.enter(|| compile_template(session, request));
    match out.map(|rendered| rendered.data) {
        Ok(Data::Stream(text)) => format!("{} read", repr(&brine_python::Obj::Str(text)).unwrap()),
        Ok(Data::Value(value)) => repr(&value).unwrap(),
        Err(e) => failed(&e),
    }
}

fn stock(cases: &[Case], dir: &Path, opts: &Json) -> Vec<Json> {
    let mut questions = vec![json!({"dir": dir, "opts": opts})];
    questions.extend(
        cases.iter().map(|c| json!({"pipe": c.pipe, "text": c.text, "sls": c.sls, "fresh": c.fresh})),
    );
    Stock::start(include_str!("data/stock_renderers.py")).ask(&questions).split_off(1)
}

/// Compares, and shows what differs.
fn compare(cases: &[Case]) {
    let dir = tempfile::tempdir().unwrap();
    let theirs = stock(cases, dir.path(), &json!({}));
    let mut run = session(Map::new());
    let mut wrong = Vec::new();
    for (case, theirs) in cases.iter().zip(&theirs) {
        if case.fresh {
            run = session(Map::new());
        }
        let request = Request { sls: case.sls, ..Request::new(Template::Text(&case.text), &case.pipe) };
        let ours = ours(&run, &request);
        // Below what stock says of YAML, ours shows the lines.
        let said = ours.split_once("\n\nline ").map_or(ours.as_str(), |(said, _)| said);
        if theirs.as_str().is_none_or(|t| t != ours && t != said) {
            wrong.push(format!("{} {:?}\n    stock {theirs}\n    ours  {ours}", case.pipe, case.text));
        }
    }
    println!("{} cases compared", cases.len());
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn pipelines_are_as_in_stock() {
    let mut cases = Vec::new();
    let texts = [
        "",
        " \n",
        "a: 1",
        "a: b: c",
        "a:\n\t- b",
        "a: [1",
        "*x",
        "a: \u{1}",
        "a: 1\na: 2",
        "{{a}}: 1",
        "!foo a",
        "? {a: 1}\n: 2",
        "[a,{a: 1}]",
        "a: \"x",
        "%YAML 3.0\n---\na",
        "a\n---\nb",
        "a: &x 1\nb: &x 2\n",
        "null",
        "[]",
        "0",
        "false",
        "a: 1\r\nb: |\r\n  x\r\n  y\r\n",
        "#!yaml\na: 1",
        "#!yaml|nothing\na: 1",
        "#!/bin/sh\na: 1",
        "#!\na: 1",
        "#! yaml\na: 1",
        "#!yaml_jinja\na: 1",
        "#!text\na",
        "#!msgpack\na",
        "#!hjson\na",
        "#!yaml|yaml\na: 1",
        "#!yaml|nacl\na: 1",
        "#!yaml|gpg\na: [b, {c: d}, 1, null]",
        "#!gpg|yaml\na: \"x\ny\"",
        "#!gpg\na\n\n",
        "#!yaml|gpg\na: |\n  -----BEGIN PGP MESSAGE-----\n  x\n",
        "#!nacl|yaml\na: 1",
        "é: ü",
        "\u{feff}#!yaml\na: 1",
        "<<: {a: 1}\nb: 2",
        "a: 2001-12-14\nb: 012\nc: 0o17\nd: 1_000\ne: !!set {a}\nf: !!binary aGk=",
        "- a\n- - b\n  - c",
        "text",
        "a: {b: {c: [1, 2.5, ~, yes, \"1\"]}}",
    ];
    for pipe in [
        "yaml",
        "msgpack",
        "gpg",
        "nacl",
        "hjson",
        "yaml|yaml",
        "nothing",
        "yaml | gpg",
        "gpg|yaml",
        "|yaml",
        "yaml -o x",
    ] {
        cases.extend(texts.map(|text| case(pipe, text)));
    }
    compare(&cases);
}

#[test]
fn templates_and_data_in_pipelines_are_as_in_stock() {
    let texts = [
        "{% set x = {'a': [1, 2]} %}b: {{ x }}",
        "a: {{ b }}",
        "#!jinja\n{{ 1 + 1 }}\n",
        "#!jinja -s\n{{ 1 }}",
        "#!jinja -x\n{{ 1 }}",
        "#!yaml|jinja\na: 1",
        "#!jinja|yaml|gpg\na: {{ sls }}",
        "#!jinja|json\n{\"a\": {{ 1 }}}",
        "#!json\n{\"a\": [1.5, null, true, {}]}",
        "#!json\nnull",
        "#!json\n{",
        "#!json|json\n{}",
        "#!json|gpg\n[1]",
        "#!json_jinja\n[1]",
        "#!yaml_jinja\na: {{ 1 }}",
        "#!yamlex\na: [1, 2]\nb: {c: d}",
        "#!jinja|yamlex\na: !aggregate [1]\nb: !reset {c: {{ 1 }}}",
        "#!yamlex\n",
        "#!yamlex\na: b: c",
        "#!yamlex|gpg\na: x",
        "{{ saltenv }}: {{ tplfile }}",
        "a:\r\n  - {{ 1 }}\r\n",
        "#!jinja\r\na {{ 1 }}\r\nb",
        "{% if %}",
        "{{ 'x' }}: {{ 'y: z' }}",
        "a: {{ {'b': none} | json }}",
    ];
    let mut cases: Vec<Case> = texts.map(|text| case("jinja|yaml", text)).into();
    for case in &mut cases {
        case.sls = "top.web";
    }
    compare(&cases);
}

#[test]
fn stateconf_is_as_in_stock() {
    let options = [
        "",
        "-o",
        "-G",
        "-s",
        "-Go",
        "-os",
        "-sGp",
        "-x",
        "--long",
        "-- ",
        "yaml",
        "foo . jinja",
        "yaml . foo",
        "-o json . jinja",
        "json . jinja",
    ];
    let texts = [
        "a:\n  cmd.run:\n    - name: x\nb:\n  pkg.installed\n",
        ".a:\n  cmd.run:\n    - name: x\n    - require: [{pkg: .b}]\n.b:\n  pkg.installed\n",
        ".a:\n  cmd.run\n.b:\n  pkg.installed:\n    - watch: [{cmd: .a}]\n    - require: [{cmd: .a}]\n",
        ".a:\n  cmd.run:\n    - require_in: [{pkg: .b}]\n.b:\n  pkg.installed:\n    - require_in: [{cmd: .a}]\n",
        "a:\n  cmd.run:\n    - require: [{pkg: b}]\nb:\n  pkg.installed\n",
        "a:\n  cmd.run:\n    - names: [x, y]\n",
        "a:\n  cmd.run:\n    - x\n  cmd.wait:\n    - y\n",
        "include: [.x, y, {dev: .z}, {dev: lost}]\nexclude: [{sls: .x}, {id: a}]\na:\n  b.c\n",
        "include: [.x]\nextend:\n  .a:\n    cmd.run:\n      - require: [{pkg: .b}]\n.b:\n  pkg.installed\n",
        "exclude: [.x]\na: b.c\n",
        "..a:\n  b.c\n",
        "...a:\n  b.c\n",
        "....a:\n  b.c\n",
        ".a::b:\n  b.c\n",
        "..a::b:\n  b.c\n",
        ".a:\n  b.c\nmy.sls::a:\n  b.c\n",
        ".start:\n  b.c\n",
        ".goal:\n  b.c\n",
        "a: 1",
        "a: [1]",
        "- a",
        "a: {}",
        "{}",
        "a:\n  cmd.run: 1",
        "a:\n  cmd.run:\n    - {}\n",
        "1:\n  b.c",
        "a:\n  1: []\n",
        "a:\n  b.c:\n    - require: x\n",
        "a:\n  b.c:\n    - require: [{pkg: [1]}]\n",
        "__x: 1\na:\n  __y: 2\n  b.c: []\n",
        "a: b: c",
        "include: x\n",
        ".c:\n  stateconf.set:\n    - port: 80\n    - names: [x]\n# --- end of state config ---\n.u:\n  cmd.run:\n    - name: p {{ c.port }} {{ sls_dir }}\n",
        ".c:\n  stateconf: [set, {port: 81}]\n# -- end of state config -\n.u:\n  cmd.run:\n    - name: p {{ c.port }}\n",
        ".u:\n  cmd.run:\n    - name: p {{ c.port }}\n",
    ];
    // Stock loads all its states to say what is wrong with these, which takes a while.
    let slow = texts.iter().position(|text| *text == "a: 1").unwrap();
    let mut cases = Vec::new();
    for option in options {
        for (at, text) in texts.into_iter().enumerate() {
            if at >= slow && !["", "-o"].contains(&option) || at > 0 && option.ends_with('p') {
                continue;
            }
            let pipe = format!("stateconf {option}");
            cases.push(Case { sls: "my.sls", fresh: true, ..case(&pipe, text) });
        }
    }
    // What one file sets is there for the next of the run.
    let set = ".c:\n  stateconf.set:\n    - port: 8080\n    - require: [{pkg: x}]\n";
    let extend = "extend:\n  my.sls::c:\n    stateconf.set:\n      - port: 9090\n      - require: [{pkg: y}]\n# -- end of state config --\n";
    let uses = "a:\n  cmd.run:\n    - name: '{{ c }}'\n";
    for (first, texts) in [(true, [set, uses]), (true, [extend, set])] {
        for (at, text) in texts.into_iter().enumerate() {
            cases.push(Case {
                sls: "my.sls",
                fresh: first && at == 0,
                ..case("stateconf yaml . jinja", text)
            });
        }
    }
    cases.push(Case { sls: "my.sls", ..case("stateconf yaml . jinja", uses) });
    for text in [
        "#!jinja|yaml|stateconf -p\n.a:\n  b.c\n",
        "#!yaml|stateconf -po\n.a:\n  b.c\n.b:\n  b.c\n",
        "#!jinja|stateconf\na:\n  b.c\n",
    ] {
        cases.push(Case { sls: "my.sls", fresh: true, ..case("yaml", text) });
    }
    compare(&cases);
}

/// Small, repeatable random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n as u64) as usize
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

const PIPES: &[&str] = &[
    "yaml",
    "json",
    "jinja",
    "jinja|yaml",
    "jinja|json",
    "yaml|gpg",
    "gpg|yaml",
    "yaml|nacl",
    "nacl|yaml",
    "jinja|yaml|gpg|nacl",
    "yaml|yaml",
    "json|yaml",
    "hjson",
    "msgpack",
    "stateconf -G yaml . jinja",
    "jinja|yaml|stateconf -pG",
    "yaml_jinja",
    "nope",
    "jinja -s|yaml",
    "jinja -x",
    " jinja | yaml ",
    "jinja||yaml",
    "yaml|stateconf -op",
];
const HEADS: &[&str] = &[
    "",
    "",
    "",
    "",
    "#!yaml\n",
    "#!jinja|json\n",
    "#!gpg|yaml\r\n",
    "#!json\n",
    "#!nope\n",
    "#!/bin/sh\n",
    "#!\n",
    "\n",
    "#!jinja\r",
];
const PIECES: &[&str] = &[
    "a: ",
    "b: ",
    "- ",
    "  ",
    "\n",
    "\n",
    "\n  ",
    "\r\n",
    "[1, 2]",
    "{c: d}",
    "{\"e\": [1.5, null]}",
    "\"x\"",
    "'y'",
    "null",
    "~",
    "true",
    "1",
    "0o7",
    "{{ 1 + 1 }}",
    "{{ sls }}",
    "{{ nope }}",
    "{% if 1 %}",
    "{% endif %}",
    "{% set x = [1] %}",
    "{{ x }}",
    "cmd.run",
    ".a:\n  cmd.run\n",
    "é",
    "\t",
    ": ",
    "#",
    "|",
    "!!str ",
    "&x ",
    "*x",
    "<<: ",
    "NACL[x]",
    "text",
];

#[test]
fn generated_texts_are_rendered_as_by_stock() {
    let seed = number("BRINE_SEED", 1);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut cases = Vec::new();
    while cases.len() < number("BRINE_CASES", 3000) as usize {
        let mut text = random.pick(HEADS).to_owned();
        for _ in 0..random.below(9) {
            text.push_str(random.pick(PIECES));
        }
        // Stock has no key of nacl's, and does not have nacl itself either.
        let nacl = text.contains("NACL[x]");
        let pipe = random.pick(PIPES);
        if !nacl {
            cases.push(Case { sls: "my.sls", ..case(pipe, &text) });
        }
    }
    println!("seed {seed}");
    compare(&cases);
}

#[test]
fn noise_is_an_error_or_a_value() {
    let session = session(map! {"pki_dir" => "/nowhere"});
    let mut random = Random(number("BRINE_SEED", 7) | 1);
    let pipes: Vec<&str> =
        PIPES.iter().copied().chain(["json5", "stateconf", "stateconf -os json5 . jinja", "gpg"]).collect();
    let deep = "[".repeat(20_000);
    for at in 0..1500 {
        let text = match at {
            0..8 => deep.clone(),
            _ => (0..random.below(30)).map(|_| random.pick(PIECES)).collect(),
        };
        let pipe = pipes[at % pipes.len()];
        let _value = rendered(&session, Template::Text(&text), pipe);
    }
    let huge = "{{ [1] * 1000000000 }}";
    assert!(rendered(&session, Template::Text(huge), "jinja").contains("Error"));
}

fn main_opts(dir: &Path) -> Map {
    map! {"conf_file" => dir.join("minion").display().to_string()}
}

fn rendered(session: &Rc<Session>, template: Template<'_>, pipe: &str) -> String {
    ours(session, &Request::new(template, pipe))
}

#[test]
fn files_that_hold_nothing_give_an_empty_dict() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(main_opts(dir.path()));
    let file = dir.path().join("a.sls");
    assert_eq!(rendered(&session, Template::File(&file), "yaml"), "{}");
    for (bytes, expected) in [
        (&b""[..], "{}"),
        (b" \n\t", "{}"),
        (b"#!yaml\na: 1", "OrderedDict([('a', 1)])"),
        (b"#!yaml|nothing\na: 1", "{}"),
        (
            b"a: 1 # \xff",
            "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 7: invalid start byte",
        ),
    ] {
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(rendered(&session, Template::File(&file), "yaml"), expected, "{bytes:?}");
    }
    assert_eq!(rendered(&session, Template::File(dir.path()), "yaml"), "{}");
}

/// As Python's `toml` 0.10 reads them.
#[test]
fn toml_is_read() {
    let session = session(Map::new());
    for (text, expected) in [
        ("a = 1\n[t]\nb = [1, 2]\nc = {d = 'x'}", "{'a': 1, 't': {'b': [1, 2], 'c': {'d': 'x'}}}"),
        ("a = 1979-05-27", "{'a': datetime.date(1979, 5, 27)}"),
        ("a = 07:32:00", "{'a': datetime.time(7, 32)}"),
        ("a = 1979-05-27T07:32:00.999", "{'a': datetime.datetime(1979, 5, 27, 7, 32, 0, 999000)}"),
        (
            "a = 1979-05-27T07:32:00-07:00",
            "{'a': datetime.datetime(1979, 5, 27, 7, 32, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=61200)))}",
        ),
        ("#!toml\na.'b.c' = true", "{'a': {'b.c': True}}"),
        ("[[t]]\nz = 1\n[[t]]\nz = 2.5", "{'t': [{'z': 1}, {'z': 2.5}]}"),
        (" # nothing", "{}"),
    ] {
        assert_eq!(rendered(&session, Template::Text(text), "toml"), expected, "{text}");
    }
    for text in ["a =", "a = 1\na = 2", "x", &format!("a = {}", "[".repeat(100_000))] {
        let said = rendered(&session, Template::Text(text), "toml");
        assert!(said.starts_with("DeserializationError: "), "{said}");
    }
}

#[test]
fn renderers_are_allowed_and_forbidden_by_options() {
    let allowed = |key: &str, names: &[&str], pipe: &str| {
        let opts = map! {key => names.iter().map(|n| Value::from(*n)).collect::<Vec<Value>>()};
        rendered(&session(opts), Template::Text("a: 1"), pipe)
    };
    assert_eq!(allowed("renderer_blacklist", &["yaml"], "yaml"), "{}");
    assert_eq!(allowed("renderer_blacklist", &["yaml"], "gpg|yaml"), "'a: 1'");
    assert_eq!(allowed("renderer_blacklist", &["gpg"], "gpg|yaml"), "OrderedDict([('a', 1)])");
    assert_eq!(allowed("renderer_whitelist", &["gpg"], "gpg|yaml"), "'a: 1'");
    assert_eq!(allowed("renderer_whitelist", &["gpg"], "yaml"), "{}");
    assert_eq!(allowed("renderer_whitelist", &[], "yaml"), "OrderedDict([('a', 1)])");
}

#[test]
fn what_needs_python_says_so() {
    let session = session(Map::new());
    for name in ["py", "pyobjects", "pydsl", "mako", "wempy", "cheetah", "genshi"] {
        let said = rendered(&session, Template::Text("x"), name);
        assert_eq!(
            said,
            format!(
                "SaltRenderError: The renderer \"{name}\" needs Python, which these programs do not have"
            )
        );
    }
    let names = brine_render::renderer::names();
    assert!(names.contains(&"yaml") && !names.contains(&"py"), "{names:?}");
    for name in ["pass", "aws_kms"] {
        assert!(rendered(&session, Template::Text("x"), name).contains("is not supported: "));
    }
}

#[test]
fn the_option_renderer_is_what_files_get() {
    use brine_render::renderer::{check, default_pipe};
    let opts = Opts::new(map! {"renderer" => "jinja|json"});
    assert_eq!(default_pipe(&opts), "jinja|json");
    assert!(check(&opts).is_ok());
    let error = check(&Opts::new(map! {"renderer" => "jinja|nope"})).unwrap_err();
    assert_eq!(
        format!("{}: {error}", error.kind().name()),
        "LoaderError: The renderer jinja|nope is unavailable, this error is often because the needed software is unavailable"
    );
    assert_eq!(default_pipe(&Opts::new(Map::new())), "jinja|yaml");
}
