//! `cargo xtask`: the project's own commands, so that nothing but cargo is needed to demo, test and check it.

#![expect(clippy::print_stdout, reason = "a command for people")]

mod bench;
mod demo;
mod fleet;
mod holes;
mod licences;
mod options;
mod others;
mod retry;
mod run;
mod setup;
mod swarm;
mod test;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  demo          start a master and a minion in a scratch directory and try them on screen; Ctrl-C ends it
  test          install what the tests need, then run every check and every test
  setup         only install what the tests need
  tidy          check the layering of the crates and the habits of the source
  docs          write docs/options.md from the option tables
  options       run the test that each option names, with and without the option; [KEY..] for some
  bench         measure ours and stock in one run and print medians and ratios
  swarm         the same with a thousand simulated minions: time to all answers, the master's work and memory
  soak          the long tests: ten idle minutes, two hundred kills, fifty dead paths
  holes         open each hole of docs/security.md in a copy of the tree; its tests must fail
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.first().map(String::as_str) {
        Some("demo") => demo::demo(&args[1..]),
        Some("test") => test::test(&args[1..]),
        Some("setup") => setup::setup().map(drop),
        Some("tidy") => tidy::tidy(),
        Some("docs") => options::docs(),
        Some("options") => options::options(&args[1..]),
        Some("holes") => holes::holes(&args[1..]),
        Some("bench") => bench::bench(&args[1..]),
        Some("swarm") => swarm::swarm(&args[1..]),
        Some("soak") => test::soak(),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(())
        }
        other => {
            eprint!("{HELP}");
            Err(other.map_or("which command?".into(), |o| format!("no command named {o}")))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e}");
            ExitCode::FAILURE
        }
    }
}
