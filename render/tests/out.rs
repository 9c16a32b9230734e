//! Outputters against what stock's were measured to print.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use brine_core::Opts;
use brine_protocol::{Map, Value, map};
use brine_render::out::{Style, format};
use common::{data, untag};

#[test]
fn prints_as_stock_does() {
    let measured = data(include_str!("data/out.json"));
    let mut wrong = Vec::new();
    for case in measured["cases"].as_array().unwrap() {
        let out = case[0].as_str();
        let number = usize::try_from(case[1].as_u64().unwrap()).unwrap();
        let own: Map = measured["opts"][number]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| (untag(&p[0]), untag(&p[1])))
            .collect();
        let mut opts = Map::new();
        opts.insert("color", false);
        opts.update(own);
        let opts = Opts::new(opts);
        let mut style = Style::new(&opts, false);
        style.retcode = case[2].as_i64().unwrap();
        let value: Value = untag(&case[3]);
        let ours = format(&value, out, &opts, &style);
        let stock = case[4].as_str().unwrap_or("");
        if ours != stock {
            wrong.push(format!("{out:?} {:?} {value:?}\n--- stock\n{stock}\n--- ours\n{ours}", opts.map()));
        }
    }
    let first = wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} differ:\n{first}", wrong.len());
}

/// Each option makes a difference. What is printed then is compared with stock's in `outputters.rs`.
#[test]
fn each_option_changes_what_is_printed() {
    let state = |n: i64, result: Value, changes: Map| {
        map! {
            "__id__" => format!("id{n}"), "__run_num__" => n, "name" => "n", "comment" => "c", "result" => result,
            "changes" => changes, "start_time" => "10:00:00.000000", "duration" => 1.5, "__sls__" => "s",
        }
    };
    let highstate: Value = map! {"m1" => map! {
        "file_|-id0_|-a_|-managed" => state(0, true.into(), map! {"diff" => "New file"}),
        "file_|-id1_|-b_|-managed" => state(1, true.into(), Map::new()),
        "file_|-id2_|-c_|-managed" => state(2, false.into(), Map::new()),
    }}
    .into();
    let joined: Value = map! {"m1" => map! {
        "file_|-x_|-a_|-managed" => state(0, true.into(), Map::new()),
        "file_|-x_|-b_|-managed" => state(0, true.into(), Map::new()),
    }}
    .into();
    let rows =
        vec![Value::from(map! {"a" => "one two three", "b" => "2"}), map! {"a" => "x", "b" => "y"}.into()];
    let table: Value = map! {"m1" => rows.clone()}.into();
    let named: Value =
        map! {"m1" => map! {"rows" => vec![Value::from(vec!["1", "2"])], "labels" => vec!["l", "m"]}}.into();
    let nested: Value = map! {"m1" => map! {"k" => vec!["v"]}}.into();
    let escape: Value = map! {"m1" => "a\u{1b}[31mb"}.into();
    let theme = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/theme.yaml");
    let filter = || map! {"state_output" => "filter"};
    let in_color = || map! {"color" => true};
    let with_rows = || map! {"out.table.rows_key" => "rows"};
    for (key, value, out, data, base) in [
        ("state_verbose", false.into(), "highstate", &highstate, Map::new()),
        ("state_output", "terse".into(), "highstate", &highstate, Map::new()),
        ("state_output_diff", true.into(), "highstate", &highstate, map! {"state_output" => "full"}),
        ("state_output_pct", true.into(), "highstate", &highstate, Map::new()),
        ("state_output_profile", false.into(), "highstate", &highstate, Map::new()),
        ("state_output_exclude", Value::from(vec!["False"]), "highstate", &highstate, filter()),
        ("state_output_terse", vec!["True"].into(), "highstate", &highstate, filter()),
        ("state_tabular", true.into(), "highstate", &highstate, map! {"state_output" => "terse"}),
        ("state_compress_ids", true.into(), "highstate", &joined, Map::new()),
        ("out.table.delim", " # ".into(), "table", &table, Map::new()),
        ("out.table.has_header", false.into(), "table", &table, map! {"out.table.separate_rows" => false}),
        ("out.table.justify", "left".into(), "table", &table, Map::new()),
        ("out.table.nested_indent", 7.into(), "table", &table, Map::new()),
        ("out.table.prefix", "<< ".into(), "table", &table, Map::new()),
        ("out.table.suffix", " >>".into(), "table", &table, Map::new()),
        ("out.table.row_delimiter", "=".into(), "table", &table, Map::new()),
        ("out.table.separate_rows", false.into(), "table", &table, Map::new()),
        ("out.table.width", 5.into(), "table", &table, Map::new()),
        ("out.table.rows_key", "rows".into(), "table", &named, Map::new()),
        ("out.table.labels_key", "labels".into(), "table", &named, with_rows()),
        ("out.table.title", "T".into(), "table", &named, with_rows()),
        ("nested_indent", 6.into(), "nested", &nested, Map::new()),
        ("output_indent", 1.into(), "json", &nested, Map::new()),
        ("strip_colors", false.into(), "nested", &escape, Map::new()),
        ("color", true.into(), "nested", &nested, Map::new()),
        ("force_color", true.into(), "nested", &nested, Map::new()),
        ("no_color", true.into(), "nested", &nested, Map::new()),
        ("color_theme", theme.into(), "nested", &nested, in_color()),
        ("output", "json".into(), "", &nested, Map::new()),
    ] {
        let show = |opts: Map| {
            let opts = Opts::new(opts);
            let wanted = Some(out).filter(|out| !out.is_empty());
            format(
                data,
                wanted.or(opts.get("output").and_then(Value::as_str)),
                &opts,
                &Style::new(&opts, key == "no_color"),
            )
        };
        let mut without =
            map! {"state_verbose" => true, "state_output" => "full", "state_output_profile" => true};
        without.update(base);
        let mut with = without.clone();
        with.insert(key, value);
        assert_ne!(show(with), show(without), "{key}");
    }
}
