//! `salt-call`.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Runs of states make and drop a great many small values: docs/decisions/0010-allocator.md.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    ExitCode::from(brine_minion::call::main(words))
}
