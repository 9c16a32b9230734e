//! Pillar of many minions, measured: `pillars ROOT CHANGED COUNT SAMPLE`. Compiles it for all, for all again, and once more after a
//! line was added to the file CHANGED; prints the times in milliseconds and the pillar of the first SAMPLE minions, as JSON. Stock's
//! side is `xtask/src/bench/stock_pillars.py`.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of measurement")]

use brine_core::call::Registry;
use brine_core::files::NoFiles;
use brine_core::host::NoHost;
use brine_core::options::Daemon;
use brine_core::text::python_repr;
use brine_core::{Map, Opts, map};
use brine_pillar::{Ask, Pillars, Shared, Wish};
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

fn grains(n: usize) -> Map {
    map! {
        "id" => format!("minion-{n}"), "role" => format!("role{}", n % 6), "os" => format!("os{}", n % 3),
        "dc" => format!("dc{}", n % 5), "num" => i64::try_from(n).unwrap(),
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [root, changed, count, sample] = words.as_slice() else {
        println!("pillars ROOT CHANGED COUNT SAMPLE");
        return;
    };
    let (count, sample): (usize, usize) = (count.parse().unwrap(), sample.parse().unwrap());
    let mut opts = Daemon::Master.defaults();
    opts.insert("pillar_roots", map! {"base" => vec![root.as_str()]});
    let opts = Arc::new(Opts::new(opts));
    let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
    let shared = Shared::of(&opts).map(Arc::new);
    let pillars = Pillars::new(opts, registry, Arc::new(NoHost), Arc::new(NoFiles)).sharing(shared);
    let compile = |n: usize| {
        let wish = Wish { id: format!("minion-{n}"), saltenv: Some("base".into()), ..Wish::default() };
        pillars.compile(&Ask { wish, grains: grains(n), clean_cache: false }).unwrap()
    };
    let all = || {
        let start = Instant::now();
        for n in 0..count {
            assert!(!compile(n).contains("_errors"));
        }
        start.elapsed().as_secs_f64() * 1e3
    };
    let (cold, warm) = (all(), all());
    writeln!(std::fs::OpenOptions::new().append(true).open(changed).unwrap(), "added: 1").unwrap();
    let after = all();
    let shown: Vec<String> = (0..sample).map(|n| python_repr(&compile(n).into())).collect();
    println!("{}", serde_json::json!({"cold": cold, "warm": warm, "changed": after, "pillars": shown}));
}
