//! `salt-cp`.

use std::process::ExitCode;

fn main() -> ExitCode {
    brine_cli::exit::finish("salt-cp", brine_cli::cp::run(std::env::args_os()))
}
