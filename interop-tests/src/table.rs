//! A table of named cases over one running fleet: all are run, each failure is reported by
//! name at the end, so that one defect does not hide the next.

use std::env;
use std::io::Write;
use std::time::Instant;

use crate::failure::{Failure, Result};
use crate::fleet::Fleet;

/// One named case.
#[derive(Clone, Copy)]
pub struct Case {
    /// What the case shows, unique in its table.
    pub name: &'static str,
    /// The case.
    pub run: fn(&mut Fleet) -> Result,
}

/// Makes a [`Case`] named like the function.
#[macro_export]
macro_rules! case {
    ($module:ident :: $name:ident) => {
        $crate::table::Case {
            name: concat!(stringify!($module), "::", stringify!($name)),
            run: $module::$name,
        }
    };
}

/// Runs `cases` in their order on `fleet`. `BRINE_CASES=word,word` runs only those whose name
/// holds one of the words.
///
/// # Errors
/// When any case fails; the message holds all of them and the tails of the logs.
pub fn run(fleet: &mut Fleet, cases: &[Case]) -> Result {
    let words = env::var("BRINE_CASES").unwrap_or_default();
    let chosen = |name: &str| words.is_empty() || words.split(',').any(|w| name.contains(w.trim()));
    let pair = format!("master {} x minion {} (cli {})", fleet.master, fleet.minion, fleet.cli);
    let mut failures = Vec::new();
    let start = Instant::now();
    let mut ran = 0;
    for case in cases.iter().filter(|c| chosen(c.name)) {
        let begun = Instant::now();
        let outcome = (case.run)(fleet);
        ran += 1;
        let word = if outcome.is_ok() { "ok  " } else { "FAIL" };
        eprintln!("{word} {:6.1} s  {pair}  {}", begun.elapsed().as_secs_f32(), case.name);
        note(fleet, case.name, outcome.is_ok(), begun.elapsed().as_secs_f32());
        if let Err(e) = outcome {
            failures.push(format!("  {}: {e}", case.name));
        }
    }
    eprintln!("{pair}: {} of {ran} cases hold, {:.0} s", ran - failures.len(), start.elapsed().as_secs_f32());
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure(format!(
        "{pair}: {} of {ran} cases fail\n{}\n{}",
        failures.len(),
        failures.join("\n"),
        fleet.logs()
    )))
}

/// Adds a line to the file `BRINE_REPORT` names, if it names one: what `docs/interop.md` is made from.
fn note(fleet: &Fleet, name: &str, ok: bool, seconds: f32) {
    let Some(path) = env::var_os("BRINE_REPORT") else { return };
    let word = if ok { "ok" } else { "FAIL" };
    let line = format!("{}\t{}\t{}\t{name}\t{word}\t{seconds:.1}\n", fleet.master, fleet.minion, fleet.cli);
    // One write per line: test programs running side by side share the file.
    let file = std::fs::File::options().create(true).append(true).open(path);
    let _ = file.and_then(|mut f| f.write_all(line.as_bytes()));
}
