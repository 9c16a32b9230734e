//! Pillar trees made up at random, right and broken.

use brine_testing::Random;
use serde_json::{Value as Json, json};
use std::fmt::Write;

/// SLS names with their files.
const FILES: &[(&str, &str)] = &[
    ("a", "a.sls"),
    ("b", "b.sls"),
    ("c", "c.sls"),
    ("d", "d/init.sls"),
    ("d.e", "d/e.sls"),
    ("d.f", "d/f.sls"),
    ("g.h", "g/h.sls"),
];

/// One case.
pub(crate) struct Case {
    /// Files by environment and path.
    pub(crate) files: Vec<(String, String, String)>,
    /// Options beside the folders.
    pub(crate) opts: Vec<(&'static str, Json)>,
    pub(crate) saltenv: Option<&'static str>,
    pub(crate) pillarenv: Option<&'static str>,
    pub(crate) over: Json,
}

fn value(r: &mut Random, depth: usize) -> String {
    match r.below(if depth > 2 { 6 } else { 10 }) {
        0 => r.below(4).to_string(),
        1 => r.pick(&["text", "'7'", "~", "true", "1.5", "\"\\n\"", "2020-01-02"]).to_owned(),
        2 => "\"{{ grains.os }}\"".to_owned(),
        3 => r
            .pick(&[
                "\"{{ v | default('none') }}\"",
                "{{ v | default(9) }}",
                "\"{{ sls }}\"",
                "\"{{ saltenv }}\"",
            ])
            .to_owned(),
        4 => r
            .pick(&[
                "\"{{ salt['pillar.get']('k1', 'x') }}\"",
                "\"{{ pillar.get('k2', 'y') }}\"",
                "\"{{ opts.id }}\"",
                "\"{{ opts.pillarenv }}\"",
                "\"{{ opts.grains.os }}|{{ opts['saltenv'] }}|{{ env }}\"",
                "\"{{ salt['grains.get']('os') }}\"",
                "\"{{ slspath }}|{{ tpldir }}|{{ tplfile }}\"",
            ])
            .to_owned(),
        5 => r.pick(&["[]", "{}", "''"]).to_owned(),
        6 | 7 => {
            let items: Vec<String> = (0..r.below(4)).map(|_| value(r, depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        _ => {
            let items: Vec<String> =
                (0..r.below(3)).map(|_| format!("{}: {}", key(r), value(r, depth + 1))).collect();
            format!("{{{}}}", items.join(", "))
        }
    }
}

fn key(r: &mut Random) -> &'static str {
    r.pick(&["k1", "k2", "k3", "k4", "k5", "3"])
}

fn include(r: &mut Random) -> String {
    let name = r.pick(&[
        "a", "b", "c", "d", "d.e", "d.f", "g.h", "d/e", ".e", ".f", ".b", "d.*", "*", "nope", ".nope", "x/y",
    ]);
    match r.below(12) {
        0 => format!("  - '{name}':\n      key: {}\n", r.pick(&["k1", "k1:k2", "n"])),
        1 => format!("  - '{name}':\n      defaults:\n        v: {}\n", r.below(3)),
        2 => format!("  - '{name}':\n      defaults: {{v: z}}\n      key: k3\n"),
        3 if r.once_in(6) => {
            r.pick(&["  - 5\n", "  - a:\n", "  - {}\n", "  - [a]\n", "  - a: {defaults: 3}\n"]).to_owned()
        }
        _ => format!("  - '{name}'\n"),
    }
}

fn sls(r: &mut Random) -> String {
    if r.once_in(14) {
        return r
            .pick(&[
                "k1: [1\n",
                "k1: {{ nope.x }}\n",
                "{% if %}\n",
                "- 1\n- 2\n",
                "just text\n",
                "",
                "  \n",
                "k1: 1\nk1: 2\n",
                "{{ salt['no.such']() }}\n",
                "include: a\nk1: 1\n",
                "\tk1: 1\n",
                "5\n",
                "#!yaml\nk1: {{ x }}\n",
                "#!json\n{\"k1\": [1, 2], \"k2\": {\"k3\": null}}\n",
                "#!jinja\nk1: 1\n",
                "#!nope\nk1: 1\n",
                "include: []\nk1: q\n",
            ])
            .to_owned();
    }
    let mut text = String::new();
    if r.once_in(3) {
        text.push_str("include:\n");
        for _ in 0..=r.below(3) {
            text.push_str(&include(r));
        }
    }
    let mut keys = vec!["k1", "k2", "k3", "k4", "k5", "3"];
    for _ in 0..r.below(5) {
        let key = keys.remove(r.below(keys.len()));
        writeln!(text, "{key}: {}", value(r, 0)).unwrap();
    }
    text
}

fn target(r: &mut Random) -> (&'static str, &'static str) {
    [
        ("'*'", ""),
        ("'m*'", ""),
        ("m1", ""),
        ("'x*'", ""),
        ("'G@os:Debian and m1'", ""),
        ("'os:Debian'", "grain"),
        ("'os:D.*n'", "grain_pcre"),
        ("'m1,m2'", "list"),
        ("'m[0-9]'", "pcre"),
        ("ng", "nodegroup"),
        ("'not m1'", ""),
        ("'m? or x'", "compound"),
        ("'E@m. and not L@m2'", ""),
        ("'10.0.0.0/8'", "ipcidr"),
        ("'role:web'", "pillar"),
        ("'m1'", "glob"),
    ][r.below(16)]
}

fn top(r: &mut Random, own: &str) -> String {
    if r.once_in(20) {
        return r
            .pick(&[
                "base: [1\n",
                "- a\n",
                "base:\n",
                "base:\n  '*':\n",
                "base:\n  '*': abc\n",
                "base:\n  - a\n",
                "text\n",
                "",
                "base: 5\n",
                "base:\n  '*':\n    - match: nosuch\n    - a\n",
                "{{ nope.x }}\n",
                "base:\n  '*':\n    - 5\n    - a\n",
                "base:\n  '*':\n    - match: 3\n    - a\n",
                "base:\n  '*':\n    - order: [1]\n    - a\n",
                "include: 5\n",
                "5: {'*': [a]}\n",
                "base:\n  5:\n    - a\n",
            ])
            .to_owned();
    }
    let mut text = String::new();
    if r.once_in(8) {
        writeln!(text, "include:\n  - {}", r.pick(&["othertop", "nope", "d.top", "a", "5"])).unwrap();
    }
    let envs = if r.once_in(4) { vec!["base", "dev"] } else { vec![own] };
    for env in envs {
        writeln!(text, "{}:", if r.once_in(25) { "nowhere" } else { env }).unwrap();
        let mut seen = Vec::new();
        for _ in 0..=r.below(3) {
            let (name, matcher) = target(r);
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            writeln!(text, "  {name}:").unwrap();
            if !matcher.is_empty() {
                writeln!(text, "    - match: {matcher}").unwrap();
            }
            if r.once_in(6) {
                writeln!(text, "    - order: {}", r.pick(&["1", "-1", "'2'", "x", "true"])).unwrap();
            }
            if r.once_in(6) {
                text.push_str("    - ignore_missing: true\n");
            }
            for _ in 0..=r.below(3) {
                writeln!(
                    text,
                    "    - {}",
                    r.pick(&["a", "b", "c", "d", "d.e", "'d*'", "'*'", "g.h", "nope", "d/e"])
                )
                .unwrap();
            }
        }
    }
    text
}

/// A case.
pub(crate) fn case(r: &mut Random) -> Case {
    let mut files = Vec::new();
    for env in ["base", "dev"] {
        if env == "base" || r.once_in(2) {
            files.push((env.to_owned(), "top.sls".to_owned(), top(r, env)));
        }
        for (_, path) in FILES {
            if !r.once_in(4) {
                files.push((env.to_owned(), (*path).to_owned(), sls(r)));
            }
        }
        if r.once_in(3) {
            files.push((env.to_owned(), r.pick(&["othertop.sls", "d/top.sls"]).to_owned(), top(r, env)));
        }
    }
    let mut opts = Vec::new();
    if r.once_in(3) {
        let strategy = r.pick(&["smart", "recurse", "aggregate", "overwrite", "list", "none", "bogus"]);
        opts.push(("pillar_source_merging_strategy", json!(strategy)));
    }
    for flag in ["pillar_merge_lists", "pillar_includes_override_sls", "pillarenv_from_saltenv"] {
        if r.once_in(4) {
            opts.push((flag, json!(true)));
        }
    }
    if r.once_in(2) {
        opts.push(("ssh_merge_pillar", json!(false)));
    }
    if r.once_in(2) {
        opts.push(("pillar_safe_render_error", json!(false)));
    }
    if r.once_in(5) {
        opts.push(("env_order", json!(["dev", "base"])));
    }
    let env = |r: &mut Random| [None, None, None, Some("base"), Some("dev"), Some("none")][r.below(6)];
    let over = if r.once_in(4) { json!({"k1": {"k2": 1}, "k2": [1, "o"]}) } else { Json::Null };
    Case { files, opts, saltenv: env(r), pillarenv: env(r), over }
}
