//! What is answered without sending anything: `--preview-target` and `--config-dump`.

use super::args::Job as Wanted;
use crate::exit::{CliError, NO_RETURN, Result};
use crate::fleet::DiskFleet;
use crate::output::Output;
use crate::startup::Command;
use brine_core::Opts;
use brine_core::target::check_minions;
use brine_protocol::Value;
use brine_render::out::{Style, format};
use std::io::Write;

/// The minions that the target means, as far as the master's files tell.
pub(super) fn minions(command: &Command, wanted: &Wanted) -> Vec<String> {
    let fleet = DiskFleet::new(&command.opts);
    check_minions(&fleet, &wanted.target, wanted.target_type, ":", true).minions
}

/// `--preview-target`.
pub(super) fn target(command: &Command, wanted: &Wanted, out: &Output) -> Result {
    let minions = minions(command, wanted);
    let none = minions.is_empty();
    out.show(&minions.into(), "nested")?;
    if none {
        eprintln!("ERROR: No return received");
        return Err(CliError::Code(NO_RETURN));
    }
    Ok(())
}

/// `--config-dump`: every option of the master, as YAML.
pub(super) fn config_dump(opts: &Opts) -> Result {
    let plain = Opts::default();
    let mut opts = opts.clone();
    opts.map_mut().update(brine_protocol::map! {"__cli" => "salt", "__fs_update" => true});
    let text = format(&Value::Map(opts.map().clone()), Some("yaml"), &plain, &Style::new(&plain, false));
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(|e| CliError::io("standard output", e))
}
