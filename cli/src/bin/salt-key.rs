//! `salt-key`.

use std::process::ExitCode;

fn main() -> ExitCode {
    brine_cli::exit::finish("salt-key", brine_cli::key::run(std::env::args_os()))
}
