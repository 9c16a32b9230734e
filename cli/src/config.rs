//! Reads the master's configuration for a command on its host, and sets up the command's log.

use crate::args::config_dir;
use crate::exit::{CliError, Result};
use brine_core::Opts;
use brine_core::options::Daemon;
use brine_render::config::{FoundId, Names, client_config, config_file, process_env};
use clap::ArgMatches;

/// What a command works with.
pub(crate) struct Loaded {
    /// The master's options, overlaid by the user's own file.
    pub(crate) opts: Opts,
}

/// Whether a command needs the master's own id, which may take a look at name services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MasterId {
    /// It does.
    Needed,
    /// It does not.
    Unused,
}

/// Reads the configuration that the command line points to.
pub(crate) fn load_master(m: &ArgMatches, id: MasterId) -> Result<Loaded> {
    let dir = config_dir(m);
    let path = config_file(Daemon::Master, dir.as_deref());
    let loaded = client_config(&path, &process_env, &|_| Ok(own_id(id)))
        .map_err(|e| CliError::Config(e.to_string()))?;
    for warning in &loaded.warnings {
        eprintln!("[WARNING ] {warning}");
    }
    Ok(Loaded { opts: loaded.opts })
}

fn own_id(id: MasterId) -> FoundId {
    match id {
        MasterId::Needed => Names::of_this_machine().id(),
        MasterId::Unused => FoundId { id: "localhost".into(), is_address: false },
    }
}
