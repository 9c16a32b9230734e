//! The outputters against stock 3006.28's own, on generated data with generated options.
//!
//! `BRINE_SEED` and `BRINE_CASES` choose other data and more; one of 18,000 highstates differs, where stock ends
//! with a traceback after it changed what two joined states share. The smallest case that differs is made smaller still
//! before it is printed. Where stock ends with a traceback we print nested what its outputter has left of the data, so that is
//! compared there.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod common;

use brine_protocol::{Map, Value, map};
use common::cases::{Case, compare};
use common::random::Random;
use std::time::Duration;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn random(salt: u64) -> Random {
    Random::new(number("BRINE_SEED", 1) as u64 + salt)
}

/// Options that all outputters heed.
fn common_options(random: &mut Random) -> Map {
    let mut opts = map! {"color" => random.one_in(2)};
    if random.one_in(10) {
        // Standard output is no terminal on either side.
        opts.remove("color");
    }
    if random.one_in(6) {
        opts.insert("strip_colors", false);
    }
    if random.one_in(12) {
        opts.insert(random.pick(&["force_color", "no_color"]), true);
    }
    if random.one_in(20) {
        opts.insert("color", random.pick(&["RED", "LIGHT_BLUE", "ENDC", "mauve", ""]));
    }
    if random.one_in(8) {
        opts.insert("nested_indent", random.below(9) as i64);
    }
    if random.one_in(3) {
        let indent = match random.below(9) {
            0 => Value::Nil,
            1 => "pretty".into(),
            2 => (-1).into(),
            3 => 0.into(),
            4 => ["\t", "--", "x"][random.below(3)].into(),
            5 => true.into(),
            _ => (random.below(12) as i64).into(),
        };
        opts.insert("output_indent", indent);
    }
    opts
}

const GENERAL: &[&str] = &[
    "nested",
    "nested",
    "nested",
    "json",
    "json",
    "pprint",
    "pprint",
    "raw",
    "txt",
    "newline_values_only",
    "no_return",
    "quiet",
    "text",
    "",
    "grains",
    "no such",
    "overstatestage",
    "key",
    "virt_query",
    "table",
    "profile",
];

#[test]
fn general_outputters_print_as_stocks() {
    let mut random = random(0);
    let mut cases = Vec::new();
    for _ in 0..number("BRINE_CASES", 2500) {
        let out = random.pick(GENERAL);
        let mut opts = common_options(&mut random);
        if random.one_in(20) {
            opts.insert("output", random.pick(&["json", "raw", "highstate", "text"]));
        }
        let data = if random.one_in(4) { random.value(4) } else { map! {"minion" => random.value(4)}.into() };
        cases.push(Case { out: Some(out), opts, retcode: i64::from(random.one_in(4)), data });
    }
    compare("general", &cases);
}

#[test]
fn yaml_prints_as_stocks() {
    let mut random = random(1);
    let mut cases = Vec::new();
    for _ in 0..number("BRINE_CASES", 2000) {
        let opts = common_options(&mut random);
        let data = map! {"minion" => random.value(4)}.into();
        cases.push(Case { out: Some("yaml"), opts, retcode: 0, data });
    }
    compare("yaml", &cases);
}

#[test]
fn highstate_prints_as_stocks() {
    let mut random = random(2);
    let mut cases = Vec::new();
    for _ in 0..number("BRINE_CASES", 2000) {
        let opts = state_options(&mut random);
        cases.push(Case { out: Some("highstate"), opts, retcode: 0, data: random.highstate() });
    }
    compare("highstate", &cases);
}

const OUTPUTS: &[&str] = &["full", "terse", "mixed", "changes", "filter", "Full", "other"];
const TEMPLATES: &[&str] = &[
    "{0}{1}{5}",
    "{2:>20}.{3:<12}|{4:^9}|{1!r}",
    "{6[comment]!s:.10} {6[result]} {6[duration]:>12}",
    "{0} {{{1}}} {6[__run_num__]:03d} {6[__run_num__]:+} {5}",
    "{} {} {4:*^{6[__run_num__]}}",
    "{6[duration]:.2f} {6[duration]:e} {6[duration]:g} {6[duration]:,.1f} {6[duration]:%}",
    "{6[duration]:10} {6[duration]:.3} {6[__run_num__]:x} {6[__run_num__]:.1f}",
    "{6[changes][mode]}",
    "{broken",
    "{9}",
    "{6[none]}",
    "",
];

fn state_options(random: &mut Random) -> Map {
    let mut opts = common_options(random);
    opts.remove("output_indent");
    let flags = ["state_compress_ids", "state_output_diff", "state_output_pct"];
    for flag in flags.into_iter().filter(|_| random.one_in(4)) {
        opts.insert(flag, true);
    }
    for flag in ["state_verbose", "state_output_profile"] {
        opts.insert(flag, !random.one_in(4));
    }
    if !random.one_in(6) {
        let id = if random.one_in(3) { "_id" } else { "" };
        opts.insert("state_output", format!("{}{id}", random.pick(OUTPUTS)));
    } else if random.one_in(20) {
        opts.insert("state_output", false);
    }
    match random.below(6) {
        0 | 1 => opts.insert("state_tabular", true),
        2 => opts.insert("state_tabular", random.pick(TEMPLATES)),
        _ => None,
    };
    for key in ["state_output_exclude", "state_output_terse"] {
        let list = ["True,", "True,None", "False", "None,False,True"];
        match random.below(6) {
            0 | 1 => opts.insert(key, random.pick(&list)),
            2 => opts.insert(key, random.pick(&list).split(',').collect::<Value>()),
            3 if random.one_in(10) => opts.insert(key, true),
            _ => None,
        };
    }
    if random.one_in(5) {
        let given = map! {"__kwarg__" => true, random.pick(&["exclude", "terse"]) => random.pick(&["True,", "None,True"])};
        opts.insert("arg", vec![Value::from("core"), given.into()]);
    }
    opts
}

#[test]
fn tables_print_as_stocks() {
    let mut random = random(3);
    let mut cases = Vec::new();
    for _ in 0..number("BRINE_CASES", 2000) {
        let mut opts = common_options(&mut random);
        let texts = ["row_delimiter", "delim", "prefix", "suffix"];
        for key in texts {
            if !random.one_in(5) {
                continue;
            }
            opts.insert(format!("out.table.{key}"), random.pick(&["", "=", " :: ", "|"]));
        }
        for key in ["has_header", "separate_rows"] {
            if !random.one_in(4) {
                continue;
            }
            opts.insert(format!("out.table.{key}"), random.one_in(2));
        }
        if random.one_in(3) {
            opts.insert("out.table.justify", random.pick(&["left", "right", "Center", "middle"]));
        }
        if random.one_in(4) {
            opts.insert("out.table.width", random.below(60) as i64);
        }
        if random.one_in(6) {
            opts.insert("out.table.nested_indent", random.below(9) as i64);
        }
        for key in ["rows_key", "labels_key", "title"] {
            if !random.one_in(4) {
                continue;
            }
            opts.insert(format!("out.table.{key}"), random.pick(&["rows", "labels", "out", "none"]));
        }
        let (out, data) = match random.below(4) {
            0 => ("profile", random.highstate()),
            _ => ("table", map! {"minion" => random.table(), "other" => random.table()}.into()),
        };
        cases.push(Case { out: Some(out), opts, retcode: 0, data });
    }
    compare("table", &cases);
}

#[test]
fn lists_of_keys_stages_and_machines_print_as_stocks() {
    let mut random = random(4);
    let mut cases = Vec::new();
    for _ in 0..number("BRINE_CASES", 1000) {
        let mut opts = common_options(&mut random);
        if random.one_in(4) {
            opts.insert("__multi_key", true);
        }
        let (out, data) = match random.below(4) {
            0 | 1 => ("key", random.keys()),
            2 => ("overstatestage", random.stages()),
            _ => ("virt_query", random.machines()),
        };
        cases.push(Case { out: Some(out), opts, retcode: 0, data });
    }
    compare("keys, stages and machines", &cases);
}

/// A theme, and one colour for all.
#[test]
fn themes_are_read_as_stocks() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let data: Value = map! {"m" => map!{"a" => 1, "b" => vec![Value::from("x")]}}.into();
    let themes = [
        file("good", "GREEN: '38;5;2'\nCYAN: 36\nENDC: 0\nMAUVE: 1\n"),
        file("list", "[GREEN, CYAN]\n"),
        file("broken", "a: [\n"),
        file("empty", ""),
        dir.path().join("none").to_str().unwrap().to_owned(),
    ];
    let mut cases = Vec::new();
    for theme in themes {
        for color in [Value::Bool(true), false.into(), "GREEN".into(), "MAUVE".into()] {
            let opts = map! {"color" => color, "color_theme" => theme.as_str()};
            cases.push(Case { out: None, opts, retcode: 0, data: data.clone() });
        }
    }
    compare("themes", &cases);
}

/// A run of 20,000 states takes no more than in proportion longer than one of 2,000.
#[test]
fn highstate_is_linear() {
    let run = |n: i64| {
        let states: Map = (0..n)
            .map(|i| {
                let state = map! {"name" => "n", "result" => true, "comment" => "c", "__id__" => i % 100, "__sls__" => "s",
                    "changes" => map!{"a" => i}, "__run_num__" => n - i, "duration" => 1.5, "start_time" => "10:00"};
                (format!("file_|-{i}_|-n{i}_|-managed"), state)
            })
            .collect();
        Case {
            out: Some("highstate"),
            opts: map! {"color" => true, "state_verbose" => true, "state_compress_ids" => true},
            retcode: 0,
            data: map! {"minion" => states}.into(),
        }
    };
    // Nanoseconds of this thread on a processor: what else the machine does must not count.
    let worked = || -> Duration {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
    };
    let time = |case: &Case| {
        let before = worked();
        let text = case.ours();
        (worked() - before, text.len())
    };
    let (small, large) = (run(2000), run(20_000));
    let (least, _) = (0..5).map(|_| time(&small)).min().unwrap();
    let (most, size) = (0..3).map(|_| time(&large)).min().unwrap();
    println!("highstate: 2,000 states in {least:?}, 20,000 in {most:?} ({size} bytes)");
    assert!(most < least * 40, "{least:?} {most:?}");
}

/// One long cell must not make every row as long.
#[test]
fn a_table_that_would_fill_memory_is_nested() {
    let mut rows: Vec<Value> = vec!["x".into(); 4000];
    rows.push("x".repeat(100_000).into());
    let case = Case { out: Some("table"), opts: map! {"color" => false}, retcode: 0, data: rows.into() };
    assert!(case.ours().starts_with("- x\n- x\n"));
}
