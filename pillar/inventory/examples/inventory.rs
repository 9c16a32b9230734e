//! What `cargo xtask bench N inventory` runs: `write FOLDER MACHINES` makes a warehouse, `load FOLDER` and `load REPOSITORY REVISION`
//! read one and print what that took as JSON, times in milliseconds and memory in MB; `change FOLDER FILE` and
//! `change REPOSITORY OLD NEW` read one, and then what has changed.

#![allow(missing_docs, clippy::print_stdout, reason = "a program for measurements")]

use brine_inventory::{Origin, Snapshot};
use std::path::Path;
use std::time::{Duration, Instant};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Until a file's stamp is trusted.
const SETTLED: Duration = Duration::from_millis(200);

fn main() -> Result {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["write", folder, machines] => {
            println!("{}", brine_testing::warehouse::write(Path::new(folder), machines.parse()?)?);
            Ok(())
        }
        ["load", folder] => load(&Origin::Directory(folder.into())),
        ["load", repository, revision] => load(&git(repository, revision)),
        ["change", folder, file] => {
            let origin = Origin::Directory(folder.into());
            changed(&origin, &origin, || {
                let at = Path::new(folder).join(file);
                let text = std::fs::read_to_string(&at)?;
                Ok(std::fs::write(at, text + "changed: true\n")?)
            })
        }
        ["change", repository, old, new] => changed(&git(repository, old), &git(repository, new), || Ok(())),
        _ => Err("write FOLDER MACHINES, load, or change".into()),
    }
}

fn git(repository: &str, revision: &str) -> Origin {
    Origin::Git { repository: repository.into(), revision: revision.into(), below: String::new() }
}

fn load(origin: &Origin) -> Result {
    let began = Instant::now();
    let snapshot = Snapshot::load(origin, &mut |_| {})?;
    let cold = began.elapsed();
    let sound = snapshot.is_sound();
    println!(
        "{{\"objects\": {}, \"cold\": {}, \"peak\": {}, \"sound\": {sound}}}",
        snapshot.pallets().count(),
        millis(cold),
        peak()?
    );
    Ok(())
}

fn changed(before: &Origin, after: &Origin, change: impl FnOnce() -> Result) -> Result {
    let old = Snapshot::load(before, &mut |_| {})?;
    std::thread::sleep(SETTLED);
    let old = old.reload(before, &mut |_| {})?;
    change()?;
    let began = Instant::now();
    let new = old.reload(after, &mut |_| {})?;
    let took = began.elapsed();
    let new_views = new.pallets().filter(|id| !new.shares_view(*id, &old, *id)).count();
    println!("{{\"changed\": {}, \"views\": {new_views}}}", millis(took));
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The most memory this process has had.
fn peak() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}
