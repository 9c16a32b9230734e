//! `pj`.

use std::process::ExitCode;

fn main() -> ExitCode {
    brine_cli::exit::finish("pj", brine_cli::pj::run(std::env::args_os()))
}
