//! How long it takes to render every SLS of some configurations, cold and warm: for `cargo xtask bench`. Not for anything else.
//!
//! Arguments: how many warm rounds, and folders of configurations. Prints a line of JSON for each: the SLS that rendered, and
//! milliseconds for all of them together, the first time and (median) after that. With `yaml FILE` instead, loads and dumps a file.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it prints what it measures")]

use brine_core::files::Listing;
use brine_core::{Cx, map};
use brine_render::renderer::{Request, Template, compile_template};
use brine_render::template::Session;
use std::time::Instant;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "yaml" {
        return yaml(&words[1], words[2].parse().unwrap());
    }
    let rounds: usize = words[0].parse().unwrap();
    for dir in &words[1..] {
        match brine_minion::call::local_context(dir) {
            Ok(cx) => println!("{}", measure(dir, &cx, rounds)),
            Err(e) => eprintln!("{dir}: {e}"),
        }
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// The SLS of an environment: name and path.
fn all_sls(cx: &Cx) -> Vec<String> {
    let files = cx.host.files().list("base", Listing::Files).unwrap_or_default();
    files.into_iter().filter(|f| f.ends_with(".sls")).collect()
}

fn name(path: &str) -> String {
    let name = path.trim_end_matches(".sls");
    name.strip_suffix("/init").unwrap_or(name).replace('/', ".")
}

fn render(cx: &Cx, paths: &[String]) -> (f64, Vec<String>) {
    let start = Instant::now();
    let session = Session::new(cx, cx.host.files());
    let mut done = Vec::new();
    for path in paths {
        let Ok(Some(file)) = session.files.cache_file(path, "base") else { continue };
        let name = name(path);
        let request = Request { sls: &name, ..Request::new(Template::File(&file), "jinja|yaml") };
        if session.enter(|| compile_template(&session, &request)).is_ok() {
            done.push(path.clone());
        }
    }
    (start.elapsed().as_secs_f64() * 1e3, done)
}

fn measure(dir: &str, cx: &Cx, rounds: usize) -> String {
    let paths = all_sls(cx);
    let (cold, done) = render(cx, &paths);
    let warm = median((0..rounds).map(|_| render(cx, &done).0).collect());
    let done: Vec<brine_core::Value> = done.into_iter().map(Into::into).collect();
    json(&map! {"dir" => dir, "cold" => cold, "warm" => warm, "sls" => done})
}

fn json(map: &brine_core::Map) -> String {
    let value = brine_python::Obj::from(&brine_core::Value::Map(map.clone()));
    brine_render::json::dumps(&value, &brine_render::json::Options::default()).unwrap()
}

fn yaml(file: &str, rounds: usize) {
    let text = std::fs::read_to_string(file).unwrap();
    let (mut loads, mut dumps) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        let value = brine_render::yaml::load_obj(&text, file).unwrap();
        loads.push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        let dumped =
            brine_render::yaml::dump_obj(&value, &brine_render::yaml::DumpOptions::default()).unwrap();
        dumps.push(start.elapsed().as_secs_f64() * 1e3);
        assert!(!dumped.is_empty());
    }
    println!("{}", json(&map! {"load" => median(loads), "dump" => median(dumps)}));
}
