//! Starting other programs: one place that prints what is run and turns a failure into an error.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What every command of this crate returns; the error is one line for a person.
pub(crate) type Result<T = ()> = std::result::Result<T, String>;

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut c = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    c.current_dir(root());
    c
}

/// Where cargo puts programs of a profile (`debug`, `release`).
pub(crate) fn target_dir(profile: &str) -> PathBuf {
    let dir = std::env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from);
    root().join(dir).join(profile)
}

/// Prints and runs a command; an error names it.
pub(crate) fn run(command: &mut Command) -> Result {
    let shown = show(command);
    eprintln!("+ {shown}");
    match command.status() {
        Ok(s) if s.success() => Ok(()),
        Ok(s) => Err(format!("{shown}: {s}")),
        Err(e) => Err(format!("{shown}: {e}")),
    }
}

/// Runs a command quietly and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let out = command.output().map_err(|e| format!("{}: {e}", show(command)))?;
    if out.status.success() {
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    } else {
        Err(format!("{}: {}\n{}", show(command), out.status, String::from_utf8_lossy(&out.stderr)))
    }
}

/// The command line, for people.
fn show(command: &Command) -> String {
    let mut s =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    for a in command.get_args() {
        s.push(' ');
        s.push_str(&a.to_string_lossy());
    }
    s
}
