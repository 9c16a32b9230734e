//! `salt`.

use std::process::ExitCode;

fn main() -> ExitCode {
    brine_cli::exit::finish("salt", brine_cli::salt::run(std::env::args_os()))
}
