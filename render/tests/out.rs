//! Outputters against what stock's were measured to print.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use brine_core::Opts;
use brine_protocol::{Map, Value};
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
