//! Running the Python scripts of `py/` with the interpreter of a stock installation, which
//! brings pyzmq, the cryptography and stock's own event client.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::cli::{self, Ran};
use crate::daemon::command;
use crate::failure::Result;
use crate::fleet::Fleet;
use crate::side::Side;

/// The stock version whose Python reads the fleet's event bus: the CLI's, since the framing of
/// the bus is set to fit it.
pub fn bus_side(fleet: &Fleet) -> Side {
    match (fleet.master, fleet.cli) {
        (Side::Stock(_), _) => fleet.master,
        (Side::Ours, Side::Stock(_)) => fleet.cli,
        (Side::Ours, Side::Ours) => Side::Stock("3006.28"),
    }
}

/// The command that runs `text` as script `name` with the arguments `args`, in the master's namespace.
///
/// # Errors
/// When the interpreter is not there or the script cannot be written.
pub fn prepare(fleet: &Fleet, side: Side, name: &str, text: &str, args: &[&str]) -> Result<Command> {
    let path: PathBuf = fleet.path(name);
    fs::write(&path, text)?;
    let mut cmd = command(fleet.master_netns.as_deref(), &side.program("python3")?);
    cmd.arg("-W").arg("ignore").arg(path).args(args);
    Ok(cmd)
}

/// Talks to the master as an attacker or a raw client would: runs `py/wire.py` with `args` and
/// gives what it printed. It uses 3006.28's libraries whoever the master is.
///
/// # Errors
/// When it does not end with code 0.
pub fn wire(fleet: &Fleet, args: &[&str]) -> Result<Ran> {
    let root = fleet.root().display().to_string();
    let port = fleet.settings.ret_port.to_string();
    let mut all = vec![root.as_str(), fleet.settings.address.as_str(), port.as_str()];
    all.extend(args);
    let cmd = prepare(fleet, Side::Stock("3006.28"), "wire.py", include_str!("../py/wire.py"), &all)?;
    cli::run(cmd, b"", Duration::from_secs(60))?.ok()
}
