//! The program `salt-master`. Everything is in the library.

fn main() -> std::process::ExitCode {
    brine_master::program::main(std::env::args_os())
}
