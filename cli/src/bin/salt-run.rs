//! `salt-run`.

use std::process::ExitCode;

fn main() -> ExitCode {
    brine_cli::exit::finish("salt-run", brine_cli::run::run(std::env::args_os()))
}
