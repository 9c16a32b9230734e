//! Pillar of an inventory, measured: `inventory_pillar FOLDER MACHINES REQUESTS`. Writes a warehouse of so many machines into a git repository in the
//! folder, and prints as JSON, times in milliseconds: how many objects it has; reading it; that many requests for pillar, and one
//! for each minion; and, medians, a commit of one file: from there until the new revision is in force and it is known whom it concerns, and
//! until one of these has its new pillar.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of measurement")]

use brine_core::call::Registry;
use brine_core::files::NoFiles;
use brine_core::host::NoHost;
use brine_core::options::Daemon;
use brine_core::{Map, Opts, Value, map};
use brine_pillar::inventory::{self, Conf, Warehouse};
use brine_pillar::{Ask, Pillars, Shared, Wish};
use brine_testing::warehouse;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

/// How many commits are measured.
const COMMITS: usize = 9;

fn git(dir: &Path, words: &[&str]) {
    let author = ["-c", "user.name=a", "-c", "user.email=a@b"];
    assert!(Command::new("git").args(author).args(words).current_dir(dir).status().unwrap().success());
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [dir, machines, requests] = words.as_slice() else {
        println!("inventory_pillar FOLDER MACHINES REQUESTS");
        return;
    };
    let (dir, machines, requests) = (Path::new(dir), machines.parse().unwrap(), requests.parse().unwrap());
    let objects = warehouse::write(dir, machines).unwrap();
    git(dir, &["init", "-q", "-b", "main"]);
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "x"]);
    // As a repository is that was pushed to.
    git(dir, &["repack", "-a", "-d", "-q"]);
    let source =
        map! {"palletjack" => map! {"warehouse" => dir.to_string_lossy().into_owned(), "ref" => "main"}};
    let mut opts = Daemon::Master.defaults();
    opts.insert("ext_pillar", vec![Value::from(source)]);
    opts.insert("pillar_roots", Map::new());
    opts.insert("cachedir", dir.join(".git/cache").to_string_lossy().into_owned());
    let opts = Arc::new(Opts::new(opts));
    let confs: Vec<Conf> = Conf::all(&opts).into_iter().map(Result::unwrap).collect();
    let warehouse = Warehouse::at(&confs[0].place, &opts);
    warehouse.watch(true);
    let start = Instant::now();
    let told = warehouse.refresh();
    assert_eq!(told.refused, None);
    let cold = ms(start);
    let registry = Arc::new(Registry::new(brine_modules::ALL.iter().copied()));
    let shared = Shared::of(&opts).map(Arc::new);
    let pillars = Pillars::new(opts, registry, Arc::new(NoHost), Arc::new(NoFiles)).sharing(shared);
    let id = |n: usize| format!("{}.{}", warehouse::system(n), warehouse::domain(n));
    let compile = |n: usize| {
        let wish = Wish { id: id(n), saltenv: Some("base".into()), ..Wish::default() };
        let pillar =
            pillars.compile(&Ask { wish, grains: map! {"id" => id(n)}, clean_cache: false }).unwrap();
        assert!(pillar.get("palletjack").is_some_and(|tree| tree.get("system").is_some()));
    };
    let ids: Vec<String> = (0..machines).map(id).collect();
    compile(0);
    let start = Instant::now();
    (0..requests).for_each(|n| compile(n % machines));
    let some = ms(start);
    let start = Instant::now();
    (0..machines).for_each(compile);
    let all = ms(start);
    let (mut known, mut served) = (Vec::new(), Vec::new());
    for n in 0..COMMITS {
        // Of one machine in the middle.
        let machine = machines / 2;
        let file = dir.join("system").join(warehouse::system(machine)).join("measured.yaml");
        std::fs::write(file, format!("system: {{measured: {n}}}\n")).unwrap();
        git(dir, &["add", "-A"]);
        git(dir, &["commit", "-q", "-m", "x"]);
        let start = Instant::now();
        let (old, new) = warehouse.refresh().changed.unwrap();
        let whom = inventory::changed(&confs, &old.unwrap(), &new, &ids);
        known.push(ms(start));
        assert_eq!(whom, [id(machine)]);
        compile(machine);
        served.push(ms(start));
    }
    println!(
        "{}",
        serde_json::json!({
            "objects": objects, "cold": cold, "requests": some, "all": all, "known": median(known), "served": median(served),
        })
    );
}
