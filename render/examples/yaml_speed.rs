//! Loads and dumps a YAML file, and says how long that took: `cargo run --release -p brine-render --example yaml_speed FILE`.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program to measure with")]

use brine_render::yaml::{DumpOptions, dump_obj, load, load_obj};
use std::time::Instant;

fn main() {
    let file = std::env::args().nth(1).unwrap_or_default();
    let text = std::fs::read_to_string(&file).unwrap();
    for _ in 0..3 {
        let start = Instant::now();
        let value = load_obj(&text, &file).unwrap();
        let loaded = start.elapsed();
        let start = Instant::now();
        let again = dump_obj(&value, &DumpOptions::default()).unwrap();
        let dumped = start.elapsed();
        let start = Instant::now();
        drop(value);
        let freed = start.elapsed();
        let start = Instant::now();
        let plain = load(&text).unwrap();
        println!(
            "{} bytes: loaded in {loaded:.1?}, dumped to {} bytes in {dumped:.1?}, freed in {freed:.1?}; as plain data in {:.1?} ({})",
            text.len(),
            again.len(),
            start.elapsed(),
            plain != brine_protocol::Value::Nil,
        );
    }
}
